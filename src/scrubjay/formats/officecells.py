"""What an office document says of a value by where it stands: the first row of a table of the cells
below it, as in files of separated values; in a text also a cell of the one beside it; and the name
of a property or field of what is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import IO

from msgspec import Struct

from scrubjay.formats import dialect, fields, naming, xmltree
from scrubjay.formats.columns import COMMON, Change, Columns, Table, headed
from scrubjay.formats.work import Work
from scrubjay.formats.xmltree import Node
from scrubjay.types import Document

WIDEST = 1024  # columns
LONGEST = 200  # characters of a value that a field holds
TABLES = frozenset(["table", "tbl"])
ROWS = frozenset(["table-row", "tr"])
CELLS = frozenset(["table-cell", "covered-table-cell", "tc"])
FIELDS = frozenset(["user-field-decl", "user-field-get", "user-defined", "variable-set"])


class Grid(Struct):
    """The names of a table's columns, and the cells below. `head`: the row of names; -1 where they
    are read with the text around."""

    columns: Columns
    head: int
    width: int
    cells: dict[tuple[int, int], str] = {}  # by row and column, what they say

    def __repr__(self) -> str:
        return f"Grid({len(self.cells)} cells)"

    def cleaned(self, work: Work) -> Iterator[Change]:
        """Those that become others."""
        rows: dict[int, list[str | None]] = {}
        for (row, column), text in self.cells.items():
            told = rows.setdefault(row, [])
            told += [None] * (column + 1 - len(told))
            told[column] = text
        names = [text or "" for text in rows.pop(self.head, [])]
        new = naming.columns(names, f"row {self.head + 1}", work.clean)
        yield from ((self.head, i, told) for i, told in enumerate(new) if told != names[i])
        numbers = list(rows)
        wheres = [f"row {number + 1}" for number in numbers]
        for row, column, text in self.columns.changes(list(rows.values()), wheres, work):
            yield numbers[row], column, text


class Place(Struct, frozen=True):
    """What is known of a cell by where it stands: its column's name and label."""

    field: str
    label: str
    grid: Grid
    row: int
    column: int

    def __repr__(self) -> str:
        return f"Place({self.row}, {self.column})"

    def document(self, text: str, work: Work) -> Document:
        """Another text that stands there."""
        row = [self.grid.cells.get((self.row, column)) for column in range(self.grid.width)]
        person = self.grid.columns.about(row, work.people)
        known = {} if self.label else person.known
        where = f"row {self.row + 1}"
        return Document(text, where, "und", person.group, self.field, self.label, known)


def places(root: Node, group: str, *, sheets: bool = False) -> dict[int, Place]:
    """By the id of its element, every cell of which its column or row says what it is. `group` is
    the column that tells whose a row is, where there is one of that name. `sheets`: tables are
    those of a workbook, where rows go on without end under one header; of them all cells are told,
    from the names on."""
    found: dict[int, Place] = {}
    for node in root.every():
        if node.name in TABLES:
            for id_, place in _table(node, group, sheets=sheets):
                found.setdefault(id_, place)
    return found


def properties(root: Node) -> dict[int, Place]:
    """The same of properties of a document whose name says what they are."""
    return {
        id(node): Place(name, label, Grid(Columns([name]), -1, 1), 0, 0)
        for node in root.every()
        if node.name == "user-defined"
        and not node.tag.startswith("text:")  # a field, which stands among words
        and (label := fields.label(name := _told(node, "name")))
    }


def named(root: Node) -> Iterator[tuple[str, str]]:
    """By label, what stands in fields and content controls whose name says what it is."""
    for node in root.every():
        if node.name == "sdt":
            told = [one for properties in node.children("sdtPr") for one in properties.children()]
            if any(one.name == "showingPlcHdr" for one in told):
                continue  # what stands there asks for a value
            names = [_told(one, "val") for one in told if one.name in {"alias", "tag"}]
            value = "".join(one.text() for one in node.children("sdtContent"))
        elif node.name in FIELDS:
            names, value = [_told(node, "name")], _told(node, "string-value") or node.text()
        else:
            continue
        label = next(filter(None, map(fields.label, names)), "")
        if label and label not in COMMON and 0 < len(value.strip()) < LONGEST:
            yield label, value.strip()


