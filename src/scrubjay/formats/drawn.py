"""Tables that are drawn in a plain text: Markdown, what databases print, columns under a header in
lines of one width. Their cells are read by their columns, as in files of separated values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from scrubjay.formats import fields, subjects
from scrubjay.formats.columns import Columns
from scrubjay.formats.pieces import Pieces
from scrubjay.formats.subjects import Values
from scrubjay.formats.work import Work
from scrubjay.types import Document

MOST = 500  # rows whose people are looked for in the text around
RULE = re.compile(r"[ \t]*[|+]?[ \t]*:?-+:?[ \t]*(?:[|+][ \t]*:?-+:?[ \t]*)*[|+]?[ \t]*")
CELL = re.compile(r"(?:[^|\\]|\\.)*", re.S)
MARKS = re.compile(r"[*`]+|__")
GROUP = re.compile(r"\S+(?: \S+)*")
LINED = re.compile(r"[-=_ \t]+")  # a line under a header
LONGEST, WIDEST = 40, 2000  # characters of a column's name, and of a header

Span = tuple[int, int]


class Table(Struct):
    """`spans`: where in the text each cell of each row is, blanks and all. `fixed`: cells keep
    their widths."""

    names: list[str]
    spans: list[list[Span]]
    fixed: bool = False

    def values(self, text: str) -> list[list[str]]:
        """What the cells say."""
        return [[text[slice(*span)].strip() for span in row] for row in self.spans]


def clean(text: str, work: Work) -> str:
    """A text without what identifies; what its tables say of people is looked for in all of it."""
    changes: list[tuple[Span, str]] = []
    known: Values = {}
    ends = [0]
    for table in find(text):
        columns, rows = Columns(table.names), table.values(text)
        for row, column, new in columns.changes(rows, [""] * len(rows), work):
            span = table.spans[row][column]
            changes.append((span, _written(text[slice(*span)], new, fixed=_fixed(table, column))))
        for values in rows[:MOST]:
            known = subjects.joined(known, columns.about(values, work.people).known)
        ends += [table.spans[0][0][0], table.spans[-1][-1][1]]
    ends.append(len(text))
    around = [text[start:end] for start, end in zip(ends[::2], ends[1::2], strict=True)]
    pieces = Pieces(around, ["\n"] * len(around) if len(around) > 1 else ())
    [result] = work.clean([Document(pieces.text, known=dict(known))])
    told = iter(pieces.changed(result))
    changes += [(span, next(told)) for span in zip(ends[::2], ends[1::2], strict=True)]
    return _changed(text, changes)


def _changed(text: str, changes: list[tuple[Span, str]]) -> str:
    parts, at = [], 0
    for (start, end), new in sorted(changes):
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])


def _fixed(table: Table, column: int) -> bool:
    """Whether something stands behind a cell, at its place."""
    return table.fixed and column < len(table.names) - 1


def _written(raw: str, new: str, *, fixed: bool) -> str:
    """A value as its cell: as wide as before, cut where it must be."""
    before, behind = len(raw) - len(raw.lstrip()), len(raw) - len(raw.rstrip())
    told = " ".join(new.split())
    if not fixed:
        told = told if "|" not in told else told.replace("|", "\\|")
        return (raw[:before] + told).ljust(len(raw) - 1) + raw[-1:] * bool(behind)
    room = len(raw) - bool(behind)
    told = told[:room]
    return (told.rjust(len(raw) - behind) if before > behind else told).ljust(len(raw))


def find(text: str) -> list[Table]:
    """The tables of a text, in order, of which a column's name says what is in it."""
    lines = list(_lines(text))
    found: list[Table] = []
    at = 0
    while at < len(lines):
        table, behind = _piped(text, lines, at)
        if not table:
            table, behind = _columned(text, lines, at)
        if table:
            found.append(table)
        at = behind if table else at + 1
    return found


def _lines(text: str) -> Iterator[Span]:
    """Each without its end."""
    for match in re.finditer(r"[^\n]*\n|[^\n]+", text):
        yield match.start(), match.start() + len(match[0].rstrip("\r\n"))


def _piped(text: str, lines: Sequence[Span], at: int) -> tuple[Table | None, int]:
    """A table whose cells are parted by strokes, with a rule under its header."""
    if at + 2 >= len(lines) or "|" not in text[slice(*lines[at])]:
        return None, at
    names = [MARKS.sub("", text[slice(*span)]).strip() for span in _cells(text, lines[at])]
    rule = text[slice(*lines[at + 1])]
    if "-" not in rule or not RULE.fullmatch(rule) or not any(map(fields.label, names)):
        return None, at
    end = at + 2
    while end < len(lines) and "|" in text[slice(*lines[end])]:
        end += 1
    spans = [_cells(text, line) for line in lines[at + 2 : end]]
    return (Table(names, spans), end) if spans else (None, at)


def _cells(text: str, line: Span) -> list[Span]:
    start, end = line
    inner = text[start:end].strip()
    start += text[start:end].index(inner)
    end = start + len(inner)
    start += inner.startswith("|")
    end -= inner.endswith("|") and not inner.endswith("\\|") and len(inner) > 1
    found = []
    while True:
        cell = CELL.match(text, start, end)
        stop = cell.end() if cell else end
        found.append((start, stop))
        if stop >= end:
            return found
        start = stop + 1


def _columned(text: str, lines: Sequence[Span], at: int) -> tuple[Table | None, int]:
    """A table whose cells stand under their header."""
    first = text[slice(*lines[at])]
    head = list(GROUP.finditer(first)) if "  " in first and len(first) <= WIDEST else []
    names = [one[0] for one in head]
    if len(names) < 2 or max(map(len, names)) > LONGEST or not any(map(fields.label, names)):
        return None, at
    known = sum(bool(fields.label(name) or fields.measure(name)) for name in names)
    gaps = [set(range(one.end(), other.start())) for one, other in pairwise(head)]
    end, rows = at + 1, list[Span]()
    while end < len(lines) and (line := text[slice(*lines[end])]).strip():
        left = [{p for p in gap if line[p : p + 1].strip() == ""} for gap in gaps]
        if not all(left):
            break
        gaps, end = left, end + 1
        rows += [] if LINED.fullmatch(line) else [lines[end - 1]]
    if len(rows) < (1 if known == len(names) else 2):
        return None, at
    cuts = [0, *(max(gap) + 1 for gap in gaps)]
    return Table(names, [_cut(line, cuts) for line in rows], fixed=True), end


def _cut(line: Span, cuts: Sequence[int]) -> list[Span]:
    start, end = line
    places = [min(start + cut, end) for cut in cuts]
    return list(pairwise([*places, end]))
