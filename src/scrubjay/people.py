"""Which mentions name the same person: "Dr. Maria Gonzalez", "M. Gonzalez", "GONZALEZ, MARIA".

Longer names settle first; a lone given name or surname joins the person mentioned last before it.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, insort
from collections import defaultdict

_PART = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_SUFFIX = frozenset(["jr", "sr", "ii", "iii", "iv", "md", "phd", "rn", "do", "np", "pa", "esq"])
Name = tuple[str, ...]  # given names first, surname last; initials are one letter


def link(mentions: list[str]) -> list[int]:
    """For each mention, in the order of the text, the number of its person."""
    names = [parse(mention) for mention in mentions]
    known: list[Name] = []  # each person's fullest name
    places: list[list[int]] = []  # where each is mentioned, in order
    by_part: defaultdict[str, set[int]] = defaultdict(set)  # persons by given name and by surname
    persons = [0] * len(names)
    for place in sorted(range(len(names)), key=lambda i: (-_weight(names[i]), i)):
        name = names[place]
        fitting = [p for p in by_part[name[-1]] if same(name, known[p])]
        if fitting:
            person = min(fitting, key=lambda p: (_distance(place, places[p]), p))
        else:
            person = len(known)
            known.append(name)
            places.append([])
            for part in {name[0], name[-1]}:
                by_part[part].add(person)
        insort(places[person], place)
        persons[place] = person
    return persons


def parse(mention: str) -> Name:
    """Comparable parts in natural order: "Lee-Ross, Ann B." -> ("ann", "b", "lee-ross")."""
    plain = unicodedata.normalize("NFKD", mention.casefold())
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    surname, comma, given = plain.partition(",")
    ordered = f"{given} {surname}" if comma and _PART.search(given) else plain
    parts = tuple(part for part in _PART.findall(ordered) if part not in _SUFFIX)
    return parts or (plain,)


def same(name: Name, other: Name) -> bool:
    """Whether both can name one person."""
    if len(name) == 1 or len(other) == 1:
        lone, full = (name, other) if len(name) == 1 else (other, name)
        return lone[0] in (full[0], full[-1])
    return name[-1] == other[-1] and _agree(name[0], other[0])


def _agree(given: str, other: str) -> bool:
    shorter, longer = sorted((given, other), key=len)
    return longer == shorter or (len(shorter) == 1 and longer.startswith(shorter))


def _weight(name: Name) -> int:
    """Full names say more than initials, and these more than a lone part."""
    return 100 * (len(name) > 1) + sum(min(len(part), 10) for part in name)


def _distance(place: int, places: list[int]) -> tuple[bool, int]:
    """How far the last mention before a place is; the first one after it counts less."""
    after = bisect_left(places, place)
    return (False, place - places[after - 1]) if after else (True, places[0] - place)
