"""One FHIR resource in JSON: every value asked about by what its place says, and put back valid.

A value that may not become free text (a date, a code, an id) is masked where the answer does not
fit: it goes, and `data-absent-reason` stands beside it.
"""

from __future__ import annotations

import html
import mimetypes
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import Struct

from scrubjay.errors import InputError
from scrubjay.formats import clinical, narrative, tables, xmltree
from scrubjay.formats.clinical import Record
from scrubjay.formats.fhir_codes import is_code, is_public, is_word, question, suspect
from scrubjay.formats.fhir_prune import GONE, MASKED
from scrubjay.formats.subjects import Person
from scrubjay.formats.work import Work
from scrubjay.types import Anonymized

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
DAY = r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?"
CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]{1,9})?"
ZONE = r"(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
DATE = re.compile(rf"{DAY}(T{CLOCK}{ZONE})?")
INSTANT = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{CLOCK}{ZONE}")
TIME = re.compile(CLOCK)
DATED = re.compile(rf"[0-9]{{4}}-(0[1-9]|1[0-2])(-[0-9]{{2}}(T{CLOCK}{ZONE})?)?")
CODE = re.compile(r"[^\s]+( [^\s]+)*")
URI = re.compile(r"(https?://|urn:)[^\s\"<>\[\]]+")
REFERENCE = re.compile(
    r"(?P<base>https?://[^\s?#]+/)?(?P<type>[A-Z][A-Za-z]{1,40})/(?P<id>[A-Za-z0-9\-.]{1,64})"
    r"(?:/_history/(?P<version>[A-Za-z0-9\-.]{1,64}))?"
)
QUERY = re.compile(
    r"(?P<type>[A-Z][A-Za-z]{1,40})\?identifier=(?P<system>[^|&\s]*)\|(?P<value>[^|&]+)"
)
YEARS = frozenset({"a", "year", "years", "yr", "yrs"})


def table() -> dict[str, Any]:
    """fhir.toml."""
    return tables.read("fhir")


@cache
def names() -> tuple[frozenset[str], frozenset[str]]:
    """Resources and elements: names that are no data."""
    text = files("scrubjay.formats").joinpath("fhir_names.txt").read_text("utf-8")
    resources, elements = text.partition("\n")[2].split("\n\n")
    return frozenset(resources.split()), frozenset(elements.split())


@cache
def _suffix(name: str) -> str:
    """What the end of a choice's name says: valueDateTime -> date."""
    found = [end for end in table()["suffixes"] if name.endswith(end) and name != end]
    return table()["suffixes"][max(found, key=len)] if found else ""


@cache
def _rule(kind: str, name: str) -> tuple[str, str]:
    rules = table()["rules"]
    found = rules.get(f"{kind}.{name}") or rules.get(name)
    if found:
        return found[0], found[1]
    end = _suffix(name)
    return (end, "DATE" if end in ("date", "instant") else "") if end.islower() else ("text", "")


@cache
def _kind(kind: str, name: str) -> str:
    kinds = table()["kinds"]
    end = _suffix(name)
    return kinds.get(f"{kind}.{name}") or kinds.get(name) or (end if end[:1].isupper() else name)


class Place(Struct):
    """Where a value stands. `owner` is the object, whatever list the value is in."""

    container: Any
    key: Any
    owner: dict[str, Any]
    name: str
    kind: str
    label: str

    def put(self, value: Any) -> None:
        """There now."""
        self.container[self.key] = value


