"""Hits and chances, counted by document; the ratios that they make, with 95 % intervals.

Intervals are the middle 95 % of resampled documents. Beyond `BLOCKS` documents, they are dealt into
that many blocks at random, and blocks are resampled. Where all or none hit, resampling sees no
doubt: there the interval is the exact binomial one, with every document that has chances as one
trial. Fewer documents than `STUDENT` is long do not tell how far apart documents are: there the
interval takes in Student's. Documents made from one template are not independent: for those, all
are too narrow.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from math import sqrt
from operator import mul

from msgspec import Struct

BLOCKS = 256
STUDENT = (0, 12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31)  # 97.5 % by degrees of freedom
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
        self._ratios: dict[Key, list[float]] = {}
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
        low, high = self._interval(key, hits / of)
        return Rate(_told(hits / of), _told(low), _told(high), hits, of, documents)

    def _interval(self, key: Key, value: float) -> tuple[float, float]:
        documents = self._documents[key]
        if value in (0, 1):
            unseen = 0.025 ** (1 / documents)
            return (unseen, 1.0) if value else (0.0, 1 - unseen)
        low, high = _around(value, self._resampled(key))
        if documents > len(STUDENT):
            return low, high
        least, most = student(value, list(self._rows[key].values()))
        return min(low, least), max(high, most)

    def scores(self, *key: str) -> Scores:
        """Precision and recall of the keys that end so, and their harmonic means."""
        precision, recall = self.rate(*key, "precision"), self.rate(*key, "recall")
        if recall is None:
            return Scores(precision, None, None, None)
        f1, f2 = (self._f(beta, key, precision, recall) for beta in (1, 2))
        return Scores(precision, recall, f1, f2)

    def _f(self, beta: int, key: Key, precision: Rate | None, recall: Rate) -> Score:
        if precision is None:  # nothing was found of what was there
            return Score(0.0, 0.0, _told(f(beta, 1.0, recall.high)))
        value = f(beta, precision.hits / precision.of, recall.hits / recall.of)
        low, high = f(beta, precision.low, recall.low), f(beta, precision.high, recall.high)
        if 0 < value < 1 and min(precision.documents, recall.documents) > len(STUDENT):
            both = (self._resampled((*key, kind)) for kind in ("precision", "recall"))
            pairs = ((p, r) for p, r in zip(*both, strict=True) if p >= 0 and r >= 0)
            low, high = _around(value, (f(beta, p, r) for p, r in pairs))
        return Score(_told(value), _told(low), _told(high))

    def _resampled(self, key: Key) -> list[float]:
        """The ratio in every resample; -1 where it had no chances."""
        if key not in self._ratios:
            hits, chances = zip(*self._rows[key].values(), strict=True)
            self._ratios[key] = list(self._drawn(list(self._rows[key]), hits, chances))
        return self._ratios[key]

    def _drawn(
        self, blocks: list[int], hits: tuple[int, ...], chances: tuple[int, ...]
    ) -> Iterator[float]:
        for weights in self._draws:
            drawn = [weights[block] for block in blocks]
            of = sum(map(mul, drawn, chances))
            yield sum(map(mul, drawn, hits)) / of if of else -1.0


def _weights(dice: random.Random, blocks: int) -> list[int]:
    weights = [0] * blocks
    for block in dice.choices(range(blocks), k=blocks):
        weights[block] += 1
    return weights


def _around(value: float, resampled: Iterable[float]) -> tuple[float, float]:
    """The middle 95 %, which is never told without the value itself."""
    ordered = sorted(drawn for drawn in resampled if drawn >= 0) or [value]
    low, high = (ordered[round((len(ordered) - 1) * share)] for share in (0.025, 0.975))
    return min(low, value), max(high, value)


def student(value: float, rows: list[tuple[int, int]]) -> tuple[float, float]:
    """The interval of a ratio from few documents, as wide as independent trials make it at least;
    one document tells nothing."""
    count, of = len(rows), sum(chances for _, chances in rows)
    if count == 1:
        return 0.0, 1.0
    squares = sum((hits - value * chances) ** 2 for hits, chances in rows)
    error = max(sqrt(squares * count / (count - 1)) / of, sqrt(value * (1 - value) / of))
    half = STUDENT[count - 1] * error
    return max(0.0, value - half), min(1.0, value + half)


def f(beta: int, precision: float, recall: float) -> float:
    """The harmonic mean that holds recall `beta` times as important as precision."""
    weight = beta * beta
    both = weight * precision + recall
    return (1 + weight) * precision * recall / both if both else 0.0


def _told(value: float) -> float:
    return round(value, 4)
