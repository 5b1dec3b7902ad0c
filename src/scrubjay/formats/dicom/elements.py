"""DICOM's encoding, PS3.5: a data set as elements, read within bounds and written again.

Values stay bytes in the file's own byte order. Long ones stay in the source: a `Span` says where.
Lengths are believed only as far as the file goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, BinaryIO

from msgspec import Struct, structs
from pydicom.datadict import dictionary_VR

from scrubjay.errors import InputError

LONG = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"))
SHORT = frozenset(
    ("AE", "AS", "AT", "CS", "DA", "DS", "DT", "FL", "FD", "IS", "LO", "LT", "PN", "SH", "SL", "SS")
) | {"ST", "TM", "UI", "UL", "US"}
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXELS = 0x7FE00010
HELD = 1 << 16  # bytes of a value that are held in memory, unless it is a text
LARGEST = 1 << 28  # bytes of a text
DEEPEST = 32  # sequences in sequences
MOST = 1 << 20  # elements and items
BLOCK = 1 << 20


class Span(Struct, frozen=True):
    """A value that is still in the source, or in a file of its own."""

    offset: int
    length: int
    file: Any = None


class Element(Struct):
    """`value`: bytes, a place in the source, items of a sequence, or fragments of pixels."""

    tag: int
    vr: str
    value: bytes | Span | list[list[Element]] | tuple[Span | bytes, ...]

    def __repr__(self) -> str:
        return f"Element({told(self.tag)}, {self.vr!r})"


class Syntax(Struct, frozen=True):
    """How a data set is encoded."""

    implicit: bool
    big: bool = False

    def number(self, data: bytes) -> int:
        """An unsigned integer."""
        return int.from_bytes(data, "big" if self.big else "little")

    def bytes(self, number: int, length: int) -> bytes:
        """An unsigned integer's bytes."""
        return number.to_bytes(length, "big" if self.big else "little")


class File(Struct):
    """What the file meta information says, where the data set is, and what is open for it."""

    syntax: str
    encoding: Syntax
    source: BinaryIO
    end: int
    opened: ExitStack


IMPLICIT = Syntax(implicit=True)
EXPLICIT = Syntax(implicit=False)


def held(source: BinaryIO, value: bytes | Span, most: int, tag: int) -> bytes:
    """A value in memory."""
    if isinstance(value, bytes):
        return value
    if value.length > most:
        raise InputError(f"{told(tag)}: more than {most >> 20} MiB in one value")
    source.seek(value.offset)
    return source.read(value.length)


def string(root: list[Element], tag: int) -> str:
    """A plain value of the data set; empty where there is none."""
    value = next((e.value for e in root if e.tag == tag), b"")
    return value.decode("latin-1").strip(" \0") if isinstance(value, bytes) else ""


def put(root: list[Element], tag: int, vr: str, value: bytes) -> None:
    """One value of the data set, whether it was there or not."""
    root[:] = [e for e in root if e.tag != tag] + [Element(tag, vr, value)]


