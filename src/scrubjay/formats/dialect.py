"""How a file of separated values is written: what parts its cells, ends its lines and protects a
quote, found by looking at its beginning; and which of its first rows are names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache

from msgspec import Struct

from scrubjay.formats import fields

CANDIDATES = ",\t;|\x1f^~"
ROWS = 200  # that are looked at
_SEP = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)  # a spreadsheet's note to itself
_NAME = re.compile(r"[^\W\d][\w .,()/%#&'+:-]{0,79}")
_VALUE = re.compile(r"[-+]?\d[\d.,:/ -]*|.*@.*|true|false|null|yes|no|n/?a", re.IGNORECASE)

Cells = list[str]
Record = tuple[Cells, str, int]  # cells as they are written, what ends them, lines


class Dialect(Struct, frozen=True):
    """`escape`: a quote within quotes is `\\"`, not `\"\"`."""

    delimiter: str = ","
    newline: str = "\n"
    escape: bool = False

    def rows(self, text: str) -> list[Record]:
        """The records of a text that begins with one."""
        if '"' not in text:
            lines = text.split(self.newline)
            ends = [self.newline] * (len(lines) - 1) + [""]
            made = [
                (line.split(self.delimiter), end, 1) for line, end in zip(lines, ends, strict=True)
            ]
        else:
            made = self._quoted(text)
        if made and made[-1][0] == [""] and not made[-1][1]:
            made.pop()
        return [_ended(cells, end, lines) for cells, end, lines in made]

    def _quoted(self, text: str) -> list[Record]:
        made: list[Record] = []
        cells: Cells = []
        lines = 1
        for match in cell(self).finditer(text):
            raw, end = match[1], match[2]
            cells.append(raw)
            if raw[:1] == '"':
                lines += raw.count(self.newline)
            if end != self.delimiter:
                made.append((cells, end, lines))
                cells, lines = [], 1
        return made

    def value(self, raw: str) -> str:
        """What a cell says."""
        if len(raw) < 2 or raw[0] != '"' or raw[-1] != '"':
            return raw
        inner = raw[1:-1].replace('""', '"')
        return inner.replace('\\"', '"') if self.escape else inner

    def written(self, value: str, raw: str) -> str:
        """A value as a cell, in quotes if the old one was or the new one needs them."""
        signs = ('"', "\n", "\r", self.delimiter)
        if raw[:1] != '"' and not any(sign in value for sign in signs):
            return value
        return '"' + value.replace('"', '\\"' if self.escape else '""') + '"'


def _ended(cells: Cells, end: str, lines: int) -> Record:
    """The carriage return belongs to the line's end."""
    if end == "\n" and cells[-1].endswith("\r"):
        cells[-1] = cells[-1][:-1]
        end = "\r\n"
    return cells, end, lines


@cache
def cell(dialect: Dialect) -> re.Pattern[str]:
    """A cell and what ends it. What follows a closed quote belongs to the cell; a quote that is
    not closed is a sign like others."""
    stop = re.escape(dialect.delimiter + dialect.newline)
    plain = rf"[^{stop}]*+"
    return re.compile(rf"({quoted(dialect)}{plain}|{plain})([{stop}]|\Z)", re.DOTALL)


def quoted(dialect: Dialect) -> str:
    """All of a quoted cell: once begun, it goes to its last quote or is none."""
    return r'"(?>(?:[^"\\]|\\.|"")*+)"' if dialect.escape else r'"(?>[^"]*+(?:""[^"]*+)*+)"'


def find(text: str) -> Dialect:
    """The dialect in which the first rows agree most."""
    newline = "\r" if "\n" not in text and "\r" in text else "\n"
    if told := _SEP.match(text):
        return Dialect(told[1], newline, escape=_escapes(text, told[1]))
    tried = [
        Dialect(sign, newline, escape=_escapes(text, sign)) for sign in CANDIDATES if sign in text
    ]
    if not tried:
        return Dialect(newline=newline)
    return max((_agreement(dialect, text), -i, dialect) for i, dialect in enumerate(tried))[2]


def _escapes(text: str, delimiter: str) -> bool:
    """Whether a quote behind a backslash goes on with words, as none that closes does."""
    return re.search(rf'\\"[^"\r\n{re.escape(delimiter)}]', text) is not None


def _agreement(dialect: Dialect, text: str) -> tuple[bool, bool, float, int]:
    """Whether there are cells, the first row has as many as most, how many rows have, and cells."""
    counts = [len(cells) for cells, _, _ in dialect.rows(text)[:ROWS] if cells != [""]]
    if not counts:
        return False, False, 0, 0
    usual, often = Counter(counts).most_common(1)[0]
    return usual > 1, counts[0] == usual, round(often / len(counts), 1), usual


def header(rows: Sequence[Cells]) -> int:
    """How many of the first rows stand before the data; the last of them has the columns' names.
    0: the file has none."""
    lengths = Counter(len(row) for row in rows if row != [""])
    if not lengths:
        return 0
    usual = lengths.most_common(1)[0][0]
    wide = (i for i, row in enumerate(rows) if len(row) >= usual and _filled(row) > (usual > 1))
    first = next(wide, len(rows))  # a title stands alone in its row
    if first == len(rows):
        return 0
    if not _names(rows[first], rows[first + 1 :]):
        return 0
    return first + 2 if _grouped(rows[first : first + 2]) else first + 1


def _grouped(rows: Sequence[Cells]) -> bool:
    """Whether names stand in two rows: groups over blanks, then a known one in each column."""
    if len(rows) < 2 or all(cell.strip() for cell in rows[0]):
        return False
    known = [bool(fields.label(cell) or fields.measure(cell)) for cell in rows[1]]
    return sum(known) > len(known) / 2 and _names(rows[1], ())


def _filled(row: Cells) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _names(row: Cells, below: Sequence[Cells]) -> bool:
    """Whether a row holds names: known ones, or words over what are none."""
    cells = [cell.strip() for cell in row]
    said = [cell for cell in cells if cell]
    values = sum(_VALUE.fullmatch(cell) is not None for cell in said)
    known = sum(bool(fields.label(cell) or fields.measure(cell)) for cell in said)
    if len(set(said)) < len(said) or (values and values + known < len(said)):
        return False
    if known:
        return True
    if values or not said or len(said) < len(cells) or not all(map(_NAME.fullmatch, cells)):
        return False
    under = [cell.strip() for other in below for cell in other]
    return any(_VALUE.fullmatch(cell) or len(cell) > 80 for cell in under)
