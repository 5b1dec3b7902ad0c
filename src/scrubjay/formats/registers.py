"""Records of people in files: where each is, so that readers of other files can look one up.

Known are Patients of FHIR in JSON, alone, in Bundles or in lines, and tables in which a row has a
person's number, and a name or a day of birth: of separated values, Parquet, Arrow, SQLite, SQL,
workbooks; in archives, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any, BinaryIO, NamedTuple, Protocol, TypeVar, cast

import msgspec
from msgspec import Struct, structs

from scrubjay import formats
from scrubjay.formats import csv, fhir_people, kinds
from scrubjay.formats.columns import Columns, Table
from scrubjay.formats.dialect import Record
from scrubjay.formats.subjects import Person
from scrubjay.formats.work import Work

LONGEST = 1 << 26  # bytes of a line
LARGEST = 1 << 28  # bytes of a Bundle
FIRST = 1 << 12  # bytes of rows by which a table is known
MARK = b"\xef\xbb\xbf"
ARCHIVES = frozenset(("zip.v1", "tar.v1", "gz.v1", "zst.v1"))
TABLES = frozenset(("parquet.v1", "arrow.v1", "sqlite.v1", "sql.v1", "xlsx.v1", "odf.v1"))
SUFFIXES = frozenset(
    suffix for one in kinds.KINDS if one.name in {"csv.v1", "jsonl.v1", *TABLES, *ARCHIVES}
    for suffix in one.suffixes
) - {".odt", ".odp", ".odg", ".fodt", ".fodp", ".fodg"} | {".json"}  # fmt: skip


class Place(NamedTuple):
    """A record, the ids by which others refer to its person, and that person. It shows neither.
    `offset`: where it can be read again, -1 if nowhere; `folder`: where its file lies."""

    ids: frozenset[str]
    person: Person
    offset: int = -1
    length: int = 0
    folder: PurePath = PurePath()

    def __repr__(self) -> str:
        return f"Place({self.offset}, {self.length})"


class Register(Protocol):
    """The records of one file."""

    def places(self, source: BinaryIO) -> Iterator[Place]:
        """Where they are. What is no record, damaged ones too, is passed over."""

    def read(self, data: bytes) -> tuple[frozenset[str], Person]:
        """One record: its ids, and what it tells. `ValueError` if it is none."""


class Tabled(Protocol):
    """A format of tables."""

    def tables(self, source: BinaryIO, work: Work) -> Iterator[Table]:
        """All in a file. What is damaged is an `InputError`."""


class Packed(Protocol):
    """A format of files within files."""

    def members(
        self, source: BinaryIO, work: Work, wanted: Callable[[str], bool]
    ) -> Iterator[tuple[str, BinaryIO]]:
        """Those whose names are wanted, with their folders, unpacked."""


def register(source: BinaryIO, kind: str, encoding: str) -> Register | None:
    """How records of people are read in a file of that format; nothing if it has none."""
    if kind == "fhir.v1" and encoding == "utf-8":
        return _Patients()
    if kind != "csv.v1":
        return None
    part = next(csv.Csv(encoding, "").parts(source, FIRST), None)
    source.seek(0)
    table = _Table(part.before, encoding) if part else None
    return table if table and table.columns.people else None


def places(path: PurePath, source: BinaryIO, kind: str, work: Work) -> Iterator[Place]:
    """All of a file, of what is in it too. It may be read once more where they say."""
    if kind in ARCHIVES:
        yield from _packed(path, source, kind, work)
    elif kind in TABLES:
        yield from (place._replace(folder=path.parent) for place in _listed(source, kind, work))
    elif found := register(source, kind, work.encoding):
        yield from (place._replace(folder=path.parent) for place in found.places(source))


def _packed(path: PurePath, source: BinaryIO, kind: str, work: Work) -> Iterator[Place]:
    """Of the members of an archive, which lie at no place."""
    if work.depth >= work.limits.depth:
        return
    inner = structs.replace(work, depth=work.depth + 1, called=path.name)
    packed = cast("Packed", formats.make(kind))
    for name, plain in packed.members(source, inner, possible):
        member = path / name
        for place in places(member, plain, formats.of(member, plain), inner):
            yield place._replace(offset=-1)


def _listed(source: BinaryIO, kind: str, work: Work) -> Iterator[Place]:
    """Of tables, whatever their format: only the columns that tell of people are read."""
    for table in cast("Tabled", formats.make(kind, encoding=work.encoding)).tables(source, work):
        columns = Columns(table.names)
        if columns.people:
            for row in table.rows(columns.told):
                yield Place(*columns.person(row))


def possible(name: str) -> bool:
    """Whether a file may have such records, by its name."""
    return name[name.rfind(".") :].lower() in SUFFIXES


def kind(name: str, source: BinaryIO) -> str:
    """The format of a file that may have such records; empty if it has none by its name."""
    return formats.of(PurePath(name), source) if possible(name) else ""


class _Resource(Struct):
    """As much of a resource as tells where Patients are."""

    resourceType: str = ""
    entry: list[_Entry] = []


class _Entry(Struct):
    resource: msgspec.Raw = msgspec.Raw()


_RESOURCE = msgspec.json.Decoder(_Resource)
_PATIENT = msgspec.json.Decoder(dict[str, Any])
T = TypeVar("T")


class _Patients:
    """Of FHIR."""

    def places(self, source: BinaryIO) -> Iterator[Place]:
        first = source.readline(LONGEST)
        lines = _decoded(_RESOURCE, first.removeprefix(MARK)) is not None
        source.seek(0)
        offset = 0
        blocks = iter(lambda: source.readline(LONGEST), b"") if lines else [source.read(LARGEST)]
        for data in blocks:
            if b'"Patient"' in data:
                yield from _patients(data, offset)
            offset += len(data)

    def read(self, data: bytes) -> tuple[frozenset[str], Person]:
        patient = _decoded(_PATIENT, data)
        if patient is None:
            raise ValueError("no Patient")
        return fhir_people.ids(patient), fhir_people.person(patient)


def _decoded(decoder: msgspec.json.Decoder[T], data: bytes) -> T | None:
    """As much of a resource as the decoder knows; nothing of what is damaged."""
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _patients(data: bytes, offset: int) -> Iterator[Place]:
    """Those in one resource or Bundle."""
    body = data.removeprefix(MARK)
    found = _decoded(_RESOURCE, body)
    if found is None:
        return
    within = [body] if found.resourceType == "Patient" else [bytes(e.resource) for e in found.entry]
    at = 0
    for each in within:
        patient = _decoded(_PATIENT, each) if b'"Patient"' in each else None
        if patient and patient.get("resourceType") == "Patient":
            at = data.index(each, at)
            person = fhir_people.person(patient)
            yield Place(fhir_people.ids(patient), person, offset + at, len(each))


class _Table:
    """Of separated values. `encoding`: as it was asked for; what is not cut as it is, is decoded,
    and its places are none."""

    def __init__(self, before: csv.Before, encoding: str) -> None:
        self.columns = Columns(before.names)
        self._dialect, self._encoding = before.dialect, before.inner
        self._asked, self._placed = encoding, before.encoding == before.inner
        self._start = len(before.bom)

    def places(self, source: BinaryIO) -> Iterator[Place]:
        offset = self._start
        for part in csv.Csv(self._asked, "").parts(source, csv.BLOCK):
            for number, (cells, end, _) in enumerate(self._rows(part.data)):
                written = self._dialect.delimiter.join(cells) + end
                length = len(written.encode(self._encoding))
                if number >= part.before.head:
                    yield Place(*self._told(cells), offset if self._placed else -1, length)
                offset += length

    def read(self, data: bytes) -> tuple[frozenset[str], Person]:
        [(cells, _, _)] = self._rows(data)
        return self._told(cells)

    def _rows(self, data: bytes) -> list[Record]:
        return self._dialect.rows(data.decode(self._encoding))

    def _told(self, cells: list[str]) -> tuple[frozenset[str], Person]:
        return self.columns.person(list(map(self._dialect.value, cells)))
