"""XML's elements as they are held, and whose each is: an element with others in it, or with
attributes, is an object of a record, and such elements of one name beside each other are a list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct, field

from scrubjay.formats import fields, records
from scrubjay.formats.markup import escape
from scrubjay.formats.subjects import NOBODY, Find, Person


class Text(Struct):
    """Characters, as they stand in the file or in CDATA."""

    text: str
    cdata: bool = False

    def write(self, text: str) -> str:
        if not self.cdata:
            return escape(text)
        return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>" if text else ""


class Aside(Struct):
    """A comment, or an instruction to `target`."""

    text: str
    target: str = ""


class Element(Struct):
    """`begun`: its start is given away, and its children are as they come. `at`: characters before
    it. `person`: whose record it is in."""

    name: str
    attributes: list[str] = []
    children: list[Text | Aside | Element] = field(default_factory=list)
    begun: bool = False
    at: int = 0
    person: Person = NOBODY

    def says(self) -> str:
        """What its text is: `mrn`, of `<mrn>` and `<field name="mrn">`."""
        named = (value for name, value in self.pairs() if fields.named(local(name), value))
        return next(named, local(self.name))

    def names(self, attribute: str) -> str:
        """What an attribute's value is. A `name` is a person's only where the element is one's."""
        if attribute in {"value", "extension", "content"}:
            return self.says()
        weak = attribute in fields.table()["weak"].split()
        return f"{local(self.name)} {attribute}" if weak else attribute

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Its attributes."""
        return zip(self.attributes[::2], self.attributes[1::2], strict=True)

    def inner(self) -> list[Element]:
        """The elements in it."""
        return [child for child in self.children if isinstance(child, Element)]

    def speaks(self) -> bool:
        """Whether it has text of its own."""
        return any(isinstance(child, Text) and child.text.strip() for child in self.children)


def local(name: str) -> str:
    """`v3:birthTime` -> `birthTime`."""
    return name.rpartition(":")[2]


def owned(top: Element, find: Find, around: Person) -> None:
    """Tell an element, and all in it, whose it is."""
    shape = _Shape()
    shape.walk(top, "", listed=False)
    people = records.People(shape.outline.objects, find, around)
    for element, inside in shape.within:
        element.person = people.of(inside) if inside else around


def alone(top: Element, find: Find, around: Person) -> Person:
    """Whose an element is, by what stands in it directly."""
    plain = [child for child in top.inner() if not _is_object(child)]
    shallow = Element(top.name, top.attributes, [*plain])
    owned(shallow, find, around)
    return shallow.person


class _Shape:
    """The objects that elements are, and in which of them each is."""

    def __init__(self) -> None:
        self.outline = records.Outline()
        self.within: list[tuple[Element, records.Object | None]] = []

    def walk(self, element: Element, parent: str, *, listed: bool) -> None:
        """An element, and all in it. `listed`: others of its name stand beside it."""
        inner = element.inner()
        names = Counter(local(child.name) for child in inner)
        if _is_object(element):
            is_list = not self.outline.inside and _is_list(element, names)
            self.outline.opened(local(element.name), is_list=is_list, listed=listed)
        self.within.append((element, self.outline.inside))
        self._said(element, parent)
        for child in inner:
            many = names[local(child.name)] > 1
            self.walk(child, local(element.name), listed=many and _is_object(child))
        if _is_object(element):
            self.outline.closed()

    def _said(self, element: Element, parent: str) -> None:
        """What its text and its attributes say."""
        text = "".join(child.text for child in element.children if isinstance(child, Text))
        if text.strip():
            self.outline.told(fields.whole(element.says(), parent), text.strip())
        for name, value in element.pairs():
            self.outline.told(element.names(local(name)), value)


def _is_object(element: Element) -> bool:
    return bool(element.attributes or element.inner())


def _is_list(element: Element, names: Counter[str]) -> bool:
    """Whether all that is in an element are objects of one name."""
    several = not element.attributes and len(names) == 1 and names.total() > 1
    return several and all(map(_is_object, element.inner()))