class Walk:
    """Asks for the texts of resources of one person, into one record."""

    def __init__(
        self, record: Record, person: Person, work: Work, done: frozenset[int] = frozenset()
    ) -> None:
        self._done = done  # resources of a Bundle that were walked as their own patient's
        self._record = record
        self._person = person
        self._work = work
        self._telling: list[tuple[dict[str, Any], str]] = []
        self._divs: list[tuple[dict[str, Any], str, xmltree.Node]] = []

    def finish(self) -> None:
        """Write what could not be put back piece by piece."""
        for owner, key, node in self._divs:
            owner[key] = xmltree.write(node)
        for owner, key in self._telling:
            owner[key] = GONE
            self._work.dropped("element whose name tells something")

    def resource(self, value: dict[str, Any]) -> None:
        """All of a resource."""
        kind = value.get("resourceType")
        if not isinstance(kind, str) or kind not in names()[0]:
            raise InputError(f"{self._record.id}: no resource type of FHIR R4 or R5")
        self.object(value, kind, "")

    def object(self, value: dict[str, Any], kind: str, label: str) -> None:
        """All of an object of that kind; `label` is what its place says of all strings in it."""
        elements = names()[1]
        for key in list(value):
            name = key.removeprefix("_")
            if key == "resourceType":
                continue
            if name not in elements:
                self._unknown(value, key)
            self._value(Place(value, key, value, name, kind, label), value[key])

    def _unknown(self, value: dict[str, Any], key: str) -> None:
        """An element of no FHIR that is known: its name is data, too."""
        if not re.fullmatch(r"_?[A-Za-z][A-Za-z0-9]{0,63}", key):
            raise InputError(f"{self._record.id}: an element whose name is no name")
        spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key.lstrip("_"))

        def told(result: Anonymized) -> None:
            if result.text != spaced:
                self._telling.append((value, key))

        self._record.ask(spaced, told, field="element", person=self._person.of(spaced))

    def _value(self, place: Place, value: Any) -> None:
        if isinstance(value, dict):
            self._inner(place, value)
        elif isinstance(value, list):
            for index, each in enumerate(value):
                if isinstance(each, list):
                    raise InputError(f"{self._record.id}: a list in a list")
                self._value(
                    Place(value, index, place.owner, place.name, place.kind, place.label), each
                )
        elif isinstance(value, str):
            self._string(place, value)
        elif isinstance(value, int | Decimal) and not isinstance(value, bool):
            self._number(place, value)

    def _inner(self, place: Place, value: dict[str, Any]) -> None:
        if "resourceType" in value:
            if id(value) not in self._done:
                self.resource(value)
            return
        kind = _shape(value, _kind(place.kind, place.name))
        if kind == "drop":
            place.put(GONE)
            self._work.dropped(place.name)
            return
        label = place.label
        if kind == "Extension":
            label = self._extension(value) or label
        elif kind == "MaritalStatus":
            label = "MARITAL_STATUS"
        elif place.name == "bornPeriod":
            label = "BIRTH_DATE"
        self.object(value, kind, label)

    def _extension(self, value: dict[str, Any]) -> str:
        end = str(value.get("url", "")).rpartition("/")[2]
        found: str = table()["extensions"].get(end, "")
        return found

    def _string(self, place: Place, value: str) -> None:
        if not value.strip() or value in ("true", "false"):
            return
        how, label = _rule(place.kind, place.name)
        label = place.label or label
        if how == "text" and not label and re.fullmatch("[0-9]{1,4}", value):
            return  # as a number in XML: too short to tell
        if how == "text" and DATED.fullmatch(value) and label in ("", "DATE", "BIRTH_DATE"):
            how, label = "date", label or "DATE"
        getattr(self, f"_{how}")(place, value, label)

    def _ask(
        self,
        place: Place,
        value: str,
        label: str,
        fits: Callable[[str], bool] | None = None,
        person: Person | None = None,
    ) -> None:
        def told(result: Anonymized) -> None:
            new = result.text
            if new == value:
                return
            place.put(new if new.strip() and (fits is None or fits(new)) else MASKED)

        who = self._person if person is None else person
        self._record.ask(value, told, field=place.name, label=label, person=who)

    def _text(self, place: Place, value: str, label: str) -> None:
        if place.kind == "ContactPoint" and place.name == "value":
            label = table()["telecoms"].get(str(place.owner.get("system")), label)
        elif place.name == "display" and not label:
            label = _referred(place.owner)
        elif place.name == "postalCode" and not re.fullmatch(r"\d{5}(-?\d{4})?", value):
            label = "POSTAL_CODE"
        if not label and clinical.opaque(value):
            place.put(MASKED)
            self._work.dropped("encoded value")
            return
        label = clinical.label(value, label)
        of = self._person.of(value) if place.kind == "Coding" and not label else self._person
        self._ask(place, value, label, person=of)

    def _code(self, place: Place, value: str, label: str) -> None:
        system = str(place.owner.get("system", ""))
        shows = self._person.shows(value)
        public = is_code(system, value) or self._public(value)  # some codes are addresses
        if not label and not shows and (public or is_word(value)):
            return
        label = clinical.label(value, label) if label else suspect(value)
        asked = value if shows else question(value, label)

        def told(result: Anonymized) -> None:
            if result.text != asked:
                place.put(MASKED)

        of = self._person.of(value)
        self._record.ask(asked, told, field=place.name, label=label, person=of)

    def _unit(self, place: Place, value: str, label: str) -> None:
        if not is_code("http://unitsofmeasure.org", value) or self._person.shows(value):
            self._text(place, value, label)

    def _date(self, place: Place, value: str, label: str) -> None:
        timed = "T" in value
        self._ask(
            place, value, clinical.label(value, "") or label or "DATE",
            lambda new: bool(DATE.fullmatch(new)) and (timed or "T" not in new),
            self._person.undated,
        )  # fmt: skip

    def _instant(self, place: Place, value: str, label: str) -> None:
        self._ask(
            place,
            value,
            clinical.label(value, "") or label or "DATE",
            lambda new: bool(INSTANT.fullmatch(new)),
            self._person.undated,
        )

    def _time(self, place: Place, value: str, label: str) -> None:
        self._ask(
            place,
            value,
            clinical.label(value, label or "TIME"),
            lambda new: bool(TIME.fullmatch(new)),
        )

    def _drop(self, place: Place, value: str, label: str) -> None:
        place.put(GONE)
        self._work.dropped(place.name)

    def _id(self, place: Place, value: str, label: str) -> None:
        self._renamed(value, place.put)

    def _renamed(self, value: str, put: Callable[[str], None]) -> None:
        """Of an id: the same in every place, whoever's it is."""
        fits = lambda new: bool(ID.fullmatch(new))  # noqa: E731
        self._record.ask(
            value,
            lambda result: put(clinical.new_id(value, result, fits, self._work.key)),
            field="id",
            label="ID",
        )

    def _identifier(self, place: Place, value: str, label: str) -> None:
        self._ask(place, value, identifier_label(place.owner))

    def _uri(self, place: Place, value: str, label: str) -> None:
        if place.kind == "ContactPoint":
            self._code(place, value, "")
        elif value.startswith("urn:uuid:"):
            self._reference(place, value, "")
        elif place.kind == "Extension" and is_word(value):
            return
        elif place.kind == "Extension" and ID.fullmatch(value):
            self._anchor(value, place.put)  # a part of an extension, named within it
        elif not self._public(value):
            self._address(value, place.put)

    def _address(self, value: str, put: Callable[[str], None]) -> None:
        def told(result: Anonymized) -> None:
            new = clinical.new_id(
                value, result, lambda text: bool(URI.fullmatch(text)), self._work.key
            )
            put(new if URI.fullmatch(new) else self._urn(value))

        self._record.ask(value, told, field="url", label="URL", person=self._person.of(value))

    def _urn(self, value: str) -> str:
        """What stands for an address everywhere: a UUID, as an OID where one must stand."""
        new = clinical.code(value, self._work.key)
        oid = value.startswith("urn:oid:")
        return f"urn:oid:2.25.{int(new.replace('-', ''), 16)}" if oid else f"urn:uuid:{new}"

    def _public(self, value: str) -> bool:
        return is_public(value) and not self._person.shows(value)

    def _reference(self, place: Place, value: str, label: str) -> None:
        if value.startswith("#") and (value == "#" or ID.fullmatch(value[1:])):
            if len(value) > 1:
                self._renamed(value[1:], lambda new: place.put(f"#{new}"))
        elif value.startswith("urn:uuid:") and ID.fullmatch(value[9:]):
            self._renamed(value[9:], lambda new: place.put(f"urn:uuid:{clinical.as_uuid(new)}"))
        elif value in names()[0]:
            return
        elif (found := REFERENCE.fullmatch(value)) and found["type"] in names()[0]:
            self._relative(place, found)
        elif (found := QUERY.fullmatch(value)) and found["type"] in names()[0]:
            self._query(place, found)
        else:
            place.put(MASKED)
            self._work.dropped("reference that is none")

    def _relative(self, place: Place, found: re.Match[str]) -> None:
        told = {"base": found["base"] or "", "id": found["id"]}

        def write() -> None:
            place.put(f"{told['base']}{found['type']}/{told['id']}")

        def put(part: str) -> Callable[[str], None]:
            def set_part(new: str) -> None:
                told[part] = new
                write()

            return set_part

        write()
        self._renamed(found["id"], put("id"))
        if found["base"] and not self._public(found["base"]):
            based = put("base")
            self._address(
                found["base"],
                lambda new: based(
                    new if new.endswith("/") else f"https://example.org/{new.rpartition(':')[2]}/"
                ),
            )

    def _query(self, place: Place, found: re.Match[str]) -> None:
        """Synthea's Practitioner?identifier=system|value."""
        told = {"system": found["system"], "value": found["value"]}

        def write(part: str, new: str) -> None:
            told[part] = re.sub(r"[\s|&]", "_", new)
            place.put(f"{found['type']}?identifier={told['system']}|{told['value']}")

        owner = {"system": found["system"]}
        if found["system"] and not self._public(found["system"]):
            self._address(found["system"], lambda new: write("system", new))
        self._record.ask(
            found["value"], lambda result: write("value", result.text), field="value",
            label=identifier_label(owner), person=self._person,
        )  # fmt: skip

    def _base64(self, place: Place, value: str, label: str) -> None:
        """A file: cleaned by whatever reads it, else dropped."""
        kind = str(place.owner.get("contentType", "")).partition(";")[0].strip().lower()
        new = clinical.opened(
            value, mimetypes.guess_extension(kind) or "", self._person, self._work
        )
        if new:
            place.put(new)
        else:
            place.put(GONE)
            self._work.dropped("attached file")

    def _xhtml(self, place: Place, value: str, label: str) -> None:
        try:
            node = xmltree.parse(_entities(value))
        except InputError:
            place.put('<div xmlns="http://www.w3.org/1999/xhtml"></div>')
            self._work.dropped("narrative that is not XHTML")
            return
        node.tag = "div"
        narrative.ask(node, self._record, self._person, self._work.dropped, self._anchor)
        self._divs.append((place.owner, place.key, node))

    def _anchor(self, value: str, put: Callable[[str], None]) -> None:
        def told(result: Anonymized) -> None:
            if result.text != value:
                put(f"id{clinical.code(value, self._work.key)}")

        self._record.ask(value, told, field="anchor", person=self._person.of(value))

    def _number(self, place: Place, value: int | Decimal) -> None:
        label = place.label or _rule(place.kind, place.name)[1]
        if place.kind == "Age" or _is_years(place):
            label = "AGE"
        text = str(value)
        if not label and _is_measure(text, place):
            return

        def told(result: Anonymized) -> None:
            if result.text != text:
                place.put(_as_number(result.text))

        self._record.ask(text, told, label=label, person=self._person)


