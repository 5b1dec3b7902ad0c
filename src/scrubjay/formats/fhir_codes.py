"""Codes of public systems that are what they claim: they pass without being read as text."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.resources import files

from scrubjay.formats import tables
from scrubjay.formats.clinical import NUMBER
from scrubjay.operators import names

_TIMES = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 0, 6, 7, 8, 9, 5), (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7), (4, 0, 1, 2, 3, 9, 5, 6, 7, 8), (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2), (7, 6, 5, 9, 8, 2, 1, 0, 4, 3), (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)  # fmt: skip
_TURNS = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 5, 7, 6, 2, 8, 3, 0, 9, 4), (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
    (8, 9, 1, 6, 0, 4, 3, 5, 2, 7), (9, 4, 5, 3, 1, 2, 6, 8, 7, 0), (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
    (2, 7, 9, 3, 8, 0, 6, 4, 1, 5), (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)  # fmt: skip


CODED = "coded"  # asked about in place of a plain code: what is done with its label?
_TABLES = re.compile(r"HL7[0-9]{4}|ISO[0-9]{3,5}(_[0-9])?|[0-9]{4}-[0-9]")
_SHORT = re.compile(r"[A-Za-z0-9]{1,2}|(?=.*[0-9])[A-Z0-9]{3,4}|[0-9](\.[0-9]{1,2}){1,2}")
_WORD = re.compile("[A-Z]{3,20}|[A-Z][a-z]{2,20}")
_TAIL = re.compile(r"[A-Za-z0-9./_:|#-]{0,160}")
_CAMEL = re.compile("[A-Z]?[a-z]{2,}|[A-Z]{3,}")
_PLAIN = re.compile(r"[A-Za-z]{1,10}|[0-9]{4}-[0-9]")


@cache
def _words() -> frozenset[str]:
    rows = tables.read("fhir")["words"]
    return frozenset(word for row in rows.values() for word in _each(row))


def _each(row: str | list[str]) -> list[str]:
    return row.split() if isinstance(row, str) else row


def is_word(value: str) -> bool:
    """Whether the standards themselves have this word, or the number of a table."""
    return value in _words() or _TABLES.fullmatch(value) is not None


def is_short(value: str) -> bool:
    """Whether a code is too short to be anybody's: three letters can be a name."""
    return _SHORT.fullmatch(value) is not None


@lru_cache(1 << 14)
def passes(system: str, value: str) -> bool:
    """Whether a code is one of that public system, or a word of the standards, or short."""
    return is_short(value) or is_word(value) or is_code(system, value)


@lru_cache(1 << 14)
def suspect(value: str) -> str:
    """What the label of a code is that is a name in our lists, not a word of the standards, or a
    number as long as people's are: none of a public system is. Others are for detectors to tell."""
    if NUMBER.search(value) and not snomed(value):
        return "ID"
    named = _WORD.fullmatch(value) and not is_word(value) and names.roles(value.capitalize())
    return "PERSON" if named else ""


@lru_cache(1 << 14)
def is_public(address: str) -> bool:
    """Whether this is the address of a public definition: one that begins as those do, with neither
    a long number nor a name of our lists behind that."""
    public = tables.read("fhir")["definitions"]["public"]
    start = next((p for p in public if address.startswith(p)), "")
    tail = address[len(start) :]
    if not start or not _TAIL.fullmatch(tail):
        return False
    if start.startswith("urn:oid:"):
        return not re.search("[0-9]{7}", tail)
    words = {word.lower() for word in _CAMEL.findall(tail)} - _own_words()
    long = re.search("[0-9]{5}", tail) or sum(map(str.isdigit, tail)) > 8
    return not (long or any(map(names.roles, map(str.capitalize, words))))


@cache
def _own_words() -> frozenset[str]:
    """Those that names of resources and elements are made of."""
    text = files("scrubjay.formats").joinpath("fhir_names.txt").read_text("utf-8")
    return frozenset(word.lower() for word in _CAMEL.findall(text.partition("\n")[2]))


def question(value: str, label: str) -> str:
    """What is asked to learn whether a code under a label stays: not the code, where it is plain,
    as detectors read words."""
    return CODED if label and _PLAIN.fullmatch(value) else value


def is_code(system: str, value: str) -> bool:
    """Whether this is a code of a public system by its own rules."""
    rule = tables.read("fhir")["codes"].get(system)
    if rule == "snomed":
        return snomed(value)
    if rule == "loinc":
        return loinc(value)
    if rule == "ucum":
        return ucum(value)
    return rule is not None and re.fullmatch(rule, value) is not None


@cache
def _units() -> Callable[[str], object]:
    """UCUM 1.9, section 2: units with exponents between dots and slashes, and annotations."""
    table = tables.read("fhir")["units"]
    rows = {name: "|".join(map(re.escape, row.split())) for name, row in table.items()}
    unit = rf"(?:(?:{rows['prefixes']})?(?:{rows['metric']})|{rows['alone']})"
    note = r"\{[A-Za-z0-9#.%_ -]{1,10}\}"
    part = rf"(?:{unit}(?:[+-]?[0-9]{{1,2}})?(?:{note})?|{note}|[0-9]{{1,4}})"
    return re.compile(rf"/?{part}(?:[./]{part}){{0,5}}").fullmatch


def ucum(value: str) -> bool:
    """A unit that the Unified Code for Units of Measure can spell; no words of people in braces."""
    notes = re.findall(r"\{([^}]*)\}", value)
    return _units()(value) is not None and not any(map(suspect, notes))


def snomed(value: str) -> bool:
    """A concept id: its partition and Verhoeff's check digit, SNOMED CT Release File 5.2."""
    if not re.fullmatch(r"[1-9][0-9]{5,17}", value) or value[-3:-1] not in ("00", "10"):
        return False
    check = 0
    for place, digit in enumerate(reversed(value)):
        check = _TIMES[check][_TURNS[place % 8][int(digit)]]
    return check == 0


def loinc(value: str) -> bool:
    """A number with its check digit, or a part, list or answer."""
    if re.fullmatch(r"L[APLG][0-9]{1,7}-[0-9]", value):
        return True
    found = re.fullmatch(r"([0-9]{1,7})-([0-9])", value)
    if not found:
        return False
    doubled = sum(sum(divmod(2 * int(d), 10)) for d in found[1][::-2])
    return -(doubled + sum(map(int, found[1][-2::-2]))) % 10 == int(found[2])
