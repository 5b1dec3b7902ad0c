"""FHIR R4 and R5: `fhir.v1` reads a resource or a Bundle in JSON or XML, or one resource a line.

Whose a resource is: a Bundle's Patient by its medical record number, else by its id, so that other
formats of the same patient agree; in lines by the id alone, as the Patient may be in another file.
Patients of the same file, wherever they stand in it, tell what is known of them.
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
from scrubjay.formats import clinical, fhir_done, fhir_xml
from scrubjay.formats.clinical import NOBODY, Person, Plain, Record
from scrubjay.formats.fhir_prune import DEEPEST, GONE, depth, prune
from scrubjay.formats.fhir_walk import Walk, identifier_label, table
from scrubjay.formats.work import Work, seekable

LONGEST = 1 << 26  # bytes of a line
XML = 1 << 26  # bytes of a document
SUBJECTS = ("subject", "patient", "beneficiary", "individual", "for", "focus")
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
        data = clinical.read_all(source, work, "resource")
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
        value = fhir_xml.read(clinical.read_all(source, work, "resource", XML), left_out)
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
                run.people[value["id"]] = Person(value["id"], _known([value]))
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
    except (msgspec.DecodeError, RecursionError):
        return False


def _record(item: Item) -> Record:
    return item.record


def _line(value: dict[str, Any], where: str, run: Run, end: bytes) -> Item:
    if value["resourceType"] == "Bundle":
        item = _item(value, where, run)
        item.end = end
        return item
    subject = _subject(value)
    person = run.people.get(subject) or (Person(subject) if subject else NOBODY)
    record = Record(where, run.plain)
    walk = Walk(record, person, run.work)
    walk.resource(value)
    return Item(value, record, [walk], end)


def _item(value: dict[str, Any], where: str, run: Run) -> Item:
    """A resource or Bundle, each resource in it by its own patient."""
    entries = [entry for entry in _list(value, "entry") if isinstance(entry.get("resource"), dict)]
    within = list(chain([value], (entry["resource"] for entry in entries)))
    within += [inner for each in list(within) for inner in _list(each, "contained")]
    people, shared = _bundled(within)
    record = Record(where, run.plain)
    walks = []
    for entry in entries:
        walk = Walk(record, _whose(entry["resource"], people, shared), run.work)
        walks.append(walk)
        walk.resource(entry["resource"])
    done = frozenset(id(entry["resource"]) for entry in entries)
    walk = Walk(record, _whose(value, people, shared), run.work, done)
    walk.resource(value)
    return Item(value, record, [*walks, walk])


def _list(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = value.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _bundled(resources: list[dict[str, Any]]) -> tuple[dict[str, Person], Person]:
    """The patients by id, and who a resource is about that does not say: the only one, or nobody.
    Practitioners and relatives are known to all."""
    others = [r for r in resources if r.get("resourceType") in ("Practitioner", "RelatedPerson")]
    patients = [r for r in resources if r.get("resourceType") == "Patient"]
    people: dict[str, Person] = {}
    for patient in patients:
        person = Person(_number_of(patient), _known([patient, *others]))
        people[str(patient.get("id", ""))] = person
    if len(people) == 1:
        return people, next(iter(people.values()))
    return people, Person("", _known([*patients, *others]))


def _whose(value: dict[str, Any], people: dict[str, Person], shared: Person) -> Person:
    subject = _subject(value)
    if subject in people:
        return people[subject]
    return shared if shared.group or not subject else Person(subject, shared.known)


def _subject(value: dict[str, Any]) -> str:
    """The id of the Patient that a resource is, or is about."""
    if value.get("resourceType") == "Patient":
        return str(value.get("id", ""))
    for name in SUBJECTS:
        reference = value.get(name)
        told = reference.get("reference") if isinstance(reference, dict) else None
        if isinstance(told, str):
            found = re.search(r"(?:Patient/|urn:uuid:|^#)([A-Za-z0-9\-.]{1,64})", told)
            if found:
                return found[1]
    return ""


def _number_of(patient: dict[str, Any]) -> str:
    """The medical record number as it is written, else the id."""
    for identifier in _list(patient, "identifier"):
        if identifier_label(identifier) == "MRN" and isinstance(identifier.get("value"), str):
            return str(identifier["value"]).strip()
    return str(patient.get("id", ""))


def _known(resources: list[dict[str, Any]]) -> dict[str, tuple[str, ...]]:
    return clinical.known(chain.from_iterable(map(_values, resources)))


def _values(resource: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a Patient, Practitioner or relative tells, with labels."""
    contacts = _list(resource, "contact")
    named = [*_list(resource, "name"), *(c["name"] for c in contacts if _is(c, "name"))]
    for name in named:
        given = _strings(name.get("given"))
        yield "PERSON", " ".join([*given, str(name.get("family") or "")])
        yield "PERSON", str(name.get("text") or "")
    for label, element in (("BIRTH_DATE", "birthDate"), ("DEATH_DATE", "deceasedDateTime")):
        if resource.get("resourceType") == "Patient" and isinstance(resource.get(element), str):
            yield label, resource[element][:10]
    for identifier in _list(resource, "identifier"):
        yield identifier_label(identifier), str(identifier.get("value") or "")
    for telecom in _list(resource, "telecom"):
        yield (
            table()["telecoms"].get(str(telecom.get("system")), "PHONE"),
            str(telecom.get("value") or ""),
        )
    for address in _list(resource, "address"):
        yield "STREET_ADDRESS", _address(address)
    for extension in _list(resource, "extension"):
        if str(extension.get("url")).endswith("mothersMaidenName"):
            yield "PERSON", str(extension.get("valueString") or "")


def _strings(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _is(value: dict[str, Any], name: str) -> bool:
    return isinstance(value.get(name), dict)


def _address(address: dict[str, Any]) -> str:
    lines = _strings(address.get("line"))
    state = f"{address.get('state') or ''} {address.get('postalCode') or ''}"
    told = [*lines, str(address.get("city") or ""), state]
    return ", ".join(filter(None, map(str.strip, told))) if lines else ""


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
