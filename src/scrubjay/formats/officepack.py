"""The zip file of an office document or workbook: read with care, and written so that equal parts
are equal bytes, without days, comments and extra fields.
"""

from __future__ import annotations

import contextlib
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, BinaryIO

from scrubjay.errors import InputError
from scrubjay.formats import directory, xmltree
from scrubjay.formats.sink import Sink
from scrubjay.formats.work import Work, seekable
from scrubjay.formats.xmltree import Node

FREE = 1 << 20  # bytes that may be packed as well as they will
DECLARED = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
PICTURES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
}
EMPTY = bytes.fromhex(  # a white picture of one pixel
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a494441"
    "54789c63f80f0001010100b138f6140000000049454e44ae426082"
)
DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, ValueError,
    NotImplementedError, OverflowError, IndexError, RuntimeError,
)  # fmt: skip


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """What is wrong with a package, as our error."""
    try:
        yield
    except DAMAGE as problem:
        raise InputError(f"damaged ({type(problem).__name__}): save it anew") from None


class Pack:
    """Parts by name, whatever its case, within limits that files within files share."""

    def __init__(self, source: BinaryIO, work: Work) -> None:
        self._work = work
        with reading():
            directory.check(source := seekable(source), work.limits.members)
            self._file = zipfile.ZipFile(source)
        infos = self._file.infolist()
        self._infos = {info.filename.lower(): info for info in infos}
        if len(self._infos) < len(infos):
            raise InputError("two parts of one name: damaged")
        if any(info.flag_bits & 0x41 for info in infos):
            raise InputError("it is encrypted: save it without a password first")
        size = sum(info.file_size for info in infos)
        packed = sum(info.compress_size for info in infos)
        work.spend("members", len(infos))
        work.spend("bytes", size)
        if size > max(FREE, work.limits.ratio * packed):
            raise InputError(f"{size:,} bytes when unpacked: more than such a file may have")

    def __iter__(self) -> Iterator[str]:
        """Names in lower case, without folders."""
        return (name for name in self._infos if not name.endswith("/"))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._infos

    def open(self, name: str) -> IO[bytes]:
        """A part to read; it gives no more than it promised, or the reader fails."""
        return self._file.open(self._info(name))

    def data(self, name: str) -> bytes:
        """All of a part."""
        info, most = self._info(name), self._work.limits.text
        if info.file_size > most:
            raise InputError(f"a part of more than {most >> 20} MiB")
        with reading():
            return self._file.read(info)  # never more than it said

    def tree(self, name: str) -> Node:
        """A part of XML."""
        return xmltree.parse(self.data(name), renames=False)

    def cleaned(self, name: str, suffix: str) -> bytes | None:
        """A file within this one, by the reader that knows it; nothing if none does."""
        return cleaned(self.data(name), suffix, self._work)

    def _info(self, name: str) -> zipfile.ZipInfo:
        if name not in self:
            raise InputError("a part that it needs is missing: damaged")
        return self._infos[name.lower()]


def cleaned(data: bytes, suffix: str, work: Work) -> bytes | None:
    """As `Pack.cleaned`, of a file at hand."""
    if data == EMPTY:  # our own, of an earlier time
        return data
    try:
        return work.cleaned(f"file{suffix}", data)
    except InputError:
        return None


def markup(tree: Node) -> bytes:
    """A part of XML, as it is written."""
    return DECLARED + xmltree.write(tree).encode("utf-8")


class Made:
    """A package in the making. Headers are plain in a target where one can go back to them."""

    def __init__(self, target: BinaryIO) -> None:
        whole = target if hasattr(target, "flush") else Sink(target)  # a zip asks for it at its end
        self.file = zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED)

    def add(self, name: str, data: bytes) -> None:
        """One member, of no time and nobody. Of ODF the first is its kind, which lies there
        unpacked."""
        packed = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
        self.file.writestr(_info(name), data, packed)

    def open(self, name: str) -> IO[bytes]:
        """One to write, which may be large."""
        return self.file.open(_info(name), "w", force_zip64=True)


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info


def write(parts: Iterable[tuple[str, bytes]], target: BinaryIO) -> None:
    """A package of them, in order."""
    whole = io.BytesIO()
    made = Made(whole)
    for name, data in parts:
        made.add(name, data)
    made.file.close()
    target.write(whole.getbuffer())
