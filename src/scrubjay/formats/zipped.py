"""Zip files that are read with care, and written so that equal contents are equal files."""

from __future__ import annotations

import contextlib
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from lxml import etree

from scrubjay.errors import InputError
from scrubjay.formats import directory
from scrubjay.formats.sink import Sink
from scrubjay.formats.work import Limits, seekable

LOOSE = 1 << 20  # bytes that are never a bomb


class Zip:
    """Members by name, within limits that all share."""

    def __init__(self, source: BinaryIO, limits: Limits) -> None:
        self._limits = limits
        source = seekable(source)
        with told():
            directory.check(source, limits.members)
            self._file = zipfile.ZipFile(source)
        infos = self._file.infolist()
        self.members = {info.filename: info for info in infos}
        if len(self.members) < len(infos):
            raise InputError("two members of one name")
        packed = sum(info.compress_size for info in infos)
        size = sum(info.file_size for info in infos)
        if size > limits.bytes or size > max(LOOSE, limits.ratio * packed):
            raise InputError(f"{size:,} bytes when unpacked: more than such a file may have")
        if any(info.flag_bits & 1 for info in infos):
            raise InputError("it is encrypted: save it without a password first")

    def open(self, name: str) -> Any:
        """One to read; it gives no more than it promised, or the reader fails."""
        if name not in self.members:
            raise InputError("a part that it speaks of is missing: damaged")
        return self._file.open(name)

    def xml(self, name: str) -> Any:
        """The root element of one."""
        with told(), self.open(name) as stream:
            return etree.parse(_Untyped(stream), parser()).getroot()

    def events(self, name: str, *tags: str) -> Iterator[tuple[str, Any]]:
        """What etree.iterparse tells of one."""
        with told(), self.open(name) as stream:
            yield from etree.iterparse(
                _Untyped(stream), events=("start", "end"), tag=tags or None, resolve_entities=False,
                no_network=True, load_dtd=False, huge_tree=False, remove_comments=True,
                remove_pis=True,
            )  # fmt: skip


def parser() -> Any:
    """Of XML that brings nothing with it."""
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip


class _Untyped:
    """A stream of XML without a document type: nothing needs one, and entities come with it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._last = b""

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._stream.read(size)
        seen = (self._last + data).replace(b"\0", b"")
        if b"<!DOCTYPE" in seen:
            raise InputError("XML with a document type: none is needed here")
        self._last = data[-20:]
        return data


@contextlib.contextmanager
def told() -> Iterator[None]:
    """What is wrong with a container, as our error."""
    try:
        yield
    except (
        zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, etree.XMLSyntaxError,
        UnicodeDecodeError, struct.error,
    ):  # fmt: skip
        raise InputError("damaged, or written in a way that is not read") from None


def relations(opened: Zip, part: str) -> dict[str, tuple[str, str]]:
    """By id: what kind of relation, and to which part."""
    folder, name = posixpath.split(part)
    path = posixpath.join(folder, "_rels", f"{name}.rels")
    if path not in opened.members:
        return {}
    found = {}
    for one in opened.xml(path):
        kind = one.get("Type", "").rpartition("/")[2]
        target = one.get("Target", "")
        whole = target[1:] if target.startswith("/") else posixpath.join(folder, target)
        if one.get("TargetMode") != "External":
            found[one.get("Id", "")] = kind, posixpath.normpath(whole)
    return found


class Made:
    """A zip file in the making."""

    def __init__(self, target: BinaryIO) -> None:
        self.file = zipfile.ZipFile(Sink(target), "w", zipfile.ZIP_DEFLATED)

    def add(self, name: str, data: bytes) -> None:
        """One member, of no time and nobody."""
        with self.open(name) as sink:
            sink.write(data)

    def open(self, name: str) -> Any:
        """One to write."""
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        return self.file.open(info, "w", force_zip64=True)
