"""What a tagger tells apart: classes, each a label of ours, and tags `O B-PERSON I-PERSON ...`."""

from __future__ import annotations

from scrubjay import labels

CLASSES = (
    "PERSON", "TITLE", "USERNAME", "STREET_ADDRESS", "CITY", "COUNTY", "STATE", "COUNTRY",
    "LOCATION", "POSTAL_CODE", "COORDINATES", "FACILITY", "HOSPITAL", "SCHOOL", "ORGANIZATION",
    "DATE", "YEAR", "TIME", "AGE", "PROFESSION", "NATIONALITY", "ETHNICITY", "RELIGION", "PHONE",
    "FAX", "EMAIL", "URL", "IP", "MRN", "NATIONAL_ID", "HEALTH_PLAN", "ACCOUNT", "LICENSE",
    "VEHICLE", "DEVICE", "ID", "SECRET", "SENSITIVE",
)  # fmt: skip
TAGS = ("O", *(f"{part}-{name}" for name in CLASSES for part in "BI"))
OUTSIDE = 0


def class_of(label: str) -> str | None:
    """The class that a label belongs to: itself, or the nearest parent that is one."""
    return next((name for name in labels.lineage(label) if name in CLASSES), None)


def begin(name: str) -> int:
    """The tag of a class' first unit."""
    return 1 + 2 * CLASSES.index(name)


def inside(name: str) -> int:
    """The tag of its further units."""
    return begin(name) + 1
