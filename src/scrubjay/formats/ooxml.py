"""Packages of Office Open XML: Word documents (`docx.v1`) and PowerPoint presentations (`pptx.v1`).

A new package is made of those parts that are reached by relations of a known kind. All others
(macros, templates, custom data, fonts, thumbnails, signatures) are left out and told.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

from msgspec import Struct, field

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats import officepack
from scrubjay.formats.officebare import Bare, code, known_space
from scrubjay.formats.officecells import named, places
from scrubjay.formats.officemarks import mark, renumber
from scrubjay.formats.officepack import EMPTY, PICTURES, Pack, markup
from scrubjay.formats.officetext import Values, Words, more, sweep
from scrubjay.formats.work import Work
from scrubjay.formats.xmltree import Node

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/"
TYPES = "application/vnd.openxmlformats-"
RELATIONS = re.compile(
    r"http://(?:schemas\.openxmlformats\.org|purl\.oclc\.org/ooxml)/officeDocument/"
    r"(?:2006/)?relationships"
)
_MAIN = (
    r"application/vnd\.(?:openxmlformats-officedocument\.(?:wordprocessing|presentation)ml"
    r"|ms-word|ms-powerpoint)\."
)
MAIN = {  # by format: kind, folder and name of its main part
    "docx.v1": (
        re.compile(_MAIN + r"(?:document|template)(?:\.macro\w+)?\.main\+xml"),
        "word",
        "document",
    ),
    "pptx.v1": (
        re.compile(_MAIN + r"(?:presentation|slideshow|template)(?:\.macro\w+)?\.main\+xml"),
        "ppt",
        "presentation",
    ),
    "xlsx.v1": (re.compile("(?!)"), "xl", ""),
}
KINDS = frozenset(
    """officeDocument core-properties styles settings webSettings fontTable numbering footnotes
    endnotes header footer comments commentsExtended commentsIds commentsExtensible people theme
    themeOverride chart chartEx chartUserShapes chartStyle chartColorStyle diagramData diagramLayout
    diagramQuickStyle diagramColors diagramDrawing slide slideLayout slideMaster notesSlide
    notesMaster handoutMaster presProps viewProps tableStyles commentAuthors authors
    vmlDrawing""".split()  # noqa: SIM905
)
DRAWN = frozenset(  # on sheets, and what is said there
    """drawing chart chartUserShapes chartStyle chartColorStyle themeOverride threadedComment
    person""".split()  # noqa: SIM905
)
TOLD = {
    "chart": "chart",
    "chartEx": "chart",
    "extended-properties": "document properties",
    "custom-properties": "document properties",
    "customXml": "custom XML",
    "tags": "custom XML",
    "thumbnail": "thumbnail",
    "vbaProject": "macro",
    "wordVbaData": "macro",
    "oleObject": "embedded object",
    "package": "embedded file",
    "control": "control",
    "activeXControlBinary": "control",
    "font": "font",
    "printerSettings": "printer settings",
    "glossaryDocument": "building blocks",
    "attachedTemplate": "template",
    "audio": "sound or film",
    "video": "sound or film",
    "media": "sound or film",
    "origin": "signature",
    "signature": "signature",
    "image": "image",
}
SHEETS = {
    ".xlsx": f"{TYPES}officedocument.spreadsheetml.sheet",
    ".docx": f"{TYPES}officedocument.wordprocessingml.document",
    ".pptx": f"{TYPES}officedocument.presentationml.presentation",
}
LINKED = frozenset(["hyperlink", "headerReference", "footerReference"])  # stay without their target


class Relation(Struct):
    """From one part to another, or to the world."""

    id: str
    kind: str
    type: str
    target: str
    external: bool

    def __repr__(self) -> str:
        return "Relation()"

    def renewed(self, id_: str, target: str) -> Node:
        """As it stands in the new package."""
        told = {"Id": id_, "Type": self.type, "Target": target}
        if self.external:
            told["TargetMode"] = "External"
        return Node("Relationship", told)


class Part(Struct):
    """`name` is the new one; of XML there is a tree, of anything else data."""

    name: str
    type: str
    tree: Node | None = None
    data: bytes = b""
    relations: list[Node] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"Part({self.name!r})"


class Package:
    """What is read of one, and becomes the new one, or what of a workbook is drawn."""

    def __init__(self, pack: Pack, work: Work, kind: str) -> None:
        self._pack = pack
        self._work = work
        self._kinds = DRAWN if kind == "xlsx.v1" else KINDS
        self._main, self._folder, self._stem = MAIN[kind]
        self._types = self._content_types()
        self._count: Counter[str] = Counter()
        self._queue: deque[tuple[str, Part]] = deque()
        self.parts: dict[str, Part] = {}  # by old name, in order
        self.root = Part("", "")
        self._left: set[str] = set()

    def read(self) -> None:
        """All parts that are reached."""
        self._follow("", self.root)
        self._reach()
        if not any(self._main.fullmatch(part.type) for part in self.parts.values()):
            raise InputError("no document in it: damaged, or of another kind than it says")
        self._tell()

    def add(self, relation: Relation) -> str | None:
        """A part that is reached from elsewhere, and all that it reaches: its new name."""
        target = self._target(relation)
        self._reach()
        return target

    def _reach(self) -> None:
        while self._queue:
            old, part = self._queue.popleft()
            self._follow(old, part)

    def _content_types(self) -> dict[str, str]:
        found = {}
        for node in self._pack.tree("[Content_Types].xml").children():
            kind = node.attributes.get("ContentType", "")
            if node.name == "Default":
                found["." + node.attributes.get("Extension", "").lower()] = kind
            else:
                found[node.attributes.get("PartName", "").lstrip("/").lower()] = kind
        return found

    def _type(self, name: str) -> str:
        suffix = posixpath.splitext(name)[1].lower()
        return self._types.get(name.lower(), self._types.get(suffix, ""))

    def relations(self, part: str) -> list[Relation]:
        """Where a part leads."""
        folder, name = posixpath.split(part)
        path = posixpath.join(folder, "_rels", f"{name}.rels")
        if path not in self._pack:
            return []
        found = []
        for node in self._pack.tree(path).children("Relationship"):
            told = node.attributes
            kind, target = told.get("Type", ""), told.get("Target", "")
            external = told.get("TargetMode") == "External"
            if not external:
                whole = target[1:] if target.startswith("/") else posixpath.join(folder, target)
                target = posixpath.normpath(whole.partition("#")[0])
            tail = kind.rpartition("/")[2]
            found.append(Relation(told.get("Id", ""), tail, kind, target, external))
        return found

    def _follow(self, old: str, part: Part) -> None:
        """Read what a part relates to, and tie the part's own tree to it."""
        ids: dict[str, str] = {}
        for number, relation in enumerate(self.relations(old), 100_001):
            target = self._target(relation)
            if target is None:
                continue
            fit = re.fullmatch(r"rId\d{1,5}", relation.id)
            ids[relation.id] = relation.id if fit else f"rId{number}"
            part.relations.append(relation.renewed(ids[relation.id], target))
        if part.tree is not None:
            _tie(part.tree, ids, _prefixes(part.tree))

    def _target(self, relation: Relation) -> str | None:
        """Where the new relation leads; nothing if it is left out."""
        if not known_space(relation.type):
            self._drop(relation.kind)
            return None
        if relation.external:
            if relation.kind == "hyperlink":
                return relation.target
            self._work.dropped("link to another file")
            return None
        if relation.target not in self._pack:
            self._work.dropped("missing part")
            return None
        self._left.add(relation.target.lower())
        if relation.target not in self.parts and not self._take(relation):
            return None
        return f"/{self.parts[relation.target].name}"

    def _take(self, relation: Relation) -> bool:
        kind = relation.kind
        if kind in self._kinds:
            return self._markup(relation)
        if kind == "image":
            return self._picture(relation)
        if kind == "package":
            return self._embedded(relation)
        self._drop(kind)
        return False

    def _drop(self, kind: str) -> None:
        self._work.dropped(TOLD.get(kind, "other part"))

    def _markup(self, relation: Relation) -> bool:
        kind = self._type(relation.target)
        plain = kind == "application/xml" or relation.kind == "vmlDrawing"
        if not plain and not (kind.startswith("application/vnd.") and code(kind, 4)):
            raise InputError("a part of a kind that is not known")
        tree = self._pack.tree(relation.target)
        if not Bare(self._work).prune(tree):
            return False
        tail = relation.kind
        suffix = ".vml" if tail == "vmlDrawing" else ".xml"
        if tail == "officeDocument" and not self._main.fullmatch(kind):
            raise InputError("its main part is of another kind than it says")
        folder = "docProps" if tail == "core-properties" else self._folder
        tail = {"officeDocument": self._stem, "core-properties": "core"}.get(tail, tail)
        if plain and tail == "vmlDrawing":
            kind = f"{TYPES}officedocument.vmlDrawing"
        self._add(relation.target, Part(self._name(folder, tail, suffix), kind, tree))
        return True

    def _name(self, folder: str, stem: str, suffix: str) -> str:
        self._count[stem] += 1
        number = "" if self._count[stem] == 1 else str(self._count[stem])
        return f"{folder}/{stem}{number}{suffix}"

    def _add(self, old: str, part: Part) -> None:
        self.parts[old] = part
        if part.tree is not None:
            self._queue.append((old, part))

    def _picture(self, relation: Relation) -> bool:
        """Through its reader; without one, an empty picture stands there."""
        suffix = posixpath.splitext(relation.target)[1].lower()
        data = self._pack.cleaned(relation.target, suffix) if suffix in PICTURES else None
        if data is None:
            self._work.dropped("image")
            if suffix == ".svg":  # a PNG stands beside it
                return False
            data, suffix = EMPTY, ".png"
        name = self._name(f"{self._folder}/media", "image", suffix)
        self._add(relation.target, Part(name, PICTURES[suffix], data=data))
        return True

    def _embedded(self, relation: Relation) -> bool:
        suffix = posixpath.splitext(relation.target)[1].lower()
        data = self._pack.cleaned(relation.target, suffix) if suffix in SHEETS else None
        if data is None:
            self._drop("package")
            return False
        name = self._name(f"{self._folder}/embeddings", "file", suffix)
        self._add(relation.target, Part(name, SHEETS[suffix], data=data))
        return True

    def _tell(self) -> None:
        """Of what lies in the package and nothing relates to."""
        for name in self._pack:
            if name != "[content_types].xml" and not self.saw(name):
                self._drop("")

    def saw(self, name: str) -> bool:
        """Whether what is to be told of a part is told, by its name in lower case."""
        return name in self._left or name.endswith(".rels")

    def clean(self, known: Values | None = None) -> None:
        """All strings of all parts, and addresses in the world."""
        words = Words(self._work)
        parts = (self.root, *self.parts.values())
        for part in parts:
            if part.tree is not None:
                words.add(part.tree, places(part.tree, self._work.group))
        for part in parts:
            for relation in part.relations:
                if "TargetMode" in relation.attributes:
                    words.add(relation)
        words.clean(known)
        for part in parts:
            if part.tree is not None:
                sweep(part.tree)

    def members(self) -> Iterator[tuple[str, bytes]]:
        """Types, relations and parts of the new one."""
        types = {part.name: part.type for part in self.parts.values()}
        yield "[Content_Types].xml", content_types(types)
        yield "_rels/.rels", relationships(self.root.relations)
        yield from self.written()

    def written(self) -> Iterator[tuple[str, bytes]]:
        """Parts and their relations."""
        for part in self.parts.values():
            yield part.name, markup(part.tree) if part.tree is not None else part.data
            if part.relations:
                folder, name = posixpath.split(part.name)
                yield f"{folder}/_rels/{name}.rels", relationships(part.relations)


