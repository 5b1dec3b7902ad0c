"""What the objects of a JSON text say of people: whose each is, and which names and numbers to look
for in its texts, as the cells of a row do.

An object within a list that has a person's number of its own is a record by itself, and so is each
of a list at the top; it knows what the objects around it say. Any other is a part of the object
around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from msgspec import Struct

from scrubjay.formats import fields, subjects
from scrubjay.formats.columns import Columns
from scrubjay.formats.subjects import NOBODY, Find, Person

MOST = 200  # values that one record says of people
NUMBERS = frozenset({subjects.RECORD, subjects.COUNTED, subjects.INSURED})
BARE = frozenset({"name", "names", "display name", "full name"})  # of whom, the key above says

Told = tuple[str, str]  # the name that a value stands under, and the value


class Object(Struct):
    """An object, or a list, as it opens. `rows`: what stands in it directly; `said`: in all of the
    record that it is."""

    around: Object | None
    name: str = ""
    listed: bool = False  # in a list
    is_list: bool = False
    rows: tuple[Told, ...] = ()
    said: tuple[Told, ...] = ()
    person: Person | None = None

    def __repr__(self) -> str:
        return f"Object({len(self.rows)} values)"

    def told(self, name: str, value: str) -> None:
        """What stands under a key, if it is somebody's."""
        name = fields.whole(name, self.name)
        if len(self.rows) < MOST and (fields.label(name) or subjects.kind(name)):
            self.rows += ((name, value),)

    def says(self) -> Iterator[Told]:
        """All of it. Of whom a bare name is, the key above says: a patient's, or a drug's."""
        patient = subjects.RECORD in self._kinds
        for name, value in self.rows:
            if fields.normal(name) not in BARE or patient or not self.name:
                yield name, value
            elif fields.label(f"{self.name} {name}"):
                yield f"{self.name} {name}", value

    @property
    def alone(self) -> bool:
        """Whether it is a record by itself."""
        if self.around is None or (self.listed and self.around.around is None):
            return True
        return self.listed and not NUMBERS.isdisjoint(self._kinds)

    @property
    def _kinds(self) -> set[str]:
        return {subjects.kind(name) for name, _ in self.rows}


class People:
    """Whose the objects of one text are. `around`: whose all of it is."""

    def __init__(self, objects: list[Object], find: Find, around: Person = NOBODY) -> None:
        self._find = find
        self._around = around
        for each in objects:
            home = _home(each) if each.rows else each
            if each.rows and len(home.said) < MOST:
                home.said += tuple(each.says())

    def of(self, one: Object) -> Person:
        """The person of the record that an object is, or is a part of."""
        home = _home(one)
        if home.person is None:
            around = self.of(home.around) if home.around else self._around
            home.person = self._person(home.said, around)
        return home.person

    def _person(self, said: tuple[Told, ...], around: Person) -> Person:
        if not said:
            return around
        names, values = zip(*dict.fromkeys(said), strict=True)
        own = _columns(names).about(values, self._find)
        known = subjects.joined(own.known, around.known) if around.known else own.known
        return Person(own.group or around.group, known)


def _home(one: Object) -> Object:
    while not one.alone and one.around:
        one = one.around
    return one


@lru_cache(256)
def _columns(names: tuple[str, ...]) -> Columns:
    return Columns(names)
