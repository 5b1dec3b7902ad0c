"""Where each of many regexes matches, in one linear pass: `scan(data)` gives leftmost-longest,
non-overlapping byte spans per pattern, as RE2's own `finditer` would, whichever engine runs.
`data` may hold many texts with a BORDER between: each is matched as if it stood alone.

Hyperscan looks for a trigger of each pattern: its leading words ("passport no"), all of it, or its
end. Where that does not settle the match, RE2 decides inside a stretch of text that no match can
leave. So both engines agree by construction (docs/adr/0002-two-engines-one-answer.md).
"""

from __future__ import annotations

import contextlib
import hashlib
import platform
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import accumulate
from pathlib import Path
from typing import Any

import msgspec

from scrubjay.detectors import triggers
from scrubjay.detectors.built import built
from scrubjay.detectors.linear import ANYWHERE, START, Matcher, Span, every, matcher, value
from scrubjay.detectors.triggers import KINDS, Expression, Trigger
from scrubjay.errors import CatalogueError, DetectorError

BORDER = b"\xff"  # between texts: not in any UTF-8, so no match crosses it
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
        texts = data.split(BORDER)
        starts = [0, *accumulate(len(text) + 1 for text in texts)]
        return [
            (index, start + begin, start + end)
            for index, match in enumerate(matchers)
            for start, text in zip(starts, texts, strict=False)
            for begin, end in map(value, every(match, text, 0, len(text)))
        ]

    return scan


def hyperscan_scanner(expressions: Sequence[Expression]) -> Scan:
    """All patterns at once, in an automaton for each kind of trigger."""
    ways = plan(expressions)
    automata = databases(expressions)
    rows = [(number, width) for number, way in enumerate(ways) for width, _ in way.regexes]
    readers: list[list[tuple[int, Reader]]] = [[] for _ in ways]
    local = threading.local()  # scratch space belongs to one thread

    def arm(number: int) -> list[tuple[int, Reader]]:
        way = ways[number]
        readers[number] = [(index, _reader(way, expressions[index])) for index in way.members]
        return readers[number]

    def scan(data: bytes) -> list[Hit]:
        places: dict[int, list[int]] = defaultdict(list)

        def on_match(row: int, start: int, end: int, flags: int, context: object) -> None:
            number, width = rows[row]
            places[number].append(end - width)

        if not hasattr(local, "scratches"):
            local.scratches = [automaton.scratch.clone() for automaton in automata]
        lines = data.replace(BORDER, b"\n")  # what begins or ends a text begins or ends a line
        try:
            for automaton, scratch in zip(automata, local.scratches, strict=True):
                automaton.scan(lines, match_event_handler=on_match, scratch=scratch)
        except _hyperscan_error() as problem:
            raise DetectorError(f"the pattern scan stopped: {problem}") from None
        return [
            (index, start, end)
            for number, where in sorted(places.items())
            for index, read in readers[number] or arm(number)
            for start, end in read(data, where)
        ]

    return scan


def plan(expressions: Sequence[Expression]) -> list[Trigger]:
    """The triggers, each once, with the expressions that they stand for."""
    told = [msgspec.json.encode(expressions), *(path.read_bytes() for path in _PLANNERS)]
    name = f"{hashlib.sha256(b''.join(told)).hexdigest()[:32]}.plan.json"
    return built(name, lambda: msgspec.json.encode(triggers.plan(expressions)), _planned)


_FOLDER = Path(__file__).parent
_PLANNERS = [_FOLDER / n for n in ("triggers.py", "beginnings.py", "bytewise.py", "prose.txt")]


def _planned(data: bytes) -> list[Trigger] | None:
    try:
        return msgspec.json.decode(data, type=list[Trigger])
    except msgspec.MsgspecError:
        return None


Reader = Callable[[bytes, list[int]], list[Span]]


def _reader(way: Trigger, expression: Expression) -> Reader:
    match = matcher(expression.regex, expression.ignore_case)
    breaks = [BORDER, *(char.encode() for char in way.breaks)]
    read = _head(match) if way.kind == "head" else _late(match, breaks, way.reach)
    return _alone(read) if way.anchored else read


def _alone(read: Reader) -> Reader:
    """For a regex that knows where its text ends: each text that has hits by itself."""

    def read_each(data: bytes, places: list[int]) -> list[Span]:
        return [
            (start + begin, start + end)
            for start, stop, where in _by_text(data, places)
            for begin, end in read(data[start:stop], where)
        ]

    return read_each


