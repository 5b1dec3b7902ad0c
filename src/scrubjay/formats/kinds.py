"""What a file is, by its content first and its name last: a renamed scan is still a scan, and what
nobody knows is refused rather than copied.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from functools import cache
from pathlib import PurePath
from typing import BinaryIO

from msgspec import Struct

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats import directory, fields

HEAD = 1 << 12  # bytes that are looked at
PLAIN = (".txt", ".text", "")
COLUMNS = "\t|;,"  # what parts them
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


ZIP = (0, b"PK\x03\x04")
OLE = (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
MAIL = (
    r"(?i)(?:return-path|received|delivered-to|mime-version|message-id|dkim-signature):.*?"
    r"\n(?:message-id|mime-version|from):"
)

# What is more special comes first.
KINDS = (
    Kind("dicom.v1", "dicom", (".dcm", ".dicom"), ((128, b"DICM"),), extra="dicom"),
    Kind("dicom-basic.v1", "dicom", extra="dicom"),
    Kind("pdf.v1", "pdf", (".pdf",), ((0, b"%PDF-"),), extra="files"),
    Kind("image.v1", "image", (".png",), ((0, b"\x89PNG\r\n\x1a\n"),), extra="ocr"),
    Kind("image.v1", "image", (".jpg", ".jpeg"), ((0, b"\xff\xd8\xff"),), extra="ocr"),
    Kind("image.v1", "image", (".tif", ".tiff"), ((0, b"II*\0"), (0, b"MM\0*")), extra="ocr"),
    Kind("image.v1", "image", (".webp",), ((8, b"WEBP"),), extra="ocr"),
    Kind(
        "fhir.v1",
        "fhir",
        shape=r'\{.*"resourceType"\s*:\s*"[A-Z]|<[^\0]*?xmlns="http://hl7.org/fhir"',
    ),
    Kind("hl7v2.v1", "hl7v2", (".hl7",), shape=r"\x0b?(MSH|FHS|BHS)[^\w\s].{1,5}"),
    Kind("ccda.v1", "ccda", (".ccda", ".cda"), shape=r"<[^\0]*?[<:]ClinicalDocument[\s>/]"),
    Kind(
        "x12.v1", "x12", (".x12", ".edi", ".837", ".835"), shape=r"ISA[^\w\s][0-9]{2}[^\w\s].{98}"
    ),
    Kind("parquet.v1", "arrow", (".parquet", ".pq"), ((0, b"PAR1"),), extra="files"),
    Kind("arrow.v1", "arrow", (".arrow", ".feather", ".ipc"), ((0, b"ARROW1"),), extra="files"),
    Kind("docx.v1", "ooxml", (".docx", ".docm"), (ZIP,), "word/document.xml"),
    Kind("docx.v1", "ooxml", (".dotx", ".dotm"), (ZIP,), "word/settings.xml"),
    Kind("pptx.v1", "ooxml", (".pptx", ".ppsx"), (ZIP,), "ppt/presentation.xml"),
    Kind("pptx.v1", "ooxml", (".pptm", ".potx"), (ZIP,), "ppt/presProps.xml"),
    Kind("odf.v1", "odf", (".odt", ".odp", ".odg", ".ods"), (ZIP,), "META-INF/manifest.xml"),
    Kind(
        "odf.v1",
        "odf",
        (".fodt", ".fods", ".fodp", ".fodg"),
        shape=r"<\?xml[^\0]*?<office:document\s",
    ),
    Kind("ole.v1", "ole", (".doc", ".xls", ".ppt", ".msg"), (OLE,)),
    Kind(
        "xlsx.v1",
        "xlsx",
        (".xlsx", ".xlsm"),
        (ZIP,),
        "xl/workbook.xml",
        extra="files",
    ),
    Kind(
        "sqlite.v1", "sqlite", (".sqlite", ".sqlite3", ".db", ".db3"), ((0, b"SQLite format 3\0"),)
    ),
    Kind("sql.v1", "sql", (".sql",)),
    Kind("csv.v1", "csv", (".csv", ".tsv", ".tab", ".psv")),
    Kind("zip.v1", "archives", (".zip",), magic=(ZIP, (0, b"PK\x05\x06"))),
    Kind("tar.v1", "archives", (".tar",), magic=((257, b"ustar"),)),
    Kind("gz.v1", "archives", (".gz", ".tgz"), magic=((0, b"\x1f\x8b"),)),
    Kind("zst.v1", "zst", (".zst", ".tzst"), magic=((0, b"\x28\xb5\x2f\xfd"),), extra="files"),
    Kind("json.v1", "json", (".json", ".geojson", ".ipynb", ".har", ".webmanifest")),
    Kind("jsonl.v1", "jsonl", (".jsonl", ".ndjson")),
    Kind("xml.v1", "xml", (".xml", ".svg", ".rss", ".atom", ".kml", ".gpx"), shape=r"<\?xml\s"),
    Kind("html.v1", "html", (".html", ".htm", ".xhtml"), shape=r"(?i)<!doctype html|<html\b"),
    Kind("eml.v1", "mail", (".eml",), shape=MAIL),
    Kind("mbox.v1", "mail", (".mbox", ".mbx"), shape=r"From \S+ +[A-Z][a-z]{2} [A-Z][a-z]{2} +\d"),
    Kind("ics.v1", "cards", (".ics", ".ical", ".ifb"), shape=r"(?i)BEGIN:VCALENDAR\s"),
    Kind("vcf.v1", "cards", (".vcf", ".vcard"), shape=r"(?i)BEGIN:VCARD\s"),
    Kind("rtf.v1", "rtf", (".rtf",), magic=((0, b"{\\rtf"),)),
    Kind("srt.v1", "subtitles", (".srt", ".vtt"), shape=r"WEBVTT\s"),
    Kind("ini.v1", "settings", (".ini", ".cfg", ".conf", ".properties", ".env")),
    Kind("toml.v1", "toml", (".toml",)),
    Kind("yaml.v1", "yaml", (".yaml", ".yml"), extra="files"),
    Kind("lines.v1", "text", (".log",)),
    Kind("text.v1", "text", (".txt", ".text", ".md", "")),
)
SUFFIXES = frozenset(suffix for kind in KINDS for suffix in kind.suffixes)
MAGIC = tuple((kind, at, magic) for kind in KINDS for at, magic in kind.magic)


def of(path: PurePath, source: BinaryIO) -> str:
    """The name of a file's format. The source is left at its start."""
    head = source.read(HEAD)
    source.seek(0)
    found = [kind for kind, at, magic in MAGIC if head.startswith(magic, at)]
    if any(head.startswith(ZIP[1]) and ZIP in kind.magic for kind in found):
        found = _zipped(found, source)
    if found:
        return found[0].name
    return _text(path.suffix.lower(), head)


