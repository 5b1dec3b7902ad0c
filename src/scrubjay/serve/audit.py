"""`/v1/audit`: what the log says, and whether it is whole."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, structs
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from scrubjay.access.people import Caller
from scrubjay.audit import query, verify
from scrubjay.audit.entry import Entry
from scrubjay.audit.tree import Head
from scrubjay.errors import AuditError, UsageError
from scrubjay.serve.asked import caller, shown
from scrubjay.serve.back import errand
from scrubjay.trust import LOG, SEEN, Trust

COUNT, MOST = 100, 10_000  # entries that are told: where nobody says, and at most
AT_ONCE = 4096  # entries that are read together, from the end
AGAIN = 60.0  # seconds in which a log that was read is not read again


def routes() -> list[BaseRoute]:
    """What there is."""
    return [
        Route("/v1/audit", _entries, methods=["GET"]),
        Route("/v1/audit/state", _Checks().state, methods=["GET"]),
        Route("/v1/audit/disclosures", _disclosures, methods=["GET"]),
    ]


class LogState(Struct, frozen=True):
    """How far the log has come, and what was found when all of it was read, at this time."""

    size: int
    root: str
    whole: bool
    checked: int
    problem: str = ""


async def _entries(request: Request) -> Response:
    """The newest first."""
    who, told = await caller(request), request.query_params
    since, until = (_time(told.get(name, "")) for name in ("since", "until"))
    count = told.get("count", f"{COUNT}")
    if not count.isdecimal() or not 0 < int(count) <= MOST:
        raise UsageError(f"count is a number from 1 to {MOST:,}")
    wanted = {name: told[name] for name in ("action", "who", "subject") if told.get(name)}

    def read(trust: Trust) -> list[dict[str, Any]]:
        _note(trust, who)
        found = query.select(_backwards(trust), since, until, **wanted)
        return [
            {"number": number, **msgspec.to_builtins(entry)}
            for number, entry in islice(found, int(count))
        ]

    return shown(await errand(request, read))


async def _disclosures(request: Request) -> Response:
    who, subject = await caller(request), request.query_params.get("subject", "")
    if not subject:
        raise UsageError("whose disclosures: ?subject=CODE")

    def read(trust: Trust) -> list[dict[str, Any]]:
        _note(trust, who)
        found = query.disclosures(trust.entries(), subject, datetime.now(UTC))
        return [one._asdict() for one in found]

    return shown(await errand(request, read))


def _note(trust: Trust, who: Caller) -> None:
    """That somebody reads it is logged first."""
    trust.require_of(who, "audit.query")
    trust.tell_of(who, "audit.query", "audit", [Entry("", "", "", "done")])


def _backwards(trust: Trust) -> Iterator[query.Item]:
    end = trust.head.size
    while end:
        start = max(0, end - AT_ONCE)
        yield from reversed(list(islice(trust.entries(start), end - start)))
        end = start


def _time(told: str) -> datetime | None:
    if not told:
        return None
    try:
        found = datetime.fromisoformat(told)
    except ValueError:
        raise UsageError("since and until are days or times: 2026-11-21T10:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class _Checks:
    """The log is read whole when somebody asks for its state, once a minute at most."""

    def __init__(self) -> None:
        self._last: LogState | None = None
        self._one = asyncio.Lock()

    async def state(self, request: Request) -> Response:
        """How far it has come, and whether it is what was written."""
        who, now = await caller(request), time.time()

        def ask(trust: Trust) -> tuple[verify.Trusted, Head, str]:
            trust.require_of(who, "audit.verify")
            trusted = verify.Trusted(trust.key)
            try:
                return trusted, trust.head, ""
            except AuditError as problem:
                return trusted, Head(0, b""), str(problem)

        trusted, head, problem = await errand(request, ask)
        if problem:
            return shown(LogState(0, "", whole=False, checked=int(now), problem=problem))
        home = request.app.state.all.back.place.home
        async with self._one:
            if not self._last or now > self._last.checked + AGAIN:
                found = await asyncio.to_thread(_checked, home, trusted)
                self._last = LogState(0, "", not found, int(now), found)
        return shown(structs.replace(self._last, size=head.size, root=head.root.hex()))


def _checked(home: Path, trusted: verify.Trusted) -> str:
    """What is wrong with a log, if anything."""
    try:
        found = verify.verify(home / LOG, trusted, verify.remembered(home / SEEN))
        verify.remember(home / SEEN, found.head)
    except AuditError as problem:
        return str(problem)
    return ""
