"""XML as a small tree that is written again as it was: names with their prefixes, attributes and
blanks in order. No DTD, no entities of its own, no processing instructions, bounded depth.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from typing import IO
from xml.parsers import expat

from scrubjay.errors import InputError

DEEPEST = 100
MOST = 5_000_000  # elements and attributes
BLOCK = 1 << 18  # bytes
_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_VALUE = {**_TEXT, '"': "&quot;", "\n": "&#10;", "\t": "&#9;"}
PREFIXES = frozenset(
    {
        "xml",
        "xmlns",
        "xsi",
        "xs",
        "xsd",
        "sdtc",
        "cda",
        "v3",
        "hl7",
        "n1",
        "n2",
        "n3",
        "voc",
        "fhir",
        "xhtml",
        "h",
    }
)
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Node:
    """An element. `content` holds text and elements in order; neighbours are never both text.
    `name` is the tag without its prefix."""

    __slots__ = ("_tag", "attributes", "content", "name")

    def __init__(self, tag: str, attributes: dict[str, str] | None = None) -> None:
        self.tag = tag
        self.attributes = attributes or {}
        self.content: list[Node | str] = []

    @property
    def tag(self) -> str:
        """As it is written."""
        return self._tag

    @tag.setter
    def tag(self, tag: str) -> None:
        self._tag = tag
        self.name = tag.rpartition(":")[2]  # read far more often

    def children(self, *names: str) -> Iterator[Node]:
        """Elements directly below, of these names or any."""
        for inner in self.content:
            if isinstance(inner, Node) and (not names or inner.name in names):
                yield inner

    def find(self, *path: str) -> Iterator[Node]:
        """Elements by a path of names."""
        if not path:
            yield self
            return
        for inner in self.children(path[0]):
            yield from inner.find(*path[1:])

    def every(self) -> Iterator[Node]:
        """This element and all below, in order."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack += [inner for inner in reversed(node.content) if isinstance(inner, Node)]

    def text(self) -> str:
        """All text below."""
        return "".join(inner if isinstance(inner, str) else inner.text() for inner in self.content)


class _Builder:
    def __init__(self, renames: bool) -> None:
        self.root: Node | None = None
        self.left_out: list[str] = []
        self._open: list[Node] = []
        self._count = 0
        self._prefixes: dict[str, str] = {}
        self._renames = renames

    def start(self, tag: str, attributes: list[str]) -> None:
        self._count += 1 + len(attributes) // 2
        if len(self._open) >= DEEPEST or self._count > MOST:
            raise InputError("XML nested too deeply, or of too many elements")
        names: Iterable[str] = attributes[::2]
        if self._renames:
            tag, names = self._named(tag), map(self._named, names)
        node = Node(tag, dict(zip(names, attributes[1::2], strict=True)))
        if self._open:
            self._open[-1].content.append(node)
        else:
            self.root = node
        self._open.append(node)

    def _named(self, name: str) -> str:
        """Prefixes are for their author to choose, so they could tell something."""
        prefix, colon, local = name.rpartition(":")
        if prefix == "xmlns":
            return f"xmlns:{self._prefix(local)}"
        return f"{self._prefix(prefix)}:{local}" if colon else name

    def _prefix(self, prefix: str) -> str:
        if prefix in PREFIXES:
            return prefix
        return self._prefixes.setdefault(prefix, f"ns{len(self._prefixes) + 1}")

    def end(self, tag: str) -> Node:
        return self._open.pop()

    def forget(self) -> None:
        """What stands in the element that is open."""
        if self._open:
            self._open[-1].content = []

    def text(self, text: str) -> None:
        content = self._open[-1].content
        if content and isinstance(content[-1], str):
            content[-1] += text
        else:
            content.append(text)

    def refuse(self, *_: object) -> None:
        raise InputError("XML with a document type or entities of its own: not read")

    def leave_out(self, *_: object) -> None:
        self.left_out.append("XML comment or instruction")


def parse(data: bytes | str, left_out: list[str] | None = None, *, renames: bool = True) -> Node:
    """The root element. Comments and instructions are left out, and told. Prefixes that nobody
    knows get other names, where it `renames`."""
    builder = _Builder(renames)
    parser = _parser(builder)
    with _reading():
        parser.Parse(data, True)
    if builder.root is None:
        raise InputError("not XML: no element")
    if left_out is not None:
        left_out += builder.left_out
    return builder.root


def each(stream: IO[bytes], name: str, within: str) -> Iterator[tuple[int, Node]]:
    """Elements of a name as they end, with how many of the other name began before. Nothing else
    is held, so that a large file is not."""
    builder = _Builder(renames=False)
    parser = _parser(builder)
    done: list[tuple[int, Node]] = []
    began, around = 0, 0

    def start(tag: str, attributes: list[str]) -> None:
        nonlocal began, around
        builder.start(tag, attributes)
        began += tag.rpartition(":")[2] == within
        around += tag.rpartition(":")[2] == name

    def end(tag: str) -> None:
        nonlocal around
        node = builder.end(tag)
        if node.name == name:
            around -= 1
            done.append((began, node))
        if not around:
            builder.forget()

    parser.StartElementHandler, parser.EndElementHandler = start, end
    with _reading():
        while data := stream.read(BLOCK):
            parser.Parse(data, False)
            yield from done
            done.clear()
        parser.Parse(b"", True)


def _parser(builder: _Builder) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.ordered_attributes = True
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = builder.refuse
    parser.EntityDeclHandler = builder.refuse
    parser.SkippedEntityHandler = builder.refuse
    parser.CommentHandler = builder.leave_out
    parser.ProcessingInstructionHandler = builder.leave_out
    return parser


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (expat.ExpatError, LookupError, ValueError) as problem:
        raise InputError(f"not XML: {_why(problem)}") from None


def _why(problem: Exception) -> str:
    if isinstance(problem, expat.ExpatError):
        words = expat.errors.messages.get(problem.code, "damaged")
        return f"{words}, line {problem.lineno}"
    return "an encoding that is not known"


def write(root: Node) -> str:
    """The element and all below as text, without a declaration."""
    parts: list[str] = []
    _write(root, parts)
    return "".join(parts)


def _write(node: Node, parts: list[str]) -> None:
    parts.append(f"<{node.tag}")
    parts += [f' {name}="{escape(value, _VALUE)}"' for name, value in node.attributes.items()]
    if not node.content:
        parts.append("/>")
        return
    parts.append(">")
    for inner in node.content:
        if isinstance(inner, str):
            parts.append(escape(inner, _TEXT))
        else:
            _write(inner, parts)
    parts.append(f"</{node.tag}>")


def escape(text: str, signs: dict[str, str]) -> str:
    """Text as it stands between tags or quotes; what XML cannot hold becomes U+FFFD."""
    text = _UNFIT.sub("\ufffd", text)
    for sign, told in signs.items():
        text = text.replace(sign, told) if sign in text else text
    return text
