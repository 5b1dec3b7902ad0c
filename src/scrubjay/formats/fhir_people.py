"""Whose a FHIR resource is, and what Patients, practitioners and relatives tell.

A Patient is named by the medical record number, as in other formats, else by the id. A resource is
its Patient's by its reference, which is looked up in the same Bundle or file first, then in the
other files of the run; where it leads to nobody, by the id that it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from scrubjay.formats import clinical, subjects
from scrubjay.formats.fhir_walk import identifier_label, table
from scrubjay.formats.subjects import Find, Person

SUBJECTS = ("subject", "patient", "beneficiary", "individual", "for", "focus")
REFERENCE = re.compile(r"(?:Patient/|urn:uuid:|^#)([A-Za-z0-9\-.]{1,64})")
OWN = ("MR", "MRT")  # v2-0203: medical record numbers, whatever else is one to a patient


def key(id: str) -> str:
    """Under what a Patient's id is looked up: ids of a server are no numbers of a hospital."""
    return f"Patient/{id}"


def listed(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of an element that repeats."""
    found = value.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def person(patient: dict[str, Any], others: Sequence[dict[str, Any]] = ()) -> Person:
    """Who a Patient is, and what it and others tell."""
    return Person(_name(patient), _known([patient, *others]))


def bundled(
    resources: list[dict[str, Any]], entries: list[dict[str, Any]]
) -> tuple[dict[str, Person], Person]:
    """The patients by id and by the address of their entry, and who a resource is about that does
    not say: the only one, or nobody. Practitioners and relatives are known to all."""
    others = [r for r in resources if r.get("resourceType") in ("Practitioner", "RelatedPerson")]
    patients = [r for r in resources if r.get("resourceType") == "Patient"]
    made = {id(patient): person(patient, others) for patient in patients}
    people = {str(patient.get("id", "")): made[id(patient)] for patient in patients}
    for entry in entries:
        address = REFERENCE.search(str(entry.get("fullUrl", "")))
        if address and id(entry["resource"]) in made:
            people[address[1]] = made[id(entry["resource"])]
    if len(made) == 1:
        return people, next(iter(made.values()))
    return people, Person("", _known([*patients, *others]))


def whose(value: dict[str, Any], people: dict[str, Person], shared: Person, find: Find) -> Person:
    """A resource's person: of the same Bundle or file, of another file, or known by id alone."""
    told = _subject(value)
    if not told:
        return person(value) if value.get("resourceType") == "Patient" else shared
    if told in people:
        return people[told]
    found = find(key(told))
    known = subjects.joined(found.known, shared.known) if shared.known else found.known
    return Person(found.group or subjects.number(told), known)


def _subject(value: dict[str, Any]) -> str:
    """The id of the Patient that a resource is, or is about."""
    if value.get("resourceType") == "Patient":
        return str(value.get("id", ""))
    for name in SUBJECTS:
        reference = value.get(name)
        told = reference.get("reference") if isinstance(reference, dict) else None
        if isinstance(told, str) and (found := REFERENCE.search(told)):
            return found[1]
    return ""


def _name(patient: dict[str, Any]) -> str:
    """By the medical record number, else by the member's, else by the id."""
    identifiers = sorted(listed(patient, "identifier"), key=lambda one: not _is_own(one))
    told = ((identifier_label(each), str(each.get("value") or "")) for each in identifiers)
    found = subjects.named(pair for pair in told if pair[0] in (subjects.RECORD, subjects.INSURED))
    return found or subjects.number(str(patient.get("id", "")))


def _is_own(identifier: dict[str, Any]) -> bool:
    kind = identifier.get("type")
    codings = listed(kind, "coding") if isinstance(kind, dict) else []
    return any(coding.get("code") in OWN for coding in codings)


def _known(resources: list[dict[str, Any]]) -> dict[str, tuple[str, ...]]:
    return clinical.known(chain.from_iterable(map(_values, resources)))


def _values(resource: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a Patient, Practitioner or relative tells, with labels."""
    contacts = listed(resource, "contact")
    named = [*listed(resource, "name"), *(c["name"] for c in contacts if has(c, "name"))]
    for name in named:
        given = _strings(name.get("given"))
        yield "PERSON", " ".join([*given, str(name.get("family") or "")])
        yield "PERSON", str(name.get("text") or "")
    for label, element in (("BIRTH_DATE", "birthDate"), ("DEATH_DATE", "deceasedDateTime")):
        if resource.get("resourceType") == "Patient" and isinstance(resource.get(element), str):
            yield label, resource[element][:10]
    for identifier in listed(resource, "identifier"):
        yield identifier_label(identifier), str(identifier.get("value") or "")
    for telecom in listed(resource, "telecom"):
        yield (
            table()["telecoms"].get(str(telecom.get("system")), "PHONE"),
            str(telecom.get("value") or ""),
        )
    for address in listed(resource, "address"):
        yield "STREET_ADDRESS", _address(address)
    for extension in listed(resource, "extension"):
        if str(extension.get("url")).endswith("mothersMaidenName"):
            yield "PERSON", str(extension.get("valueString") or "")


def _strings(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def has(value: dict[str, Any], name: str) -> bool:
    """Whether an element is an object."""
    return isinstance(value.get(name), dict)


def _address(address: dict[str, Any]) -> str:
    lines = _strings(address.get("line"))
    state = f"{address.get('state') or ''} {address.get('postalCode') or ''}"
    told = [*lines, str(address.get("city") or ""), state]
    return ", ".join(filter(None, map(str.strip, told))) if lines else ""


def ids(patient: dict[str, Any]) -> frozenset[str]:
    """By what other files refer to a Patient: the id, and numbers of medical records."""
    told = ((identifier_label(one), one.get("value")) for one in listed(patient, "identifier"))
    numbers = {subjects.number(str(value or "")) for label, value in told if label == "MRN"}
    own = patient.get("id")
    return frozenset(filter(None, numbers | ({key(own)} if isinstance(own, str) else set())))
