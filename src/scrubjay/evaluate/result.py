"""What an evaluation holds, the same in Python and in JSON: docs/spec/evaluation.md. No text of a
document is in it unless that was asked for.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Struct, UnsetType

from scrubjay.evaluate import measure
from scrubjay.evaluate.gold import Gold, Record
from scrubjay.evaluate.tally import Rate, Scores, Tally
from scrubjay.types import Finding

FORMAT = "scrubjay-evaluation.v1"
CONTEXT = 40  # characters beside a place, when text is shown
Table = dict[str, dict[str, dict[str, Scores]]]  # by labelling, borders, label or `*`


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
    """Everything that was measured."""

    format: str
    system: System
    data: Data
    speed: Speed
    leak: Leak
    leak_by_label: dict[str, Leak]
    precision: Rate | None
    spans: Table
    slices: dict[str, dict[str, Slice]]
    tab: Tab | None
    unjudged: dict[str, int]
    leaks: tuple[Spot, ...]
    false: tuple[Spot, ...]


def leak_of(tally: Tally, *key: str) -> Leak:
    """What leaks of the spans that are counted under a key."""
    return Leak(*(tally.rate("leak", of, *key) for of in ("characters", "spans", "documents")))


def leaks_by_label(tally: Tally) -> dict[str, Leak]:
    """What leaks of each label of the data."""
    names = tally.below("leak", "spans", "label")
    return {name: leak_of(tally, "label", name) for name in names}


def spans_of(tally: Tally) -> Table:
    """Precision and recall of spans, for every notion of found."""
    table: Table = {}
    for labelling, borders in measure.NOTIONS:
        key = ("spans", labelling, borders)
        scores = {row: tally.scores(*key, row) for row in tally.below(*key)}
        table.setdefault(labelling, {})[borders] = scores
    return table


def slices_of(tally: Tally) -> dict[str, dict[str, Slice]]:
    """Leaks and precision, by kind of slice and slice."""
    start = ("leak", "spans", "slice")
    return {
        kind: {name: _slice(tally, kind, name) for name in tally.below(*start, kind)}
        for kind in tally.below(*start)
    }


def _slice(tally: Tally, *key: str) -> Slice:
    return Slice(leak_of(tally, "slice", *key), tally.rate("precision", "slice", *key))


def tab_of(tally: Tally) -> Tab | None:
    """The measures of TAB, where any span has an identifier type."""
    kinds = Tab.__struct_fields__
    return Tab(*(tally.rate("tab", kind) for kind in kinds)) if tally.below("tab") else None


def spot(record: Record, place: Gold | Finding, show_text: bool) -> Spot:
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
