"""Whose a record is, by one rule in all formats: one person's dates move together, and a name gets
one surrogate, in whatever file they stand.

The best of the numbers that a record has names its subject: the medical record number; else the
number that a table counts its patients by; else the one at the insurer; else any other.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache
from pathlib import PurePath

from msgspec import Struct, structs

from scrubjay.formats import fields
from scrubjay.types import Document

Values = Mapping[str, tuple[str, ...]]

RECORD, COUNTED, REFERRED, INSURED, OTHER = "MRN", "COUNTED", "REFERRED", "HEALTH_PLAN", "ID"
BEST = (RECORD, COUNTED, REFERRED, INSURED, OTHER)
NONE = frozenset({"", "na", "nan", "nil", "none", "null", "unk", "unknown"})
SHORT = 40  # characters of a text that may stand often, and has a known value only by a word
_WORD = re.compile(r"\w+")
_CALLED = re.compile(r"(?:mrn|mr|pid)\W*(?=\d)")
_WHOLE = re.compile(r"(\d+)\.0+")  # as a column of numbers with gaps is written
_ID = re.compile(r"(?=\D*\d)[\w.-]{1,64}")


class Person(Struct, frozen=True, dict=True):
    """Whose a record is: what their documents share, and what is known of them."""

    group: str = ""
    known: dict[str, tuple[str, ...]] = {}

    def __repr__(self) -> str:
        return f"Person({', '.join(self.known)})"

    @cached_property
    def undated(self) -> Person:
        """For values that are dates: whose they are is all that matters."""
        return Person(self.group) if self.group else NOBODY

    @cached_property
    def content(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What is known, to be compared."""
        return tuple(sorted(self.known.items()))

    @cached_property
    def words(self) -> frozenset[str]:
        """Of what is known, in lower case."""
        return frozenset(w for row in self.known.values() for v in row for w in _cut(v))

    def tells(self, text: str) -> bool:
        """Whether what is known may be in a text: in a long one, or one with a word of it."""
        return bool(self.known) and (len(text) > SHORT or not self.words.isdisjoint(_cut(text)))

    @cached_property
    def _words(self) -> re.Pattern[str] | None:
        """Of what is known, but for places, a mail address's too: their words are in codes as
        well, and `org` in the address of every public system."""
        told = [v for label, row in self.known.items() for v in row if _named(label)]
        values = [value.casefold().partition("@")[0] for value in told]
        words = {word for value in values for word in re.findall(r"\w{3,}", value)}
        words |= {re.sub(r"\W", "", value) for value in values}
        found = "|".join(
            re.escape(w) if len(w) > 3 else rf"\b{re.escape(w)}\b" for w in sorted(words) if w
        )
        return re.compile(found) if found else None

    def owned(self, document: Document) -> Document:
        """A text of this person, unless somebody else's."""
        return structs.replace(
            document, group=document.group or self.group, known=document.known or self.known
        )

    def document(self, text: str, id: str = "") -> Document:
        """A text of this person, with what is known where that may be in it."""
        known = self.known if self.tells(text) else {}
        return Document(text, id=id, group=self.group, known=known)

    def shows(self, value: str) -> bool:
        """Whether a word of what is known is in a code or an address."""
        return bool(self._words and self._words.search(value.casefold()))

    def of(self, value: str) -> Person:
        """Who is asked for with a code: nobody, where nothing of the person shows in it."""
        return self if self.shows(value) else NOBODY


def _cut(text: str) -> list[str]:
    """Words in lower case."""
    return _WORD.findall(text.casefold())


def _named(label: str) -> bool:
    return label not in ("STREET_ADDRESS", "PHONE", "BIRTH_DATE", "DEATH_DATE")


NOBODY = Person()
Find = Callable[[str], Person]  # by an id, of what other files of the run tell
Near = Callable[[PurePath], Find]  # by the folder of the file that asks


def nobody(id: str) -> Person:
    """Where no other file tells anything."""
    return NOBODY


def alone(folder: PurePath) -> Find:
    """Of a file that is the only one of its run."""
    return nobody


@lru_cache(1 << 12)
def number(value: str) -> str:
    """An identifier as it is compared: without case, signs, zeros in front, and what it is called;
    empty if it is none."""
    plain = _CALLED.sub("", unicodedata.normalize("NFKC", value).strip().casefold(), count=1)
    if whole := _WHOLE.fullmatch(plain):
        plain = whole[1]
    told = "".join(filter(str.isalnum, plain))
    told = told.lstrip("0") if told.isdecimal() else told
    return "" if told in NONE else told


def named(found: Iterable[tuple[str, str]]) -> str:
    """The subject's name by kinds of numbers, with numbers: the first of the best kind."""
    best: dict[str, str] = {}
    for kind, value in found:
        if kind in BEST and kind not in best and (told := number(value)):
            best[kind] = told
    return next((best[kind] for kind in BEST if kind in best), "")


@lru_cache(1 << 12)
def kind(name: str) -> str:
    """What the name of a column or key says of the numbers under it, if they name subjects."""
    label, words = fields.label(name), fields.normal(name).split()
    whose = fields.part("whose")
    if label == "MRN":
        return COUNTED if (whose | fields.part("counts")).issuperset(words) else RECORD
    if label == "HEALTH_PLAN" and "group" not in words:
        return INSURED
    one = len(words) == 1 and words != ["subject"]  # which a mail has, too
    return REFERRED if one and whose.issuperset(words) else ""


def is_id(value: str) -> bool:
    """Whether it may be a number: under `patient`, `REFERRED`, a name may stand as well."""
    return _ID.fullmatch(value.strip()) is not None


def joined(one: Values, other: Values) -> dict[str, tuple[str, ...]]:
    """What is known from two sides, that of `one` first."""
    told = dict(one)
    for label, values in other.items():
        told[label] = tuple(dict.fromkeys((*told.get(label, ()), *values)))
    return told


def known(people: Iterable[Person]) -> dict[str, tuple[str, ...]]:
    """What several records tell, that of the first one first."""
    told: dict[str, tuple[str, ...]] = {}
    for person in people:
        told = joined(told, person.known)
    return told
