"""JSON: every string and number at every depth is a text, its key the `field`; so is every key.

Only what was replaced is written anew: layout, escapes and digits of the rest stay as they are. Of
a key that stands twice in an object both values are read, and both stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

import msgspec
from msgspec import Struct, field

from scrubjay import formats, plugins
from scrubjay.errors import InputError
from scrubjay.formats import fields, naming, slots, strings
from scrubjay.formats.work import Work
from scrubjay.types import Document

NUMBER = re.compile(r"-?(?:0|[1-9]\d*+)(?:\.\d++)?(?:[eE][+-]?\d++)?")
TOKEN = re.compile(
    r"(?P<sign>[\s{}\[\]:,]++|true|false|null)"
    r'|"(?P<string>(?:[^"\\]++|\\.)*+)"(?:(?=\s*+:)(?P<key>))?'
    rf"|(?P<number>{NUMBER.pattern})",
    re.S,
)
STRING = re.compile(r'"((?:[^"\\]++|\\.)*+)"', re.S)
LINES = re.compile(r'(?:\s*+"(?:[^"\\]|\\.)*?\\n"\s*+,)++\s*+"(?:[^"\\]++|\\.)*+"(?=\s*+\])', re.S)
SAID = re.compile(r'\s*+:\s*+"([^"\\]*+)"\s*+,\s*+"(?:value|val|content|answer)"\s*+:')


class Reader(Struct):
    """What is known while JSON is read; `place` is for errors."""

    work: Work
    group: str = ""
    place: str = ""
    depth: int = 0
    keys: naming.Keys = field(default_factory=naming.Keys)
    memory: slots.Memory = field(default_factory=slots.Memory)
    utf: bool = True  # whether any character can be written

    def parts(self, text: str, name: str = "") -> Iterator[slots.Part]:
        """Of text that is known to be JSON, and stands under a name."""
        stack: list[tuple[str, set[str]]] = []
        taken, within, said, at = set[str](), "", "", 0
        while at < len(text):
            found = TOKEN.match(text, at)
            if not found:
                raise InputError(f"{self._where()}not JSON at character {at}")
            at = found.end()
            raw = found["string"]
            if (sign := found["sign"]) is not None:
                yield sign
                if sign[-1:] == "[" and (lines := LINES.match(text, at)):
                    yield self._lines(lines[0], name)
                    at = lines.end()
                for bracket in sign:
                    if bracket in "{[":
                        stack.append((name, taken))
                        within, taken = name, set()
                    elif bracket in "}]":
                        name, taken = stack.pop()
                        within = stack[-1][0] if stack else ""
            elif found["key"] is not None:
                key = _plain(raw)
                yield self._key(raw, key, taken)
                name, said = said or key, _said(key, text, at)
            elif raw is not None:
                yield f'"{raw}"' if said else self._value(raw, name, within)
            else:
                document = self._document(found[0], name, within)
                yield self.memory.kept(document, found[0], self._number)

    def within(self, text: str, name: str) -> Iterator[slots.Part]:
        """Of JSON in a string."""
        if self.depth >= self.work.limits.depth:
            raise InputError(f"{self._where()}JSON in strings, {self.depth} deep")
        return msgspec.structs.replace(self, depth=self.depth + 1).parts(text, name)

    def _where(self) -> str:
        return f"{self.place}: " if self.place else ""

    def _document(self, text: str, name: str = "", within: str = "") -> Document:
        about = Document("", id=self.place, group=self.group)
        return fields.document(text, name, about, within=within)

    def _value(self, raw: str, name: str, within: str) -> slots.Part:
        document = self._document(_plain(raw), name, within)
        return strings.part(
            document, f'"{raw}"', self._quoted, self.work, memory=self.memory, depth=self.depth
        )

    def _lines(self, raw: str, name: str) -> slots.Part:
        """A list of lines, as notebooks have: one text."""
        told = [_plain(one[1]) for one in STRING.finditer(raw)]
        document = self._document("".join(told), name)

        def write(new: str) -> str:
            return ", ".join(map(self._quoted, new.splitlines(keepends=True) or [""]))

        return strings.part(document, raw, write, self.work, memory=self.memory, depth=self.depth)

    def _key(self, raw: str, name: str, taken: set[str]) -> slots.Part:
        """A name that is taken in its object gets a number."""
        taken.add(name)

        def write(told: str) -> str:
            new = naming.unique(told, taken)
            taken.add(new)
            return self._quoted(new)

        return self.keys.part(self._document(name), f'"{raw}"', write)

    def _number(self, told: str) -> str:
        return told if NUMBER.fullmatch(told) else self._quoted(told)

    def _quoted(self, text: str) -> str:
        quoted = msgspec.json.encode(text).decode()
        return quoted if self.utf else re.sub(r"[^\x00-\x7f]", _escaped, quoted)


def _said(key: str, text: str, at: int) -> str:
    """`mrn`, of `"name": "mrn", "value": ...`, where that names a field."""
    found = SAID.match(text, at)
    return found[1] if found and fields.named(key, found[1]) else ""


def _plain(raw: str) -> str:
    """The characters that a string's inside means."""
    if "\\" not in raw:
        return raw
    try:
        return msgspec.json.decode(f'"{raw}"', type=str)
    except msgspec.DecodeError:
        raise InputError("half a character (a lone surrogate) in a JSON string") from None


def _escaped(sign: re.Match[str]) -> str:
    units = sign[0].encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def valid(data: bytes) -> bool:
    """Whether it is JSON."""
    try:
        check(data)
    except InputError:
        return False
    return True


def check(data: bytes, place: str = "") -> None:
    """Refuse what is not one JSON value, with its place."""
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except RecursionError:
        raise InputError(f"{place}not JSON: nested too deeply") from None
    except msgspec.DecodeError as problem:
        raise InputError(f"{place}not JSON: {problem}") from None


def utf(encoding: str) -> bool:
    """Whether an encoding has all characters."""
    return encoding.lower().replace("_", "-").startswith(("utf", "u8"))


class Json:
    """`json.v1`: one value a file."""

    name = "json.v1"
    suffixes: tuple[str, ...] = (".json",)

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """With the same layout."""
        text = whole(source, self._encoding, work)
        body = text.removeprefix("\ufeff")
        check(body.encode())
        parts = Reader(work, utf=utf(self._encoding)).parts(body)
        mark = text[: len(text) - len(body)]
        slots.write(chain([mark], parts), target, work.clean, self._encoding)


def whole(source: BinaryIO, encoding: str, work: Work) -> str:
    """A file that is one text, if it is not too long for one."""
    data = source.read(work.limits.text + 1)
    if len(data) > work.limits.text:
        raise InputError(f"more than {work.limits.text >> 20} MiB in one document")
    return formats.decode(data, encoding)


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`json.v1`."""
    return Json(encoding)
