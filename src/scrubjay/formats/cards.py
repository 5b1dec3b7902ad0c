"""Calendars and address cards (`ics.v1`, `vcf.v1`): folded lines of a property, its parameters and
a value. Each is treated by what it is: cards.toml. What that does not know goes, and is told.
"""

from __future__ import annotations

import quopri
import re
import zoneinfo
from collections.abc import Iterator
from functools import cache, partial
from typing import Any, BinaryIO

from msgspec import Struct

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats import slots, tables
from scrubjay.formats.slots import Part
from scrubjay.formats.work import Work
from scrubjay.types import Document

LINE = re.compile(
    r"(?:(?P<group>[\w-]{1,60})\.)?(?P<name>[A-Za-z0-9-]{1,60})(?P<parameters>(?:;[^\":;]*"
    r"(?:\"[^\"]*\"[^\":;]*)*)*):(?P<value>.*)",
    re.S,
)
PARAMETER = re.compile(r";([A-Za-z0-9-]+)(?:=((?:\"[^\"]*\"|[^;\"])*))?")
DAY = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:T(\d\d):?(\d\d):?(\d\d)?\S{0,6}?(Z)?)?")
TOLD = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d)Z?)?)?)?")
UNTIL = re.compile(r";?\bUNTIL=[^;]*")
NUMBER = re.compile(
    r"[-+]?\d{1,4}(?:\.\d{1,2})?|[-+]?P(?:T?\d{1,3}[WDHMS])+|[-+]?\d{0,2}(?:MO|TU|WE|TH|FR|SA|SU)",
    re.A,
)
ESCAPED = re.compile(r"\\(.)", re.S)
SEMICOLON = re.compile(r"(?<!\\);")
ONES = re.compile(r"(?<!\\),")
WIDEST = 73  # octets in a line, and two for its end
WHO = frozenset(["FN", "N", "NICKNAME", "TEL", "EMAIL"])  # looked for in texts


class Line(Struct):
    """One property."""

    name: str
    parameters: list[tuple[str, str]]
    value: str
    group: str = ""


class Card(Struct):
    """One file's lines, and who they name."""

    work: Work
    known: dict[str, tuple[str, ...]]
    zones: dict[str, str]

    def parts(self, line: Line) -> Iterator[Part]:
        """One property as it may stay; nothing if it may not."""
        treat = self._treated(line)
        if treat is None:
            self.work.dropped("property")
            return
        inner: list[Part] = [
            f"{line.group}." if re.fullmatch(r"item\d{1,4}", line.group) else "",
            line.name,
        ]
        for name, value in line.parameters:
            inner += self._parameter(name, value)
        yield slots.together([*inner, ":", treat], partial(self._written, line))

    def _written(self, line: Line, told: str) -> str:
        """In lines that are short enough; not at all where its value went."""
        if line.value and told.endswith(":"):
            self.work.dropped("property")
            return ""
        return _folded(told)

    def _treated(self, line: Line) -> Part | None:
        name, value, table = line.name, line.value, _table()
        if name in table["codes"].split():
            return self._code(name, value)
        if name == "TZID":
            return self._zone(value)
        if name in table["days"].split():
            days = [p for one in value.split(",") for p in (",", self._day(name, one))]
            return slots.together(days, lambda told: re.sub(",+", ",", told).strip(","))
        if name in table["people"].split():
            return self._person(value)
        if name in table["labels"]:
            return self._labelled(table["labels"][name], name, value)
        return self._text(name, value) if name in table["texts"].split() else None

    def _code(self, name: str, value: str) -> Part | None:
        """A rule that ends on a day goes on without an end: half of it would be another rule."""
        if name in {"RRULE", "EXRULE"} and UNTIL.search(value):
            self.work.dropped("end of a rule")
            value = UNTIL.sub("", value).strip(";")
        return value if _is_code(value) else None

    def _text(self, name: str, value: str) -> Part:
        plain = _plain(value)
        document = Document(plain, field=name.lower(), known=self.known)
        return slots.kept(document, value, _escaped)

    def _labelled(self, labels: list[str], name: str, value: str) -> Part:
        parts: list[Part] = []
        for index, one in enumerate(SEMICOLON.split(value)):
            label = labels[index] if index < len(labels) else labels[-1]
            document = Document(_plain(one), field=name.lower(), label=label)
            parts += [";" if index else "", slots.kept(document, one, _escaped)]
        return slots.together(parts)

    def _person(self, value: str) -> Part:
        """An address must remain one."""
        scheme, colon, address = value.partition(":")
        if not colon or scheme.lower() != "mailto":
            self.work.dropped("address of a person")
            return "invalid:nomail"
        document = Document(address, label="EMAIL")
        return slots.kept(document, value, lambda told: f"mailto:{_address(told)}")

    def _day(self, name: str, value: str) -> Part:
        found = DAY.fullmatch(value)
        if not found:
            self.work.dropped("day")
            return ""
        year, month, day, hour, minute, second, zone = found.groups()
        told = f"{year}-{month}-{day}"
        if hour:
            told += f"T{hour}:{minute}:{second or '00'}{zone or ''}"
        document = Document(told, field=name.lower(), label="DATE")
        return slots.kept(document, value, partial(_date, hour, zone or ""))

    def _parameter(self, name: str, value: str) -> list[Part]:
        plain = value.strip('"')
        if name == "TZID":
            return [";TZID=", self._zone(plain)]
        if name in {"CN", "EMAIL"}:
            document = Document(plain, label="PERSON" if name == "CN" else "EMAIL")
            return [f";{name}=", slots.kept(document, value, _quoted)]
        if name in _table()["parameters"].split() and _is_code(plain):
            return [f";{name}={plain}" if plain else f";{name}"]
        self.work.dropped("parameter")
        return []

    def _zone(self, name: str) -> str:
        """A zone's own name; others are words of whoever wrote it."""
        if name in _zones():
            return name
        return self.zones.setdefault(name, f"zone-{len(self.zones) + 1}")


