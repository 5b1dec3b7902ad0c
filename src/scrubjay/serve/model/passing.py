"""A request on its way to a model and back: hidden before it goes, restored as it comes."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from scrubjay.access.people import Caller
from scrubjay.errors import RefusedError, UpstreamError
from scrubjay.serve.asked import admitted, body, unless_gone
from scrubjay.serve.back import errand
from scrubjay.serve.clerk import HIDE, KEEP, TELL
from scrubjay.serve.model import reply
from scrubjay.serve.model.gateway import Upstream
from scrubjay.serve.model.hiding import Apart, Hidden, Keep, Tell, ToHide, hidden_apart
from scrubjay.serve.model.table import Table

OWN = "x-scrubjay-key"
POLICY = "x-scrubjay-policy"
LARGEST = 1 << 25
SECONDS = 300.0  # in which the files of a request must be read
PATIENCE = {"timeout": httpx.Timeout(600, connect=10).as_dict()}
# What goes on: nobody knows what others hold.
HEADERS = frozenset({
    "authorization", "x-api-key", "content-type", "accept", "user-agent", "idempotency-key",
    "x-request-id", "x-client-request-id",
})  # fmt: skip
FAMILIES = ("anthropic-", "openai-", "x-stainless-")
ASKED = frozenset({"beta", "api-version"})  # of a query
# What comes back: where to go instead, and who may read it, is not for the upstream to say.
BACK = frozenset({
    "content-type", "retry-after", "retry-after-ms", "x-should-retry", "request-id", "x-request-id",
})  # fmt: skip
BACK_FAMILIES = ("anthropic-", "openai-", "x-ratelimit-")


async def answered(request: Request, kind: str) -> Response:
    """What the model's service says to it, with names."""
    state = request.app.state.all
    upstream = state.models.upstream(kind)
    who = await admitted(request, _own_key(request, upstream))
    with state.metrics.timed("model"):
        hidden = await _hidden(request, who, upstream)
        sent = _request(request, kind, upstream, hidden)
        asking = state.models.transport.handle_async_request(sent)
        try:
            answer = await unless_gone(request, asking)
        except httpx.HTTPError as problem:
            raise UpstreamError(f"the model's service: {type(problem).__name__}") from None
        await _refuse_elsewhere(answer)
        if hidden is None:
            return await _plain(request, answer, Table())
        return await _restored(request, who, answer, hidden)


async def _refuse_elsewhere(answer: httpx.Response) -> None:
    """Clients follow a redirection by themselves, with all names in what they send."""
    if answer.is_redirect:
        await answer.aclose()
        raise UpstreamError(
            "the model's service sends callers to another address: start `scrubjay serve` with it"
        )


async def _hidden(request: Request, who: Caller, upstream: Upstream) -> Hidden | None:
    """What goes out instead of the body. Where there is none, who asks must be allowed it, too."""
    if request.method != "POST":
        return await errand(request, lambda trust: trust.require_of(who, "anonymize.run"))
    data = await body(request, LARGEST)
    state = request.app.state.all
    host = _url(upstream.address, "").host
    asked = ToHide(who, data, request.headers.get(POLICY, ""), host)
    told: Hidden | Apart = await state.desk.ask(HIDE, asked, len(data))
    hidden = await _read_apart(request, asked, told) if isinstance(told, Apart) else told
    state.metrics.counted(hidden.counts, len(data))
    return hidden


async def _read_apart(request: Request, asked: ToHide, before: Apart) -> Hidden:
    """Its files are read in a process of their own; it goes out when the log has it."""
    state = request.app.state.all
    work = functools.partial(hidden_apart, asked.data, asked.policy, before.values)
    read = await unless_gone(request, state.back.readers.ask(work, SECONDS))
    hidden: Hidden = await state.desk.ask(TELL, Tell(asked.caller, asked.host, read), 1)
    return hidden


