"""Heads of mails: names and addresses, subjects, days. What leads a mail through the world, and
what only programs read, stays out; what names a mail gets another name, the same each time.
"""

from __future__ import annotations

import base64
import binascii
import email.errors
import email.header
import email.message
import email.utils
import re
from collections.abc import Iterator
from functools import partial

from scrubjay.formats import fields, slots
from scrubjay.formats.slots import Part
from scrubjay.formats.work import Work
from scrubjay.types import Document

PEOPLE = frozenset(["from", "to", "cc", "bcc", "reply-to", "sender", "resent-from", "resent-to"])
NAMES = frozenset(["message-id", "in-reply-to", "references"])
DATES = frozenset(["date", "resent-date"])
TEXTS = frozenset(["subject", "comments", "keywords", "organization", "importance", "priority"]) | {
    "x-priority",
    "thread-topic",
    "content-description",
    "content-language",
}
OWN = frozenset(
    ["mime-version", "content-type", "content-transfer-encoding", "content-disposition"]
)
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905
DAY = re.compile(rf"\b\d{{1,2}} (?:{'|'.join(MONTHS)}) \d{{4}}\b")
DATE = re.compile(
    rf"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?{DAY.pattern} "
    r"\d\d:\d\d(?::\d\d)? (?:[+-]\d{4}|GMT|UT|UTC|[ECMP][SD]T)(?: \([A-Z]{1,5}\))?"
)
COARSER = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>0[1-9]|1[0-2])(?:-(?P<day>0[1-9]|[12]\d|3[01]))?)?(?!\w)"
)
UNNUMBERED = re.compile(r"[^\w.-]+", re.A)
ADDRESS = re.compile(r"[\w.+=-]{1,64}@[\w-]+(?:\.[\w-]+)+", re.A)
UNADDRESSED = re.compile(r"[^!#-\[\]-~]")
WORD = 40  # characters of an encoded word


class Identities:
    """New names of a mail's parts, for its pages too."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, name: str) -> str:
        """`x@host` -> `1@message.invalid`."""
        return self._known.setdefault(name.strip("<> "), f"{len(self._known) + 1}@message.invalid")


def parts(
    message: email.message.Message, identities: Identities, work: Work, place: str
) -> Iterator[Part]:
    """All heads but those that say how the body is written."""
    for name, raw in message.raw_items():
        low, told = name.lower(), unfolded(raw)
        if low in PEOPLE:
            yield from _people(name.title(), told, place)
        elif low in NAMES:
            yield _numbers(_proper(name), told, place)
        elif low in DATES:
            document = fields.document(decoded(told), low, Document("", id=place))
            yield slots.one(document, partial(_date, _proper(name), work))
        elif low == "content-id":
            yield folded("Content-ID", f"<{identities.of(told)}>")
        elif low in TEXTS:
            document = Document(decoded(told), id=place, field="" if low == "subject" else low)
            yield slots.one(document, partial(_text, _proper(name)))
        elif low not in OWN:
            work.dropped("mail header")


def _numbers(name: str, told: str, place: str) -> Part:
    """Of mails: others, the same wherever the key is the same, so that threads stay threads."""
    parts: list[Part] = []
    for one in re.findall(r"<[^<>\s]+>", told) or told.split():
        parts.append(" " if parts else "")
        document = Document(one.strip("<>"), id=place, label="UID")
        parts.append(slots.kept(document, one, lambda new: f"<{_number(new)}@message.invalid>"))
    return slots.together(parts, partial(folded, name))


def _number(told: str) -> str:
    return UNNUMBERED.sub("", told)[:200] or "0"


def _date(name: str, work: Work, told: str) -> str:
    """RFC 5322, 3.3: of what is coarser than a day the first; left out where no year is told."""
    if DATE.fullmatch(told):
        return folded(name, told)
    if found := DAY.search(told):
        return folded(name, f"{found[0]} 00:00:00 +0000")
    if found := COARSER.match(told):
        day = f"{int(found['day'] or 1)} {MONTHS[int(found['month'] or 1) - 1]} {found['year']}"
        return folded(name, f"{day} 00:00:00 +0000")
    work.dropped("date of a mail")
    return ""


def _text(name: str, told: str) -> str:
    return folded(name, encoded(told))


def _proper(name: str) -> str:
    return name.title().replace("-Id", "-ID")


def _people(name: str, raw: str, place: str) -> Iterator[Part]:
    """`Ann Lee <ann@host>, ...`; what cannot be read as that is a text."""
    found = [pair for pair in email.utils.getaddresses([raw]) if any(pair)]
    if not found or not all("@" in address for _, address in found):
        document = Document(decoded(raw), id=place, label="PERSON")
        yield slots.one(document, lambda told: folded(name, f"{_phrase(told)}:;"))
        return
    inner: list[Part] = []
    for person, address in found:
        document = Document(decoded(person), id=place, label="PERSON" if person else "")
        inner.append(", " if inner else "")
        inner.append(slots.one(document, lambda told: _phrase(told) if told else ""))
        inner.append(slots.one(Document(address, id=place, label="EMAIL"), _address))
    yield slots.together(inner, lambda told: folded(name, told))


def _phrase(told: str) -> str:
    if told.isascii() and len(told) <= WORD:
        return '"' + re.sub(r'[\x00-\x1f\\"]', " ", told) + '" '
    return f"{encoded(told)} "


def _address(told: str) -> str:
    """It must remain one."""
    if not ADDRESS.fullmatch(told):
        told = '"' + UNADDRESSED.sub("", told)[:60] + '"@redacted.invalid'
    return f"<{told}>"


def unfolded(raw: object) -> str:
    """A head's value in one line; bytes beyond ASCII are read as UTF-8, else as Latin-1."""
    text = re.sub(r"[\r\n]+[ \t]?", " ", str(raw))
    data = text.encode("utf-8", "surrogateescape")
    try:
        return data.decode("utf-8").replace("\0", " ")
    except UnicodeDecodeError:
        return data.decode("latin-1").replace("\0", " ")


def decoded(text: str) -> str:
    """With its encoded words read."""
    try:
        found = email.header.decode_header(text)
    except (email.errors.HeaderParseError, binascii.Error, ValueError):
        return text
    return "".join(_word(part, charset) for part, charset in found).replace("\0", " ")


def _word(part: bytes | str, charset: str | None) -> str:
    if isinstance(part, str):
        return part
    for name in (charset or "utf-8", "utf-8"):
        try:
            return part.decode(name)
        except (LookupError, ValueError):
            continue
    return part.decode("latin-1")


def encoded(text: str) -> str:
    """As it may stand in a head: ASCII, or words of base64."""
    text = " ".join(text.split())
    if text.isascii() and "=?" not in text:
        return text
    chunks = (text[at : at + WORD // 3] for at in range(0, len(text), WORD // 3))
    return " ".join(f"=?utf-8?b?{base64.b64encode(c.encode()).decode()}?=" for c in chunks)


def folded(name: str, value: str) -> str:
    """`Name: value`, in lines of at most 76 characters where its blanks allow it."""
    lines, line = [], f"{name}:"
    for word in value.split(" "):
        if len(line) + len(word) > 75 and line.strip() and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\n".join([*lines, line]) + "\n"
