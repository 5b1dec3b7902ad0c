"""Values as texts: which characters, which shape, which parts of one identify."""

from __future__ import annotations

import re
import warnings

from msgspec import Struct
from pydicom.charset import convert_encodings, decode_bytes, python_encoding

from scrubjay.errors import InputError
from scrubjay.formats.dicom.elements import told

TEXT = frozenset(("LO", "LT", "PN", "SH", "ST", "UC", "UT"))  # in the specific character set
PLAIN = frozenset(("AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"))
ONE = frozenset(("LT", "ST", "UT", "UR"))  # a backslash is a sign like others
NUMBERS = {"AT": 4, "FD": 8, "FL": 4, "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8}
ARRAYS = frozenset(("OD", "OF", "OL", "OV"))
BYTES = frozenset(("OB", "OW", "UN"))
LONGEST = {"SH": 16, "LO": 64, "ST": 1024, "LT": 10240, "PN": 194}
_DAY = r"(?:1[0-9]{3}|2[0-9]{3})(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_TIME = r"(?:[01][0-9]|2[0-3])(?:[0-5][0-9](?:(?:[0-5][0-9]|60)(?:\.[0-9]{1,6})?)?)?"
_ZONE = r"(?:[+-][01][0-9][0-5][0-9])?"
SHAPES = {
    "AE": re.compile(r"[ -\[\]-~]{1,16}"),
    "AS": re.compile(r"[0-9]{3}[DWMY]"),
    "CS": re.compile(r"[A-Z0-9_ ]{1,16}"),
    "DA": re.compile(_DAY),
    "DS": re.compile(r" *[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[Ee][+-]?[0-9]+)? *"),
    "DT": re.compile(rf"(?:[12][0-9]{{3}}(?:0[1-9]|1[0-2])?|{_DAY}(?:{_TIME})?){_ZONE}"),
    "IS": re.compile(r" *[+-]?[0-9]{1,11} *"),
    "SH": re.compile(r"[^\\]{1,16}"),
    "TM": re.compile(_TIME),
    "UI": re.compile(r"(?=.{1,64}$)(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+"),
    "UR": re.compile(r"[!-~]+"),
}
DUMMIES = {
    "AE": "REMOVED", "AS": "000D", "CS": "REMOVED", "DA": "19000101", "DS": "0", "IS": "0",
    "DT": "19000101000000", "TM": "000000", "UR": "about:blank",
}  # fmt: skip


class Piece(Struct):
    """A part of a value: what stands before it, its text, and what all of it is."""

    lead: str
    text: str
    label: str = ""

    def __repr__(self) -> str:
        return f"Piece(<{len(self.text)} characters>, {self.label!r})"


def kind(vr: str) -> str:
    """What two value representations must share to be mistaken for each other."""
    if vr in TEXT or vr in PLAIN:
        return "text"
    return "items" if vr == "SQ" else "numbers" if vr in NUMBERS else "bytes"


def encodings(value: bytes, outer: list[str]) -> list[str]:
    """Python's names of the character sets that a data set declares, or those around it."""
    named = [part.strip() for part in value.decode("latin-1").strip(" \0").split("\\")]
    if not any(named):
        return outer
    if any(name not in python_encoding for name in named):
        raise InputError("(0008,0005): a character set that is not known")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells of what it mends
        return list(convert_encodings(named))


def decode(value: bytes, tag: int, vr: str, sets: list[str]) -> str:
    """The text of a value, without its padding."""
    if vr not in TEXT:
        return value.decode("latin-1").strip(" \0")
    text = _decode(value, tag, sets)
    if "\x1b" in text:  # other characters than it seems, to whoever knows which
        raise InputError(f"{told(tag)}: an escape to a character set that is not declared")
    return text.rstrip(" \0").lstrip(" " if vr not in ONE else "")


def _decode(value: bytes, tag: int, sets: list[str]) -> str:
    if not sets:  # none is declared: ASCII, or what it often is
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.decode("latin-1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            if len(sets) == 1:
                return value.decode(sets[0])
            return str(decode_bytes(value, sets, set(map(ord, "\\^=\n\r\t\f"))))
        except (UnicodeError, LookupError, UserWarning):
            raise InputError(f"{told(tag)}: not in the character set that is declared") from None


def pieces(text: str, vr: str, label: str) -> list[Piece]:
    """The parts of a value that are looked at, each alone."""
    values = [text] if vr in ONE else text.split("\\")
    found: list[Piece] = []
    for number, value in enumerate(values):
        lead = "\\" if number else ""
        found += _PARTS.get(vr, _whole)(lead, value.strip(), label)
    return found


def _whole(lead: str, value: str, label: str) -> list[Piece]:
    return [Piece(lead, value, label)]


def _name(lead: str, value: str, label: str) -> list[Piece]:
    """Family, given and middle names, in each writing. Prefix and suffix go, PS3.5 6.2.1."""
    found = []
    for number, writing in enumerate(value.split("=")[:3]):
        for place, part in enumerate(writing.split("^")[:3]):
            before = "^" if place else "=" if number else lead
            found.append(Piece(before, part.strip(), label))
    return found


def _moment(lead: str, value: str, label: str) -> list[Piece]:
    """The day is a date, the rest goes with it."""
    return [Piece(lead, value[:8], label), Piece("", value[8:], "TIME")]


def _day(lead: str, value: str, label: str) -> list[Piece]:
    """2024.03.12 was allowed once, PS3.5 6.2."""
    return [Piece(lead, value.replace(".", ""), label)]


_PARTS = {"PN": _name, "DT": _moment, "DA": _day}


def join(parts: list[Piece], texts: list[str]) -> str:
    """The value again."""
    return "".join(part.lead + text for part, text in zip(parts, texts, strict=True))


def fits(value: str, vr: str) -> bool:
    """Whether every value has the shape of its representation."""
    shape = SHAPES.get(vr)
    values = [value] if vr in ONE else value.split("\\")
    return shape is None or all(not one or shape.fullmatch(one) for one in values)


def clipped(value: str, vr: str) -> str:
    """Free text that grew, in its length."""
    values = [value] if vr in ONE else value.split("\\")
    return "\\".join(one[: LONGEST.get(vr)] for one in values)


def tidy(text: str, vr: str) -> str:
    """A substitute without signs that would cut the value in two."""
    if vr == "PN":
        return re.sub(r"[\\^=\x00-\x1f]", " ", text)
    return text if vr in ONE else re.sub(r"[\\\x00-\x1f]", " ", text)


def dummy(vr: str) -> str:
    """A value that says nothing."""
    return DUMMIES.get(vr, "REMOVED")
