"""How well personal data is found in texts that people have marked. What each number means, and the
JSON that holds them: docs/spec/evaluation.md.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

import scrubjay
from scrubjay import policies
from scrubjay.engine import Engine
from scrubjay.evaluate import gold, mapping, measure, result
from scrubjay.evaluate.gold import Record
from scrubjay.evaluate.mapping import LabelMap
from scrubjay.evaluate.result import Data, Evaluation, Source, Speed, Spot, System
from scrubjay.evaluate.tally import RESAMPLES, Tally
from scrubjay.types import Document, Finding

Find = Callable[[Iterable[Document]], Iterator[Sequence[Finding]]]  # engine.find
Clock = Callable[[], float]  # seconds since whenever


class Corpus(Struct, frozen=True):
    """Records, what their labels mean and how often each is, and the files that they are from."""

    records: tuple[Record, ...]
    label_map: LabelMap
    sources: tuple[Source, ...] = ()
    counts: dict[str, int] = {}

    @property
    def data(self) -> Data:
        """What a result tells of it."""
        return Data(
            files=self.sources,
            documents=len(self.records),
            characters=sum(len(record.text) for record in self.records),
            words=sum(len(record.text.split()) for record in self.records),
            spans=self.counts,
            labels=self.label_map.rows,
        )

    def __repr__(self) -> str:
        return f"Corpus({len(self.records)} records)"


def read(paths: Iterable[Path], labels_file: Path | None, limit: int | None = None) -> Corpus:
    """All records of the files, and the map of their labels."""
    paths = tuple(paths)
    own = mapping.read(labels_file)
    records: list[Record] = []
    for path in paths:
        records += gold.read(path, None if limit is None else limit - len(records))
    counts = Counter(sorted(span.label for record in records for span in record.spans))
    label_map = mapping.for_corpus(counts, own, marked=all(map(gold.is_marked, paths)))
    sources = tuple(Source(p.name, hashlib.sha256(p.read_bytes()).hexdigest()) for p in paths)
    return Corpus(tuple(records), label_map, sources, dict(counts.most_common()))


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
    clock: Clock = time.perf_counter,
) -> Evaluation:
    """Find, compare, count. `show_text` puts text beside what leaked and what was false."""
    tally = Tally(len(corpus.records), resamples=resamples)
    unjudged: Counter[str] = Counter()
    leaks: list[Spot] = []
    false: list[Spot] = []
    seconds = 0.0
    found = find(Document(record.text, id=record.place or record.id) for record in corpus.records)
    for record in corpus.records:
        started = clock()
        findings = next(found)
        seconds += clock() - started
        judged = measure.judge(record, findings, corpus.label_map)
        tally.add(judged.counts)
        unjudged.update(finding.label for finding in judged.unjudged)
        leaks += (result.spot(record, span, show_text) for span in judged.leaks)
        false += (result.spot(record, finding, show_text) for finding in judged.false)
    data = corpus.data
    return Evaluation(
        format=result.FORMAT,
        system=system,
        data=data,
        speed=Speed(round(seconds, 3), round(data.words / seconds, 1) if seconds else 0.0),
        leak=result.leak_of(tally),
        leak_by_label=result.leaks_by_label(tally),
        precision=tally.rate("precision"),
        spans=result.spans_of(tally),
        slices=result.slices_of(tally),
        tab=result.tab_of(tally),
        unjudged=dict(sorted(unjudged.items())),
        leaks=tuple(leaks),
        false=tuple(false),
    )
