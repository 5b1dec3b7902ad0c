"""Where the vault, people and approvals keep what must last: rows of bytes by space and key.

A store never sees a plain value or a plain name: its users seal both. What it promises is that rows
are written together or not at all, are on the disk when the call returns, and that of two writers
who add the same key, or change the same row, in whatever process or host, one wins and both learn
it. A store counts its writes, so that an old copy of it can be told from the newest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from threading import Lock
from typing import NamedTuple, Protocol


class Row(NamedTuple):
    """One value at its place."""

    space: str
    key: bytes
    value: bytes


class Store(Protocol):
    """Raise `VaultError` where it cannot be read or written; never answer in part."""

    def get(self, space: str, keys: Sequence[bytes]) -> list[bytes | None]:
        """The value of each key, in order."""

    def items(self, space: str) -> Iterator[tuple[bytes, bytes]]:
        """All keys and values of a space, by key."""

    def add(self, rows: Sequence[Row]) -> bool:
        """All rows, or none if any of their keys is taken; whether they were added."""

    def change(
        self,
        put: Sequence[Row],
        drop: Iterable[tuple[str, bytes]] = (),
        *,
        expect: Sequence[Row] = (),
    ) -> bool:
        """Write rows over whatever is there, and take others out beyond recovery, as one step; or
        nothing, if a row of `expect` is not there with that value. Whether it was done."""

    def rows(self) -> Iterator[Row]:
        """Every row, all as of one moment."""

    def writes(self) -> int:
        """How many adds and changes were ever done. It never falls, but in an old copy."""

    def close(self) -> None:
        """Let go of files and connections."""


class Memory:
    """A store for tests: it lasts as long as the process, and does as it is told."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[bytes, bytes]] = {}
        self._writes = 0
        self._lock = Lock()

    def get(self, space: str, keys: Sequence[bytes]) -> list[bytes | None]:
        """As the protocol says."""
        held = self._rows.get(space, {})
        return [held.get(key) for key in keys]

    def items(self, space: str) -> Iterator[tuple[bytes, bytes]]:
        """As the protocol says."""
        yield from sorted(self._rows.get(space, {}).items())

    def add(self, rows: Sequence[Row]) -> bool:
        """As the protocol says."""
        with self._lock:
            if any(row.key in self._rows.get(row.space, {}) for row in rows):
                return False
            self._put(rows)
            return True

    def change(
        self,
        put: Sequence[Row],
        drop: Iterable[tuple[str, bytes]] = (),
        *,
        expect: Sequence[Row] = (),
    ) -> bool:
        """As the protocol says."""
        with self._lock:
            if any(self._rows.get(row.space, {}).get(row.key) != row.value for row in expect):
                return False
            self._put(put)
            for space, key in drop:
                self._rows.get(space, {}).pop(key, None)
            return True

    def rows(self) -> Iterator[Row]:
        """As the protocol says."""
        with self._lock:
            every = [Row(at, *item) for at, held in self._rows.items() for item in held.items()]
        yield from every

    def writes(self) -> int:
        """As the protocol says."""
        return self._writes

    def close(self) -> None:
        """Nothing to let go of."""

    def _put(self, rows: Sequence[Row]) -> None:
        self._writes += 1
        for row in rows:
            self._rows.setdefault(row.space, {})[row.key] = row.value

    def __repr__(self) -> str:
        return f"Memory(<{sum(map(len, self._rows.values()))} rows>)"
