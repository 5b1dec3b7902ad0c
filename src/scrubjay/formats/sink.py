"""A stream to write into, as libraries want one: it tells how far it is."""

from __future__ import annotations

import io
from typing import Any, BinaryIO


class Sink(io.RawIOBase):
    """Passes bytes on, and leaves the target open."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._size = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """All of it."""
        self._target.write(bytes(data))
        self._size += len(data)
        return len(data)

    def tell(self) -> int:
        """Bytes so far."""
        return self._size
