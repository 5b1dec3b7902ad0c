"""X12 interchanges, 837 and 835 above all: `x12.v1` cleans each element by x12.toml, and by the
qualifier beside it. Delimiters are the ISA segment's; counts in SE are counted again.

A patient's part begins at the HL segment of a subscriber or dependent (837) or at CLP (835): what
NM1, N3, DMG and REF tell there is looked for in its notes, and its dates move together.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Any, BinaryIO

from msgspec import Struct

from scrubjay import formats, plugins
from scrubjay.errors import InputError
from scrubjay.formats import clinical, subjects
from scrubjay.formats.clinical import Record
from scrubjay.formats.subjects import Person
from scrubjay.formats.work import Work
from scrubjay.types import Anonymized

BLOCK = 1 << 20
LONGEST = 1 << 20  # bytes of a segment
MOST = 100_000  # segments of one patient
ISA = 106  # bytes, by X12.5
WIDTHS = {2: 10, 4: 10, 6: 15, 8: 15}
PATIENTS = ("IL", "QC", "74")
CODE = re.compile(r"[A-Za-z0-9]{1,3}")
AMOUNT = re.compile(r"-?[0-9]*\.?[0-9]+")
PROCEDURE = re.compile(r"[0-9A-Z][0-9]{3}[0-9A-Z]|[A-TV-Z][0-9][0-9A-Z]{1,5}|[0-9]{3}[0-9A-Z]{6}X")
DATES = {"D8": 8, "CM": 6, "CY": 4, "DT": 12}
NO_DAY = "19000101"  # where eight digits must stand, and none may be told


@cache
def table() -> dict[str, Any]:
    """x12.toml."""
    return tomllib.loads(files("scrubjay.formats").joinpath("x12.toml").read_text("utf-8"))


class Marks(Struct, frozen=True):
    """The delimiters of an interchange."""

    element: str
    component: str
    repetition: str
    end: str

    def clear(self, text: str) -> str:
        """Without delimiters: X12 has no way to write them in a value."""
        for sign in (self.element, self.component, self.repetition, self.end, "\r", "\n"):
            text = text.replace(sign, " ") if sign else text
        return text


class Segment(Struct):
    """Elements as they stand; number 0 is the name. `after`: line ends behind the segment."""

    elements: list[str]
    marks: Marks
    after: str = ""
    gone: bool = False

    @property
    def name(self) -> str:
        """As NM1."""
        return self.elements[0]

    def get(self, number: int) -> str:
        """An element, or nothing."""
        return self.elements[number].strip() if number < len(self.elements) else ""


class Part(Struct):
    """The segments of one patient, or those before the first."""

    segments: list[Segment]
    record: Record


class X12:
    """Interchanges one after the other."""

    name = "x12.v1"
    suffixes: tuple[str, ...] = (".x12", ".edi", ".837", ".835")

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """With the same delimiters and ends of lines."""
        count = 0
        for part in clinical.through(work, self._parts(source, work), lambda part: part.record):
            for segment in part.segments:
                if segment.gone:
                    continue
                count = 1 if segment.name == "ST" else count + 1
                if segment.name == "SE":
                    segment.elements[1] = str(count)
                told = segment.marks.element.join(segment.elements)
                try:
                    target.write((told + segment.marks.end + segment.after).encode(self._encoding))
                except UnicodeEncodeError:
                    raise InputError(
                        f"a substitute cannot be written in {self._encoding}"
                    ) from None

    def _parts(self, source: BinaryIO, work: Work) -> Iterator[Part]:
        waiting: list[Segment] = []
        held: list[tuple[str, str]] = []  # what is known of the subscriber
        plain: set[tuple[str, ...]] = set()
        number = 0
        for segment in _known_only(self._segments(source), work):
            if _begins(segment) and waiting:
                number += 1
                held, part = _part(waiting, held, Record(f"part {number}", plain), work)
                yield part
                waiting = []
            waiting.append(segment)
            if len(waiting) > MOST:
                raise InputError(f"part {number + 1}: more than {MOST:,} segments of one patient")
        if not waiting:
            raise InputError("no X12: it has no ISA segment")
        yield _part(waiting, held, Record(f"part {number + 1}", plain), work)[1]

    def _segments(self, source: BinaryIO) -> Iterator[Segment]:
        marks: Marks | None = None
        for number, (body, after, raw) in enumerate(_split(source), 1):
            text = formats.decode(body, self._encoding, where=f"segment {number}: ")
            marks = raw or marks
            if marks is None:
                raise InputError(f"segment {number}: before any ISA")
            elements = text.split(marks.element)
            if not re.fullmatch(r"[A-Z][A-Z0-9]{1,2}", elements[0]):
                raise InputError(f"segment {number}: no segment name at its start")
            if elements[0] == "SE" and len(elements) < 3:
                raise InputError(f"segment {number}: SE without count and control number")
            yield Segment(elements, marks, after)


def _split(source: BinaryIO) -> Iterator[tuple[bytes, str, Marks | None]]:
    """Each segment with the line end behind it, and the delimiters where it is an ISA."""
    data = b""
    end = b""
    ended = False
    while not ended or data:
        block = source.read(BLOCK)
        ended = not block
        data += block
        while True:
            data = data.lstrip(b" \r\n\t\xef\xbb\xbf") if not end else data
            found = None
            if data.startswith(b"ISA"):
                if len(data) < ISA:
                    break
                found = _marks(data[:ISA])
                end = found.end.encode("latin-1")
            at = data.find(end, ISA - 1 if found else 0) if end else -1
            if at < 0 or (at + 3 > len(data) and not ended):
                break
            body, rest = data[:at], data[at + len(end) :]
            after = re.match(rb"[ \r\n\t]*", rest)[0]  # type: ignore[index]
            data = rest[len(after) :]
            yield body, after.decode("ascii"), found
        if len(data) > LONGEST + BLOCK or (ended and data):
            raise InputError("a segment without its end, or an ISA that is cut short")


def _marks(isa: bytes) -> Marks:
    """By the places of an ISA: all its elements have one width."""
    text = isa.decode("latin-1")
    element, component, end = text[3], text[104], text[105]
    elements = text[:105].split(element)
    if len(elements) != 17 or [len(e) for e in elements[1:]] != [
        2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1,
    ]:  # fmt: skip
        raise InputError("the ISA segment does not have the widths of X12.5")
    repetition = "" if elements[11].isalnum() else elements[11]
    signs = [element, component, end, *([repetition] if repetition else [])]
    if len(set(signs)) < len(signs) or any(s.isalnum() or s in " .-" or s > "~" for s in signs):
        raise InputError("delimiters of the ISA segment that are letters, or not different")
    return Marks(element, component, repetition, end)


def _known_only(segments: Iterator[Segment], work: Work) -> Iterator[Segment]:
    for segment in segments:
        if segment.name in table()["segments"]:
            yield segment
        else:
            work.dropped("segment of no known meaning")


def _begins(segment: Segment) -> bool:
    """Whether another patient begins here, or none any more."""
    if segment.name == "HL":
        return True
    return segment.name in ("ISA", "ST", "SE", "CLP")


def _part(
    segments: list[Segment], held: list[tuple[str, str]], record: Record, work: Work
) -> tuple[list[tuple[str, str]], Part]:
    """A dependent's part knows the subscriber, too."""
    own = list(chain.from_iterable(_values(segments)))
    if segments[0].name == "HL" and segments[0].get(3) == "23":
        told = [*held, *own]
    else:
        told = own
        held = own
    person = Person(_group(segments, own, held), clinical.known(told))
    ask = _Elements(record, person, work)
    for segment in segments:
        ask.segment(segment)
    return held, Part(segments, record)


