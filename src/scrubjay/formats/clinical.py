"""What the clinical formats share: records with texts to clean, whose they are, and values that
must stay what they are: a date a date, an id an id.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from scrubjay.errors import InputError
from scrubjay.formats.subjects import NOBODY, Person
from scrubjay.formats.work import Work
from scrubjay.keys import Key
from scrubjay.types import Anonymized, Document

REMEMBERED = 1 << 16
INJECTIVE = ("hash.v1", "surrogate.v1", "code.v1", "token.v1", "fpe.v1")
_RUN = Key.random()  # codes in place of ids that a policy takes out: good for this run only
_DAY = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:T([\d:.]+)(Z|[+-]\d\d:?\d\d)?)?")
_COMPACT = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)(\d\d(?:\d\d(?:\d\d(?:\.\d{1,6})?)?)?)?)?)?([+-]\d{4})?"
)

Told = Callable[[Anonymized], None]


class Record:
    """The texts of one record: each different one is asked about once, and all its places told."""

    def __init__(self, id: str = "", plain: set[tuple[str, ...]] | None = None) -> None:
        self.id = id
        self._plain = set() if plain is None else plain  # texts of nobody that stay, of all records
        self.documents: list[Document] = []
        self.operators: set[str] = set()
        self.answered = 0
        self._told: list[list[Told]] = []
        self._asked: dict[tuple[str, ...], int] = {}

    def ask(
        self, text: str, told: Told, *, field: str = "", label: str = "", person: Person = NOBODY
    ) -> None:
        """`told` will hear what became of the text. An empty one has nothing to become."""
        if not text or text.isspace():
            return
        whose = (person.group or self.id, str(id(person.known)) if person.known else "")
        key: tuple[str, ...] = (text, field, label, *whose)
        if person is NOBODY:
            key = (text, field, label)
            if key in self._plain:
                return
        if key in self._asked:
            self._told[self._asked[key]].append(told)
            return
        self._asked[key] = len(self.documents)
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
        alone = not (asked.group or asked.known or asked.label)
        if alone and result.text == asked.text and len(self._plain) < REMEMBERED:
            self._plain.add((asked.text, asked.field, asked.label))
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


def new_id(old: str, result: Anonymized, fits: Callable[[str], bool]) -> str:
    """What stands in the place of an id, everywhere: the operator's answer, where it is one for
    each id and fits; else a random code of this run. It tells nothing of the id."""
    if result.text == old:
        return old
    used = {done.operator for done in result.report.replacements}
    if used <= set(INJECTIVE) and fits(result.text):
        return result.text
    return code(old)


def code(value: str) -> str:
    """A UUID for a value, the same throughout a run."""
    return str(uuid.UUID(bytes=_RUN.derive("clinical.v1", value)[:16], version=4))


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
    sink = io.BytesIO()
    try:
        work.of(person).file(f"file{suffix}", io.BytesIO(data), sink)
    except InputError:
        return ""
    return base64.b64encode(sink.getvalue()).decode("ascii")


def known(values: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Labels with values as `Document.known` has them; values too short to tell are left out."""
    told: dict[str, dict[str, None]] = {}
    for label, value in values:
        value = " ".join(value.split())
        if len(value) > 1 and any(map(str.isalnum, value)):
            told.setdefault(label, {})[value] = None
    return {label: tuple(found) for label, found in told.items()}


def read_all(source: Any, work: Work, what: str, most: int = 1 << 28) -> bytes:
    """All of a source, if it is no longer than one text may be."""
    most = min(most, work.limits.text)
    data: bytes = source.read(most + 1)
    if len(data) > most:
        raise InputError(f"more than {most >> 20} MiB in one {what}: split it")
    return data
