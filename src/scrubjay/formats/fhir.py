"""FHIR R4 and R5: `fhir.v1` reads a resource or a Bundle in JSON or XML, or one resource a line.

Patients of the same file, wherever they stand in it, and of other files of the run tell what is
known of them: fhir_people.py.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import chain
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

import scrubjay
from scrubjay import formats, plugins
from scrubjay.errors import InputError
from scrubjay.formats import clinical, fhir_people, fhir_xml
from scrubjay.formats.clinical import Record
from scrubjay.formats.fhir_people import has, listed
from scrubjay.formats.fhir_prune import DEEPEST, GONE, depth, prune
from scrubjay.formats.fhir_walk import Walk
from scrubjay.formats.subjects import NOBODY, Person
from scrubjay.formats.work import Work, seekable

LONGEST = 1 << 26  # bytes of a line
XML = 1 << 26  # bytes of a document
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_INDENT = re.compile(rb"\s*\{\r?\n( +|\t)")
LABELS = {  # security labels by what was done: v3-ObservationValue
    "redact.v1": "REDACTED",
    "label.v1": "REDACTED",
    "mask.v1": "MASKED",
    "generalize.v1": "ABSTRED",
}
SECURITY = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"


class Item(Struct):
    """One resource, or a Bundle with all that is in it."""

    value: dict[str, Any]
    record: Record
    walks: list[Walk]
    end: bytes = b""


class Run(Struct):
    """What the lines of a file share: patients by id, and texts of nobody that stay."""

    work: Work
    people: dict[str, Person] = {}
    plain: set[tuple[str, ...]] = set()


class Fhir:
    """A resource, a Bundle, or lines of resources."""

    name = "fhir.v1"
    suffixes: tuple[str, ...] = (".json", ".ndjson")

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding

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
        data = clinical.read_all(source, work, "resource")
        value = self._decode(data, "")
        for item in clinical.through(work, [_item(value, "", Run(work))], _record):
            target.write(_encode(_finished(item), data))

    def _xml(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        left_out: list[str] = []
        value = fhir_xml.read(clinical.read_all(source, work, "resource", XML), left_out)
        if left_out:
            work.dropped("XML comment or instruction", len(left_out))
        if depth(value) > DEEPEST:
            raise InputError(f"nested more than {DEEPEST} deep")
        for item in clinical.through(work, [_item(value, "", Run(work))], _record):
            target.write(fhir_xml.write(_finished(item)))

    def _lines(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        people = self._people(source)
        source.seek(0)
        items = self._items(source, Run(work, people))
        for item in clinical.through(work, items, _record):
            target.write(_ENCODER.encode(_finished(item)) + item.end)

    def _items(self, source: BinaryIO, run: Run) -> Iterator[Item]:
        for number, line in enumerate(iter(lambda: source.readline(LONGEST + 1), b""), 1):
            if len(line) > LONGEST:
                raise InputError(f"line {number}: more than {LONGEST >> 20} MiB in one resource")
            if line.strip():
                value = self._decode(line, f"line {number}: ")
                end = line[len(line.rstrip(b"\r\n")) :]
                yield _line(value, f"line {number}", run, end)

    def _people(self, source: BinaryIO) -> dict[str, Person]:
        """What the file's own Patients tell, by id."""
        people: dict[str, Person] = {}
        for number, line in enumerate(iter(lambda: source.readline(LONGEST), b""), 1):
            if b'"Patient"' in line:
                value = self._decode(line, f"line {number}: ")
                if value.get("resourceType") == "Patient" and isinstance(value.get("id"), str):
                    people[value["id"]] = fhir_people.person(value)
        return people

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
    """With narratives written, empty things gone, and what was done told in it."""
    for walk in item.walks:
        walk.finish()
    if prune(item.value) is GONE:
        raise InputError("nothing is left of the resource")
    told = sorted({LABELS.get(operator, "PSEUDED") for operator in item.record.operators})
    if told:
        entries = listed(item.value, "entry")
        for resource in (item.value, *(e["resource"] for e in entries if has(e, "resource"))):
            _label(resource, told)
        if item.value["resourceType"] == "Bundle" and str(item.value.get("type")) not in _CLOSED:
            _provenance(item.value, entries)
    return item.value


_CLOSED = ("document", "message", "history", "subscription-notification")


def _label(resource: dict[str, Any], told: Iterable[str]) -> None:
    """Security labels: https://terminology.hl7.org, SecurityAlterationIntegrityObservationValue."""
    meta = resource.setdefault("meta", {})
    if not isinstance(meta, dict):
        raise InputError("meta is no object")
    labels = meta.setdefault("security", [])
    if not isinstance(labels, list):
        raise InputError("meta.security is no list")
    there = {str(each.get("code")) for each in labels if isinstance(each, dict)}
    labels += [{"system": SECURITY, "code": code} for code in told if code not in there]
    _first(meta, "versionId", "lastUpdated", "source", "profile", "security")
    _first(resource, "resourceType", "id", "meta")


def _first(value: dict[str, Any], *names: str) -> None:
    """These before the others, as the schema has them."""
    told = [name for each in names for name in (each, f"_{each}") if name in value]
    items = [(name, value[name]) for name in [*told, *(k for k in value if k not in told)]]
    value.clear()
    value.update(items)


def _provenance(bundle: dict[str, Any], entries: list[dict[str, Any]]) -> None:
    """What was done to the Bundle's resources, and by what."""
    targets = [{"reference": e["fullUrl"]} for e in entries if isinstance(e.get("fullUrl"), str)]
    if not targets:
        return
    now = datetime.datetime.now(tz=datetime.UTC).isoformat(timespec="seconds")
    resource = {
        "resourceType": "Provenance",
        "target": targets,
        "recorded": now.replace("+00:00", "Z"),
        "activity": {"coding": [{"system": LIFECYCLE, "code": "deidentify"}]},
        "agent": [{"who": {"display": f"Scrubjay {scrubjay.__version__}"}}],
    }
    entry: dict[str, Any] = {
        "fullUrl": f"urn:uuid:{clinical.code(now + targets[0]['reference'])}",
        "resource": resource,
    }
    if bundle.get("type") in ("transaction", "batch"):
        entry["request"] = {"method": "POST", "url": "Provenance"}
    elif bundle.get("type") == "searchset":
        entry["search"] = {"mode": "include"}
    bundle["entry"].append(entry)


def _encode(value: dict[str, Any], like: bytes) -> bytes:
    """Indented as the source was."""
    data = _ENCODER.encode(value)
    indent = _INDENT.match(like.removeprefix(b"\xef\xbb\xbf"))
    if indent:
        data = msgspec.json.format(data, indent=1 if indent[1] == b"\t" else len(indent[1]))
    return data + like[len(like.rstrip(b"\r\n")) :]


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`fhir.v1`."""
    return Fhir(encoding)
