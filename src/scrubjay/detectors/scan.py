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
import os
import platform
import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import re2
from msgspec import Struct

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


def scanner(expressions: Sequence[Expression], shipped: Path | None = None) -> Scan:
    """The fastest engine that this machine has."""
    try:
        import hyperscan  # noqa: F401
    except ImportError:
        return re2_scanner(expressions)
    return hyperscan_scanner(expressions, shipped)


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


def hyperscan_scanner(expressions: Sequence[Expression], shipped: Path | None = None) -> Scan:
    """All patterns at once."""
    database = _database(expressions, shipped)
    local = threading.local()  # scratch space belongs to one thread

    def scan(data: bytes) -> list[Hit]:
        hits: list[Hit] = []
        append = hits.append

        def on_match(index: int, start: int, end: int, flags: int, context: object) -> None:
            append((index, start, end))

        if not hasattr(local, "scratch"):
            local.scratch = database.scratch.clone()
        try:
            database.scan(data, match_event_handler=on_match, scratch=local.scratch)
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


def _database(expressions: Sequence[Expression], shipped: Path | None) -> Any:
    """The compiled automaton: from the wheel, from the cache, or built now and cached."""
    import hyperscan

    digest = database_digest(expressions)
    kept = cache_folder() / f"patterns-{digest}.hsdb"
    for path in (shipped, kept):
        if path and path.is_file() and (path is kept or path.name.startswith(digest)):
            try:
                return _ready(hyperscan.loadb(path.read_bytes(), mode=hyperscan.HS_MODE_BLOCK))
            except (hyperscan.HyperscanError, OSError):
                continue  # made for another CPU or cut short: build our own
    database = compile_database(expressions)
    _keep(kept, hyperscan.dumpb(database))
    return _ready(database)


def _ready(database: Any) -> Any:
    import hyperscan

    database.scratch = hyperscan.Scratch(database)
    return database


def compile_database(expressions: Sequence[Expression]) -> Any:
    """Build the automaton. A regex that Hyperscan cannot take is named."""
    import hyperscan

    base = hyperscan.HS_FLAG_SOM_LEFTMOST | hyperscan.HS_FLAG_UTF8
    sources = [e.regex.encode("utf-8") for e in expressions]
    flags = [base | (hyperscan.HS_FLAG_CASELESS if e.ignore_case else 0) for e in expressions]
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    try:
        database.compile(expressions=sources, ids=list(range(len(sources))), flags=flags)
    except hyperscan.HyperscanError as problem:
        for source, flag in zip(sources, flags, strict=True):
            try:
                hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK).compile(
                    expressions=[source], ids=[0], flags=[flag]
                )
            except hyperscan.HyperscanError as why:
                raise CatalogueError(f"regex {source.decode()!r}: {why}") from None
        raise CatalogueError(f"the patterns cannot be compiled together: {problem}") from None
    return database


def verify(expression: Expression) -> None:
    """Raise unless both engines take this regex."""
    expression.compiled  # noqa: B018 - built for its error
    with contextlib.suppress(ImportError):
        compile_database([expression])


def database_digest(expressions: Sequence[Expression]) -> str:
    """Names a compiled automaton: its expressions, the engine and the kind of machine."""
    told = f"{version('hyperscan')}|{platform.machine()}|{platform.system()}|{_cpu_flags()}"
    body = "\n".join(f"{e.ignore_case:d}{e.regex}" for e in expressions)
    return hashlib.sha256(f"{told}\n{body}".encode()).hexdigest()[:32]


@cache
def _cpu_flags() -> str:
    """The vector instructions that an automaton may have been tuned for."""
    import hyperscan

    tiny = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    tiny.compile(expressions=[b"a"], ids=[0], flags=[0])
    return str(tiny.info())


def cache_folder() -> Path:
    """What can be made again lives here; nothing in it is personal data."""
    home = os.environ.get("SCRUBJAY_HOME")
    if home:
        return Path(home) / "cache"
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "scrubjay"


def _keep(path: Path, data: bytes) -> None:
    """Whole or not at all; a read-only home only costs the next start its second."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
        Path(file.name).replace(path)
    except OSError:
        return
