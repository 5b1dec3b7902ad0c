"""Presidio's paths, at the root and below /presidio: clients change their address and nothing else.

Presidio has no keys. The service wants one as everywhere, unless it was started to let programs of
this machine in without (`--open-presidio`): then they are the service person `presidio`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from scrubjay import policies
from scrubjay.access.people import Caller
from scrubjay.errors import OperatorError, PolicyError, ScrubjayError, UsageError
from scrubjay.serve import problems
from scrubjay.serve.asked import caller, read, shown
from scrubjay.serve.call import JSON, Call, Content
from scrubjay.serve.fence import HERE
from scrubjay.serve.presidio import entities
from scrubjay.serve.presidio.anonymizer import Done
from scrubjay.serve.presidio.asked import look, operators, places
from scrubjay.serve.presidio.operators import ANONYMIZERS, DEANONYMIZERS
from scrubjay.serve.presidio.types import (
    Analyze,
    Anonymize,
    Deanonymize,
    Explanation,
    Recognized,
    Wrong,
)
from scrubjay.serve.presidio.work import LOOK, REPLACE, Replace
from scrubjay.serve.store import GUEST
from scrubjay.types import Finding

UP = "Presidio Analyzer service is up"
ROOTS = ("", "/presidio")
NO_JSON = {415: f"The Content-Type is not {JSON}."}
T = TypeVar("T")
Answered = Callable[[Request], Awaitable[Response]]


def calls() -> list[Call]:
    """What there is."""
    names = Content(list[str])
    sample = {"text": "SSN 536-90-4399", "language": "en"}
    found = {"start": 4, "end": 15, "score": 0.9, "entity_type": "US_SSN"}
    replaced = {"text": "SSN 536-90-4399", "analyzer_results": [found]}
    fails = (PolicyError, UsageError)
    rows = [
        Call("POST", "/analyze", _Gate(_analyze), "Where identifiers are, as Presidio tells it.",
             takes=Content(Analyze, example=sample), fails=fails,
             gives=Content(list[Any])),
        Call("POST", "/anonymize", _Gate(_anonymize), "A text with places of it replaced.",
             takes=Content(Anonymize, example=replaced), gives=Content(Done), fails=fails),
        Call("POST", "/deanonymize", _Gate(_deanonymize), "A text with its values decrypted.",
             takes=Content(Deanonymize), gives=Content(Done), fails=(*fails, OperatorError)),
        Call("GET", "/recognizers", _listed(_detectors), "What finds.", gives=names),
        Call("GET", "/supportedentities", _listed(entities.known), "What is found.", gives=names),
        Call("GET", "/anonymizers", _listed(lambda: ANONYMIZERS), "What replaces.", gives=names),
        Call("GET", "/deanonymizers", _listed(lambda: DEANONYMIZERS), "What undoes it.",
             gives=names),
        Call("GET", "/health", _health, "Whether it lives.", gives=Content(media="text/plain"),
             key=False),
    ]  # fmt: skip
    return [
        msgspec.structs.replace(
            one, path=root + one.path, problem=Wrong, also=NO_JSON if one.takes else {}
        )
        for root in ROOTS for one in rows
    ]  # fmt: skip


class _Gate:
    """One path, whose errors look like Presidio's."""

    def __init__(self, answered: Answered) -> None:
        self._answered = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        request = Request(scope, receive)
        try:
            response = await self._answered(request)
        except ScrubjayError as problem:
            response = _theirs(problems.refused(request, problem))
        except HTTPException as problem:
            response = _theirs(problems.unknown(request, problem))
        except Exception as problem:  # noqa: BLE001 - its words may quote the text
            response = _theirs(problems.failed(request, problem))
        await response(scope, receive, send)


def _theirs(refused: Response) -> Response:
    """Our error with its words alone."""
    told = msgspec.json.decode(refused.body, type=problems.Told)
    refused.body = msgspec.json.encode(Wrong(told.error.what))
    refused.headers["content-length"] = str(len(refused.body))
    return refused


async def _caller(request: Request) -> Caller:
    """Who shows a key; where none is wanted, the guest. A page in a browser that has given its own
    name this machine's address shows that name."""
    settings = request.app.state.all.back.settings
    keyed = {"authorization", "x-api-key"} & set(request.headers)
    if settings.open_presidio and not keyed and request.url.hostname in HERE:
        return Caller(GUEST, via="open")
    return await caller(request)


async def _analyze(request: Request) -> Response:
    who, told = await _caller(request), await _read(request, Analyze)
    state = request.app.state.all
    with state.metrics.timed("presidio"):
        asked, allowed = look(who, told)
        size = sum(len(one.text) for one in asked.documents)
        found: list[list[Finding]] = await state.desk.ask(LOOK, asked, size)
    state.metrics.counted(Counter(one.label for every in found for one in every), size)
    why = bool(told.return_decision_process)
    answers = [
        _found([one for one in every if not allowed(document.text[one.start : one.end])],
               asked.wanted.entities, why)
        for document, every in zip(asked.documents, found, strict=True)
    ]  # fmt: skip
    return shown(answers[0] if isinstance(told.text, str) else answers)


def _found(findings: list[Finding], wanted: frozenset[str], why: bool) -> list[Recognized]:
    """As Presidio orders them: the surest first."""
    ordered = sorted(findings, key=lambda one: (-one.score, one.start, -one.end))
    return [
        Recognized(
            analysis_explanation=_explained(one) if why else None,
            end=one.end,
            entity_type=entities.entity(one, wanted),
            score=one.score,
            start=one.start,
        )
        for one in ordered
    ]


def _explained(one: Finding) -> Explanation:
    name, _, rule = one.detector.partition(":")
    said = f"Detected by `{name}`" + (f" using pattern `{rule}`" if rule else "")
    return Explanation(name, rule or None, None, one.score, one.score, said)


async def _anonymize(request: Request) -> Response:
    who, told = await _caller(request), _filled(await _read(request, Anonymize))
    chosen = operators(told.anonymizers, ANONYMIZERS)
    chosen.setdefault("DEFAULT", ("replace", ANONYMIZERS["replace"], {}))
    results = places(told.analyzer_results, scored=True)
    return await _replaced(request, Replace(who, told.text, results, chosen))


async def _deanonymize(request: Request) -> Response:
    who, told = await _caller(request), _filled(await _read(request, Deanonymize))
    chosen = operators(told.deanonymizers, DEANONYMIZERS)
    results = places(told.anonymizer_results or [], scored=False)
    return await _replaced(request, Replace(who, told.text, results, chosen, restores=True))


async def _replaced(request: Request, asked: Replace) -> Response:
    state = request.app.state.all
    with state.metrics.timed("presidio"):
        return shown(await state.desk.ask(REPLACE, asked, len(asked.text)))


async def _read(request: Request, kind: type[T]) -> T:
    """The body. A page in a browser cannot send JSON to another's address unasked."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != JSON:
        raise HTTPException(415, f"the Content-Type is not {JSON}")
    return await read(request, kind)


def _filled(told: T) -> T:
    """A request that says something."""
    if told == type(told)():
        raise UsageError("Invalid request json")
    return told


def _listed(names: Callable[[], Iterable[str]]) -> _Gate:
    async def answered(request: Request) -> Response:
        await _caller(request)
        return shown(list(names()))

    return _Gate(answered)


def _detectors() -> Iterable[str]:
    return policies.load("everything").detectors


async def _health(request: Request) -> Response:
    return PlainTextResponse(UP)
