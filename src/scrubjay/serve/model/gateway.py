"""Paths like those of language models' own services: requests go on to one of them with
placeholders, answers come back with names. If a request cannot be hidden, nothing is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from scrubjay.errors import PolicyError, ScrubjayError, UpstreamError, UsageError
from scrubjay.serve import problems
from scrubjay.serve.call import Call, Content

if TYPE_CHECKING:
    import httpx

PATHS = {
    "openai": ("v1/chat/completions", "v1/responses", "v1/embeddings"),
    "anthropic": ("v1/messages", "v1/messages/count_tokens"),
}


class Upstream(NamedTuple):
    """Where a kind of request goes. `key`: the service's own for it; without one, callers show
    theirs, and the key for here in `X-Scrubjay-Key`."""

    address: str
    key: str = ""

    def __repr__(self) -> str:
        return f"Upstream({self.address!r})"


class Models:
    """Every upstream, and the connections to them: a transport, since a client's redirects, cookies
    and proxies must not be, and cost time."""

    def __init__(self, upstreams: Mapping[str, Upstream]) -> None:
        self._upstreams = upstreams

    @cached_property
    def transport(self) -> httpx.AsyncHTTPTransport:
        """What has the connections."""
        import httpx  # only who asks a model waits for it

        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
        return httpx.AsyncHTTPTransport(trust_env=False, limits=limits)

    async def close(self) -> None:
        """No connection stays."""
        if "transport" in vars(self):
            await self.transport.aclose()

    def upstream(self, kind: str) -> Upstream:
        """Where it goes, if somebody said so."""
        if kind not in self._upstreams:
            raise UsageError(f"no model is behind /{kind}: scrubjay serve --{kind} URL names one")
        return self._upstreams[kind]


def calls() -> list[Call]:
    """What there is. What a model's service says passes through, whatever its status."""
    hears = {"X-Scrubjay-Key": "The key for here.", "X-Scrubjay-Policy": "Another policy."}
    passed = Content(dict[str, Any])
    found = []
    for kind, paths in PATHS.items():
        gate, fails = _Gate(kind), (UsageError, UpstreamError, PolicyError)
        asked = "{} of " + kind + ", with placeholders there and names here."
        found += [
            Call("POST", f"/{kind}/{path}", gate, asked.format(path), takes=passed, gives=passed,
                 status=0, hears=hears, fails=fails)
            for path in paths
        ]  # fmt: skip
        found.append(
            Call("GET", f"/{kind}/v1/models", gate, asked.format("models"), gives=passed,
                 status=0, hears=hears, fails=fails)
        )  # fmt: skip
    return found


class _Gate:
    """One kind's endpoint."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        from scrubjay.serve.model import passing  # only who asks a model waits for it

        request = Request(scope, receive)
        try:
            response = await passing.answered(request, self._kind)
        except ScrubjayError as problem:
            response = _theirs(problems.refused(request, problem))
        await response(scope, receive, send)


def _theirs(refused: Response) -> Response:
    """Our error with what clients of models look for in one."""
    told = msgspec.json.decode(refused.body)
    error = told["error"] | {"message": told["error"]["what"], "type": told["error"]["code"]}
    refused.body = msgspec.json.encode({"type": "error", "error": error})
    refused.headers["content-length"] = str(len(refused.body))
    return refused