def _is_code(value: str) -> bool:
    """Whether it is made of words of the standards, numbers, durations and weekdays."""
    words = _table()["words"].split()
    tokens = filter(None, re.split(r"[;,=]", value))
    return all(one.upper() in words or NUMBER.fullmatch(one) for one in tokens)


def _plain(value: str) -> str:
    return ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def _escaped(told: str) -> str:
    return re.sub(r"([\\;,])", r"\\\1", told).replace("\r\n", "\n").replace("\n", "\\n")


def _quoted(told: str) -> str:
    return '"' + re.sub(r'[\x00-\x1f"]', " ", told) + '"'


def _address(told: str) -> str:
    return told if re.fullmatch(r"[^\s@]+@[\w.-]+", told) else "somebody@redacted.invalid"


def _date(timed: str | None, utc: str, told: str) -> str:
    """A day as a calendar writes it: of a coarser one the first. It is empty where none is told."""
    found = TOLD.fullmatch(told)
    if not found:
        return ""
    year, month, day, hour, minute, second = found.groups()
    clock = f"T{hour or '00'}{minute or '00'}{second or '00'}{utc}" if timed else ""
    return f"{year}{month or '01'}{day or '01'}{clock}"


def _folded(told: str) -> str:
    """In lines of at most 75 octets, between characters."""
    lines, size = [""], 0
    for sign in told:
        wide = len(sign.encode("utf-8"))
        if size + wide > WIDEST:
            lines.append(" ")
            size = 1
        lines[-1] += sign
        size += wide
    return "\n".join(lines) + "\n"


def _table() -> dict[str, Any]:
    return tables.read("cards")


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones()) | {"UTC", "GMT"}


def lines(text: str) -> Iterator[Line]:
    """The properties of a file, its folded lines joined."""
    text = re.sub(r"\r\n?", "\n", text)
    waiting = ""
    for number, raw in enumerate(re.sub(r"\n[ \t]", "", text).split("\n"), 1):
        raw, waiting = waiting + raw, ""
        if not raw.strip():
            continue
        found = LINE.fullmatch(raw)
        if not found:
            raise InputError(f"property {number}: neither a name, parameters nor a value")
        told = PARAMETER.findall(found["parameters"])
        parameters = [(name.upper(), value) for name, value in told]
        if _encoded(parameters) and raw.endswith("="):
            waiting = raw[:-1]
            continue
        yield _line(found, parameters)


def _encoded(parameters: list[tuple[str, str]]) -> bool:
    return any("QUOTED-PRINTABLE" in (name, value.upper()) for name, value in parameters)


def _line(found: re.Match[str], parameters: list[tuple[str, str]]) -> Line:
    """Of version 2.1 words may be quoted-printable; they are written plainly."""
    value = found["value"]
    if _encoded(parameters):
        plain = quopri.decodestring(value.encode("utf-8")).decode("utf-8", "replace")
        value = plain.replace("\r\n", "\\n").replace("\n", "\\n")
        own = {"ENCODING", "CHARSET", "QUOTED-PRINTABLE"}
        parameters = [pair for pair in parameters if pair[0] not in own]
    return Line(found["name"].upper(), parameters, value, found["group"] or "")


def _known(found: list[Line]) -> dict[str, tuple[str, ...]]:
    """Who the lines name, by label."""
    known: dict[str, list[str]] = {}
    for line in found:
        known.setdefault("PERSON", []).extend(v.strip('"') for n, v in line.parameters if n == "CN")
        if line.name in WHO:
            label = _table()["labels"][line.name][0]
            parts = [_plain(one) for one in SEMICOLON.split(line.value)]
            known.setdefault(label, []).extend(parts)
    return {label: tuple(filter(None, dict.fromkeys(each))) for label, each in known.items()}


class Cards:
    """`ics.v1` and `vcf.v1`."""

    def __init__(self, name: str, encoding: str) -> None:
        self.name = name
        self.suffixes: tuple[str, ...] = (".ics",) if name == "ics.v1" else (".vcf",)
        self._encoding = encoding

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """With the line ends of its first line."""
        text = work.text(source, self._encoding).removeprefix("\ufeff")
        found = list(lines(text))
        if not found or found[0].name != "BEGIN":
            raise InputError("no calendar and no card: it does not begin with BEGIN")
        card = Card(work, _known(found), {})
        newline = "\r\n" if "\r\n" in text else "\n"
        parts = (part for line in found for part in card.parts(line))
        for told in slots.filled(parts, work.clean):
            target.write(told.replace("\n", newline).encode(self._encoding, "replace"))


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`ics.v1` or `vcf.v1`."""
    return Cards(name, encoding)
