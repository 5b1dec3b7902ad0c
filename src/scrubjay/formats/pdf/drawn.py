"""Pages as pictures and as texts, by a second reader: what it reads and we do not is a doubt."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import Any

from PIL import Image
from pypdfium2 import PdfDocument, PdfiumError

from scrubjay.errors import InputError

DPI = 200


class Drawn:
    """A file in memory, open in PDFium."""

    def __init__(self, data: bytes, pixels: int) -> None:
        self._pixels = pixels
        try:
            self._document: Any = PdfDocument(data)
        except PdfiumError:
            raise InputError("a damaged PDF: its pages cannot be drawn") from None

    def close(self) -> None:
        """Needed: PDFium minds the order in which things go."""
        self._document.close()

    def picture(self, number: int) -> Image.Image:
        """A page as it is seen, annotations apart."""
        page = self._page(number)
        width, height = page.get_size()
        size = width * height * (DPI / 72) ** 2
        if not 0 < size <= self._pixels:
            raise InputError(f"page {number + 1}: more than {self._pixels} pixels at {DPI} dpi")
        image: Image.Image = page.render(scale=DPI / 72, may_draw_forms=False).to_pil()
        return image.convert("RGB")

    def size(self, number: int) -> tuple[float, float]:
        """Width and height as seen, in points."""
        width, height = self._page(number).get_size()
        return float(width), float(height)

    def unexplained(self, number: int, text: str) -> int:
        """How many letters and digits are read there that `text` has not."""
        try:
            told = self._page(number).get_textpage().get_text_range()
        except PdfiumError:
            return 1
        return sum((_letters(told) - _letters(text)).values())

    def _page(self, number: int) -> Any:
        try:
            return self._document[number]
        except PdfiumError:
            raise InputError(f"page {number + 1}: damaged") from None


def _letters(text: str) -> Counter[str]:
    return Counter(c for c in unicodedata.normalize("NFKC", text) if c.isalnum())