def told(tag: int) -> str:
    """0x00100010 -> (0010,0010)."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def usual_vr(tag: int) -> str:
    """What the dictionary says of a tag: `OB or OW` gives OW, an unknown one UN."""
    try:
        vr = dictionary_VR(tag)
    except KeyError:
        return "UL" if tag & 0xFFFF == 0 else "UN"
    return vr.rpartition(" ")[2]


class Scope(Struct, frozen=True):
    """Where a data set ends, how it is encoded, in how many sequences it is."""

    end: int
    syntax: Syntax
    depth: int = 0


class Reader:
    """One file's."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._left = MOST

    def elements(self, end: int, syntax: Syntax) -> list[Element]:
        """The elements up to a place."""
        return list(self._elements(Scope(end, syntax)))

    def _elements(self, scope: Scope) -> Iterator[Element]:
        """Those of a data set, or up to the end of the item that they are in."""
        last = -1
        while self._source.tell() < scope.end:
            tag = self._tag(scope)
            if tag == ITEM_END and scope.depth:
                self._take(4, scope.end)
                return
            if tag <= last:
                raise InputError(f"{told(tag)}: elements are twice there, or not in order")
            last = tag
            yield self._element(tag, scope)

    def before(self, group: int, end: int, syntax: Syntax) -> list[Element]:
        """The elements up to the first that is not of the group."""
        found = []
        scope = Scope(end, syntax)
        while (at := self._source.tell()) < end:
            tag = self._tag(scope)
            if tag >> 16 != group:
                self._source.seek(at)
                break
            found.append(self._element(tag, scope))
        return found

    def _element(self, tag: int, scope: Scope) -> Element:
        vr, length = self._head(tag, scope)
        if length == UNDEFINED:
            return self._open(tag, vr, scope)
        here = self._source.tell()
        if length > scope.end - here:
            raise InputError(f"{told(tag)}: its length goes beyond the end: damaged or cut short")
        if vr == "SQ":
            inner = structs.replace(scope, end=here + length)
            return Element(tag, vr, self._items(tag, inner))
        if length > HELD and vr in ("OB", "OW", "OF", "OD", "OL", "OV", "UN"):
            self._source.seek(here + length)
            return Element(tag, vr, Span(here, length))
        if length > LARGEST:
            raise InputError(f"{told(tag)}: more than {LARGEST >> 20} MiB in one value")
        return Element(tag, vr, self._take(length, scope.end))

    def _head(self, tag: int, scope: Scope) -> tuple[str, int]:
        end, syntax = scope.end, scope.syntax
        if syntax.implicit:
            return usual_vr(tag), syntax.number(self._take(4, end))
        vr = self._take(2, end).decode("latin-1")
        if vr in SHORT:
            return vr, syntax.number(self._take(2, end))
        if vr not in LONG:
            raise InputError(f"{told(tag)}: no value representation that is known")
        self._take(2, end)
        return vr, syntax.number(self._take(4, end))

    def _open(self, tag: int, vr: str, scope: Scope) -> Element:
        """A value of undefined length: pixels in fragments, or a sequence; UN is implicit then
        (PS3.5 6.2.2)."""
        if tag == PIXELS and vr in ("OB", "OW"):
            return Element(tag, "OB", tuple(self._fragments(scope.end)))
        if vr == "UN" and scope.syntax.big:
            raise InputError(f"{told(tag)}: a little-endian sequence in a big-endian file")
        if vr not in ("UN", "SQ"):
            raise InputError(f"{told(tag)}: a {vr} of undefined length")
        inner = structs.replace(scope, syntax=IMPLICIT) if vr == "UN" else scope
        return Element(tag, "SQ", self._items(tag, inner, closed=False))

    def _items(self, tag: int, scope: Scope, *, closed: bool = True) -> list[list[Element]]:
        """Of a sequence that ends where its scope does, or, not `closed`, with a mark."""
        if scope.depth >= DEEPEST:
            raise InputError(f"{told(tag)}: sequences in sequences, more than {DEEPEST} deep")
        items: list[list[Element]] = []
        while self._source.tell() < scope.end:
            mark = self._tag(scope)
            length = scope.syntax.number(self._take(4, scope.end))
            if mark == SEQUENCE_END and not closed:
                return items
            left = scope.end - self._source.tell()
            if mark != ITEM or (length != UNDEFINED and length > left):
                raise InputError(f"{told(tag)}: its items are damaged or cut short")
            items.append(self._item(length, structs.replace(scope, depth=scope.depth + 1)))
        if not closed:
            raise InputError(f"{told(tag)}: a sequence without an end: cut short")
        return items

    def _item(self, length: int, scope: Scope) -> list[Element]:
        if length != UNDEFINED:
            end = self._source.tell() + length
            return list(self._elements(structs.replace(scope, end=end)))
        found = list(self._elements(scope))
        self._source.seek(-8, 1)
        if self._tag(scope) != ITEM_END:
            raise InputError("an item without an end: cut short")
        self._take(4, scope.end)
        return found

    def _fragments(self, end: int) -> Iterator[Span]:
        while self._source.tell() < end:
            mark = self._tag(Scope(end, EXPLICIT))
            length = EXPLICIT.number(self._take(4, end))
            here = self._source.tell()
            if mark == SEQUENCE_END:
                return
            if mark != ITEM or length > end - here:
                break
            yield Span(here, length)
            self._source.seek(here + length)
        raise InputError(f"{told(PIXELS)}: its fragments are damaged or cut short")

    def _tag(self, scope: Scope) -> int:
        self._left -= 1
        if self._left < 0:
            raise InputError(f"more than {MOST} elements")
        data = self._take(4, scope.end)
        return scope.syntax.number(data[:2]) << 16 | scope.syntax.number(data[2:])

    def _take(self, length: int, end: int) -> bytes:
        here = self._source.tell()
        if length > end - here:
            raise InputError(f"byte {here}: it ends inside an element: damaged or cut short")
        data = self._source.read(length)
        if len(data) != length:
            raise InputError(f"byte {here}: it ends inside an element: cut short")
        return data


