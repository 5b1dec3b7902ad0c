"""Where the vault, people and approvals keep what must last: rows of bytes by space and key.

A store never sees a plain value or a plain name: its users seal both. What it promises is that rows
are written together or not at all, are on the disk when the call returns, and that of two writers
who add the same key, in whatever process or host, one wins and both learn what stands.
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

    def change(self, put: Sequence[Row], drop: Iterable[tuple[str, bytes]] = ()) -> None:
        """Write rows over whatever is there, and take others out beyond recovery, as one step."""

    def close(self) -> None:
        """Let go of files and connections."""


class Memory:
    """A store for tests: it lasts as long as the process, and does as it is told."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[bytes, bytes]] = {}
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

    def change(self, put: Sequence[Row], drop: Iterable[tuple[str, bytes]] = ()) -> None:
        """As the protocol says."""
        with self._lock:
            self._put(put)
            for space, key in drop:
                self._rows.get(space, {}).pop(key, None)

    def close(self) -> None:
        """Nothing to let go of."""

    def _put(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._rows.setdefault(row.space, {})[row.key] = row.value

    def __repr__(self) -> str:
        return f"Memory(<{sum(map(len, self._rows.values()))} rows>)"