def _prefixes(root: Node) -> frozenset[str]:
    """Those that mean a relation."""
    return frozenset(
        key.partition(":")[2]
        for node in root.every()
        for key, uri in node.attributes.items()
        if key.startswith("xmlns:") and RELATIONS.fullmatch(uri)
    )


def _tie(node: Node, ids: dict[str, str], prefixes: frozenset[str]) -> bool:
    """New ids for old; whether the element stays: one that was there for its target does not."""
    lost = kept = False
    for key, value in list(node.attributes.items()):
        if key.partition(":")[0] in prefixes and ":" in key and value:
            if value in ids:
                node.attributes[key] = ids[value]
                kept = True
            else:
                del node.attributes[key]
                lost = True
    if lost and not kept and node.name not in LINKED:
        return False
    had = bool(node.content)
    inside: list[Node | str] = []
    for inner in node.content:
        if isinstance(inner, Node) and inner.name == "graphicFrame" and _lost(inner, ids, prefixes):
            pictures = [one for one in inner.every() if one.name == "pic"][-1:]
            inside += [one for one in pictures if _tie(one, ids, prefixes)]
        elif isinstance(inner, str) or _tie(inner, ids, prefixes):
            inside.append(inner)
    node.content = inside
    return not (had and not inside and node.name in {"ext", "graphicData", "OLEObject"})


