"""What a file is, by its content first and its name last: a renamed scan is still a scan, and what
nobody knows is refused rather than copied.
"""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import PurePath
from typing import BinaryIO

from msgspec import Struct

from scrubjay import plugins
from scrubjay.errors import InputError

HEAD = 1 << 12  # bytes that are looked at
BOMS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")


class Kind(Struct, frozen=True):
    """One kind of file. `magic`: bytes and where they stand; `member`: of a zip, a name that only
    this kind has; `shape`: how its text begins, seen in what is text; `extra`: what to install."""

    name: str
    module: str
    suffixes: tuple[str, ...] = ()
    magic: tuple[tuple[int, bytes], ...] = ()
    member: str = ""
    shape: str = ""
    extra: str = ""


# What is more special comes first.
KINDS = (
    Kind("dicom.v1", "dicom", (".dcm", ".dicom"), ((128, b"DICM"),), extra="dicom"),
    Kind("dicom-basic.v1", "dicom", extra="dicom"),
    Kind("jsonl.v1", "jsonl", (".jsonl", ".ndjson")),
    Kind("lines.v1", "text", (".log",)),
    Kind("text.v1", "text", (".txt", ".text", ".md", "")),
)
SUFFIXES = frozenset(suffix for kind in KINDS for suffix in kind.suffixes)
ZIP = (0, b"PK\x03\x04")


def of(path: PurePath, source: BinaryIO) -> str:
    """The name of a file's format. The source is left at its start."""
    head = source.read(HEAD)
    source.seek(0)
    found = [kind for kind in KINDS if any(head.startswith(m, at) for at, m in kind.magic)]
    if any(head.startswith(ZIP[1]) and ZIP in kind.magic for kind in found):
        found = _zipped(found, source)
    if found:
        return found[0].name
    return _text(path.suffix.lower(), head)


def _zipped(kinds: list[Kind], source: BinaryIO) -> list[Kind]:
    """Those of the kinds that have their member in this zip, then those that need none."""
    try:
        with zipfile.ZipFile(source) as packed:
            names = set(packed.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise InputError("it begins as a zip and is none: damaged or cut short") from None
    finally:
        source.seek(0)
    return [kind for kind in kinds if not kind.member or kind.member in names]


def _text(suffix: str, head: bytes) -> str:
    """Of what has no magic number."""
    named = next((kind for kind in KINDS if suffix in kind.suffixes), None)
    if named and named.magic:
        raise InputError(f"it is named {suffix} and is none; see what wrote it, or rename it")
    if b"\0" in head and not head.startswith(BOMS):
        at = head.index(b"\0")
        raise InputError(f"NUL character at {at}: no text, and no reader for this kind of file")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").decode("latin-1")
    shaped = next((k for k in KINDS if k.shape and re.match(k.shape, start, re.S)), None)
    if shaped or named:
        return (shaped or named).name  # type: ignore[union-attr]
    for name, third in plugins.every("formats").items():
        if suffix in third(encoding="utf-8", group="").suffixes:
            return name
    known = " ".join(sorted(filter(None, SUFFIXES)))
    raise InputError(
        f"no reader for '{suffix}' files; readable: {known}. If it is plain text, say --format text"
    )


def sample(data: bytes, name: str = "") -> str:
    """The format of bytes at hand."""
    return of(PurePath(name), io.BytesIO(data))
