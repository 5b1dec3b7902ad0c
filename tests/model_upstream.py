"""A model's service for tests: it writes down what it was sent, and answers as such services do.

It says again what it was told last, cut into pieces of a few characters.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route


class Upstream:
    """`bend` is what this model does to the words that it copies."""

    def __init__(self):
        self.begin()
        routes = [
            Route("/v1/chat/completions", self.chat, methods=["POST"]),
            Route("/v1/responses", self.responses, methods=["POST"]),
            Route("/v1/embeddings", self.embeddings, methods=["POST"]),
            Route("/v1/messages", self.messages, methods=["POST"]),
        ]
        self.app = Starlette(routes=routes)

    def begin(self) -> None:
        self.seen: list[dict] = []
        self.headers: list[dict] = []
        self.queries: list[str] = []
        self.pieces = 3
        self.bend = str
        self.call = ""  # arguments of a tool call, instead of words
        self.cited = ""  # words in what it says for which it names a source
        self.status = 200
        self.endless = False  # of chat's streams: then `left` counts those that were left
        self.left = 0

    async def _read(self, request):
        self.headers.append(dict(request.headers))
        self.queries.append(request.url.query)
        self.seen.append(await request.json())
        return self.seen[-1]

    def cut(self, text: str) -> list[str]:
        return [text[at : at + self.pieces] for at in range(0, len(text), self.pieces)]

    def citations(self, said: str) -> list[dict]:
        if not self.cited:
            return []
        place = {
            "start_index": said.index(self.cited),
            "end_index": said.index(self.cited) + len(self.cited),
        }
        return [{"title": "A page", "url": "https://example.org/page"} | place]

    async def chat(self, request) -> Response:
        asked = await self._read(request)
        if self.status != 200:
            return JSONResponse({"error": {"message": "slow down", "type": "rate"}}, self.status)
        said = asked["messages"][-1]["content"]
        said = self.bend(said if isinstance(said, str) else said[-1]["text"])
        if asked.get("stream") and self.endless:
            return StreamingResponse(self._without_end(said), media_type="text/event-stream")
        if asked.get("stream"):
            return _stream(self._chat_events(said))
        message = {"role": "assistant", "content": said, "annotations": _nested(self, said)}
        if self.call:
            function = {"name": "look_up", "arguments": self.bend(self.call)}
            call = {"id": "call_abc123", "type": "function", "function": function}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        return JSONResponse(_chat("chat.completion", [choice]))

    def _chat_events(self, said: str) -> Iterator[dict | str]:
        def chunk(delta, finish=None):
            return _chat(
                "chat.completion.chunk", [{"index": 0, "delta": delta, "finish_reason": finish}]
            )

        yield chunk({"role": "assistant", "content": ""})
        if self.call:
            head = {"index": 0, "id": "call_abc123", "type": "function"}
            yield chunk({"tool_calls": [head | {"function": {"name": "look_up", "arguments": ""}}]})
            for piece in self.cut(self.bend(self.call)):
                yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
        else:
            for piece in self.cut(said):
                yield chunk({"content": piece})
            if self.cited:
                yield chunk({"annotations": _nested(self, said)})
        yield chunk({}, "stop")
        yield "[DONE]"

    async def _without_end(self, said: str) -> AsyncIterator[str]:
        chunk = _chat("chat.completion.chunk", [{"index": 0, "delta": {"content": f"{said} "}}])
        try:
            while True:
                yield f"data: {json.dumps(chunk)}\n\n"
                await asyncio.sleep(0.01)
        finally:
            self.left += 1

    async def responses(self, request) -> Response:
        asked = await self._read(request)
        said = asked["input"] if isinstance(asked["input"], str) else asked["input"][-1]["content"]
        said = self.bend(said if isinstance(said, str) else said[-1]["text"])
        number = len(self.seen)
        cited = [{"type": "url_citation"} | one for one in self.citations(said)]
        text = {"type": "output_text", "text": said, "annotations": cited}
        item = {"id": "msg_1234567", "type": "message", "role": "assistant", "status": "completed"}
        done = {
            "id": f"resp_0000000{number}", "object": "response", "created_at": 1, "model": "m",
            "status": "completed", "output": [item | {"content": [text]}],
            "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
        }  # fmt: skip
        if not asked.get("stream"):
            return JSONResponse(done)
        place = {"item_id": "msg_1234567", "output_index": 0, "content_index": 0, "logprobs": []}
        events = [
            {"type": "response.created", "response": done | {"status": "in_progress", "output": []}}
        ]
        events += [
            place | {"type": "response.output_text.delta", "delta": one} for one in self.cut(said)
        ]
        events += [
            place | {"type": "response.output_text.annotation.added", "annotation_index": number,
                     "annotation": one}
            for number, one in enumerate(cited)
        ]  # fmt: skip
        events += [place | {"type": "response.output_text.done", "text": said}]
        events += [{"type": "response.completed", "response": done}]
        return _stream([e | {"sequence_number": n} for n, e in enumerate(events)], named=True)

    async def embeddings(self, request) -> Response:
        await self._read(request)
        row = {"object": "embedding", "index": 0, "embedding": [0.5]}
        return JSONResponse(
            {
                "object": "list",
                "model": "m",
                "data": [row],
                "usage": {"prompt_tokens": 1, "total_tokens": 1},
            }
        )

    async def messages(self, request) -> Response:
        asked = await self._read(request)
        said = asked["messages"][-1]["content"]
        said = self.bend(said if isinstance(said, str) else said[-1]["text"])
        whole = {
            "id": "msg_1234567", "type": "message", "role": "assistant", "model": "m",
            "stop_reason": "end_turn", "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }  # fmt: skip
        content = [{"type": "text", "text": said}]
        if self.call:
            content += [
                {
                    "type": "tool_use",
                    "id": "toolu_1234567",
                    "name": "look_up",
                    "input": json.loads(self.bend(self.call)),
                }
            ]
        if not asked.get("stream"):
            return JSONResponse(whole | {"content": content})
        events = [
            {"type": "message_start", "message": whole | {"content": [], "stop_reason": None}}
        ]
        for index, block in enumerate(content):
            tool = block["type"] == "tool_use"
            empty = block | ({"input": {}} if tool else {"text": ""})
            events += [{"type": "content_block_start", "index": index, "content_block": empty}]
            kind, key = ("input_json_delta", "partial_json") if tool else ("text_delta", "text")
            told = json.dumps(block["input"]) if tool else said
            events += [
                {"type": "content_block_delta", "index": index, "delta": {"type": kind, key: one}}
                for one in self.cut(told)
            ]
            events += [{"type": "content_block_stop", "index": index}]
        events += [
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": 1},
            },
            {"type": "message_stop"},
        ]
        return _stream(events, named=True)


def _nested(upstream: Upstream, said: str) -> list[dict]:
    return [{"type": "url_citation", "url_citation": one} for one in upstream.citations(said)]


def _chat(kind: str, choices: list) -> dict:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": "m", "choices": choices}


def _stream(events, named: bool = False) -> Response:
    def told():
        for event in events:
            name = f"event: {event['type']}\n" if named else ""
            yield f"{name}data: {event if isinstance(event, str) else json.dumps(event)}\n\n"

    return StreamingResponse(told(), media_type="text/event-stream")


def app() -> Starlette:
    """One for a process of its own."""
    return Upstream().app