def _is_measure(text: str, place: Place) -> bool:
    """Too short for an identifier, or a fraction, which is none but in an extension: a place."""
    whole, point, _ = text.lstrip("-").partition(".")
    short = len(re.sub(r"\D", "", text)) < 5
    return short or (bool(point) and len(whole) < 5 and place.kind != "Extension")


def _is_years(place: Place) -> bool:
    told = {str(place.owner.get("code")), str(place.owner.get("unit"))}
    return place.name == "value" and bool(told & YEARS)


def _as_number(text: str) -> Any:
    try:
        return Decimal(text) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) else MASKED
    except InvalidOperation:
        return MASKED


def _shape(value: dict[str, Any], kind: str) -> str:
    """The kind, or what an object of another name looks like."""
    if "family" in value or "given" in value:
        return "HumanName"
    if "postalCode" in value or "line" in value:
        return "Address"
    if "contentType" in value and ("data" in value or "url" in value):
        return "Attachment"
    if kind == "HumanName" and "status" in value:
        return "Name"
    if "value" in value and "system" in value and kind in ("Identifier", "ContactPoint"):
        return kind
    return kind


def _referred(owner: dict[str, Any]) -> str:
    """What a reference's display is."""
    kind = re.match(r"[A-Z][A-Za-z]+", str(owner.get("reference", "")))
    told = owner.get("type") if isinstance(owner.get("type"), str) else kind and kind[0]
    found: str = table()["displays"].get(told, "")
    return found


def identifier_label(owner: dict[str, Any]) -> str:
    """By the type's code, else by the system's end."""
    labels = table()["identifiers"]
    kind = owner.get("type")
    codings = kind.get("coding", []) if isinstance(kind, dict) else []
    told = (
        [c.get("code") for c in codings if isinstance(c, dict)] if isinstance(codings, list) else []
    )
    told.append(str(owner.get("system", "")).rpartition("/")[2])
    return next((labels[code] for code in told if isinstance(code, str) and code in labels), "ID")


def _entities(text: str) -> str:
    """&nbsp; and its like as characters; XML's own five stay."""
    return re.sub(
        r"&([A-Za-z][A-Za-z0-9]*);",
        lambda m: m[0] if m[1] in ("amp", "lt", "gt", "quot", "apos") else html.unescape(m[0]),
        text,
    )
