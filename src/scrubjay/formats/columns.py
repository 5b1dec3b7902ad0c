"""What every table shares: what its columns are, whose row it is, and which cells need a look.

A row's own names and numbers are looked for in its free text. A cell that was found plain is not
looked at again, nor a number in a column of measures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, islice

from msgspec import Struct, structs

from scrubjay.errors import InputError
from scrubjay.formats import births, dialect, fields, slots, strings, subjects
from scrubjay.formats.subjects import NOBODY, Find, Person
from scrubjay.formats.work import Work
from scrubjay.types import Anonymized, Document

Row = Sequence[str | None]
Change = tuple[int, int, str]  # row, column, new text

REMEMBERED = 100_000  # cells known to be plain
COMMON = frozenset({"DATE", "AGE", "YEAR", "STATE", "COUNTRY", "COORDINATES", "ID", "PASSWORD"})
WHOLE = ({"name"}, {"full", "name"})
NUMBER = re.compile(r"[-+<>=~]{0,2} ?\d{1,4}(?:[.,]\d{1,6})? ?%?", re.ASCII)


class Table(Struct):
    """One that is read for its people, once. `rows`: at least the columns that are asked for; where
    others are not read, they are None."""

    names: list[str]
    rows: Callable[[Sequence[int]], Iterator[Row]]

    def __repr__(self) -> str:
        return f"Table({len(self.names)} columns)"


def headed(rows: Iterator[Row]) -> Table:
    """A table whose names stand in one of its first rows, if it has names."""
    first = list(islice(rows, dialect.ROWS))
    head = dialect.header([[text or "" for text in row] for row in first])
    names = [(text or "").strip() for text in first[head - 1]] if head else []
    return Table(names, lambda columns: chain(first[head:], rows))


class Columns:
    """The columns of one table. `group` names the one that tells whose row it is; without it, those
    do that number patients, the best first, of which there is one of its kind."""

    def __init__(self, names: Sequence[str], group: str = "") -> None:
        self._names = list(names)
        self._labels = [fields.label(name) for name in names]
        self._measures = [fields.measure(name) for name in names]
        self._known = [i for i, label in enumerate(self._labels) if label and label not in COMMON]
        self._given = self._parts("given")
        self._family = self._parts("family")
        self._numbers = self._numbered(group)
        self._birth = births.whole(self._labels, self._names)
        self._plain: set[tuple[int, str]] = set()

    def _parts(self, kind: str) -> list[int]:
        """Columns of one part of a name."""
        words = fields.part(kind)
        named = enumerate(zip(self._names, self._labels, strict=True))
        return [
            i for i, (n, label) in named
            if label == "PERSON" and not words.isdisjoint(fields.normal(n).split())
        ]  # fmt: skip

    def _numbered(self, group: str) -> list[tuple[str, int]]:
        """Columns that tell whose row it is, each with the kind of its numbers."""
        if group:
            if group not in self._names:
                raise InputError(f"no column '{group}' to group by")
            return [(subjects.RECORD, self._names.index(group))]
        kinds = [subjects.kind(name) for name in self._names]
        if self._named and self._born and subjects.COUNTED not in kinds:  # a table of people
            plain = [fields.normal(name) == "id" for name in self._names]
            kinds = [subjects.COUNTED if id else k for id, k in zip(plain, kinds, strict=True)]
        return [(kind, kinds.index(kind)) for kind in subjects.BEST if kinds.count(kind) == 1]

    @property
    def _named(self) -> bool:
        return bool(self._given and self._family)

    @property
    def _born(self) -> bool:
        return any("birth" in fields.normal(name).split() for name in self._names) or (
            "BIRTH_DATE" in self._labels
        )

    @property
    def people(self) -> bool:
        """Whether each row is the record of a person: a number with a name, in parts or whole, or
        a day of birth."""
        own = any(kind in (subjects.RECORD, subjects.COUNTED) for kind, _ in self._numbers)
        return own and (self._named or self._born or any(map(_whole, self._names)))

    @property
    def told(self) -> list[int]:
        """The columns that say who a row's people are."""
        return sorted({*self._known, *(column for _, column in self._numbers)})

    def person(self, row: Row) -> tuple[frozenset[str], Person]:
        """A row as the record of a person: the ids by which others refer to it, and what it says
        itself."""
        ids = frozenset(number for _, number in self.numbers(row))
        return ids, self.about(row, subjects.nobody)

    def numbers(self, row: Row) -> list[tuple[str, str]]:
        """The numbers that say whose row it is, with their kinds, the best first."""
        told = ((kind, self._cell(row, column)) for kind, column in self._numbers)
        return [
            (kind, number) for kind, value in told
            if (kind != subjects.REFERRED or subjects.is_id(value))
            and (number := subjects.number(value))
        ]  # fmt: skip

    def changes(self, rows: Sequence[Row], wheres: Sequence[str], work: Work) -> Iterator[Change]:
        """The cells that become others. `wheres`: what a row is called."""
        places: list[tuple[int, int]] = []
        parts = self._parts_of(rows, wheres, places, work)
        for number, new in enumerate(slots.filled(parts, work.clean)):
            row, column = places[number]
            if new != rows[row][column]:
                yield row, column, new

    def _parts_of(
        self, rows: Sequence[Row], wheres: Sequence[str], places: list[tuple[int, int]], work: Work
    ) -> Iterator[slots.Part]:
        memory = slots.Memory()
        for row, column, document in self._documents(rows, wheres, work.people):
            places.append((row, column))
            if birth := self._born_with(rows[row], column, document):
                told = partial(self._agreed, births.part(self._names[column]))
                yield slots.Slot([document, birth], told)
            elif strings.opens(document.text):
                yield strings.part(document, document.text, str, work, memory=memory)
            else:
                yield slots.Slot([document], partial(self._told, column, document))

    def _born_with(self, row: Row, column: int, document: Document) -> Document | None:
        """The whole day of birth of which a cell is a part."""
        if self._birth < 0 or column >= len(self._names):
            return None
        which, day = births.part(self._names[column]), self._cell(row, self._birth)
        if not which or not births.agrees(which, document.text, day):
            return None
        name, label, _ = self._column(self._birth)
        # as the day's own cell: where a row has no group, dates move by the document
        place = f"{document.id.rpartition(' ')[0]} {self._birth + 1}"
        return structs.replace(document, text=day, id=place, field=name, label=label)

    @staticmethod
    def _agreed(which: str, results: list[Anonymized]) -> str:
        """A part of a day as it became, if that still has it."""
        own, whole = results
        return births.told(which, whole.text) or own.text

    def _told(self, column: int, document: Document, results: list[Anonymized]) -> str:
        """The cell as it became; one that was found plain is remembered."""
        [result] = results
        seen = document.known or result.report.counts or result.report.replacements
        if not seen and result.text == document.text:
            self._remember(column, document.text)
        return result.text

    def _remember(self, column: int, text: str) -> None:
        if len(text) <= subjects.SHORT and len(self._plain) < REMEMBERED:
            self._plain.add((column, text))

    def _documents(
        self, rows: Sequence[Row], wheres: Sequence[str], find: Find
    ) -> Iterator[tuple[int, int, Document]]:
        """The cells that need a look, with row and column."""
        person = NOBODY
        for number, row in enumerate(rows):
            if not any(row):  # very many fit into a few bytes
                continue
            told = self.about(row, find)
            person = person if told == person else told  # rows of one person share a dictionary
            for column, text in enumerate(row):
                if not text:
                    continue
                name, label, measure = self._column(column)
                own = not label and person.tells(text)
                if not own and self._passes(column, text, measure):
                    continue
                where = f"{wheres[number]}, column {column + 1}"
                known = person.known if own else {}
                yield number, column, Document(text, where, "und", person.group, name, label, known)

    def _passes(self, column: int, text: str, measure: bool) -> bool:
        """Nothing that a column could tell of anybody: blanks, a measure, a code of a public
        system, what was plain before."""
        if (column, text) in self._plain or text.isspace():
            return True
        if measure and NUMBER.fullmatch(text):
            return True
        return column < len(self._names) and fields.coded(self._names[column], text)

    def _column(self, column: int) -> tuple[str, str, bool]:
        if column >= len(self._names):  # a row that is longer than the header
            return "", "", False
        return self._names[column], self._labels[column], self._measures[column]

    def about(self, row: Row, find: Find) -> Person:
        """Whose row it is, and what is known of its people: by the row itself, and by the person's
        record where another file has it, which says the best number, too."""
        known = self._own(row)
        numbers = self.numbers(row)
        if not numbers:
            return Person("", known)
        kind, number = numbers[0]
        if self._named and kind == subjects.RECORD:
            return Person(number, known)
        found = find(number)
        group = found.group if found.group and kind != subjects.RECORD else number
        return Person(group, subjects.joined(known, found.known) if found.known else known)

    def _own(self, row: Row) -> dict[str, tuple[str, ...]]:
        """What a row says of its people, first and last name also as one."""
        found: dict[str, list[str]] = {}
        for column in self._known:
            if value := self._cell(row, column).strip():
                found.setdefault(self._labels[column], []).append(value)
        for given, family in zip(self._given, self._family, strict=False):
            whole = f"{self._cell(row, given)} {self._cell(row, family)}".strip()
            if whole:
                found["PERSON"].insert(0, whole)
        return {label: tuple(values) for label, values in found.items()}

    @staticmethod
    def _cell(row: Row, column: int) -> str:
        return (row[column] or "") if column < len(row) else ""


def _whole(name: str) -> bool:
    """Whether it is a patient's whole name, by the column's: `patient_full_name`."""
    words = set(fields.normal(name).split())
    return bool(words & fields.part("whose")) and words - fields.part("whose") in WHOLE
