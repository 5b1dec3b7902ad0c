"""From tag scores to spans: never an `I-` without its beginning, nothing lost in between."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scrubjay.model.tags import CLASSES, OUTSIDE
from scrubjay.model.tokens import Units

Floats = NDArray[np.float32]
NEVER = 1e-30


class Tagged(NamedTuple):
    """A stretch of a text, its class, and how probable it is that it is an identifier at all."""

    start: int
    end: int
    label: str
    probability: float


def probabilities(scores: Floats) -> Floats:
    """Softmax over tags."""
    exponents = np.exp(scores - scores.max(-1, keepdims=True))
    result: Floats = exponents / exponents.sum(-1, keepdims=True)
    return result


class Likely:
    """What is kept of a text's probabilities: those of units that are likely enough to be part of
    an identifier. A text may have millions of units, and few of them are."""

    def __init__(self) -> None:
        self._parts: list[tuple[NDArray[np.intp], Floats]] = []

    def add(self, where: NDArray[np.intp], tags: Floats) -> None:
        """The probabilities of some units, which no other part holds."""
        self._parts.append((where, tags))

    def spans(self, units: Units) -> list[Tagged]:
        """All stretches of units that are identifiers, cut by class."""
        if not self._parts:
            return []
        where = np.concatenate([part[0] for part in self._parts])
        order = np.argsort(where, kind="stable")
        where, tags = where[order], np.concatenate([part[1] for part in self._parts])[order]
        path = _path(tags, [0, *(np.flatnonzero(np.diff(where) > 1) + 1).tolist()])
        begins = np.array([at for at, tag in enumerate(path) if tag % 2 == 0])
        starts = units.starts[where[begins]].tolist()
        ends = units.ends[where[[*(begins[1:] - 1), -1]]].tolist()
        sure = np.maximum.reduceat(1 - tags[:, OUTSIDE], begins).tolist()
        labels = [CLASSES[path[at] // 2] for at in begins.tolist()]
        return list(map(Tagged, starts, ends, labels, sure))


def spans(units: Units, tags: Floats, threshold: float) -> list[Tagged]:
    """All stretches of units that are identifiers with at least `threshold`, cut by class."""
    likely, reached = Likely(), np.flatnonzero(1 - tags[:, OUTSIDE] >= threshold)
    if len(reached):
        likely.add(reached, tags[reached])
    return likely.spans(units)


def _path(tags: Floats, firsts: list[int]) -> list[int]:
    """The most probable way to cut stretches of identifiers, which begin at `firsts`: for each unit
    a tag without O."""
    parts = tags[:, 1:] + 1e-9
    parts[firsts, ::2] += parts[firsts, 1::2]  # the first unit begins, even where the net says I-
    parts[firsts, 1::2] = NEVER
    path: list[int] = parts.argmax(1).tolist()
    for first, last in pairwise([*firsts, len(path)]):
        if not _follows(path[first:last]):
            path[first:last] = _best(np.log(parts[first:last]))
    return path


def _follows(path: list[int]) -> bool:
    """Whether each tag may stand behind the one before. Where the most probable tag of each unit
    may, no other way is better."""
    return all(tag % 2 == 0 or tag - before in {0, 1} for before, tag in pairwise(path))


def _best(scores: Floats) -> list[int]:
    """Viterbi over the tags without O: even numbers begin a class, odd ones go on. What begins may
    follow anything; what goes on, its own class alone."""
    total = scores[0].copy()
    total[1::2] = -np.inf
    steps: list[tuple[int, list[int]]] = []  # what is best before a beginning; before each odd tag
    for row in scores[1:]:
        own = total.reshape(-1, 2)
        best = int(total.argmax())
        steps.append((best, own.argmax(1).tolist()))
        before = np.empty_like(total)
        before[::2], before[1::2] = total[best], own.max(1)
        total = before + row
    path = [int(total.argmax())]
    for best, goes_on in reversed(steps):
        tag = path[-1]
        path.append(tag - 1 + goes_on[tag // 2] if tag % 2 else best)
    return path[::-1]
