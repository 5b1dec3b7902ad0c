"""Separated values (`csv.v1`: commas, tabs, semicolons ...): every cell is a document, its column's
name the `field`. A cell that did not change stays byte for byte; so do quotes, line ends, order.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from functools import cache, partial
from typing import Any, BinaryIO

import numpy as np
from msgspec import Struct

from scrubjay import formats, plugins
from scrubjay.errors import InputError, UsageError
from scrubjay.formats import cut, dialect, naming
from scrubjay.formats.columns import Columns
from scrubjay.formats.dialect import Dialect
from scrubjay.formats.work import Part, Work

BLOCK = 1 << 20  # bytes that are read, cleaned and written at once
SAMPLE = 1 << 16  # bytes by which the dialect is known
LONGEST = 1 << 26  # bytes in one record
WIDEST = 100_000  # cells in one record
ONE_BYTE = ("utf-8", "ascii", "iso8859", "cp125", "koi8", "mac-")  # whose signs are never others'
BOMS = {
    codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be",
}  # fmt: skip


class Before(Struct, frozen=True):
    """What a part needs to know: how it is written, and the names of its columns."""

    dialect: Dialect
    names: tuple[str, ...]
    encoding: str  # of the file; a part of one that is not cut as it is, is in UTF-8
    line: int = 1
    offset: int = 0
    head: int = 0  # rows of this part that are no data
    bom: bytes = b""

    @property
    def inner(self) -> str:
        """The encoding of the part."""
        return self.encoding if _cuttable(self.encoding) else "utf-8"


class Csv:
    """`csv.v1`. `group` names the column that tells whose row it is."""

    name = "csv.v1"
    suffixes: tuple[str, ...] = (".csv", ".tsv", ".tab", ".psv")

    def __init__(self, encoding: str, group: str) -> None:
        self._encoding = encoding
        self._group = group

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """Part after part: memory stays flat."""
        columns: Columns | None = None
        for part in self.parts(source, BLOCK):
            columns = columns or Columns(part.before.names, self._group)
            _convert(part, columns, target, work)

    def parts(self, source: BinaryIO, size: int) -> Iterator[Part]:
        """Runs of whole records. The first part holds the names, the others know them."""
        stream, bom, encoding = _opened(source, self._encoding)
        sample = _read(stream, SAMPLE)
        before, head = _look(sample, bom, encoding)
        end = partial(last_end, before.dialect)
        joined: Any = _Joined(sample, stream)
        for data in cut.records(joined, max(size, head), LONGEST, end):
            yield Part(data, before)
            before = _after(before, data)

    def convert_part(self, part: Part, target: BinaryIO, work: Work) -> None:
        """One run of records."""
        _convert(part, Columns(part.before.names, self._group), target, work)


def _convert(part: Part, columns: Columns, target: BinaryIO, work: Work) -> None:
    before: Before = part.before
    target.write(before.bom)
    text = formats.decode(part.data, before.inner, before.offset, f"line {before.line} on: ")
    rows = before.dialect.rows(text)
    wheres = _wheres(rows, before.line)
    head = before.head
    if head:
        _name(rows[head - 1][0], before.dialect, wheres[head - 1], work)
    for made, first, last in ((Columns(()), 0, max(0, head - 1)), (columns, head, len(rows))):
        values = [[before.dialect.value(raw) for raw in cells] for cells, _, _ in rows[first:last]]
        for row, column, new in made.changes(values, wheres[first:last], work):
            cells = rows[first + row][0]
            cells[column] = before.dialect.written(new, cells[column])
    try:
        target.write(_joined(rows, before.dialect).encode(before.encoding))
    except UnicodeEncodeError:
        raise InputError(f"a substitute cannot be written in {before.encoding}") from None


def _name(cells: dialect.Cells, written: Dialect, where: str, work: Work) -> None:
    """Write names of columns without what identifies."""
    names = list(map(written.value, cells))
    for i, new in enumerate(naming.columns(names, where, work.clean)):
        if new != names[i]:
            cells[i] = written.written(new, cells[i])


def _joined(rows: list[dialect.Record], written: Dialect) -> str:
    return "".join(f"{written.delimiter.join(cells)}{end}" for cells, end, _ in rows)


def _wheres(rows: list[dialect.Record], line: int) -> list[str]:
    wheres = []
    for cells, _, lines in rows:
        wheres.append(f"line {line}")
        if len(cells) > WIDEST:
            raise InputError(f"line {line}: more than {WIDEST:,} cells in one record")
        line += lines
    return wheres


def _opened(source: BinaryIO, encoding: str) -> tuple[BinaryIO, bytes, str]:
    """The stream behind its byte-order mark, and the encoding that the mark tells."""
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        raise UsageError(f"unknown encoding '{encoding}'") from None
    start = source.read(3)
    bom = next((mark for mark in BOMS if start.startswith(mark)), b"")
    found = BOMS[bom] if bom and name.startswith("utf") else name
    if not (bom and name.startswith("utf")):
        bom = b""
    plain = _Joined(start[len(bom) :], source)
    return (plain if _cuttable(found) else _Transcoded(plain, found)), bom, found  # type: ignore[return-value]


def _cuttable(encoding: str) -> bool:
    return encoding.startswith(ONE_BYTE)


class _Joined:
    """A stream with what was read of it already."""

    def __init__(self, start: bytes, source: BinaryIO) -> None:
        self._start = start
        self._source = source

    def read(self, size: int) -> bytes:
        start, self._start = self._start[:size], self._start[size:]
        return start or self._source.read(size)


class _Transcoded:
    """A stream in UTF-8, of one in whatever encoding."""

    def __init__(self, source: _Joined, encoding: str) -> None:
        self._source = source
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()

    def read(self, size: int) -> bytes:
        try:
            while data := self._source.read(size):
                if text := self._decoder.decode(data):
                    return text.encode("utf-8")
            return self._decoder.decode(b"", final=True).encode("utf-8")
        except UnicodeError:
            raise InputError(f"this is not {self._encoding}; say --encoding") from None


def _read(stream: BinaryIO, size: int) -> bytes:
    """So many bytes, or all there are."""
    found = b""
    while len(found) < size and (data := stream.read(size)):
        found += data
    return found


def _look(sample: bytes, bom: bytes, encoding: str) -> tuple[Before, int]:
    """What the first bytes tell of the file, and how many of them are no data."""
    inner = encoding if _cuttable(encoding) else "utf-8"
    whole = sample[: sample.rfind(b"\n") + 1] if len(sample) >= SAMPLE else sample
    text = formats.decode(whole or sample, inner)
    found = dialect.find(text)
    rows = found.rows(text)[: dialect.ROWS]
    values = [[found.value(raw) for raw in cells] for cells, _, _ in rows]
    head = dialect.header(values)
    names = tuple(cell.strip() for cell in values[head - 1]) if head else ()
    size = len(_joined(rows[:head], found).encode(inner))
    return Before(found, names, encoding, head=head, bom=bom), size


def _after(before: Before, data: bytes) -> Before:
    line = before.line + data.count(before.dialect.newline.encode())
    offset = before.offset + len(data)
    return Before(before.dialect, before.names, before.encoding, line, offset)


def last_end(written: Dialect, data: bytes, last: bool) -> int:
    """Where the last whole record ends; 0 if none does."""
    newline = written.newline.encode()
    if b'"' not in data:
        return data.rfind(newline) + 1
    places = None if written.escape else _regular(data, written)
    if places is None:
        return _by_cells(data, written, last)
    at = data.rfind(newline)
    while at >= 0 and (before := int(np.searchsorted(places, at))) % 2:
        at = data.rfind(newline, 0, int(places[before - 1]))
    return at + 1


def _regular(data: bytes, written: Dialect) -> np.ndarray | None:
    """Where quotes stand, if they open and close in turn and each stands as such a one does."""
    signs = np.frombuffer(data, np.uint8)
    places = np.flatnonzero(signs == ord('"'))
    beside = np.zeros(256, bool)
    beside[[ord(written.delimiter), ord(written.newline)]] = True
    twice = np.diff(places) == 1
    opens, closes = places[::2], places[1::2]
    before = beside[signs[np.maximum(opens - 1, 0)]] | (opens == 0)
    before[1:] |= twice[1::2]
    beside[ord("\r")] = True
    behind = beside[signs[np.minimum(closes + 1, len(data) - 1)]] | (closes == len(data) - 1)
    behind[: len(twice[1::2])] |= twice[1::2]
    return places if before.all() and behind.all() else None


def _by_cells(data: bytes, written: Dialect, last: bool) -> int:
    """The same where quotes stand anywhere: quoted cells are found one by one."""
    newline = written.newline.encode()
    gaps, start = [], 0
    for match in _quotes(written).finditer(data):
        gaps.append((start, match.start()))
        start = match.end()
    gaps.append((start, len(data)))
    if not last and (open_ := _open(written).search(data, start)):
        gaps[-1] = (start, open_.start())  # the cell goes on in what is to come
    return next((at + 1 for gap in reversed(gaps) if (at := data.rfind(newline, *gap)) >= 0), 0)


@cache
def _quotes(written: Dialect) -> re.Pattern[bytes]:
    """A quoted cell, that begins where a cell may."""
    stop = re.escape(written.delimiter + written.newline).encode()
    whole = dialect.quoted(written).encode()
    return re.compile(rb'"(?<![^%s]")' % stop + whole[1:], re.DOTALL)


@cache
def _open(written: Dialect) -> re.Pattern[bytes]:
    stop = re.escape(written.delimiter + written.newline).encode()
    return re.compile(rb'"(?<![^%s]")' % stop)


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`csv.v1`."""
    return Csv(encoding, group)
