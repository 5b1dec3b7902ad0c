"""Memory of bounded size, for runs of any length and texts by whomever."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Generic, TypeVar, TypeVarTuple

K = TypeVar("K")
V = TypeVar("V")
Rest = TypeVarTuple("Rest")

LONGEST = 200  # characters of what is remembered: longer values are rare, or somebody's attack


def remembered(function: Callable[[str, *Rest], V]) -> Callable[[str, *Rest], V]:
    """A pure function of a word that does not work out the same again."""
    known = lru_cache(1 << 14)(function)

    def call(value: str, *rest: *Rest) -> V:
        return known(value, *rest) if len(value) <= LONGEST else function(value, *rest)

    return wraps(function)(call)


class Recent(Generic[K, V]):
    """Remembers `most` keys or up to twice as many; longest what was asked for last."""

    __slots__ = ("_most", "_old", "_young")

    def __init__(self, most: int) -> None:
        self._most = most
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """What is remembered."""
        found = self._young.get(key)
        if found is None and (found := self._old.get(key)) is not None:
            self.put(key, found)
        return found

    def put(self, key: K, value: V) -> None:
        """Remember."""
        if len(self._young) >= self._most:
            self._old, self._young = self._young, {}
        self._young[key] = value

    def drop(self, key: K) -> None:
        """Forget."""
        self._young.pop(key, None)
        self._old.pop(key, None)

    def __repr__(self) -> str:
        return f"Recent(<{len(self._young)} and {len(self._old)}>)"
