"""Tables within JSON: rows under a list of names, or under a first row of names; columns of values.
What each object and list of a text is of them, in the order in which they open.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from scrubjay.errors import InputError
from scrubjay.formats import dialect, fields

MAYBE = re.compile(r"\[\s*\[|:\s*[\[{]")
HEADS = frozenset(["columns", "fields", "header", "headers", "cols", "schema"])
NAMED = ("name", "field", "id", "title")
NAMES, ROW, COLUMN, ITEM = "names", "row", "column", "item"


class Mark(Struct, frozen=True):
    """A list of names, a row of values under `names`, the values of one column of a `table`, or one
    of its rows as an object."""

    kind: str = ""
    names: tuple[str, ...] = ()
    table: int = 0


PLAIN = Mark()


class Pairs(list[tuple[str, Any]]):
    """An object with all of its keys, in order."""


def marks(text: str) -> dict[int, Mark]:
    """By the number of their opening, objects and lists that are parts of tables."""
    if not MAYBE.search(text):
        return {}
    try:
        value = json.loads(text, object_pairs_hook=Pairs, parse_int=str, parse_float=str)
    except RecursionError:
        raise InputError("not JSON: nested too deeply") from None
    found: dict[int, Mark] = {}
    opened, open_ = 0, [iter([(value, PLAIN)])]
    while open_:
        if (following := next(open_[-1], None)) is None:
            open_.pop()
            continue
        value, mark = following
        if isinstance(value, list):
            if mark.kind:
                found[opened] = mark
            inner = _of_object(value, opened) if isinstance(value, Pairs) else _of_list(value, mark)
            open_.append(inner)
            opened += 1
    return found


def _of_object(pairs: Pairs, number: int) -> Iterator[tuple[Any, Mark]]:
    names = next((found for key, value in pairs if (found := _heads(key, value))), ())
    columns = _columns(pairs)
    items = _items(pairs)
    for key, value in pairs:
        if names and _heads(key, value):
            yield value, Mark(NAMES)
        elif names and _rows(value, len(names)):
            yield value, Mark("rows", names)
        elif columns:
            yield value, Mark(COLUMN, (key,), number)
        else:
            yield value, Mark(ITEM) if items else PLAIN


def _of_list(values: list[Any], mark: Mark) -> Iterator[tuple[Any, Mark]]:
    if mark.kind in {NAMES, "rows"}:
        inner = Mark(ROW, mark.names) if mark.names else mark
        yield from ((value, inner) for value in values)
        return
    lists = all(isinstance(value, list) and not isinstance(value, Pairs) for value in values)
    head = dialect.header([_cells(row) for row in values[: dialect.ROWS]]) if lists else 0
    names = tuple(_cells(values[head - 1])) if head else ()
    head = head if any(map(fields.label, names)) else 0
    for at, value in enumerate(values):
        before = Mark(NAMES) if at == head - 1 else PLAIN
        yield value, Mark(ROW, names) if head and at >= head else before


def _heads(key: str, value: Any) -> tuple[str, ...]:
    """The names of columns that stand under a key, if a field is among them."""
    if key not in HEADS or not isinstance(value, list):
        return ()
    if isinstance(value, Pairs):
        return next((found for inner, v in value if (found := _heads(inner, v))), ())
    names = tuple(map(_name, value))
    return names if any(map(fields.label, names)) else ()


def _name(value: Any) -> str:
    if isinstance(value, Pairs):
        return next((v for k, v in value if k in NAMED and isinstance(v, str)), "")
    return value if isinstance(value, str) else ""


def _rows(value: Any, width: int) -> bool:
    """Whether it is a list of rows of that many values."""
    plain = isinstance(value, list) and not isinstance(value, Pairs)
    return plain and bool(value) and all(isinstance(r, list) and len(r) == width for r in value)


def _columns(pairs: Pairs) -> bool:
    """Whether an object holds columns: two or more of one length, one of them a field's; lists, or
    objects with the numbers of rows."""
    values = [value for _, value in pairs]
    several = len(values) > 1 and all(isinstance(value, list) and value for value in values)
    if not several or len({len(value) for value in values}) > 1:
        return False
    objects = sum(isinstance(value, Pairs) for value in values)
    if objects and not (objects == len(values) and all(map(_numbered, values))):
        return False
    return any(fields.label(key) for key, _ in pairs)


def _items(pairs: Pairs) -> bool:
    """Whether an object holds rows, by their numbers."""
    return _numbered(pairs) and all(isinstance(value, Pairs) for _, value in pairs)


def _numbered(pairs: Pairs) -> bool:
    return bool(pairs) and all(key.isdecimal() for key, _ in pairs)


def _cells(row: Any) -> list[str]:
    return ["" if value is None or isinstance(value, list) else str(value) for value in row]


class Cursor:
    """Where in such tables a reader is that tells it the signs of the text."""

    def __init__(self, found: dict[int, Mark]) -> None:
        self._found = found
        self._opened = 0
        self._open: list[tuple[Mark, int, bool]] = []  # values before, and if it is an object

    def read(self, sign: str) -> None:
        """A bracket, or a comma."""
        if sign in "{[":
            self._open.append((self.next, 0, sign == "{"))
            self._opened += 1
        elif sign in "}]":
            self._open.pop()
        elif sign == ",":
            mark, at, is_object = self._open[-1]
            self._open[-1] = mark, at + 1, is_object

    @property
    def next(self) -> Mark:
        """What opens next."""
        return self._found.get(self._opened, PLAIN)

    @property
    def mark(self) -> Mark:
        """What is open."""
        return self._open[-1][0] if self._open else PLAIN

    @property
    def place(self) -> tuple[int, int]:
        """The table, and the row in it, of a value in a column."""
        return self.mark.table, self._open[-1][1] if self._open else 0

    def names(self, name: str) -> bool:
        """Whether a string under a name is a column's name."""
        return self.mark.kind == NAMES and (not self._open[-1][2] or name in NAMED)

    def name(self, name: str) -> str:
        """What a value goes by: its column, or its own name."""
        if self.mark.kind == ROW:
            at = self._open[-1][1]
            return self.mark.names[at] if at < len(self.mark.names) else ""
        return self.mark.names[0] if self.mark.kind == COLUMN else name
