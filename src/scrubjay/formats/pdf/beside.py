"""What a PDF holds beside its pages: the outline, links and attachments go on clean; all else is
left out, and told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pikepdf
from msgspec import Struct
from pikepdf import Array, Dictionary, Name, OutlineItem, String

from scrubjay.errors import InputError
from scrubjay.formats.pixels import BROKEN
from scrubjay.formats.work import Work

DEEPEST = 50
LEFT_OUT = {
    "/Metadata": "XMP",
    "/StructTreeRoot": "structure tree",
    "/PageLabels": "page labels",
    "/OpenAction": "action",
    "/AA": "action",
    "/OCProperties": "layers",
    "/Threads": "article threads",
    "/PieceInfo": "private data",
    "/Perms": "signature",
    "/DSS": "signature",
    "/Collection": "portfolio",
}


class Link(Struct, frozen=True):
    """A place on a page that leads to an address, or to a page."""

    page: int
    place: list[float]
    address: str
    target: int


class Title(Struct, frozen=True):
    """A line of the outline."""

    text: str
    depth: int
    target: int


def tell(pdf: pikepdf.Pdf, work: Work) -> None:
    """Say what of the catalogue and the pages is left out."""
    for key, what in LEFT_OUT.items():
        work.dropped(what, int(key in _root(pdf)))
    work.dropped("document information", len(list(pdf.trailer.get("/Info", Dictionary()))))
    form = _root(pdf).get("/AcroForm", Dictionary())
    work.dropped("XFA form", int("/XFA" in form))
    work.dropped("script", int("/CO" in form))
    names = _root(pdf).get("/Names", Dictionary())
    work.dropped("script", int("/JavaScript" in names))
    for page in pdf.pages:
        for key in ("/Thumb", "/PieceInfo", "/Metadata", "/AA"):
            work.dropped({"/Thumb": "thumbnail"}.get(key, "private data"), int(key in page.obj))
        for note in _notes(page):
            if str(note.get("/Subtype")) not in {"/Link", "/Widget", "/Popup"}:
                work.dropped("annotation")
            if str(note.get("/Subtype")) == "/Widget":
                signed = str(note.get("/FT")) == "/Sig"
                work.dropped("signature" if signed else "form field")


def _notes(page: pikepdf.Page) -> list[Any]:
    return [note for note in page.obj.get("/Annots", []) if isinstance(note, Dictionary)]


def links(pdf: pikepdf.Pdf) -> Iterator[Link]:
    """Of all pages. What leads elsewhere, to files and programs, is none."""
    numbers = {page.obj.objgen: number for number, page in enumerate(pdf.pages)}
    for number, page in enumerate(pdf.pages):
        for note in _notes(page):
            if str(note.get("/Subtype")) != "/Link":
                continue
            action = note.get("/A", Dictionary())
            place = [float(x) for x in note.get("/Rect", [])]
            target = _target(pdf, note.get("/Dest", action.get("/D")), numbers)
            address = str(action.get("/URI", ""))
            if len(place) == 4 and (address or target >= 0):
                yield Link(number, place, address, target)


def titles(pdf: pikepdf.Pdf) -> Iterator[Title]:
    """The outline's lines from the top."""
    numbers = {page.obj.objgen: number for number, page in enumerate(pdf.pages)}
    seen: set[Any] = set()
    todo = [(_root(pdf).get("/Outlines", Dictionary()).get("/First"), 0)]
    while todo:
        item, depth = todo.pop()
        if item is None or item.objgen in seen or depth > DEEPEST:
            continue
        seen.add(item.objgen)
        action = item.get("/A", Dictionary())
        target = _target(pdf, item.get("/Dest", action.get("/D")), numbers)
        yield Title(str(item.get("/Title", "")), depth, target)
        todo += [(item.get("/Next"), depth), (item.get("/First"), depth + 1)]


def _root(pdf: pikepdf.Pdf) -> Any:
    return pdf.Root


def _target(pdf: pikepdf.Pdf, told: Any, numbers: dict[Any, int]) -> int:
    """The page that a destination names; -1 for none."""
    if isinstance(told, Name):
        told = _root(pdf).get("/Dests", Dictionary()).get(str(told))
    elif isinstance(told, String):
        names = _root(pdf).get("/Names", Dictionary()).get("/Dests")
        told = pikepdf.NameTree(names).get(str(told)) if names is not None else None
    if isinstance(told, Dictionary):
        told = told.get("/D")
    if isinstance(told, Array) and len(told) and isinstance(told[0], Dictionary):
        return numbers.get(told[0].objgen, -1)
    return -1


def add_links(pdf: pikepdf.Pdf, every: list[Link], clean: list[str], work: Work) -> None:
    """An address that holds something goes whole: half of one leads nowhere."""
    for link, address in zip(every, clean, strict=True):
        if link.address != address:
            work.dropped("link")
            continue
        note = Dictionary(
            Type=Name.Annot, Subtype=Name.Link, Rect=Array(link.place), Border=Array([0, 0, 0])
        )
        if link.address:
            note.A = Dictionary(S=Name.URI, URI=String(address))
        else:
            note.Dest = Array([pdf.pages[link.target].obj, Name.Fit])
        page = pdf.pages[link.page].obj
        if "/Annots" not in page:
            page.Annots = Array()
        page.Annots.append(pdf.make_indirect(note))


def add_titles(pdf: pikepdf.Pdf, every: list[Title], clean: list[str]) -> None:
    """The outline again."""
    if not every:
        return
    with pdf.open_outline() as outline:
        path: list[Any] = [outline.root]
        for title, text in zip(every, clean, strict=True):
            item = OutlineItem(text, title.target if title.target >= 0 else None)
            del path[title.depth + 1 :]
            path[-1].append(item)
            path.append(item.children)


def add_files(old: pikepdf.Pdf, new: pikepdf.Pdf, work: Work) -> None:
    """Attachments through their own formats; what nothing reads is left out."""
    try:
        files = [(str(s.filename), s.get_file().read_bytes()) for s in old.attachments.values()]
    except (*BROKEN, pikepdf.PdfError):
        work.dropped("attachment")
        return
    for name, data in files:
        try:
            clean = work.cleaned(name, data)
        except InputError:
            work.dropped("attachment")
            continue
        told = work.name(name)
        if told in new.attachments:
            told = f"{len(new.attachments)} {told}"
        spec = pikepdf.AttachedFileSpec(
            new,
            clean,
            filename=told,
            description="",
            mime_type="",
            creation_date="",
            mod_date="",
        )
        new.attachments[told] = spec