def _group(segments: list[Segment], own: list[tuple[str, str]], held: list[tuple[str, str]]) -> str:
    """The medical record number, else the member's number, which a dependent has from the
    subscriber: with a given name."""
    if record := subjects.named(pair for pair in own if pair[0] == subjects.RECORD):
        return record
    member = subjects.named(pair for pair in (*own, *held) if pair[0] != subjects.RECORD)
    given = {s.get(1): s.get(4).casefold() for s in segments if s.name == "NM1"}
    dependent = "QC" in given and ("IL" in given or own is not held)
    return f"{member} {given['QC']}" if member and dependent else member


def _values(segments: list[Segment]) -> Iterator[list[tuple[str, str]]]:
    """What is known of the patient, and who else is named."""
    patient = False
    lines: list[str] = []
    for segment in segments:
        get = segment.get
        if segment.name == "NM1":
            patient = get(1) in PATIENTS
            if get(2) == "1":
                yield [("PERSON", f"{get(4)} {get(5)} {get(3)}")]
            yield [(table()["qualifiers"].get(get(8), "ID"), get(9))] if patient else []
        elif segment.name == "REF" and get(1) in ("EA", "SY", "1W", "IG"):
            yield [(table()["qualifiers"][get(1)], get(2))]
        elif patient and segment.name == "N3":
            lines = [get(1)]
        elif patient and segment.name == "N4" and lines:
            yield [("STREET_ADDRESS", f"{lines[0]}, {get(1)}, {get(2)} {get(3)}")]
        elif patient and segment.name == "DMG":
            yield [("BIRTH_DATE", clinical.spelled(get(2))[:10])]
        elif segment.name in ("CLM", "CLP"):
            yield [("ACCOUNT", get(1))]


