"""OpenDocument files (`odf.v1`): texts, presentations, drawings and spreadsheets, with what is
embedded in them, as packages or flat. Macros, settings in words, previews and signatures stay out
and are told.
"""

from __future__ import annotations

import base64
import posixpath
import re
from collections.abc import Callable, Container, Iterator
from typing import BinaryIO

from msgspec import Struct, field

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats import officecells, officepack, xmltree
from scrubjay.formats.columns import Table
from scrubjay.formats.officebare import Bare
from scrubjay.formats.officemarks import mark
from scrubjay.formats.officepack import EMPTY, PICTURES, Pack, markup
from scrubjay.formats.officetext import Words, more, sweep
from scrubjay.formats.work import Work, seekable
from scrubjay.formats.xmltree import Node

KIND = re.compile(
    r"application/vnd\.oasis\.opendocument\.(?:text|presentation|graphics|spreadsheet)"
    r"(?:-template)?"
)
PARTS = ("content.xml", "styles.xml", "meta.xml", "settings.xml")
OBJECT = re.compile(r"object \d{1,5}")
MANIFEST = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
TOLD = {
    "thumbnails/": "thumbnail",
    "basic/": "macro",
    "scripts/": "macro",
    "dialogs/": "macro",
    "meta-inf/": "signature",
    "fonts/": "font",
    "object": "embedded object",
    "versions/": "older version",
}
SILENT = ("configurations2/", "manifest.rdf", "layout-cache", "objectreplacements/")
PLAIN = frozenset(["boolean", "short", "int", "long", "double"])  # settings that say nothing


class Odf(Struct):
    """`odf.v1`."""

    name: str = "odf.v1"
    suffixes: tuple[str, ...] = tuple(
        ".odt .ott .odp .otp .odg .ods .ots .fodt .fods .fodp .fodg".split()  # noqa: SIM905
    )

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """All parts are one text: none is written before all are read."""
        source = seekable(source)
        zipped = source.read(2) == b"PK"
        source.seek(0)
        if not zipped:
            _flat(source, target, work)
            return
        file = _File(Pack(source, work), work)
        file.read()
        _clean(list(file.trees.values()), file.kind, work)
        officepack.write(file.members(), target)

    def tables(self, source: BinaryIO, work: Work) -> Iterator[Table]:
        """Of a spreadsheet."""
        source = seekable(source)
        zipped = source.read(2) == b"PK"
        source.seek(0)
        with officepack.reading():
            yield from officecells.tables(
                Pack(source, work).open("content.xml") if zipped else source
            )


def _clean(trees: list[Node], kind: str, work: Work) -> None:
    """All words of all trees. Tables say what their cells are."""
    mark(trees)
    words = Words(work)
    sheets = "spreadsheet" in kind
    for tree in trees:
        cells = officecells.places(tree, work.group, sheets=sheets)
        words.add(tree, cells | officecells.properties(tree))
    computed = [
        (node, key, node.text())
        for tree in trees
        for node in tree.every()
        for key in node.attributes
        if node.name == "table-cell" and key.endswith(":formula")
    ]
    words.clean(more({}, (one for tree in trees for one in officecells.named(tree))))
    for cell, key, told in computed:  # it would say again what was replaced
        if cell.text() != told:
            cell.attributes.pop(key, None)
            work.dropped("formula")
    for tree in trees:
        sweep(tree)


def _prune(tree: Node, kind: str, work: Work) -> None:
    if "spreadsheet" in kind:  # which cells had which values before
        for body in tree.find("body", "spreadsheet"):
            _drop(body, "tracked-changes", "tracked changes", work)
    if not Bare(work).prune(tree):
        raise InputError("a part of a kind that is not known")


def _drop(node: Node, name: str, what: str, work: Work) -> None:
    kept = [c for c in node.content if isinstance(c, str) or c.name != name]
    if len(kept) < len(node.content):
        work.dropped(what, len(node.content) - len(kept))
        node.content = kept


def _flat(source: BinaryIO, target: BinaryIO, work: Work) -> None:
    """A file that is one part; pictures stand in it."""
    tree = xmltree.parse(work.whole(source), renames=False)
    kind = tree.attributes.get("office:mimetype", "")
    if tree.name != "document" or not KIND.fullmatch(kind):
        raise InputError("a kind of OpenDocument that is not read, or none")
    pictures = list(_pictures(tree, work))
    _prune(tree, kind, work)
    _bare_settings(tree)
    _Links((), work, str).tie(tree, "")
    _clean([tree], kind, work)
    for node, picture in pictures:
        node.content.append(picture)
    target.write(markup(tree))


def _pictures(tree: Node, work: Work) -> Iterator[tuple[Node, Node]]:
    """Where pictures stand, and their clean data; other files within are left out."""
    for node in tree.every():
        if node.name == "image":
            found = [*node.children("binary-data")]
            node.content = [c for c in node.content if c not in found]
            yield from ((node, _picture(told, work)) for told in found)
        else:
            _drop(node, "binary-data", "embedded object", work)


def _picture(told: Node, work: Work) -> Node:
    try:
        data = base64.b64decode(told.text(), validate=False)
    except ValueError:
        raise InputError("a picture that is not base64: damaged") from None
    clean = officepack.cleaned(data, ".bin", work)  # known by its first bytes alone
    if clean is None:
        work.dropped("image")
    made = Node("office:binary-data")
    made.content = [base64.b64encode(EMPTY if clean is None else clean).decode("ascii")]
    return made


