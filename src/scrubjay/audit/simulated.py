"""A disk that is killed where a test wants, and then forgets as real ones may."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

SECTOR = 512  # what a real disk writes whole


class Killed(BaseException):
    """The process ended here: no handler of the program may catch it."""


class Disk:
    """As `disk.Disk`. `fuse` is how many more steps it takes; `away` is a folder out of reach."""

    def __init__(self, fuse: int = -1) -> None:
        self.fuse = fuse
        self.steps = 0
        self.away: Path | None = None
        self._names: dict[Path, int] = {}
        self._kept_names: dict[Path, int] = {}
        self._data: dict[int, bytes] = {}
        self._kept: dict[int, bytes] = {}

    def read(self, path: Path, offset: int = 0, length: int = -1) -> bytes:
        """As the protocol says."""
        data = self._data[self._find(path)][offset:]
        return data if length < 0 else data[:length]

    def write(self, path: Path, data: bytes, offset: int | None = None) -> None:
        """As the protocol says. Killed here, any part of it may have happened."""
        if offset is None:
            self._reach(path)
            self._names[path] = max(self._data, default=0) + 1
            self._data[self._names[path]] = data
        else:
            at = self._find(path)
            held = self._data[at].ljust(offset, b"\0")
            self._data[at] = held[:offset] + data + held[offset + len(data) :]
        self._step()

    def move(self, old: Path, new: Path) -> None:
        """As the protocol says."""
        self._names[new] = self._find(old)
        del self._names[old]
        self._step()

    def sync(self, paths: Iterable[Path]) -> None:
        """As the protocol says. Killed here, it has not happened."""
        for path in paths:
            self._step()
            if path in self._names:
                self._kept[self._find(path)] = self._data[self._names[path]]
            else:
                self._sync_names(path)

    def _sync_names(self, folder: Path) -> None:
        for path in {*self._names, *self._kept_names}:
            if path.parent == folder:
                _copy(path, self._names, self._kept_names)

    def clear(self, path: Path) -> None:
        """As the protocol says."""
        for name in [name for name in self._names if name.parent == path]:
            del self._names[name]
        self._step()

    @contextmanager
    def lock(self, path: Path) -> Iterator[None]:
        """As the protocol says; a test has one process."""
        yield

    def crash(self, dice: Random) -> Disk:
        """The disk after the power came back: what was not synced is there, or not, or in part."""
        after = Disk()
        for path in sorted({*self._names, *self._kept_names}):
            source = dice.choice((self._names, self._kept_names))
            _copy(path, source, after._names)
        for at in sorted(set(after._names.values())):
            after._data[at] = _torn(self._kept.get(at, b""), self._data[at], dice)
        after._kept, after._kept_names = dict(after._data), dict(after._names)
        return after

    def files(self) -> dict[Path, bytes]:
        """All files."""
        return {path: self._data[at] for path, at in sorted(self._names.items())}

    def _find(self, path: Path) -> int:
        self._reach(path)
        if path not in self._names:
            raise FileNotFoundError(2, "No such file", str(path))
        return self._names[path]

    def _reach(self, path: Path) -> None:
        if self.away and self.away in path.parents:
            raise OSError(5, "Input/output error", str(path))

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self.fuse:
            raise Killed


def _copy(path: Path, source: dict[Path, int], target: dict[Path, int]) -> None:
    if path in source:
        target[path] = source[path]
    else:
        target.pop(path, None)


def _torn(old: bytes, new: bytes, dice: Random) -> bytes:
    """Each sector old or new; the length of either."""
    length = len(dice.choice((old, new)))
    sectors = range(0, length, SECTOR)
    mixed = b"".join(
        dice.choice((old, new))[at : at + SECTOR].ljust(SECTOR, b"\0") for at in sectors
    )
    return mixed[:length]
