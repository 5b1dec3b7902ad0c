"""What an office document says of a value by where it stands: the first row of a table of the cells
below it, as in files of separated values, and the name of a property or field of what is in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from scrubjay.formats import dialect, fields
from scrubjay.formats.columns import COMMON, Columns
from scrubjay.formats.subjects import Find
from scrubjay.formats.xmltree import Node

WIDEST = 1024  # columns
LONGEST = 200  # characters of a value that a field holds
CELLS = frozenset(["table-cell", "covered-table-cell"])
FIELDS = frozenset(["user-field-decl", "user-field-get", "user-defined", "variable-set"])


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


def properties(root: Node) -> dict[int, Place]:
    """The same of properties of a document whose name says what they are."""
    return {
        id(node): Place(name, label, "")
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
        told = _told(cell, "number-columns-repeated")
        count = int(told) if told.isdecimal() and len(told) < 6 else 1
        yield from [cell] * min(count, WIDEST - width)
        width = min(WIDEST, width + count)


def _text(cell: Node) -> str:
    return "\n".join(one.text() for one in cell.children("p"))
