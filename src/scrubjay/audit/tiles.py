"""The log as files that any static server can serve (C2SP tlog-tiles)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scrubjay.audit.disk import Disk
from scrubjay.audit.tree import SIZE, WIDTH, Edge, Tile, split
from scrubjay.errors import AuditError

CHECKPOINT = "checkpoint"
ENTRIES = "entries"
LONGEST = (1 << 16) - 1  # bytes of a leaf: its length has two bytes


def name(level: int | str, index: int, width: int = WIDTH) -> str:
    """Where a tile lies: `tile/0/x001/067`, `tile/entries/003.p/17`."""
    digits = f"{index:d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
    return f"tile/{level}/{path}" + (f".p/{width}" if width < WIDTH else "")


def bundle(leaves: Sequence[bytes]) -> bytes:
    """Leaves as a file has them."""
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def unbundle(data: bytes) -> list[bytes]:
    """A file's leaves; what is left over comes as one more that is too short to be a leaf."""
    leaves, at, last = [], 0, len(data) - 1
    while at < last:
        end = at + 2 + (data[at] << 8 | data[at + 1])
        leaves.append(data[at + 2 : end] if end <= len(data) else b"")
        at = end
    return [*leaves, b""] if at == last else leaves


def grow(
    edge: Edge, tail: list[bytes], leaves: Sequence[bytes], hashes: Sequence[bytes]
) -> dict[str, bytes]:
    """The files that leaves fill; edge and tail, the leaves of no whole bundle, take them in."""
    files: dict[str, bytes] = {}
    first = edge.size - len(tail)
    tail.extend(leaves)
    for tile in edge.add(hashes):
        files[name(tile.level, tile.place)] = tile.data
    while len(tail) >= WIDTH:
        files[name(ENTRIES, first // WIDTH)] = bundle(tail[:WIDTH])
        del tail[:WIDTH]
        first += WIDTH
    return files


def unfinished(edge: Edge, tail: Sequence[bytes]) -> dict[str, bytes]:
    """The files of the right edge, which a longer log replaces."""
    files = {name(tile.level, tile.place, tile.width): tile.data for tile in edge.tiles()}
    if tail:
        files[name(ENTRIES, edge.size // WIDTH, len(tail))] = bundle(tail)
    return files


class Tiles:
    """The files of a log of one size. What is absent or too short is an `AuditError`."""

    def __init__(self, disk: Disk, folder: Path, size: int) -> None:
        self._disk = disk
        self._folder = folder
        self.size = size

    def __str__(self) -> str:
        return str(self._folder)

    def _read(self, level: int | str, index: int, width: int) -> bytes:
        """The tile's file; where it is gone because a whole one has come since, that one."""
        try:
            try:
                return self._disk.read(self._folder / name(level, index, width))
            except FileNotFoundError:
                return self._disk.read(self._folder / name(level, index))
        except OSError as problem:
            where = name(level, index, width)
            raise AuditError(f"{self._folder}: {where}: {problem.strerror}") from None

    def width(self, level: int, index: int) -> int:
        """How many hashes of a tile belong to the tree."""
        whole: int = self.size // WIDTH**level
        return min(WIDTH, whole - index * WIDTH)

    def tile(self, level: int, index: int) -> Tile:
        """One tile."""
        width = self.width(level, index)
        data = self._read(level, index, width)[: width * SIZE]
        if len(data) != width * SIZE:
            where = name(level, index, width)
            raise AuditError(f"{self._folder}: {where} has {len(data)} bytes, not {width * SIZE}")
        return Tile(level, index, data)

    def leaves(self, index: int) -> list[bytes]:
        """The leaves of a bundle, as many as it holds."""
        width = self.width(0, index)
        found = unbundle(self._read(ENTRIES, index, width))
        return found[:width] if len(found) == WIDTH else found

    def hashes(self, level: int, first: int, last: int) -> list[bytes]:
        """As `tree.Hashes`."""
        start = first % WIDTH * SIZE
        data = self.tile(level, first // WIDTH).data
        return split(data[start : start + (last - first) * SIZE])

    def leaf(self, number: int) -> bytes:
        """One leaf."""
        found = self.leaves(number // WIDTH)
        if number % WIDTH >= len(found):
            raise AuditError(f"{self._folder}: entry {number} is not in its bundle")
        return found[number % WIDTH]

    def edge(self) -> tuple[list[bytes], list[bytes]]:
        """The unfinished tiles by level, and the leaves of the unfinished bundle."""
        rows, level, size = [], 0, self.size
        while size:
            unfinished = size % WIDTH
            rows.append(self.tile(level, size // WIDTH).data if unfinished else b"")
            level, size = level + 1, size // WIDTH
        return rows, self.leaves(self.size // WIDTH) if self.size % WIDTH else []
