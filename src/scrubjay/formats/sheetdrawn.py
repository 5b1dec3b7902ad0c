"""What is drawn on the sheets of a workbook, charts, shapes, pictures, and what is said beside
cells in threads; addresses that links lead to.

What a drawing copies from cells, the values of a chart among it, is left out: a copy does not know
its column. Programs read the cells anew.
"""

from __future__ import annotations

from msgspec import Struct, field

from scrubjay.formats import cells
from scrubjay.formats.officemarks import renumber
from scrubjay.formats.officepack import Pack
from scrubjay.formats.ooxml import Package, Relation
from scrubjay.formats.sheet import Book, Listed
from scrubjay.formats.work import Work
from scrubjay.formats.xmltree import Node

KEPT = frozenset(["drawing", "threadedComment", "hyperlink"])
FORMULAS = frozenset(["f", "sqref"])
GONE = frozenset(  # copies of cells; what a chart has of a pivot table
    """strCache numCache multiLvlStrCache datalabelsRangeCache dlblRangeCache dlblFieldTableCache
    pivotSource pivotFmts""".split()  # noqa: SIM905
)
PARTS = frozenset(  # what goes where its formula does
    """tx cat val xVal yVal bubbleSize plus minus ext dLblFTEntry twoCellAnchor oneCellAnchor
    absoluteAnchor relSizeAnchor absSizeAnchor""".split()  # noqa: SIM905
)


class Drawings(Struct):
    """Of all sheets."""

    package: Package
    places: list[tuple[Node, str, str]] = field(default_factory=list)  # element, attribute, formula
    people: list[Node] = field(default_factory=list)  # relations to who spoke in threads

    def __repr__(self) -> str:
        return "Drawings()"

    def clean(self, book: Book, work: Work) -> None:
        """All their words as one text; places of cells with the new names of sheets."""
        trees = [part.tree for part in self.package.parts.values() if part.tree is not None]
        for tree in trees:
            self._bare(tree, book, work)
        renumber(trees)
        self.package.clean(book.known)
        for node, key, place in self.places:
            if key:
                node.attributes[key] = place
            else:
                node.content = [place]

    def _bare(self, node: Node, book: Book, work: Work) -> bool:
        """Without copies of cells; whether all of the element is understood."""
        node.attributes.pop("macro", None)
        if node.name in FORMULAS:
            told, node.content = node.text(), []
            return self._place(node, "", told, book, work)
        if node.name == "threadedComment":
            ref = node.attributes.pop("ref", "")
            self.places.append((node, "ref", ref))
            return bool(cells.PLACE.fullmatch(ref))
        linked = node.attributes.pop("textlink", "")
        if linked:
            self._place(node, "textlink", linked, book, work)
        if linked or node.name == "fld":
            _silence(node)
        whole = True
        inside: list[Node | str] = []
        for inner in node.content:
            if isinstance(inner, str) or self._stays(inner, book, work):
                inside.append(inner)
            elif inner.name not in PARTS | GONE:
                whole = False
        node.content = inside
        return whole and (not node.name.startswith("graphic") or any(node.children()))

    def _stays(self, node: Node, book: Book, work: Work) -> bool:
        return node.name not in GONE and self._bare(node, book, work)

    def _place(self, node: Node, key: str, told: str, book: Book, work: Work) -> bool:
        place = book.written(told, work)
        if place is None:
            work.dropped("formula")
            return False
        self.places.append((node, key, place))
        return True


def _silence(node: Node) -> None:
    """Without the words that are a cell's."""
    for inner in node.every():
        if inner.name == "t":
            inner.content = []


def read(pack: Pack, book: str, sheets: list[Listed], work: Work) -> Drawings:
    """What is drawn and said on them. `book` is the workbook's part."""
    package = Package(pack, work, "xlsx.v1")
    drawings = Drawings(package)
    for relation in package.relations(book):
        if relation.kind == "person" and (target := package.add(relation)):
            number = 100_001 + len(drawings.people)  # behind those of sheets
            drawings.people.append(relation.renewed(f"rId{number}", target))
    for sheet in sheets:
        for relation in package.relations(sheet.part):
            sheet.commented |= relation.kind == "comments"
            if relation.kind in KEPT and (target := package.add(relation)):
                _keep(sheet, relation, target, package)
    return drawings


def _keep(sheet: Listed, relation: Relation, target: str, package: Package) -> None:
    """That the sheet leads to it; to an address only where one of its links does."""
    number = {"drawing": 3, "threadedComment": 4}.get(relation.kind, 5 + len(sheet.links))
    made = relation.renewed(f"rId{number}", target)
    if relation.kind == "hyperlink":
        if relation.external:
            sheet.links[relation.id] = made
            package.root.relations.append(made)  # where its address is cleaned
        return
    sheet.beside[made.attributes["Id"]] = made
    if relation.kind == "drawing":
        sheet.drawn = True
    else:
        sheet.threads, sheet.commented = package.parts[relation.target].tree, True
