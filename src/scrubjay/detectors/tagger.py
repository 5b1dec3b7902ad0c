"""The detector `tagger.v1`: a small neural net finds what no pattern can, names above all.

It is loaded when the first text comes, once per process and profile.
"""

from __future__ import annotations

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
CERTAIN = 0.8  # a rule with a checksum says more, and names the kind better
PROFILES = (*bundle.PROFILES, NONE)


class Tagger:
    """Finds with a bundle's net. A score of 0.5 is the threshold that the bundle was calibrated
    to; from there scores follow the probabilities up to 0.8."""

    name = NAME

    def __init__(self, profile: str = "balanced", *, recall: str = "") -> None:
        self._folder = bundle.folder(profile)
        self._recall = recall

    def detect(self, documents: Sequence[Document]) -> list[list[Finding]]:
        """Everything that is probable enough. A field's name is read as context before its text."""
        net = _net(self._folder)
        least = net.threshold(self._recall)
        heads = [f"{document.field}: " if document.field else "" for document in documents]
        texts = [head + document.text for head, document in zip(heads, documents, strict=True)]
        rule = f"{NAME}:{net.bundle.name}"
        return [
            [
                Finding(max(t.start - len(head), 0), t.end - len(head), t.label,
                        _score(t.probability, least), rule)
                for t in tagged
                if t.end > len(head)
            ]
            for head, tagged in zip(heads, net.spans(texts, least), strict=True)
        ]  # fmt: skip


def _score(probability: float, least: float) -> float:
    """Half at the threshold, and straight from there to CERTAIN."""
    share = max(0.0, (probability - least) / (1 - least))
    return round(0.5 + (CERTAIN - 0.5) * share, 4)


@cache
def _net(folder: Path) -> Net:
    from scrubjay.model.tagger import Tagger as Net  # numpy and ONNX Runtime: only now

    return Net(folder)
