"""Whose file it is: the patient, and all names and numbers that its header knows."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs
from pydicom.datadict import keyword_for_tag as keyword

from scrubjay.formats import subjects
from scrubjay.formats.dicom import profile, values
from scrubjay.formats.dicom.cleaner import CHARSET
from scrubjay.formats.dicom.elements import Element, string
from scrubjay.formats.subjects import Person
from scrubjay.formats.work import Work
from scrubjay.types import Document

PATIENT, STUDY, INSTANCE = 0x00100020, 0x0020000D, 0x00080018
UIDS = (0x00080018, 0x0020000D, 0x0020000E, 0x00200052)
SOUGHT = ("MRN", "ID", "BIRTH_DATE", "STREET_ADDRESS", "PHONE")
SHORTEST = 4  # signs of a value that is looked for; a study "1" is no identifier
NAMES = 200  # people of one file
RETAINED = {"patient": "GENDER", "device": "DEVICE", "institution": "HOSPITAL", "uids": "UID",
            "full": "DATE"}  # fmt: skip
MOVES = ("shift.v1", "surrogate.v1")


def of(root: list[Element], group: str) -> Person:
    """The subject of a data set. Without a patient's number, what is of one study agrees, or of
    one file."""
    found: dict[str, dict[str, None]] = {}
    for label, value in _values(root, []):
        if len(value) >= SHORTEST or label == "PERSON":
            found.setdefault(label, {})[value] = None
    known = {label: tuple(list(told)[:NAMES]) for label, told in found.items()}
    patient = [told for e in root if e.tag == PATIENT for told in _strings(e, [])]
    other = group or string(root, STUDY) or string(root, INSTANCE)
    return Person(subjects.named((subjects.RECORD, told) for told in patient) or other, known)


def through(work: Work, whose: Person) -> Work:
    """The same work for what is in a file: its texts are that person's."""

    def told(document: Document) -> Document:
        return structs.replace(
            document,
            group=whose.group or document.group,
            known={**whose.known, **document.known},
        )

    return structs.replace(work, clean=lambda documents: work.clean(map(told, documents)))


def _strings(element: Element, sets: list[str]) -> list[str]:
    if not isinstance(element.value, bytes):
        return []
    told = values.decode(element.value, element.tag, "LO", sets)
    return [part.strip() for part in told.split("\\") if part.strip()]


def _values(elements: list[Element], sets: list[str]) -> Iterator[tuple[str, str]]:
    declared = next((e.value for e in elements if e.tag == CHARSET), b"")
    if isinstance(declared, bytes):
        sets = values.encodings(declared, sets)
    for element in elements:
        if isinstance(element.value, list):
            for item in element.value:
                yield from _values(item, sets)
        elif isinstance(element.value, bytes) and element.tag >> 16 & 1 == 0:
            yield from _known(element, element.value, sets)


def _known(element: Element, value: bytes, sets: list[str]) -> Iterator[tuple[str, str]]:
    if element.vr == "PN":
        told = values.decode(value, element.tag, "PN", sets)
        for name in told.replace("=", "\\").split("\\"):
            family, *given = name.split("^")[:3]  # prefixes and suffixes are many people's
            if whole := " ".join(" ".join([*given, family]).split()):
                yield "PERSON", whole
        return
    label = "UID" if element.tag in UIDS else profile.LABELS.get(keyword(element.tag), "")
    if label in ("UID", *SOUGHT):
        yield from ((label, part) for part in _strings(element, sets))


def options(work: Work) -> profile.Options:
    """The options that the policy asks for: what it keeps of a kind, the profile retains."""
    names = {name for name, label in RETAINED.items() if work.rule(label) == "keep.v1"}
    if work.rule("DATE") in MOVES:
        names.add("modified")
    return profile.Options(profile.CLEANED | names)
