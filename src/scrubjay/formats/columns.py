"""What every table shares: what its columns are, whose row it is, and which cells need a look.

A row's own names and numbers are looked for in its free text. A cell that was found plain is not
looked at again, nor a number in a column of measures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from scrubjay.errors import InputError
from scrubjay.formats import fields
from scrubjay.formats.work import Work
from scrubjay.types import Document

Row = Sequence[str | None]
Change = tuple[int, int, str]  # row, column, new text

SHORT = 40  # characters: a cell that may stand often, and holds a known value only if a word is one
REMEMBERED = 100_000  # cells known to be plain
COMMON = frozenset({"DATE", "AGE", "YEAR", "STATE", "COUNTRY", "COORDINATES", "ID", "PASSWORD"})
NUMBER = re.compile(r"[-+<>=~]{0,2} ?\d{1,4}(?:[.,]\d{1,6})? ?%?", re.ASCII)
WORD = re.compile(r"\w+")


class Columns:
    """The columns of one table. `group` names the one that tells whose row it is; without it, the
    only patient number does."""

    def __init__(self, names: Sequence[str], group: str = "") -> None:
        self._names = list(names)
        self._labels = [fields.label(name) for name in names]
        self._measures = [fields.measure(name) for name in names]
        self._known = [i for i, label in enumerate(self._labels) if label and label not in COMMON]
        self._given = self._parts("given")
        self._family = self._parts("family")
        self._group = self._group_of(group)
        self._plain: set[tuple[int, str]] = set()

    def _parts(self, kind: str) -> list[int]:
        """Columns of one part of a name."""
        words = fields.part(kind)
        named = enumerate(zip(self._names, self._labels, strict=True))
        return [
            i for i, (n, label) in named
            if label == "PERSON" and not words.isdisjoint(fields.normal(n).split())
        ]  # fmt: skip

    def _group_of(self, group: str) -> int | None:
        if group:
            if group not in self._names:
                raise InputError(f"no column '{group}' to group by")
            return self._names.index(group)
        numbers = [i for i, label in enumerate(self._labels) if label == "MRN"]
        return numbers[0] if len(numbers) == 1 else None

    def changes(self, rows: Sequence[Row], wheres: Sequence[str], work: Work) -> Iterator[Change]:
        """The cells that become others. `wheres`: what a row is called."""
        places: list[tuple[int, int, bool]] = []
        documents = self._documents(rows, wheres, places)
        for number, result in enumerate(work.clean(documents)):
            row, column, known = places[number]
            text = rows[row][column] or ""
            if result.text != text:
                yield row, column, result.text
            elif not (known or result.report.counts or result.report.replacements):
                self._remember(column, text)

    def _remember(self, column: int, text: str) -> None:
        if len(text) <= SHORT and len(self._plain) < REMEMBERED:
            self._plain.add((column, text))

    def _documents(
        self, rows: Sequence[Row], wheres: Sequence[str], places: list[tuple[int, int, bool]]
    ) -> Iterator[Document]:
        known: dict[str, tuple[str, ...]] = {}
        for number, row in enumerate(rows):
            if not any(row):  # very many fit into a few bytes
                continue
            group, told = self.about(row)
            known = known if told == known else told  # rows of one person share a dictionary
            words = {word for value in known.values() for v in value for word in _words(v)}
            for column, text in enumerate(row):
                if not text:
                    continue
                name, label, measure = self._column(column)
                own = (
                    not label
                    and known
                    and (len(text) > SHORT or not words.isdisjoint(_words(text)))
                )
                if not own and self._passes(column, text, measure):
                    continue
                places.append((number, column, bool(own)))
                yield Document(
                    text, f"{wheres[number]}, column {column + 1}", "und", group, name, label,
                    known if own else {},
                )  # fmt: skip

    def _passes(self, column: int, text: str, measure: bool) -> bool:
        """Nothing that a column could tell of anybody: blanks, a measure, what was plain before."""
        if (column, text) in self._plain or text.isspace():
            return True
        return measure and NUMBER.fullmatch(text) is not None

    def _column(self, column: int) -> tuple[str, str, bool]:
        if column >= len(self._names):  # a row that is longer than the header
            return "", "", False
        return self._names[column], self._labels[column], self._measures[column]

    def about(self, row: Row) -> tuple[str, dict[str, tuple[str, ...]]]:
        """Whose row it is, and what it says of its people, first and last name also as one."""
        found: dict[str, list[str]] = {}
        for column in self._known:
            if value := self._cell(row, column).strip():
                found.setdefault(self._labels[column], []).append(value)
        for given, family in zip(self._given, self._family, strict=False):
            whole = f"{self._cell(row, given)} {self._cell(row, family)}".strip()
            if whole:
                found["PERSON"].insert(0, whole)
        known = {label: tuple(values) for label, values in found.items()}
        return self._cell(row, self._group).strip(), known

    @staticmethod
    def _cell(row: Row, column: int | None) -> str:
        return (row[column] or "") if column is not None and column < len(row) else ""


def _words(text: str) -> list[str]:
    return WORD.findall(text.casefold())
