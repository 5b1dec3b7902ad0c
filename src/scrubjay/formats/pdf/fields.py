"""Fields of forms: what is filled in goes on, clean, in fields of our own making. Their scripts,
names and looks do not come along. What shows more than its value (buttons, radio buttons, lists of
several choices) becomes part of its page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pikepdf
from msgspec import Struct, field, structs
from pikepdf import Array, Dictionary, Name, Operator, String

from scrubjay.formats.layout import Sign, View
from scrubjay.formats.pdf import boxes
from scrubjay.formats.pixels import BROKEN

DEEPEST = 20
MANY = 1000  # fields of a page; more become part of it
HIDDEN = 1 | 2 | 32  # of an annotation
SECRET, FILE, RADIO, BUTTON, SEVERAL = 1 << 13, 1 << 20, 1 << 15, 1 << 16, 1 << 21
LINES = 1 << 12
KEPT = 1 | 2 | LINES | 1 << 17  # read-only, required, of many lines, a list that opens
KINDS = {
    "/Tx": SECRET | FILE,
    "/Ch": SEVERAL,
    "/Btn": RADIO | BUTTON,
}  # of each, what is not taken
LEAST, MOST = 4.0, 12.0  # points: the size of writing in a field
WIDE = 0.5  # of its size, what a letter takes


class Field(Struct):
    """One on a page. `called`: what the file calls it, which says what its value is."""

    page: int
    place: list[float]
    kind: str
    value: str
    flags: int
    called: str = ""
    hint: str = ""
    options: list[str] = field(default_factory=list)
    colours: dict[str, list[float]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "Field()"

    @property
    def lines(self) -> list[str]:
        """What it shows."""
        return self.value.splitlines() if self.kind != "/Btn" else []

    @property
    def size(self) -> float:
        """Of its writing, so that all lines fit, if they can."""
        height = self.place[3] - self.place[1]
        return min(MOST, max(LEAST, 0.75 * height / max(1, len(self.lines))))

    def across(self, line: int) -> float:
        """How high a line stands above the field's lower side."""
        height = self.place[3] - self.place[1]
        if self.flags & LINES:
            return height - line * min(1.2 * self.size, height / max(1, len(self.lines)))
        return height / 2 - 0.35 * self.size

    def signs(self) -> Iterator[Sign]:
        """Its value as it lies on the page, among what stands around it and touching none."""
        left, low, right, _ = self.place
        longest = max(map(len, self.lines), default=1) or 1
        wide, line, at = min(WIDE * self.size, (right - left) / longest), 1, left
        for sign in self.value:
            if sign == "\n":
                line, at = line + 1, left
            yield Sign(sign, at, low + self.across(line), wide, self.size)
            at += wide

    def view(self) -> View:
        """Its value behind its name."""
        text = f"{self.called}: {self.value}"
        first, every = len(self.called) + 2, range(len(self.value))
        starts = [first + index for index in every]
        return View(text, starts, [start + 1 for start in starts], list(every))


def take(pdf: pikepdf.Pdf) -> dict[int, list[Field]]:
    """By page, fields whose value is all that they show; they leave it."""
    found: dict[int, list[Field]] = {}
    for number, page in enumerate(pdf.pages):
        notes = list(page.obj.get("/Annots", []))
        told = [_field(number, note) for note in notes]
        every = [one for one in told if one]
        if 0 < len(every) <= MANY:
            found[number] = every
            kept = (note for note, one in zip(notes, told, strict=True) if one is None)
            page.obj.Annots = Array(list(kept))
    return found


def _field(page: int, note: Any) -> Field | None:
    try:
        if not isinstance(note, Dictionary) or str(note.get("/Subtype")) != "/Widget":
            return None
        kind, flags = str(_told(note, "/FT")), int(_told(note, "/Ff") or 0)
        look: Any = note.get("/MK", Dictionary())
        if kind not in KINDS or flags & KINDS[kind]:
            return None
        if look.get("/R", 0) or int(note.get("/F", 0)) & HIDDEN:
            return None
        one = Field(page, _place(note.Rect), kind, "", flags & KEPT)
        return _filled(one, note, look)
    except (*BROKEN, pikepdf.PdfError):
        return None


