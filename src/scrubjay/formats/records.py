"""What the objects of a file say of people: whose each is, and which names and numbers to look for
in its texts, as the cells of a row do. An object is what a format has for one: a map, a table, an
element with others in it, a row.

An object within a list that has a person's number of its own is a record by itself, and so is each
of a list at the top; it knows what the objects around it say. Any other is a part of the object
around it, until that has said so much that each in a list must speak for itself.
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
    record that it is; `heard`: in records within it."""

    around: Object | None
    name: str = ""
    listed: bool = False  # in a list
    is_list: bool = False
    rows: tuple[Told, ...] = ()
    said: tuple[Told, ...] = ()
    heard: tuple[Told, ...] = ()
    apart: bool = False  # a record by itself, as the one around it is full
    person: Person | None = None
    inner: Person | None = None  # the same for the records within

    def __repr__(self) -> str:
        return f"Object({len(self.rows)} values)"

    def told(self, name: str, value: str) -> None:
        """What stands under a key, if it is somebody's."""
        name = fields.whole(name, self.name)
        if len(self.rows) < MOST and (fields.label(name) or subjects.kind(name)):
            self.rows += ((name, value),)

    def says(self) -> Iterator[Told]:
        """All of it, but for a bare name of which nothing tells whose it is."""
        told = subjects.RECORD in self._kinds or not self.name
        for name, value in self.rows:
            if told or fields.normal(name) not in BARE:
                yield name, value

    @property
    def alone(self) -> bool:
        """Whether it is a record by itself."""
        if self.apart or self.around is None:
            return True
        if self.listed and self.around.is_list and self.around.around is None:
            return True
        return self.listed and not NUMBERS.isdisjoint(self._kinds)

    @property
    def _kinds(self) -> set[str]:
        return {subjects.kind(name) for name, _ in self.rows}


class People:
    """Whose the objects of one text are. `around`: whose all of it is. A record knows what is said
    around it, and its own texts what records within it say, which those do not tell each other."""

    def __init__(self, objects: list[Object], find: Find, around: Person = NOBODY) -> None:
        self._find = find
        self._around = around
        for each in {id(each): each for each in objects}.values():
            each.apart = each.listed and len(_home(each).said) >= MOST
            if each.rows:
                _say(each)

    def of(self, one: Object) -> Person:
        """The person of the record that an object is, or is a part of."""
        home = _home(one)
        if not home.heard:
            return self._inner(home)
        if home.person is None:
            home.person = self._person(home.said + home.heard, self._outer(home))
        return home.person

    def _inner(self, home: Object) -> Person:
        if home.inner is None:
            home.inner = self._person(home.said, self._outer(home))
        return home.inner

    def _outer(self, home: Object) -> Person:
        return self._inner(_home(home.around)) if home.around else self._around

    def _person(self, said: tuple[Told, ...], around: Person) -> Person:
        if not said:
            return around
        names, values = zip(*dict.fromkeys(said), strict=True)
        own = _columns(names).about(values, self._find)
        known = subjects.joined(own.known, around.known) if around.known else own.known
        return Person(own.group or around.group, known)


class Outline:
    """The objects and lists of a text, in the order in which they open. A list in a list is that
    list."""

    def __init__(self) -> None:
        self.objects: list[Object] = []
        self._open: list[Object] = []

    def opened(self, name: str, *, is_list: bool = False, listed: bool = False) -> Object:
        """One that stands under a name; in a list, under the list's. `listed`: it is one of a list
        that is no object."""
        around = self.inside
        if around is None or not around.is_list:
            made = Object(around, name if around else "", listed=listed, is_list=is_list)
        else:
            made = around if is_list else Object(around, around.name, listed=True)
        self._open.append(made)
        self.objects.append(made)
        return made

    def row(self) -> Object:
        """One of a list in the one around the one that is open."""
        around = self._open[-2] if len(self._open) > 1 else None
        self.objects.append(Object(around, listed=True))
        return self.objects[-1]

    def closed(self) -> None:
        """The last that is open."""
        self._open.pop()

    @property
    def inside(self) -> Object | None:
        """The one that is open."""
        return self._open[-1] if self._open else None

    def told(self, name: str, value: str) -> None:
        """A value of the one that is open; in a list, it goes by the list's name."""
        if inside := self.inside:
            inside.told(inside.name if inside.is_list else name, value)


def _home(one: Object) -> Object:
    while not one.alone and one.around:
        one = one.around
    return one


def _say(one: Object) -> None:
    """What is in an object, to its record, and to those around that."""
    home, says = _home(one), tuple(one.says())
    if len(home.said) < 2 * MOST:  # what is begun is said to its end
        home.said += says
    while home.around:
        home = _home(home.around)
        if len(home.heard) >= MOST:  # and so are all around it
            return
        home.heard += says


@lru_cache(256)
def _columns(names: tuple[str, ...]) -> Columns:
    return Columns(names)
