"""Exact rules: the catalogue of `patterns/*.toml` in one linear pass, then checksums and context.

A pattern is data (docs/patterns-howto.md). A hit survives when its neighbours allow it and its
check accepts it; words near it raise or lower its score.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from scrubjay import labels
from scrubjay.detectors import checks, scan
from scrubjay.detectors.built import built
from scrubjay.detectors.linear import ANYWHERE, Matcher, matcher, value
from scrubjay.detectors.shadow import Shadow
from scrubjay.detectors.triggers import Expression
from scrubjay.errors import CatalogueError
from scrubjay.recent import remembered
from scrubjay.types import Document, Finding

FOLDER = Path(__file__).parent / "patterns"
NAME = "patterns.v1"
BEFORE, AFTER = 64, 24  # bytes on either side in which a context word counts
NEAR = 0.35  # what a context word adds, and what an `unless` word takes away


class Pattern(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One entry of the catalogue."""

    name: str
    label: str
    regex: str
    score: float = 0.6
    ignore_case: bool = True
    check: str = ""
    context: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    not_before: str = ""
    not_after: str = ""
    source: str = ""
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


class _Armed(Struct, frozen=True):
    """A pattern with its tools at hand."""

    label: str
    detector: str
    score: float
    match: Matcher
    check: checks.Check | None
    context: Matcher | None
    unless: Matcher | None
    not_before: frozenset[int]
    not_after: frozenset[int]


Kept = tuple[int, int, float, _Armed]  # byte offsets, score
Verdicts = dict[tuple[checks.Check, bytes], "bool | float | tuple[int, int]"]  # of one batch


class Patterns:
    """The detector `patterns.v1`."""

    name = NAME

    def __init__(self, patterns: Sequence[Pattern], scanner: scan.Scan | None = None) -> None:
        self._patterns = patterns
        self._armed: list[_Armed | None] = [None] * len(patterns)  # at the first hit of each
        self._scan = scanner or scan.scanner(expressions(patterns))

    def detect(self, documents: Sequence[Document]) -> list[list[Finding]]:
        """Every accepted hit, with its place in the original text."""
        headings = [_heading(d.field) if d.field else "" for d in documents]
        shadows = [Shadow(h + d.text) for h, d in zip(headings, documents, strict=True)]
        return [
            _findings(shadow, kept, len(heading)) if kept else []
            for heading, shadow, kept in zip(headings, shadows, self._kept(shadows), strict=True)
        ]

    def _kept(self, shadows: Sequence[Shadow]) -> list[list[Kept]]:
        """One scan for all: each table is fetched into the processor's cache once. A check sees a
        value once, however often the texts hold it."""
        texts = [shadow.data for shadow in shadows]
        starts = [0, *accumulate(len(text) + 1 for text in texts)]
        kept: list[list[Kept]] = [[] for _ in texts]
        verdicts: Verdicts = {}
        for index, start, end in self._scan(scan.BORDER.join(texts)):
            number = bisect_right(starts, start) - 1
            begin = starts[number]
            armed = self._armed[index] or self._arm(index)
            hit = _judge(armed, texts[number], start - begin, end - begin, verdicts)
            if hit:
                kept[number].append(hit)
                if begin + hit[1] < end:  # the check kept a part
                    kept[number] += _rest(armed, texts[number], hit[1], end - begin, verdicts)
        return kept

    def _arm(self, index: int) -> _Armed:
        armed = self._armed[index] = _arm(self._patterns[index])
        return armed


def _findings(shadow: Shadow, kept: list[Kept], heading: int) -> list[Finding]:
    """What was found in the text alone, without what lies in the heading before it."""
    spans = shadow.spans([(start, end) for start, end, _, _ in kept])
    return [
        Finding(max(start - heading, 0), end - heading, armed.label, score, armed.detector)
        for (start, end), (_, _, score, armed) in zip(spans, kept, strict=True)
        if end > heading
    ]


@remembered
def _heading(field: str) -> str:
    """A key as a person would write it before the value: `patientName` -> "patient Name: "."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|[_./-]+", " ", field).strip()
    return f"{spaced}: " if spaced else ""


def _judge(armed: _Armed, data: bytes, start: int, end: int, verdicts: Verdicts) -> Kept | None:
    """The hit's exact place and score, or nothing."""
    if armed.not_before and start and data[start - 1] in armed.not_before:
        return None
    if armed.not_after and end < len(data) and data[end] in armed.not_after:
        ends_sentence = data[end] in b".,;" and not data[end + 1 : end + 2].isalnum()
        if not ends_sentence:
            return None
    score = armed.score
    if armed.check:
        found = data[start:end]
        verdict = verdicts.get((armed.check, found))
        if verdict is None:
            verdict = verdicts[armed.check, found] = armed.check(found.decode("utf-8"))
        if verdict is False:
            return None
        if isinstance(verdict, tuple):  # only this part of the value
            before, kept = (found.decode("utf-8")[:part] for part in verdict)
            start, end = start + len(before.encode("utf-8")), start + len(kept.encode("utf-8"))
        elif verdict is not True:
            score = verdict
    if armed.context or armed.unless:
        score = _weigh(armed, data, start, end, score)
    return start, end, score, armed