def _filled(one: Field, note: Any, look: Any) -> Field | None:
    """With what it holds; nothing if that is no text."""
    value = _told(note, "/AS" if one.kind == "/Btn" else "/V")
    if one.kind == "/Btn":
        one.value = "" if value is None or str(value) == "/Off" else "x"
    elif value is None or isinstance(value, String):
        one.value = "\n".join(str(value or "").splitlines())
    else:
        return None
    one.hint = str(_told(note, "/TU") or "")
    one.called = one.hint or str(_told(note, "/T") or "").rpartition(".")[2].partition("[")[0]
    if one.kind == "/Ch":
        pairs = [o if isinstance(o, Array) else (o, o) for o in _told(note, "/Opt") or ()]
        shown = {str(option): str(name) for option, name in pairs}
        one.value, one.options = shown.get(one.value, one.value), list(shown.values())
    for key in ("/BG", "/BC"):
        one.colours[key] = [float(number) for number in look.get(key, ())]
    return one


def _told(note: Any, key: str) -> Any:
    """What a field has, or those above it."""
    for _ in range(DEEPEST):
        if not isinstance(note, Dictionary):
            return None
        if key in note:
            return note[key]
        note = note.get("/Parent")
    return None


def _place(corners: Any) -> list[float]:
    x, y, other_x, other_y = (float(one) for one in corners)
    return [min(x, other_x), min(y, other_y), max(x, other_x), max(y, other_y)]


def add(pdf: pikepdf.Pdf, fields: Sequence[Field]) -> None:
    """A form of them."""
    if not fields:
        return
    resources = Dictionary(Font=Dictionary(Box=boxes.font()))
    made = [pdf.make_indirect(_made(pdf, one, number)) for number, one in enumerate(fields, 1)]
    for one, note in zip(fields, made, strict=True):
        page = pdf.pages[one.page].obj
        if "/Annots" not in page:
            page.Annots = Array()
        page.Annots.append(note)
        note.P = page
    form = Dictionary(Fields=Array(made), DR=resources, DA=String("/Box 0 Tf 0 g"))
    form.NeedAppearances = not all(map(_drawn, fields))
    pdf.Root.AcroForm = form


def _drawn(one: Field) -> bool:
    """Whether it looks as it should already: lines are not broken here, nor other scripts drawn."""
    return (
        not one.flags & LINES
        and one.value.encode("cp1252", "replace").decode("cp1252") == one.value
    )


def _made(pdf: pikepdf.Pdf, one: Field, number: int) -> Dictionary:
    note = Dictionary(
        Type=Name.Annot, Subtype=Name.Widget, FT=Name(one.kind), T=String(f"field_{number}"),
        Rect=Array(one.place), F=4, Ff=one.flags,
    )  # fmt: skip
    if one.hint:
        note.TU = String(one.hint)
    note.MK = Dictionary({key: Array(told) for key, told in one.colours.items() if told})
    if one.kind == "/Btn":
        note.V = note.AS = Name.Yes if one.value else Name.Off
        off = structs.replace(one, value="")
        looks = Dictionary(Yes=_look(pdf, structs.replace(one, value="x")), Off=_look(pdf, off))
        note.AP = Dictionary(N=looks)
        return note
    note.V, note.DA = String(one.value), String(f"/Box {one.size:.1f} Tf 0 g")
    if one.options:
        note.Opt = Array([String(option) for option in dict.fromkeys(one.options)])
    note.AP = Dictionary(N=_look(pdf, one))
    return note


def _look(pdf: pikepdf.Pdf, one: Field) -> Any:
    """How it looks, until a program draws it anew."""
    width, height = one.place[2] - one.place[0], one.place[3] - one.place[1]
    made: list[Any] = []

    def put(name: str, *operands: Any) -> None:
        made.append((list(operands), Operator(name)))

    for key, paint in (("/BG", "f"), ("/BC", "S")):
        if colour := _COLOURS.get((key, len(one.colours.get(key, ())))):
            put(colour, *one.colours[key])
            put("re", 0, 0, width, height)
            put(paint)
    if one.kind == "/Btn" and one.value:
        for x in (0.2, 0.8):
            put("m", x * width, 0.2 * height)
            put("l", (1 - x) * width, 0.8 * height)
        put("S")
    put("BMC", Name.Tx)
    for number, line in enumerate(one.lines, 1):
        put("BT")
        put("g", 0)
        put("Tf", Name.Box, round(one.size, 1))
        put("Td", 2, round(one.across(number), 2))
        put("Tj", String(line.encode("cp1252", "replace")))
        put("ET")
    put("EMC")
    look = pdf.make_stream(pikepdf.unparse_content_stream(made))
    look.Type, look.Subtype = Name.XObject, Name.Form
    look.BBox = Array([0, 0, width, height])
    look.Resources = Dictionary(Font=Dictionary(Box=boxes.font()))
    return look


_COLOURS = {
    ("/BG", 1): "g", ("/BG", 3): "rg", ("/BG", 4): "k",
    ("/BC", 1): "G", ("/BC", 3): "RG", ("/BC", 4): "K",
}  # fmt: skip
