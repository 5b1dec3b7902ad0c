"""Where each of many regexes matches, in one linear pass: `scan(data)` gives leftmost-longest,
non-overlapping byte spans per pattern, as RE2's own `finditer` would, whichever engine runs.

Hyperscan looks for a trigger of each pattern: its leading words ("passport no"), all of it, or its
end. Where that does not settle the match, RE2 decides inside a stretch of text that no match can
leave. So both engines agree by construction (docs/adr/0002-two-engines-one-answer.md).
"""

from __future__ import annotations

import contextlib
import hashlib
import platform
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from operator import itemgetter
from typing import Any

from scrubjay.detectors.built import built
from scrubjay.detectors.linear import ANYWHERE, START, Span, every, matcher, value
from scrubjay.detectors.triggers import KINDS, Expression, Trigger, has_value, trigger
from scrubjay.errors import CatalogueError, DetectorError

Hit = tuple[int, int, int]  # a number, start, end: byte offsets
Scan = Callable[[bytes], list[Hit]]


def scanner(expressions: Sequence[Expression]) -> Scan:
    """The fastest engine that this machine has."""
    try:
        import hyperscan  # noqa: F401
    except ImportError:
        return re2_scanner(expressions)
    return hyperscan_scanner(expressions)


def engine_name() -> str:
    """Which engine `scanner` takes here."""
    try:
        return f"Hyperscan {version('hyperscan')}"
    except PackageNotFoundError:
        return "RE2"


def re2_scanner(expressions: Sequence[Expression]) -> Scan:
    """Each pattern in turn: slower, linear, available everywhere."""
    matchers = [matcher(expression.regex, expression.ignore_case) for expression in expressions]

    def scan(data: bytes) -> list[Hit]:
        return [
            (index, *value(spans))
            for index, match in enumerate(matchers)
            for spans in every(match, data, 0, len(data))
        ]

    return scan


def hyperscan_scanner(expressions: Sequence[Expression]) -> Scan:
    """All patterns at once, in an automaton for each kind of trigger."""
    ways = plan(expressions)
    automata = [database(ways, kind) for kind in KINDS if any(w.kind == kind for w in ways)]
    readers = [(_READERS[way.kind], way.breaks) for way in ways]
    members = [[(i, expressions[i]) for i in indexes] for indexes in ways.values()]
    local = threading.local()  # scratch space belongs to one thread

    def scan(data: bytes) -> list[Hit]:
        hits: list[Hit] = []
        append = hits.append

        def on_match(number: int, start: int, end: int, flags: int, context: object) -> None:
            append((number, start, end))

        if not hasattr(local, "scratches"):
            local.scratches = [automaton.scratch.clone() for automaton in automata]
        try:
            for automaton, scratch in zip(automata, local.scratches, strict=True):
                automaton.scan(data, match_event_handler=on_match, scratch=scratch)
        except _hyperscan_error() as problem:
            raise DetectorError(f"the pattern scan stopped: {problem}") from None
        hits.sort()
        found: list[Hit] = []
        for number, group in groupby(hits, key=itemgetter(0)):
            read, breaks = readers[number]
            places = list(group)
            for index, expression in members[number]:
                for start, end in read(data, places, expression, breaks):
                    found.append((index, start, end))
        return found

    return scan


def plan(expressions: Sequence[Expression]) -> dict[Trigger, list[int]]:
    """The triggers, each once, with the expressions that they stand for."""
    ways: dict[Trigger, list[int]] = {}
    for index, expression in enumerate(expressions):
        ways.setdefault(trigger(expression), []).append(index)
    return ways


def _regions(
    data: bytes, hits: list[Hit], expression: Expression, breaks: tuple[bytes, ...], wide: bool
) -> Iterator[Span]:
    """Matches that touch form a region; where not all start alike, RE2 decides inside it."""
    _, start, end = hits[0]
    mixed = wide
    for _, hit_start, hit_end in [*hits[1:], (0, 1 << 62, 0)]:
        if hit_start < end:
            mixed = mixed or hit_start != start
            end = max(end, hit_end)
            continue
        if mixed or has_value(expression.regex):
            match = matcher(expression.regex, expression.ignore_case)
            yield from map(value, every(match, data, start, end))
        else:
            yield start, end
        start, end, mixed = hit_start, hit_end, wide


def _exact(
    data: bytes, hits: list[Hit], expression: Expression, breaks: tuple[bytes, ...]
) -> Iterator[Span]:
    return _regions(data, hits, expression, breaks, wide=False)