def _lost(frame: Node, ids: dict[str, str], prefixes: frozenset[str]) -> bool:
    """Whether it shows an object that is left out: then its picture alone stays."""
    for node in frame.every():
        if node.name == "oleObj":
            told = [v for k, v in node.attributes.items() if k.partition(":")[0] in prefixes]
            if not any(value in ids for value in told):
                return True
    return False


def relation(id_: str, kind: str, target: str) -> Node:
    """A new one, of a kind that is the format's own."""
    return Relation(id_, kind, f"{OFFICE}/{kind}", target, False).renewed(id_, target)


def relationships(relations: Iterable[Node]) -> bytes:
    """A part of them."""
    root = Node("Relationships", {"xmlns": f"{PACKAGE}relationships"})
    root.content.extend(relations)
    return markup(root)


def content_types(types: Mapping[str, str]) -> bytes:
    """The part that tells the types of others: of XML by name, of anything else by suffix."""
    root = Node("Types", {"xmlns": f"{PACKAGE}content-types"})
    kinds = {"rels": f"{TYPES}package.relationships+xml", "xml": "application/xml"}
    kinds |= {n.rpartition(".")[2]: kind for n, kind in types.items() if not n.endswith(".xml")}
    for suffix, kind in kinds.items():
        root.content.append(Node("Default", {"Extension": suffix, "ContentType": kind}))
    for name, kind in types.items():
        if name.endswith(".xml"):
            told = {"PartName": f"/{name}", "ContentType": kind}
            root.content.append(Node("Override", told))
    return markup(root)


class Office:
    """`docx.v1` or `pptx.v1`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.suffixes: tuple[str, ...] = (".pptx", ".pptm", ".ppsx", ".potx")
        if name == "docx.v1":
            self.suffixes = (".docx", ".docm", ".dotx", ".dotm")

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """All parts are one text: none is written before all are read."""
        package = Package(Pack(source, work), work, self.name)
        package.read()
        trees = [part.tree for part in package.parts.values() if part.tree is not None]
        mark(trees)
        renumber(trees)
        package.clean(more({}, (one for tree in trees for one in named(tree))))
        officepack.write(package.members(), target)


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`docx.v1` or `pptx.v1`."""
    return Office(name)
