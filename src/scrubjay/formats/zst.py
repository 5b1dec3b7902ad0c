"""Single files under Zstandard, as `archives` reads those under gzip."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import zstandard

from scrubjay import plugins
from scrubjay.formats.archives import Single


class Frames(io.RawIOBase):
    """All frames of a file. The library's own stream takes a cut for the end."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 27)
        self._frame: Any = None

    def read(self, size: int = -1) -> bytes:
        """What the next bytes unpack to; a thousand of them are no bomb yet."""
        while data := self._source.read(1 << 10):
            plain = self._frames(data)
            if plain:
                return plain
        if self._frame is not None:
            raise EOFError
        return b""

    def _frames(self, data: bytes) -> bytes:
        told = b""
        while data:
            self._frame = self._frame or self._unpacker.decompressobj()
            try:
                told += self._frame.decompress(data)
            except zstandard.ZstdError:
                raise OSError from None
            data = self._frame.unused_data if self._frame.eof else b""
            if self._frame.eof:
                self._frame = None
        return told


def _packing(sink: Any) -> Any:
    return zstandard.ZstdCompressor(write_checksum=True).stream_writer(sink, closefd=False)


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`zst.v1`."""
    return Single(name, (".zst", ".tzst"), Frames, _packing)
