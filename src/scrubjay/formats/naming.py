"""Names that a file gives to its own parts: keys, elements, attributes. They are data where they
say who somebody is; what a schema is made of stays, whatever a tagger takes it for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable
from functools import cache, partial

from msgspec import structs

from scrubjay.detectors import lists
from scrubjay.formats import fields, slots
from scrubjay.formats.work import Clean
from scrubjay.types import Anonymized, Document

WORDS = re.compile(r"[_.+:/#?=&-]+")  # what stands between the words of a name or address
NUMBER = re.compile(r"\d[\d-]{6,}\d")
UNSURE = ("tagger.", "resolve.")  # resolving tells what a tagger found once and is everywhere
LOOKED = (*UNSURE, "patterns.")  # what goes by looks, and not by a list of what is known
CAMEL = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![a-z])")
IDENTIFIER = re.compile(r"(?!(?:\D*\d){5})[^\W\d][\w$.-]*")  # five digits are a number
PARTED = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_$.-]+")
SOMEBODYS = re.compile(r"\d{5,}")  # a number under which something is kept
DATED = re.compile(r"\d{3}")
REMEMBERED = 10_000  # keys known to hold nothing


def words(name: str) -> str:
    """A name of an element as words, for who looks; one with a long number, or of a mailbox, as it
    is written."""
    return name if NUMBER.search(name) or "@" in name else WORDS.sub(" ", name)


def says_who(name: str, result: Anonymized) -> bool:
    """Whether a name of an element, read as words, is somebody's. A tagger alone is not believed of
    ordinary words, unless there are several, it found no others, and none is a schema's; nor of one
    word without a given name in it: it reads schemas badly."""
    done = result.report.replacements
    if not done or not all(one.detector.startswith(UNSURE) for one in done):
        return bool(done)
    parts = [part.lower() for part in CAMEL.findall(name)]
    if all(part in ordinary() or part in fields.schema() for part in parts):
        whole = sum(one.end - one.start for one in done) >= sum(map(len, parts))
        return whole and len(parts) > 1 and fields.schema().isdisjoint(parts)
    given = any(part in lists.read("given_names") for part in parts)
    return given or len(words(name.rpartition(":")[2]).split()) > 1


@cache
def ordinary() -> frozenset[str]:
    """Words that schemas are made of."""
    return frozenset().union(*map(lists.read, ["ordinary_words", "common_words", "not_names"]))


class Keys:
    """The keys of one file: `florence_score` stays, `Jordan` and `john_smith` are data."""

    def __init__(self) -> None:
        self._plain: set[str] = set()
        self._others: dict[str, str] = {}

    def part(self, document: Document, raw: str, write: Callable[[str], str]) -> slots.Part:
        """A key as it stands, or what `write` makes of the clean one."""
        name = document.text
        plain = name in self._plain and not document.known
        if fields.label(name) or plain or not name.strip():
            return raw
        text = PARTED.sub(" ", name) if IDENTIFIER.fullmatch(name) else name
        label = "ID" if SOMEBODYS.fullmatch(name) else ""

        texts = [text, name] if "." in name and text != name else [text]  # it may be a host's

        def told(results: list[Anonymized]) -> str:
            for seen, result in zip(texts, results, strict=True):
                doubted = key_says_who if seen == text else says_who
                if result.text != seen and doubted(name, result):
                    return write(result.text)
            counted = any(result.report.counts for result in results)
            if not (counted or document.known) and len(self._plain) < REMEMBERED:
                self._plain.add(name)
            return raw

        return slots.Slot([structs.replace(document, text=t, label=label) for t in texts], told)

    def other(self, name: str, told: str) -> str:
        """The same name each time it stands in the file, and no two alike."""
        if name not in self._others:
            self._others[name] = unique(told, self._others.values())
        return self._others[name]


def columns(names: Iterable[str], where: str, clean: Clean) -> list[str]:
    """The names of a table's columns, without what identifies."""
    keys = Keys()
    parts = (keys.part(Document(name, where), name, partial(keys.other, name)) for name in names)
    return list(slots.filled(parts, clean))


def key_says_who(name: str, result: Anonymized) -> bool:
    """As `says_who`; of one word a tagger is believed, unless it is in small letters and an
    ordinary one that is no given name. Of words of schemas no looks are believed: a rule
    reads `SOURCE_IDENTIFIER_ICD10` as an identifier."""
    if fields.label(name) or not IDENTIFIER.fullmatch(name):
        return not fields.label(name)
    parts = [part.lower() for part in CAMEL.findall(name)]
    known = all(part in ordinary() or part in fields.schema() for part in parts)
    looked = all(one.detector.startswith(LOOKED) for one in result.report.replacements)
    if known and looked and not fields.schema().isdisjoint(parts) and not DATED.search(name):
        return False
    if len(parts) == 1 and (name not in ordinary() or name in lists.read("given_names")):
        return True
    return says_who(name, result)


def unique(told: str, taken: Container[str]) -> str:
    """With a number, if the name is taken."""
    name, count = told, 1
    while name in taken:
        count += 1
        name = f"{told} {count}"
    return name
