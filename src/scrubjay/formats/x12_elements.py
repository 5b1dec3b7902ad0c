"""What is done with each element of an X12 segment, by x12.toml. A value that has not the
shape of its kind goes: nobody knows what it says.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from msgspec import Struct

from scrubjay.errors import InputError
from scrubjay.formats import clinical, tables
from scrubjay.formats.clinical import Record
from scrubjay.formats.subjects import Person
from scrubjay.formats.work import Work
from scrubjay.formats.x12_wire import Segment
from scrubjay.types import Anonymized

WIDTHS = {2: 10, 4: 10, 6: 15, 8: 15}  # of ISA
AMOUNT = re.compile(r"-?([0-9]{1,8}|[0-9]{0,10}\.[0-9]{1,8})")
NDC = re.compile(r"[0-9]{11}")
SSN = re.compile(r"(?!000|666|9)[0-9]{3}(?!00)[0-9]{2}(?!0000)[0-9]{4}")  # as they are given
TIME = re.compile(r"[0-2][0-9][0-5][0-9]([0-5][0-9]([0-9]{1,2})?)?")
DATES = {"D8": 8, "CM": 6, "CY": 4, "DT": 12}
KINDS = {width: kind for kind, width in DATES.items()}
NO_DAY = "19000101"  # where eight digits must stand, and none may be told
DATED = ("GS", "PLB", "TS3", "STC")  # segments in which they must


def table() -> dict[str, Any]:
    """x12.toml."""
    return tables.read("x12")


@cache
def layouts() -> dict[str, tuple[str, ...]]:
    """The kinds of each segment's elements, in order."""
    return {name: _kinds(row) for name, row in table()["segments"].items()}


@cache
def composites() -> dict[str, tuple[str, ...]]:
    """The kinds of each composite's components, in order."""
    return {name: _kinds(row) for name, row in table()["composites"].items()}


def _kinds(row: str) -> tuple[str, ...]:
    told: list[str] = []
    for word in row.split():
        kind, _, count = word.partition("*")
        told += [kind] * int(count or 1)
    return tuple(told)


@cache
def shapes() -> dict[str, Callable[[str], object]]:
    """What tells whether a value is a code of that kind."""
    words = {kind: row.split() for kind, row in table()["words"].items()}
    told = {kind: "|".join([row, *words.get(kind, [])]) for kind, row in table()["shapes"].items()}
    return {kind: re.compile(row).fullmatch for kind, row in told.items()}


class Cell(Struct):
    """Where a value stands: in an element, or in a component of one. `number`: the element's."""

    segment: Segment
    number: int
    row: list[str]
    at: int

    @property
    def value(self) -> str:
        """What stands there."""
        return self.row[self.at]

    @property
    def before(self) -> str:
        """What stands before it: a qualifier."""
        return self.row[self.at - 1].strip() if self.at else ""

    def put(self, value: str) -> None:
        """There now, without delimiters."""
        self.row[self.at] = self.segment.marks.clear(value).strip()


