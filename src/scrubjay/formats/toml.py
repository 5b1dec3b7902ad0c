"""TOML: every key, string, number, date and comment. Only what was replaced is written anew."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

import msgspec

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats import fields, json, naming, slots, strings
from scrubjay.formats.slots import Part
from scrubjay.formats.work import Work
from scrubjay.types import Document

TOKEN = re.compile(
    r'(?P<long>"""(?:[^"\\]++|\\.|"(?!""))*+"{3,5}|\'\'\'(?:[^\']++|\'(?!\'\'))*+\'{3,5})'
    r"|(?P<short>\"(?:[^\"\\\n]++|\\.)*+\"|'[^'\n]*+')"
    r"|(?P<comment>#[^\n]*+)"
    r"|(?P<bare>(?:\d{4}-\d\d-\d\d\ \d\d:\d\d[\w:.+-]*+|[\w.+:-]++))"
    r"|(?P<sign>[\s=,\[\]{}]++)",
    re.S,
)
DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)?)?")
CONSTANTS = frozenset(["true", "false", "inf", "+inf", "-inf", "nan", "+nan", "-nan"])


class Reader:
    """One file's text, which is known to be TOML."""

    def __init__(self, text: str, work: Work) -> None:
        self._text = text
        self._work = work
        self._keys = naming.Keys()
        self._memory = slots.Memory()
        self._inside: list[str] = []
        self._named = True

    def parts(self) -> Iterator[Part]:
        """Texts, and signs between them."""
        at, field = 0, ""
        while at < len(self._text):
            found = TOKEN.match(self._text, at)
            if not found:
                raise InputError(f"not TOML at character {at}")
            at = found.end()
            if (sign := found["sign"]) is not None:
                yield sign
                for one in sign:
                    self._read(one)
            elif (comment := found["comment"]) is not None:
                yield slots.kept(Document(comment[1:]), comment, _comment)
            elif self._named:
                field = _value(found[0]).rpartition(".")[2] or field
                yield from self._key(found)
            else:
                yield self._written(found, field)

    def _read(self, sign: str) -> None:
        """Whether a key stands next, or a value."""
        if sign in "[{":
            self._inside.append("head" if sign == "[" and self._named else sign)
            self._named = self._named or sign == "{"
        elif sign in "]}":
            self._inside.pop()
            self._named = False
        elif sign == ",":
            self._named = self._inside[-1] == "{"
        elif sign == "\n" and not self._inside:
            self._named = True
        elif sign == "=":
            self._named = False

    def _key(self, found: re.Match[str]) -> Iterator[Part]:
        """A bare one holds several, parted by dots."""
        if found["bare"] is None:
            yield self._name(found[0])
            return
        for index, part in enumerate(found[0].split(".")):
            yield "." * (index > 0)
            if part:
                yield self._name(part)

    def _name(self, raw: str) -> Part:
        name = _value(raw)
        return self._keys.part(
            Document(name), raw, lambda told: _quoted(self._keys.other(name, told))
        )

    def _written(self, found: re.Match[str], field: str) -> Part:
        raw, value = found[0], _value(found[0])
        if found["bare"] is not None:
            if raw in CONSTANTS:
                return raw
            return slots.kept(fields.document(value, field), raw, _number)
        write = _lines if found["long"] else _quoted
        document = fields.document(value, field)
        return strings.part(document, raw, write, self._work, memory=self._memory)


def _comment(told: str) -> str:
    return "#" + " ".join(told.splitlines())


def _value(raw: str) -> str:
    """What a string means."""
    if raw[0] not in "\"'":
        return raw
    return str(tomllib.loads(f"x = {raw}")["x"])


def _quoted(told: str) -> str:
    return msgspec.json.encode(told).decode().replace("\x7f", "\\u007f")


def _lines(told: str) -> str:
    quoted = _quoted(told)[1:-1].replace("\\n", "\n")
    return f'"""\n{quoted}"""'


def _number(told: str) -> str:
    return told if json.NUMBER.fullmatch(told) or DATE.fullmatch(told) else _quoted(told)


class Toml:
    """`toml.v1`."""

    name = "toml.v1"
    suffixes: tuple[str, ...] = (".toml",)

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """With the same layout; always in UTF-8."""
        text = work.text(source, "utf-8")
        body = text.removeprefix("\ufeff")
        try:
            tomllib.loads(body)
        except tomllib.TOMLDecodeError as problem:
            where = re.search(r"\(at (line \d+, column \d+|end of document)\)", str(problem))
            raise InputError(f"not TOML{': ' + where[1] if where else ''}") from None
        except (RecursionError, ValueError):
            raise InputError("not TOML: nested too deeply, or no such number or day") from None
        mark = text[: len(text) - len(body)]
        slots.write(chain([mark], Reader(body, work).parts()), target, work.clean, "utf-8")


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`toml.v1`."""
    return Toml()
