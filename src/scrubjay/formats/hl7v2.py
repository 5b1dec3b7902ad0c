"""HL7 v2.1 to 2.8, in files, batches and MLLP frames: `hl7v2.v1` cleans every value by what its
field is, by hl7v2.toml. A segment that is not in that table is left out: nobody knows what it says.

A message is its patient's: PID-3 is the group, and PID, NK1, GT1, IN1 tell what is looked for in
all texts of the message. Lines of a report, OBX and NTE after each other, are one text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import chain, groupby
from typing import Any, BinaryIO

from msgspec import Struct

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats import clinical, fhir_codes, subjects, tables
from scrubjay.formats.clinical import Plain, Record
from scrubjay.formats.hl7v2_wire import HEADERS, NULL, Leaf, Segment, leaves, read, segments, write
from scrubjay.formats.pieces import Pieces
from scrubjay.formats.subjects import Person
from scrubjay.formats.work import Work
from scrubjay.types import Anonymized

MOST = 100_000  # segments of a message
EVENT = re.compile(r"[A-Z][0-9A-Z][0-9]|[A-Z]{3}_[A-Z0-9]{3}|2\.[0-9](\.[0-9])?")
NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]+")
LINES = ("OBX", "NTE", "DSP")  # segments that hold a text, a line each
WIDE_LINE = re.compile(r"\s*[A-Za-z0-9+/]{20,}={0,2}\s*")
EMPTY = [[[""]]]
NAMES = {"XPN": "PERSON", "XCN": "STAFF", "NDL": "STAFF"}  # what values of a type tell of people
WIDE = ("CWE", "FN", "SAD", "EIP")  # types whose label counts for more than their first component
SYSTEMS = {
    "LN": "http://loinc.org", "SCT": "http://snomed.info/sct", "UCUM": "http://unitsofmeasure.org",
    "I10": "http://hl7.org/fhir/sid/icd-10-cm", "I10C": "http://hl7.org/fhir/sid/icd-10-cm",
    "I9": "http://hl7.org/fhir/sid/icd-9-cm", "I9C": "http://hl7.org/fhir/sid/icd-9-cm",
    "CVX": "http://hl7.org/fhir/sid/cvx", "C4": "http://www.ama-assn.org/go/cpt",
    "NDC": "http://hl7.org/fhir/sid/ndc", "RXNORM": "http://www.nlm.nih.gov/research/umls/rxnorm",
}  # fmt: skip
CODED = re.compile(
    r"(99[A-Z0-9]*|HL7\w*|L|LN|SCT|UCUM|ISO\w*|I[0-9]+\w*|C[0-9]|CVX|NDC|[A-Z0-9]{3,8})?"
)
YEARS = ("a", "yr", "yrs", "year", "years")
AGES = ("30525-0", "21612-7", "29553-5", "35659-2")  # LOINC: age
SUFFIXES = {"PDF": ".pdf", "RTF": ".rtf", "HTML": ".html", "XML": ".xml", "TEXT": ".txt", "": ""}


def table() -> dict[str, Any]:
    """hl7v2.toml."""
    return tables.read("hl7v2")


@cache
def rule(spec: str, component: int, part: int) -> tuple[str, str]:
    """How a value of a field of that type is treated, and its label."""
    types = table()["types"]
    name, _, label = spec.partition(":")
    if name not in types:
        return (name, label) if component == part == 0 else _extra(name, label)
    inner, _, own = types[name][min(component, len(types[name]) - 1)].partition(":")
    if ":" in spec and _reaches(name, component):
        own = label
    if inner not in types:
        return inner, own
    return rule(f"{inner}:{own}" if own else inner, part, 0)


def _extra(name: str, label: str) -> tuple[str, str]:
    """What stands where a plain type has no components: a time's precision, or text."""
    if name == "?":
        return name, label
    if name == "drop":
        return "drop", ""
    return ("code", "") if name in ("ts", "tm") else ("text", label)


def _reaches(name: str, component: int) -> bool:
    return component in (0, 1, 3, 4, 8) if name == "CWE" else component == 0 or name in WIDE


class Message(Struct):
    """A message's segments, or one of a batch's headers and trailers."""

    segments: list[Segment]
    encoding: str
    record: Record


