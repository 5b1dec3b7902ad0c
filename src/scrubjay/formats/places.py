"""Where in a page's tables and lists a text stands: under which header, and in whose record. Rows
under a header are records, and so are tables and lists of terms.
"""

from __future__ import annotations

import html
import re

from scrubjay.formats import fields, records

BLOCKS = frozenset(  # end a text; all other elements lie in one, as those do that nobody knows
    """address article aside audio blockquote body button canvas caption center col colgroup dd
    details dialog dir div dl dt fieldset figcaption figure footer form frame frameset h1 h2 h3 h4
    h5 h6 head header hgroup hr html legend li link main menu meta nav noscript object ol optgroup
    option p pre section select summary table tbody td template text tfoot th thead tr ul video
    """.split()  # noqa: SIM905
)
TAG = re.compile(r"<!--|<(?P<close>/?)(?P<name>[a-zA-Z][^\s/>]*+)[^<>]*+>?")
SILENT = ("script", "style")
LISTS = ("table", "dl")
DEEPEST = 100  # tables within tables: what is deeper is a part of these


class Place:
    """Where in a table or list the reader is: what the next text stands under."""

    def __init__(self) -> None:
        self._columns: list[str] = []
        self._row: list[str] = []
        self._cell = self._before = ""
        self._headed = True

    def opened(self, tag: str) -> None:
        """A tag that may be a cell's, a row's or a table's."""
        if tag == "table":
            self._columns, self._row = [], []
        elif tag == "tr":
            if self._row and (self._headed or self._known()):
                self._columns = self._row
            self._row, self._headed = [], True
        elif tag in {"td", "th"}:
            self._before = self._row[-1] if self._row else ""
            self._row.append("")
            self._headed = self._headed and tag == "th"
        if tag in {"table", "tr", "td", "th", "dt", "dd"}:
            self._cell = tag

    def _known(self) -> bool:
        """Whether a table's first row holds names of fields for the most part, `td` or not."""
        return not self._columns and 2 * sum(map(names, self._row)) > max(2, len(self._row))

    @property
    def headed(self) -> bool:
        """Whether columns have names."""
        return bool(self._columns)

    def field(self) -> str:
        """The header of this cell's column, else what stands before it."""
        at = len(self._row) - 1
        if self._cell == "td" and at < len(self._columns):
            return self._columns[at]
        return self._before if self._cell in {"td", "dd"} else ""

    def said(self, text: str) -> None:
        """What was read there."""
        told = " ".join(text.split())[:40].strip(" :")
        if told and self._cell in {"td", "th"} and self._row:
            self._row[-1] = told
        elif told and self._cell == "dt":
            self._before = told


def names(cell: str) -> bool:
    """Whether a text is the name of a field."""
    return bool(fields.label(cell)) or fields.measure(cell)


class Shape:
    """Tables, rows and lists of a page, with what is said in them, and `within` which of them a
    text is in behind a tag, by where that begins."""

    def __init__(self, text: str) -> None:
        self.outline = records.Outline()
        self.top = self.outline.opened("")
        self.within: dict[int, records.Object] = {}
        self._place = Place()
        self._open: list[str] = []
        self._read(text)

    def _read(self, text: str) -> None:
        at, said = 0, list[str]()
        for found in TAG.finditer(text):
            if found.start() < at:  # in a comment, or a script
                continue
            said.append(text[at : found.start()])
            at, name = found.end(), (found["name"] or "").lower()
            if not name or (name in SILENT and not found["close"]):
                end = text.find(f"</{name}" if name else "-->", at)
                at = len(text) if end < 0 else end
            if name in BLOCKS:
                self._said("".join(said))
                said.clear()
                self._tag(name, found)
        self._said("".join([*said, text[at:]]))

    def _said(self, raw: str) -> None:
        told = " ".join(html.unescape(raw).split())
        self.outline.told(self._place.field(), told)
        self._place.said(told)

    def _tag(self, name: str, found: re.Match[str]) -> None:
        closes = bool(found["close"])
        if not closes:
            self._place.opened(name)
        if closes and name in self._open:
            self._close(name)
        elif not closes and name in LISTS:
            self._begin(name)
        elif not closes and name == "tr" and "table" in self._open:
            if self._open[-1] == "tr":
                self._close("tr")
            if self._place.headed:
                self._begin("tr")
        if name in {*LISTS, "tr"}:
            self.within[found.start()] = self.outline.inside or self.top

    def _begin(self, name: str) -> None:
        if len(self._open) >= DEEPEST:
            return
        self.outline.opened("", listed=True)
        self._open.append(name)

    def _close(self, name: str) -> None:
        """The last of that name, with all in it."""
        while self._open:
            self.outline.closed()
            if self._open.pop() == name:
                return
