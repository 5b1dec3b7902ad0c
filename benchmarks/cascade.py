"""What a second look costs and gives: how much of a text goes on to the second net of a pair, what
recall and precision come of it, how fast it is; and what a gate in front of it would lose.

    python benchmarks/cascade.py --json benchmarks/results/cascade.json

Texts: variants of the seeds that calibrate, which no net was trained on, and generated clinical
notes (texts.py) for speed. Recall and precision are of units (words, signs), of the taggers alone,
at the pair's threshold. An identifier is lost to a gate if both nets together would find it and the
first finds all of it less probable than the gate's `low`. Words a second: one core, the tagger
alone, processor time. `sent_on`: what the profile as it ships sends on, beside exact rules.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import harness
import numpy as np
import texts
from msgspec.structs import replace

import scrubjay
from scrubjay.model import bundle
from scrubjay.model.bundle import Doubt
from scrubjay.model.cascade import Cascade, together
from scrubjay.model.decode import Floats
from scrubjay.model.tagger import Tagger, Window
from scrubjay.model.tags import OUTSIDE
from scrubjay.model.tokens import Units
from scrubjay.train import lists, material, synth

ALONE = Doubt(1e-9, 1e-9, 0)  # the first net answers for everything
BANDS = (
    ALONE, Doubt(0.15, 0.4, 8), Doubt(0.1, 0.6, 8), Doubt(0.07, 0.6, 4), Doubt(0.07, 0.6, 8),
    Doubt(0.07, 0.6, 16), Doubt(0.05, 0.8, 8), Doubt(0.05, 0.8, 12), Doubt(0.05, 0.8, 16),
    Doubt(0.03, 1.0, 16), Doubt(0.01, 1.0, 12), Doubt(0.005, 1.0, 12), Doubt(1e-9, 1.0, 24),
)  # fmt: skip
LOWS = (0.003, 0.005, 0.006, 0.01, 0.02, 0.03, 0.05, 0.1)
_TITLE = frozenset({"TITLE"})


class Gold(NamedTuple):
    """Texts with their identifiers: from which unit to which."""

    texts: list[str]
    entities: list[list[tuple[int, int]]]


class Counted(Tagger):
    """Counts the units that it reads."""

    count = 0

    def read(
        self, units: Sequence[Units], windows: Iterable[Window]
    ) -> Iterator[tuple[Window, Floats]]:
        """As ever."""
        asked = list(windows)
        self.count += sum(window.last - window.first for window in asked)
        return super().read(units, asked)


def pair(profile: str) -> Cascade:
    """A pair whose second net counts."""
    folder = bundle.folder(profile)
    made = Cascade(folder, threads=1)
    made._loaded = Counted(folder.parent / made.bundle.nets[1], threads=1, like=made._first)
    return made


def gold(reader: Cascade, count: int, seed: int) -> Gold:
    """Variants of the seeds that calibrate."""
    dice = random.Random(seed)
    examples = list(synth.variants(material.held_back(), lists.shipped(), count, dice))
    units = reader.units([example.text for example in examples])
    found = [
        [
            (int(np.searchsorted(own.ends, start, "right")), int(np.searchsorted(own.starts, end)))
            for start, end, classes in example.spans
            if classes != _TITLE
        ]
        for example, own in zip(examples, units, strict=True)
    ]
    return Gold([e.text for e in examples], [[p for p in row if p[0] < p[1]] for row in found])


def probable(reader: Cascade, wanted: Sequence[str]) -> list[Floats]:
    """Per text and unit: how probable it is part of an identifier."""
    return [1 - tags[:, OUTSIDE] for tags in reader.probabilities(reader.units(wanted))]


def gates(reader: Cascade, known: Gold) -> list[dict[str, Any]]:
    """What each gate would lose of what both nets find together."""
    units = reader.units(known.texts)
    first = [1 - tags[:, OUTSIDE] for tags in reader._first.probabilities(units)]
    second = reader._second().probabilities(units)
    weak = [
        float(sure[begin:end][found[begin:end]].max())
        for sure, tags, entities in zip(first, second, known.entities, strict=True)
        for found in [1 - together(sure, tags)[:, OUTSIDE] >= reader.bundle.calibration.threshold]
        for begin, end in entities
        if found[begin:end].any()
    ]
    return [
        {"low": low, "found": len(weak), "lost": sum(value < low for value in weak)} for low in LOWS
    ]


def band(reader: Cascade, doubt: Doubt, known: Gold, notes: dict[str, list[str]]) -> dict[str, Any]:
    """What one way to doubt gives and costs."""
    reader.bundle = replace(reader.bundle, doubt=doubt)
    least = reader.bundle.calibration.threshold
    said = np.concatenate(probable(reader, known.texts)) >= least
    right = np.concatenate([
        inside(entities, len(own.starts))
        for entities, own in zip(known.entities, reader.units(known.texts), strict=True)
    ])  # fmt: skip
    both = int((said & right).sum())
    speeds = {name: speed(reader, batch) for name, batch in notes.items()}
    return {
        "low": doubt.low, "high": doubt.high, "margin": doubt.margin,
        "recall": round(both / int(right.sum()), 4), "precision": round(both / int(said.sum()), 4),
        "notes": speeds,
    }  # fmt: skip


def inside(entities: list[tuple[int, int]], count: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which units are part of an identifier."""
    found = np.zeros(count, np.bool_)
    for begin, end in entities:
        found[begin:end] = True
    return found


def spared(reader: Cascade, batch: list[str]) -> dict[str, float]:
    """How much goes on if what exact rules find is in no doubt, and if it is."""
    rules = scrubjay.load("everything", profile="patterns")
    settled = [[(one.start, one.end) for one in found] for found in rules.find(batch)]
    units = reader.units(batch)
    second, count = _counted(reader), sum(len(own.starts) for own in units)
    told = {}
    for name, known in (("with rules", settled), ("without", ())):
        second.count = 0
        reader.spans(batch, settled=known)
        told[name] = round(second.count / count, 4)
    return told


def _counted(reader: Cascade) -> Counted:
    second = reader._second()
    assert isinstance(second, Counted)
    return second


def speed(reader: Cascade, batch: list[str]) -> dict[str, Any]:
    """How much goes on, and words a second."""
    second = _counted(reader)
    second.count = 0
    reader.spans(batch)
    sent, units = second.count, sum(len(own.starts) for own in reader.units(batch))
    seconds = min(harness.once(lambda: reader.spans(batch)) for _ in range(3))
    words = sum(len(text.split()) for text in batch)
    return {"sent_on": round(sent / units, 4), "words_per_s": round(words / seconds)}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--profile", default="balanced", help="a pair")
    parser.add_argument("--documents", type=int, default=900)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--json", type=Path, dest="output")
    options = parser.parse_args()
    harness.pin()
    reader = pair(options.profile)
    known = gold(reader, options.documents, options.seed)
    notes = {
        "9 findings per KB": texts.notes(15), "few": texts.notes(15, density=texts.SPARSE)
    }  # fmt: skip
    harness.write(options.output, {
        "machine": harness.machine(), **harness.scrubjay_facts(),
        "documents": len(known.texts), "seed": options.seed, "nets": reader.bundle.nets,
        "sent_on": {name: spared(reader, batch) for name, batch in notes.items()},
        "gates": gates(reader, known),
        "bands": [band(reader, doubt, known, notes) for doubt in BANDS],
    })  # fmt: skip


if __name__ == "__main__":
    main()
