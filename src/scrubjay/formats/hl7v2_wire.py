"""HL7 v2 on the wire: segments out of bytes, delimiters from the header, escapes (chapter 2.5-2.7).

A segment keeps its text apart from its delimiters; written unchanged it is the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct

from scrubjay import formats
from scrubjay.errors import InputError

BLOCK = 1 << 20
LONGEST = 1 << 27  # bytes of one segment
HEADERS = ("MSH", "FHS", "BHS")
NULL = '""'
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
CHARSETS = {  # table 0211
    "ASCII": "utf-8", "UNICODE UTF-8": "utf-8", "UTF-8": "utf-8", "8859/1": "latin-1",
    **{f"8859/{n}": f"iso8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 9, 15)},
    "ISO IR87": "iso2022_jp", "ISO IR159": "iso2022_jp_2", "KS X 1001": "euc_kr", "BIG-5": "big5",
    "GB 18030-2000": "gb18030",
}  # fmt: skip


class Marks(Struct, frozen=True):
    """The delimiters that a header declares."""

    field: str
    component: str
    repetition: str = ""
    escape: str = ""
    part: str = ""  # between subcomponents
    more: str = ""

    def split(self, field: str) -> list[list[list[str]]]:
        """Repetitions of components of subcomponents, escaped as they were."""
        if not field or not any(
            mark and mark in field for mark in (self.component, self.repetition, self.part)
        ):
            return [[[field]]]
        return [
            [_cut(component, self.part) for component in _cut(repetition, self.component)]
            for repetition in _cut(field, self.repetition)
        ]

    def join(self, field: list[list[list[str]]]) -> str:
        """The way back."""
        if len(field) == len(field[0]) == len(field[0][0]) == 1:
            return field[0][0][0]
        return self.repetition.join(
            self.component.join(self.part.join(parts) for parts in components)
            for components in field
        )


def _cut(text: str, mark: str) -> list[str]:
    return text.split(mark) if mark else [text]


class Segment(Struct):
    """`fields[n]` is field n, as lists of lists of lists; a header's delimiters are apart."""

    name: str
    fields: list[list[list[list[str]]]]
    marks: Marks
    before: bytes = b""  # of a frame
    after: bytes = b""
    number: int = 0

    def write(self, encoding: str) -> bytes:
        """The bytes of the segment, frame and all."""
        marks = self.marks
        told = [marks.join(field) for field in self.fields[1:]]
        if self.name in HEADERS:
            signs = (marks.component, marks.repetition, marks.escape, marks.part, marks.more)
            told = ["".join(signs), *told[2:]]
        text = marks.field.join([self.name, *told])
        try:
            return self.before + text.encode(encoding) + self.after
        except UnicodeEncodeError:
            raise InputError(f"a substitute cannot be written in {encoding}") from None

    def cell(self, field: int, component: int = 1, repetition: int = 1, part: int = 1) -> str:
        """A value as text; empty where there is none."""
        try:
            raw = self.fields[field][repetition - 1][component - 1][part - 1]
        except IndexError:
            return ""
        return "" if raw == NULL else read(raw, self.marks)[0]


def segments(source: BinaryIO, encoding: str) -> Iterator[tuple[Segment, str]]:
    """Every segment, with the encoding that it is to be written in."""
    marks: Marks | None = None
    for number, (before, body, after) in enumerate(_lines(source), 1):
        if not body:
            yield Segment("", [], marks or Marks("", ""), before, after), encoding
            continue
        if body[:3] in (b"MSH", b"FHS", b"BHS"):
            marks = _marks(body.decode("latin-1"), number)
            if body[:3] == b"MSH":
                encoding = _charset(body, marks, encoding)
        if marks is None:
            raise InputError(f"segment {number}: before any header, MSH, FHS or BHS")
        text = formats.decode(body, encoding, where=f"segment {number}: ")
        yield _segment(text, marks, before, after, number), encoding


def _charset(header: bytes, marks: Marks, encoding: str) -> str:
    """MSH-18, where it says more than nothing."""
    fields = header.decode("latin-1").split(marks.field)
    told = fields[17].partition(marks.repetition or "~")[0].strip().upper() if fields[17:] else ""
    return CHARSETS.get(told, encoding) if told not in ("", "ASCII") else encoding


def _segment(text: str, marks: Marks, before: bytes, after: bytes, number: int) -> Segment:
    name = text[:3]
    if not _NAME.fullmatch(name) or text[3:4] not in ("", marks.field):
        raise InputError(f"segment {number}: no segment name and field separator at its start")
    parts = text.split(marks.field)[1:]
    fields = [[[[""]]], *(marks.split(part) for part in parts)]
    if name in HEADERS:
        fields = [[[[""]]], [[[marks.field]]], [[[""]]], *fields[2:]]
    return Segment(name, fields, marks, before, after, number)


