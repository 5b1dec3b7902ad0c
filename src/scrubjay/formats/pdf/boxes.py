"""What stands where a value was: a grey box, and in it what replaced the value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pikepdf
from msgspec import Struct
from pikepdf import Dictionary, Name, Operator, String

from scrubjay.formats.layout import Change
from scrubjay.formats.pdf import matrices, standard
from scrubjay.formats.pdf.content import Glyph

FONT = "Helvetica"
SIZE, LOW, HIGH = 0.8, -0.22, 0.8  # of the value's own size
NARROWEST = 20  # percent of its width that a substitute may be pressed to


class Box(Struct, frozen=True):
    """From a glyph's start, so long in its own measure."""

    first: Glyph
    length: float
    text: str


def of(glyphs: Sequence[Glyph], changes: Sequence[Change]) -> Iterator[Box]:
    """One for each row that a value stood on; the substitute is in the first."""
    done: set[int] = set()
    for change in changes:
        if done.issuperset(change.signs):
            continue
        done.update(change.signs)
        text = change.text
        for row in _rows(glyphs, change.signs):
            yield Box(row[0], _length(row), text)
            text = ""


def _rows(glyphs: Sequence[Glyph], signs: Sequence[int]) -> list[list[Glyph]]:
    rows: list[list[Glyph]] = []
    for glyph in (glyphs[index] for index in signs):
        near = rows and abs(rows[-1][-1].sign.across - glyph.sign.across) < glyph.sign.height / 2
        if near and rows[-1][-1].sign.along <= glyph.sign.along:
            rows[-1].append(glyph)
        else:
            rows.append([glyph])
    return rows


def _length(row: Sequence[Glyph]) -> float:
    try:
        back = matrices.back(row[0].matrix)
    except ZeroDivisionError:
        return 0.0
    return max(matrices.at(back, *glyph.quad[1])[0] for glyph in row)


def drawn(boxes: Sequence[Box]) -> bytes:
    """The operators. The font is /Box."""
    made: list[Any] = []

    def put(name: str, *operands: Any) -> None:
        made.append((list(operands), Operator(name)))

    for box in boxes:
        put("q")
        put("cm", *(round(x, 6) for x in box.first.matrix))
        put("g", 0.88)
        put("re", 0, LOW, round(box.length, 4), HIGH - LOW)
        put("f")
        if told := _told(box):
            data, scale = told
            put("g", 0)
            put("BT")
            put("Tf", Name("/Box"), SIZE)
            put("Tz", scale)
            put("Tj", String(data))
            put("ET")
        put("Q")
    return pikepdf.unparse_content_stream(made)


def _told(box: Box) -> tuple[bytes, float] | None:
    """The substitute in WinAnsi, and how far it is pressed; nothing if it cannot be shown."""
    try:
        data = box.text.encode("cp1252")
    except UnicodeEncodeError:
        return None
    wide = sum(standard.width(FONT, c) for c in box.text) / 1000 * SIZE
    if not wide or box.length / wide * 100 < NARROWEST:
        return None
    return data, round(min(100.0, box.length / wide * 100), 1)


def font() -> Dictionary:
    """What /Box is."""
    return Dictionary(
        Type=Name.Font,
        Subtype=Name.Type1,
        BaseFont=Name(f"/{FONT}"),
        Encoding=Name.WinAnsiEncoding,
    )
