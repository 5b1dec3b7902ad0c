"""XML of spreadsheets without words: elements with those attributes that cannot say anything.

A value stays if it is a number, a cell's place, a colour or made of words of the formats' own.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from scrubjay.errors import InputError
from scrubjay.formats import numbers
from scrubjay.formats.officebare import code

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DEEPEST = 64
PLAIN = re.compile(
    r"[-+]?\d{1,7}(?:\.\d{1,17})?(?:E[-+]?\d{1,3})?"
    r"|[0-9A-F]{8}"  # a colour
    r"|(?:\$?[A-Z]{1,3}\$?\d{1,7}(?::\$?[A-Z]{1,3}\$?\d{1,7})? ?){1,2000}",
    re.ASCII,
)
_ELEMENTS = frozenset(
    """numFmts numFmt fonts font b i strike condense extend outline shadow u vertAlign sz color name
    family charset scheme fills fill patternFill fgColor bgColor gradientFill stop borders border
    left right top bottom diagonal vertical horizontal start end cellStyleXfs cellXfs xf alignment
    protection dxfs dxf colors indexedColors rgbColor mruColors tabColor outlinePr pageSetUpPr
    sheetView pane selection col mergeCell cfRule colorScale dataBar iconSet cfvo formula formula1
    formula2 dataValidation brk oddHeader oddFooter evenHeader evenFooter firstHeader
    firstFooter""".split()  # noqa: SIM905
)
_FONTS = frozenset(
    """Aptos Arial Calibri Cambria Candara Consolas Constantia Corbel Courier Georgia Helvetica
    Tahoma Times Trebuchet Verdana Liberation DejaVu Segoe Noto New Roman Sans Serif Mono Narrow MS
    UI Light Display Gothic Mincho""".split()  # noqa: SIM905
)


def local(element: Any) -> str:
    """Its name without the namespace; nothing for comments and instructions."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def new(name: str, /, **attributes: str) -> Any:
    """An element of a workbook."""
    return etree.Element(f"{{{MAIN}}}{name}", attributes, {None: MAIN, "r": OFFICE})


def under(parent: Any, name: str, /, **attributes: str) -> Any:
    """An element within another."""
    return etree.SubElement(parent, f"{{{MAIN}}}{name}", attributes)


def known(element: Any) -> bool:
    """Whether it is copied within another: the names of others may be words."""
    return local(element) in _ELEMENTS


def copy(element: Any, depth: int = 0) -> Any:
    """The element and what is in it, without words."""
    if depth > DEEPEST:
        raise InputError(f"elements within elements, more than {DEEPEST} deep")
    name = local(element)
    made = new(name)
    for key, value in element.attrib.items():
        kept = _kept(name, key, value)
        if kept is not None:
            made.set(key, kept)
    for child in element:
        if known(child):
            made.append(copy(child, depth + 1))
    return made


def _kept(name: str, key: str, value: str) -> str | None:
    if key.startswith("{") or key == "codeName" or not code(key, 4):
        return None  # a relation; what a macro calls the sheet; a name that the formats do not have
    if name in {"name", "rFont"} and key == "val":
        known = value and all(word in _FONTS for word in value.split())
        return value if known else "Calibri"
    if key == "formatCode":
        return value if numbers.FORMAT.fullmatch(value) else "General"
    return value if PLAIN.fullmatch(value) or code(value, 7) else None
