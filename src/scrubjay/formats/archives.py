"""Archives: zip and tar, and single files under gzip. Every file in them goes through
its own reader, its name through the engine; owners, days, comments and attributes stay out.

A member that is damaged, encrypted, a link, outside the archive, or of a kind that nothing reads
refuses all of it.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import lzma
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import IO, Any, BinaryIO

from scrubjay import plugins
from scrubjay.errors import InputError, RefusedError
from scrubjay.formats import directory
from scrubjay.formats.sink import Sink
from scrubjay.formats.work import SPOOL, Work, seekable

BLOCK = 1 << 18
FREE = 1 << 20  # bytes that may be packed as well as they will
LITTER = frozenset([".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX"])
DAMAGE = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error, EOFError,
    OSError, NotImplementedError, ValueError, OverflowError, IndexError, KeyError, RuntimeError,
)  # fmt: skip


@contextlib.contextmanager
def _reading(place: str) -> Iterator[None]:
    """What a library says of a file that it cannot read, in our words."""
    try:
        yield
    except RefusedError as problem:
        raise type(problem)(f"{place}: {problem}") from None
    except DAMAGE as problem:
        raise InputError(f"{place}: damaged ({type(problem).__name__}); pack it anew") from None


class Meter:
    """How much one archive may unpack to, all its members together."""

    def __init__(self, source: BinaryIO, work: Work) -> None:
        packed = source.seek(0, io.SEEK_END)
        source.seek(0)
        self._work = work
        self._left = max(FREE, packed * work.limits.ratio)

    def copy(self, stream: IO[bytes], size: int = -1) -> BinaryIO:
        """All of a member, read to its end before anything of it is used."""
        copy = tempfile.SpooledTemporaryFile(SPOOL)  # noqa: SIM115 - gone when nobody holds it
        while block := stream.read(BLOCK):
            self._work.spend("bytes", len(block))
            self._left -= len(block)
            if self._left < 0:
                raise InputError(
                    f"it unpacks to more than {self._work.limits.ratio} times its size"
                )
            copy.write(block)
        if size not in {-1, copy.tell()}:
            raise InputError("it is cut short")
        copy.seek(0)
        return copy  # type: ignore[return-value]


def _safe(name: str, work: Work) -> list[str]:
    """A path's components; none for what an operating system left there."""
    parts = name.replace("\\", "/").rstrip("/").split("/")
    parts = [part for part in parts if part != "."]
    if ".." in parts or "" in parts or any(":" in part or "\0" in part for part in parts):
        raise InputError("a member's name leads out of the archive")
    if LITTER.intersection(parts) or parts[-1].startswith("._"):
        work.dropped("file of an operating system")
        return []
    return parts


class Names:
    """Clean names of members, each once."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._known: dict[str, str] = {}
        self._taken: set[str] = set()

    def new(self, parts: list[str]) -> str:
        """Without what identifies; one that is taken gets a number."""
        for part in parts:
            if part not in self._known:
                self._known[part] = self._work.name(part)
        path = PurePosixPath(*(self._known[part] for part in parts))
        unique, count = path, 1
        while str(unique).lower() in self._taken:
            count += 1
            unique = path.with_name(f"{path.stem} {count}{path.suffix}")
        self._taken.add(str(unique).lower())
        return str(unique)


def _every(name: str) -> bool:
    return True


class Zip:
    """`zip.v1`: the same members in the same order, deflated."""

    name = "zip.v1"
    suffixes: tuple[str, ...] = (".zip",)

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """Folders of their own stay out: files make them."""
        names = Names(work)
        with (
            _reading("zip"),
            zipfile.ZipFile(Sink(target), "w", zipfile.ZIP_DEFLATED) as new,
        ):
            for number, parts, plain in _zipped(source, work, _every):
                with _reading(f"member {number}"):
                    self._write(new, names.new(parts), plain, work, "/".join(parts))

    def members(
        self, source: BinaryIO, work: Work, wanted: Callable[[str], bool]
    ) -> Iterator[tuple[str, BinaryIO]]:
        """Those whose last name is wanted, as they are."""
        with _reading("zip"):
            for _, parts, plain in _zipped(source, work, wanted):
                yield "/".join(parts), plain

    def _write(
        self, new: zipfile.ZipFile, name: str, plain: BinaryIO, work: Work, called: str
    ) -> None:
        told = zipfile.ZipInfo(name)  # its day is 1980-01-01
        told.external_attr = 0o644 << 16
        told.compress_type = zipfile.ZIP_DEFLATED
        with new.open(told, "w", force_zip64=True) as sink:
            work.file(called, plain, sink)  # type: ignore[arg-type]


def _zipped(
    source: BinaryIO, work: Work, wanted: Callable[[str], bool]
) -> Iterator[tuple[int, list[str], BinaryIO]]:
    """Files in a zip: which member, its name's parts, and what is in it."""
    source = seekable(source)
    meter = Meter(source, work)
    directory.check(source, work.limits.members)
    with zipfile.ZipFile(source) as packed:
        if packed.comment:
            work.dropped("archive comment")
        for number, info in enumerate(packed.infolist(), 1):
            work.spend("members")
            with _reading(f"member {number}"):
                parts = _safe(info.filename, work)
                _check_zipped(info)
                if not parts or info.is_dir() or not wanted(parts[-1]):
                    continue
                with packed.open(info) as stream:
                    plain = meter.copy(stream, info.file_size)
            yield number, parts, plain


