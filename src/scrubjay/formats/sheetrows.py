"""Rows of a workbook's sheet, as they stream: what a cell is, and what is seen in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from scrubjay.errors import InputError
from scrubjay.formats import bare, cells, numbers
from scrubjay.formats.bare import local
from scrubjay.formats.officepack import Pack
from scrubjay.formats.work import Work
from scrubjay.formats.zipped import events

WIDEST = 16_384
_NUMBER = re.compile(
    r"[-+]?(?:\d{1,309}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][-+]?\d{1,3})?", re.ASCII
)
ROW = ("ht", "customHeight", "hidden", "outlineLevel", "collapsed", "customFormat", "s")
_ERRORS = frozenset({"#N/A", "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!"})


class Cell(Struct):
    """One that is in the file."""

    column: int
    kind: str  # number, day, text, bool, error
    style: str
    raw: str  # as it is written
    text: str | None = None  # what is looked at
    formula: str = ""
    shared: str = ""  # the number of a formula that several cells share
    span: str = ""
    array: bool = False

    def __repr__(self) -> str:
        return f"Cell({self.column})"


class Row(Struct):
    """As it stands in the file; `made`: the new one, without cells."""

    number: int
    made: Any
    cells: list[Cell]

    def __repr__(self) -> str:
        return f"Row({self.number})"


def strings(pack: Pack, part: str, work: Work) -> list[str]:
    """The texts that cells point to."""
    found: list[str] = []
    size = 0
    for event, element in events(pack, part):
        if event == "end" and local(element) == "si":
            found.append(cells.said(element, work))
            size += len(found[-1])
            element.clear()
            if size > work.limits.text * 4:
                raise InputError("too much text in one workbook")
    return found


class Reader(Struct):
    """Of one sheet. `strings`: the texts that cells point to; `days`: styles of days."""

    strings: list[str]
    days: frozenset[int]
    date1904: bool
    where: str
    work: Work

    def __repr__(self) -> str:
        return f"Reader({self.where})"

    def row(self, element: Any, last: int) -> Row:
        """The row behind the one with the number `last`."""
        text = element.get("r", str(last + 1))
        number = int(text) if text.isdecimal() and len(text) < 8 else 0
        if number <= last or number > 1_048_576:
            raise InputError(f"{self.where}: rows out of order")
        made = bare.new("row")
        for key in ROW:
            if bare.PLAIN.fullmatch(element.get(key, "")):
                made.set(key, element.get(key))
        made.set("r", str(number))
        found: list[Cell] = []
        for one in element:
            found.append(self._cell(one, found[-1].column if found else -1))
        return Row(number, made, found)

    def _cell(self, element: Any, last: int) -> Cell:
        match = cells.REF.fullmatch(element.get("r", ""))
        column = cells.column_of(match[1]) if match else last + 1
        if column <= last or column >= WIDEST:
            raise InputError(f"{self.where}: cells out of order")
        style = element.get("s", "")
        kind, raw = element.get("t", "n"), ""
        cell = Cell(column, "number", style if style.isdecimal() else "", "")
        for one in element:
            name = local(one)
            if name == "v":
                raw = one.text or ""
            elif name == "is":
                raw = cells.said(one, self.work)
            elif name == "f":
                cell.formula, cell.span = one.text or "", one.get("ref", "")
                cell.array = one.get("t") == "array"
                cell.shared = one.get("si", "") if one.get("t") == "shared" else ""
                if one.get("t") == "dataTable":
                    self.work.dropped("formula")
        cell.kind, cell.raw = self._kind(kind, raw, cell.style)
        cell.text = _looked(cell, self.date1904)
        return cell

    def _kind(self, kind: str, raw: str, style: str) -> tuple[str, str]:
        if kind == "s":
            if not raw.isdecimal() or len(raw) > 9 or int(raw) >= len(self.strings):
                raise InputError(f"{self.where}: a cell points to a text that is not there")
            return "text", self.strings[int(raw)]
        if kind == "b" and raw in {"0", "1"}:
            return "bool", raw
        if kind == "e":
            return "error", raw if raw in _ERRORS else "#N/A"
        if kind == "n" and (not raw or _NUMBER.fullmatch(raw)):
            day = style and int(style[:9]) in self.days
            return "day" if day else "number", raw
        return "text", raw if kind == "inlineStr" else cells.unescaped(raw)


def rows(pack: Pack, part: str, reader: Reader) -> Iterator[list[str | None]]:
    """What is seen in a sheet's rows."""
    depth, last = 0, 0
    for event, element in events(pack, part):
        depth += 1 if event == "start" else -1
        if depth > bare.DEEPEST:
            raise InputError("elements within elements, too deep")
        if event == "end" and depth < 3:
            if depth == 2 and local(element) == "row":
                row = reader.row(element, last)
                last = row.number
                yield texts(row)
            forget(element)


def forget(element: Any) -> None:
    """A big sheet's elements go when they were seen."""
    element.clear()
    parent = element.getparent()
    while element.getprevious() is not None:
        del parent[0]


def texts(row: Row) -> list[str | None]:
    """What is seen in each column up to the last."""
    found = {cell.column: cell.text for cell in row.cells}
    return [found.get(i) for i in range(row.cells[-1].column + 1)] if row.cells else []


def _looked(cell: Cell, date1904: bool) -> str | None:
    """What a reader sees in a cell."""
    if cell.kind in {"bool", "error"} or not cell.raw:
        return None
    if cell.kind == "text":
        return cell.raw
    value = float(cell.raw)
    if cell.kind == "day" and (day := numbers.day(value, date1904)):
        return day
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
