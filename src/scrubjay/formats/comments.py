"""What readers of a workbook wrote beside its cells, and the boxes in which it is shown."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from lxml import etree
from msgspec import Struct

from scrubjay.errors import InputError
from scrubjay.formats import bare, cells
from scrubjay.formats.bare import local
from scrubjay.formats.officepack import Made, Pack
from scrubjay.formats.officetext import Values
from scrubjay.formats.ooxml import relation
from scrubjay.formats.sheet import Listed
from scrubjay.formats.work import Work
from scrubjay.formats.xmltree import Node
from scrubjay.formats.zipped import relations, xml
from scrubjay.types import Document

_VML = (
    '<xml xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:x="urn:schemas-microsoft-com:office:excel"><v:shapetype id="n" '
    'coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe"/>{}</xml>'
)
_SHAPE = (
    '<v:shape type="#n" style="visibility:hidden" fillcolor="#ffffe1">'
    '<x:ClientData ObjectType="Note"><x:Row>{}</x:Row><x:Column>{}</x:Column></x:ClientData>'
    "</v:shape>"
)


class Remark(Struct):
    place: str
    author: str
    text: str


def add(made: Made, pack: Pack, sheet: Listed, known: Values, work: Work) -> None:
    """What readers wrote beside the cells of a sheet. `known`: values that are looked for in it."""
    if not sheet.commented:
        return
    threads = list(_threads(sheet.threads))
    places = {remark.place for remark in threads}
    found = [one for one in _found(pack, sheet.part, work) if one.place not in places]
    _clean(found, known, work)
    _write(made, sheet.number, found + threads)
    for id_, kind, target in (
        ("rId1", "comments", f"../comments{sheet.number}.xml"),
        ("rId2", "vmlDrawing", f"../drawings/vmlDrawing{sheet.number}.vml"),
    ):
        sheet.beside[id_] = relation(id_, kind, target)


def _threads(tree: Node | None) -> Iterator[Remark]:
    """What programs that know no threads show of one, clean as it is: that is how it is tied to
    its cell."""
    said: dict[str, list[Node]] = {}
    for one in tree.children("threadedComment") if tree is not None else ():
        id_ = one.attributes.get("parentId") or one.attributes.get("id", "")
        said.setdefault(id_, []).append(one)
    for id_, every in said.items():
        texts = (text.text() for one in every for text in one.children("text"))
        yield Remark(every[0].attributes["ref"], f"tc={id_}", "\n\n".join(texts))


def _found(pack: Pack, part: str, work: Work) -> list[Remark]:
    parts = [target for kind, target in relations(pack, part).values() if kind == "comments"]
    if not parts:
        return []
    root = xml(pack, parts[0])
    authors = [a.text or "" for g in root if local(g) == "authors" for a in g]
    found: list[Remark] = []
    for one in (c for g in root if local(g) == "commentList" for c in g):
        number = one.get("authorId", "")
        author = (
            authors[int(number)] if number.isdecimal() and int(number[:9]) < len(authors) else ""
        )
        told = "".join(cells.said(t, work) for t in one if local(t) == "text")
        if not cells.REF.fullmatch(one.get("ref", "")):
            raise InputError("a comment that belongs to no cell")
        found.append(Remark(one.get("ref"), author, told))
    return found


def _clean(found: list[Remark], known: Values, work: Work) -> None:
    named = work.clean(
        Document(r.author, f"comment at {r.place}", field="author", label="PERSON") for r in found
    )
    for remark, result in zip(found, list(named), strict=True):
        remark.author = result.text
    texts = work.clean(Document(r.text, f"comment at {r.place}", known=known) for r in found)
    for remark, result in zip(found, list(texts), strict=True):
        remark.text = result.text


def _write(made: Made, number: int, remarks: list[Remark]) -> None:
    root = bare.new("comments")
    names = list(dict.fromkeys(remark.author for remark in remarks))
    authors = bare.under(root, "authors")
    for name in names:
        bare.under(authors, "author").text = cells.escaped(name)
    listed = bare.under(root, "commentList")
    shapes = []
    for remark in remarks:
        one = bare.under(listed, "comment", ref=remark.place)
        one.set("authorId", str(names.index(remark.author)))
        words = bare.under(bare.under(one, "text"), "t")
        words.text = cells.escaped(remark.text)
        match = cells.REF.fullmatch(remark.place)
        if match:
            shapes.append(_SHAPE.format(int(match[2]) - 1, cells.column_of(match[1])))
    made.add(f"xl/comments{number}.xml", etree.tostring(root, encoding="utf-8"))
    made.add(
        posixpath.join("xl/drawings", f"vmlDrawing{number}.vml"),
        _VML.format("".join(shapes)).encode(),
    )