def _wide(
    data: bytes, hits: list[Hit], expression: Expression, breaks: tuple[bytes, ...]
) -> Iterator[Span]:
    return _regions(data, hits, expression, breaks, wide=True)


def _late(
    data: bytes, hits: list[Hit], expression: Expression, breaks: tuple[bytes, ...]
) -> Iterator[Span]:
    """Only ends are known. A match cannot hold a break, so it lies between the last break before
    its end and its end: RE2 looks there, once for all ends that no break parts."""
    match = matcher(expression.regex, expression.ignore_case)
    start = end = 0
    for _, _, hit_end in hits:
        begin = max([data.rfind(b, end, hit_end) for b in breaks]) + 1
        if begin and end:
            yield from map(value, every(match, data, start, end))
        start, end = begin or start, hit_end
    yield from map(value, every(match, data, start, end))


def _head(
    data: bytes, hits: list[Hit], expression: Expression, breaks: tuple[bytes, ...]
) -> Iterator[Span]:
    """Every match begins with a head: RE2 looks at each place where one begins."""
    match = matcher(expression.regex, expression.ignore_case)
    last = 0
    tried = -1
    for _, start, head_end in hits:
        if start < last < head_end:  # a head that an earlier match has eaten into
            start = max(start, match(ANYWHERE, data, last, head_end)[0][0])
        if start < last or start == tried:
            continue
        tried = start
        spans = match(START, data, start, len(data))
        if spans[0][1] > start:
            last = spans[0][1]
            yield value(spans)


_READERS = {"head": _head, "exact": _exact, "wide": _wide, "late": _late}


def _hyperscan_error() -> type[Exception]:
    import hyperscan

    return hyperscan.HyperscanError  # type: ignore[no-any-return,unused-ignore]


def database(ways: Iterable[Trigger], kind: str) -> Any:
    """The compiled automaton for one kind of trigger, ready to scan."""
    rows = [(number, way) for number, way in enumerate(ways) if way.kind == kind]
    return built(database_name(rows), lambda: _serialized(compile_database(rows)), _loaded)


def databases(expressions: Sequence[Expression]) -> list[Any]:
    """All automata for these expressions."""
    ways = plan(expressions)
    return [database(ways, kind) for kind in KINDS if any(way.kind == kind for way in ways)]


def _serialized(compiled: Any) -> bytes:
    import hyperscan

    return bytes(hyperscan.dumpb(compiled))


def _loaded(data: bytes) -> Any:
    """None for bytes that another CPU made or that were cut short."""
    import hyperscan

    try:
        loaded = hyperscan.loadb(data, mode=hyperscan.HS_MODE_BLOCK)
        loaded.scratch = hyperscan.Scratch(loaded)
    except hyperscan.HyperscanError:
        return None
    return loaded


Row = tuple[int, Trigger]  # the number that hits carry


def compile_database(rows: Sequence[Row]) -> Any:
    """Build an automaton. A regex that Hyperscan cannot take is named."""
    try:
        return _compiled(rows)
    except _hyperscan_error() as problem:
        for row in rows:
            try:
                _compiled([row])
            except _hyperscan_error() as why:
                raise CatalogueError(f"regex {row[1].regex!r}: {why}") from None
        raise CatalogueError(f"the patterns cannot be compiled together: {problem}") from None


def _compiled(rows: Sequence[Row]) -> Any:
    import hyperscan

    automaton = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    automaton.compile(
        expressions=[way.regex.encode("ascii") for _, way in rows],
        ids=[number for number, _ in rows],
        flags=[
            (hyperscan.HS_FLAG_CASELESS if way.ignore_case else 0)
            | (0 if way.kind == "late" else hyperscan.HS_FLAG_SOM_LEFTMOST)
            for _, way in rows
        ],
    )
    return automaton


def verify(expression: Expression) -> None:
    """Raise unless both engines take this regex."""
    expression.compile()
    with contextlib.suppress(ImportError):
        compile_database([(0, trigger(expression))])


def database_name(rows: Sequence[Row]) -> str:
    """Names a compiled automaton by its triggers, the engine and the kind of machine."""
    machine = f"{version('hyperscan')} {platform.machine()} {platform.system()}"
    told = "\n".join([machine, *(f"{n} {w.kind} {w.ignore_case:d}{w.regex}" for n, w in rows)])
    return f"{hashlib.sha256(told.encode()).hexdigest()[:32]}.hsdb"
