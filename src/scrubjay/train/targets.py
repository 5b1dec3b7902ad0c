"""What a unit's tag may be: a set of tags, because no corpus tells everything.

A corpus that says LOCATION means a city, a state or something else of that kind; one that marks no
dates says nothing about whether a unit outside its spans is one. So the target of each unit is the
set of tags that its corpus allows, and the loss is the surprise at that set.

Some tags of a set are likelier than others before anything is known. Without that, a net that is
free to choose drifts: words that no corpus says anything about all became the same rare class.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from scrubjay.model.tags import CLASSES, OUTSIDE, TAGS, begin, inside
from scrubjay.model.tokens import Units

Allowed = tuple[int, int, frozenset[str]]  # start, end, the classes that it may be
USUAL = frozenset({"PERSON", "ORGANIZATION", "CITY", "COUNTRY", "DATE", "ID", "PROFESSION"})
NEVER = -5e3  # below: the logarithm of what a set does not hold
SELDOM = 0.2  # how likely any other class is against these, and any class against none


class Targets:
    """The distinct sets of tags met so far, by number."""

    def __init__(self) -> None:
        self.sets: list[frozenset[int]] = []
        self._numbers: dict[frozenset[int], int] = {}

    def number(self, tags: Iterable[int]) -> int:
        """The number of a set of tags."""
        key = frozenset(tags)
        if key not in self._numbers:
            self._numbers[key] = len(self.sets)
            self.sets.append(key)
        return self._numbers[key]

    def table(self) -> NDArray[np.float32]:
        """One row per set: the logarithm of how likely each tag is; very negative for one that is
        not in it. A set of all tags tells nothing, so in it all are alike."""
        rows = np.full((len(self.sets), len(TAGS)), 2 * NEVER, np.float32)
        for row, tags in zip(rows, self.sets, strict=True):
            likely = {OUTSIDE} if OUTSIDE in tags else _USUAL
            for tag in tags:
                alike = len(tags) == len(TAGS) or tag in likely
                row[tag] = 0 if alike else np.log(SELDOM)
        return rows

    def of(
        self, units: Units, spans: Sequence[Allowed], covered: frozenset[str]
    ) -> NDArray[np.uint16]:
        """The target of each unit. Outside of `spans`, a unit is none of the `covered` classes.
        A span without classes may be anything."""
        unsaid = [tag for name in CLASSES if name not in covered for tag in _both(name)]
        found = np.full(len(units.starts), self.number([OUTSIDE, *unsaid]), np.uint16)
        for start, end, classes in spans:
            first = int(np.searchsorted(units.ends, start, "right"))
            last = int(np.searchsorted(units.starts, end, "left"))
            if first >= last:
                continue
            if not classes:
                found[first:last] = self.number(range(len(TAGS)))
                continue
            found[first] = self.number(begin(name) for name in classes)
            found[first + 1 : last] = self.number(inside(name) for name in classes)
        return found


def _both(name: str) -> tuple[int, int]:
    return begin(name), inside(name)


_USUAL = {tag for name in USUAL for tag in _both(name)}