class Writer:
    """Elements to a target; what is still in the source is copied in blocks."""

    def __init__(self, source: BinaryIO, target: BinaryIO) -> None:
        self._source = source
        self._target = target

    def write(self, elements: list[Element], syntax: Syntax) -> None:
        """In the order of their tags."""
        for element in sorted(elements, key=lambda element: element.tag):
            self._element(element, syntax)

    def _element(self, element: Element, syntax: Syntax) -> None:
        value, vr = element.value, element.vr
        if isinstance(value, Span):
            self._head(element.tag, vr, value.length + value.length % 2, syntax)
            self._copy(value)
        elif isinstance(value, bytes):
            data = value + pad(vr) * (len(value) % 2)
            if vr in SHORT and len(data) > 0xFFFF and not syntax.implicit:
                raise InputError(f"{told(element.tag)}: a substitute does not fit its length")
            self._head(element.tag, vr, len(data), syntax)
            self._target.write(data)
        else:
            self._head(element.tag, vr, UNDEFINED, syntax)
            for part in value:
                self._part(part, syntax)
            self._mark(SEQUENCE_END, 0, syntax)

    def _part(self, part: list[Element] | Span | bytes, syntax: Syntax) -> None:
        if isinstance(part, Span):
            self._mark(ITEM, part.length + part.length % 2, syntax)
            self._copy(part)
        elif isinstance(part, bytes):
            self._mark(ITEM, len(part) + len(part) % 2, syntax)
            self._target.write(part + b"\0" * (len(part) % 2))
        else:
            self._mark(ITEM, UNDEFINED, syntax)
            self.write(part, syntax)
            self._mark(ITEM_END, 0, syntax)

    def _head(self, tag: int, vr: str, length: int, syntax: Syntax) -> None:
        kind = b"" if syntax.implicit else vr.encode()
        wide = syntax.implicit or vr in LONG
        if wide and not syntax.implicit:
            kind += b"\0\0"
        self._tag(tag, syntax)
        self._target.write(kind + syntax.bytes(length, 4 if wide else 2))

    def _mark(self, tag: int, length: int, syntax: Syntax) -> None:
        self._tag(tag, syntax)
        self._target.write(syntax.bytes(length, 4))

    def _tag(self, tag: int, syntax: Syntax) -> None:
        self._target.write(syntax.bytes(tag >> 16, 2) + syntax.bytes(tag & 0xFFFF, 2))

    def _copy(self, span: Span) -> None:
        source = span.file or self._source
        source.seek(span.offset)
        left = span.length
        while left:
            block = source.read(min(left, BLOCK))
            if not block:
                raise InputError("the file became shorter while it was read")
            left -= len(block)
            self._target.write(block)
        self._target.write(b"\0" * (span.length % 2))


def pad(vr: str) -> bytes:
    """What makes a value's length even, PS3.5 6.2."""
    return b"\0" if vr in ("UI", "OB", "UN") else b" "
