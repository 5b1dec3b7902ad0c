"""The fonts that every reader of PDF brings: which is nearest to a name, how wide its signs are."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import pypdfium2.raw as pdfium
from pypdfium2 import PdfDocument

SERIF, FIXED, ITALIC, BOLD = 2, 1, 64, 1 << 18  # of a font's /Flags


def nearest(name: str, flags: int = 0) -> str:
    """The standard font for what calls itself so."""
    low = name.lower()
    if "dingbat" in low:
        return "ZapfDingbats"
    if low.rpartition("+")[2].startswith("symbol"):
        return "Symbol"
    bold = "bold" in low or "black" in low or flags & BOLD
    italic = "italic" in low or "oblique" in low or flags & ITALIC
    if flags & FIXED or any(word in low for word in ("courier", "mono", "consol")):
        family, slanted = "Courier", "Oblique"
    elif flags & SERIF or any(word in low for word in ("times", "serif", "roman", "georgia")):
        styles = {(True, True): "BoldItalic", (True, False): "Bold", (False, True): "Italic"}
        return "Times-" + styles.get((bool(bold), bool(italic)), "Roman")
    else:
        family, slanted = "Helvetica", "Oblique"
    style = ("Bold" if bold else "") + (slanted if italic else "")
    return f"{family}-{style}" if style else family


@cache
def width(name: str, text: str) -> float:
    """Of one sign, in thousandths of the size."""
    told = ctypes.c_float()
    font = _font(name)
    if font and pdfium.FPDFFont_GetGlyphWidth(font, ord(text[0]), 1000.0, ctypes.byref(told)):
        return float(told.value)
    return 0.0


@cache
def _font(name: str) -> Any:
    return pdfium.FPDFText_LoadStandardFont(_document().raw, name.encode("ascii"))


@cache
def _document() -> Any:
    return PdfDocument.new()
