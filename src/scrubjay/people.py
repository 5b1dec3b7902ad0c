"""Which mentions name the same person: "Dr. Maria Gonzalez", "M. Gonzalez", "GONZALEZ, MARIA".

Longer names settle first; a lone given name or surname joins the person mentioned last before it.
"""

from __future__ import annotations

import re
import unicodedata

_PART = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_SUFFIX = frozenset(["jr", "sr", "ii", "iii", "iv", "md", "phd", "rn", "do", "np", "pa", "esq"])
Name = tuple[str, ...]  # given names first, surname last; initials are one letter


def link(mentions: list[str]) -> list[int]:
    """For each mention, in the order of the text, the number of its person."""
    names = [parse(mention) for mention in mentions]
    people: dict[int, Name] = {}
    persons = [-1] * len(names)
    for place in sorted(range(len(names)), key=lambda i: (-_weight(names[i]), i)):
        name = names[place]
        fitting = [person for person, known in people.items() if same(name, known)]
        if fitting:
            person = _nearest(place, fitting, persons)
            people[person] = max(people[person], name, key=_weight)
        else:
            person = len(people)
            people[person] = name
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


def _nearest(place: int, fitting: list[int], persons: list[int]) -> int:
    """The fitting person mentioned last before this place, else first after it."""
    for earlier in range(place - 1, -1, -1):
        if persons[earlier] in fitting:
            return persons[earlier]
    later = (p for p in persons[place:] if p in fitting)
    return next(later, fitting[0])
