"""Whether capitalised words after a title, a label or a greeting can be a person's name.

The lists beside this folder say what is not a name: roles, departments, headings, drugs, diseases
and eponyms that something medical follows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

_LISTS = Path(__file__).parent.parent / "lists"
_SUFFIX = {"jr", "sr", "ii", "iii", "iv"}
_PARTICLES = {"de", "la", "da", "di", "du", "le", "el", "al", "del", "della", "van", "von", "der"}
_PARTICLES |= {"den", "ter", "ten", "zu", "bin", "ibn", "dos", "das", "do", "e", "y", "af", "av"}
_HUMPED = re.compile(r"[a-z][A-Z][^\s,.]*[a-z][A-Z]")
_BETWEEN = re.compile(r"[\s,.]+")
_SMALL = _SUFFIX | _PARTICLES
# In Maryland, so that "Silver Spring, MD" is no doctor.
_MARYLAND = {"baltimore", "bethesda", "rockville", "annapolis", "columbia", "towson", "frederick"}
_MARYLAND |= {"gaithersburg", "germantown", "hagerstown", "bowie", "laurel", "salisbury", "dundalk"}
_MARYLAND |= {"silver spring", "college park", "ellicott city", "owings mills", "glen burnie"}
_MARYLAND |= {"takoma park", "chevy chase", "bel air", "ocean city", "havre de grace", "cumberland"}


@cache
def words(name: str) -> frozenset[str]:
    """The lower-case words of lists/NAME.txt."""
    return frozenset((_LISTS / f"{name}.txt").read_text("utf-8").split())


def person(value: str) -> bool:
    """A name, given that a title, a label or a credential stands beside it."""
    tokens = _tokens(value)
    bare = [token.lower() for token in tokens]
    if (not value[:1].isupper() and bare[0] not in _PARTICLES) or not any(
        len(word) > 1 for word in bare
    ):
        return False
    if _HUMPED.search(value):  # PatientBirthDate
        return False
    return not (
        _refused(bare) or _mixed_case(tokens) or _eponym(bare) or " ".join(bare) in _MARYLAND
    )


def turned(value: str) -> bool:
    """Last name, first name: "Hughes, M" may be Hughes, M.D."""
    return len(value.partition(",")[2].strip()) > 1 and person(value)


def likely(value: str) -> bool:
    """A name where the words around it are a weaker sign: not only everyday words."""
    if not person(value):
        return False
    tokens = [token.lower() for token in _tokens(value)]
    common = _everyday()
    if len(tokens) == 1:
        return len(tokens[0]) > 2 and tokens[0] not in common and not value.isupper()
    return not all(token in common or len(token) < 2 for token in tokens)


@cache
def _everyday() -> frozenset[str]:
    return words("common_words") | words("eponym_tails")


def _tokens(value: str) -> list[str]:
    """O'Brien is one word, J.R. Smith three."""
    return [token for token in _BETWEEN.split(value) if token]


def _refused(bare: list[str]) -> bool:
    """One is on the list; a single capital letter is an initial, whatever it spells."""
    stop = words("not_names")
    long = [word for word in bare if len(word) > 1 and word not in _SMALL]
    parts = [part for word in long if "-" in word for part in word.split("-") if len(part) > 3]
    return not stop.isdisjoint(long) or not stop.isdisjoint(parts)


def _mixed_case(tokens: list[str]) -> bool:
    """An abbreviation beside ordinary words: Jane Smith DOB."""
    long = [t for t in tokens if len(t) > 1 and t.lower() not in _SMALL]
    shouted = [t for t in long if t.isupper()]
    return 0 < len(shouted) < len(long) and any(len(t) < 5 for t in shouted)


def _eponym(bare: list[str]) -> bool:
    """Foley catheter, Glasgow Coma Scale."""
    return bare[0] in words("eponyms") and any(w in words("eponym_tails") for w in bare[1:])


def given(value: str) -> bool:
    """Two or more words that begin with a given name: not a street, hospital or Thomas test."""
    bare = [token.lower() for token in _tokens(value)]
    return person(value) and bare[-1] not in words("eponym_tails") and bare[0] != "st"


def begins(value: str) -> bool | tuple[int, int]:
    """As many words from the first as make a name: "Dr. Smith Cardiology" tells of one Smith."""
    return _leading(value, person)


def begins_likely(value: str) -> bool | tuple[int, int]:
    """The same after a weaker sign."""
    return _leading(value, likely)


def ends(value: str) -> bool | tuple[int, int]:
    """As many words up to the last as make a name: "Attending Jane Smith", MD."""
    starts = [0, *(at.start() for at in _NEXT.finditer(value))]
    for start in starts:
        if person(value[start:]):
            return start, len(value)
    return False


_LAST = re.compile(r"\.?\s+[^\Wa-z_][^\s]*\Z")  # the last word, after its particles
_NEXT = re.compile(r"(?<=\s)(?:[a-z]+ )*[^\Wa-z_]")
_BEFORE = re.compile(r"(?:\s+[a-z]+)+\Z")


def _leading(value: str, accept: Callable[[str], bool]) -> bool | tuple[int, int]:
    while not accept(value):
        shorter = _BEFORE.sub("", _LAST.sub("", value))
        if shorter == value:
            return False
        value = shorter
    return 0, len(value)
