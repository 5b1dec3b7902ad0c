"""What stands under names in a line of a log: JSON, also in a string; `key="value"`; the body of a
form; rows of an `INSERT`. Values go by their names, and are looked for in the rest of the line.
"""

from __future__ import annotations

import json
import re
from bisect import bisect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from msgspec import Struct

from scrubjay.formats import fields, slots, strings
from scrubjay.formats import json as jsons
from scrubjay.formats.columns import Columns
from scrubjay.formats.slots import Part, Piece
from scrubjay.formats.subjects import Person
from scrubjay.formats.work import Work
from scrubjay.types import Document

TRIES = 50  # brackets of a line that may begin JSON
MOST = 200  # values of a line by which its people are known
OPENS = re.compile(r"\{|\[\s*\{")
STRING = re.compile(r'"((?:[^"\\]|\\.)*+)"')
PAIR = re.compile(
    r"(?<![\w.-])(?P<name>\w[\w.-]{0,79})[\"']?\s?(?:=>?|:)\s?"
    r"(?:\"(?P<double>(?:[^\"\\]|\\.)*+)\"|'(?P<single>(?:[^'\\]|\\.)*+)'|(?P<bare>[^\s,;&\"'(){}\[\]]+))"
)
FORM = re.compile(r"(?<![^\s\"'?])(?:[\w.%\[\]-]{1,80}=[^&\s\"']*&)+[\w.%\[\]-]{1,80}=[^&\s\"']*")
FIELD = re.compile(r"([^&=]+)=([^&]*)")
INSERT = re.compile(r"\bINSERT\s+INTO\s+[\w.\"`\[\]]+\s*\(([^()]+)\)\s*VALUES\s*", re.I)
ROW = re.compile(r"[\s,]*\(((?:[^()']|'(?:[^']|'')*+')*+)\)")
CELL = re.compile(r"\s*+(?:N?'(?P<text>(?:[^']|'')*+)'|[^,']*+)\s*+(?:,|\Z)")
ESCAPED = re.compile(r"\\(.)", re.S)

Write = Callable[[str], str]


class Value(Struct):
    """Where a value is in a line, what it says, under which names, and how it becomes a part."""

    start: int
    end: int
    said: list[tuple[str, str]]
    part: Callable[[Person], Part]


def line(document: Document, work: Work) -> Part:
    """A line of a log: all of it is one text, but for what stands under names."""
    reader = _Line(document, work)
    values = reader.values()
    if not values:
        return slots.one(document, str)
    person = reader.person([pair for value in values for pair in value.said])
    parts: list[Part | Piece] = []
    at = 0
    for value in values:
        parts += [Piece(document.text[at : value.start], str, " "), value.part(person)]
        at = value.end
    parts.append(Piece(document.text[at:], str))
    rest = " ".join(part.text for part in parts if isinstance(part, Piece))
    return slots.pieced(parts, person.document(rest, document.id))