class _Links(Struct):
    """`inside`: names of parts; `picture`: the new name of one."""

    inside: Container[object]
    work: Work
    picture: Callable[[str], str]

    def tie(self, node: Node, folder: str) -> None:
        """Links to what is in the file lead to what is in the new one; others are left out, but
        those that people follow."""
        if node.name == "frame" and any(node.children("object")):  # its preview is made anew
            node.content = [c for c in node.content if isinstance(c, str) or c.name != "image"]
        node.content = [c for c in node.content if isinstance(c, str) or self._tied(c, folder)]

    def _tied(self, node: Node, folder: str) -> bool:
        self.tie(node, folder)
        for key, value in list(node.attributes.items()):
            local = key.rpartition(":")[2] == "href" and value not in {"", ".", ".."}
            if not local or value.startswith("#") or node.name == "a":
                continue
            name = posixpath.normpath(posixpath.join(folder, value)).lower()
            if node.name == "image" and name in self.inside:
                node.attributes[key] = self.picture(name)
            elif OBJECT.fullmatch(name) and f"{name}/content.xml" in self.inside:
                node.attributes[key] = f"./{name.capitalize()}"
            elif node.name in {"form", "fill-image", "section-source", "hatch"}:
                del node.attributes[key]
                self.work.dropped("link to another file")
            else:
                inner = name in self.inside or OBJECT.fullmatch(name)
                self.work.dropped("embedded object" if inner else "link to another file")
                return False
        return True


class _File(Struct):
    pack: Pack
    work: Work
    kind: str = ""
    trees: dict[str, Node] = field(default_factory=dict)  # by new name
    pictures: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # by old name

    def __repr__(self) -> str:
        return "_File()"

    def read(self) -> None:
        """Trees, and the pictures that they show."""
        self.kind = self.pack.data("mimetype").decode("ascii", "replace").strip()
        if not KIND.fullmatch(self.kind):
            raise InputError("a kind of OpenDocument that is not read, or none")
        manifest = self.pack.tree("META-INF/manifest.xml")
        if any(node.name == "encryption-data" for node in manifest.every()):
            raise InputError("it is encrypted: save it without a password first")
        for name in self.pack:
            folder, base = posixpath.split(name)
            if base in PARTS and (not folder or OBJECT.fullmatch(folder)):
                self._tree(name, folder, base)
        if "content.xml" not in self.trees:
            raise InputError("no content in it: damaged")
        links = _Links(self.pack, self.work, self._picture)
        for name, tree in self.trees.items():
            links.tie(tree, posixpath.dirname(name))
        self._tell()

    def _tree(self, name: str, folder: str, base: str) -> None:
        tree = self.pack.tree(name)
        _prune(tree, self.kind, self.work)
        if base == "settings.xml":
            _bare_settings(tree)
        self.trees[posixpath.join(folder.capitalize(), base)] = tree

    def _picture(self, name: str) -> str:
        if name not in self.pictures:
            suffix = posixpath.splitext(name)[1]
            data = self.pack.cleaned(name, suffix) if suffix in PICTURES else None
            if data is None:
                self.work.dropped("image")
                data, suffix = EMPTY, ".png"
            new = f"Pictures/image{len(self.pictures) + 1}{suffix}"
            self.pictures[name] = new, data
        return self.pictures[name][0]

    def _tell(self) -> None:
        """What is not in the new one."""
        kept = {name.lower() for name in self.trees} | {"mimetype", "meta-inf/manifest.xml"}
        for name in self.pack:
            if name in kept or name in self.pictures or name.startswith(SILENT):
                continue
            found = (told for start, told in TOLD.items() if name.startswith(start))
            self.work.dropped(next(found, "other part"))

    def members(self) -> Iterator[tuple[str, bytes]]:
        """The new file's."""
        yield "mimetype", self.kind.encode()
        for name, tree in self.trees.items():
            yield name, markup(tree)
        yield from self.pictures.values()
        yield "META-INF/manifest.xml", self._manifest()

    def _manifest(self) -> bytes:
        root = Node("manifest:manifest", {"xmlns:manifest": MANIFEST, "manifest:version": "1.3"})
        rows = [("/", self.kind)]
        rows += [(name, "text/xml") for name in self.trees]
        for name in {posixpath.dirname(name) for name in self.trees} - {""}:
            rows.append(
                (f"{name}/", f"{KIND.pattern.partition('(')[0]}".replace("\\", "") + "chart")
            )
        rows += [
            (name, PICTURES[posixpath.splitext(name)[1]]) for name, _ in self.pictures.values()
        ]
        for name, kind in rows:
            told = {"manifest:full-path": name, "manifest:media-type": kind}
            root.content.append(Node("manifest:file-entry", told))
        return markup(root)


def _bare_settings(tree: Node) -> None:
    """Switches and numbers; what is in words (printers, databases, paths) goes."""
    for node in tree.every():
        node.content = [
            c
            for c in node.content
            if isinstance(c, str)
            or c.name != "config-item"
            or c.attributes.get("config:type") in PLAIN
        ]


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`odf.v1`."""
    return Odf()