class Hl7v2:
    """Messages one after the other, framed or not."""

    name = "hl7v2.v1"
    suffixes: tuple[str, ...] = (".hl7",)

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """With the same delimiters, ends of lines and frames."""
        for message in clinical.through(work, self._messages(source, work), lambda m: m.record):
            for segment in message.segments:
                target.write(segment.write(message.encoding) if segment.name else _frame(segment))

    def _messages(self, source: BinaryIO, work: Work) -> Iterator[Message]:
        waiting: list[Segment] = []
        plain = Plain()
        encoding = self._encoding
        number = 0
        for segment, told in segments(source, self._encoding):
            if segment.name in (*HEADERS, "BTS", "FTS") and waiting:
                number += 1
                yield _message(waiting, encoding, Record(f"message {number}", plain), work)
                waiting = []
            encoding = told
            waiting.append(segment)
            if len(waiting) > MOST:
                raise InputError(f"segment {segment.number}: more than {MOST:,} in one message")
        if not any(segment.name for segment in waiting) and not number:
            raise InputError("no HL7 v2: it has no MSH segment")
        if waiting:
            record = Record(f"message {number + 1}", plain)
            yield _message(waiting, encoding, record, work)


def _frame(segment: Segment) -> bytes:
    return segment.before + segment.after


def _message(every: list[Segment], encoding: str, record: Record, work: Work) -> Message:
    kept = []
    for segment in every:
        if segment.name and segment.name not in table()["segments"]:
            work.dropped("Z-segment" if segment.name[0] == "Z" else "segment of no known meaning")
            if segment.before.strip() or segment.after.strip():
                kept.append(Segment("", [], segment.marks, segment.before, segment.after))
        else:
            kept.append(segment)
    _Fields(record, _person(kept), work).ask(kept)
    return Message(kept, encoding, record)


def _person(every: list[Segment]) -> Person:
    group = subjects.named(chain.from_iterable(map(_numbers, every)))
    return Person(group, clinical.known(chain.from_iterable(map(_values, every))))


def _numbers(segment: Segment) -> Iterator[tuple[str, str]]:
    """Of PID-3 the one of type MR first, then the others; then PID-2 and PID-4; then any of all."""
    if segment.name != "PID":
        return
    count = len(segment.fields[3]) if len(segment.fields) > 3 else 0
    cells = [(segment.cell(3, 5, n), segment.cell(3, 1, n)) for n in range(1, count + 1)]
    labels = tables.read("fhir")["identifiers"]
    for kind, value in sorted(cells, key=lambda cell: cell[0] != "MR"):
        yield labels.get(kind, "MRN"), value
    yield from (("MRN", segment.cell(field)) for field in (2, 4))
    yield from (("ID", value) for _, value in cells)


def _values(segment: Segment) -> Iterator[tuple[str, str]]:
    """What is known of people: all names, whatever field they stand in, and what the table says."""
    own = table()["known"].get(segment.name, {})
    specs = table()["segments"].get(segment.name, {})
    for number, field in enumerate(segment.fields):
        spec = specs.get(str(number), "")
        label = own.get(str(number)) or NAMES.get(spec)
        if label and field != EMPTY:
            for repetition in field:
                parts = repetition[0] if spec == "NDL" else [part[0] for part in repetition]
                told = ["" if part == NULL else read(part, segment.marks)[0] for part in parts]
                yield from _known(label, [*told, *[""] * 7])


def _known(label: str, parts: list[str]) -> Iterator[tuple[str, str]]:
    if label == "PERSON":
        yield label, f"{parts[1]} {parts[2]} {parts[0]}"
    elif label == "STAFF":
        yield "PERSON", f"{parts[2]} {parts[1]}"
    elif label == "STREET_ADDRESS":
        whole = ", ".join(filter(None, (parts[0], parts[2], f"{parts[3]} {parts[4]}".strip())))
        yield label, whole if parts[0] else ""
    elif label.endswith("DATE"):
        yield label, clinical.spelled(parts[0])[:10]
    elif label == "PHONE":
        yield label, parts[0] or f"{parts[5]} {parts[6]}"
        yield "EMAIL", parts[3] if "@" in parts[3] else ""
    else:
        yield label, parts[0]


