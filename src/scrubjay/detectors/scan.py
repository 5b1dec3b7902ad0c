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
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

import re2
from msgspec import Struct

from scrubjay.detectors.built import built
from scrubjay.detectors.bytewise import bounded, bytewise, crosses
from scrubjay.errors import CatalogueError, DetectorError

Hit = tuple[int, int, int]  # pattern index, start, end: byte offsets
Span = tuple[int, int]


class Expression(Struct, frozen=True):
    """A regex in the syntax that Hyperscan and RE2 share: no look-around, no back-reference."""

    regex: str
    ignore_case: bool = True

    @property
    def compiled(self) -> Any:
        """The RE2 pattern, built when first needed."""
        return _re2(self.regex, self.ignore_case)


class Trigger(Struct, frozen=True):
    """What Hyperscan looks for in place of an expression, and how its hits are read.

    head   every match begins with it; RE2 reads on from each head
    exact  the expression to the letter, with its starts
    wide   somewhat more than the expression, with its starts; RE2 decides in each region
    late   ends only, which is far cheaper; RE2 decides in the line (or word) that the match, which
           holds no `breaks`, cannot leave
    """

    regex: str
    kind: str
    breaks: bytes = b""


def trigger(expression: Expression) -> Trigger:
    """`\\b(?:visa|pass)` for `\\b(?:visa|pass)[ :]*([A-Z0-9]+)`: words alone keep the automaton
    small, since words times values would multiply."""
    head = _head(expression.regex)
    regex, exact = bytewise(head or expression.regex, expression.ignore_case)
    if head:
        return Trigger(regex, "head")
    if exact and bounded(expression.regex):
        return Trigger(regex, "exact")
    breaks = b"".join(c.encode() for c in "\n " if not crosses(expression.regex, c))
    if b"\n" in breaks:
        return Trigger(regex, "late", breaks)
    return Trigger(regex, "exact" if exact else "wide")


_ATOM = re.compile(
    r"\\x\{[0-9A-Fa-f]+\}|\\[pP]\{[^}]*\}|\[\^?\]?(?:\\.|[^\]\\])*\]|\\.|\(\?[a-z:]*|[()]|.",
    re.DOTALL,
)


def _head(regex: str) -> str:
    """The beginning of a regex up to the end of its first group, if all that is words."""
    depth = 0
    for atom in _ATOM.finditer(regex):
        depth += atom[0].startswith("(")
        depth -= atom[0] == ")"
        if depth == 0 and atom[0] == ")":
            head, rest = regex[: atom.end()], regex[atom.end() :]
            if head not in _BORDERS:
                return head if _wordy(head) and len(rest) > 8 and rest[0] not in "?*+{|" else ""
    return ""


_BORDERS = {r"(?:\b|_)", r"(?:^|\s)"}
_INNERMOST = re.compile(r"\(\?[a-z]*:([^()]*)\)")
# words that would stop the scan at every line
_COMMON = frozenset(
    (
        "in",
        "on",
        "by",
        "of",
        "at",
        "to",
        "is",
        "it",
        "the",
        "and",
        "for",
        "from",
        "with",
        "be",
        "or",
        "as",
        "was",
        "has",
        "had",
        "before",
        "after",
        "during",
        "last",
        "since",
        "until",
        "year",
        "due",
        "are",
        "not",
        "this",
        "that",
        "en",
        "de",
        "da",
        "em",
        "le",
        "la",
        "el",
        "di",
        "du",
        "der",
        "die",
        "im",
    )
)
_LETTERS = re.compile(r"[^\W\d_].*[^\W\d_]|\\x\{")


def _wordy(head: str) -> bool:
    """Whether each alternative of the group that a head ends with has letters of its own."""
    atoms = (atom[0] for atom in _ATOM.finditer(head))
    plain = "".join(" " if a[0] in "[\\" and a[:3] != r"\x{" and len(a) > 1 else a for a in atoms)
    body = plain[plain.find("(?") + 1 : -1].partition(":")[2]
    while (simpler := _INNERMOST.sub(lambda group: group[1].replace("|", " "), body)) != body:
        body = simpler
    if "(" in body:  # a plain group is a value
        return False
    alternatives = body.split("|")
    rare = _COMMON.isdisjoint(alternative.strip().lower() for alternative in alternatives)
    return rare and all(_LETTERS.search(alternative) for alternative in alternatives)


@cache
def _re2(regex: str, ignore_case: bool) -> Any:
    options = re2.Options()
    options.longest_match = True
    options.case_sensitive = not ignore_case
    options.log_errors = False
    options.max_mem = 64 << 20
    try:
        return re2.compile(regex, options)
    except re2.error as problem:
        raise CatalogueError(f"regex {regex!r}: {problem}") from None


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


Scan = Callable[[bytes], list[Hit]]


def re2_scanner(expressions: Sequence[Expression]) -> Scan:
    """Each pattern in turn: slower, linear, available everywhere."""

    def scan(data: bytes) -> list[Hit]:
        return [
            (index, start, end)
            for index, expression in enumerate(expressions)
            for start, end in _spans(expression.compiled.finditer(data))
        ]

    return scan


def hyperscan_scanner(expressions: Sequence[Expression]) -> Scan:
    """All patterns at once, in an automaton for each kind of trigger."""
    triggers = [trigger(expression) for expression in expressions]
    automata = databases(triggers, expressions)
    local = threading.local()  # scratch space belongs to one thread

    def scan(data: bytes) -> list[Hit]:
        hits: list[Hit] = []
        append = hits.append

        def on_match(index: int, start: int, end: int, flags: int, context: object) -> None:
            append((index, start, end))

        if not hasattr(local, "scratches"):
            local.scratches = [automaton.scratch.clone() for automaton in automata]
        try:
            for automaton, scratch in zip(automata, local.scratches, strict=True):
                automaton.scan(data, match_event_handler=on_match, scratch=scratch)
        except _hyperscan_error() as problem:
            raise DetectorError(f"the pattern scan stopped: {problem}") from None
        return _settle(data, hits, expressions, triggers)

    return scan


