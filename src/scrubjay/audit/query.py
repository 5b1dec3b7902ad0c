"""What the log answers: who did what to whom, what was disclosed, what may go, what is to be
reviewed. All but `read` are pure functions of entries and a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from scrubjay.audit import note, tiles
from scrubjay.audit.disk import FILES, Disk
from scrubjay.audit.entry import Entry, unbox
from scrubjay.audit.secrets import EntryKeys
from scrubjay.audit.tiles import Tiles
from scrubjay.audit.tree import WIDTH
from scrubjay.errors import AuditError, UsageError

DISCLOSE = "disclose"  # the action that 45 CFR 164.528 has accounted for
REVIEW = "review-log"  # the action of having examined the log: 45 CFR 164.308(a)(1)(ii)(D)
EMERGENCY = "breakglass.start"
LEAP = 86_400_000  # milliseconds that no honest clock goes back
YEARS = 6  # 45 CFR 164.316(b)(2)(i) and 164.528(a)(1)


class Item(NamedTuple):
    """An entry in its place; none where it was forgotten."""

    number: int
    entry: Entry | None


def read(
    folder: Path, trusted: note.Verifier, keys: EntryKeys, *, disk: Disk = FILES, start: int = 0
) -> Iterator[Item]:
    """Entries in order, from a number on. `verify` says whether they are all; a changed one is an
    `AuditError` here too."""
    try:
        data = disk.read(folder / tiles.CHECKPOINT)
    except OSError as problem:
        raise AuditError(f"{folder}: {tiles.CHECKPOINT}: {problem.strerror}") from None
    head = note.opened(data, trusted)[1]
    there = Tiles(disk, folder, head.size)
    for index in range(start // WIDTH, -(-head.size // WIDTH)):
        leaves = there.leaves(index)
        for at, (leaf, key) in enumerate(zip(leaves, keys.block(index), strict=False)):
            number = index * WIDTH + at
            if number >= start:
                yield Item(number, unbox(leaf, trusted.name, number, key) if key else None)


def stamp(when: datetime) -> int:
    """A time as entries have it."""
    if when.tzinfo is None:
        raise UsageError("a time needs its zone: 2026-11-21T10:00:00+00:00")
    return round(when.timestamp() * 1000)


def select(
    items: Iterable[Item],
    since: datetime | None = None,
    until: datetime | None = None,
    **wanted: str,
) -> Iterator[tuple[int, Entry]]:
    """Entries of a time, half-open, whose fields are these: `who=`, `subject=`, `action=` ..."""
    if unknown := wanted.keys() - set(Entry.__struct_fields__):
        known = ", ".join(Entry.__struct_fields__)
        raise UsageError(f"entries have no field {', '.join(sorted(unknown))}; known: {known}")
    least = stamp(since) if since else 0
    most = stamp(until) if until else None
    for number, entry in items:
        if entry is None or entry.time < least or (most is not None and entry.time >= most):
            continue
        if all(getattr(entry, name) == value for name, value in wanted.items()):
            yield number, entry


def years_before(now: datetime, years: int) -> datetime:
    """The same day years ago; 28 February where there is none."""
    try:
        return now.replace(year=now.year - years)
    except ValueError:
        return now.replace(year=now.year - years, day=28)


class Disclosure(NamedTuple):
    """A line of an accounting of disclosures, 45 CFR 164.528(b)(2)."""

    date: str
    recipient: str
    description: str
    purpose: str
    entry: int


def disclosures(items: Iterable[Item], subject: str, now: datetime) -> list[Disclosure]:
    """What was given to whom about a subject in the six years before."""
    since = years_before(now, YEARS)
    found = select(items, since, None, subject=subject, action=DISCLOSE, outcome="done")
    return [
        Disclosure(date(entry), entry.recipient, entry.about, entry.reason, number)
        for number, entry in found
    ]


def date(entry: Entry) -> str:
    """The entry's time as ISO 8601, in UTC."""
    return _utc(entry.time).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _utc(time: int) -> datetime:
    return datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(milliseconds=time)


# FHIR

OUTCOMES = {"done": "0", "refused": "4", "failed": "8"}  # 4: minor, 8: serious failure
ACTIONS = dict.fromkeys(("restore", "reveal", DISCLOSE, REVIEW, "audit.query", "audit.export"), "R")
ACTIONS |= {"erase": "D", "audit.forget": "D"}


