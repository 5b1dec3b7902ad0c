"""What an office document says of a value by where it stands: the first row of a table of the cells
below it, as in files of separated values; in a text also a cell of the one beside it; and the name
of a property or field of what is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from scrubjay.formats import dialect, fields
from scrubjay.formats.columns import COMMON, Columns
from scrubjay.formats.subjects import Find
from scrubjay.formats.xmltree import Node

WIDEST = 1024  # columns
LONGEST = 200  # characters of a value that a field holds
TABLES = frozenset(["table", "tbl"])
ROWS = frozenset(["table-row", "tr"])
CELLS = frozenset(["table-cell", "covered-table-cell", "tc"])
FIELDS = frozenset(["user-field-decl", "user-field-get", "user-defined", "variable-set"])


class Place(Struct, frozen=True):
    """What is known of a cell by where it stands: its column, the column's label, whose row."""

    field: str
    label: str
    group: str

    def __repr__(self) -> str:
        return "Place()"


def places(root: Node, find: Find, *, sheets: bool = False) -> dict[int, Place]:
    """By the id of its element, every cell of which its column or row says what it is. `sheets`:
    tables are those of a workbook, where rows go on without end under one header."""
    found: dict[int, Place] = {}
    for node in root.every():
        if node.name in TABLES:
            rows = [list(_cells(row)) for row in _rows(node)]
            texts = [[_text(cell) for cell in row] for row in rows]
            head = dialect.header(texts[: dialect.ROWS])
            if head and (sheets or _named(texts[head - 1])):
                found.update(_under(texts[head - 1], rows[head:], texts[head:], find))
            elif not sheets:
                found.update(_beside(rows, texts, find))
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


def _named(row: Sequence[str]) -> bool:
    """Whether a row names fields for the most part."""
    known = sum(bool(fields.label(cell) or fields.measure(cell)) for cell in row)
    return known > 1 or known == len(row)


def _under(
    head: list[str], rows: list[list[Node]], texts: list[list[str]], find: Find
) -> Iterator[tuple[int, Place]]:
    names = [text.strip() for text in head]
    labels = [fields.label(name) for name in names]
    columns = Columns(names)
    for row, said in zip(rows, texts, strict=True):
        group = columns.about(said, find).group
        for cell, name, label in zip(row, names, labels, strict=False):
            if label:
                yield id(cell), Place(name, label, group)


def _beside(
    rows: list[list[Node]], texts: list[list[str]], find: Find
) -> Iterator[tuple[int, Place]]:
    """Cells behind their names: all of the table is one person's."""
    found = [
        (name.strip(), value, cell)
        for row, said in zip(rows, texts, strict=True)
        for name, value, cell in zip(said, said[1:], row[1:], strict=False)
        if fields.label(name.strip()) and value.strip() and not fields.label(value.strip())
    ]
    names, values = [name for name, _, _ in found], [value for _, value, _ in found]
    group = Columns(names).about(values, find).group if found else ""
    for name, _, cell in found:
        yield id(cell), Place(name, fields.label(name), group)


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
