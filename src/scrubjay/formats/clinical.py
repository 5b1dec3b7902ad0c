"""What the clinical formats share: records with texts to clean, whose they are, and values that
must stay what they are: a date a date, an id an id.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any, TypeVar

from scrubjay.errors import InputError
from scrubjay.formats.subjects import NOBODY, Person
from scrubjay.formats.work import Work
from scrubjay.keys import Key
from scrubjay.types import Anonymized, Document

REMEMBERED = 1 << 16  # texts in which nothing was found
PEOPLE = 1 << 12  # about whom they were
INJECTIVE = ("hash.v1", "surrogate.v1", "code.v1", "token.v1", "fpe.v1")
NUMBER = re.compile(r"[0-9]{7,}|[0-9]{5}-[0-9]{4}")  # as long as people's are
WORDS = frozenset(  # labels of what is told in words
    ("", "CITY", "COUNTRY", "ETHNICITY", "GENDER", "MARITAL_STATUS", "NATIONALITY",
     "PROFESSION", "RELIGION", "STATE", "TIME", "TITLE")
)  # fmt: skip
_DAY = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:T([\d:.]+)(Z|[+-]\d\d:?\d\d)?)?")
_COMPACT = re.compile(
    r"((?:1[5-9]|20|99)\d\d)(?:(0[1-9]|1[0-2])(?:(0[1-9]|[12]\d|3[01])"
    r"((?:[01]\d|2[0-4])(?:[0-5]\d(?:[0-6]\d(?:\.\d{1,6})?)?)?)?)?)?([+-]\d{4})?"
)

Told = Callable[[Anonymized], None]


class Plain:
    """Texts in which nothing was found, of all records of a file: whose they are does not matter to
    them, only what was known when they were looked at."""

    def __init__(self) -> None:
        self._texts: set[tuple[str, str, int]] = set()
        self._people: dict[Any, int] = {NOBODY.content: 0}
        self._latest = NOBODY, 0
        self._numbers = count(1)  # none is given twice: answers may be late

    def about(self, person: Person) -> int:
        """A number for what is known, the same for the same."""
        if person is self._latest[0]:
            return self._latest[1]
        if len(self._people) > PEOPLE:
            self._people = {NOBODY.content: 0}
        if person.content not in self._people:
            self._people[person.content] = next(self._numbers)
        self._latest = person, self._people[person.content]
        return self._latest[1]

    def __contains__(self, text: tuple[str, str, int]) -> bool:
        return text in self._texts

    def add(self, text: tuple[str, str, int]) -> None:
        """One more: the text, its field, what it is about."""
        if len(self._texts) < REMEMBERED:
            self._texts.add(text)


class Record:
    """The texts of one record: each different one is asked about once, and all its places told."""

    def __init__(self, id: str = "", plain: Plain | None = None) -> None:
        self.id = id
        self._plain = plain or Plain()
        self._about: list[int] = []
        self.documents: list[Document] = []
        self.operators: set[str] = set()
        self.answered = 0
        self._told: list[list[Told]] = []
        self._asked: dict[tuple[str, str, str, str, int], int] = {}

    def ask(
        self, text: str, told: Told, *, field: str = "", label: str = "", person: Person = NOBODY
    ) -> None:
        """`told` will hear what became of the text. An empty one has nothing to become."""
        if not text or text.isspace():
            return
        about = self._plain.about(person)
        field = "" if label else field  # of which detectors would guess less than the label says
        if not label and (text, field, about) in self._plain:
            return
        key = (text, field, label, person.group, about)
        if key in self._asked:
            self._told[self._asked[key]].append(told)
            return
        self._asked[key] = len(self.documents)
        self._about.append(about)
        self._told.append([told])
        self.documents.append(
            Document(
                text, id=self.id, group=person.group, field=field, label=label, known=person.known
            )
        )

    def hear(self, result: Anonymized) -> None:
        """The next answer, in order."""
        done = result.report.replacements
        self.operators.update(each.operator for each in done if each.operator != "keep.v1")
        for told in self._told[self.answered]:
            told(result)
        asked = self.documents[self.answered]
        if not asked.label and result.text == asked.text and not done:
            self._plain.add((asked.text, asked.field, self._about[self.answered]))
        self.answered += 1


R = TypeVar("R")


def through(work: Work, items: Iterable[R], record: Callable[[R], Record]) -> Iterator[R]:
    """The items in order, each when all texts of its record are clean. Records share batches."""
    waiting: deque[tuple[R, Record]] = deque()

    def documents() -> Iterator[Document]:
        for item in items:
            own = record(item)
            waiting.append((item, own))
            yield from own.documents

    for result in work.clean(documents()):
        while waiting[0][1].answered == len(waiting[0][1].documents):
            yield waiting.popleft()[0]
        waiting[0][1].hear(result)
    while waiting:
        yield waiting.popleft()[0]


def label(text: str, label: str) -> str:
    """What a value is: a number that may be somebody's is none of the words that belong there."""
    return "ID" if label in WORDS and NUMBER.fullmatch(text.strip()) else label