def _zipped(kinds: list[Kind], source: BinaryIO) -> list[Kind]:
    """Those of the kinds that have their member in this zip, then those that need none."""
    try:
        directory.check(source)
        with zipfile.ZipFile(source) as packed:
            names = set(packed.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error):
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
    shaped = next((kind for kind, shape in _shapes() if shape.match(start)), None)
    if not shaped and suffix in PLAIN and _table(start):
        return "csv.v1"
    if shaped or named:
        return (shaped or named).name  # type: ignore[union-attr]
    for name, third in plugins.every("formats").items():
        if suffix in third(encoding="utf-8", group="").suffixes:
            return name
    known = " ".join(sorted(filter(None, SUFFIXES)))
    raise InputError(
        f"no reader for '{suffix}' files; readable: {known}. If it is plain text, say --format text"
    )


@cache
def _shapes() -> list[tuple[Kind, re.Pattern[str]]]:
    return [(kind, re.compile(kind.shape, re.S)) for kind in KINDS if kind.shape]


def _table(start: str) -> bool:
    """Whether a text begins as a table: names of columns, two of people's data, rows as wide."""
    lines = [line for line in start.splitlines() if line.strip()]
    if len(start) > HEAD // 2:  # the last may be cut
        lines = lines[:-1]
    head, *rows = lines or [""]
    return any(
        rows
        and 0 < head.count(sign) <= min(row.count(sign) for row in rows)
        and sum(bool(fields.label(name.strip(' "'))) for name in head.split(sign)) > 1
        for sign in COLUMNS
    )


def sample(data: bytes, name: str = "") -> str:
    """The format of bytes at hand."""
    return of(PurePath(name), io.BytesIO(data))
