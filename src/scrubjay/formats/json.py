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

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats import fields, grids, naming, records, slots, strings
from scrubjay.formats.subjects import NOBODY, Person
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
    """What is known while JSON is read; `place` is for errors. `whose`: of the object that is read;
    whose all of the text is, if that was told, says its `group`."""

    work: Work
    group: str = ""
    whose: Person = NOBODY
    place: str = ""
    depth: int = 0
    keys: naming.Keys = field(default_factory=naming.Keys)
    memory: slots.Memory = field(default_factory=slots.Memory)
    utf: bool = True  # whether any character can be written

    def parts(self, text: str, name: str = "") -> Iterator[slots.Part]:
        """Of text that is known to be JSON, and stands under a name."""
        shape = _Shape(text)
        people = records.People(shape.outline.objects, self.work.people, self.whose)
        opening, cells = iter(shape.opened), grids.Cursor(shape.marks)
        stack: list[tuple[str, set[str], Person]] = []
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
                for one in sign:
                    if one in "{[":
                        stack.append((name, taken, self.whose))
                        name = within = cells.name(name)
                        taken = set()
                        self.whose = self._of(people.of(next(opening)))
                    elif one in "}]":
                        name, taken, self.whose = stack.pop()
                        within = stack[-1][0] if stack else ""
                    cells.read(one)
                    if row := shape.rows.get(cells.place):
                        self.whose = self._of(people.of(row))
            elif found["key"] is not None:
                key = _plain(raw)
                yield self._key(raw, key, taken)
                name, said = said or key, _said(key, text, at)
            elif raw is not None and cells.names(name):
                yield self._key(raw, _plain(raw), set())
            elif raw is not None:
                yield f'"{raw}"' if said else self._value(raw, cells.name(name), within)
            else:
                document = self._document(found[0], cells.name(name), within)
                yield self.memory.kept(document, found[0], self._number)

    def _of(self, person: Person) -> Person:
        return Person(self.group, person.known) if self.group else person

    def within(self, text: str, name: str) -> Iterator[slots.Part]:
        """Of JSON in a string."""
        if self.depth >= self.work.limits.depth:
            raise InputError(f"{self._where()}JSON in strings, {self.depth} deep")
        return msgspec.structs.replace(self, depth=self.depth + 1).parts(text, name)

    def _where(self) -> str:
        return f"{self.place}: " if self.place else ""

    def _document(self, text: str, name: str = "", within: str = "") -> Document:
        return fields.document(text, name, self.whose.document(text, self.place), within=within)

    def _value(self, raw: str, name: str, within: str) -> slots.Part:
        document = self._document(_plain(raw), name, within)
        return strings.part(
            document, f'"{raw}"', self._quoted, self.work.of(self.whose), memory=self.memory,
            depth=self.depth,
        )  # fmt: skip

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


class _Shape:
    """Objects and lists in the order in which they open, with what is said in them; `rows` of
    tables that are kept by columns, by their places."""

    def __init__(self, text: str) -> None:
        self.outline = records.Outline()
        self.marks = grids.marks(text)
        self.opened: list[records.Object] = []
        self.rows: dict[tuple[int, int], records.Object] = {}
        self._cells = grids.Cursor(self.marks)
        self._read(text)

    def _read(self, text: str) -> None:
        name = ""
        for match in TOKEN.finditer(text):
            if (sign := match["sign"]) is not None:
                for one in sign:
                    self._sign(one, name)
            elif match["key"] is not None:
                name = _plain(match["string"])
            elif not self._cells.names(name):
                raw = match["string"]
                self._told(name, match["number"] if raw is None else _plain(raw))

    def _sign(self, sign: str, name: str) -> None:
        if sign in "{[":
            kind = self._cells.next.kind
            row = kind in {grids.ROW, grids.ITEM}
            is_list = sign == "[" and not row
            self.opened.append(
                self.outline.opened(self._cells.name(name), is_list=is_list, listed=row)
            )
            if row:
                self.opened[-1].name = ""
        elif sign in "}]":
            self.outline.closed()
        self._cells.read(sign)

    def _told(self, name: str, value: str) -> None:
        name, place = self._cells.name(name), self._cells.place
        if self._cells.mark.kind != grids.COLUMN:
            self.outline.told(name, value)
            return
        if place not in self.rows:
            self.rows[place] = self.outline.row()
        self.rows[place].told(name, value)


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
        text = work.text(source, self._encoding)
        body = text.removeprefix("\ufeff")
        check(body.encode())
        parts = Reader(work, utf=utf(self._encoding)).parts(body)
        mark = text[: len(text) - len(body)]
        slots.write(chain([mark], parts), target, work.clean, self._encoding)


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`json.v1`."""
    return Json(encoding)
