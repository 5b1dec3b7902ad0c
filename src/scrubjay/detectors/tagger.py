"""The detector `tagger.v1`: a small neural net finds what no pattern can, names above all.

It is loaded when the first text comes, once per process and profile.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

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
        """Everything that is probable enough."""
        net = _net(self._folder, os.getpid())
        least = net.threshold(self._recall)
        rule = f"{NAME}:{net.bundle.name}"
        return [
            [Finding(t.start, t.end, t.label, _score(t.probability, least), rule) for t in tagged]
            for tagged in net.spans([document.text for document in documents], least)
        ]


def _score(probability: float, least: float) -> float:
    """Half at the threshold, and straight from there to certainty."""
    return round(min(0.99, 0.5 + 0.5 * (probability - least) / (1 - least)), 4)


@cache
def _net(folder: Path, process: int) -> Net:
    """Once a process: the threads of a session do not come along when a process forks."""
    from scrubjay.model.tagger import Tagger as Net  # numpy and ONNX Runtime: only now

    return Net(folder)
