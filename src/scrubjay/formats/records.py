"""What the objects of a JSON text say of people: whose each is, and which names and numbers to look
for in its texts, as the cells of a row do.

An object within a list that has a person's number of its own is a record by itself, and so is each
of a list at the top; it knows what the objects around it say. Any other is a part of the object
around it.
"""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct, field

from scrubjay.formats import fields, subjects
from scrubjay.formats.columns import Columns
from scrubjay.formats.subjects import NOBODY, Find, Person

MOST = 200  # values that one record says of people
BARE = frozenset({"name", "names", "display name", "full name"})  # of whom, the key above says

Told = tuple[str, str]  # the name that a value stands under, and the value


class Object(Struct):
    """An object, or a list, as it opens: what is around it, and what stands in it directly."""

    around: Object | None
    name: str = ""
    listed: bool = False  # in a list
    is_list: bool = False
    rows: list[Told] = field(default_factory=list)

    def told(self, name: str, value: str) -> None:
        """What stands under a key, if it is somebody's."""
        if fields.normal(name) in BARE and self.around and self.name:
            name = f"{self.name} {name}"
        if len(self.rows) < MOST and (fields.label(name) or subjects.kind(name)):
            self.rows.append((name, value))

    @property
    def alone(self) -> bool:
        """Whether it is a record by itself."""
        if self.around is None or (self.listed and self.around.around is None):
            return True
        return self.listed and any(
            subjects.kind(name) in (subjects.RECORD, subjects.COUNTED, subjects.INSURED)
            for name, _ in self.rows
        )


class People:
    """Whose the objects of one text are."""

    def __init__(self, objects: list[Object], find: Find, around: Person = NOBODY) -> None:
        self._find = find
        self._around = around
        self._objects = objects  # whose ids are keys here
        self._made: dict[int, Person] = {}
        self._rows: dict[int, list[Told]] = {}
        for each in objects:
            home = _home(each)
            self._rows.setdefault(id(home), []).extend(each.rows)

    def of(self, one: Object) -> Person:
        """The person of the record that an object is, or is a part of."""
        home = _home(one)
        if id(home) not in self._made:
            around = self.of(home.around) if home.around else self._around
            self._made[id(home)] = self._person(self._rows.get(id(home), []), around)
        return self._made[id(home)]

    def _person(self, rows: list[Told], around: Person) -> Person:
        if not rows:
            return around
        names, values = zip(*rows[:MOST], strict=True)
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
