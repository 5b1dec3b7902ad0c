"""Between browsers and the service. A page of any other host may be open beside ours: it must not
pass for this one, show it in a frame, or find its answers in a cache.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scrubjay.serve import problems

HERE = frozenset({"127.0.0.1", "localhost", "::1"})  # what a program of this machine calls it
HEADERS = {  # of every answer that says nothing else itself
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"x-content-type-options": b"nosniff",
}
OTHER = "the Host of this request is no name of this service: start it with --name for another"


class Fence:
    """`names`: what callers may call it; none: anything, where TLS has looked at the name.

    A name of somebody else's that leads to this machine (DNS rebinding) makes their page one of
    ours to a browser: it is told nothing."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app, self._names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with_ours(message["headers"])
            await send(message)

        if scope["type"] != "http" or not self._names or _names(scope) <= set(self._names):
            await self._app(scope, receive, sending)
        else:
            refusal = problems.answer(421, "usage", OTHER, scope["path"])
            await refusal(scope, receive, sending)


def _with_ours(told: Collection[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    names = {name.lower() for name, _ in told}
    return [*told, *(one for one in HEADERS.items() if one[0] not in names)]


def _names(scope: Scope) -> set[str]:
    """What it is called in a request: no browser calls it nothing."""
    return {_name(value) for name, value in scope["headers"] if name == b"host"}


def _name(host: bytes) -> str:
    """Without its port; of what is no host, nothing."""
    try:
        return urlsplit(f"//{host.decode('latin-1')}").hostname or ""
    except ValueError:
        return ""
