"""OpenDocument files (`odf.v1`): texts, presentations, drawings and spreadsheets, with what is
embedded in them. Macros, settings in words, previews, signatures and changes stay out and are told.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct, field

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats import officepack
from scrubjay.formats.officebare import Bare
from scrubjay.formats.officepack import EMPTY, PICTURES, Pack, markup
from scrubjay.formats.officetext import Words, mark, sweep
from scrubjay.formats.work import Work
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
    suffixes: tuple[str, ...] = (".odt", ".ott", ".odp", ".otp", ".odg", ".ods", ".ots")

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """All parts are one text: none is written before all are read."""
        file = _File(Pack(source, work), work)
        file.read()
        trees = list(file.trees.values())
        mark(trees)
        words = Words(work)
        for tree in trees:
            words.add(tree)
        words.clean()
        for tree in trees:
            sweep(tree)
        officepack.write(file.members(), target)


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
        for name, tree in self.trees.items():
            self._tie(tree, posixpath.dirname(name))
        self._tell()

    def _tree(self, name: str, folder: str, base: str) -> None:
        tree = self.pack.tree(name)
        if not Bare(self.work).prune(tree):
            raise InputError("a part of a kind that is not known")
        if base == "settings.xml":
            _bare_settings(tree)
        self.trees[posixpath.join(folder.capitalize(), base)] = tree

    def _tie(self, node: Node, folder: str) -> None:
        """Links to what is in the file lead to what is in the new one; others are left out, but
        those that people follow."""
        if node.name == "frame" and any(node.children("object")):  # its preview is made anew
            node.content = [c for c in node.content if isinstance(c, str) or c.name != "image"]
        node.content = [c for c in node.content if isinstance(c, str) or self._tied(c, folder)]

    def _tied(self, node: Node, folder: str) -> bool:
        self._tie(node, folder)
        for key, value in list(node.attributes.items()):
            local = key.rpartition(":")[2] == "href" and value not in {"", ".", ".."}
            if not local or value.startswith("#") or node.name == "a":
                continue
            inside = posixpath.normpath(posixpath.join(folder, value)).lower()
            if node.name == "image" and inside in self.pack:
                node.attributes[key] = self._picture(inside)
            elif OBJECT.fullmatch(inside) and f"{inside}/content.xml" in self.pack:
                node.attributes[key] = f"./{inside.capitalize()}"
            elif node.name in {"form", "fill-image", "section-source", "hatch"}:
                del node.attributes[key]
                self.work.dropped("link to another file")
            else:
                inner = inside in self.pack or OBJECT.fullmatch(inside)
                self.work.dropped("embedded object" if inner else "link to another file")
                return False
        return True

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
