"""X12 interchanges, 837 and 835 above all: `x12.v1` cleans each element by x12.toml.
Delimiters are the ISA segment's; counts in SE are counted again.

A patient's part begins at the HL segment of a subscriber or dependent (837) or at CLP (835): what
NM1, N3, DMG and REF tell there is looked for in its notes, and its dates move together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from msgspec import Struct

from scrubjay import formats, plugins
from scrubjay.errors import InputError
from scrubjay.formats import clinical, subjects
from scrubjay.formats.clinical import Plain, Record
from scrubjay.formats.subjects import Person
from scrubjay.formats.work import Work
from scrubjay.formats.x12_elements import Elements, layouts, table
from scrubjay.formats.x12_wire import Marks, Segment, split

MOST = 100_000  # segments of one patient
PATIENTS = ("IL", "QC", "74")


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
                try:
                    target.write(segment.write().encode(self._encoding))
                except UnicodeEncodeError:
                    raise InputError(
                        f"a substitute cannot be written in {self._encoding}"
                    ) from None

    def _parts(self, source: BinaryIO, work: Work) -> Iterator[Part]:
        waiting: list[Segment] = []
        held: list[tuple[str, str]] = []  # what is known of the subscriber
        plain = Plain()
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
        for number, (body, after, raw) in enumerate(split(source), 1):
            text = formats.decode(body, self._encoding, where=f"segment {number}: ")
            marks = raw or marks
            if marks is None:
                raise InputError(f"segment {number}: before any ISA")
            elements = text.split(marks.element)
            if not re.fullmatch(r"[A-Z][A-Z0-9]{1,2}", elements[0]):
                raise InputError(f"segment {number}: no segment name at its start")
            if elements[0] == "SE" and len(elements) != 3:
                raise InputError(f"segment {number}: SE without count and control number")
            yield Segment(elements, marks, after)


def _known_only(segments: Iterator[Segment], work: Work) -> Iterator[Segment]:
    for segment in segments:
        if segment.name in layouts():
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
    ask = Elements(record, person, work)
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


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`x12.v1`."""
    return X12(encoding)
