"""What people marked: records of JSON Lines files and of marked texts, read whole or refused with
file and line. No error holds text of a document.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec
from msgspec import Struct, field

from scrubjay import marked
from scrubjay.errors import InputError

JSONL = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
KINDS = ("DIRECT", "QUASI", "NO_MASK")  # of TAB: what a span is to whoever wants to identify
_LABEL = re.compile(r"[\w .:/-]{1,64}")


class Gold(Struct, frozen=True):
    """A place that people marked. `kind` and `entity` are TAB's: how it identifies, and whom."""

    start: int
    end: int
    label: str
    kind: str = ""
    entity: str = ""

    @property
    def must(self) -> bool:
        """Whether it has to be covered."""
        return self.kind != "NO_MASK"


class Record(Struct, frozen=True):
    """One document with all that people marked in it. `place` is its file and line."""

    id: str
    text: str
    spans: tuple[Gold, ...]
    register: str = ""
    language: str = ""
    place: str = ""

    def __repr__(self) -> str:
        return f"Record({self.id!r}, <{len(self.text)} characters>, {len(self.spans)} spans)"


class _Span(Struct):
    start: int
    end: int
    label: str
    identifier_type: str = ""
    id_type: str = ""
    entity: str | int = ""
    entity_id: str | int = ""


class _Line(Struct):
    text: str
    spans: list[_Span]
    id: str | int = ""
    lang: str | None = ""
    source: str | None = ""
    reg: str | None = field(name="register", default="")


def is_marked(path: Path) -> bool:
    """Whether a file is a marked text. All of our labels are marked in one."""
    return path.suffix.lower() == ".txt"


def read(path: Path, limit: int | None = None) -> list[Record]:
    """The records of a file, or the first `limit`."""
    if not is_marked(path) and not path.name.lower().endswith(JSONL):
        raise InputError(f"{path}: not {', '.join(JSONL)} or a marked .txt file")
    return list(islice(_marked(path) if is_marked(path) else _jsonl(path), limit))


def _jsonl(path: Path) -> Iterator[Record]:
    decoder = msgspec.json.Decoder(_Line)
    for number, data in _lines(path):
        where = f"{path}:{number}"
        try:
            line = decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            raise InputError(f"{where}: {_reason(problem)}") from None
        register = line.reg or line.source or ""
        spans = tuple(_gold(span, f"{where}: spans[{i}]") for i, span in enumerate(line.spans))
        name = str(line.id) or f"line {number}"
        yield checked(Record(name, line.text, spans, register, line.lang or "", where))


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Every line that is not blank, with its number."""
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            for number, data in enumerate(file, 1):
                if data.strip():
                    yield number, data
    except (OSError, EOFError, zlib.error) as problem:
        reason = getattr(problem, "strerror", None) or "damaged, or not gzip"
        raise InputError(f"{path}: {reason}") from None


def _reason(problem: Exception) -> str:
    if isinstance(problem, msgspec.ValidationError):
        return str(problem)
    return "not JSON in UTF-8"


def _gold(span: _Span, where: str) -> Gold:
    if not _LABEL.fullmatch(span.label):
        raise InputError(f"{where}: the label is not a name of at most 64 letters")
    label = spelled(span.label)
    kind = spelled(span.identifier_type or span.id_type) or (label if label in KINDS else "")
    if kind and kind not in KINDS:
        raise InputError(f"{where}: the identifier type is none of {', '.join(KINDS)}")
    entity = span.entity if span.entity != "" else span.entity_id
    return Gold(span.start, span.end, label, kind, str(entity))


def spelled(label: str) -> str:
    """A label in the one spelling: `date-of birth` is DATE_OF_BIRTH."""
    return label.strip().upper().replace("-", "_").replace(" ", "_")


def checked(record: Record) -> Record:
    """The record, its spans in order; every one of them lies in the text."""
    size = len(record.text)
    for index, span in enumerate(record.spans):
        if not 0 <= span.start < span.end <= size:
            place = f"{span.start}-{span.end} is empty or outside of {size} characters"
            raise InputError(f"{record.place}: spans[{index}]: {place}")
    ordered = sorted(record.spans, key=lambda span: (span.start, span.end, span.label))
    return msgspec.structs.replace(record, spans=tuple(ordered))


def _marked(path: Path) -> Iterator[Record]:
    """The documents of a marked text; the register is the file's name."""
    try:
        file = path.read_text("utf-8")
    except OSError as problem:
        raise InputError(f"{path}: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        raise InputError(f"{path}: byte {problem.start} is not utf-8") from None
    if not marked.HEADER.search(file):
        raise InputError(f"{path}:1: no line '%%% name' heads a document")
    for document in marked.parse(file):
        if stray := marked.STRAY.search(document.text):
            line = document.line + document.text.count("\n", 0, stray.start())
            raise InputError(f"{path}:{line}: a broken mark; write [[LABEL|value]]")
        spans = tuple(Gold(*span) for span in document.spans)
        place = f"{path}:{document.line}"
        yield checked(Record(document.name, document.text, spans, path.stem, "", place))
