"""What becomes of each attribute: PS3.15 Table E.1-1 (`profile.csv`) under the options in force.

Of an action that the type of the attribute decides (`X/Z/D`), the last is taken: it is valid for
every type, and an empty value stays empty.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from msgspec import Struct

PURPOSES = {  # by option, CID 7050 (PS3.16)
    "basic": ("113100", "Basic Application Confidentiality Profile"),
    "pixels": ("113101", "Clean Pixel Data Option"),
    "graphics": ("113103", "Clean Graphics Option"),
    "structured": ("113104", "Clean Structured Content Option"),
    "descriptors": ("113105", "Clean Descriptors Option"),
    "full": ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
    "modified": ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    "patient": ("113108", "Retain Patient Characteristics Option"),
    "device": ("113109", "Retain Device Identity Option"),
    "uids": ("113110", "Retain UIDs Option"),
    "private": ("113111", "Retain Safe Private Option"),
    "institution": ("113112", "Retain Institution Identity Option"),
}
CLEANED = frozenset(("descriptors", "structured", "graphics"))
LABELS = {  # by keyword; what is not here is told by its value representation, or is free text
    "PatientID": "MRN", "OtherPatientIDs": "MRN", "PatientBirthDate": "BIRTH_DATE",
    "PatientAge": "AGE", "PatientSex": "GENDER", "EthnicGroup": "ETHNICITY",
    "Occupation": "PROFESSION", "PatientReligiousPreference": "RELIGION",
    "PatientAddress": "STREET_ADDRESS", "PatientTelephoneNumbers": "PHONE",
    "CountryOfResidence": "COUNTRY", "RegionOfResidence": "STATE", "MilitaryRank": "TITLE",
    "AccessionNumber": "ID", "StudyID": "ID", "RequestedProcedureID": "ID",
    "ScheduledProcedureStepID": "ID", "PerformedProcedureStepID": "ID", "AdmissionID": "ID",
    "PlacerOrderNumberImagingServiceRequest": "ID", "FillerOrderNumberImagingServiceRequest": "ID",
    "ClinicalTrialSubjectID": "ID", "ClinicalTrialSubjectReadingID": "ID",
    "SpecimenIdentifier": "ID", "ContainerIdentifier": "ID",
    "DeviceSerialNumber": "DEVICE", "DeviceUID": "UID",
    "StationName": "DEVICE", "DetectorID": "DEVICE", "GantryID": "DEVICE", "PlateID": "DEVICE",
    "InstitutionName": "HOSPITAL", "InstitutionAddress": "STREET_ADDRESS",
    "InstitutionalDepartmentName": "FACILITY",
}  # fmt: skip
BY_VR = {"PN": "PERSON", "UI": "UID", "DA": "DATE", "DT": "DATE", "TM": "TIME", "AS": "AGE",
         "UR": "URL"}  # fmt: skip


class Row(Struct, frozen=True):
    """One attribute's: the basic profile's action, and what options have for it."""

    basic: str
    options: dict[str, str]


class Options(Struct, frozen=True):
    """Options in force, and private attributes that are known to be safe: creator, group and the
    last byte of the element, as ("SIEMENS MR HEADER", 0x0019, 0x0C)."""

    names: frozenset[str] = CLEANED
    private: frozenset[tuple[str, int, int]] = frozenset()


@cache
def table() -> dict[int, Row]:
    """Table E.1-1 by tag."""
    text = files(__package__).joinpath("profile.csv").read_text("ascii")
    lines = [line.split(",") for line in text.splitlines() if not line.startswith("#")]
    return {
        int(tag, 16): Row(basic, dict(option.split(":") for option in options.split()))
        for tag, _, basic, options in lines
    }


@cache
def terms() -> frozenset[str]:
    """Coded strings that the standard defines."""
    text = files(__package__).joinpath("terms.txt").read_text("ascii")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return frozenset(term for line in lines for term in line.split(";") if term)


def action(tag: int, options: Options) -> str:
    """X, Z, D, U, C or K; nothing for what the table does not list."""
    row = table().get(tag)
    if row is None:
        return ""
    chosen = [code for name, code in row.options.items() if name in options.names]
    return min(chosen) if chosen else fallback(tag)  # C before K


def fallback(tag: int) -> str:
    """The basic profile's action alone; Z for what the table does not list."""
    row = table().get(tag)
    return row.basic.rpartition("/")[2].rstrip("*") if row else "Z"


def label(keyword: str, vr: str) -> str:
    """What all of a value is, where its place says so."""
    return LABELS.get(keyword) or BY_VR.get(vr, "")
