"""Workbooks (`xlsx.v1`): a new one is made of what is understood of the old one.

Cells, formulas, comments, names, validations and headers are cleaned and stay, in hidden sheets
too. What holds copies or strangers' data (pivot caches, drawings, links, macros, properties) is
left out and told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, BinaryIO

from lxml import etree
from msgspec import Struct

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats import bare, formula, sheet
from scrubjay.formats.bare import OFFICE, local
from scrubjay.formats.sheet import Book
from scrubjay.formats.work import Work
from scrubjay.formats.zipped import Made, Zip, relations
from scrubjay.types import Document

PACKAGE = "http://schemas.openxmlformats.org/package/2006/"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml."
MACRO = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
DAYS = frozenset(
    {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
)  # built-in formats
TOLD = {  # what is left out, by where it is in the package
    "docProps/": "document properties",
    "customXml/": "custom XML",
    "xl/media/": "image",
    "xl/drawings/": "drawing",
    "xl/charts/": "chart",
    "xl/chartsheets/": "chart",
    "xl/pivot": "pivot table",
    "xl/externalLinks/": "link to another file",
    "xl/vbaProject": "macro",
    "xl/embeddings/": "file in a cell",
    "xl/printerSettings/": "printer settings",
    "xl/theme/": "theme",
    "xl/tables/": "table format",
    "xl/threadedComments/": "threaded comment",
}
SILENT = (
    "_rels/", "[Content", "xl/_rels/", "xl/calcChain", "xl/sharedStrings", "xl/worksheets/",
    "xl/comments", "xl/styles", "xl/workbook",
)  # fmt: skip
UNFIT = re.compile(r"[\[\]:*?/\\]")
LONGEST = 31  # characters of a sheet's name


class _Sheet(Struct):
    part: str
    name: str
    state: str
    index: int  # among all that the workbook lists


class Xlsx:
    """`xlsx.v1`. `group` names the column that tells whose row it is."""

    name = "xlsx.v1"
    suffixes: tuple[str, ...] = (".xlsx", ".xlsm")

    def __init__(self, group: str) -> None:
        self._group = group

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """Sheet after sheet."""
        opened = Zip(source, work.limits)
        part = _office(opened)
        root = opened.xml(part)
        related = relations(opened, part)
        sheets = _sheets(root, related)
        book = _book(opened, root, related, sheets, work)
        _tell(opened, work)
        made = Made(target)
        commented = []
        for number, one in enumerate(sheets, 1):
            if sheet.convert(opened, one.part, made, number, book, work, self._group):
                commented.append(number)
        if self._group and not book.grouped:
            raise InputError(f"no column '{self._group}' to group by")
        made.add("xl/styles.xml", etree.tostring(book.styles, encoding="utf-8"))
        made.add("xl/workbook.xml", _workbook(root, sheets, book, work))
        _frame(made, len(sheets), commented, macro=any("vbaProject" in m for m in opened.members))
        made.file.close()


def _office(opened: Zip) -> str:
    """The workbook's part."""
    for kind, target in relations(opened, "").values():
        if kind == "officeDocument":
            return target
    raise InputError("no workbook in it: damaged")


def _sheets(root: Any, related: dict[str, tuple[str, str]]) -> list[_Sheet]:
    listed = [one for group in root if local(group) == "sheets" for one in group]
    found = []
    for index, one in enumerate(listed):
        id_ = next((v for k, v in one.attrib.items() if k.endswith("}id")), "")
        kind, part = related.get(id_, ("", ""))
        if kind == "worksheet":
            state = one.get("state", "visible")
            state = state if state in {"hidden", "veryHidden"} else "visible"
            found.append(_Sheet(part, one.get("name", ""), state, index))
    if not found:
        raise InputError("a workbook without a sheet: damaged")
    return found


def _book(
    opened: Zip, root: Any, related: dict[str, tuple[str, str]], sheets: list[_Sheet], work: Work
) -> Book:
    """What all sheets need to know."""
    parts = dict(related.values())
    shared = sheet.strings(opened, parts["sharedStrings"], work) if "sharedStrings" in parts else []
    styles = opened.xml(parts["styles"]) if "styles" in parts else bare.new("styleSheet")
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
                _number(e.get("numFmtId")) for e in group if bare.is_day(e.get("formatCode", ""))
            }
        elif local(group) == "cellXfs":
            found = [_number(e.get("numFmtId")) for e in group]
    return frozenset(i for i, code in enumerate(found) if code in days)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 9 else 0


def _workbook(root: Any, sheets: list[_Sheet], book: Book, work: Work) -> bytes:
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
    book.learn(formula.literals(text), "", work)
    new = formula.written(text, book.said, book.sheets, book.names)
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


def _tell(opened: Zip, work: Work) -> None:
    """What of the package is not in the new one."""
    for name in opened.members:
        if name.endswith((".rels", "/")):
            continue
        what = next((told for start, told in TOLD.items() if name.startswith(start)), None)
        if what:
            work.dropped(what)
        elif not name.startswith(SILENT):
            work.dropped("other part")


def _frame(made: Made, sheets: int, commented: list[int], *, macro: bool) -> None:
    """What holds the package together."""
    main = MACRO if macro else f"{SHEET_TYPE}sheet.main+xml"
    types = [("/xl/workbook.xml", main), ("/xl/styles.xml", f"{SHEET_TYPE}styles+xml")]
    links = [(f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in range(1, sheets + 1)]
    types += [
        (f"/xl/worksheets/sheet{n}.xml", f"{SHEET_TYPE}worksheet+xml") for n in range(1, sheets + 1)
    ]
    types += [(f"/xl/comments{n}.xml", f"{SHEET_TYPE}comments+xml") for n in commented]
    links.append((f"rId{sheets + 1}", "styles", "styles.xml"))
    made.add("xl/_rels/workbook.xml.rels", links_of(links))
    for n in commented:
        beside = [
            ("rId1", "comments", f"../comments{n}.xml"),
            ("rId2", "vmlDrawing", f"../drawings/vmlDrawing{n}.vml"),
        ]
        made.add(f"xl/worksheets/_rels/sheet{n}.xml.rels", links_of(beside))
    made.add("_rels/.rels", links_of([("rId1", "officeDocument", "xl/workbook.xml")]))
    root = etree.Element(f"{{{PACKAGE}}}Types".replace("2006/}", "2006/content-types}"))
    space = etree.QName(root).namespace
    for suffix, kind in (
        ("rels", "application/vnd.openxmlformats-package.relationships+xml"),
        ("xml", "application/xml"),
        ("vml", "application/vnd.openxmlformats-officedocument.vmlDrawing"),
    ):
        etree.SubElement(root, f"{{{space}}}Default", Extension=suffix, ContentType=kind)
    for part, kind in types:
        etree.SubElement(root, f"{{{space}}}Override", PartName=part, ContentType=kind)
    made.add("[Content_Types].xml", etree.tostring(root, encoding="utf-8", xml_declaration=True))


def links_of(links: Iterable[tuple[str, str, str]]) -> bytes:
    """A part of relations."""
    space = f"{PACKAGE}relationships"
    root = etree.Element(f"{{{space}}}Relationships", nsmap={None: space})
    for id_, kind, target in links:
        made = etree.SubElement(root, f"{{{space}}}Relationship", Id=id_, Target=target)
        made.set("Type", f"{OFFICE}/{kind}")
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)  # type: ignore[no-any-return]


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`xlsx.v1`."""
    return Xlsx(group)
