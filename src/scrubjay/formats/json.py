"""JSON: every string and number at every depth is a text, its key the `field`; so is every key.

Only what was replaced is written anew: layout, escapes and digits of the rest stay as they are. A
string that is JSON itself, as the arguments of a tool call are, is opened; so is a file in base64.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import BinaryIO

import msgspec
from msgspec import Struct, field

from scrubjay import formats, plugins
from scrubjay.errors import InputError
from scrubjay.formats import carried, fields, markup, records, slots
from scrubjay.formats.subjects import NOBODY, Person
from scrubjay.formats.work import Work
from scrubjay.types import Document

REMEMBERED = 10_000  # keys known to hold nothing
NUMBER = re.compile(r"-?(?:0|[1-9]\d*+)(?:\.\d++)?(?:[eE][+-]?\d++)?")
TOKEN = re.compile(
    r"(?P<sign>[\s{}\[\]:,]++|true|false|null)"
    r'|"(?P<string>(?:[^"\\]++|\\.)*+)"(?:(?=\s*+:)(?P<key>))?'
    rf"|(?P<number>{NUMBER.pattern})",
    re.S,
)
NESTED = re.compile(r"\s*+[{\[]")


class Reader(Struct):
    """What is known while JSON is read: `plain` keys hold nothing; `place` is for errors. `whose`:
    of the object that is read; whose all of the text is, if that was told, says its `group`."""

    work: Work
    group: str = ""
    whose: Person = NOBODY
    place: str = ""
    depth: int = 0
    plain: set[str] = field(default_factory=set)
    utf: bool = True  # whether any character can be written

    def parts(self, text: str) -> Iterator[slots.Part]:
        """Of text that is known to be JSON."""
        objects = _objects(text)
        people = records.People(objects, self.work.people, self.whose)
        opening = iter(objects)
        stack: list[tuple[str, set[str], Person]] = []
        name, taken = "", set[str]()
        at = 0
        while at < len(text):
            found = TOKEN.match(text, at)
            if not found:
                raise InputError(f"{self.place}not JSON at character {at}")
            at = found.end()
            if (sign := found["sign"]) is not None:
                yield sign
                for bracket in sign:
                    if bracket in "{[":
                        stack.append((name, taken, self.whose))
                        taken = set()
                        self.whose = self._of(people.of(next(opening)))
                    elif bracket in "}]":
                        name, taken, self.whose = stack.pop()
            elif found["key"] is None and (raw := found["string"]) is not None:
                yield self._value(raw, name)
            elif (raw := found["string"]) is not None:
                name = _plain(raw)
                yield self._key(raw, name, taken)
            else:
                number = found["number"]
                yield slots.kept(self._document(number, name), number, self._number)

    def _of(self, person: Person) -> Person:
        return Person(self.group, person.known) if self.group else person

    def _document(self, text: str, name: str = "") -> Document:
        where, label = self.place.rstrip(": "), fields.label(name) if name else ""
        known = self.whose.known if not label and self.whose.tells(text) else {}
        return Document(
            text, id=where, group=self.whose.group, field=name, label=label, known=known
        )

    def _value(self, raw: str, name: str) -> slots.Part:
        value = _plain(raw)
        if NESTED.match(value) and valid(value.encode("utf-8", "replace")):
            return slots.together(self._inner(value), partial(self._nested, raw, value))
        work = self.work.of(self.whose)
        if (file := carried.string(value, work)) is not None:
            return self._quoted(file)
        if page := markup.opened(value, work, self.depth, partial(self._nested, raw, value)):
            page.documents = list(map(self.whose.owned, page.documents))
            return page
        return slots.kept(self._document(value, name), f'"{raw}"', self._quoted)

    def _inner(self, value: str) -> Iterator[slots.Part]:
        if self.depth >= self.work.limits.depth:
            raise InputError(f"{self.place}JSON in strings, {self.depth} deep")
        inner = msgspec.structs.replace(self, depth=self.depth + 1)
        return inner.parts(value)

    def _nested(self, raw: str, value: str, told: str) -> str:
        return f'"{raw}"' if told == value else self._quoted(told)

    def _key(self, raw: str, name: str, taken: set[str]) -> slots.Part:
        taken.add(name)
        if name in self.plain and not self.whose.tells(name):
            return f'"{raw}"'
        return slots.one(self._document(name), partial(self._renamed, raw, name, taken))

    def _renamed(self, raw: str, name: str, taken: set[str], told: str) -> str:
        """A name that is taken in its object gets a number."""
        if told == name:
            if len(self.plain) < REMEMBERED:
                self.plain.add(name)
            return f'"{raw}"'
        unique, count = told, 1
        while unique in taken:
            count += 1
            unique = f"{told} {count}"
        taken.add(unique)
        return self._quoted(unique)

    def _number(self, told: str) -> str:
        return told if NUMBER.fullmatch(told) else self._quoted(told)

    def _quoted(self, text: str) -> str:
        quoted = msgspec.json.encode(text).decode()
        return quoted if self.utf else re.sub(r"[^\x00-\x7f]", _escaped, quoted)


def _objects(text: str) -> list[records.Object]:
    """Objects and lists in the order in which they open, with what is said in them. A list in a
    list is that list."""
    stack: list[records.Object] = []
    found: list[records.Object] = []
    name = ""
    for match in TOKEN.finditer(text):
        if (sign := match["sign"]) is not None:
            for bracket in sign:
                if bracket in "{[":
                    stack.append(_opened(stack[-1] if stack else None, name, bracket == "["))
                    found.append(stack[-1])
                elif bracket in "}]":
                    stack.pop()
        elif match["key"] is not None:
            name = _plain(match["string"])
        elif stack:
            raw = match["string"]
            value = match["number"] if raw is None else _plain(raw)
            stack[-1].told(stack[-1].name if stack[-1].is_list else name, value)
    return found


def _opened(inside: records.Object | None, name: str, is_list: bool) -> records.Object:
    if inside and inside.is_list:
        return inside if is_list else records.Object(inside, inside.name, listed=True)
    return records.Object(inside, name if inside else "", is_list=is_list)


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
