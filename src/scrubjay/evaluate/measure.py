"""One document's findings beside its gold: what hit, of what could have. Pure; the measures are
defined in docs/spec/evaluation.md.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from scrubjay.evaluate import slices
from scrubjay.evaluate.gold import Gold, Record
from scrubjay.evaluate.mapping import LabelMap
from scrubjay.evaluate.tally import Counts, Key
from scrubjay.types import Finding

IOU = 0.5
MICRO = "*"  # in place of a label: all of them


class Place(Protocol):
    """Gold or finding."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


def same(one: Place, other: Place) -> bool:
    """The same borders."""
    return (one.start, one.end) == (other.start, other.end)


def iou(one: Place, other: Place) -> bool:
    """At least half of what either covers is covered by both."""
    both = min(one.end, other.end) - max(one.start, other.start)
    return both >= IOU * (one.end - one.start + other.end - other.start - both)


def touch(one: Place, other: Place) -> bool:
    """At least one character in common."""
    return one.start < other.end and other.start < one.end


BORDERS: dict[str, Callable[[Place, Place], bool]] = {
    "strict": same,
    "exact_type": same,
    "iou": iou,
    "overlap": touch,
}
NOTIONS = [("aware", borders) for borders in BORDERS] + [
    ("blind", borders) for borders in BORDERS if borders != "exact_type"
]


class Judged(NamedTuple):
    """One document: its counts, gold that leaked, findings beside all gold, findings of labels that
    the corpus does not annotate."""

    counts: Counts
    leaks: list[Gold]
    false: list[Finding]
    unjudged: list[Finding]


def judge(record: Record, findings: Sequence[Finding], label_map: LabelMap) -> Judged:
    """Compare. Findings are in order and do not overlap, as the engine leaves them."""
    sheet = _Sheet(record, findings, label_map)
    for labelling, borders in NOTIONS:
        sheet.spans(labelling, borders)
    sheet.leaks()
    sheet.precision()
    sheet.tab()
    touched = {at for _, at in sheet.pairs}
    beside = [f for at, f in enumerate(sheet.findings) if at not in touched]
    return Judged(
        sheet.counts,
        [span for span in sheet.gold if span.must and not sheet.safe([span])],
        [finding for finding in beside if label_map.judged(finding.label)],
        [finding for finding in sheet.findings if not label_map.judged(finding.label)],
    )


