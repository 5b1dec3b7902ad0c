"""Which mentions name the same person: "Dr. Maria Gonzalez", "M. Gonzalez", "GONZALEZ, MARIA".

Longer names settle first; a lone given name or surname joins the person mentioned last before it.
"""

from __future__ import annotations

import re
import unicodedata

_PART = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_SUFFIX = frozenset(["jr", "sr", "ii", "iii", "iv", "md", "phd", "rn", "do", "np", "pa", "esq"])
FULL, INITIALS, LONE = range(3)  # "Maria Gonzalez", "M. Gonzalez", "Gonzalez"
Name = tuple[str, ...]  # given names first, surname last; initials are one letter


def link(mentions: list[str]) -> list[int]:
    """For each mention, in the order of the text, the number of its person. Linear: each round
    walks the text once and asks a table who bore this name last."""
    if len(mentions) < 2:
        return [0] * len(mentions)
    parsed = {mention: parse(mention) for mention in set(mentions)}
    names = [parsed[mention] for mention in mentions]
    persons: list[int | None] = [None] * len(names)
    first: dict[Name, int] = {}
    count = 0
    for rank in (FULL, INITIALS, LONE):
        latest: dict[Name, int] = {}
        for place, name in enumerate(names):
            if _rank(name) == rank:
                sought = _sought(name)
                person = latest.get(sought, first.get(sought))
                if person is None:
                    person, count = count, count + 1
                persons[place] = person
            known = persons[place]
            if known is not None:
                for heard in _heard(name):
                    latest[heard] = known
                    first.setdefault(heard, known)
    return [person or 0 for person in persons]


def parse(mention: str) -> Name:
    """Comparable parts in natural order: "Lee-Ross, Ann B." -> ("ann", "b", "lee-ross")."""
    plain = mention.casefold()
    if not plain.isascii():
        decomposed = unicodedata.normalize("NFKD", plain)
        plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    surname, comma, given = plain.partition(",")
    ordered = f"{given} {surname}" if comma and _PART.search(given) else plain
    parts = tuple(part for part in _PART.findall(ordered) if part not in _SUFFIX)
    return parts or (plain,)


def _rank(name: Name) -> int:
    if len(name) == 1:
        return LONE
    return INITIALS if len(name[0]) == 1 else FULL


def _sought(name: Name) -> Name:
    """Under what a mention looks for its person."""
    return name if len(name) == 1 else (name[0], name[-1])


def _heard(name: Name) -> set[Name]:
    """Under what later mentions may mean the same person."""
    given, surname = name[0], name[-1]
    if len(name) == 1:
        return {(given,)}
    return {(given, surname), (given[0], surname), (given,), (surname,)}