class _Line:
    """One line, in which values are looked for."""

    def __init__(self, document: Document, work: Work) -> None:
        self._document = document
        self._text = document.text
        self._work = work

    def values(self) -> list[Value]:
        """In order, none within another: what holds others comes first."""
        found: list[Value] = []
        for value in self._every():
            at = bisect(found, value.start, key=lambda one: one.start)
            before = found[at - 1].end if at else 0
            behind = found[at].start if at < len(found) else len(self._text)
            if before <= value.start and value.end <= behind:
                found.insert(at, value)
        return found

    def _every(self) -> Iterator[Value]:
        if "{" in self._text:
            yield from self._jsons()
        if "insert" in self._text.lower():
            yield from self._rows()
        if "&" in self._text and "=" in self._text:
            yield from self._forms()
        if "=" in self._text or ":" in self._text:
            yield from self._pairs()

    def person(self, said: list[tuple[str, str]]) -> Person:
        """Of whom the values of the line tell."""
        names, values = zip(*dict.fromkeys(said[:MOST]), strict=True)
        told = Columns(names).about(values, self._work.people)
        return Person(self._document.group or told.group, told.known)

    def _jsons(self) -> Iterator[Value]:
        for found in STRING.finditer(self._text):
            inner = _unescaped(found[0])
            if OPENS.match(inner.lstrip()) and jsons.valid(inner.encode("utf-8", "replace")):
                yield from self._json(found.span(1), inner, lambda told: json.dumps(told)[1:-1])
        decoder, at = json.JSONDecoder(parse_int=str), 0
        for _ in range(TRIES):
            if not (found_ := OPENS.search(self._text, at)):
                return
            start = found_.start()
            try:
                _, at = decoder.raw_decode(self._text, start)
            except (ValueError, RecursionError):
                at = start + 1
                continue
            yield from self._json((start, at), self._text[start:at], str)

    def _json(self, span: tuple[int, int], text: str, write: Write) -> Iterator[Value]:
        if not jsons.valid(text.encode("utf-8", "replace")):
            return
        said = [pair for pair in _said(json.loads(text, parse_int=str)) if fields.label(pair[0])]

        def part(person: Person) -> Part:
            reader = jsons.Reader(self._work, whose=person, place=self._document.id)
            raw = self._text[slice(*span)]
            return slots.together(
                reader.within(text, ""), lambda told: raw if told == text else write(told)
            )

        if said:
            yield Value(*span, said, part)

    def _rows(self) -> Iterator[Value]:
        for insert in INSERT.finditer(self._text):
            names = [name.strip(' "`[]') for name in insert[1].split(",")]
            at = insert.end() if any(map(fields.label, names)) else len(self._text)
            while row := ROW.match(self._text, at):
                at = row.end()
                for name, cell in zip(names, CELL.finditer(row[1]), strict=False):
                    start = row.start(1) + cell.start("text")
                    if cell["text"]:
                        yield from self._value((start, start + len(cell["text"])), name, "'")

    def _forms(self) -> Iterator[Value]:
        for form in FORM.finditer(self._text):
            said = [(strings.unquoted(k), strings.unquoted(v.replace("+", " ")))
                    for k, v in FIELD.findall(form[0])]  # fmt: skip
            said = [pair for pair in said if fields.label(pair[0])]
            if said:
                yield Value(*form.span(), said, partial(self._form, form[0]))

    def _form(self, text: str, person: Person) -> Part:
        about = person.document(text, self._document.id)
        return slots.together(strings.query(about))

    def _pairs(self) -> Iterator[Value]:
        for pair in PAIR.finditer(self._text):
            kind = pair.lastgroup or ""
            if _names(pair["name"]) if kind == "bare" else fields.label(pair["name"]):
                quote = {"double": '"', "single": "\\'"}.get(kind, "")
                yield from self._value(pair.span(kind), pair["name"], quote)

    def _value(self, span: tuple[int, int], name: str, quote: str) -> Iterator[Value]:
        """A value under a name. `quote`: what stands around it; of SQL it is doubled."""
        raw = self._text[slice(*span)]
        text = raw.replace("''", "'") if quote == "'" else _plain(raw)

        def part(person: Person) -> Part:
            document = fields.document(text, name, person.document(text, self._document.id))
            return slots.kept(document, raw, lambda told: _quoted(told, quote))

        if text.strip():
            yield Value(*span, [(name, text)], part)


def _names(name: str) -> bool:
    """Whether a name is surely a person's name's: what stands without quotes under others may be
    anything."""
    words = fields.normal(name).split()
    parts = fields.part("given") | fields.part("family")
    return fields.label(name) == "PERSON" and (words[1:] != [] or not parts.isdisjoint(words))


def _said(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Names with values, at every depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _said(inner, fields.whole(key, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _said(inner, name)
    elif value is not None:
        yield name, str(value)


def _unescaped(raw: str) -> str:
    """What a string of JSON says; nothing if it is none."""
    try:
        return str(json.loads(raw, strict=False)) if "{" in raw else ""
    except ValueError:
        return ""


def _plain(raw: str) -> str:
    return ESCAPED.sub(r"\1", raw) if "\\" in raw else raw


def _quoted(told: str, quote: str) -> str:
    told = " ".join(told.splitlines())
    if quote == "'":
        return told.replace("'", "''")
    sign = quote[-1:]
    return told.replace("\\", "\\\\").replace(sign, f"\\{sign}") if sign else told
