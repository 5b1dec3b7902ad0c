"""How well personal data is found in texts that people have marked. What each number means, and the
JSON that holds them: docs/spec/evaluation.md.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import UNSET, Struct, UnsetType

import scrubjay
from scrubjay import policies
from scrubjay.engine import Engine
from scrubjay.errors import RefusedError
from scrubjay.evaluate import gold, mapping, measure
from scrubjay.evaluate.gold import Record
from scrubjay.evaluate.mapping import LabelMap
from scrubjay.evaluate.tally import RESAMPLES, Rate, Scores, Tally
from scrubjay.types import Document, Finding

FORMAT = "scrubjay-evaluation.v1"
CONTEXT = 40  # characters beside a place, when text is shown
Find = Callable[[Document], Sequence[Finding]]


class Source(Struct, frozen=True):
    """A file that was read."""

    name: str
    sha256: str


class Data(Struct, frozen=True):
    """What was measured on. `labels`: how each gold label was mapped; `spans`: how often it is."""

    files: tuple[Source, ...]
    documents: int
    characters: int
    words: int
    spans: dict[str, int]
    labels: dict[str, tuple[str, ...]]


class System(Struct, frozen=True):
    """What was measured."""

    version: str
    policy: str = ""
    policy_digest: str = ""
    profile: str = ""
    detectors: tuple[str, ...] = ()


class Speed(Struct, frozen=True):
    """Wall time of detection alone, one document after the other."""

    seconds: float
    words_per_second: float


class Leak(Struct, frozen=True):
    """Shares that stay in the text: of characters, of spans and of documents, where any does."""

    characters: Rate | None
    spans: Rate | None
    documents: Rate | None


class Slice(Struct, frozen=True):
    """One group of documents, or of spans; the latter have no precision."""

    leak: Leak
    precision: Rate | None


class Tab(Struct, frozen=True):
    """TAB's recall of whom or what identifies directly or with more; precision of characters, over
    what must be masked and over all that is annotated."""

    direct: Rate | None
    quasi: Rate | None
    precision: Rate | None
    precision_annotated: Rate | None


class Spot(Struct, frozen=True, omit_defaults=True):
    """A place in a document, without its text unless that was asked for."""

    document: str
    start: int
    end: int
    label: str
    length: int
    shape: str
    register: str = ""
    text: str | UnsetType = UNSET
    before: str | UnsetType = UNSET
    after: str | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"Spot({self.document!r}, {self.start}-{self.end}, {self.label})"


class Evaluation(Struct, frozen=True):
    """Everything that was measured. `spans`: labelling, borders, label or `*`, scores."""

    format: str
    system: System
    data: Data
    speed: Speed
    leak: Leak
    leak_by_label: dict[str, Leak]
    precision: Rate | None
    spans: dict[str, dict[str, dict[str, Scores]]]
    slices: dict[str, dict[str, Slice]]
    tab: Tab | None
    unjudged: dict[str, int]
    leaks: tuple[Spot, ...]
    false: tuple[Spot, ...]


class Stopwatch(Protocol):
    """Seconds since whenever."""

    def __call__(self) -> float: ...


def read(paths: Iterable[Path], labels_file: Path | None, limit: int | None = None) -> Corpus:
    """All records of the files, and the map of their labels."""
    paths = tuple(paths)
    own = mapping.read(labels_file)
    records: list[Record] = []
    for path in paths:
        records += gold.read(path, None if limit is None else limit - len(records))
    counts = Counter(span.label for record in records for span in record.spans)
    counts = Counter(dict(sorted(counts.items(), key=lambda row: (-row[1], row[0]))))
    label_map = mapping.for_corpus(counts, own, marked=all(map(gold.is_marked, paths)))
    sources = tuple(Source(p.name, hashlib.sha256(p.read_bytes()).hexdigest()) for p in paths)
    return Corpus(tuple(records), label_map, sources, dict(counts))


class Corpus(Struct, frozen=True):
    """Records, what their labels mean, and the files that they are from."""

    records: tuple[Record, ...]
    label_map: LabelMap
    sources: tuple[Source, ...] = ()
    counts: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"Corpus({len(self.records)} records)"


def system_of(engine: Engine, profile: str = "") -> System:
    """What an engine is, in words that a result can hold."""
    names = tuple(detector.name for detector in engine.detectors)
    digest = policies.digest(engine.policy)
    return System(scrubjay.__version__, engine.policy.name, digest, profile, names)


def evaluate(
    corpus: Corpus,
    find: Find,
    system: System,
    *,
    show_text: bool = False,
    resamples: int = RESAMPLES,
    clock: Stopwatch = time.perf_counter,
) -> Evaluation:
    """Find, compare, count. `show_text` puts text beside what leaked and what was false."""
    tally = Tally(len(corpus.records), resamples=resamples)
    leaks: list[Spot] = []
    false: list[Spot] = []
    unjudged: Counter[str] = Counter()
    seconds = 0.0
    for record in corpus.records:
        started = clock()
        findings = _found(find, record)
        seconds += clock() - started
        judged = measure.judge(record, findings, corpus.label_map)
        tally.add(judged.counts)
        unjudged.update(finding.label for finding in judged.unjudged)
        leaks += (spot(record, span, show_text) for span in judged.leaks)
        false += (spot(record, finding, show_text) for finding in judged.false)
    data = _data(corpus)
    return Evaluation(
        format=FORMAT,
        system=system,
        data=data,
        speed=Speed(round(seconds, 3), round(data.words / seconds, 1) if seconds else 0.0),
        leak=_leak(tally),
        leak_by_label={
            label: _leak(tally, "label", label)
            for label in corpus.counts
            if tally.rate("leak", "spans", "label", label)
        },
        precision=tally.rate("precision"),
        spans=_spans(tally),
        slices=_slices(tally),
        tab=_tab(tally),
        unjudged=dict(sorted(unjudged.items())),
        leaks=tuple(leaks),
        false=tuple(false),
    )


def _found(find: Find, record: Record) -> Sequence[Finding]:
    try:
        return find(Document(record.text, id=record.id))
    except RefusedError as problem:
        raise type(problem)(f"{record.place}: {problem}") from None


def _data(corpus: Corpus) -> Data:
    return Data(
        files=corpus.sources,
        documents=len(corpus.records),
        characters=sum(len(record.text) for record in corpus.records),
        words=sum(len(record.text.split()) for record in corpus.records),
        spans=corpus.counts,
        labels=corpus.label_map.rows,
    )


def _leak(tally: Tally, *key: str) -> Leak:
    return Leak(*(tally.rate("leak", of, *key) for of in ("characters", "spans", "documents")))


def _spans(tally: Tally) -> dict[str, dict[str, dict[str, Scores]]]:
    table: dict[str, dict[str, dict[str, Scores]]] = {}
    for notion in measure.NOTIONS:
        rows = tally.below("spans", *notion)
        labelling, borders = notion
        scores = {row: tally.scores("spans", *notion, row) for row in rows}
        table.setdefault(labelling, {})[borders] = scores
    return table


def _slices(tally: Tally) -> dict[str, dict[str, Slice]]:
    start = ("leak", "spans", "slice")
    return {
        kind: {
            name: Slice(
                _leak(tally, "slice", kind, name), tally.rate("precision", "slice", kind, name)
            )
            for name in tally.below(*start, kind)
        }
        for kind in tally.below(*start)
    }


def _tab(tally: Tally) -> Tab | None:
    kinds = Tab.__struct_fields__
    return Tab(*(tally.rate("tab", kind) for kind in kinds)) if tally.below("tab") else None


def spot(record: Record, place: gold.Gold | Finding, show_text: bool) -> Spot:
    """A place of a document as a result may hold it."""
    value = record.text[place.start : place.end]
    told = Spot(
        record.id, place.start, place.end, place.label, len(value), shape(value), record.register
    )
    if not show_text:
        return told
    before = record.text[max(0, place.start - CONTEXT) : place.start]
    after = record.text[place.end : place.end + CONTEXT]
    return msgspec.structs.replace(told, text=value, before=before, after=after)


def shape(value: str) -> str:
    """What kind of writing a value is: a class of which there are few, so that it tells nothing."""
    letters = [c for c in value if c.isalpha()]
    if any(c.isdigit() for c in value):
        return "letters and digits" if letters else "digits"
    if not letters:
        return "signs"
    words = "words" if len(value.split()) > 1 else "word"
    if not any(c.isupper() or c.islower() for c in letters):
        return f"{words} without case"
    if not any(c.islower() for c in letters):
        return f"upper-case {words}" if len(letters) > 1 else "initial"
    return f"lower-case {words}" if not any(c.isupper() for c in letters) else f"capital {words}"