def _rest(armed: _Armed, data: bytes, start: int, end: int, verdicts: Verdicts) -> Iterator[Kept]:
    """What begins in the part of a match that its check did not keep: Dr. Smith Dr. Jones."""
    while start < end:
        spans = armed.match(ANYWHERE, data, start, min(end + BEFORE, len(data)))
        if not start <= spans[0][0] < end:
            return
        place = value(spans)
        hit = _judge(armed, data, *place, verdicts)
        if hit:
            yield hit
        start = hit[1] if hit else place[1]


def _weigh(armed: _Armed, data: bytes, start: int, end: int, score: float) -> float:
    """The score after a look at the neighbourhood."""
    near = data[max(0, start - BEFORE) : start] + b" \x00 " + data[end : end + AFTER]
    if not near.isascii():  # without halves of characters
        near = near.decode("utf-8", "ignore").encode("utf-8")
    size = len(near)
    if armed.context and armed.context(ANYWHERE, near, 0, size)[0][0] >= 0:
        score += NEAR
    if armed.unless and armed.unless(ANYWHERE, near, 0, size)[0][0] >= 0:
        score -= NEAR
    return min(max(score, 0.0), 1.0)


def _arm(pattern: Pattern) -> _Armed:
    return _Armed(
        label=pattern.label,
        detector=f"patterns.v1:{pattern.name}",
        score=pattern.score,
        match=matcher(pattern.regex, pattern.ignore_case),
        check=checks.named(pattern.check) if pattern.check else None,
        context=_words(pattern.context),
        unless=_words(pattern.unless),
        not_before=frozenset(pattern.not_before.encode()),
        not_after=frozenset(pattern.not_after.encode()),
    )


@cache
def _words(words: tuple[str, ...]) -> Matcher | None:
    if not words:
        return None
    told = "|".join(re.sub(r"[!-/:-@\[-`{-~]", r"\\\g<0>", word) for word in words)
    return matcher(rf"(?:^|[^\pL\pN_])(?:{told})(?:[^\pL\pN_]|$)", ignore_case=True)


def expressions(patterns: Iterable[Pattern]) -> list[Expression]:
    """What the scanner needs to know of each pattern."""
    return [Expression(pattern.regex, pattern.ignore_case) for pattern in patterns]


def read(path: Path, parts: dict[str, str]) -> list[Pattern]:
    """The patterns of one file, with shared parts filled in."""
    try:
        rows = tomllib.loads(path.read_text("utf-8")).get("pattern", [])
    except tomllib.TOMLDecodeError as problem:
        raise CatalogueError(f"{path.name}: {problem}") from None
    return [parse(row, parts, path.name) for row in rows]


def parse(row: dict[str, Any], parts: dict[str, str], where: str) -> Pattern:
    """One checked entry. Unknown keys, labels, checks and parts are refused by name."""
    name = row.get("name", "?")
    try:
        pattern = msgspec.convert(row, Pattern, strict=True)
        regex = re.sub(r"\{\{(\w+)\}\}", lambda part: parts[part[1]], pattern.regex)
    except (msgspec.ValidationError, KeyError) as problem:
        raise CatalogueError(f"{where}: pattern '{name}': {problem}") from None
    if pattern.label not in labels.table():
        raise CatalogueError(f"{where}: pattern '{name}': unknown label '{pattern.label}'")
    return msgspec.structs.replace(pattern, regex=regex)


def parts() -> dict[str, str]:
    """The fragments of _parts.toml, each with the earlier ones filled in."""
    known: dict[str, str] = {}
    for name, regex in tomllib.loads((FOLDER / "_parts.toml").read_text("utf-8")).items():
        known[name] = re.sub(r"\{\{(\w+)\}\}", lambda part: known[part[1]], regex)
    return known


@cache
def catalogue() -> tuple[Pattern, ...]:
    """Every pattern that ships, by file and place in it."""
    return built(catalogue_name(), lambda: msgspec.json.encode(read_all()), _decoded)


def catalogue_name() -> str:
    """Names the parsed catalogue by what its files say."""
    told = b"".join(path.read_bytes() for path in sorted(FOLDER.glob("*.toml")))
    return f"{hashlib.sha256(told).hexdigest()[:32]}.json"


def _decoded(data: bytes) -> tuple[Pattern, ...] | None:
    try:
        return msgspec.json.decode(data, type=tuple[Pattern, ...])
    except msgspec.MsgspecError:
        return None


def read_all() -> list[Pattern]:
    """The catalogue from its files."""
    shared = parts()
    paths = sorted(path for path in FOLDER.glob("*.toml") if not path.name.startswith("_"))
    return [pattern for path in paths for pattern in read(path, shared)]


def check(row: dict[str, Any], where: str) -> None:
    """Refuse a pattern of a policy that could not run: its fields, regex, check."""
    pattern = parse(row, parts(), where)
    if pattern.check:
        checks.verify(pattern.check)
    scan.verify(expressions([pattern])[0])


def shipped() -> Patterns:
    """The detector over the whole catalogue."""
    return Patterns(catalogue())
