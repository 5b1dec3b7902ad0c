"""Workbooks (`xlsx.v1`): a new one is made of what is understood of the old one.

Cells, formulas, comments, links, names, validations, headers and charts are cleaned and stay, in
hidden sheets too. What holds copies or strangers' data (pivot caches, links to other files, macros,
properties) is left out and told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from lxml import etree

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats import bare, comments, numbers, sheet, sheetdrawn, sheetrows
from scrubjay.formats.bare import OFFICE, local
from scrubjay.formats.columns import Table, headed
from scrubjay.formats.officepack import Made, Pack
from scrubjay.formats.ooxml import Package, content_types, relation, relationships
from scrubjay.formats.sheet import Book, Listed
from scrubjay.formats.sheetdrawn import Drawings
from scrubjay.formats.work import Work
from scrubjay.formats.zipped import relations, xml
from scrubjay.types import Document

SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml."
MACRO = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
DAYS = frozenset(
    {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
)  # built-in formats
TOLD = {  # what is left out, by where it is in the package
    "docprops/": "document properties",
    "customxml/": "custom XML",
    "xl/media/": "image",
    "xl/drawings/": "drawing",
    "xl/charts/": "chart",
    "xl/chartsheets/": "chart",
    "xl/pivot": "pivot table",
    "xl/externallinks/": "link to another file",
    "xl/vbaproject": "macro",
    "xl/embeddings/": "file in a cell",
    "xl/printersettings/": "printer settings",
    "xl/theme/": "theme",
    "xl/tables/": "table format",
    "xl/threadedcomments/": "threaded comment",
    "xl/persons/": "threaded comment",
    "xl/slicer": "slicer",
    "xl/timeline": "slicer",
    "xl/connections": "query",
    "xl/querytables/": "query",
    "xl/model/": "query",
}
SILENT = (
    "_rels/", "[content", "xl/_rels/", "xl/calcchain", "xl/sharedstrings", "xl/worksheets/",
    "xl/comments", "xl/styles", "xl/workbook",
)  # fmt: skip
UNFIT = re.compile(r"[\[\]:*?/\\]")
LONGEST = 31  # characters of a sheet's name


class Xlsx:
    """`xlsx.v1`. `group` names the column that tells whose row it is."""

    name = "xlsx.v1"
    suffixes: tuple[str, ...] = (".xlsx", ".xlsm")

    def __init__(self, group: str) -> None:
        self._group = group

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """Sheet after sheet."""
        pack = Pack(source, work)
        root, sheets, book = _opened(pack, work)
        drawings = sheetdrawn.read(pack, _office(pack), sheets, work)
        _tell(pack, drawings.package, work)
        made = Made(target)
        for one in sheets:
            sheet.convert(pack, one, made, book, work, self._group)
        if self._group and not book.grouped:
            raise InputError(f"no column '{self._group}' to group by")
        made.add("xl/styles.xml", etree.tostring(book.styles, encoding="utf-8"))
        made.add("xl/workbook.xml", _workbook(root, sheets, book, work))
        drawings.clean(book, work)
        for one in sheets:
            comments.add(made, pack, one, book.known, work)
        for name, data in drawings.package.written():
            made.add(name, data)
        _frame(made, sheets, drawings, macro="xl/vbaproject.bin" in pack)
        made.file.close()

    def tables(self, source: BinaryIO, work: Work) -> Iterator[Table]:
        """One for each sheet."""
        pack = Pack(source, work)
        _, sheets, book = _opened(pack, work)
        for one in sheets:
            where = f"sheet {one.number}"
            reader = sheetrows.Reader(book.strings, book.days, book.date1904, where, work)
            yield headed(sheetrows.rows(pack, one.part, reader))


def _opened(pack: Pack, work: Work) -> tuple[Any, list[Listed], Book]:
    """The workbook's own part, its sheets, and what they share."""
    part = _office(pack)
    root, related = xml(pack, part), relations(pack, part)
    sheets = _sheets(root, related)
    return root, sheets, _book(pack, root, related, sheets, work)


def _office(pack: Pack) -> str:
    """The workbook's part."""
    for kind, target in relations(pack, "").values():
        if kind == "officeDocument":
            return target
    raise InputError("no workbook in it: damaged")


def _sheets(root: Any, related: dict[str, tuple[str, str]]) -> list[Listed]:
    listed = [one for group in root if local(group) == "sheets" for one in group]
    found: list[Listed] = []
    for index, one in enumerate(listed):
        id_ = next((v for k, v in one.attrib.items() if k.endswith("}id")), "")
        kind, part = related.get(id_, ("", ""))
        if kind == "worksheet":
            state = one.get("state", "visible")
            state = state if state in {"hidden", "veryHidden"} else "visible"
            found.append(Listed(part, one.get("name", ""), state, index, len(found) + 1))
    if not found:
        raise InputError("a workbook without a sheet: damaged")
    return found


def _book(
    pack: Pack, root: Any, related: dict[str, tuple[str, str]], sheets: list[Listed], work: Work
) -> Book:
    """What all sheets need to know."""
    parts = dict(related.values())
    shared = (
        sheetrows.strings(pack, parts["sharedStrings"], work) if "sharedStrings" in parts else []
    )
    styles = xml(pack, parts["styles"]) if "styles" in parts else bare.new("styleSheet")
    if local(styles) != "styleSheet":
        raise InputError("styles that are none: damaged")
    kept = bare.copy(styles)
    for group in [e for e in kept if local(e) == "cellXfs"]:  # its default has a name
        normal = bare.new("cellStyles", count="1")
        bare.under(normal, "cellStyle", name="Normal", xfId="0", builtinId="0")
        group.addnext(normal)
    said = _cleaned((one.name for one in sheets), "name of a sheet", work)
    names: dict[str, str] = {}
    for one, new in zip(sheets, said, strict=True):
        fit = UNFIT.sub("", new).strip(" '")[:LONGEST] if new != one.name else one.name
        names[one.name.casefold()] = _unique(fit or "Sheet", names.values())
    first = any(e.get("date1904") in {"1", "true"} for e in root if local(e) == "workbookPr")
    return Book(shared, kept, _day_styles(styles), names, _defined(root, work), first, {})


