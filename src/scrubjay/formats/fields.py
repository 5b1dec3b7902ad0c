"""What the name of a column, key or element says of its values: `patient_name` -> PERSON, `dose`
-> a measure. The names are data: fields.toml.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import Any

from msgspec import structs

from scrubjay.formats import fhir_codes, tables
from scrubjay.types import Document

NOWHERE = Document("")
CODE = 20  # characters of the longest code of a public system
LONGEST = 80  # characters of a name; what is longer is prose
_PARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\W_]+")
_ASIDE = re.compile(r"['\u2019]s\b|[(\[][^()\[\]]*[)\]]")  # "patient's", "(MM/DD/YYYY)"


@lru_cache(1 << 14)
def label(name: str) -> str:
    """The label of what stands under this name, or nothing. A path, `medication.name`, says more
    than its last part."""
    words = normal(name)
    found = _names().fullmatch(words) if words else None
    if found:
        return _labels()[found["name"].replace(" ", "")]
    return "DATE" if words.endswith(_dates()) else ""


def document(text: str, name: str, about: Document = NOWHERE, *, within: str = "") -> Document:
    """A text that stands under a name, in an object that is called `within`, in a place like
    `about`."""
    field = whole(name, within)
    return structs.replace(about, text=text, field=field, label=label(field) if name else "")


@lru_cache(1 << 14)
def whole(name: str, within: str) -> str:
    """The name of a part of a name says so: `family` within `name` is the `family name`. A `name`
    within what says whose it is, is that one's: the `city name`; and of a `drug` it is the drug."""
    words = normal(name) if within else ""
    if words in table()["weak"].split():
        whose = f"{within} {name}", f"{within.removesuffix('s')} {name}"
        return next(filter(label, whose), within if _thing(within) else name)
    if label(name) or words not in part("given") | part("family"):
        return name
    return f"{name} name" if label(within) == "PERSON" else name


def named(key: str, value: str) -> bool:
    """Whether `"name": "mrn"` names a field: the `value` beside it goes by that name."""
    return key in table()["naming"].split() and bool(label(value))


@lru_cache(1 << 10)
def _thing(name: str) -> bool:
    """Whether it is a thing, whose `name` is nobody's."""
    last = normal(name).rpartition(" ")[2]
    things = table()["things"].split()
    return last in things or last.removesuffix("s") in things


@lru_cache(1 << 14)
def measure(name: str) -> bool:
    """Whether values under this name are codes and measures, and no person's number."""
    return not label(name) and not _measures().isdisjoint(normal(name).split())


@cache
def schema() -> frozenset[str]:
    """Words of which one makes a key a schema's, where only a tagger doubts it and the rest of its
    words are ordinary."""
    return frozenset(table()["schema"].split()) | frozenset(table()["things"].split()) | _measures()


def coded(name: str, value: str) -> bool:
    """Whether a value is such a code as stands under this name: `8480-6` under `loinc`."""
    return len(value) <= CODE and any(_is_code(rule, value) for rule in _codes(name))


def _is_code(rule: str, value: str) -> bool:
    if rule.startswith("http"):
        return fhir_codes.is_code(rule, value)
    return re.fullmatch(rule, value) is not None


@lru_cache(1 << 10)
def _codes(name: str) -> tuple[str, ...]:
    said = f" {normal(name)}"
    rows = table()["codes"] if not label(name) else ()
    return tuple(rule for endings, rule in rows if said.endswith(tuple(endings.split("|"))))


@cache
def part(kind: str) -> frozenset[str]:
    """Words of columns that hold the `given` name, or the `family` name."""
    return frozenset(table()[kind].split())


@lru_cache(1 << 14)
def normal(name: str) -> str:
    """Its words in lower case, without accents, a blank between them."""
    if len(name) > LONGEST:
        return ""
    spaced = _PARTS.sub(" ", _ASIDE.sub(" ", name))
    folded = unicodedata.normalize("NFKD", spaced).casefold()
    plain = "".join(sign for sign in folded if not unicodedata.combining(sign))
    return " ".join(unicodedata.normalize("NFC", plain).split())


def table() -> dict[str, Any]:
    """fields.toml as it is."""
    return tables.read("fields")


@cache
def _labels() -> dict[str, str]:
    rows = ((name, row) for name, row in table().items() if isinstance(row, dict))
    return {normal(n).replace(" ", ""): label for label, row in rows for n in row["names"]}


@cache
def _measures() -> frozenset[str]:
    return frozenset(table()["measures"].split())


@cache
def _dates() -> tuple[str, ...]:
    return tuple(f" {word}" for word in table()["dates"])


@cache
def _names() -> re.Pattern[str]:
    """Whose it is, what it is, which of several; blanks between words may be missing."""
    names = {normal(n) for row in table().values() if isinstance(row, dict) for n in row["names"]}
    phrases = sorted(names, key=len, reverse=True)
    loose = "|".join(re.escape(phrase).replace(r"\ ", " ?") for phrase in phrases)
    before = "|".join(sorted(table()["holders"].split(), key=len, reverse=True))
    after = "|".join(table()["endings"].split())
    return re.compile(
        rf"(?:(?:{before}) )*?(?:{before})??(?P<name>{loose})(?:[0-9]|(?: (?:{after}))+)?"
    )
