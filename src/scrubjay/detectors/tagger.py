"""The detector `tagger.v1`: a small neural net finds what no pattern can, names above all.

It is loaded when the first text comes, once per process and profile.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scrubjay.detectors import shadow
from scrubjay.model import bundle
from scrubjay.types import Document, Finding

if TYPE_CHECKING:
    from scrubjay.model.decode import Tagged
    from scrubjay.model.tagger import Reader as Net

NAME = "tagger.v1"
NONE = "patterns"  # the profile that goes without
SHORT = 4  # characters of a text without letters that tells nothing by itself
CODES = frozenset({"EMAIL", "URL", "IP", "PHONE", "FAX", "POSTAL_CODE", "MRN", "ID"})
_APART = {
    "PERSON": re.compile(r"\s*[;|]\s*"),
    **dict.fromkeys(("EMAIL", "URL", "IP"), re.compile(r"\s+")),
}
CERTAIN = 0.8  # a rule with a checksum says more, and names the kind better


class Tagger:
    """Finds with a bundle's net. A score of 0.5 is the threshold that the bundle was calibrated
    to; from there scores follow the probabilities up to 0.8."""

    name = NAME

    def __init__(self, profile: str = "balanced", *, recall: str = "") -> None:
        self._folder = bundle.folder(profile)
        self._recall = recall

    def ready(self) -> None:
        """Load what would be loaded when a text needs it."""
        _net(self._folder, os.getpid()).ready()

    @property
    def digest(self) -> str:
        """Of the bundle: SHA-256 of its bundle.json, which holds those of its files."""
        return bundle.sha256(self._folder / "bundle.json")

    def detect(self, documents: Sequence[Document]) -> list[list[Finding]]:
        """Everything that is probable enough. A field's name is read as context before its text;
        where letters are disguised, both are read as they look."""
        return self.detect_beside(documents, [()] * len(documents))

    def detect_beside(
        self, documents: Sequence[Document], settled: Sequence[Sequence[Finding]]
    ) -> list[list[Finding]]:
        """The same. Doubts about what is settled are left as they are."""
        net = _net(self._folder, os.getpid())
        least = net.threshold(self._recall)
        rule = f"{NAME}:{net.bundle.name}"
        heads = [f"{document.field}: " if document.field else "" for document in documents]
        views = [
            _view(head + doc.text if _tells(doc.text) else "")
            for head, doc in zip(heads, documents, strict=True)
        ]
        stretches = [
            [(len(head) + one.start, len(head) + one.end) for one in known if view.straight]
            for known, view, head in zip(settled, views, heads, strict=True)
        ]
        found = net.spans([view.text for view in views], least, stretches)
        return [
            list(_findings(tagged, view, head + document.text, least, rule, len(head)))
            for tagged, view, head, document in zip(found, views, heads, documents, strict=True)
        ]


def _findings(
    found: Iterable[Tagged], view: _View, text: str, least: float, rule: str, head: int
) -> Iterator[Finding]:
    """What lies behind the first `head` characters, counted from there."""
    for tagged in found:
        score = _score(tagged.probability, least)
        for start, end in _parts(text, *view.place(tagged.start, tagged.end), tagged.label):
            if end > head:
                yield Finding(max(start - head, 0), end - head, tagged.label, score, rule)


def _parts(text: str, start: int, end: int, label: str) -> Iterator[tuple[int, int]]:
    """A net reads on over signs that end or part what it found: `jo@example.org.`, `Lee; Fox`."""
    signs = ".,;:!?" if label in CODES else ",;:"
    value = text[start:end]
    for part in _APART[label].split(value) if label in _APART else [value]:
        kept = part.rstrip(signs)
        if kept:
            at = text.index(part, start)
            yield at, at + len(kept)
            start = at + len(part)


def _tells(text: str) -> bool:
    """Whether a net can say anything of a text: a cell that holds 7 or 4.5 is left to the rules,
    which know its column's name."""
    return len(text) > SHORT or any(map(str.isalpha, text))


class _View(NamedTuple):
    """What the net reads, and where that stands in the document."""

    text: str
    place: Callable[[int, int], tuple[int, int]]
    straight: bool  # as it stands in the document


def _view(text: str) -> _View:
    """The text itself, or without zero-width characters, look-alikes and the like if it has any."""
    if not shadow.disguised(text):
        return _View(text, lambda start, end: (start, end), True)
    straight = shadow.Straight(text)
    return _View(straight.text, straight.original, False)


def _score(probability: float, least: float) -> float:
    """Half at the threshold, and straight from there to CERTAIN."""
    share = max(0.0, (probability - least) / (1 - least))
    return round(0.5 + (CERTAIN - 0.5) * share, 4)


@cache
def _net(folder: Path, process: int) -> Net:
    """Once a process: the threads of a session do not come along when a process forks."""
    from scrubjay.model import cascade  # numpy and ONNX Runtime: only now

    return cascade.load(folder)
