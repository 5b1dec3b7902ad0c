"""YAML: every scalar, comment, anchor and tag; keys too. Only what was replaced is written anew.

Nothing is built from what is read, so aliases expand to nothing and tags make nothing.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Any, BinaryIO

import msgspec
import yaml

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats import carried, fields, naming, records, slots, strings
from scrubjay.formats.naming import words
from scrubjay.formats.slots import Part
from scrubjay.formats.subjects import NOBODY
from scrubjay.formats.work import Work
from scrubjay.types import Document

DEEPEST = 500
LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)  # reads tokens; loads nothing
NUMBER = re.compile(r"[-+]?(?:\d[\d_]*(?:\.\d*)?(?:[eE][-+]?\d+)?|\d{4}-\d\d-\d\d)")
BLOCK = re.compile(r"[|>](?P<chomp>[+-]?)(?P<rest>[ \t]*\n)")
BETWEEN = re.compile(r"(?P<named>[&*!][^\s,\[\]{}]+)|#[^\n]*|%(?!YAML 1\.[0-9]\s)[^\n]*")
UNSEEN = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
BLOCKS = ("|", ">")
BEGIN = (yaml.BlockMappingStartToken, yaml.FlowMappingStartToken, yaml.BlockSequenceStartToken,
         yaml.FlowSequenceStartToken)  # fmt: skip
END = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)


class Reader:
    """One file's text."""

    def __init__(self, text: str, work: Work) -> None:
        shape = _shape(text)
        self._text = text
        self._within = shape.within
        self._people = records.People(shape.outline.objects, work.people)
        self._whose = NOBODY
        self._work = work
        self._memory = slots.Memory()
        self._keys = naming.Keys()
        self._named: dict[str, str] = {}
        self._binary = False  # whether a tag says that the next scalar is base64

    def parts(self) -> Iterator[Part]:
        """Scalars, and what lies between them."""
        at, field, is_key = 0, "", False
        outer: list[str] = []
        for token in yaml.scan(self._text, LOADER):
            if isinstance(token, BEGIN):
                outer.append(field)
            elif isinstance(token, END):
                field = outer.pop()
            elif isinstance(token, yaml.KeyToken):
                is_key = True
            elif isinstance(token, yaml.ValueToken):
                is_key = False
            elif isinstance(token, yaml.TagToken):
                self._binary = token.value[1].rpartition(":")[2] == "binary"
            elif isinstance(token, yaml.ScalarToken):
                start, end = token.start_mark.index, token.end_mark.index
                yield from self._between(self._text[at:start])
                at = end
                if inside := self._within.get(end):
                    self._whose = self._people.of(inside)
                if is_key:
                    field = token.value
                place = field, outer[-1] if outer else ""
                yield self._scalar(token, self._text[start:end], place, is_key)
        yield from self._between(self._text[at:])

    def _scalar(self, token: Any, raw: str, place: tuple[str, str], is_key: bool) -> Part:
        """A comment behind the mark of a block goes: the block is written as one."""
        if token.style in BLOCKS and (found := re.match(r"[^#\n]*?(?=[ \t]+#)", raw)):
            self._work.dropped("comment")
            raw = found[0] + raw[raw.index("\n") :]
        write = partial(_written, raw, token.style)
        binary, self._binary = self._binary, False
        if binary:
            return _binary(token.value, write, self._work)
        if is_key:
            return self._key(token.value, raw, write)
        field, within = place
        document = fields.document(
            token.value, field, self._whose.document(token.value), within=within
        )
        return strings.part(document, raw, write, self._work.of(self._whose), memory=self._memory)

    def _key(self, name: str, raw: str, write: Callable[[str], str]) -> Part:
        def another(told: str) -> str:
            return write(self._keys.other(name, told))

        return self._keys.part(self._whose.document(name), raw, another)

    def _between(self, text: str) -> Iterator[Part]:
        """Marks of structure, with comments, anchors and tags among them."""
        at = 0
        for found in BETWEEN.finditer(text):
            yield text[at : found.start()]
            at = found.end()
            if found["named"]:
                yield self._name(found[0])
            elif found[0][0] == "%":
                yield slots.kept(Document(words(found[0])), found[0], _refuse)
            else:
                yield slots.kept(self._whose.document(found[0][1:]), found[0], _comment)
        yield text[at:]

    def _name(self, raw: str) -> Part:
        """An anchor or tag: another name, the same each time, where it says somebody's."""
        sign, name = raw[0], raw[1:]
        document = Document(words(name.strip("!<>")))
        key = name if sign in "&*" else raw

        def other(told: str) -> str:
            return sign + self._named.setdefault(key, f"x{len(self._named) + 1}")

        return self._memory.kept(document, raw, other)


