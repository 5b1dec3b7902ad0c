"""FHIR R4 and R5: `fhir.v1` reads a resource or a Bundle in JSON or XML, or one resource a line.

Patients of the same file, wherever they stand in it, and of other files of the run tell what is
known of them: fhir_people.py.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import chain
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct, field

from scrubjay import formats, plugins
from scrubjay.errors import InputError
from scrubjay.formats import clinical, fhir_done, fhir_people, fhir_xml
from scrubjay.formats.clinical import Plain, Record
from scrubjay.formats.fhir_people import listed
from scrubjay.formats.fhir_prune import DEEPEST, GONE, depth, prune
from scrubjay.formats.fhir_walk import Walk
from scrubjay.formats.subjects import NOBODY, Person
from scrubjay.formats.work import Work, seekable

LONGEST = 1 << 26  # bytes of a line
XML = 1 << 26  # bytes of a document
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_INDENT = re.compile(rb"\s*\{\r?\n( +|\t)")


class Item(Struct):
    """One resource, or a Bundle with all that is in it."""

    value: dict[str, Any]
    record: Record
    walks: list[Walk]
    end: bytes = b""


class Head(Struct):
    """What a line says of itself first."""

    resourceType: str = ""


_HEAD = msgspec.json.Decoder(Head)


class Run(Struct):
    """What the lines of a file share: patients by id, texts of nobody that stay, types."""

    work: Work
    people: dict[str, Person] = {}
    plain: Plain = field(default_factory=Plain)
    types: set[str] = set()


class Fhir:
    """A resource, a Bundle, or lines of resources."""

    name = "fhir.v1"
    suffixes: tuple[str, ...] = (".json", ".ndjson")

    def __init__(self, encoding: str, now: Callable[[], datetime.datetime]) -> None:
        self._encoding = encoding
        self._now = now

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """In UTF-8, indented as it was."""
        source = seekable(source)
        first = source.readline(LONGEST)
        while first and not first.strip():
            first = source.readline(LONGEST)
        lines = _is_whole(first) and source.read(1) != b""
        source.seek(0)
        if first.lstrip(b"\xef\xbb\xbf \t").startswith(b"<"):
            self._xml(source, target, work)
            return
        if lines:
            self._lines(source, target, work)
            return
        data = work.whole(source, "resource")
        value = self._decode(data, "")
        for item in clinical.through(work, [_item(value, "", Run(work))], _record):
            target.write(_encode(self._told(item, work), data))

    def _told(self, item: Item, work: Work) -> dict[str, Any]:
        """With labels and, in a Bundle, with what was done."""
        value = _finished(item)
        entries = fhir_done.label(value, item.record.operators)
        if fhir_done.takes(value) and item.record.operators:
            fhir_done.bundled(value, entries, self._now(), work.key)
        return value

    def _xml(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        left_out: list[str] = []
        value = fhir_xml.read(work.whole(source, "resource", XML), left_out)
        if left_out:
            work.dropped("XML comment or instruction", len(left_out))
        if depth(value) > DEEPEST:
            raise InputError(f"nested more than {DEEPEST} deep")
        for item in clinical.through(work, [_item(value, "", Run(work))], _record):
            target.write(fhir_xml.write(self._told(item, work)))

    def _lines(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        run = self._first_look(source, work)
        source.seek(0)
        done = fhir_done.Done(self._now, work.key)
        end = b""
        for item in clinical.through(work, self._items(source, run), _record):
            if done.full:
                target.write(_ENCODER.encode(done.provenance()) + end)
            value = self._told(item, work)
            target.write(_ENCODER.encode(value) + item.end)
            end = item.end
            if item.record.operators and len(run.types) > 1:
                done.add(value)
        if done.targets:
            told = _ENCODER.encode(done.provenance())
            target.write(told + end if end else b"\n" + told)

    def _items(self, source: BinaryIO, run: Run) -> Iterator[Item]:
        for number, line in _numbered(source):
            value = self._decode(line, f"line {number}: ")
            end = line[len(line.rstrip(b"\r\n")) :]
            yield _line(value, f"line {number}", run, end)

    def _first_look(self, source: BinaryIO, work: Work) -> Run:
        """What the file's own Patients tell, by id, and what types there are."""
        run = Run(work)
        for number, line in _numbered(source):
            value = self._head(line, f"line {number}: ")
            kind = str(value["resourceType"])
            run.types.add(kind)
            if kind == "Patient" and isinstance(value.get("id"), str):
                run.people[value["id"]] = fhir_people.person(value)
        return run

    def _head(self, line: bytes, where: str) -> dict[str, Any]:
        """A line as far as it matters before the others were seen: all of it, of a Patient."""
        try:
            head = _HEAD.decode(line)
        except msgspec.DecodeError:
            head = None  # of another encoding, or damaged
        if head is None or head.resourceType in ("", "Patient"):
            return self._decode(line, where)
        return {"resourceType": head.resourceType}

    def _decode(self, data: bytes, where: str) -> dict[str, Any]:
        text = formats.decode(data, self._encoding, where=where)
        try:
            value = _DECODER.decode(text.lstrip("\ufeff"))
        except (msgspec.DecodeError, RecursionError, ArithmeticError) as problem:
            reason = problem if isinstance(problem, msgspec.DecodeError) else "beyond all bounds"
            raise InputError(f"{where}not JSON: {reason}") from None
        if not isinstance(value, dict) or "resourceType" not in value:
            raise InputError(f"{where}no FHIR resource: it has no resourceType")
        if depth(value) > DEEPEST:
            raise InputError(f"{where}nested more than {DEEPEST} deep")
        return value


