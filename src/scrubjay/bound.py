"""How much can be left, given what a look at a sample found: Clopper and Pearson's interval, which
is never too narrow, whatever the true share (Biometrika 26, 1934).
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, lgamma, log, log1p


def bounds(hits: int, of: int, sure: float = 0.95) -> tuple[float, float]:
    """The two-sided interval of a share."""
    tail = (1 - sure) / 2
    low = 0.0 if hits == 0 else _root(lambda p: 1 - below(hits - 1, of, p), tail)
    return low, upper(hits, of, 1 - tail)


def upper(hits: int, of: int, sure: float = 0.95) -> float:
    """The share is at most this, so surely."""
    if hits >= of:
        return 1.0
    return _root(lambda p: -below(hits, of, p), -(1 - sure))


def below(hits: int, of: int, share: float) -> float:
    """The chance of at most so many hits: what is far out in the tail is left out, it is nothing.

    Summed in the direction away from the mode, so that every next term is smaller."""
    if hits < 0:
        return 0.0
    if share <= 0:
        return 1.0
    if share >= 1 or hits >= of:
        return 1.0 if hits >= of else 0.0
    if hits > of * share:
        return 1 - below(of - hits - 1, of, 1 - share)
    odds = (1 - share) / share
    term = total = exp(_log_choose(of, hits) + hits * log(share) + (of - hits) * log1p(-share))
    for number in range(hits, 0, -1):
        term *= odds * number / (of - number + 1)
        total += term
        if term < total * 1e-17:
            break
    return min(1.0, total)


def _log_choose(of: int, hits: int) -> float:
    return lgamma(of + 1) - lgamma(hits + 1) - lgamma(of - hits + 1)


def _root(rising: Callable[[float], float], wanted: float) -> float:
    """Where a rising function of a share reaches a value: halving, to a billionth."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if rising(middle) < wanted:
            low = middle
        else:
            high = middle
    return high
