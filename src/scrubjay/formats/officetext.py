"""The words of an office document: those of all its parts are one text, so that a name that is
found in a header is found in a comment, a link and a picture's title too.

Paragraphs are lines, whatever runs they lie in. What was deleted and is still in the file is read
with what stood around it then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from urllib.parse import quote, unquote

from msgspec import Struct, field

from scrubjay.errors import InputError
from scrubjay.formats import numbers
from scrubjay.formats.columns import COMMON
from scrubjay.formats.officebare import DIGITS, code, known_space, table
from scrubjay.formats.officecells import Place
from scrubjay.formats.officechanges import Changes
from scrubjay.formats.pieces import Pieces
from scrubjay.formats.work import Work
from scrubjay.formats.xmltree import Node
from scrubjay.types import Anonymized, Document

MOST_KNOWN = 500
Values = dict[str, tuple[str, ...]]
APART = "\n\n.\n\n"  # no value goes on behind it, for rules and nets alike
FIRST = "1970-01-01T00:00:00"
_DAY = re.compile(
    r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII
)
_PARTS = re.compile(r"(?<=[a-z])(?=[A-Z])|_(?:20_)?|[.-]")
_ADDRESS = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:|[./#\\]|www\.)\S+")
_NOBODY = frozenset(
    ["user", "author", "unknown", "microsoft", "office", "admin", "administrator", "python", "docx"]
)
_SAFE = "!#$%&'()*+,/:;=?@~"
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:E[-+]?\d+)?", re.ASCII)
_FRACTION = re.compile(r"-?\d+\.(?!0+(?:E|$))\d+(?:E-\d+)?", re.ASCII)  # nobody's number
_TYPED = frozenset(
    """value date-value time-value boolean-value string-value currency formula""".split()  # noqa: SIM905
)
_VALUES = frozenset(["numCache", "numLit", "strCache", "strLit", "multiLvlStrCache"])
_BLANKS = frozenset(["w:t", "w:delText", "w:instrText", "m:t"])
_RUNS = frozenset(["t", "delText", "instrText", "delInstrText"])


class Slot:
    """A string in a tree: content by its index, or an attribute by its name."""

    __slots__ = ("key", "node", "text")

    def __init__(self, node: Node, key: int | str, text: str) -> None:
        self.node = node
        self.key = key
        self.text = text

    def set(self, text: str) -> None:
        """Blanks at its ends are kept where the format would lose them."""
        if isinstance(self.key, str):
            self.node.attributes[self.key] = text
            return
        self.node.content[self.key] = text
        if self.node.tag in _BLANKS and text != text.strip():
            self.node.attributes.setdefault("xml:space", "preserve")

    def remove(self) -> None:
        """The attribute; or the element is marked as none, and not written."""
        if isinstance(self.key, str):
            self.node.attributes.pop(self.key, None)
        else:
            self.node.tag = ""


class _Role(Struct, frozen=True):
    """What an element means for a text: it has its `line`; it is a `sign`, or stands `when`;
    what is `behind` it."""

    line: bool
    sign: str
    when: str
    behind: str


@cache
def _role(name: str) -> _Role:
    rules = table()
    behind = "\t" if name in rules["cells"] else APART if name in rules["rows"] else ""
    line = name in rules["paragraphs"] or name in rules["alone"]
    return _Role(line, rules["signs"].get(name, ""), rules["when"].get(name, ""), behind)


@lru_cache(1 << 12)
def _place(name: str, key: str) -> str:
    """What an attribute holds: `people`, `days`, `words`, `names`, `value`, `none` that is read."""
    local = key.rpartition(":")[2]
    if local == "Ignorable" or key.startswith("xmlns"):
        return "none"
    place = {local, f"{name}@{local}"}
    kind = next((k for k in ("people", "days", "words", "names") if place & table()[k]), "")
    return "value" if local == "value" and kind == "words" else kind


def _spoken_as(name: str, key: str, value: str) -> str:
    """Whether it is read as a link, a font, a name of one word, or a text."""
    local = key.rpartition(":")[2]
    if local in {"Target", "href"} or _ADDRESS.fullmatch(value):
        return "link"
    if local in table()["fonts"] or name == "font":
        return "font"
    if re.fullmatch(r"[\w.-]+", value) and _place(name, key) not in {"words", "value"}:
        return "name"
    return "text"


class _Word(Struct):
    slot: Slot
    when: str  # "ins", "del", or always
    behind: str = ""


class _Cell(Struct):
    """A cell below a column's name."""

    node: Node
    place: Place
    slots: list[Slot] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    line: _Line | None = None

    def add(self, slot: Slot, line: _Line) -> None:
        """A string of it. Those of a paragraph are one text."""
        if self.parts and line is not self.line:
            self.parts.append("\n")
        self.line = line
        self.slots.append(slot)
        self.parts.append(slot.text)

    def texts(self) -> tuple[str, str]:
        """What is seen, or else computed with; and the day that it is, if any."""
        told = {key.rpartition(":")[2]: value for key, value in self.node.attributes.items()}
        seen = "".join(self.parts)
        day = told.get("date-value", "")
        return seen or told.get("string-value") or told.get("value") or day, day

    def set(self, text: str) -> None:
        """A number or day is a string now, and no formula makes it anew; a day that is another
        day stays one."""
        for slot in self.slots:
            slot.set("")
        shown = [slot for slot in self.slots if slot.node.name != "delText"]
        for slot in (shown or self.slots)[:1]:
            slot.set(text)
        day = _DAY.fullmatch(text)
        for key in list(self.node.attributes):
            local = key.rpartition(":")[2]
            if local == "date-value" and day:
                self.node.attributes[key] = text
            elif local == "value-type" and not day:
                self.node.attributes[key] = "string"
            elif local in _TYPED:
                del self.node.attributes[key]


