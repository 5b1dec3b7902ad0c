"""Where each of many regexes matches, in one linear pass: `scan(data)` gives leftmost-longest,
non-overlapping byte spans per pattern, as RE2's own `finditer` would, whichever engine runs.

Hyperscan reports every end of a match with its leftmost start. Matches of one pattern that touch
form a region; where all start alike, the region is the match. Elsewhere RE2 decides inside the
region, which holds every match that RE2 could find there. So both engines agree by construction
(docs/adr/0002-two-engines-one-answer.md).
"""

from __future__ import annotations

import contextlib
import hashlib
import platform
import threading
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import re2
from msgspec import Struct

from scrubjay.detectors.built import built
from scrubjay.errors import CatalogueError, DetectorError

Hit = tuple[int, int, int]  # pattern index, start, end: byte offsets


class Expression(Struct, frozen=True):
    """A regex in the syntax that Hyperscan and RE2 share: no look-around, no back-reference."""

    regex: str
    ignore_case: bool = True

    @property
    def compiled(self) -> Any:
        """The RE2 pattern, built when first needed."""
        return _re2(self.regex, self.ignore_case)


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
            (index, *match.span())
            for index, expression in enumerate(expressions)
            for match in expression.compiled.finditer(data)
            if match.end() > match.start()
        ]

    return scan


def hyperscan_scanner(expressions: Sequence[Expression]) -> Scan:
    """All patterns at once."""
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
        return _settle(data, hits, expressions)

    return scan


def _settle(data: bytes, hits: list[Hit], expressions: Sequence[Expression]) -> list[Hit]:
    """Leftmost-longest matches out of all matches."""
    hits.sort()
    settled: list[Hit] = []
    region: list[int] = [-1, 0, 0]
    mixed = False
    for index, start, end in [*hits, (-2, 0, 0)]:
        if index == region[0] and start < region[2]:
            mixed = mixed or start != region[1]
            region[2] = max(region[2], end)
            continue
        if mixed:
            matches = expressions[region[0]].compiled.finditer(data, region[1], region[2])
            settled += [(region[0], *m.span()) for m in matches if m.end() > m.start()]
        elif region[0] >= 0:
            settled.append((region[0], region[1], region[2]))
        region, mixed = [index, start, end], False
    return settled


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

    base = hyperscan.HS_FLAG_SOM_LEFTMOST | hyperscan.HS_FLAG_UTF8
    sources = [e.regex.encode("utf-8") for e in expressions]
    flags = [base | (hyperscan.HS_FLAG_CASELESS if e.ignore_case else 0) for e in expressions]
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
    told = "\n".join([machine, *(f"{e.ignore_case:d}{e.regex}" for e in expressions)])
    return f"{hashlib.sha256(told.encode()).hexdigest()[:32]}.hsdb"
