"""`/v1/audit`: what the log says, and whether it is whole."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, structs
from starlette.requests import Request
from starlette.responses import Response

from scrubjay.access.people import Caller
from scrubjay.audit import query as log
from scrubjay.audit import verify
from scrubjay.audit.entry import Entry
from scrubjay.audit.tree import Head
from scrubjay.errors import AuditError, UsageError
from scrubjay.serve.asked import caller, query, shown
from scrubjay.serve.back import errand
from scrubjay.serve.call import Call, Content
from scrubjay.trust import LOG, SEEN, Trust

COUNT, MOST = 100, 10_000  # entries that are told: where nobody says, and at most
LOOKED = 50_000  # entries that one request looks at: a rare one may lie years back
OLDER = "Scrubjay-Older"
AT_ONCE = 4096  # entries that are read together, from the end
AGAIN = 60.0  # seconds in which a log that was read is not read again


def calls() -> list[Call]:
    """What there is."""
    return [
        Call("GET", "/v1/audit", _entries, "What the log says, the newest first.",
             gives=Content(list[Numbered]), query=Wanted,
             sends={OLDER: "Where there is more that may fit: `before` of the next request."}),
        Call("GET", "/v1/audit/state", _Checks().state, "Whether the log is whole.",
             gives=Content(LogState)),
        Call("GET", "/v1/audit/disclosures", _disclosures, "What was told of a subject, to whom.",
             gives=Content(list[Disclosed]), query=Subject),
    ]  # fmt: skip


When = Annotated[
    str,
    Meta(extra_json_schema={"anyOf": [{"format": "date-time"}, {"format": "date"}, {"const": ""}]}),
]


class Wanted(Struct, frozen=True):
    """Which entries, and how many at most. `before`: of those with a lower number."""

    action: str = ""
    who: str = ""
    subject: str = ""
    since: When = ""
    until: When = ""
    count: Annotated[int, Meta(ge=1, le=MOST)] = COUNT
    before: Annotated[int, Meta(ge=0, le=1 << 62)] = 0


class Subject(Struct, frozen=True):
    """Whose disclosures: a code."""

    subject: Annotated[str, Meta(min_length=1)]


class Numbered(Entry, frozen=True, kw_only=True):
    """An entry with its number."""

    number: int


class Disclosed(Struct, frozen=True):
    """A line of an accounting of disclosures."""

    date: str
    recipient: str
    description: str
    purpose: str
    entry: int


class LogState(Struct, frozen=True):
    """How far the log has come, and what was found when all of it was read, at this time."""

    size: int
    root: str
    whole: bool
    checked: int
    problem: str = ""


async def _entries(request: Request) -> Response:
    """The newest first. What was not looked at is told, so that nobody takes it for all."""
    who, told = await caller(request), query(request, Wanted)
    since, until = _time(told.since), _time(told.until)
    named = {"action": told.action, "who": told.who, "subject": told.subject}
    wanted = {name: value for name, value in named.items() if value}

    def read(trust: Trust) -> tuple[list[Numbered], int]:
        _note(trust, who)
        size = trust.head.size
        end = min(told.before or size, size)
        begin = max(0, end - LOOKED)
        found = log.select(_backwards(trust, begin, end), since, until, **wanted)
        rows = [Numbered(number=number, **structs.asdict(entry))
                for number, entry in islice(found, told.count)]  # fmt: skip
        return rows, rows[-1].number if len(rows) == told.count else begin

    rows, older = await errand(request, read)
    answer = shown(rows)
    if older:
        answer.headers[OLDER] = str(older)
    return answer


async def _disclosures(request: Request) -> Response:
    who, told = await caller(request), query(request, Subject)

    def read(trust: Trust) -> list[Disclosed]:
        _note(trust, who)
        found = log.disclosures(trust.entries(), told.subject, datetime.now(UTC))
        return [Disclosed(*one) for one in found]

    return shown(await errand(request, read))


def _note(trust: Trust, who: Caller) -> None:
    """That somebody reads it is logged first."""
    trust.require_of(who, "audit.query")
    trust.tell_of(who, "audit.query", "audit", [Entry("", "", "", "done")])


def _backwards(trust: Trust, begin: int, end: int) -> Iterator[log.Item]:
    while end > begin:
        start = max(begin, end - AT_ONCE)
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