def _request(
    request: Request, kind: str, upstream: Upstream, hidden: Hidden | None
) -> httpx.Request:
    headers = [(k, v) for k, v in request.headers.items() if k in HEADERS or k.startswith(FAMILIES)]
    if upstream.key:
        headers = [(k, v) for k, v in headers if k not in {"authorization", "x-api-key"}]
        bearer = ("authorization", f"Bearer {upstream.key}")
        headers.append(bearer if kind == "openai" else ("x-api-key", upstream.key))
    path = request.scope["path"].removeprefix(f"/{kind}/v1")
    asked = {k: v for k, v in request.query_params.items() if k in ASKED}
    content = hidden.body if hidden else None
    return httpx.Request(
        request.method, _url(upstream.address, path), params=asked or None, headers=headers,
        content=content, extensions=PATIENCE,
    )  # fmt: skip


@functools.cache
def _url(address: str, path: str) -> httpx.URL:
    """One of the few that there are: taking them apart takes long."""
    return httpx.URL(address.rstrip("/") + path)


def _own_key(request: Request, upstream: Upstream) -> str:
    shown = request.headers.get(OWN, "")
    if not shown and upstream.key:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        shown = key if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
    return shown.strip()


async def _restored(
    request: Request, who: Caller, answer: httpx.Response, hidden: Hidden
) -> Response:
    if "text/event-stream" in answer.headers.get("content-type", ""):
        return _Events(request, who, answer, hidden)
    response = await _plain(request, answer, hidden.table)
    if answer.is_success:
        await _kept(request, who, hidden, bytes(response.body))
    return response


async def _plain(request: Request, answer: httpx.Response, table: Table) -> Response:
    try:
        data = await unless_gone(request, answer.aread())
    except httpx.HTTPError as problem:
        raise UpstreamError(f"the model's service: {type(problem).__name__}") from None
    finally:
        await answer.aclose()
    return Response(reply.whole(data, table), answer.status_code, _headers(answer))


def _headers(answer: httpx.Response) -> dict[str, str]:
    told = answer.headers.items()
    return {k: v for k, v in told if k in BACK or k.startswith(BACK_FAMILIES)}


async def _kept(request: Request, who: Caller, hidden: Hidden, data: bytes) -> None:
    """Remember the table of an answer that the model's service remembers, too."""
    if not hidden.keep:
        return
    try:
        name = msgspec.json.decode(data)["id"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return
    await request.app.state.all.desk.ask(KEEP, Keep(who, str(name), hidden.table), 1)


class _Events(Response):
    """A stream of events, restored as they come."""

    def __init__(
        self, request: Request, who: Caller, answer: httpx.Response, hidden: Hidden
    ) -> None:
        super().__init__(status_code=answer.status_code, headers=_headers(answer))
        del self.headers["content-length"]
        self._request, self._who = request, who
        self._answer, self._hidden = answer, hidden

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it. Nobody's answer is asked for to its end."""
        with suppress(RefusedError):
            await unless_gone(self._request, self._sent(send))

    async def _sent(self, send: Send) -> None:
        head = {"type": "http.response.start", "status": self.status_code}
        await send(head | {"headers": self.raw_headers})
        try:
            async for told in self._told():
                await send({"type": "http.response.body", "body": told, "more_body": True})
        finally:
            await self._answer.aclose()
        await send({"type": "http.response.body", "body": b""})

    async def _told(self) -> AsyncIterator[bytes]:
        if not self._hidden.table.values and not self._hidden.keep:
            async for chunk in self._answer.aiter_bytes():
                yield chunk
            return
        stream = reply.Stream(self._hidden.table)
        async for event in reply.events(self._answer.aiter_bytes()):
            await self._remember(event.data)
            for told in stream.feed(event):
                yield told
        for told in stream.rest():
            yield told

    async def _remember(self, data: Any) -> None:
        if isinstance(data, dict) and data.get("type") == "response.created":
            response = msgspec.json.encode(data.get("response"))
            await _kept(self._request, self._who, self._hidden, response)