def _numbered(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Lines in which something stands."""
    for number, line in enumerate(iter(lambda: source.readline(LONGEST + 1), b""), 1):
        if len(line) > LONGEST:
            raise InputError(f"line {number}: more than {LONGEST >> 20} MiB in one resource")
        if line.strip():
            yield number, line


def _is_whole(line: bytes) -> bool:
    """Whether a line is a JSON object on its own."""
    try:
        return isinstance(msgspec.json.decode(line.lstrip(b"\xef\xbb\xbf")), dict)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False


def _record(item: Item) -> Record:
    return item.record


def _line(value: dict[str, Any], where: str, run: Run, end: bytes) -> Item:
    if value["resourceType"] == "Bundle":
        item = _item(value, where, run)
        item.end = end
        return item
    person = fhir_people.whose(value, run.people, NOBODY, run.work.people)
    record = Record(where, run.plain)
    walk = Walk(record, person, run.work)
    walk.resource(value)
    return Item(value, record, [walk], end)


def _item(value: dict[str, Any], where: str, run: Run) -> Item:
    """A resource or Bundle, each resource in it by its own patient."""
    entries = [entry for entry in listed(value, "entry") if isinstance(entry.get("resource"), dict)]
    within = list(chain([value], (entry["resource"] for entry in entries)))
    within += [inner for each in list(within) for inner in listed(each, "contained")]
    people, shared = fhir_people.bundled(within, entries)
    record = Record(where, run.plain)
    walks = []
    for entry in entries:
        person = fhir_people.whose(entry["resource"], people, shared, run.work.people)
        walks.append(Walk(record, person, run.work))
        walks[-1].resource(entry["resource"])
    done = frozenset(id(entry["resource"]) for entry in entries)
    person = fhir_people.whose(value, people, shared, run.work.people)
    walk = Walk(record, person, run.work, done)
    walk.resource(value)
    return Item(value, record, [*walks, walk])


def _finished(item: Item) -> dict[str, Any]:
    """With narratives written, and empty things gone."""
    for walk in item.walks:
        walk.finish()
    if prune(item.value) is GONE:
        raise InputError("nothing is left of the resource")
    return item.value


def _encode(value: dict[str, Any], like: bytes) -> bytes:
    """Indented as the source was."""
    data = _ENCODER.encode(value)
    indent = _INDENT.match(like.removeprefix(b"\xef\xbb\xbf"))
    if indent:
        data = msgspec.json.format(data, indent=1 if indent[1] == b"\t" else len(indent[1]))
    return data + like[len(like.rstrip(b"\r\n")) :]


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`fhir.v1`."""
    return Fhir(encoding, lambda: datetime.datetime.now(tz=datetime.UTC))
