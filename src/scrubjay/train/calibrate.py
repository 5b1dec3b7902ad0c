"""What a score is worth, and from which one on a stretch counts: chosen on marked documents that
neither trained nor measure the net.

- temperature: the one that makes probabilities honest (least surprise at identifier or not);
- threshold: where F2, which weighs recall above precision, is best on the documents: the middle
  of the STEPS that are AS_GOOD, for which of them is the very best is chance;
- thresholds: for a wanted recall, the highest one that reached it with 95 % confidence, were the
  calibration documents a random sample of what is to come. They promise nothing about other text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from scrubjay.bound import below
from scrubjay.marked import Marked
from scrubjay.model import bundle as bundles
from scrubjay.model import cascade, decode
from scrubjay.model.bundle import Calibration, Golden
from scrubjay.model.tagger import Reader, Tagger
from scrubjay.model.tags import OUTSIDE
from scrubjay.model.tokens import Units
from scrubjay.train.synth import example

RECALLS = ("0.9", "0.95", "0.98", "0.99", "0.995")
DOUBT = 0.05
STEPS = tuple(step / 40 for step in range(4, 17))  # 0.1 to 0.4
AS_GOOD = 0.001  # of F2
LEAST = 0.005  # no threshold is lower: below, everything counts
_TITLE = frozenset({"TITLE"})
_SURE = 0.1  # golden probabilities keep this distance from the threshold

GOLDEN = (
    "Dr. Maria Gonzalez saw Mr. Okafor on 14 March 2024 at Lakeview Hospital.",
    "Please call Anna Schmidt on 020 7946 0958 or write to anna.schmidt@example.org.",
    "Pt: NGUYEN, THI LAN  DOB: 03/04/1961  MRN 00482913",
    "hi its tom again, i live at 12 Oak Street, Dayton OH 45402 now",
    "The patient denies chest pain. BP 120/80, HR 72. Continue aspirin 81 mg daily.",
    "Mrs Rosalind Price, a retired teacher from Leeds, is 67 years old.",
    "Invoice 2231 from Hansen Logistics Ltd, due on Friday.",
    "No acute distress. Parkinson's disease, stable on levodopa. Pain 5/10.",
    "Yours sincerely,\nJoão da Silva\nConsultant Cardiologist",
    "user=kwame.mensah ip=10.2.3.4 session=8f3a9c21 login ok",
)


class Known(NamedTuple):
    """A text's units, how its net scores them, and which belong to which identifier."""

    units: Units
    scores: NDArray[np.float32]
    inside: NDArray[np.bool_]
    entities: list[tuple[int, int]]


def calibrate(folder: Path, documents: Sequence[Marked]) -> Calibration:
    """Measure on the documents, and write what was found into the bundle."""
    known = _known(cascade.load(folder), documents)
    temperature = 1.0 if bundles.is_pair(folder) else _temperature(known)
    doubts = [_inside(text.scores / temperature) for text in known]
    found = Calibration(
        temperature, _threshold(known, doubts), _thresholds(_weakest(known, doubts)), len(documents)
    )
    settle(folder, found)
    return found


def _known(tagger: Reader, documents: Sequence[Marked]) -> list[Known]:
    units = tagger.units([document.text for document in documents])
    warmth = tagger.bundle.calibration.temperature  # that an earlier calibration divided by
    found = []
    for document, own, tags in zip(documents, units, tagger.probabilities(units), strict=True):
        scores = np.log(np.maximum(tags, decode.NEVER)) * np.float32(warmth)
        inside = np.zeros(len(own.starts), np.bool_)
        entities = []
        for start, end, classes in example(document).spans:
            first = int(np.searchsorted(own.ends, start, "right"))
            last = int(np.searchsorted(own.starts, end, "left"))
            inside[first:last] = True
            if first < last and classes != _TITLE:
                entities.append((first, last))
        found.append(Known(own, scores, inside, entities))
    return found


def _inside(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """How probable it is that each unit is part of an identifier."""
    result: NDArray[np.float32] = 1 - decode.probabilities(scores)[:, OUTSIDE]
    return result


def _temperature(known: Sequence[Known]) -> float:
    scores = np.concatenate([text.scores for text in known])
    inside = np.concatenate([text.inside for text in known])

    def surprise(temperature: float) -> float:
        likely = _inside((scores / temperature).astype(np.float32))
        right = np.where(inside, likely, 1 - likely)
        return float(-np.log(np.maximum(right, 1e-7)).mean())

    return min((step / 20 for step in range(10, 100)), key=surprise)


def _threshold(known: Sequence[Known], doubts: Sequence[NDArray[np.float32]]) -> float:
    """Where F2 of units is best: the middle of its plateau."""
    inside = np.concatenate([text.inside for text in known])
    likely = np.concatenate(doubts)
    found = {step: likely >= step for step in STEPS}
    f2 = {
        step: float(5 * (most & inside).sum() / (4 * inside.sum() + most.sum()))
        for step, most in found.items()
    }
    plateau = [step for step in STEPS if f2[step] >= max(f2.values()) - AS_GOOD]
    return round((plateau[0] + plateau[-1]) / 2, 4)


def _weakest(known: Sequence[Known], doubts: Sequence[NDArray[np.float32]]) -> list[float]:
    """Per identifier the probability of its weakest unit: all of it is found from there down."""
    return sorted(
        float(doubt[first:last].min())
        for text, doubt in zip(known, doubts, strict=True)
        for first, last in text.entities
    )


def _thresholds(weakest: Sequence[float]) -> dict[str, float]:
    """By wanted recall, the threshold that reaches it; none where the sample is too small."""
    found = {}
    for recall in RECALLS:
        missed = allowed_misses(len(weakest), float(recall))
        if missed >= 0:
            found[recall] = round(max(LEAST, math.floor(weakest[missed] * 1e4) / 1e4), 4)
    return found


def allowed_misses(count: int, recall: float) -> int:
    """How many of `count` may be missed for a recall that is at least `recall` with 95 %
    confidence (Clopper and Pearson's one-sided bound); -1: too few to say."""
    missed = -1
    while missed < count and below(missed + 1, count, 1 - recall) <= DOUBT:
        missed += 1
    return missed


def golden(tagger: Reader) -> tuple[Golden, ...]:
    """Sentences of which the net is so sure that another CPU's rounding changes nothing."""
    kept = []
    units = tagger.units(GOLDEN)
    least = tagger.bundle.calibration.threshold
    for text, own, tags in zip(GOLDEN, units, tagger.probabilities(units), strict=True):
        if np.abs(1 - tags[:, OUTSIDE] - least).min() < _SURE:
            continue
        spans = decode.spans(own, tags, least)
        kept.append(Golden(text, tuple((s.start, s.end, s.label) for s in spans)))
    return tuple(kept)


def settle(folder: Path, calibration: Calibration) -> None:
    """Give a bundle its calibration, and golden answers that fit it."""
    if bundles.is_pair(folder):  # whose bundles have their own
        bundles.write(folder, replace(bundles.read_pair(folder), calibration=calibration))
        return
    bare = replace(bundles.read(folder), calibration=calibration, golden=())
    bundles.write(folder, bare)
    bundles.write(folder, replace(bare, golden=golden(Tagger(folder))))
