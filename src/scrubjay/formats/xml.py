"""XML: text, attributes, comments, processing instructions, CDATA; names of elements too.

An element with text of its own is one text with all that is in it, so that a name in two elements
is found. Read in blocks and written anew: what it means stays, entities and blanks within tags do
not. No document type is followed, and one that declares anything is refused.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, pairwise
from typing import BinaryIO
from xml.parsers import expat

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats import fields, slots, strings
from scrubjay.formats.elements import Aside, Element, Text, alone, local, owned
from scrubjay.formats.markup import ENCODINGS, NAMESPACE, QUOTED, escape
from scrubjay.formats.naming import NUMBER, says_who, words
from scrubjay.formats.slots import Part, Piece, Slot
from scrubjay.formats.subjects import Person
from scrubjay.formats.work import Work
from scrubjay.types import Anonymized, Document

BLOCK = 1 << 16  # bytes
LONGEST_TAG = 1 << 24  # bytes; the parser begins again with every block of an unfinished one
DEEPEST, WIDEST = 200, 10_000
HELD = 1 << 16  # characters of an element without text of its own that are held to see if one comes
BREAKING = frozenset(
    ["br", "p", "div", "li", "dt", "dd", "td", "th", "tr", "list", "item", "table", "row", "cell"]
) | {"paragraph", "caption", "title", "head", "line"}


class Tree:
    """What the parser tells, as parts, as soon as they are whole."""

    def __init__(self, work: Work) -> None:
        self.encoding = "utf-8"
        self.ready: list[Part] = []
        self._work = work
        self._writer = Writer(work)
        self._open = [Element("", begun=True)]
        self._held = self._long = self._total = 0
        self._cdata = False
        self._parser = self._prepared()
        self._fed = 0

    def _prepared(self) -> expat.XMLParserType:
        parser = expat.ParserCreate()
        parser.ordered_attributes = True
        parser.buffer_text = True
        parser.XmlDeclHandler = self._declared
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = parser.SkippedEntityHandler = _refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.CommentHandler = lambda text: self._add(Aside(text), len(text))
        parser.ProcessingInstructionHandler = self._instruction
        parser.StartCdataSectionHandler = lambda: setattr(self, "_cdata", True)
        parser.EndCdataSectionHandler = lambda: setattr(self, "_cdata", False)
        return parser

    def feed(self, data: bytes) -> list[Part]:
        """The next bytes, none at the end; what is ready is given."""
        self._fed += len(data)
        try:
            self._parser.Parse(data, not data)
        except expat.ExpatError as problem:
            told = expat.ErrorString(problem.code)
            raise InputError(
                f"line {problem.lineno}: not XML: {told}; if it is HTML, say --format html"
            ) from None
        except (ValueError, LookupError):
            raise InputError("the encoding that it declares is unknown: make it UTF-8") from None
        if self.unfinished() > LONGEST_TAG:
            raise InputError(f"a tag or comment of more than {LONGEST_TAG >> 20} MiB")
        ready, self.ready = self.ready, []
        return ready

    def unfinished(self) -> int:
        """Bytes of a tag that has not ended."""
        return self._fed - self._parser.CurrentByteIndex

    def _declared(self, version: str, encoding: str | None, standalone: int) -> None:
        told = f' encoding="{encoding}"' if encoding else ""
        alone = {0: ' standalone="no"', 1: ' standalone="yes"'}.get(standalone, "")
        self.encoding = encoding or self.encoding
        if not re.fullmatch(f"{ENCODINGS.pattern}|utf-16(?:le|be)?", self.encoding, re.I):
            raise InputError("the encoding that it declares is unknown: make it UTF-8")
        self.ready.append(f'<?xml version="1.0"{told}{alone}?>\n')

    def _doctype(self, name: str, system: str | None, public: str | None, inside: int) -> None:
        if inside:
            _refuse()
        self._work.dropped("document type")

    def _start(self, name: str, attributes: list[str]) -> None:
        if len(attributes) > 2 * WIDEST:
            raise InputError(f"more than {WIDEST:,} attributes in a tag")
        if len(self._open) > DEEPEST:
            raise InputError(f"elements within elements, more than {DEEPEST} deep")
        self._open.append(Element(name, attributes, at=self._total))
        self._hold(len(name) + sum(map(len, attributes)))

    def _end(self, name: str) -> None:
        if self._open[-1].begun:
            self._tell()
            self.ready.append(self._writer.end(self._open.pop()))
            self.ready += ["\n"] * (len(self._open) == 1)
        else:
            self._add(self._open.pop(), 0)
        if self._held > HELD:
            self._begin()

    def _text(self, text: str) -> None:
        children = self._open[-1].children
        last = children[-1] if children else None
        if isinstance(last, Text) and last.cdata == self._cdata:
            last.text += text
            self._count(len(text))
        else:
            self._add(Text(text, self._cdata), len(text))

    def _instruction(self, target: str, text: str) -> None:
        self._add(Aside(text, target), len(text))

    def _add(self, child: Text | Aside | Element, length: int) -> None:
        parent = self._open[-1]
        if parent.begun and not isinstance(child, Text):
            self._tell()
            if isinstance(child, Element):
                owned(child, self._work.people, parent.person)
            self.ready += self._writer.child(child, parent)
            if parent is self._open[0]:
                self.ready.append("\n")
        else:
            parent.children.append(child)
        self._count(length)

    def _tell(self) -> None:
        """Text of an element that is begun goes before what comes behind it."""
        parent = self._open[-1]
        self.ready += self._writer.spoken(parent.children, parent)
        parent.children.clear()

    def _hold(self, length: int) -> None:
        self._held += length
        self._total += length

    def _count(self, length: int) -> None:
        self._hold(length)
        self._long += length
        if self._long > self._work.limits.text:
            raise InputError(f"a text of more than {self._work.limits.text >> 20} MiB")

    def _begin(self) -> None:
        """Give away what is held, from the outermost element on: down to one that is short, and to
        one that has text of its own."""
        self._held = 0
        for outer, element in pairwise(self._open):
            if element.begun:
                continue
            if element.speaks():
                return
            if self._total - element.at <= HELD:
                self._held = self._long = self._total - element.at
                return
            element.begun = True
            self._tell_begun(element, outer.person)
        self._long = 0

    def _tell_begun(self, element: Element, around: Person) -> None:
        owned(element, self._work.people, around)
        self.ready += self._writer.start(element)
        for child in element.children:
            self.ready += self._writer.child(child, element)
        element.person = alone(element, self._work.people, around)
        element.children.clear()


def _refuse(*_: object) -> None:
    raise InputError("it declares entities or a document type of its own: take the DOCTYPE out")


class Writer:
    """Elements as parts."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._memory = slots.Memory()
        self._looked: set[str] = set()
        self._renamed: dict[str, str] = {}
        self._namespaces: dict[str, str] = {}

    def child(self, child: Text | Aside | Element, parent: Element) -> Iterable[Part]:
        """As it stands in an element without text of its own."""
        if isinstance(child, Text):
            return self.spoken([child], parent)
        if isinstance(child, Aside):
            return self._aside(child, parent.person)
        return self._element(child, parent)

    def _element(self, element: Element, parent: Element) -> Iterator[Part]:
        if element.speaks():
            if len(element.children) == 1:
                yield from self._leaf(element, local(parent.name))
            else:
                yield from self.spoken([element], element)
            return
        yield from self.start(element)
        for child in element.children:
            yield from self.child(child, element)
        yield self.end(element)

    def spoken(self, nodes: list[Text | Aside | Element], element: Element) -> Iterator[Part]:
        """One text, wherever it lies in them."""
        parts = list(chain.from_iterable(self._flat(node, element.person) for node in nodes))
        spoken = "".join(part.text for part in parts if isinstance(part, Piece))
        about = element.person.document(spoken)
        yield slots.pieced(parts, fields.document("", element.says(), about))

    def _leaf(self, element: Element, within: str) -> Iterator[Part]:
        """An element that holds a text and nothing else."""
        [child] = element.children
        yield from self.start(element)
        if isinstance(child, Text):
            about = element.person.document(child.text)
            document = fields.document(child.text, element.says(), about, within=within)
            yield self._string(document, child.write(child.text), child.write, element.person)
        yield self.end(element)

    def _string(
        self, document: Document, raw: str, write: Callable[[str], str], whose: Person
    ) -> Part:
        return strings.part(document, raw, write, self._work.of(whose), memory=self._memory)

    def _flat(self, node: Text | Aside | Element, whose: Person) -> Iterator[Part | Piece]:
        if isinstance(node, Text):
            yield Piece(node.text, node.write)
        elif isinstance(node, Aside):
            yield from self._aside(node, whose)
        else:
            ends = Piece("", str, "\n") if local(node.name).lower() in BREAKING else ""
            yield ends
            yield from self.start(node)
            for child in node.children:
                yield from self._flat(child, node.person)
            yield self.end(node)
            yield ends

    def start(self, element: Element) -> Iterator[Part]:
        """`<a b="c">`."""
        yield from self._look(element.name)
        yield self._name("<", element.name)
        for name, value in element.pairs():
            yield from self._look(name)
            yield self._name(" ", name)
            yield '="'
            yield self._attribute(element, name, value)
            yield '"'
        yield ">" if element.children or element.begun else "/>"

    def end(self, element: Element) -> Part:
        """Written when its start is, with the same name."""
        if not element.children and not element.begun:
            return ""
        return self._name("</", element.name, ">")

    def _attribute(self, element: Element, name: str, value: str) -> Part:
        raw = escape(value, QUOTED)
        if name.partition(":")[0] == "xmlns" or name.endswith("chemaLocation"):
            if not NAMESPACE.fullmatch(value) or NUMBER.search(value):
                return self._namespace(value)
            return self._memory.kept(Document(words(value)), raw, lambda _: self._namespace(value))
        if fields.named(local(name), value):
            return raw
        about = element.person.document(value)
        document = fields.document(value, element.names(local(name)), about)
        return self._string(document, raw, lambda told: escape(told, QUOTED), element.person)

    def _namespace(self, value: str) -> str:
        """Another one, the same each time: half a namespace is none."""
        return self._namespaces.setdefault(value, f"urn:namespace:{len(self._namespaces) + 1}")

    def _look(self, name: str) -> Iterator[Part]:
        """A slot that writes nothing, and learns if the name must be another."""
        if name not in self._looked and name != "xmlns":
            self._looked.add(name)
            yield Slot([Document(words(name))], partial(self._rename, name))

    def _rename(self, name: str, results: list[Anonymized]) -> str:
        if says_who(name, results[0]):
            for part in name.split(":"):
                if part not in {"xml", "xmlns", *self._renamed}:
                    self._renamed[part] = f"x-{len(self._renamed) + 1}"
        return ""

    def _name(self, before: str, name: str, behind: str = "") -> Part:
        def write(_: object) -> str:
            parts = (self._renamed.get(part, part) for part in name.split(":"))
            return before + ":".join(parts) + behind

        return Slot([], write)

    def _aside(self, aside: Aside, whose: Person) -> Iterator[Part]:
        document = whose.document(html.unescape(aside.text))
        if aside.target:
            yield from self._look(aside.target)
            yield self._name("<?", aside.target, " ")
            yield slots.kept(document, aside.text, lambda told: told.replace("?>", "? >"))
            yield "?>"
        else:
            yield "<!--"
            yield slots.kept(document, aside.text, lambda told: re.sub("-(?=-|$)", "- ", told))
            yield "-->"


class Xml:
    """`xml.v1`."""

    name = "xml.v1"
    suffixes: tuple[str, ...] = (".xml",)

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """In the encoding that it declares."""
        tree = Tree(work)
        first = source.read(BLOCK)
        ready = tree.feed(first)
        encoding = "utf-16" if first[:2] in (b"\xff\xfe", b"\xfe\xff") else tree.encoding
        parts = chain(ready, _rest(source, tree))
        slots.write(parts, target, work.clean, encoding, errors="xmlcharrefreplace")


def _rest(source: BinaryIO, tree: Tree) -> Iterator[Part]:
    while block := source.read(
        max(BLOCK, tree.unfinished())
    ):  # doubles: it is read in vain until it ends
        yield from tree.feed(block)
    yield from tree.feed(b"")


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`xml.v1`."""
    return Xml()