def _settle(
    data: bytes, hits: list[Hit], expressions: Sequence[Expression], triggers: Sequence[Trigger]
) -> list[Hit]:
    """Leftmost-longest matches out of all matches."""
    hits.sort()
    settled: list[Hit] = []
    for index, group in groupby(hits, key=itemgetter(0)):
        way = triggers[index]
        compiled = expressions[index].compiled if way.kind != "exact" else expressions[index]
        if way.kind == "head":
            spans = _after_heads(data, group, compiled)
        elif way.kind == "late":
            spans = _in_stretches(data, group, compiled, way.breaks)
        else:
            spans = _in_regions(data, group, expressions[index], way.kind == "wide")
        settled += [(index, start, end) for start, end in spans]
    return settled


def _in_regions(
    data: bytes, hits: Iterable[Hit], expression: Expression, wide: bool
) -> Iterator[Span]:
    """Matches that touch form a region; where not all start alike, RE2 decides inside it."""
    start = end = -1
    mixed = wide
    for _, hit_start, hit_end in chain(hits, ((0, 1 << 62, 0),)):
        if hit_start < end:
            mixed = mixed or hit_start != start
            end = max(end, hit_end)
            continue
        if mixed:
            yield from _spans(expression.compiled.finditer(data, start, end))
        elif end >= 0:
            yield start, end
        start, end, mixed = hit_start, hit_end, wide


def _in_stretches(data: bytes, hits: Iterable[Hit], compiled: Any, breaks: bytes) -> Iterator[Span]:
    """Only ends are known. A match cannot hold a break, so it lies between the last break before
    its end and its end: RE2 looks there, once for all ends that no break parts."""
    start = end = 0
    for _, _, hit_end in hits:
        begin = max(data.rfind(b, end, hit_end) for b in _each(breaks)) + 1
        if begin and end:
            yield from _spans(compiled.finditer(data, start, end))
        start, end = begin or start, hit_end
    yield from _spans(compiled.finditer(data, start, end))


@cache
def _each(breaks: bytes) -> tuple[bytes, ...]:
    return tuple(bytes([byte]) for byte in breaks)


def _after_heads(data: bytes, hits: Iterable[Hit], compiled: Any) -> Iterator[Span]:
    """Every match begins with a head: RE2 looks at each place where one begins."""
    last = 0
    tried = -1
    for _, start, head_end in hits:
        if start < last < head_end:  # a head that an earlier match has eaten into
            match = compiled.search(data, last, head_end)
            start = match.start() if match else start
        if start < last or start == tried:
            continue
        tried = start
        match = compiled.match(data, start)
        if match and match.end() > start:
            last = match.end()
            yield start, last


def _spans(matches: Iterable[Any]) -> Iterator[Span]:
    return (match.span() for match in matches if match.end() > match.start())


def _hyperscan_error() -> type[Exception]:
    import hyperscan

    return hyperscan.HyperscanError  # type: ignore[no-any-return,unused-ignore]


def databases(triggers: Sequence[Trigger], expressions: Sequence[Expression]) -> list[Any]:
    """The compiled automata, ready to scan."""
    rows = [
        Row(i, t, e.ignore_case) for i, (t, e) in enumerate(zip(triggers, expressions, strict=True))
    ]
    kinds = ([row for row in rows if row.trigger.kind == kind] for kind in KINDS)
    return [_database(kind) for kind in kinds if kind]


KINDS = ("head", "exact", "wide", "late")


class Row(Struct, frozen=True):
    """A trigger with the number that its hits carry."""

    index: int
    trigger: Trigger
    ignore_case: bool


def _database(rows: Sequence[Row]) -> Any:
    return built(database_name(rows), lambda: _serialized(compile_database(rows)), _loaded)


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


def compile_database(rows: Sequence[Row]) -> Any:
    """Build an automaton. A regex that Hyperscan cannot take is named."""
    try:
        return _compiled(rows)
    except _hyperscan_error() as problem:
        for row in rows:
            try:
                _compiled([row])
            except _hyperscan_error() as why:
                raise CatalogueError(f"regex {row.trigger.regex!r}: {why}") from None
        raise CatalogueError(f"the patterns cannot be compiled together: {problem}") from None


def _compiled(rows: Sequence[Row]) -> Any:
    import hyperscan

    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[row.trigger.regex.encode("ascii") for row in rows],
        ids=[row.index for row in rows],
        flags=[
            (hyperscan.HS_FLAG_CASELESS if row.ignore_case else 0)
            | (0 if row.trigger.kind == "late" else hyperscan.HS_FLAG_SOM_LEFTMOST)
            for row in rows
        ],
    )
    return database


def verify(expression: Expression) -> None:
    """Raise unless both engines take this regex."""
    expression.compiled  # noqa: B018 - built for its error
    with contextlib.suppress(ImportError):
        compile_database([Row(0, trigger(expression), expression.ignore_case)])


def database_name(rows: Sequence[Row]) -> str:
    """Names a compiled automaton by its triggers, the engine and the kind of machine."""
    machine = f"{version('hyperscan')} {platform.machine()} {platform.system()}"
    told = "\n".join(
        [machine, *(f"{r.index} {r.trigger.kind} {r.ignore_case:d}{r.trigger.regex}" for r in rows)]
    )
    return f"{hashlib.sha256(told.encode()).hexdigest()[:32]}.hsdb"
