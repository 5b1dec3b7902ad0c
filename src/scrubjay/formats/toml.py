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
from scrubjay.formats import fields, json, naming, records, slots, strings
from scrubjay.formats.slots import Part
from scrubjay.formats.subjects import NOBODY
from scrubjay.formats.work import Work

TOKEN = re.compile(
    r'(?P<long>"""(?:[^"\\]++|\\.|"(?!""))*+"{3,5}|\'\'\'(?:[^\']++|\'(?!\'\'))*+\'{3,5})'
    r"|(?P<short>\"(?:[^\"\\\n]++|\\.)*+\"|'[^'\n]*+')"
    r"|(?P<comment>#[^\n]*+)"
    r"|(?P<bare>(?:\d{4}-\d\d-\d\d\ \d\d:\d\d[\w:.+-]*+|[\w.+:-]++))"
    r"|(?P<sign>[\s=,\[\]{}]++)",
    re.S,
)
DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)?)?")
OTHERS = ("sign", "comment")
CONSTANTS = frozenset(["true", "false", "inf", "+inf", "-inf", "nan", "+nan", "-nan"])


def _tokens(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    """What each token is: key, value, comment, signs; and of the signs, those that open and close
    a `head`, an array or an inline table."""
    at, named, inside = 0, True, list[str]()
    while at < len(text):
        found = TOKEN.match(text, at)
        if not found:
            raise InputError(f"not TOML at character {at}")
        at = found.end()
        yield found.lastgroup if found.lastgroup in OTHERS else ("key" if named else "value"), found
        for one in found["sign"] or "":
            if one in "[{":
                inside.append("head" if one == "[" and named else one)
                named = named or one == "{"
                yield inside[-1], found
            elif one in "]}":
                named = False
                yield ("headed" if inside.pop() == "head" else one), found
            elif one == ",":
                named = inside[-1] == "{"
            elif one == "\n" and not inside:
                named = True
            elif one == "=":
                named = False


class _Shape:
    """Tables and arrays, with what is said in them, and `within` which of them each value is, by
    where it begins."""

    def __init__(self, text: str) -> None:
        self.objects = [records.Object(None)]
        self.within: dict[int, records.Object] = {}
        self._under: dict[tuple[int, str], records.Object] = {}
        self._open = [self.objects[0]]  # the table, and what is open in its line
        self._heads, self._keys, self._used = 0, list[str](), False
        for kind, found in _tokens(text):
            self._add(kind, found)

    def _add(self, kind: str, found: re.Match[str]) -> None:
        if kind == "key":
            self._keys = [] if self._used else self._keys
            self._keys += _parts(found)
            self._used = False
        elif kind == "value":
            owner, name = self._owner()
            owner.told(name, _value(found[0]))
            self.within[found.start()] = owner
        elif kind in {"[", "{"}:
            self._open.append(self._inner(*self._owner(), is_list=kind == "["))
        elif kind in {"]", "}"}:
            self._open.pop()
        elif kind == "head":
            self._heads, self._used = self._heads + 1, True
        elif kind == "headed" and not self._used:
            self._open = [self._table(many=self._heads > 1)]
            self._heads, self._used = 0, True

    def _owner(self) -> tuple[records.Object, str]:
        """What the next value is in, and its name there."""
        self._used, inside = True, self._open[-1]
        return (inside, inside.name) if inside.is_list else self._path(inside)

    def _path(self, inside: records.Object) -> tuple[records.Object, str]:
        """Down the keys, but for the last."""
        for part in self._keys[:-1]:
            key = id(inside), part
            if key not in self._under:
                self._under[key] = self._made(records.Object(inside, part))
            inside = self._under[key]
        return inside, self._keys[-1]

    def _table(self, *, many: bool) -> records.Object:
        """The one that a head names; of an array of tables, the next."""
        inside, name = self._path(self.objects[0])
        key = id(inside), name
        if not many and key not in self._under:
            self._under[key] = self._made(records.Object(inside, name))
        if not many:
            return self._under[key]
        before = self._under.get(key)
        array = before.around if before else self._made(records.Object(inside, name, is_list=True))
        self._under[key] = self._made(records.Object(array, name, listed=True))
        return self._under[key]

    def _inner(self, owner: records.Object, name: str, *, is_list: bool) -> records.Object:
        if owner.is_list:
            return owner if is_list else self._made(records.Object(owner, name, listed=True))
        return self._made(records.Object(owner, name, is_list=is_list))

    def _made(self, one: records.Object) -> records.Object:
        self.objects.append(one)
        return one


class Reader:
    """One file's text, which is known to be TOML."""

    def __init__(self, text: str, work: Work) -> None:
        shape = _Shape(text)
        self._text = text
        self._work = work
        self._within = shape.within
        self._people = records.People(shape.objects, work.people)
        self._whose = NOBODY
        self._keys = naming.Keys()
        self._memory = slots.Memory()

    def parts(self) -> Iterator[Part]:
        """Texts, and signs between them."""
        field = ""
        for kind, found in _tokens(self._text):
            if kind == "sign":
                yield found[0]
            elif kind == "comment":
                yield slots.kept(self._whose.document(found[0][1:]), found[0], _comment)
            elif kind == "key":
                field = [field, *_parts(found)][-1]
                yield from self._key(found)
            elif kind == "value":
                yield self._written(found, field)

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
            self._whose.document(name), raw, lambda told: _quoted(self._keys.other(name, told))
        )

    def _written(self, found: re.Match[str], field: str) -> Part:
        raw, value = found[0], _value(found[0])
        inside = self._within[found.start()]
        self._whose = self._people.of(inside)
        document = fields.document(value, field, self._whose.document(value), within=inside.name)
        if found["bare"] is None:
            write, work = _lines if found["long"] else _quoted, self._work.of(self._whose)
            return strings.part(document, raw, write, work, memory=self._memory)
        return raw if raw in CONSTANTS else slots.kept(document, raw, _number)


def _comment(told: str) -> str:
    return "#" + " ".join(told.splitlines())


def _parts(found: re.Match[str]) -> list[str]:
    """The keys that a token holds: of a bare one several, parted by dots."""
    bare = found["bare"]
    return [_value(found[0])] if bare is None else [part for part in bare.split(".") if part]


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