def _marks(text: str, number: int) -> Marks:
    """MSH-1 and MSH-2."""
    sep = text[3:4]
    told = text[4:].partition(sep)[0] if sep else ""
    every = sep + told
    if not sep or not 1 <= len(told) <= 5 or len(set(every)) < len(every):
        raise InputError(f"segment {number}: delimiters that are missing, or not different")
    if any(c.isalnum() or c.isspace() or not c.isprintable() or ord(c) > 126 for c in every):
        raise InputError(f"segment {number}: delimiters that are no punctuation marks")
    return Marks(sep, *told)


def _lines(source: BinaryIO) -> Iterator[tuple[bytes, bytes, bytes]]:
    """What stands before a segment, the segment, what ends it."""
    end = b""
    rest = b""
    while block := source.read(BLOCK):
        rest += block
        end = end or _terminator(rest)
        if end:
            *whole, rest = rest.split(end)
            for line in whole:
                yield _framed(line, end)
        if len(rest) > LONGEST:
            raise InputError(f"more than {LONGEST >> 20} MiB without the end of a segment")
    if rest:
        yield _framed(rest, b"")


def _terminator(data: bytes) -> bytes:
    """What ends the first segment ends them all: CR by the standard, else as editors do."""
    found = re.search(rb"\r\n|\r(?=.)|\n", data, re.DOTALL)
    return found[0] if found else b""


def _framed(line: bytes, end: bytes) -> tuple[bytes, bytes, bytes]:
    body = line.strip(b"\x0b\x1c\r\n \xef\xbb\xbf") if line[:1] in b"\x0b\x1c\xef\r\n" else line
    body = body.rstrip(b"\x1c\r\n")
    at = line.find(body) if body else len(line)
    return line[:at], body, line[at + len(body) :] + end


def read(raw: str, marks: Marks) -> tuple[str, bool]:
    """The text without escapes, and whether writing it again gives the same."""
    if not marks.escape or marks.escape not in raw:
        return raw, True
    parts = raw.split(marks.escape)
    if len(parts) % 2 == 0:  # an escape that is none: taken as it stands
        return raw, False
    text = "".join(part if n % 2 == 0 else _escaped(part, marks) for n, part in enumerate(parts))
    return text, all(_plain(part) for part in parts[1::2])


def _plain(code: str) -> bool:
    return code in ("F", "S", "T", "R", "E", "P", ".br", "H", "N") or bool(
        re.fullmatch(r"\.(sp|in|ti|sk|ce|fi|nf)[+-]?\d{0,3}", code)
    )


def _escaped(code: str, marks: Marks) -> str:
    told = {"F": marks.field, "S": marks.component, "T": marks.part, "R": marks.repetition}
    told |= {"E": marks.escape, "P": marks.more, "H": "", "N": ""}
    if code in told:
        return told[code]
    if code.startswith("X") and re.fullmatch(r"X([0-9A-Fa-f]{2})+", code):
        data = bytes.fromhex(code[1:])
        return data.decode("utf-8", "replace").replace("\0", " ")
    if code.startswith("."):
        return "\n" if code.startswith((".br", ".sp", ".ce")) else " "
    if code[:1] in ("X", "C", "M"):  # bytes that are none, or of another character set
        return " "
    return f" {code[1:]} "


def write(text: str, marks: Marks) -> str:
    """The text with what are delimiters here escaped."""
    codes = {marks.field: "F", marks.component: "S", marks.part: "T", marks.repetition: "R"}
    codes |= {marks.escape: "E"}
    codes.pop("", None)
    text = re.sub(r"\r\n?", "\n", text)
    told = []
    for sign in text:
        if sign in codes:
            told.append(f"{marks.escape}{codes[sign]}{marks.escape}" if marks.escape else " ")
        elif sign == "\n":
            told.append(f"{marks.escape}.br{marks.escape}" if marks.escape else " ")
        elif sign >= " " or sign == "\t":
            told.append(sign)
    return "".join(told)


class Leaf(Struct):
    """A value where it stands: the list that holds it, its index there, and what is around it."""

    cells: list[str]
    index: int
    component: int
    repetition: list[list[str]]

    @property
    def raw(self) -> str:
        """As it is written, escapes and all."""
        return self.cells[self.index]


def leaves(repetition: list[list[str]]) -> Iterator[Leaf]:
    """Every value that there is in one repetition of a field."""
    for component, parts in enumerate(repetition):
        for index, value in enumerate(parts):
            if value and value != NULL:
                yield Leaf(parts, index, component, repetition)