def _told(node: Node, name: str) -> str:
    """An attribute, whatever its prefix."""
    found = (value for key, value in node.attributes.items() if key.rpartition(":")[2] == name)
    return next(found, "")


def _table(table: Node, group: str, *, sheets: bool) -> Iterator[tuple[int, Place]]:
    rows = [list(_cells(row)) for row in _rows(table)]
    texts = [[_text(cell) for cell in row] for row in rows[: dialect.ROWS]]
    head = dialect.header(texts)
    names = [text.strip() for text in texts[head - 1]] if head else []
    if not (names and (sheets or _named(names))):
        yield from () if sheets else _beside(rows)
        return
    labels = [fields.label(name) for name in names]
    columns = Columns(names, group if group in names else "")
    telling = {*columns.told, *(i for i, label in enumerate(labels) if label)}
    grid = Grid(columns, head - 1 if sheets else -1, len(names))
    for number, row in enumerate(rows[head - 1 :], head - 1):
        for column, cell in enumerate(row):
            within = column < len(names) and number >= head
            name, label = (names[column], labels[column]) if within else ("", "")
            if sheets or (within and column in telling):
                yield id(cell), Place(name, label, grid, number, column)


def _named(row: Sequence[str]) -> bool:
    """Whether a row names fields for the most part."""
    known = sum(bool(fields.label(cell) or fields.measure(cell)) for cell in row)
    return known > 1 or known == len(row)


def _beside(rows: list[list[Node]]) -> Iterator[tuple[int, Place]]:
    """Cells behind their names, which make one row: all of the table is one person's."""
    found = [
        (name.strip(), cell)
        for row in rows
        for (name, value), cell in zip(pairwise(map(_text, row)), row[1:], strict=True)
        if fields.label(name.strip()) and value.strip() and not fields.label(value.strip())
    ]
    names = [name for name, _ in found]
    grid = Grid(Columns(names), -1, len(names))
    for column, (name, cell) in enumerate(found):
        yield id(cell), Place(name, fields.label(name), grid, 0, column)


def tables(stream: IO[bytes]) -> Iterator[Table]:
    """Those of a spreadsheet, row by row."""
    rows = xmltree.each(stream, "table-row", "table")
    for _, found in groupby(rows, key=lambda one: one[0]):
        yield headed([_text(cell) for cell in _cells(row)] for _, row in found)


def _rows(node: Node) -> Iterator[Node]:
    for inner in node.children():
        if inner.name in ROWS:
            yield inner
        elif inner.name not in TABLES:  # groups of rows
            yield from _rows(inner)


def _cells(row: Node) -> Iterator[Node]:
    """As many times as they are repeated, but for those at the end that say nothing."""
    cells, width = list(_inner(row)), 0
    while cells and not _text(cells[-1]) and "value" not in "".join(cells[-1].attributes):
        cells.pop()
    for cell in cells:
        told = _repeated(cell)
        count = int(told) if told.isdecimal() and len(told) < 6 else 1
        yield from [cell] * min(count, WIDEST - width)
        width = min(WIDEST, width + count)


def _inner(row: Node) -> Iterator[Node]:
    for inner in row.children():
        if inner.name in CELLS:
            yield inner
        elif inner.name not in TABLES:  # controls around cells
            yield from _inner(inner)


def _repeated(cell: Node) -> str:
    """Over how many columns it goes."""
    spans = (_told(span, "val") for span in cell.find("tcPr", "gridSpan"))
    return _told(cell, "number-columns-repeated") or next(spans, "")


def _text(cell: Node) -> str:
    return "\n".join(one.text() for one in (*cell.children("p"), *cell.find("txBody", "p")))
