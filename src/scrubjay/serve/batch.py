"""NDJSON in, NDJSON out: a line is a text, and its answer a line, in order, as they come.

A few lines are ahead of what the caller has read: who reads slowly is served slowly, and costs no
memory. A line that cannot be answered is answered with its problem; the others are not its fault.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import islice
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from scrubjay.access.people import Caller
from scrubjay.errors import BusyError, InputError, ScrubjayError
from scrubjay.serve.asked import caller
from scrubjay.serve.clerk import ANONYMIZE, Asked
from scrubjay.serve.problems import LOOK, TODO, Problem, Told
from scrubjay.serve.types import Text

AHEAD = 256  # lines that are looked at before the first of them is read
LONGEST = 1 << 23  # bytes of a line


async def batch(request: Request) -> Response:
    """`/v1/batch`."""
    who = await caller(request)
    return _Lines(_answers(request, who), media_type="application/x-ndjson")


class _Lines(Response):
    """Sends while it reads: a `StreamingResponse` would listen for the caller's going, and take
    what is to be read."""

    def __init__(self, lines: AsyncIterator[bytes], media_type: str) -> None:
        super().__init__(media_type=media_type)
        del self.headers["content-length"]
        self._lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        head = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(head)
        with suppress(ClientDisconnect):  # nobody is there to be told
            async for line in self._lines:
                await send({"type": "http.response.body", "body": line, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


async def _answers(request: Request, who: Caller) -> AsyncIterator[bytes]:
    """An answer waits for those before it, and for no line that comes later."""
    state, out, number = request.app.state.all, deque[asyncio.Task[bytes]](), 0
    parts = lines(request)
    coming: asyncio.Future[list[bytes] | None] | None = asyncio.ensure_future(anext(parts, None))
    try:
        while coming or out:
            if coming:
                first: list[asyncio.Future[Any]] = [coming, *islice(out, 1)]
                await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            if coming and coming.done():
                found = coming.result()
                coming = None if found is None else asyncio.ensure_future(anext(parts, None))
                for line in found or ():
                    number += 1
                    out.append(asyncio.create_task(_answer(state, who, line, number)))
                    while len(out) >= AHEAD:
                        yield await out[0]
                        out.popleft()
            while out and (out[0].done() or not coming):
                yield await out[0]
                out.popleft()
    finally:
        for task in out:
            task.cancel()
        if coming:
            coming.cancel()


async def lines(request: Request) -> AsyncIterator[list[bytes]]:
    """The body's lines that hold something, as many as have come."""
    left = b""
    async for chunk in request.stream():
        *whole, left = (left + chunk).split(b"\n")
        yield [line for line in whole if line.strip()]
        if len(left) > LONGEST:
            raise InputError("a line is longer than 8 MiB")
    if left.strip():
        yield [left]


async def _answer(state: Any, who: Caller, line: bytes, number: int) -> bytes:
    try:
        with state.metrics.timed("batch"):
            return msgspec.json.encode(await _told(state, who, line)) + b"\n"
    except ScrubjayError as problem:
        code, what = problem.code, str(problem)
    except Exception as problem:  # noqa: BLE001 - its words may quote the text
        code, what = "error", f"the service failed: {type(problem).__name__}"
    shown = Told(Problem(code, what, f"line {number}", TODO.get(code, LOOK)))
    return msgspec.json.encode(shown) + b"\n"


async def _told(state: Any, who: Caller, line: bytes) -> Any:
    try:
        text = msgspec.json.decode(line, type=Text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise InputError("not a text as /v1/anonymize takes it") from None
    asked = Asked(who, text.document(), text.policy)
    while True:
        try:
            told = await state.desk.ask(ANONYMIZE, asked, len(text.text))
        except BusyError:  # a stream waits its turn
            await asyncio.sleep(0.05)
            continue
        state.metrics.counted(told.counts, len(text.text), told.policy)
        return told