class _Fields:
    """Asks for the values of one message."""

    def __init__(self, record: Record, person: Person, work: Work) -> None:
        self._record = record
        self._person = person
        self._work = work
        self._notes: list[tuple[Leaf, Segment]] = []

    def ask(self, every: list[Segment]) -> None:
        last = ""
        for segment in every:
            if segment.name != last or segment.name not in LINES:
                self._note()
            last = segment.name
            self._segment(segment)
        self._note()

    def _segment(self, segment: Segment) -> None:
        rows = table()["segments"].get(segment.name, {})
        for number in range(1, len(segment.fields)):
            if segment.name in HEADERS and number < 3:
                continue
            field = segment.fields[number]
            if field == EMPTY:
                continue
            spec = rows.get(str(number), "?")
            if spec == "value":
                spec = table()["values"].get(segment.cell(2), "drop" if segment.cell(2) else "?")
            if spec == "file":
                self._file(segment, field)
                continue
            if spec == "nm" and segment.name == "OBX" and _is_age(segment):
                spec = "nm:AGE"
            for repetition in field:
                for leaf in leaves(repetition):
                    self._leaf(segment, leaf, _guess(spec, repetition))

    def _leaf(self, segment: Segment, leaf: Leaf, spec: str) -> None:
        how, label = rule(spec, leaf.component, leaf.index)
        if "note" in (spec, how):
            self._notes.append((leaf, segment))
            return
        if how == "code" and not label and self._is_code(segment, leaf):
            return
        text, plain = read(leaf.raw, segment.marks)
        if how == "?" or (how == "text" and not label):
            how = "ts" if _is_time(text) else "text"
        if spec.startswith("CX") and leaf.component == leaf.index == 0:
            label = _kind(leaf.repetition, label)
        getattr(self, f"_{how}")(_Asked(leaf, segment, text, plain), label)

    def _ask(self, asked: _Asked, label: str, typed: bool = False) -> None:
        """A `typed` value that does not stay what it is goes."""
        question = asked.text
        person = self._person.of(question) if typed and not label else self._person

        def told(result: Anonymized) -> None:
            if result.text == question:
                asked.kept()
            else:
                asked.put("" if typed else result.text)

        self._record.ask(
            question, told, field=_context(asked.segment, typed), label=label, person=person
        )

    def _text(self, asked: _Asked, label: str) -> None:
        if not label and clinical.opaque(asked.text):
            asked.put("")
            self._work.dropped("encoded value")
            return
        self._ask(asked, clinical.label(asked.text, label))

    def _zip(self, asked: _Asked, label: str) -> None:
        us = re.fullmatch(r"\d{5}(-?\d{4})?", asked.text)
        self._ask(asked, "ZIP" if us else "POSTAL_CODE")

    def _is_code(self, segment: Segment, leaf: Leaf) -> bool:
        """Whether it is a code of its public system, a word of a table, or too short to tell."""
        raw = leaf.raw
        system = SYSTEMS.get(leaf.repetition[2][0], "") if len(leaf.repetition) > 2 else ""
        public = fhir_codes.passes(system, raw)
        if not public and not (segment.name == "MSH" and EVENT.fullmatch(raw)):
            return False
        escaped = segment.marks.escape and segment.marks.escape in raw
        return not escaped and not self._person.shows(raw)

    def _code(self, asked: _Asked, label: str) -> None:
        """What is no code for sure is asked about: it stays or goes."""
        text = asked.text
        shows = self._person.shows(text)
        label = clinical.label(text, label) if label else fhir_codes.suspect(text)
        question = text if shows else fhir_codes.question(text, label)

        def told(result: Anonymized) -> None:
            if result.text == question:
                asked.kept()
            else:
                asked.put("")

        self._record.ask(question, told, label=label, person=self._person.of(text))

    def _nm(self, asked: _Asked, label: str) -> None:
        number = NUMBER.fullmatch(asked.text)
        whole, point, _ = asked.text.partition(".")
        digits = sum(map(str.isdigit, whole if point else asked.text))
        if number and not label and digits < 5:
            return
        if not label and (digits > 8 or not number):  # counts of cells have eight
            label = clinical.label(asked.text, label)
        self._ask(asked, label, typed=bool(number))

    def _ts(self, asked: _Asked, label: str) -> None:
        question = clinical.spelled(asked.text)
        if not question:
            self._ask(asked, clinical.label(asked.text, "") or label or "DATE", typed=True)
            return

        def told(result: Anonymized) -> None:
            if result.text == question:
                asked.kept()
            else:
                asked.put(clinical.compact(result.text, asked.text))

        self._record.ask(
            question, told, field="date", label=label or "DATE", person=self._person.undated
        )

    def _tm(self, asked: _Asked, label: str) -> None:
        self._ask(asked, clinical.label(asked.text, label or "TIME"), typed=True)

    def _id(self, asked: _Asked, label: str) -> None:
        """Numbers of messages: acknowledgements name them, so each gets one of its own."""
        fits = re.compile(r"[A-Za-z0-9._-]{1,20}").fullmatch

        def told(result: Anonymized) -> None:
            new = clinical.new_id(asked.text, result, lambda text: bool(fits(text)), self._work.key)
            asked.put(new if fits(new) or new == asked.text else new.replace("-", "")[:20])

        self._record.ask(asked.text, told, field="id", label="ID")

    def _drop(self, asked: _Asked, label: str) -> None:
        asked.put("")
        self._work.dropped(f"{asked.segment.name} value of no use or of no known type")

    def _file(self, segment: Segment, field: list[list[list[str]]]) -> None:
        """ED: source, type, subtype, encoding, data (2.A.24)."""
        for repetition in field:
            told = [parts[0] for parts in repetition] + [""] * 5
            for leaf in leaves(repetition):
                if leaf.component < 4:
                    self._leaf(segment, leaf, "code")
            new = ""
            if told[3].upper() == "BASE64":
                name = SUFFIXES.get(told[2].upper(), f".{told[2].lower()}")
                new = clinical.opened(told[4], name, self._person, self._work)
            elif told[3].upper() in ("A", ""):
                texts = (leaf for leaf in leaves(repetition) if leaf.component >= 4)
                self._notes += [(leaf, segment) for leaf in texts]
                continue
            if told[4] and not new:
                self._work.dropped("attached file")
            repetition[4:] = [[new]] if len(repetition) > 4 else []

    def _note(self) -> None:
        """Lines of a report as one text, but for those that are something else in base64."""
        asked = [_Asked(leaf, s, *read(leaf.raw, s.marks)) for leaf, s in self._notes]
        self._notes = []
        for run in _encoded(asked):
            for each in run:
                each.put("")
            asked = [each for each in asked if each not in run]
            self._work.dropped("encoded value")
        if not asked:
            return
        pieces = Pieces([each.text for each in asked], ["\n"] * len(asked))

        def told(result: Anonymized) -> None:
            for each, new in zip(asked, pieces.changed(result), strict=True):
                if new == each.text:
                    each.kept()
                else:
                    each.put(new)

        self._record.ask(
            pieces.text, told, field=_context(asked[0].segment),
            label=clinical.label(pieces.text, ""), person=self._person,
        )  # fmt: skip


