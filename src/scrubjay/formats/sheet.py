"""One sheet of a workbook: its cells as rows of a table, and what else is said in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from lxml import etree
from msgspec import Struct, field

from scrubjay.errors import InputError
from scrubjay.formats import bare, cells, dialect, formula, naming, numbers
from scrubjay.formats.bare import MAIN, OFFICE, local
from scrubjay.formats.columns import Columns
from scrubjay.formats.officepack import Made, Pack
from scrubjay.formats.officetext import Values, more
from scrubjay.formats.sheetrows import Cell, Reader, Row, forget, texts
from scrubjay.formats.work import Work
from scrubjay.formats.xmltree import Node
from scrubjay.formats.zipped import events
from scrubjay.types import Document

CELLS = 20_000  # that are held at once
PLAIN = frozenset({
    "dimension", "sheetViews", "sheetFormatPr", "cols", "mergeCells", "printOptions", "pageMargins",
    "pageSetup", "rowBreaks", "colBreaks", "autoFilter", "sheetPr",
})  # fmt: skip
_CODE = re.compile(r'(&(?:[LCRPNDTZFGAUEXYSBIOH&]|"[^"]*"|K[0-9A-F]{6}|\d{1,3}))')


class Listed(Struct):
    """A sheet, as its workbook lists it. `index`: its place among all; `number`: among those that
    stay; `links`: addresses that it may lead to, by id; `beside`: its new relations, too."""

    part: str
    name: str
    state: str
    index: int
    number: int
    drawn: bool = False
    commented: bool = False
    threads: Node | None = None
    links: dict[str, Node] = field(default_factory=dict)
    beside: dict[str, Node] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Listed({self.number})"


class Book(Struct):
    """What all sheets share. `sheets` and `names`: what became of the old ones, by lower case."""

    strings: list[str]
    styles: Any
    days: frozenset[int]  # styles of days
    sheets: dict[str, str]
    names: dict[str, str]
    date1904: bool
    literals: dict[str, str]
    known: Values = {}  # what cells say whose column says what they are
    grouped: bool = False  # whether a sheet had the column that tells whose row it is

    def grouping(self, group: str, names: list[str]) -> str:
        """The column that tells it in this sheet."""
        self.grouped |= group in names
        return group if group in names else ""

    def learn(self, formulas: Iterable[tuple[str, str]], work: Work) -> None:
        """What becomes of words in formulas, each with the name of its column."""
        new = {
            literal: field
            for text, field in formulas
            for literal in formula.literals(text)
            if literal not in self.literals
        }
        results = work.clean(Document(one, "formula", field=new[one]) for one in new)
        self.literals.update((one, result.text) for one, result in zip(new, results, strict=True))

    def again(self, text: str) -> str | None:
        """A formula whose words were learned, as it became; None if it is not understood."""
        return formula.written(text, self.literals.__getitem__, self.sheets, self.names)

    def written(self, text: str, work: Work) -> str | None:
        """The same of a formula by itself."""
        self.learn([(text, "")], work)
        return self.again(text)


def convert(pack: Pack, one: Listed, made: Made, book: Book, work: Work, group: str) -> None:
    """Write one sheet."""
    with made.open(f"xl/worksheets/sheet{one.number}.xml") as sink:
        sink.write(f'<worksheet xmlns="{MAIN}" xmlns:r="{OFFICE}">'.encode())
        _Sheet(book, work, one, group, sink).write(pack)
        if one.drawn:
            sink.write(b'<drawing r:id="rId3"/>')
        if one.commented:
            sink.write(b'<legacyDrawing r:id="rId2"/>')
        sink.write(b"</worksheet>")


class _Sheet:
    def __init__(self, book: Book, work: Work, one: Listed, group: str, sink: Any) -> None:
        self._book = book
        self._work = work
        self._one = one
        self._where = f"sheet {one.number}"
        self._reader = Reader(book.strings, book.days, book.date1904, self._where, work)
        self._group = group
        self._sink = sink
        self._columns: Columns | None = None
        self._names: list[str] = []
        self._gone: set[str] = set()  # shared formulas that were not kept

    def write(self, pack: Pack) -> None:
        """The sheet's elements in their order, rows as they come."""
        depth, last, width = 0, 0, 0
        rows: list[Row] = []
        for event, element in events(pack, self._one.part):
            if event == "start":
                depth += 1
                if depth == 2 and local(element) == "sheetData":
                    self._sink.write(b"<sheetData>")
                if depth > bare.DEEPEST:
                    raise InputError("elements within elements, too deep")
                continue
            depth -= 1
            if depth == 2 and local(element) == "row":
                rows.append(self._reader.row(element, last))
                last = rows[-1].number
                forget(element)
                width += rows[-1].cells[-1].column + 2 if rows[-1].cells else 1
                if width > CELLS:
                    self._flush(rows)
                    width = 0
            elif depth == 1 and local(element) == "sheetData":
                self._flush(rows)
                self._sink.write(b"</sheetData>")
            elif depth == 1:
                self._beside(element)
                forget(element)

    def _flush(self, rows: list[Row]) -> None:
        """Clean and write what has come."""
        tables = [texts(row) for row in rows]
        if self._columns is None:
            head = dialect.header([[t or "" for t in table] for table in tables[: dialect.ROWS]])
            self._names = [(t or "").strip() for t in tables[head - 1]] if head else []
            above = max(0, head - 1)
            blank = self._changes(Columns(()), rows[:above], tables[:above])
            if head:
                blank |= self._named(rows[head - 1], tables[head - 1])
            self._columns = Columns(self._names, self._book.grouping(self._group, self._names))
        else:
            head, blank = 0, {}
        blank |= self._changes(self._columns, rows[head:], tables[head:], head)
        told = (self._columns.about(table, self._work.people).known for table in tables[head:])
        values = ((label, v) for known in told for label, vs in known.items() for v in vs)
        self._book.known = more(self._book.known, values)
        names = dict(enumerate(self._names))
        said = (
            (c.formula, names.get(c.column, "")) for row in rows for c in row.cells if c.formula
        )
        self._book.learn(said, self._work)
        self._write_rows(rows, blank)
        rows.clear()

    def _named(self, row: Row, table: list[str | None]) -> dict[tuple[int, int], str]:
        """Names of columns that become others."""
        names = [text or "" for text in table]
        new = naming.columns(names, f"{self._where}, row {row.number}", self._work.clean)
        return {(row.number, i): told for i, told in enumerate(new) if told != names[i]}

    def _changes(
        self, columns: Columns, rows: list[Row], tables: list[list[str | None]], first: int = 0
    ) -> dict[tuple[int, int], str]:
        wheres = [f"{self._where}, row {row.number}" for row in rows]
        changed = columns.changes(tables, wheres, self._work)
        return {(rows[row].number, column): text for row, column, text in changed}

    def _write_rows(self, rows: list[Row], changed: dict[tuple[int, int], str]) -> None:
        for row in rows:
            for cell in row.cells:
                new = changed.get((row.number, cell.column))
                made = self._written(cell, new)
                made.set("r", f"{cells.letters(cell.column)}{row.number}")
                row.made.append(made)
            self._sink.write(etree.tostring(row.made))

    def _written(self, cell: Cell, new: str | None) -> Any:
        made = bare.new("c")
        if cell.style:
            made.set("s", cell.style)
        kept = new is None and self._formula(cell, made)
        if (cell.formula or cell.shared) and not kept:
            self._gone.add(cell.shared)
            self._work.dropped("formula")
        shifted = (new or "") if cell.kind == "day" else ""
        serial = numbers.serial(shifted, self._book.date1904)
        if serial is not None or (new is None and cell.kind in {"number", "day"}):
            _value(made, serial or cell.raw, "")
        elif new is None and cell.kind in {"bool", "error"}:
            _value(made, cell.raw, cell.kind[0])
        elif kept:
            _value(made, cells.escaped(cell.raw), "str")
        else:
            made.set("t", "inlineStr")
            words = bare.under(bare.under(made, "is"), "t")
            words.text = cells.escaped(cell.raw if new is None else new)
            words.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        return made

    def _formula(self, cell: Cell, made: Any) -> bool:
        """Whether the cell's formula is kept, and written."""
        if not (cell.formula or cell.shared) or cell.shared in self._gone - {""}:
            return False
        new = self._book.again(cell.formula)
        if new is None or not (cell.shared or "0").isdecimal():
            return False
        one = bare.under(made, "f")
        one.text = cells.escaped(new) or None
        if cell.shared or cell.array:
            one.set("t", "array" if cell.array else "shared")
        if cell.shared:
            one.set("si", cell.shared)
        if bare.PLAIN.fullmatch(cell.span):
            one.set("ref", cell.span)
        return True

    def _beside(self, element: Any) -> None:
        """What is no row."""
        name = local(element)
        if name in PLAIN:
            self._sink.write(etree.tostring(bare.copy(element)))
        elif name == "headerFooter":
            made = bare.copy(element)
            for old, new in zip(filter(bare.known, element), made, strict=True):
                parts = _CODE.split(old.text or "")  # text, code, text ...
                parts[::2] = [self._clean(said, "header and footer") for said in parts[::2]]
                parts[1::2] = ["" if code.startswith('&"') else code for code in parts[1::2]]
                new.text = "".join(parts)
            self._sink.write(etree.tostring(made))
        elif name in {"dataValidations", "conditionalFormatting"}:
            made = self._ruled(element)
            if len(made):
                self._sink.write(etree.tostring(made))
        elif name == "hyperlinks":
            self._links(element)
        elif name not in {"legacyDrawing", "drawing", "tableParts", "phoneticPr", "ignoredErrors"}:
            self._work.dropped("other part of a sheet")

    def _links(self, element: Any) -> None:
        made = bare.new("hyperlinks")
        for old in element:
            if (new := self._link(old)) is None:
                self._work.dropped("hyperlink")
            else:
                made.append(new)
        if len(made):
            self._sink.write(etree.tostring(made))

    def _link(self, old: Any) -> Any:
        """To an address, which is cleaned with what is drawn, or to a place of the workbook. What
        it shows is a copy of its cell."""
        new = bare.new("hyperlink", ref=old.get("ref", ""))
        id_ = next((v for key, v in old.attrib.items() if key.endswith("}id")), "")
        if not cells.PLACE.fullmatch(old.get("ref", "")):
            return None
        if relation := self._one.links.get(id_):
            new.set(f"{{{OFFICE}}}id", relation.attributes["Id"])
            self._one.beside[relation.attributes["Id"]] = relation
            self._work.dropped("place in a linked file", int(bool(old.get("location"))))
        elif place := self._book.written(old.get("location", ""), self._work):
            new.set("location", place)
        else:
            return None
        if old.get("tooltip"):
            new.set("tooltip", cells.escaped(self._clean(old.get("tooltip"), "hyperlink")))
        return new

    def _ruled(self, element: Any) -> Any:
        """Rules with formulas and words; one that is not understood goes."""
        made = bare.copy(element)
        for old, new in zip(filter(bare.known, element), list(made), strict=True):
            for key in ("text", "prompt", "promptTitle", "error", "errorTitle"):
                if old.get(key):
                    new.set(key, cells.escaped(self._clean(old.get(key), "rule for cells")))
            if not self._rule(old, new):
                self._work.dropped("rule for cells")
                made.remove(new)
        if "count" in made.attrib:
            made.set("count", str(len(made)))
        return made

    def _rule(self, old: Any, new: Any) -> bool:
        olds = [e for e in old.iter() if local(e).startswith("formula")]
        news = [e for e in new.iter() if local(e).startswith("formula")]
        for one, other in zip(olds, news, strict=False):
            other.text = self._book.written(one.text or "", self._work)
            if other.text is None:
                return False
        return len(olds) == len(news)

    def _clean(self, text: str, what: str) -> str:
        document = Document(text, f"{self._where}, {what}", known=self._book.known)
        [result] = self._work.clean([document])
        return result.text


def _value(made: Any, raw: str, kind: str) -> None:
    if kind:
        made.set("t", kind)
    if raw:
        bare.under(made, "v").text = raw
