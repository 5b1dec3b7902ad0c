"""The Merkle tree of RFC 6962, 2.1: hashes, the right edge that grows, and proofs. No IO.

A subtree of 256 leaves is a tile (C2SP tlog-tiles): of a tree, only every eighth level is kept, and
of a growing one only the unfinished tile of each such level, its right edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

WIDTH = 256  # hashes in a whole tile
SIZE = 32  # bytes of a hash
EMPTY = sha256(b"").digest()

Hashes = Callable[[int, int, int], list[bytes]]
"""(level, first, last): the hashes of one tile's level, half-open."""


class Tile(NamedTuple):
    """Neighbouring hashes at one of the kept levels. 256 of them: it will not change again."""

    level: int
    place: int  # among the tiles of its level
    data: bytes

    @property
    def width(self) -> int:
        """How many hashes it holds."""
        return len(self.data) // SIZE


def leaf(data: bytes) -> bytes:
    """The hash of an entry."""
    return sha256(b"\x00" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The hash over neighbouring subtrees, all of one size but the last, which may be smaller."""
    row, new = list(hashes), sha256
    while len(row) > 1:
        pairs = zip(row[::2], row[1::2], strict=False)
        row = [new(b"\x01" + a + b).digest() for a, b in pairs] + row[len(row) & ~1 :]
    return row[0] if row else EMPTY


def split(data: bytes) -> list[bytes]:
    """A tile's hashes."""
    return [data[at : at + SIZE] for at in range(0, len(data), SIZE)]


class Edge:
    """The right edge: of each kept level the hashes that do not fill a tile yet."""

    def __init__(self, rows: Iterable[bytes] = ()) -> None:
        self.rows = [split(row) for row in rows]

    @property
    def size(self) -> int:
        """Leaves in the tree."""
        return sum(len(row) * WIDTH**level for level, row in enumerate(self.rows))

    def add(self, hashes: Iterable[bytes]) -> list[Tile]:
        """Take leaves in; the tiles that they filled."""
        filled: list[Tile] = []
        for value in hashes:
            self._put(0, value, filled)
        return filled

    def _put(self, level: int, value: bytes, filled: list[Tile]) -> None:
        if level == len(self.rows):
            self.rows.append([])
        row = self.rows[level]
        row.append(value)
        if len(row) == WIDTH:
            self.rows[level] = []
            self._put(level + 1, root(row), filled)
            filled.append(Tile(level, self._index(level) - 1, b"".join(row)))

    def _index(self, level: int) -> int:
        """Whole tiles at a level."""
        above = self.rows[level + 1 :]
        return sum(len(row) * WIDTH**step for step, row in enumerate(above))

    def root(self, below: bytes | None = None) -> bytes:
        """The tree's hash. `below` is a smaller subtree to the right of it."""
        last = below
        for row in self.rows:
            if row:
                last = root(row if last is None else [*row, last])
        return EMPTY if last is None else last

    def tiles(self) -> list[Tile]:
        """The unfinished tiles."""
        rows = enumerate(self.rows)
        return [Tile(at, self._index(at), b"".join(row)) for at, row in rows if row]

    def packed(self) -> list[bytes]:
        """What `Edge` takes to be this one again."""
        return [b"".join(row) for row in self.rows]


def span(hashes: Hashes, start: int, end: int) -> bytes:
    """The hash over leaves start to end, a range that RFC 6962 cuts trees into."""
    level, last = 0, None
    while end - start >= WIDTH:
        whole = end // WIDTH * WIDTH
        if whole < end:
            row = hashes(level, whole, end)
            last = root(row if last is None else [*row, last])
        level, start, end = level + 1, start // WIDTH, end // WIDTH
    row = hashes(level, start, end) if start < end else []
    return root(row if last is None else [*row, last])


def _cut(size: int) -> int:
    """The largest power of two below a size (RFC 6962, 2.1)."""
    return 1 << (size - 1).bit_length() - 1


def inclusion(hashes: Hashes, number: int, size: int) -> list[bytes]:
    """The path from leaf `number` up to the root of `size` leaves (RFC 6962, 2.1.1)."""
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _cut(end - start)
        if number < middle:
            path.append(span(hashes, middle, end))
            end = middle
        else:
            path.append(span(hashes, start, middle))
            start = middle
    return path[::-1]


def included(leaf_hash: bytes, number: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a path leads to; none if it is not a path of that shape."""
    if not 0 <= number < size:
        return None
    value, last = leaf_hash, size - 1
    for beside in path:
        if not last:
            return None
        if number % 2 or number == last:
            value = node(beside, value)
            while not number % 2 and number:
                number, last = number >> 1, last >> 1
        else:
            value = node(value, beside)
        number, last = number >> 1, last >> 1
    return None if last else value


def consistency(hashes: Hashes, old: int, size: int) -> list[bytes]:
    """What shows that the tree of `old` leaves is the beginning of this one (RFC 6962, 2.1.2)."""
    path: list[bytes] = []
    start, end, whole = 0, size, True
    while end != old:
        middle = start + _cut(end - start)
        if old <= middle:
            path.append(span(hashes, middle, end))
            end = middle
        else:
            path.append(span(hashes, start, middle))
            start, whole = middle, False
    if not whole:
        path.append(span(hashes, start, end))
    return path[::-1]


class Head(NamedTuple):
    """A tree at one time. As text, short enough for paper: `1234 base64=`."""

    size: int
    root: bytes


def consistent(old: Head, new: Head, path: Sequence[bytes]) -> bool:
    """Whether a path shows that `old` is the beginning of `new` (RFC 9162, 2.1.4.2)."""
    if not 0 < old.size < new.size:
        return not path and (old == new if old.size else old.root == EMPTY)
    steps = [old.root, *path] if old.size & old.size - 1 == 0 else list(path)
    number, last = old.size - 1, new.size - 1
    while number % 2:
        number, last = number >> 1, last >> 1
    if not steps:
        return False
    was = now = steps[0]
    for beside in steps[1:]:
        if not last:
            return False
        if number % 2 or number == last:
            was, now = node(beside, was), node(beside, now)
            while not number % 2 and number:
                number, last = number >> 1, last >> 1
        else:
            now = node(now, beside)
        number, last = number >> 1, last >> 1
    return (was, now, last) == (old.root, new.root, 0)
