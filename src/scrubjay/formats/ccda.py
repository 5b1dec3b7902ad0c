"""CDA R2 and C-CDA: `ccda.v1` cleans header, narrative and entries by what each element is.

Names of elements and attributes that CDA does not have are left out with all below them. A value
that must stay what it is, and cannot, goes, and `nullFlavor` says MSK: masked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from typing import Any, BinaryIO

from msgspec import Struct

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats import clinical, fhir_codes, narrative, subjects, tables, xmltree
from scrubjay.formats.clinical import Record
from scrubjay.formats.subjects import Person
from scrubjay.formats.work import Work
from scrubjay.formats.xmltree import Node
from scrubjay.types import Anonymized

LARGEST = 1 << 26
ENDS = frozenset({"low", "high", "center"})
OID = re.compile(r"[0-2](\.(0|[1-9][0-9]{0,5})){1,24}")
ANY_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*)){1,40}")
PUBLIC = (
    "2.16.840.1.113883.4.",
    "2.16.840.1.113883.5.",
    "2.16.840.1.113883.6.",
    "2.16.840.1.113883.3.3719",
)
NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]+")
STAMP = re.compile(
    r"[12][0-9]{3}([01][0-9]([0-3][0-9]([0-2][0-9]([0-9]{2}([0-9]{2}(\.[0-9]+)?)?)?)?)?)?([+-][0-9]{4})?"
)
SCHEME = re.compile(r"(tel|fax|mailto|http|https|sip):\s*", re.IGNORECASE)
SCHEMES = {"tel": "PHONE", "fax": "FAX", "mailto": "EMAIL", "sip": "PHONE"}
KINDS = {
    "application/pdf": ".pdf",
    "text/plain": ".txt",
    "text/html": ".html",
    "text/rtf": ".rtf",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/tiff": ".tif",
}


def table() -> dict[str, Any]:
    """ccda.toml."""
    return tables.read("ccda")


@cache
def words(kind: str) -> frozenset[str]:
    """Names of one kind: elements, attributes, times."""
    told: str = table()["known"][kind]
    return frozenset(told.split())


class Item(Struct):
    """A document with its texts."""

    root: Node
    record: Record


class Ccda:
    """One document."""

    name = "ccda.v1"
    suffixes: tuple[str, ...] = (".xml", ".ccda", ".cda")

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """In UTF-8."""
        data = work.whole(source, most=LARGEST)
        left_out: list[str] = []
        root = xmltree.parse(data, left_out)
        if root.name != "ClinicalDocument":
            raise InputError("no CDA: its root is no ClinicalDocument")
        if left_out:
            work.dropped("XML comment or instruction", len(left_out))
        item = Item(root, Record())
        _Elements(item.record, _person(root), work).ask(root, ())
        for done in clinical.through(work, [item], lambda item: item.record):
            target.write(b'<?xml version="1.0" encoding="UTF-8"?>\n')
            target.write(xmltree.write(done.root).encode("utf-8") + b"\n")


def _person(root: Node) -> Person:
    roles = list(root.find("recordTarget", "patientRole"))
    ids = [node.attributes for role in roles for node in role.children("id")]
    numbers = [(_id_label(i, "patientRole"), i.get("extension", "")) for i in ids]
    numbers += [("ID", i.get("extension") or i.get("root", "")) for i in ids]
    values = chain(chain.from_iterable(map(_values, roles)), _names(root))
    return Person(subjects.named(numbers), clinical.known(values))


def _id_label(attributes: dict[str, str], holder: str) -> str:
    label: str = table()["ids"].get(
        attributes.get("root", ""), table()["holders"].get(holder, "ID")
    )
    return label


def _values(role: Node) -> Iterator[tuple[str, str]]:
    for node in role.children("id"):
        yield _id_label(node.attributes, "patientRole"), node.attributes.get("extension", "")
    for node in role.children("telecom"):
        scheme, value = _scheme(node.attributes.get("value", ""))
        yield SCHEMES.get(scheme.partition(":")[0].lower(), "PHONE"), value
    for node in role.children("addr"):
        parts = {part.name: part.text().strip() for part in node.children()}
        place = f"{parts.get('state', '')} {parts.get('postalCode', '')}".strip()
        told = [parts.get("streetAddressLine", ""), parts.get("city", ""), place]
        yield "STREET_ADDRESS", ", ".join(filter(None, told)) if told[0] else ""
    for node in role.find("patient", "birthTime"):
        yield "BIRTH_DATE", clinical.spelled(node.attributes.get("value", ""))[:10]


def _names(root: Node) -> Iterator[tuple[str, str]]:
    """Of all persons of the document."""
    for node in root.every():
        if node.name == "name" and any(node.children("family", "given")):
            yield (
                "PERSON",
                " ".join(part.text().strip() for part in node.children("given", "family")),
            )
        elif table()["names"].get(node.name) == "PERSON":
            for name in node.children("name"):
                yield "PERSON", "" if any(name.children()) else name.text()


def _scheme(value: str) -> tuple[str, str]:
    found = SCHEME.match(value)
    return (found[0], value[found.end() :]) if found else ("", value)


class _Elements:
    """Asks for what is in the elements of one document."""

    def __init__(self, record: Record, person: Person, work: Work) -> None:
        self._record = record
        self._person = person
        self._work = work

    def ask(self, node: Node, above: tuple[Node, ...]) -> None:
        """An element with all below; `above` are those around it, the nearest last."""
        parent = above[-1] if above else node
        if node.name == "text" and parent.name == "section":
            narrative.ask(node, self._record, self._person, self._work.dropped, self._anchor)
            return
        for name in list(node.attributes):
            self._attribute(node, name, node.attributes[name], above)
        if node.attributes.get("representation") == "B64":
            self._file(node)
            return
        self._children(node)
        for inner in node.children():
            self.ask(inner, (*above, node))
        for index, text in enumerate(node.content):
            if isinstance(text, str) and text.strip():
                self._text(node, index, text, above)

    def _children(self, node: Node) -> None:
        kept = [c for c in node.content if isinstance(c, str) or c.name in words("elements")]
        if len(kept) < len(node.content):
            self._work.dropped("element of no known meaning", len(node.content) - len(kept))
            node.content = kept

    def _ask(self, text: str, put: Callable[[str], None], label: str = "", field: str = "") -> None:
        def told(result: Anonymized) -> None:
            if result.text != text:
                put(result.text)

        if label or field != "code":  # which may be a concept's
            label = clinical.label(text, label)
        person = self._person.of(text) if field in ("code", "anchor") else self._person
        self._record.ask(text, told, field=field, label=label, person=person)

    def _text(self, node: Node, index: int, text: str, above: tuple[Node, ...]) -> None:
        core = text.strip()
        if clinical.opaque(core):
            node.content[index] = ""
            self._work.dropped("encoded value")
            return

        def put(new: str) -> None:
            node.content[index] = text.replace(core, new)

        self._ask(core, put, self._label(node, core, above), node.name)

    def _label(self, node: Node, text: str, above: tuple[Node, ...]) -> str:
        if node.name == "name":
            around = above[-1].name if above else ""
            label: str = table()["names"].get(around, "")
            return label
        if node.name == "postalCode" and re.fullmatch(r"\d{5}(-?\d{4})?", text):
            return "ZIP"
        found: str = table()["texts"].get(node.name, "")
        return found

    def _attribute(self, node: Node, name: str, value: str, above: tuple[Node, ...]) -> None:
        if name == "xmlns" or name.startswith("xmlns:"):
            if value not in narrative.XMLNS:
                node.attributes[name] = f"urn:uuid:{clinical.code(value, self._work.key)}"
            return
        if name not in words("attributes"):
            del node.attributes[name]
            self._work.dropped("attribute of no known meaning")
            return
        if not value.strip():
            return
        treat = _ATTRIBUTES.get(name, _Elements._plain)
        treat(self, node, name, value, above)

    def _plain(self, node: Node, name: str, value: str, above: tuple[Node, ...]) -> None:
        """A word of the standard: it stays or goes."""
        if fhir_codes.is_short(value) or fhir_codes.is_word(value) or value in ("true", "false"):
            return
        label = fhir_codes.suspect(value)
        self._ask(value, lambda new: self._mask(node, name), label, "code")

    def _words(self, node: Node, name: str, value: str, above: tuple[Node, ...]) -> None:
        label = table()["codes"].get(node.name, "")
        if name == "codeSystemName" and fhir_codes.is_word(value):
            return
        self._ask(value, lambda new: _set(node, name, new), label, "code")

    def _code(self, node: Node, name: str, value: str, above: tuple[Node, ...]) -> None:
        label = table()["codes"].get(node.name, "")
        system = table()["systems"].get(node.attributes.get("codeSystem", ""), "")
        shows = self._person.shows(value)
        if not label and not shows and fhir_codes.passes(system, value):
            return
        label = label or fhir_codes.suspect(value)
        asked = value if shows else fhir_codes.question(value, label)
        self._ask(asked, lambda new: self._mask(node, name), label, "code")

    def _unit(self, node: Node, name: str, value: str, above: tuple[Node, ...]) -> None:
        if fhir_codes.is_code("http://unitsofmeasure.org", value) and not self._person.shows(value):
            return
        self._ask(value, lambda new: self._mask(node, name))

    def _mask(self, node: Node, name: str) -> None:
        node.attributes.pop(name, None)
        node.attributes["nullFlavor"] = "MSK"

    def _root(self, node: Node, name: str, value: str, above: tuple[Node, ...]) -> None:
        """A namespace, or, without an extension, the id itself."""
        fixed = node.name in ("templateId", "typeId") and OID.fullmatch(value)
        extended = node.attributes.get("extension") and value.startswith(PUBLIC)
        if fixed or (extended and OID.fullmatch(value)):
            return
        self._renamed(value, lambda new: _set(node, name, new))

    def _system(self, node: Node, name: str, value: str, above: tuple[Node, ...]) -> None:
        if not OID.fullmatch(value):
            self._renamed(value, lambda new: _set(node, name, new))

    def _renamed(self, value: str, put: Callable[[str], None]) -> None:
        """A UUID for a UUID, an OID of the arc for UUIDs for any other."""

        def told(result: Anonymized) -> None:
            if result.text != value:
                new = clinical.code(value, self._work.key)
                put(f"2.25.{int(new.replace('-', ''), 16)}" if ANY_OID.fullmatch(value) else new)

        self._record.ask(value, told, field="id", label="ID")

    def _extension(self, node: Node, name: str, value: str, above: tuple[Node, ...]) -> None:
        if node.name in ("templateId", "typeId"):
            if not re.fullmatch(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]|POCD_HD000040", value):
                del node.attributes[name]
            return
        holder = above[-1].name if above else ""
        label = _id_label(node.attributes, holder)
        self._ask(value, lambda new: _set(node, name, new), label, "id")

    def _anchor(self, value: str, put: Callable[[str], None]) -> None:
        """Names of places in the narrative, that entries refer to."""
        self._ask(
            value, lambda new: put(f"id{clinical.code(value, self._work.key)}"), field="anchor"
        )

    def _named(self, node: Node, name: str, value: str, above: tuple[Node, ...]) -> None:
        self._anchor(value.removeprefix("#"), lambda new: _set(node, name, new))

    def _value(self, node: Node, name: str, value: str, above: tuple[Node, ...]) -> None:
        if node.name == "telecom":
            self._telecom(node, value)
        elif node.name in ("reference", "thumbnail"):
            self._reference(node, value)
        elif STAMP.fullmatch(value) and self._is_time(node, value, above):
            self._time(node, name, value)
        elif _must_be_time(node, above):
            self._mask(node, name)
            self._work.dropped("time that is none")
        elif NUMBER.fullmatch(value):
            self._number(node, value)
        elif value not in ("true", "false"):
            self._ask(value, lambda new: self._mask(node, name))

    def _is_time(self, node: Node, value: str, above: tuple[Node, ...]) -> bool:
        if "unit" in node.attributes or node.name not in words("times") | {"value"}:
            return False
        around = {above[-1].name, node.name} if above else {node.name}
        kind = node.attributes.get("xsi:type", "") + (
            above[-1].attributes.get("xsi:type", "") if above else ""
        )
        return "TS" in kind or len(value) >= 8 or bool(around & words("times") - {"low", "high"})

    def _time(self, node: Node, name: str, value: str) -> None:
        label = {"birthTime": "BIRTH_DATE", "deceasedTime": "DEATH_DATE"}.get(node.name, "DATE")
        question = clinical.spelled(value)
        label = label if question else clinical.label(value, "") or label

        def told(result: Anonymized) -> None:
            if result.text == question:
                return
            new = clinical.compact(result.text, value) if question else ""
            if new:
                _set(node, name, new)
            else:
                self._mask(node, name)

        self._record.ask(
            question or value, told, field="date", label=label, person=self._person.undated
        )

    def _number(self, node: Node, value: str) -> None:
        age = node.attributes.get("unit") in ("a", "years", "year", "yr")
        whole, point, _ = value.partition(".")
        if not age and sum(map(str.isdigit, whole if point else value)) < 5:
            return
        self._ask(value, lambda new: self._mask(node, "value"), "AGE" if age else "")

    def _telecom(self, node: Node, value: str) -> None:
        scheme, rest = _scheme(value)
        label = SCHEMES.get(scheme.partition(":")[0].lower(), "URL" if scheme else "PHONE")
        self._ask(rest, lambda new: _set(node, "value", scheme + new), label, "telecom")

    def _reference(self, node: Node, value: str) -> None:
        if value.startswith("#"):
            self._anchor(value[1:], lambda new: _set(node, "value", f"#{new}"))
        else:
            self._ask(value, lambda new: self._mask(node, "value"), "URL")

    def _file(self, node: Node) -> None:
        """In base64: cleaned by whatever reads it, else dropped."""
        suffix = KINDS.get(node.attributes.get("mediaType", "").lower(), "")
        new = clinical.opened(node.text(), suffix, self._person, self._work)
        node.content = [new] if new else []
        for name in ("integrityCheck", "integrityCheckAlgorithm", "compression"):
            node.attributes.pop(name, None)
        if not new:
            node.attributes["nullFlavor"] = "MSK"
            self._work.dropped("attached file")


def _must_be_time(node: Node, above: tuple[Node, ...]) -> bool:
    """A time alone, or an end of an interval of times: low and high of a quantity have a unit."""
    whole = words("times") - ENDS
    around = above[-1].name if above and node.name in ENDS else node.name
    return "unit" not in node.attributes and around in whole


def _set(node: Node, name: str, value: str) -> None:
    node.attributes[name] = value


_ATTRIBUTES: dict[str, Callable[[_Elements, Node, str, str, tuple[Node, ...]], None]] = {
    "root": _Elements._root,
    "extension": _Elements._extension,
    "codeSystem": _Elements._system,
    "valueSet": _Elements._system,
    "sdtc:valueSet": _Elements._system,
    "code": _Elements._code,
    "unit": _Elements._unit,
    "displayName": _Elements._words,
    "codeSystemName": _Elements._words,
    "codeSystemVersion": _Elements._words,
    "assigningAuthorityName": _Elements._words,
    "value": _Elements._value,
    "ID": _Elements._named,
    "IDREF": _Elements._named,
    "referencedObject": _Elements._named,
    "validTimeLow": _Elements._value,
    "validTimeHigh": _Elements._value,
}


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`ccda.v1`. XML says its own encoding."""
    return Ccda()
