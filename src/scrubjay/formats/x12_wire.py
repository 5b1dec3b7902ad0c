"""X12 on the wire: segments out of bytes, and delimiters from the ISA segment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct, field

from scrubjay.errors import InputError

BLOCK = 1 << 20
LONGEST = 1 << 20  # bytes of a segment
ISA = 106  # bytes, by X12.5
_BEFORE = b" \r\n\t\xef\xbb\xbf"
_BLANKS = re.compile(rb"[ \r\n\t]*")


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
    """Elements as they stand; number 0 is the name. Those in `rows` are written from there:
    repetitions of components. `after`: line ends behind the segment."""

    elements: list[str]
    marks: Marks
    after: str = ""
    gone: bool = False
    rows: dict[int, list[list[str]]] = field(default_factory=dict)

    def repeats(self, number: int) -> bool:
        """Whether an element stands there several times."""
        mark = self.marks.repetition
        return bool(mark) and mark in self.elements[number]

    def cut(self, number: int, *, composite: bool) -> list[list[str]]:
        """The repetitions of an element, each of its components, to be changed in place."""
        repeats = _cut(self.elements[number], self.marks.repetition)
        mark = self.marks.component if composite else ""
        return self.rows.setdefault(number, [_cut(each, mark) for each in repeats])

    def write(self) -> str:
        """As it stands in a file."""
        for number, rows in self.rows.items():
            told = (self.marks.component.join(row) for row in rows)
            self.elements[number] = self.marks.repetition.join(told)
        return self.marks.element.join(self.elements) + self.marks.end + self.after

    @property
    def name(self) -> str:
        """As NM1."""
        return self.elements[0]

    def get(self, number: int) -> str:
        """An element, or nothing."""
        return self.elements[number].strip() if number < len(self.elements) else ""


def split(source: BinaryIO) -> Iterator[tuple[bytes, str, Marks | None]]:
    """Each segment with the line end behind it, and the delimiters where it is an ISA."""
    data = end = b""
    ended = False
    while not ended:
        block = source.read(BLOCK)
        ended = not block
        data += block
        at = 0
        while told := _segment(data, at, end, last=ended):
            body, after, marks, at = told
            end = marks.end.encode("latin-1") if marks else end
            yield body, after, marks
        data = data[at:] if end else data.lstrip(_BEFORE)
        if len(data) > LONGEST + BLOCK or (ended and data):
            raise InputError("a segment without its end, or an ISA that is cut short")


def _segment(
    data: bytes, at: int, end: bytes, *, last: bool
) -> tuple[bytes, str, Marks | None, int] | None:
    """The segment that begins there, what is behind it, and where the next one begins; nothing
    where more must be read."""
    marks = None
    if not end:
        at = len(data) - len(data.lstrip(_BEFORE))
    if data.startswith(b"ISA", at):
        if len(data) < at + ISA:
            return None
        marks = _marks(data[at : at + ISA])
        end = marks.end.encode("latin-1")
    stop = data.find(end, at + ISA - 1 if marks else at) if end else -1
    if stop < 0:
        return None
    behind = _BLANKS.match(data, stop + len(end)).end()  # type: ignore[union-attr]
    if behind == len(data) and not last:
        return None
    return data[at:stop], data[stop + len(end) : behind].decode("ascii"), marks, behind


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


def _cut(text: str, mark: str) -> list[str]:
    return text.split(mark) if mark else [text]
