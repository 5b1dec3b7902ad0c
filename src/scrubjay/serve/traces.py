"""Traces for OpenTelemetry, where the environment names who takes them: a span for each request,
with its route, kind, policy, counts and sizes. Nothing in it is a caller's own word: no text, name,
path, query, header or key.

A thread of its own sends them. What cannot be sent is dropped: no request waits for that or fails
by it. Of OpenTelemetry nothing is imported where nobody wants it.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import scrubjay
from scrubjay import labels
from scrubjay.errors import ExtraError, UsageError

ADDRESSES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
SPOKEN = "http/protobuf"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
LAST = 3.0  # seconds in which what is left is sent when a service stops
NEEDED = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http.trace_exporter")


class Noted:
    """What is known of a request that its caller did not write."""

    def __init__(self) -> None:
        self.kind = self.policy = ""
        self.texts = self.characters = self.status = self.read = self.sent = 0
        self.seconds = 0.0
        self.found: Counter[str] = Counter()


_noted: ContextVar[Noted | None] = ContextVar("noted", default=None)


def timed(kind: str, seconds: float) -> None:
    """Note what this request was for, and how long it took."""
    if noted := _noted.get():
        noted.kind = kind
        noted.seconds += seconds


def counted(found: Mapping[str, int], characters: int, policy: str) -> None:
    """Note what was found in a text of this request, under which policy."""
    if noted := _noted.get():
        noted.texts += 1
        noted.characters += characters
        noted.policy = policy
        noted.found.update(found)


def host() -> str:
    """Who takes traces, if anybody."""
    told = next((value for name in ADDRESSES if (value := os.environ.get(name))), "")
    return urlsplit(told).hostname or told


def check() -> None:
    """Refuse what is wanted and cannot be."""
    if not host():
        return
    spoken = next((value for name in PROTOCOLS if (value := os.environ.get(name))), SPOKEN)
    if spoken != SPOKEN:
        raise UsageError(f"{PROTOCOLS[1]}={spoken}: traces are sent as {SPOKEN} alone")
    try:
        for name in NEEDED:
            importlib.import_module(name)
    except ImportError:
        raise ExtraError(
            f"{ADDRESSES[1]} is set, and traces need OpenTelemetry: pip install 'scrubjay[otel]'"
        ) from None


def around(app: Starlette) -> ASGIApp:
    """The application; where somebody takes traces, one that tells them."""
    return Traced(app) if host() else app


class Traced:
    """An application whose requests are told of."""

    def __init__(self, app: Starlette) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        own = {"service.name": os.environ.get("OTEL_SERVICE_NAME") or "scrubjay"}
        self._app = app
        self._routes = [one for one in app.routes if isinstance(one, Route)]
        self._provider = TracerProvider(resource=Resource.create(own), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("scrubjay", scrubjay.__version__)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] == "http":
            with self._told(scope) as noted:
                await self._app(scope, _reading(noted, receive), _sending(noted, send))
        else:
            try:
                await self._app(scope, receive, send)
            finally:
                self.close()

    def close(self) -> None:
        """Send what is left, as far as it is taken soon."""
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(LAST)

    @contextlib.contextmanager
    def _told(self, scope: Scope) -> Iterator[Noted]:
        """A span. It is never the current one: then it would hear what exceptions say."""
        noted = Noted()
        token = _noted.set(noted)
        span = self._begun(scope)
        try:
            yield noted
        finally:
            _noted.reset(token)
            with contextlib.suppress(Exception):  # whatever is wrong with it: the answer stands
                self._end(span, scope, noted)

    def _begun(self, scope: Scope) -> Any:
        """Below the caller's own, if they name it. Of what comes with it `tracestate` and `baggage`
        are words of the caller's, and stay here."""
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        above = dict(scope["headers"]).get(b"traceparent", b"").decode("latin-1")
        context = TraceContextTextMapPropagator().extract({"traceparent": above})
        return self._tracer.start_span("request", context, SpanKind.SERVER)

    def _end(self, span: Any, scope: Scope, noted: Noted) -> None:
        from opentelemetry.trace import Status, StatusCode

        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        route = self._route(scope)
        span.update_name(f"{method} {route}".strip())
        span.set_attributes(_shown(noted) | {"http.request.method": method, "http.route": route})
        if noted.status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def _route(self, scope: Scope) -> str:
        """A path as it was registered; of others nothing."""
        mine = (one for one in self._routes if one.endpoint is scope.get("endpoint"))
        return next((one.path for one in mine if one.path_regex.match(scope["path"])), "")


def _shown(noted: Noted) -> dict[str, str | int | float]:
    told: dict[str, str | int | float] = {
        "http.response.status_code": noted.status,
        "http.request.body.size": noted.read,
        "http.response.body.size": noted.sent,
    }
    if noted.kind:
        told |= {"scrubjay.kind": noted.kind, "scrubjay.seconds": noted.seconds}
    if noted.policy:
        told["scrubjay.policy"] = noted.policy
    if noted.texts:
        told |= {"scrubjay.texts": noted.texts, "scrubjay.characters": noted.characters}
    known = labels.table()  # others may be a caller's word: Presidio's clients send rules of theirs
    found = {label: count for label, count in noted.found.items() if label in known}
    return told | {f"scrubjay.found.{label}": count for label, count in found.items()}


def _reading(noted: Noted, receive: Receive) -> Receive:
    async def reading() -> Message:
        message = await receive()
        noted.read += len(message.get("body", b""))
        return message

    return reading


def _sending(noted: Noted, send: Send) -> Send:
    async def sending(message: Message) -> None:
        noted.status = message.get("status", noted.status)
        noted.sent += len(message.get("body", b""))
        await send(message)

    return sending
