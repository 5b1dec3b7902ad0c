"""Tables of an office document: what the first row says of the cells below it, as in files of
separated values.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import IO

from msgspec import Struct

from scrubjay.formats import dialect, fields, xmltree
from scrubjay.formats.columns import Columns, Table, headed
from scrubjay.formats.subjects import Find
from scrubjay.formats.xmltree import Node

WIDEST = 1024  # columns
CELLS = frozenset(["table-cell", "covered-table-cell"])


class Place(Struct, frozen=True):
    """What is known of a cell by where it stands: its column, the column's label, whose row."""

    field: str
    label: str
    group: str

    def __repr__(self) -> str:
        return "Place()"


def places(root: Node, find: Find) -> dict[int, Place]:
    """By the id of its element, every cell whose column says what it is."""
    found: dict[int, Place] = {}
    for node in root.every():
        if node.name == "table":
            found.update(_table(node, find))
    return found


def _table(table: Node, find: Find) -> Iterator[tuple[int, Place]]:
    rows = [list(_cells(row)) for row in _rows(table)]
    texts = [[_text(cell) for cell in row] for row in rows]
    head = dialect.header(texts[: dialect.ROWS])
    if not head:
        return
    names = [text.strip() for text in texts[head - 1]]
    labels = [fields.label(name) for name in names]
    columns = Columns(names)
    for row, said in zip(rows[head:], texts[head:], strict=True):
        group = columns.about(said, find).group
        for cell, name, label in zip(row, names, labels, strict=False):
            if label:
                yield id(cell), Place(name, label, group)


def tables(stream: IO[bytes]) -> Iterator[Table]:
    """Those of a spreadsheet, row by row."""
    rows = xmltree.each(stream, "table-row", "table")
    for _, found in groupby(rows, key=lambda one: one[0]):
        yield headed([_text(cell) for cell in _cells(row)] for _, row in found)


def _rows(node: Node) -> Iterator[Node]:
    for inner in node.children():
        if inner.name == "table-row":
            yield inner
        elif inner.name != "table":  # groups of rows
            yield from _rows(inner)


def _cells(row: Node) -> Iterator[Node]:
    """As many times as they are repeated, but for those at the end that say nothing."""
    cells, width = list(row.children(*CELLS)), 0
    while cells and not _text(cells[-1]) and "value" not in "".join(cells[-1].attributes):
        cells.pop()
    for cell in cells:
        told = next((v for k, v in cell.attributes.items() if k.endswith("columns-repeated")), "")
        count = int(told) if told.isdecimal() and len(told) < 6 else 1
        yield from [cell] * min(count, WIDEST - width)
        width = min(WIDEST, width + count)


def _text(cell: Node) -> str:
    return "\n".join(one.text() for one in cell.children("p"))