def _binary(value: str, write: Callable[[str], str], work: Work) -> str:
    """A file in a `!!binary`; an empty one where nothing reads it."""
    try:
        clean = carried.opened("", base64.b64decode(value), work)
    except ValueError:
        raise InputError("a !!binary that is not base64") from None
    if clean is None:
        work.dropped("base64 of no known kind")
    return write(base64.b64encode(clean or b"").decode("ascii"))


def _comment(told: str) -> str:
    return "#" + " ".join(told.splitlines())


def _refuse(told: str) -> str:
    raise InputError("a %TAG or %YAML line says who somebody is: write it otherwise")


def _written(raw: str, style: str | None, told: str) -> str:
    """In the same style where it can hold the text."""
    if style in BLOCKS and (block := _block(raw, told)):
        return block
    plain = raw.rstrip()
    if not style and NUMBER.fullmatch(plain) and NUMBER.fullmatch(told):
        return told + raw[len(plain) :]
    quoted = UNSEEN.sub(lambda c: f"\\u{ord(c[0]):04x}", msgspec.json.encode(told).decode())
    return quoted + raw[len(plain) :]


def _block(raw: str, told: str) -> str:
    """Lines under a `|`, as far in as they were; nothing where they cannot stand so."""
    found = BLOCK.match(raw)
    first = re.search(r"^([ ]+)\S", raw[found.end() :], re.M) if found else None
    stands = re.match(r"\n*[^\s]", told) and not UNSEEN.search(told)
    if not (found and first and stands):
        return ""
    tail = re.search(r"\n*\Z", raw)
    body = "\n".join(first[1] + line if line else "" for line in told.rstrip("\n").split("\n"))
    return f"|{found['chomp']}{found['rest']}{body}{tail[0] if tail else ''}"


class Yaml:
    """`yaml.v1`."""

    name = "yaml.v1"
    suffixes: tuple[str, ...] = (".yaml", ".yml")

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """With the same layout."""
        text = work.text(source, self._encoding)
        body = text.removeprefix("\ufeff")
        mark = text[: len(text) - len(body)]
        parts = Reader(body, work).parts()
        slots.write(chain([mark], parts), target, work.clean, self._encoding)


def _shape(text: str) -> _Shape:
    """Its maps and lists. What is not YAML is refused, with its place."""
    shape = _Shape()
    try:
        for event in yaml.parse(text, LOADER):
            shape.add(event)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise InputError(f"{where}not YAML") from None
    return shape


class _Shape:
    """Maps and lists as they open, with what is said in them, and `within` which of them each
    scalar is, by where it ends."""

    def __init__(self) -> None:
        self.within: dict[int, records.Object] = {}
        self.outline = records.Outline()
        self._names: list[str | None] = []  # of what comes next in each that is open; None: a key

    def add(self, event: Any) -> None:
        """The next event."""
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._open(is_list=isinstance(event, yaml.SequenceStartEvent))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._names.pop()
            self.outline.closed()
            self._passed("")
        elif isinstance(event, yaml.ScalarEvent):
            if inside := self.outline.inside:
                self.within[event.end_mark.index] = inside
            if self._names and (name := self._names[-1]) is not None:
                self.outline.told(name, event.value)
            self._passed(event.value)
        elif isinstance(event, yaml.AliasEvent):
            self._passed("")

    def _open(self, *, is_list: bool) -> None:
        if len(self._names) >= DEEPEST:
            raise InputError(f"nested more than {DEEPEST} deep")
        self.outline.opened((self._names or [""])[-1] or "", is_list=is_list)
        self._names.append("" if is_list else None)

    def _passed(self, told: str) -> None:
        """In a map, names and values take turns."""
        inside = self.outline.inside
        if inside and not inside.is_list:
            self._names[-1] = told if self._names[-1] is None else None


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`yaml.v1`."""
    return Yaml(encoding)
