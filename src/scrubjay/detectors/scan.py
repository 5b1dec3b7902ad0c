"""Where each of many regexes matches, in one linear pass: `scan(data)` gives leftmost-longest,
non-overlapping byte spans per pattern, as RE2's own `finditer` would, whichever engine runs.

A regex of words and then a value ("passport no: ...") is scanned for by its words; RE2 reads on
from there. For the others Hyperscan reports every end of a match with its leftmost start. Matches
of one pattern that touch form a region; where all start alike, the region is the match. Elsewhere
RE2 decides inside the region, which holds every match that RE2 could find there. So both engines
agree by construction (docs/adr/0002-two-engines-one-answer.md).
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
from scrubjay.detectors.bytewise import bytewise
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
    """What Hyperscan looks for in place of an expression: every match begins with it (`head`), or
    it is the whole expression over bytes, to the letter (`exact`) or somewhat wider."""

    regex: str
    head: bool
    exact: bool


def trigger(expression: Expression) -> Trigger:
    """`\\b(?:visa|pass)` for `\\b(?:visa|pass)[ :]*([A-Z0-9]+)`: words alone keep the automaton
    small, since words times values would multiply."""
    head = _head(expression.regex)
    regex, exact = bytewise(head or expression.regex, expression.ignore_case)
    return Trigger(regex, bool(head), exact)


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
_LETTERS = re.compile(r"[^\W\d_]{2}|\\x\{")


def _wordy(head: str) -> bool:
    """Whether each alternative of the group that a head ends with has letters of its own."""
    atoms = (atom[0] for atom in _ATOM.finditer(head))
    plain = "".join(" " if a[0] in "[\\" and a[:3] != r"\x{" and len(a) > 1 else a for a in atoms)
    body = plain[plain.find("(?") + 1 : -1].partition(":")[2]
    while (simpler := _INNERMOST.sub(lambda group: group[1].replace("|", " "), body)) != body:
        body = simpler
    words_only = "(" not in body  # a plain group is a value
    return words_only and all(_LETTERS.search(alternative) for alternative in body.split("|"))


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
    """All patterns at once."""
    triggers = [trigger(expression) for expression in expressions]
    automaton = database(expressions)
    local = threading.local()  # scratch space belongs to one thread

    def scan(data: bytes) -> list[Hit]:
        hits: list[Hit] = []
        append = hits.append

        def on_match(index: int, start: int, end: int, flags: int, context: object) -> None:
            append((index, start, end))

        if not hasattr(local, "scratch"):
            local.scratch = automaton.scratch.clone()
        try:
            automaton.scan(data, match_event_handler=on_match, scratch=local.scratch)
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
        expression = expressions[index]
        if triggers[index].head:
            spans = _after_heads(data, group, expression)
        else:
            spans = _in_regions(data, group, expression, not triggers[index].exact)
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


def _after_heads(data: bytes, hits: Iterable[Hit], expression: Expression) -> Iterator[Span]:
    """Every match begins with a head: RE2 looks at each place where one begins."""
    last = 0
    tried = -1
    for _, start, head_end in hits:
        if start < last < head_end:  # a head that an earlier match has eaten into
            match = expression.compiled.search(data, last, head_end)
            start = match.start() if match else start
        if start < last or start == tried:
            continue
        tried = start
        match = expression.compiled.match(data, start)
        if match and match.end() > start:
            last = match.end()
            yield start, last


def _spans(matches: Iterable[Any]) -> Iterator[Span]:
    return (match.span() for match in matches if match.end() > match.start())


def _hyperscan_error() -> type[Exception]:
    import hyperscan

    return hyperscan.HyperscanError  # type: ignore[no-any-return,unused-ignore]


def database(expressions: Sequence[Expression]) -> Any:
    """The compiled automaton, ready to scan."""
    return built(
        database_name(expressions),
        lambda: _serialized(compile_database(expressions)),
        _loaded,
    )


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


def compile_database(expressions: Sequence[Expression]) -> Any:
    """Build the automaton. A regex that Hyperscan cannot take is named."""
    import hyperscan

    sources = [trigger(expression).regex.encode("ascii") for expression in expressions]
    flags = [
        hyperscan.HS_FLAG_SOM_LEFTMOST | (hyperscan.HS_FLAG_CASELESS if e.ignore_case else 0)
        for e in expressions
    ]
    compiled = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    try:
        compiled.compile(expressions=sources, ids=list(range(len(sources))), flags=flags)
    except hyperscan.HyperscanError as problem:
        for source, flag in zip(sources, flags, strict=True):
            try:
                hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK).compile(
                    expressions=[source], ids=[0], flags=[flag]
                )
            except hyperscan.HyperscanError as why:
                raise CatalogueError(f"regex {source.decode()!r}: {why}") from None
        raise CatalogueError(f"the patterns cannot be compiled together: {problem}") from None
    return compiled


def verify(expression: Expression) -> None:
    """Raise unless both engines take this regex."""
    expression.compiled  # noqa: B018 - built for its error
    with contextlib.suppress(ImportError):
        compile_database([expression])


def database_name(expressions: Sequence[Expression]) -> str:
    """Names a compiled automaton by its expressions, the engine and the kind of machine."""
    machine = f"{version('hyperscan')} {platform.machine()} {platform.system()}"
    told = "\n".join([machine, *(f"{e.ignore_case:d}{trigger(e).regex}" for e in expressions)])
    return f"{hashlib.sha256(told.encode()).hexdigest()[:32]}.hsdb"
