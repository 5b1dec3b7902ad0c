"""The detector `tagger.v1`: a small neural net finds what no pattern can, names above all.

It is loaded when the first text comes, once per process and profile.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scrubjay.detectors import shadow
from scrubjay.model import bundle
from scrubjay.types import Document, Finding

if TYPE_CHECKING:
    from scrubjay.model.tagger import Tagger as Net

NAME = "tagger.v1"
NONE = "patterns"  # the profile that goes without
PROFILES = (*bundle.PROFILES, NONE)


class Tagger:
    """Finds with a bundle's net. A score of 0.5 is the threshold that the bundle was calibrated
    to; above and below, scores keep the order of the probabilities."""

    name = NAME

    def __init__(self, profile: str = "balanced", *, recall: str = "") -> None:
        self._folder = bundle.folder(profile)
        self._recall = recall

    def detect(self, documents: Sequence[Document]) -> list[list[Finding]]:
        """Everything that is probable enough; where letters are disguised, in the straight text."""
        net = _net(self._folder, os.getpid())
        least = net.threshold(self._recall)
        rule = f"{NAME}:{net.bundle.name}"
        views = [_view(document.text) for document in documents]
        return [
            [
                Finding(*view.place(t.start, t.end), t.label, _score(t.probability, least), rule)
                for t in tagged
            ]
            for view, tagged in zip(
                views, net.spans([view.text for view in views], least), strict=True
            )
        ]


class _View(NamedTuple):
    """What the net reads, and where that stands in the document."""

    text: str
    place: Callable[[int, int], tuple[int, int]]


def _view(text: str) -> _View:
    """The text itself, or without zero-width characters, look-alikes and the like if it has any."""
    if not shadow.disguised(text):
        return _View(text, lambda start, end: (start, end))
    straight = shadow.Straight(text)
    return _View(straight.text, straight.original)


def _score(probability: float, least: float) -> float:
    """Half at the threshold, and straight from there to certainty."""
    return round(min(0.99, 0.5 + 0.5 * (probability - least) / (1 - least)), 4)


@cache
def _net(folder: Path, process: int) -> Net:
    """Once a process: the threads of a session do not come along when a process forks."""
    from scrubjay.model.tagger import Tagger as Net  # numpy and ONNX Runtime: only now

    return Net(folder)