def _by_text(data: bytes, places: list[int]) -> Iterator[tuple[int, int, list[int]]]:
    """Where each text with hits begins and ends, and the hits as places in it."""
    where: list[int] = []
    start, end = 0, -1
    for place in sorted(places):
        if place > end:
            if where:
                yield start, end, where
            start = data.rfind(BORDER, max(end, 0), place) + 1
            end = data.find(BORDER, place)
            end = len(data) if end < 0 else end
            where = []
        where.append(place - start)
    yield start, end, where


def _head(match: Matcher) -> Reader:
    """Every match starts where one of the heads does: RE2 looks there."""

    def read(data: bytes, starts: list[int]) -> list[Span]:
        found: list[Span] = []
        last = 0
        size = len(data)
        for start in starts if len(starts) == 1 else sorted(set(starts)):
            if start < last:
                continue
            spans = match(START, data, start, size)
            if spans[0][1] > start:
                last = spans[0][1]
                found.append(value(spans))
        return found

    return read


def _late(match: Matcher, breaks: list[bytes], reach: int) -> Reader:
    """A hit ends somewhere in a match. A match cannot hold a break nor be longer than `reach`: RE2
    looks at what these leave, once where such stretches touch; else at all of the text."""

    def read(data: bytes, ends: list[int]) -> list[Span]:
        found: list[Span] = []
        done = 0
        for start, last, limit in _stretches(data, sorted(ends), breaks, reach or len(data)):
            start = max(start, done)
            while start < last:  # matches that begin before the last hit
                spans = match(ANYWHERE, data, start, limit)
                begin, end = spans[0]
                if not start <= begin < last:
                    break
                if end > begin:
                    found.append(value(spans))
                start = done = max(end, begin + 1)
        return found

    return read


def _stretches(
    data: bytes, ends: list[int], breaks: list[bytes], reach: int
) -> Iterator[tuple[int, int, int]]:
    """Where the matches of some hits may begin at the earliest, the last of these hits, and where
    the matches may end at the latest."""
    size = len(data)
    coming = dict.fromkeys(breaks, -1)  # where each stands next: asked for anew when passed
    start = last = 0
    for end in (*ends, size + reach + 1):  # one more, so that the last stretch ends, too
        begin = end - reach if end - reach > last else last
        for char in breaks:
            begin = data.rfind(char, begin, end) + 1 or begin
        if begin > last:
            limit = min(last + reach, size)
            for char, place in coming.items():
                if place < last:
                    place = data.find(char, last) % (size + 1)  # the end, if nowhere
                    coming[char] = place
                if place < limit:
                    limit = place
            yield start, last, limit
            start = begin
        last = end


def _hyperscan_error() -> type[Exception]:
    import hyperscan

    return hyperscan.HyperscanError  # type: ignore[no-any-return,unused-ignore]


def database(ways: Sequence[Trigger], kind: str) -> Any:
    """The compiled automaton for one kind of trigger, ready to scan."""
    regexes = [(way, regex) for way in ways for _, regex in way.regexes]
    rows = [
        (number, regex, way.ignore_case)
        for number, (way, regex) in enumerate(regexes)
        if way.kind == kind
    ]
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


Row = tuple[int, str, bool]  # the number that hits carry, a regex, whether case is ignored


def compile_database(rows: Sequence[Row]) -> Any:
    """Build an automaton. A regex that Hyperscan cannot take is named."""
    try:
        return _compiled(rows)
    except _hyperscan_error() as problem:
        for row in rows:
            try:
                _compiled([row])
            except _hyperscan_error() as why:
                raise CatalogueError(f"regex {row[1]!r}: {why}") from None
        raise CatalogueError(f"the patterns cannot be compiled together: {problem}") from None


def _compiled(rows: Sequence[Row]) -> Any:
    import hyperscan

    automaton = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    automaton.compile(
        expressions=[regex.encode("ascii") for _, regex, _ in rows],
        ids=[number for number, _, _ in rows],
        flags=[hyperscan.HS_FLAG_CASELESS if ignore_case else 0 for _, _, ignore_case in rows],
    )
    return automaton


def verify(expression: Expression) -> None:
    """Raise unless both engines take this regex."""
    expression.compile()
    with contextlib.suppress(ImportError):
        way = triggers.trigger(expression)
        compile_database([(0, regex, way.ignore_case) for _, regex in way.regexes])


def database_name(rows: Sequence[Row]) -> str:
    """Names a compiled automaton by its triggers, the engine and the kind of machine."""
    machine = f"{version('hyperscan')} {platform.machine()} {platform.system()}"
    told = "\n".join([machine, *(f"{number} {case:d}{regex}" for number, regex, case in rows)])
    return f"{hashlib.sha256(told.encode()).hexdigest()[:32]}.hsdb"