def _check_zipped(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & 0x41:
        raise InputError("it is encrypted: unpack it with its password first")
    if stat.S_IFMT(info.external_attr >> 16) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise InputError("it is a link or a device, not a file")


class Tar:
    """`tar.v1`: members in the same order; owners, modes and days are everybody's."""

    name = "tar.v1"
    suffixes: tuple[str, ...] = (".tar",)

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """Folders of their own stay out."""
        names = Names(work)
        with (
            _reading("tar"),
            tarfile.open(fileobj=Sink(target), mode="w|", format=tarfile.PAX_FORMAT) as new,
        ):
            for number, parts, plain in _untarred(source, work, _every):
                with _reading(f"member {number}"):
                    self._write(new, names.new(parts), plain, work, "/".join(parts))

    def members(
        self, source: BinaryIO, work: Work, wanted: Callable[[str], bool]
    ) -> Iterator[tuple[str, BinaryIO]]:
        """Those whose last name is wanted, as they are."""
        with _reading("tar"):
            for _, parts, plain in _untarred(source, work, wanted):
                yield "/".join(parts), plain

    def _write(
        self, new: tarfile.TarFile, name: str, plain: BinaryIO, work: Work, called: str
    ) -> None:
        with tempfile.SpooledTemporaryFile(SPOOL) as sink:
            work.file(called, plain, sink)  # type: ignore[arg-type]
            told = tarfile.TarInfo(name)
            told.size = sink.tell()
            sink.seek(0)
            new.addfile(told, sink)


def _untarred(
    source: BinaryIO, work: Work, wanted: Callable[[str], bool]
) -> Iterator[tuple[int, list[str], BinaryIO]]:
    """As `_zipped`."""
    source = seekable(source)
    meter = Meter(source, work)
    with tarfile.open(fileobj=source, mode="r:") as packed:
        for number, info in enumerate(packed, 1):
            work.spend("members")
            with _reading(f"member {number}"):
                if info.issparse() or not (info.isreg() or info.isdir()):
                    raise InputError("it is a link, a device or sparse, not a file")
                parts = _safe(info.name, work)
                stream = packed.extractfile(info)
                if not stream or not parts or not wanted(parts[-1]):
                    continue
                plain = meter.copy(stream, info.size)
            yield number, parts, plain
        _check_end(source, packed.offset)


def _check_end(source: BinaryIO, at: int) -> None:
    """The library takes a damaged head for the end."""
    source.seek(at)
    last = source.read(BLOCK)
    if not last or last.strip(b"\0") or source.read(BLOCK).strip(b"\0"):
        raise InputError("cut short, damaged, or more behind its end")


class Single:
    """One file, packed again; the name and day in its head stay out. `opened` gives what is in a
    file, `packing` a file to write into."""

    def __init__(
        self, name: str, suffixes: tuple[str, ...], opened: Callable[[BinaryIO], Any],
        packing: Callable[[Any], Any],
    ) -> None:  # fmt: skip
        self.name = name
        self.suffixes = suffixes
        self._opened = opened
        self._packing = packing

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """The file's kind goes by its content, and by its name without the suffix."""
        source = seekable(source)
        with _reading(self.name.partition(".")[0]):
            with self._opened(source) as stream:
                plain = Meter(source, work).copy(stream)
            with self._packing(Sink(target)) as sink:
                work.file(_inner(work.called), plain, sink)

    def members(
        self, source: BinaryIO, work: Work, wanted: Callable[[str], bool]
    ) -> Iterator[tuple[str, BinaryIO]]:
        """The one there is, if its name is wanted, as it is."""
        name = _inner(work.called)
        if wanted(name):
            source = seekable(source)
            with _reading(self.name.partition(".")[0]), self._opened(source) as stream:
                yield name, Meter(source, work).copy(stream)


def _inner(name: str) -> str:
    """`a.txt.gz` -> `a.txt`."""
    path = PurePosixPath(name)
    if path.suffix.lower() in {".tgz", ".tzst"}:
        return f"{path.stem}.tar"
    return path.stem if path.suffix.lower() in {".gz", ".zst", ".gzip"} else path.name


def _gunzip(source: BinaryIO) -> gzip.GzipFile:
    return gzip.GzipFile(fileobj=source, mode="rb")


def _gzip(sink: Any) -> gzip.GzipFile:
    return gzip.GzipFile(filename="", fileobj=sink, mode="wb", mtime=0)


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`zip.v1`, `tar.v1` or `gz.v1`."""
    if name == "gz.v1":
        return Single(name, (".gz", ".tgz"), _gunzip, _gzip)
    return Zip() if name == "zip.v1" else Tar()