class _Line:
    __slots__ = ("behind", "words")

    def __init__(self) -> None:
        self.words: list[_Word] = []
        self.behind = APART


class Words:
    """Strings of any number of trees, cleaned all at once."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._lines: list[_Line] = []
        self._people: dict[str, list[Slot]] = {}
        self._days: list[Slot] = []
        self._numbers: list[Slot] = []  # that a chart shows as days
        self._shows_days = False
        self._values: dict[tuple[str, str], list[Slot]] = {}  # by kind and value
        self._changes = Changes()
        self._places: dict[int, Place] = {}
        self._cells: list[_Cell] = []
        self._cell: _Cell | None = None

    def add(self, root: Node, places: dict[int, Place] | None = None) -> None:
        """Every string in it that is no code. `places`: cells that are what their column says."""
        self._places = places or {}
        self._changes = Changes([root])
        self._walk(root, self._line(), "")
        for deletion in self._changes.left():
            self._deleted(deletion, self._line())

    def _line(self) -> _Line:
        self._lines.append(_Line())
        return self._lines[-1]

    def _walk(self, node: Node, line: _Line, when: str) -> None:
        if self._changes.apart(node):
            return
        role = _role(node.name)
        self._shows_days &= node.name not in _VALUES
        self._attributes(node)
        if deletion := self._changes.at(node):
            self._deleted(deletion, line)
        if role.line:
            line = self._line()
        if role.sign and self._cell:
            self._cell.parts.append(role.sign)
        elif role.sign and line.words:
            line.words[-1].behind += role.sign
        self._inside(node, line, role.when or when)
        if role.behind:
            self._lines[-1].behind = role.behind

    def _inside(self, node: Node, line: _Line, when: str) -> None:
        outer = self._cell
        if node.name == "annotation":
            self._cell = None
        elif place := self._places.get(id(node)):
            self._cell = _Cell(node, place)
            self._cells.append(self._cell)
        for index, inner in enumerate(node.content):
            if isinstance(inner, Node):
                self._walk(inner, line, when)
            elif inner.strip() or (inner and node.name in _RUNS):
                self._content(Slot(node, index, inner), line, when)
        self._cell = outer

    def _deleted(self, deletion: Node, line: _Line) -> None:
        """Its first paragraph goes on where it was, and all others are lines."""
        paragraphs = [*deletion.children("p", "h")][:1]
        for inner in deletion.children():
            if inner in paragraphs:
                self._attributes(inner)
                self._inside(inner, line, "del")
            else:
                self._walk(inner, self._line(), "del")

    def _attributes(self, node: Node) -> None:
        for key, value in node.attributes.items():
            self._attribute(node, key, value)

    def _content(self, slot: Slot, line: _Line, when: str) -> None:
        rules, name = table(), slot.node.name
        if name in rules["people"]:
            self._people.setdefault(slot.text, []).append(slot)
        elif name in rules["days"] and not slot.node.tag.startswith("text:"):
            self._days.append(slot)
        elif name == "formatCode":
            self._shows_days = numbers.is_day(slot.text)
            if not numbers.FORMAT.fullmatch(slot.text):
                slot.set("General")
        elif name == "v" and self._shows_days and _NUMBER.fullmatch(slot.text):
            self._numbers.append(slot)
        elif name in rules["codes"]:
            if not code(slot.text):
                slot.remove()
                self._work.dropped("unknown element")
        elif name == "v" and _FRACTION.fullmatch(slot.text):
            return
        elif name in {"instrText", "delInstrText"}:
            self._line().words.append(_Word(slot, ""))
        elif self._cell:
            self._cell.add(slot, line)
        else:
            when = when or ("ins" if self._changes.inserted() else "")
            line.words.append(_Word(slot, "del" if name == "delText" else when))

    def _attribute(self, node: Node, key: str, value: str) -> None:
        kind = _place(node.name, key)
        if not value or kind == "none" or (kind == "value" and _FRACTION.fullmatch(value)):
            return
        if kind == "people":
            self._people.setdefault(value, []).append(Slot(node, key, value))
        elif kind == "days":
            self._days.append(Slot(node, key, value))
        elif kind in {"value", "words"} or not self._plain(value, kind == "names"):
            spoken = _spoken_as(node.name, key, value)
            self._values.setdefault((spoken, value), []).append(Slot(node, key, value))

    @staticmethod
    def _plain(value: str, named: bool) -> bool:
        if value in table()["letters"]:
            return True
        return code(value, 3 if named else DIGITS) or known_space(value)

    def clean(self, known: Values | None = None) -> None:
        """All of it, in place. `known`: values, by label, that are looked for in it."""
        cells = [(cell, *cell.texts()) for cell in self._cells]
        values = (
            (c.place.label, seen) for c, seen, _ in cells if c.place.label not in {"", *COMMON}
        )
        people = (("PERSON", name) for name in self._people if _somebody(name))
        known = more(more(known or {}, people), values)
        self._by_reading(known)
        self._by_place()
        self._by_column(cells)  # last: a column says more of a value than the value does

    def _by_reading(self, known: Values) -> None:
        lines = [line for line in self._lines if line.words]
        values = [told for kind, value in self._values for told in _spoken(kind, value)]
        now = _Reading(lines, "del", values)
        result = now.clean(self._work, known)
        then = _Reading([x for x in lines if any(w.when == "del" for w in x.words)], "ins", [])
        then.clean(self._work, more(known, _found(now.text, result)))
        for word in (word for line in lines for word in line.words):
            told = [r.told[id(word.slot)] for r in (now, then) if id(word.slot) in r.told]
            word.slot.set(_fit(word.slot, _both(word.slot.text, told)))
        self._say(values, now.values)

    def _by_column(self, cells: list[tuple[_Cell, str, str]]) -> None:
        """What is told of cells by where they stand. A day is one however it is shown, and what is
        shown may be more than a day."""
        grids = {id(cell.place.grid): cell.place.grid for cell, _, _ in cells}
        for cell, seen, day in cells:
            cell.place.grid.cells[cell.place.row, cell.place.column] = day or seen
        changed = {
            (key, row, column): text
            for key, grid in grids.items()
            for row, column, text in grid.cleaned(self._work)
        }
        shown = (cell.place.document(seen, self._work) for cell, seen, day in cells if day)
        results = self._work.clean(shown)
        for cell, seen, day in cells:
            place = cell.place
            told = changed.get((id(place.grid), place.row, place.column), day or seen)
            also = next(results).text if day else told
            if (told, also) != (day or seen, seen):
                cell.set(told if not day or _DAY.fullmatch(told) else also)

    def _say(self, old: list[str], new: list[str]) -> None:
        for number, ((kind, _value), slots) in enumerate(self._values.items()):
            first, second = 2 * number, 2 * number + 1
            if old[first] == new[first] and old[second] == new[second]:
                continue
            told = new[first]
            if kind == "name" or old[first] == told:
                told = f"name_{number + 1}"
            elif kind == "font":
                told = "Arial"
            elif kind == "link":
                told = quote(told, safe=_SAFE)
            for slot in slots:
                _typed(slot)
                slot.set(told)

    def _by_place(self) -> None:
        """Who did something, and when, by where it stands."""
        group = self._work.group
        people = (Document(x, group=group, field="author", label="PERSON") for x in self._people)
        for slots, result in zip(self._people.values(), self._work.clean(people), strict=True):
            for slot in slots:
                slot.set(result.text)
        shown = (numbers.day(float(slot.text), False) for slot in self._numbers)
        days = (Document(x, group=group, field="date", label="DATE") for x in shown)
        for slot, result in zip(self._numbers, self._work.clean(days), strict=True):
            slot.set(numbers.serial(result.text, False) or "0")
        days = (Document(x.text, group=group, field="date", label="DATE") for x in self._days)
        for slot, result in zip(self._days, self._work.clean(days), strict=True):
            if _DAY.fullmatch(result.text):
                slot.set(result.text)
            elif f"{slot.node.name}@{slot.key}" in table()["must"]:
                slot.set(FIRST)
            else:
                _typed(slot)
                slot.remove()


class _Reading:
    """One text of lines, without the words of one kind, and of values."""

    def __init__(self, lines: list[_Line], without: str, values: list[str]) -> None:
        self._slots: list[Slot] = []
        pieces: list[str] = []
        breaks: list[str] = []
        for line in lines:
            for word in line.words:
                if word.when != without:
                    self._slots.append(word.slot)
                    pieces.append(word.slot.text)
                    breaks.append(word.behind)
            if breaks:
                breaks[-1] += line.behind
        self._pieces = Pieces([*pieces, *values], [*breaks, *[APART] * len(values)])
        self.text = self._pieces.text
        self.told: dict[int, str] = {}
        self.values: list[str] = []

    def clean(self, work: Work, known: Values) -> Anonymized | None:
        """`told` what becomes of each slot, by its id, and `values` of values."""
        if not self.text:
            return None
        if len(self.text) > work.limits.text:
            raise InputError(f"more than {work.limits.text >> 20} MiB of text in one document")
        [result] = work.clean([Document(self.text, group=work.group, known=known)])
        new = self._pieces.changed(result)
        count = len(self._slots)
        self.told = {id(s): text for s, text in zip(self._slots, new[:count], strict=True)}
        self.values = new[count:]
        return result


def _found(text: str, result: Anonymized | None) -> Iterator[tuple[str, str]]:
    """Values that were found, to be found again in another reading."""
    for one in result.report.replacements if result else ():
        if one.end - one.start > 3:
            yield one.label, text[one.start : one.end]


def more(known: Values, others: Iterable[tuple[str, str]]) -> Values:
    """Known values and others, not too many of a label."""
    found = {label: dict.fromkeys(values) for label, values in known.items()}
    for label, value in others:
        values = found.setdefault(label, {})
        if len(values) < MOST_KNOWN:
            values[value] = None
    return {label: tuple(values) for label, values in found.items()}


def _both(old: str, told: list[str]) -> str:
    """What stays in every reading of a text."""
    changed = [new for new in told if new != old]
    if len(changed) < 2 or changed[0] == changed[1]:
        return changed[0] if changed else old
    other = changed[1].split(" ")
    return " ".join(word for word in changed[0].split(" ") if word in other)


def _fit(slot: Slot, text: str) -> str:
    """A number of a chart stays one."""
    if slot.node.name == "v" and text != slot.text and _NUMBER.fullmatch(slot.text):
        return "0"
    return text


def _spoken(kind: str, value: str) -> tuple[str, str]:
    """As people would write it, and again with its words apart if that is otherwise."""
    first = value
    if kind == "link":
        for _ in range(3):  # what is quoted may be quoted again
            first = unquote(first)
    second = _PARTS.sub(" ", first)
    return first, "" if second == first else second


def _somebody(name: str) -> bool:
    words = re.findall(r"\w+", name.lower())
    return len(words) > 1 and _NOBODY.isdisjoint(words)


def _typed(slot: Slot) -> None:
    """A number or day of a cell or field that is none any more is a string."""
    if str(slot.key).rpartition(":")[2] in {"value", "date-value", "currency"}:
        for key in slot.node.attributes:
            if key.rpartition(":")[2] == "value-type":
                slot.node.attributes[key] = "string"


def sweep(node: Node) -> None:
    """Take out elements that are marked as none, and texts that are empty now."""
    node.content = [c for c in node.content if (c if isinstance(c, str) else c.tag)]
    for inner in node.children():
        sweep(inner)
