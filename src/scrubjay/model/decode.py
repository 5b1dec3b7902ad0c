"""From tag scores to spans: never an `I-` without its beginning, nothing lost in between."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scrubjay.model.tags import CLASSES, OUTSIDE, TAGS
from scrubjay.model.tokens import Units

Floats = NDArray[np.float32]


class Tagged(NamedTuple):
    """A stretch of a text, its class, and how probable it is that it is an identifier at all."""

    start: int
    end: int
    label: str
    probability: float


_FOLLOWS = np.full((len(TAGS), len(TAGS)), -np.inf, np.float32)  # [before, after]: 0 where allowed
_FOLLOWS[:, [OUTSIDE, *range(1, len(TAGS), 2)]] = 0
for _begin in range(1, len(TAGS), 2):
    _FOLLOWS[[_begin, _begin + 1], _begin + 1] = 0
_FIRST = _FOLLOWS[OUTSIDE]


def probabilities(scores: Floats) -> Floats:
    """Softmax over tags."""
    exponents = np.exp(scores - scores.max(-1, keepdims=True))
    result: Floats = exponents / exponents.sum(-1, keepdims=True)
    return result


def spans(units: Units, tags: Floats, threshold: float) -> list[Tagged]:
    """All stretches of units that are identifiers with at least `threshold`, cut by class."""
    inside = 1 - tags[:, OUTSIDE]
    edges = np.flatnonzero(np.diff(inside >= threshold, prepend=False, append=False))
    found: list[Tagged] = []
    for first, last in edges.reshape(-1, 2):
        for begin, end, label in _cut(tags[first:last]):
            start, stop = int(units.starts[first + begin]), int(units.ends[first + end - 1])
            sure = float(inside[first + begin : first + end].max())
            found.append(Tagged(start, stop, label, sure))
    return found


def _cut(tags: Floats) -> list[tuple[int, int, str]]:
    """The most probable way to cut a stretch of identifiers: begin, end, class."""
    path = _best(np.log(tags[:, 1:] + 1e-9))
    begins = [at for at, tag in enumerate(path) if tag % 2 == 0]
    return [
        (begin, end, CLASSES[path[begin] // 2])
        for begin, end in zip(begins, [*begins[1:], len(path)], strict=True)
    ]


def _best(scores: Floats) -> list[int]:
    """Viterbi over the tags without O: even numbers begin a class, odd ones go on."""
    follows = _FOLLOWS[1:, 1:]
    total = scores[0] + _FIRST[1:]
    back = np.zeros(scores.shape, np.int32)
    for at in range(1, len(scores)):
        ways = total[:, None] + follows
        back[at] = ways.argmax(0)
        total = ways.max(0) + scores[at]
    path = [int(total.argmax())]
    for at in range(len(scores) - 1, 0, -1):
        path.append(int(back[at, path[-1]]))
    return path[::-1]