def _unique(name: str, taken: Iterable[str]) -> str:
    lower = {other.casefold() for other in taken}
    new, count = name, 1
    while new.casefold() in lower:
        count += 1
        new = f"{name[: LONGEST - 5]} {count}"
    return new


def _cleaned(texts: Iterable[str], where: str, work: Work) -> list[str]:
    return [result.text for result in work.clean(Document(text, where) for text in texts)]


def _defined(root: Any, work: Work) -> dict[str, str]:
    """The workbook's own names for places, and what becomes of them."""
    every = [e.get("name", "") for group in root if local(group) == "definedNames" for e in group]
    own = [name for name in dict.fromkeys(every) if not name.startswith("_xlnm.")]
    said = _cleaned((name.replace("_", " ") for name in own), "name of a place", work)
    return {
        name.casefold(): name if new == name.replace("_", " ") else f"name_{number}"
        for number, (name, new) in enumerate(zip(own, said, strict=True), 1)
    }


def _day_styles(styles: Any) -> frozenset[int]:
    """Styles by which a number is shown as a day."""
    days = set(DAYS)
    found: list[int] = []
    for group in styles:
        if local(group) == "numFmts":
            days |= {
                _number(e.get("numFmtId")) for e in group if numbers.is_day(e.get("formatCode", ""))
            }
        elif local(group) == "cellXfs":
            found = [_number(e.get("numFmtId")) for e in group]
    return frozenset(i for i, code in enumerate(found) if code in days)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 9 else 0


def _workbook(root: Any, sheets: list[Listed], book: Book, work: Work) -> bytes:
    made = bare.new("workbook")
    settings = bare.under(made, "workbookPr")
    if book.date1904:
        settings.set("date1904", "1")
    listed = bare.under(made, "sheets")
    for number, one in enumerate(sheets, 1):
        entry = bare.under(listed, "sheet", name=book.sheets[one.name.casefold()])
        entry.set("sheetId", str(number))
        entry.set("state", one.state)
        entry.set(f"{{{OFFICE}}}id", f"rId{number}")
    places = {str(one.index): str(new) for new, one in enumerate(sheets)}
    names = bare.new("definedNames")
    for group in root:
        for old in group if local(group) == "definedNames" else ():
            _define(names, old, places, book, work)
    if len(names):
        made.append(names)
    bare.under(made, "calcPr", fullCalcOnLoad="1")
    return etree.tostring(made, encoding="utf-8", xml_declaration=True)  # type: ignore[no-any-return]


def _define(names: Any, old: Any, places: dict[str, str], book: Book, work: Work) -> None:
    text = old.text or ""
    new = book.written(text, work)
    name = old.get("name", "")
    built_in = name if name in {"_xlnm.Print_Area", "_xlnm.Print_Titles"} else None
    called = book.names.get(name.casefold(), built_in)
    scope = old.get("localSheetId")
    if new is None or called is None or (scope and scope not in places):
        work.dropped("name of a place")
        return
    made = bare.under(names, "definedName", name=called)
    made.text = new
    if scope:
        made.set("localSheetId", places[scope])
    if old.get("hidden") in {"1", "true"}:
        made.set("hidden", "1")


def _tell(pack: Pack, drawn: Package, work: Work) -> None:
    """What of the package is not in the new one."""
    for name in pack:
        if drawn.saw(name):
            continue
        what = next((told for start, told in TOLD.items() if name.startswith(start)), None)
        if what:
            work.dropped(what)
        elif not name.startswith(SILENT):
            work.dropped("other part")


def _frame(made: Made, sheets: list[Listed], drawings: Drawings, *, macro: bool) -> None:
    """What holds the package together."""
    links = [
        relation(f"rId{s.number}", "worksheet", f"worksheets/sheet{s.number}.xml") for s in sheets
    ]
    links.append(relation(f"rId{len(sheets) + 1}", "styles", "styles.xml"))
    links += drawings.people
    made.add("xl/_rels/workbook.xml.rels", relationships(links))
    top = [relation("rId1", "officeDocument", "xl/workbook.xml")]
    made.add("_rels/.rels", relationships(top))
    types = {
        "xl/workbook.xml": MACRO if macro else f"{SHEET_TYPE}sheet.main+xml",
        "xl/styles.xml": f"{SHEET_TYPE}styles+xml",
        "any.vml": "application/vnd.openxmlformats-officedocument.vmlDrawing",
    }
    for one in sheets:
        n = one.number
        types[f"xl/worksheets/sheet{n}.xml"] = f"{SHEET_TYPE}worksheet+xml"
        if one.commented:
            types[f"xl/comments{n}.xml"] = f"{SHEET_TYPE}comments+xml"
        if one.beside:
            made.add(f"xl/worksheets/_rels/sheet{n}.xml.rels", relationships(one.beside.values()))
    types |= {part.name: part.type for part in drawings.package.parts.values()}
    made.add("[Content_Types].xml", content_types(types))


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`xlsx.v1`."""
    return Xlsx(group)