class _Elements:
    """Asks for the elements of one part."""

    def __init__(self, record: Record, person: Person, work: Work) -> None:
        self._record = record
        self._person = person
        self._work = work

    def segment(self, segment: Segment) -> None:
        """All elements of a segment."""
        rows = table()["segments"][segment.name]
        for number in range(1, len(segment.elements)):
            value = segment.elements[number]
            if not value.strip() or (segment.name == "ISA" and number == 16):
                continue
            kind = rows.get(str(number), "code")
            if kind.isupper():
                self._text(segment, number, kind)
            else:
                getattr(self, f"_{kind}")(segment, number)

    def _ask(
        self, segment: Segment, value: str, label: str, put: Callable[[str], None], field: str = ""
    ) -> None:
        def told(result: Anonymized) -> None:
            if result.text != value:
                put(segment.marks.clear(result.text).strip())

        person = self._person.of(value) if field == "code" else self._person
        self._record.ask(value, told, label=label, field=field, person=person)

    def _text(self, segment: Segment, number: int, label: str) -> None:
        """Letters before and behind stay."""
        self._ask(
            segment, segment.elements[number], label,
            lambda new: segment.elements.__setitem__(number, new),
        )  # fmt: skip

    def _free(self, segment: Segment, number: int) -> None:
        if clinical.opaque(segment.elements[number]):
            segment.elements[number] = "X"
            self._work.dropped("encoded value")
        else:
            self._text(segment, number, "")

    def _name(self, segment: Segment, number: int) -> None:
        self._text(segment, number, "ORGANIZATION" if segment.get(2) == "2" else "PERSON")

    def _by(self, segment: Segment, number: int) -> None:
        self._text(segment, number, table()["qualifiers"].get(segment.get(number - 1), "ID"))

    def _typed(
        self, segment: Segment, number: int, label: str, fits: str, otherwise: str = ""
    ) -> None:
        """A value that does not stay what it is goes."""

        def put(new: str) -> None:
            segment.elements[number] = new if re.fullmatch(fits, new) else otherwise

        self._ask(segment, segment.elements[number], label, put)

    def _state(self, segment: Segment, number: int) -> None:
        self._typed(segment, number, "STATE", "[A-Z]{2}")

    def _zip(self, segment: Segment, number: int) -> None:
        us = re.fullmatch(r"[0-9]{5}([0-9]{4})?", segment.elements[number])
        self._typed(segment, number, "ZIP" if us else "POSTAL_CODE", "[A-Za-z0-9]{3,15}")

    def _country(self, segment: Segment, number: int) -> None:
        self._typed(segment, number, "COUNTRY", "[A-Z]{2,3}")

    def _gender(self, segment: Segment, number: int) -> None:
        self._typed(segment, number, "GENDER", "[FMU]", "U")

    def _marital(self, segment: Segment, number: int) -> None:
        self._typed(segment, number, "MARITAL_STATUS", "[A-Z]")

    def _ethnic(self, segment: Segment, number: int) -> None:
        self._typed(segment, number, "ETHNICITY", "[A-Z]")

    def _time(self, segment: Segment, number: int) -> None:
        if not re.fullmatch(r"[0-2][0-9][0-5][0-9]([0-5][0-9]([0-9]{2})?)?", segment.get(number)):
            raise InputError(f"{self._record.id}: a time in {segment.name} that is none")
        if len(segment.get(number)) > 4:
            segment.elements[number] = segment.get(number)[:4]

    def _amount(self, segment: Segment, number: int) -> None:
        """An amount of money or of things: not more than 13 digits before its point."""
        value = segment.elements[number]
        if not AMOUNT.fullmatch(value) or len(value.lstrip("-").partition(".")[0]) > 13:
            self._code(segment, number)
        elif len(re.sub(r"\D", "", value)) > 6:
            self._typed(segment, number, "", "-", "0")

    def _number(self, segment: Segment, number: int) -> None:
        """Control numbers stand twice: they stay, or change alike."""
        value = segment.elements[number]
        if not re.fullmatch(r"[0-9]{1,9}", value):
            raise InputError(f"{self._record.id}: a control number in {segment.name} that is none")

        def put(new: str) -> None:
            told = int(clinical.code(value).replace("-", ""), 16) % 10 ** len(value)
            segment.elements[number] = f"{told:0{len(value)}}"

        self._ask(segment, value, "", put)

    def _fixed(self, segment: Segment, number: int) -> None:
        width = WIDTHS[number]
        value = segment.elements[number].strip()
        self._ask(
            segment, value, "ORGANIZATION" if number > 4 else "SECRET",
            lambda new: segment.elements.__setitem__(number, new[:width].ljust(width)),
        )  # fmt: skip

    def _short(self, segment: Segment, number: int) -> None:
        """YYMMDD of this century."""
        value = segment.elements[number]
        self._day(
            f"20{value}",
            "DATE",
            lambda new: segment.elements.__setitem__(number, new.ljust(8)[2:8].replace(" ", "0")),
            NO_DAY,
        )

    def _date(self, segment: Segment, number: int) -> None:
        must = NO_DAY if segment.name in ("GS", "PLB", "TS3", "STC") else ""
        self._day(
            segment.elements[number], "DATE",
            lambda new: segment.elements.__setitem__(number, new), must,
        )  # fmt: skip

    def _day(self, value: str, label: str, put: Callable[[str], None], must: str) -> None:
        """Eight digits. What was made coarser is written as its first day."""
        question = clinical.spelled(value)
        if len(value) != 8 or not question:
            raise InputError(f"{self._record.id}: a date that is none")

        def told(result: Anonymized) -> None:
            new = clinical.compact(result.text, value)
            put((new + "0101"[len(new) - 4 :]) if new and len(new) < 8 else new or must)

        self._record.ask(question, told, label=label, field="date", person=self._person.undated)

    def _birth(self, segment: Segment, number: int) -> None:
        self._dated(segment, number, "BIRTH_DATE")

    def _period(self, segment: Segment, number: int) -> None:
        death = segment.name in ("PAT", "INS")
        self._dated(segment, number, "DEATH_DATE" if death else "DATE")

    def _dated(self, segment: Segment, number: int, label: str) -> None:
        """With a format beside it (element 1250): D8, RD8, DT; TM is a time, not a date."""
        kind = segment.get(number - 1)
        days = segment.elements[number].split("-") if kind == "RD8" else [segment.elements[number]]
        width = 8 if kind == "RD8" else DATES.get(kind, 0)
        if kind == "TM" and re.fullmatch(r"[0-9]{4,8}", days[0]):
            segment.elements[number] = days[0][:4]
            return
        if any(len(day) != width or not clinical.spelled(day) for day in days):
            raise InputError(f"{self._record.id}: a date in {segment.name} that is none")
        answers = list(days)
        for index, day in enumerate(days):
            self._record.ask(
                clinical.spelled(day), self._dates(segment, number, answers, index, day),
                label=label, field="date", person=self._person.undated,
            )  # fmt: skip

    def _dates(
        self, segment: Segment, number: int, answers: list[str], index: int, day: str
    ) -> Callable[[Anonymized], None]:
        def told(result: Anonymized) -> None:
            answers[index] = clinical.compact(result.text, day)
            shortest = min(map(len, answers))
            kinds = {4: "CY", 6: "CM", 8: "D8", 12: "DT"}
            if shortest == 8 and len(answers) == 2:
                segment.elements[number] = "-".join(answers)
            elif shortest in kinds:
                segment.elements[number - 1] = kinds[shortest]
                segment.elements[number] = answers[0][:shortest]
            else:
                self._undated(segment, number)

        return told

    def _undated(self, segment: Segment, number: int) -> None:
        segment.elements[number - 1] = segment.elements[number] = ""
        if segment.name == "DTP" and not segment.gone:
            segment.gone = True
            self._work.dropped("date that may not be told")

    def _code(self, segment: Segment, number: int) -> None:
        """Codes, composites too: each part stays, or goes."""
        marks = segment.marks
        repeats = _cut(segment.elements[number], marks.repetition)
        parts = [_cut(repeat, marks.component) for repeat in repeats]
        for row in parts:
            for index, value in enumerate(row):
                if not self._is_code(value):
                    self._part(segment, number, parts, row, index)

    def _part(
        self, segment: Segment, number: int, parts: list[list[str]], row: list[str], index: int
    ) -> None:
        def put(new: str) -> None:
            row[index] = ""
            marks = segment.marks
            told = marks.repetition.join(marks.component.join(each) for each in parts)
            segment.elements[number] = told

        if clinical.opaque(row[index]):
            put("")
            self._work.dropped("encoded value")
        elif re.fullmatch(r"[12][0-9]{7}(-[12][0-9]{7})?", row[index]):
            self._ask(segment, row[index], "DATE", put)  # of a composite: HI's
        else:
            self._ask(segment, row[index], "", put, "code")

    def _is_code(self, value: str) -> bool:
        short = CODE.fullmatch(value) or (AMOUNT.fullmatch(value) and len(value) < 7)
        return bool(short or (PROCEDURE.fullmatch(value) and not self._person.shows(value)))


def _cut(text: str, mark: str) -> list[str]:
    return text.split(mark) if mark else [text]


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`x12.v1`."""
    return X12(encoding)