class Elements:
    """Asks for the elements of one part."""

    def __init__(self, record: Record, person: Person, work: Work) -> None:
        self._record = record
        self._person = person
        self._work = work

    def segment(self, segment: Segment) -> None:
        """All elements of a segment."""
        kinds = layouts()[segment.name]
        for number, value in enumerate(segment.elements):
            if not number or not value.strip():
                continue
            kind = kinds[number - 1] if number <= len(kinds) else "-"
            if not self._stays(value, kind):
                self._element(segment, number, kind)

    def _element(self, segment: Segment, number: int, kind: str) -> None:
        if kind in composites():
            for row in segment.cut(number, composite=True):
                self._components(segment, number, row, composites()[kind])
        elif kind in shapes() and segment.repeats(number):
            for row in segment.cut(number, composite=False):
                self._code(Cell(segment, number, row, 0), kind)
        else:
            self._value(Cell(segment, number, segment.elements, number), kind)

    def _components(
        self, segment: Segment, number: int, row: list[str], kinds: tuple[str, ...]
    ) -> None:
        for at in range(len(row)):
            if row[at].strip():
                kind = kinds[at] if at < len(kinds) else "-"
                self._value(Cell(segment, number, row, at), kind)

    def _value(self, cell: Cell, kind: str) -> None:
        if kind == "-":
            self._gone(cell)
        elif kind in shapes():
            self._code(cell, kind)
        elif kind.isupper():
            self._text(cell, kind)
        else:
            getattr(self, f"_{kind}")(cell)

    def _gone(self, cell: Cell, instead: str = "") -> None:
        if cell.segment.name == "ISA":
            raise InputError(f"{self._record.id}: a value in ISA that is none of its element")
        cell.put(instead)
        self._work.dropped("value that is none of its element")

    def _code(self, cell: Cell, kind: str) -> None:
        """It stays, but where it is a word of the person's, or goes."""
        if not shapes()[kind](cell.value):
            self._gone(cell)
        elif not self._stays(cell.value, kind):
            self._ask(cell, "", lambda new: self._gone(cell), "code")

    def _stays(self, value: str, kind: str) -> bool:
        """Whether a value is a code of that kind, with no word of the person's in it."""
        fits = shapes().get(kind)
        if fits is None or not fits(value):
            return False
        return len(value) < 3 or not self._person.shows(value)

    def _ask(self, cell: Cell, label: str, put: Callable[[str], None], field: str = "") -> None:
        value = cell.value

        def told(result: Anonymized) -> None:
            if result.text != value:
                put(result.text)

        self._record.ask(value, told, label=label, field=field, person=self._person)

    def _text(self, cell: Cell, label: str) -> None:
        self._ask(cell, clinical.label(cell.value, label), cell.put)

    def _free(self, cell: Cell) -> None:
        if clinical.opaque(cell.value):
            cell.put("X")
            self._work.dropped("encoded value")
        else:
            self._text(cell, "")

    def _name(self, cell: Cell) -> None:
        self._text(cell, "ORGANIZATION" if cell.before == "2" else "PERSON")

    def _by(self, cell: Cell) -> None:
        self._text(cell, table()["qualifiers"].get(cell.before, "ID"))

    def _product(self, cell: Cell) -> None:
        """A drug by its eleven digits where the qualifier says so; else a procedure."""
        if not (cell.before == "N4" and NDC.fullmatch(cell.value)):
            self._code(cell, "procedure")

    def _typed(self, cell: Cell, label: str, fits: str, otherwise: str = "") -> None:
        """A value that does not stay what it is goes."""
        self._ask(
            cell, label, lambda new: cell.put(new if re.fullmatch(fits, new) else otherwise)
        )  # fmt: skip

    def _word(self, cell: Cell, label: str, fits: str, otherwise: str = "") -> None:
        """A code of letters: what is none goes without a question."""
        if re.fullmatch(fits, cell.value):
            self._typed(cell, label, fits, otherwise)
        else:
            self._gone(cell, otherwise)

    def _state(self, cell: Cell) -> None:
        self._word(cell, "STATE", "[A-Z]{2}")

    def _zip(self, cell: Cell) -> None:
        us = re.fullmatch(r"[0-9]{5}([0-9]{4})?", cell.value)
        self._typed(cell, "ZIP" if us else "POSTAL_CODE", "[A-Za-z0-9]{3,15}")

    def _country(self, cell: Cell) -> None:
        self._word(cell, "COUNTRY", "[A-Z]{2,3}")

    def _gender(self, cell: Cell) -> None:
        self._word(cell, "GENDER", "[FMU]", "U")

    def _marital(self, cell: Cell) -> None:
        self._word(cell, "MARITAL_STATUS", "[A-Z]")

    def _ethnic(self, cell: Cell) -> None:
        self._word(cell, "ETHNICITY", "[A-Z]")

    def _time(self, cell: Cell) -> None:
        if not TIME.fullmatch(cell.value):
            raise InputError(f"{self._record.id}: a time in {cell.segment.name} that is none")
        cell.row[cell.at] = cell.value[:4]

    def _amount(self, cell: Cell) -> None:
        """Of money or of things. A long one could be a number of somebody: it is looked at."""
        value = cell.value
        if not AMOUNT.fullmatch(value):
            self._gone(cell, "0")
        elif len(re.sub(r"\D", "", value)) > 6:
            self._typed(cell, "", "-", "0")

    def _mark(self, cell: Cell) -> None:
        """Delimiters were read when the segments were."""

    def _count(self, cell: Cell) -> None:
        """Who writes the segments counts them."""

    def _number(self, cell: Cell) -> None:
        """Control numbers stand twice, and in acknowledgements: they stay, or change alike. One
        that could be a social security number changes."""
        value = cell.value
        if not re.fullmatch(r"[0-9]{1,9}", value):
            raise InputError(
                f"{self._record.id}: a control number in {cell.segment.name} that is none"
            )

        def put(new: str) -> None:
            told = int(clinical.code(value, self._work.key).replace("-", ""), 16)
            cell.put(f"{told % 10 ** len(value):0{len(value)}}")

        self._ask(cell, "ID" if SSN.fullmatch(value) else "", put)

    def _fixed(self, cell: Cell) -> None:
        width = WIDTHS[cell.number]
        label = "ORGANIZATION" if cell.number > 4 else "SECRET"
        value = cell.value.strip()

        def told(result: Anonymized) -> None:
            if result.text != value:
                new = cell.segment.marks.clear(result.text).strip()
                cell.row[cell.at] = new[:width].ljust(width)

        self._record.ask(value, told, label=label, person=self._person)

    def _short(self, cell: Cell) -> None:
        """YYMMDD of this century."""
        self._day(f"20{cell.value}", lambda new: cell.put((new or NO_DAY)[2:8]))

    def _date(self, cell: Cell) -> None:
        must = NO_DAY if cell.segment.name in DATED else ""
        self._day(cell.value, lambda new: cell.put(new or must))

    def _day(self, value: str, put: Callable[[str], None]) -> None:
        """Eight digits, or nothing. What was made coarser is written as its first day."""
        question = clinical.spelled(value)
        if len(value) != 8 or not question:
            raise InputError(f"{self._record.id}: a date that is none")

        def told(result: Anonymized) -> None:
            new = clinical.compact(result.text, value)
            put(new + "0101"[len(new) - 4 :] if new else "")

        self._record.ask(question, told, label="DATE", field="date", person=self._person.undated)

    def _birth(self, cell: Cell) -> None:
        self._dated(cell, "BIRTH_DATE")

    def _period(self, cell: Cell) -> None:
        self._dated(cell, "DEATH_DATE" if cell.segment.name in ("PAT", "INS") else "DATE")

    def _dated(self, cell: Cell, label: str) -> None:
        """With a format before it (element 1250): D8, RD8, DT; TM is a time, not a date."""
        kind = cell.before
        days = cell.value.split("-") if kind == "RD8" else [cell.value]
        width = 8 if kind == "RD8" else DATES.get(kind, 0)
        if kind == "TM" and TIME.fullmatch(days[0]):
            cell.row[cell.at] = days[0][:4]
            return
        if any(len(day) != width or not clinical.spelled(day) for day in days) or len(days) > 2:
            raise InputError(f"{self._record.id}: a date in {cell.segment.name} that is none")
        answers = list(days)
        for index, day in enumerate(days):
            self._record.ask(
                clinical.spelled(day), self._dates(cell, answers, index, day),
                label=label, field="date", person=self._person.undated,
            )  # fmt: skip

    def _dates(
        self, cell: Cell, answers: list[str], index: int, day: str
    ) -> Callable[[Anonymized], None]:
        def told(result: Anonymized) -> None:
            answers[index] = clinical.compact(result.text, day)
            shortest = min(map(len, answers))
            if shortest == 8 and len(answers) == 2:
                cell.row[cell.at] = "-".join(answers)
            elif shortest in KINDS:
                cell.row[cell.at - 1 : cell.at + 1] = [KINDS[shortest], answers[0][:shortest]]
            else:
                self._undated(cell)

        return told

    def _undated(self, cell: Cell) -> None:
        cell.row[cell.at - 1 : cell.at + 1] = ["", ""]
        if cell.segment.name == "DTP" and not cell.segment.gone:
            cell.segment.gone = True
            self._work.dropped("date that may not be told")