def new_id(old: str, result: Anonymized, fits: Callable[[str], bool], key: Key) -> str:
    """What stands in the place of an id, everywhere: the operator's answer, where it is one for
    each id and fits; else a code. It tells nothing of the id."""
    if result.text == old:
        return old
    used = {done.operator for done in result.report.replacements}
    if used <= set(INJECTIVE) and fits(result.text):
        return result.text
    return code(old, key)


def code(value: str, key: Key) -> str:
    """A UUID for a value, the same in all files of a run."""
    return str(uuid.UUID(bytes=key.derive("clinical.v1", value)[:16], version=4))


def as_uuid(value: str) -> str:
    """The value if it is a UUID, else one that follows from it."""
    try:
        if str(uuid.UUID(value)) == value.lower():
            return value
    except ValueError:
        pass
    return str(uuid.uuid5(uuid.NAMESPACE_OID, value))


def spelled(value: str) -> str:
    """20240229133000.5+0100 as operators read it, 2024-02-29T13:30:00.5+01:00; empty: no date."""
    found = _COMPACT.fullmatch(value)
    if not found:
        return ""
    year, month, day, time, zone = found.groups()
    told = "-".join(filter(None, (year, month, day)))
    if time:
        clock, point, rest = time.partition(".")
        parts = [clock[i : i + 2] for i in range(0, len(clock), 2)]
        told += "T" + ":".join([*parts, *["00"] * (2 - len(parts))]) + point + rest
    return told + (f"{zone[:3]}:{zone[3:]}" if zone and time else "")


def compact(value: str, like: str) -> str:
    """The way back, no finer than `like` was; empty if the answer is no date any more."""
    found = _DAY.fullmatch(value)
    if not found:
        return ""
    year, month, day, time, zone = found.groups()
    told = year + (month or "") + (day or "")
    if time and day:
        whole = re.sub(r"[+-]\d{4}$", "", like)
        told = (told + time.replace(":", ""))[: len(whole)]
        told += zone.replace(":", "") if zone and zone != "Z" else ""
    return told


def opaque(text: str) -> bool:
    """Whether a text is another one in disguise: base64 that reads as text or as a file."""
    if len(text) < 24 or not re.fullmatch(r"[A-Za-z0-9+/\s]+={0,2}\s*", text):
        return False
    core = "".join(text.split())
    if " " in text.strip() or not (re.search("[a-z]", core) and re.search("[A-Z]", core)):
        return False
    try:
        data = base64.b64decode(core + "=" * (-len(core) % 4))
    except binascii.Error:
        return False
    plain = sum(32 <= byte < 127 or byte in b"\r\n\t" for byte in data)
    return (
        len(text) > 512 or plain > 0.9 * len(data) or data.startswith((b"%PDF", b"PK", b"\x89PNG"))
    )


def opened(value: str, suffix: str, person: Person, work: Work) -> str:
    """A file in base64, cleaned; empty if nothing reads it."""
    try:
        data = base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return ""
    try:
        clean = work.of(person).cleaned(f"file{suffix}", data)
    except InputError:
        return ""
    return base64.b64encode(clean).decode("ascii")


def known(values: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Labels with values as `Document.known` has them; values too short to tell are left out."""
    told: dict[str, dict[str, None]] = {}
    for label, value in values:
        value = " ".join(value.split())
        if len(value) > 1 and any(map(str.isalnum, value)):
            told.setdefault(label, {})[value] = None
    return {label: tuple(found) for label, found in told.items()}