def fhir(number: int, entry: Entry, origin: str) -> dict[str, Any]:
    """An entry as a FHIR R4 AuditEvent. Codes and digests, as the entry has them."""
    types = "http://terminology.hl7.org/CodeSystem/audit-event-type"
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": f"{number}",
        "type": {"system": types, "code": "object"},
        "subtype": [{"system": f"urn:scrubjay:{origin}", "code": entry.action}],
        "action": ACTIONS.get(entry.action, "E"),
        "recorded": date(entry),
        "outcome": OUTCOMES.get(entry.outcome, "8"),
        "agent": [_agent(entry.who, entry.role, requestor=True)],
        "source": {"observer": {"display": origin}},
    }
    if entry.reason:
        event["purposeOfEvent"] = [{"text": entry.reason}]
    if entry.recipient:
        event["agent"].append(_agent(entry.recipient, "recipient", requestor=False))
    if what := list(_what(entry)):
        event["entity"] = what
    return event


def _agent(name: str, role: str, *, requestor: bool) -> dict[str, Any]:
    return {
        "who": {"identifier": {"value": name}},
        "role": [{"text": role}],
        "requestor": requestor,
    }


def _what(entry: Entry) -> Iterator[dict[str, Any]]:
    for name in ("subject", "input", "output", "policy", "model"):
        if value := getattr(entry, name):
            yield {"what": {"identifier": {"value": value}}, "name": name}
    if entry.counts:
        counts = [
            {"type": label, "valueString": f"{n}"} for label, n in sorted(entry.counts.items())
        ]
        yield {"name": "counts", "detail": counts}


# Duties


class Processing(NamedTuple):
    """A line of a register of processing, GDPR Art 30: one action for one purpose."""

    action: str
    purpose: str
    recipients: tuple[str, ...]
    labels: tuple[str, ...]  # the categories of data
    policies: tuple[str, ...]
    entries: int
    subjects: int
    first: str
    last: str


def register(items: Iterable[Item]) -> list[Processing]:
    """What the log knows of processing; what it cannot know, a controller's name, is not here."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for _, entry in select(items):
        groups.setdefault((entry.action, entry.reason), []).append(entry)
    return [_processing(*key, groups[key]) for key in sorted(groups)]


def _processing(action: str, purpose: str, entries: list[Entry]) -> Processing:
    def told(values: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted({value for value in values if value}))

    times = sorted(entries, key=lambda entry: entry.time)
    return Processing(
        action,
        purpose,
        told(entry.recipient for entry in entries),
        told(label for entry in entries for label in entry.counts),
        told(entry.policy for entry in entries),
        len(entries),
        len(told(entry.subject for entry in entries)),
        date(times[0]),
        date(times[-1]),
    )


def droppable(
    items: Iterable[Item], now: datetime, held: Collection[str] = (), years: int = YEARS
) -> list[int]:
    """Entries that may be forgotten: old enough, and of no subject under a legal hold. Six years
    are the least that HIPAA allows; more may be asked, fewer not."""
    if years < YEARS:
        raise UsageError(f"entries are kept {YEARS} years or more, not {years}")
    until = years_before(now, years)
    return [number for number, entry in select(items, None, until) if entry.subject not in held]


class Reminder(NamedTuple):
    """Something that somebody has to look at."""

    why: str
    entry: int | None


def reviews(
    items: Iterable[Item], now: datetime, every: timedelta = timedelta(days=30)
) -> list[Reminder]:
    """What is to be examined: the log itself when nobody did for so long, and each emergency
    access and each clock that was ahead, until a review names its number as its subject."""
    reviewed, emergencies, last, first = set[str](), list[int](), 0, stamp(now)
    kept = list(select(items))
    for number, entry in kept:
        first = min(first, entry.time)
        if entry.action == REVIEW and entry.outcome == "done":
            last = max(last, entry.time if not entry.subject else 0)
            reviewed.add(entry.subject)
        if entry.action == EMERGENCY and entry.outcome == "done":
            emergencies.append(number)
    due = {n: f"emergency access, entry {n}, was not reviewed" for n in emergencies}
    due |= {n: f"the clock was ahead at entry {n}, and went back" for n in _ahead(kept)}
    reminders = [Reminder(why, n) for n, why in due.items() if f"{n}" not in reviewed]
    if stamp(now) - (last or first) > every / timedelta(milliseconds=1):
        reminders.insert(0, Reminder(f"the log was not reviewed for {every.days} days", None))
    return reminders


def _ahead(kept: Iterable[tuple[int, Entry]]) -> Iterator[int]:
    """Entries of a time that had not come: a clock set ahead makes others old enough to go."""
    newest, at = 0, 0
    for number, entry in kept:
        if entry.time < newest - LEAP:
            yield at
            newest = 0
        if entry.time >= newest:
            newest, at = entry.time, number