class _Sheet:
    """The counts of one document, as far as they are written."""

    def __init__(self, record: Record, findings: Sequence[Finding], label_map: LabelMap) -> None:
        self.record = record
        self.map = label_map
        self.kinds = tuple(slices.of_document(record).items())
        self.gold = [span for span in record.spans if not label_map.ignored(span.label)]
        self.findings = _but_ignored(record.spans, findings, label_map)
        self.pairs = pairs_of(self.gold, self.findings)
        self.covered = self.places(findings)
        self.counts: Counts = {}

    def add(self, key: Key, hits: int, chances: int) -> None:
        """So many hits more."""
        before = self.counts.get(key, (0, 0))
        self.counts[key] = before[0] + hits, before[1] + chances

    def places(self, spans: Iterable[Place]) -> set[int]:
        """Every character of the spans but blanks."""
        text = self.record.text
        return {i for span in spans for i in range(span.start, span.end) if not text[i].isspace()}

    def safe(self, spans: Iterable[Gold]) -> bool:
        """Whether nothing of the spans stays in the text."""
        return self.places(spans) <= self.covered

    def spans(self, labelling: str, borders: str) -> None:
        """Precision and recall of spans."""
        alike, answers = BORDERS[borders], self._answers(labelling, borders)
        found: set[int] = set()
        home: dict[int, str] = {}
        for number, at in self.pairs:
            span, finding = self.gold[number], self.findings[at]
            if alike(span, finding) and answers(finding.label, span.label):
                found.add(number)
                home.setdefault(at, self.map.home(span.label))
        for number, span in enumerate(self.gold):
            for row in (self.map.home(span.label), MICRO):
                self.add(("spans", labelling, borders, row, "recall"), number in found, 1)
        for at, finding in enumerate(self.findings):
            if self.map.judged(finding.label):
                for row in (home.get(at) or self.map.row(finding.label), MICRO):
                    self.add(("spans", labelling, borders, row, "precision"), at in home, 1)

    def _answers(self, labelling: str, borders: str) -> Callable[[str, str], bool]:
        """Whether a finding's label answers for a gold label."""
        if labelling == "blind":
            return lambda ours, gold: True
        return self.map.exact if borders == "exact_type" else self.map.fits

    def leaks(self) -> None:
        """What stays in the text: characters, spans, documents, by label and slice."""
        wanted: dict[Key, list[Gold]] = defaultdict(list)
        for span in filter(lambda span: span.must, self.gold):
            for kind in (*self.kinds, *self._person(span)):
                wanted["slice", *kind].append(span)
            wanted["label", span.label].append(span)
            wanted[()].append(span)
        for key, spans in wanted.items():
            own = self.places(spans)
            self.add(("leak", "characters", *key), len(own - self.covered), len(own))
            self.add(("leak", "documents", *key), not own <= self.covered, bool(own))
            for span in spans:
                self.add(("leak", "spans", *key), not self.safe([span]), 1)

    def _person(self, span: Gold) -> Iterable[tuple[str, str]]:
        if not slices.is_person(span.label, self.map):
            return ()
        return slices.of_person(self.record.text[span.start : span.end]).items()

    def precision(self) -> None:
        """What of the characters taken is gold, whatever the labels."""
        taken = self.places(f for f in self.findings if self.map.judged(f.label))
        right = len(taken & self.places(self.gold))
        self.add(("precision",), right, len(taken))
        for kind in self.kinds:
            self.add(("precision", "slice", *kind), right, len(taken))

    def tab(self) -> None:
        """TAB's rule: who or what is named is protected if every mention is covered whole."""
        typed = [span for span in self.record.spans if span.kind]
        if not typed:
            return
        mentions: dict[str, list[Gold]] = defaultdict(list)
        for span in filter(lambda span: span.must, typed):
            mentions[self._entity(span)].append(span)
        for spans in mentions.values():
            kind = min(span.kind for span in spans)  # DIRECT before QUASI
            self.add(("tab", kind.lower()), self.safe(spans), 1)
        taken = self.places(self.findings)
        masked = self.places(span for span in typed if span.must)
        self.add(("tab", "precision"), len(taken & masked), len(taken))
        self.add(("tab", "precision_annotated"), len(taken & self.places(typed)), len(taken))

    def _entity(self, span: Gold) -> str:
        """Whom a mention names; where the corpus does not say, the same words name the same."""
        words = self.record.text[span.start : span.end].casefold().split()
        return span.entity or f"={' '.join(words)}"


def _but_ignored(
    spans: Sequence[Gold], findings: Sequence[Finding], label_map: LabelMap
) -> list[Finding]:
    """The findings but for those that touch only gold that is ignored."""
    touched: dict[int, list[bool]] = defaultdict(list)
    for number, at in pairs_of(spans, findings):
        touched[at].append(label_map.ignored(spans[number].label))
    return [f for at, f in enumerate(findings) if at not in touched or not all(touched[at])]


def pairs_of(gold: Sequence[Gold], findings: Sequence[Finding]) -> list[tuple[int, int]]:
    """The numbers of all gold spans and findings that touch."""
    ends = [finding.end for finding in findings]
    return [
        (number, at)
        for number, span in enumerate(gold)
        for at in _from(bisect_right(ends, span.start), findings, span.end)
    ]


def _from(at: int, findings: Sequence[Finding], end: int) -> Iterator[int]:
    while at < len(findings) and findings[at].start < end:
        yield at
        at += 1
