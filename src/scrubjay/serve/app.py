"""The service as an ASGI application: what can be asked, by path."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

import scrubjay
from scrubjay import labels
from scrubjay.errors import BusyError, PolicyError, ScrubjayError
from scrubjay.serve import (
    approving,
    audit,
    files,
    jobs,
    page,
    people,
    policy,
    probes,
    problems,
    restoring,
    review,
    views,
)
from scrubjay.serve.asked import caller, read, shown
from scrubjay.serve.back import Back
from scrubjay.serve.batch import batch
from scrubjay.serve.call import NDJSON, Call, Content, routes
from scrubjay.serve.clerk import ANONYMIZE, DETECT, Asked
from scrubjay.serve.desk import Desk
from scrubjay.serve.fence import HERE, Fence
from scrubjay.serve.gate import Gate
from scrubjay.serve.metrics import Metrics
from scrubjay.serve.model import gateway
from scrubjay.serve.model.gateway import Models
from scrubjay.serve.openapi import Described, described
from scrubjay.serve.presidio import gateway as presidio
from scrubjay.serve.types import Clean, Found, Health, LabelRow, Text


class State:
    """What every request can use. `desk` has vault and engines, in a thread of its own; `back` has
    what only some requests need."""

    def __init__(
        self, desk: Desk, gate: Gate, metrics: Metrics, back: Back, models: Models
    ) -> None:
        self.desk, self.gate, self.metrics = desk, gate, metrics
        self.back, self.models = back, models


def application(state: State) -> Starlette:
    """All of it. The desk ends with the application, when all is answered."""

    @contextlib.asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        await probes.look(state)
        watch = asyncio.create_task(probes.watch(state))
        yield
        watch.cancel()
        state.desk.close()
        await state.models.close()
        state.back.close()

    app = Starlette(
        routes=routes(calls()),
        lifespan=life,
        middleware=[Middleware(Fence, names=_names(state))],
        exception_handlers={
            ScrubjayError: problems.refused, HTTPException: problems.unknown,
            ClientDisconnect: problems.gone, Exception: problems.failed,
        },
    )  # fmt: skip
    app.router.redirect_slashes = False  # a client would send text and key again, perhaps in clear
    app.state.all = state
    return app


def _names(state: State) -> frozenset[str]:
    """What a service of this machine alone may be called; of others their certificate says it."""
    settings = state.back.settings
    own = {name.lower() for name in settings.names}
    return frozenset({settings.host, *HERE, *own}) if settings.is_local else frozenset()


def calls() -> list[Call]:
    """What there is."""
    text = Content(Text, example={"text": "Mr. Quentin Quarles, SSN 536-90-4399", "id": "note 1"})
    own = [
        Call("POST", "/v1/detect", _detect, "What would be replaced in a text, and where.",
             takes=text, gives=Content(Found), fails=(PolicyError,)),
        Call("POST", "/v1/anonymize", _anonymize, "A text without what identifies.",
             takes=text, gives=Content(Clean), fails=(PolicyError,)),
        Call("POST", "/v1/batch", batch, "Many texts, cleaned in order while they are sent.",
             takes=Content(Text, NDJSON), gives=Content(Clean, NDJSON)),
        Call("GET", "/v1/labels", _labels, "Kinds of identifiers.", gives=Content(list[LabelRow])),
        Call("GET", "/healthz", _alive, "Whether it lives.", gives=Content(Health), key=False),
        Call("GET", "/readyz", _ready, "Whether it answers.", gives=Content(Health), key=False,
             fails=(BusyError,)),
        Call("GET", "/metrics", _metrics, "Numbers for Prometheus.",
             gives=Content(media="text/plain"), key=False),
        Call("GET", "/openapi.json", _described, "All of this, as OpenAPI 3.1.",
             gives=Content(Described), key=False),
    ]  # fmt: skip
    more = (
        files, views, jobs, review, page, policy, people, approving, audit, restoring, gateway,
        presidio,
    )  # fmt: skip
    return [*own, *(call for module in more for call in module.calls())]


async def _detect(request: Request) -> Response:
    return await _answered(request, DETECT)


async def _anonymize(request: Request) -> Response:
    return await _answered(request, ANONYMIZE)


async def _answered(request: Request, what: str) -> Response:
    who = await caller(request)
    text = await read(request, Text)
    state: State = request.app.state.all
    with state.metrics.timed(what):
        asked = Asked(who, text.document(), text.policy)
        told = await state.desk.ask(what, asked, len(text.text))
    state.metrics.counted(told.counts, len(text.text), told.policy)
    return shown(told)


async def _labels(request: Request) -> Response:
    await caller(request)
    table = labels.table().values()
    return shown(
        [LabelRow(one.name, one.meaning, one.parent, one.hipaa, one.gdpr) for one in table]
    )


async def _alive(request: Request) -> Response:
    return shown(Health("alive", scrubjay.__version__))


async def _ready(request: Request) -> Response:
    """A process listens before it has all that it needs, and answers nobody until it has."""
    state: State = request.app.state.all
    if not (state.desk.open and state.back.desk.open):
        raise BusyError("it is about to end; ask another")
    if leaking := state.metrics.leaking():
        what = f"a planted identifier came through: {', '.join(leaking)}"
        again = str(round(probes.EVERY))
        return problems.answer(503, "leaking", what, request.url.path, Retry_After=again)
    return shown(Health("ready", scrubjay.__version__, state.desk.waiting))


async def _metrics(request: Request) -> Response:
    state: State = request.app.state.all
    state.metrics.waits(state.desk.waiting)
    return Response(state.metrics.text(), media_type="text/plain; version=0.0.4")


async def _described(request: Request) -> Response:
    return shown(_document())


@functools.cache
def _document() -> Described:
    return msgspec.convert(described(calls()), Described)
