"""Hits and chances, counted by document; the ratios that they make, with 95 % intervals.

Intervals are the middle 95 % of resampled documents. Beyond `BLOCKS` documents, they are dealt into
that many blocks at random, and blocks are resampled. Where all or none hit, resampling sees no
doubt: there the interval is the exact binomial one, with every document that has chances as one
trial. Documents made from one template are not independent: for those, intervals are too narrow.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from operator import mul

from msgspec import Struct

BLOCKS = 256
RESAMPLES = 1000
Key = tuple[str, ...]  # ("leak",), ("spans", "aware", "strict", "PERSON", "recall") ...
Counts = dict[Key, tuple[int, int]]  # hits, chances


class Score(Struct, frozen=True):
    """A number between 0 and 1 with its interval."""

    value: float
    low: float
    high: float


class Rate(Struct, frozen=True):
    """A share: `hits` of `of`, with its interval. `documents` had a chance."""

    value: float
    low: float
    high: float
    hits: int
    of: int
    documents: int


class Scores(Struct, frozen=True):
    """What is found, and what of it is right; absent where nothing was there to be either."""

    precision: Rate | None
    recall: Rate | None
    f1: Score | None
    f2: Score | None


class Tally:
    """Counts of a known number of documents, each added once, in order."""

    def __init__(self, documents: int, *, resamples: int = RESAMPLES, seed: int = 1) -> None:
        dice = random.Random(seed)  # noqa: S311 - no secret
        blocks = min(documents, BLOCKS)
        self._block_of = [number % blocks for number in range(documents)]
        dice.shuffle(self._block_of)
        self._draws = [_weights(dice, blocks) for _ in range(resamples)]
        self._rows: dict[Key, dict[int, tuple[int, int]]] = defaultdict(dict)
        self._documents: dict[Key, int] = defaultdict(int)
        self._added = 0

    def add(self, counts: Counts) -> None:
        """The next document's hits and chances."""
        block = self._block_of[self._added]
        self._added += 1
        for key, (hits, chances) in counts.items():
            if chances:
                before = self._rows[key].get(block, (0, 0))
                self._rows[key][block] = before[0] + hits, before[1] + chances
                self._documents[key] += 1

    def below(self, *start: str) -> list[str]:
        """The next word of all keys that begin so, in order."""
        size = len(start)
        return sorted({key[size] for key in self._rows if key[:size] == start and len(key) > size})

    def rate(self, *key: str) -> Rate | None:
        """Hits over chances; nothing where there were none."""
        if key not in self._rows:
            return None
        hits, of = map(sum, zip(*self._rows[key].values(), strict=True))
        documents = self._documents[key]
        unseen = 0.025 ** (1 / documents)
        if hits == of:
            low, high = unseen, 1.0
        elif hits == 0:
            low, high = 0.0, 1 - unseen
        else:
            low, high = _around(hits / of, self._resampled(key))
        return Rate(_told(hits / of), _told(low), _told(high), hits, of, documents)

    def scores(self, *key: str) -> Scores:
        """Precision and recall of the keys that end so, and their harmonic means."""
        precision, recall = self.rate(*key, "precision"), self.rate(*key, "recall")
        f1, f2 = (self._f(beta, key, precision, recall) for beta in (1, 2))
        return Scores(precision, recall, f1, f2)

    def _f(self, beta: int, key: Key, precision: Rate | None, recall: Rate | None) -> Score | None:
        if recall is None:
            return None
        if precision is None:  # nothing was found of what was there
            return Score(*map(_told, (0.0, 0.0, f(beta, 1.0, recall.high))))
        value = f(beta, precision.hits / precision.of, recall.hits / recall.of)
        low, high = f(beta, precision.low, recall.low), f(beta, precision.high, recall.high)
        if 0 < value < 1:
            pairs = zip(
                self._resampled((*key, "precision")), self._resampled((*key, "recall")), strict=True
            )
            low, high = _around(value, (f(beta, p, r) for p, r in pairs if p >= 0 and r >= 0))
        return Score(*map(_told, (value, low, high)))

    def _resampled(self, key: Key) -> Iterator[float]:
        """The ratio in every resample; -1 where it had no chances."""
        blocks = list(self._rows[key])
        hits, chances = zip(*self._rows[key].values(), strict=True)
        for weights in self._draws:
            drawn = [weights[block] for block in blocks]
            of = sum(map(mul, drawn, chances))
            yield sum(map(mul, drawn, hits)) / of if of else -1.0


def _weights(dice: random.Random, blocks: int) -> list[int]:
    weights = [0] * blocks
    for block in dice.choices(range(blocks), k=blocks):
        weights[block] += 1
    return weights


def _around(value: float, resampled: Iterator[float]) -> tuple[float, float]:
    """The middle 95 %, which is never told without the value itself."""
    ordered = sorted(drawn for drawn in resampled if drawn >= 0) or [value]
    low, high = (ordered[round((len(ordered) - 1) * share)] for share in (0.025, 0.975))
    return min(low, value), max(high, value)


def f(beta: int, precision: float, recall: float) -> float:
    """The harmonic mean that holds recall `beta` times as important as precision."""
    weight = beta * beta
    both = weight * precision + recall
    return (1 + weight) * precision * recall / both if both else 0.0


def _told(value: float) -> float:
    return round(value, 4)