class _Asked(Struct):
    """A value and its place."""

    leaf: Leaf
    segment: Segment
    text: str
    plain: bool

    def put(self, new: str) -> None:
        self.leaf.cells[self.leaf.index] = write(new, self.segment.marks)

    def kept(self) -> None:
        """As it was, but for escapes that hide something."""
        if not self.plain:
            self.put(self.text)


def _encoded(asked: list[_Asked]) -> Iterator[list[_Asked]]:
    """Runs of lines that are, put together, what nobody can read."""
    for wide, run in groupby(asked, lambda each: bool(WIDE_LINE.fullmatch(each.text))):
        lines = list(run)
        if wide and clinical.opaque("".join(each.text.strip() for each in lines)):
            yield lines


def _context(segment: Segment, typed: bool = False) -> str:
    """The name that a value stands under."""
    if typed:
        return ""
    return segment.cell(3, 2) or segment.cell(3) if segment.name == "OBX" else ""


def _is_age(segment: Segment) -> bool:
    return segment.cell(3) in AGES or segment.cell(6).casefold() in YEARS


def _is_time(text: str) -> bool:
    return bool(
        re.fullmatch(r"(19|20)\d\d(0[1-9]|1[0-2])([0-3]\d)(\d{2,6}(\.\d+)?)?([+-]\d{4})?", text)
    )


def _kind(repetition: list[list[str]], label: str) -> str:
    """CX.5 says whose number it is, table 0203."""
    code = repetition[4][0] if len(repetition) > 4 else ""
    found: str = tables.read("fhir")["identifiers"].get(code, label)
    return found


def _guess(spec: str, repetition: list[list[str]]) -> str:
    """A field that the table does not have: persons look like id, family and given name."""
    if spec != "?":
        return spec
    told = [parts[0] for parts in repetition] + [""] * 3
    named = re.fullmatch(r"[^\W\d_][\w' -]*", told[1]) and re.fullmatch(
        r"[^\W\d_][\w'. -]*", told[2]
    )
    return "XCN" if named and not (told[2].isupper() and CODED.fullmatch(told[2])) else "?"


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`hl7v2.v1`."""
    return Hl7v2(encoding)
