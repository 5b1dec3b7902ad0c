"""PDF. A new file is made, with nothing in it that was not looked at: found values leave the
operators that show them and the pixels of pictures; names, metadata, scripts and earlier versions
do not come along. A page that is not understood for certain is drawn as a picture and read as one.

All pages are read before one is written, as one text: what is found on one is found on each.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pikepdf
from PIL import Image

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats.pdf import apart, bombs
from scrubjay.formats.pdf.book import Book
from scrubjay.formats.pixels import BROKEN
from scrubjay.formats.work import Work


class Pdf:
    """`pdf.v1`."""

    name = "pdf.v1"
    suffixes: tuple[str, ...] = (".pdf",)

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """Whole in memory: a PDF begins at its end."""
        with _opened(source.read(), work) as pdf:
            data = Book(pdf, work).made()
        target.write(data)

    def pages(self, source: BinaryIO, work: Work) -> Iterator[Image.Image]:
        """As they are seen. Nothing of them is cleaned."""
        read = source.read()
        with _opened(read, work) as pdf:
            count = len(pdf.pages)
        drawn = apart.opened(read, work.limits.pixels)
        try:
            yield from map(drawn.picture, range(count))
        finally:
            drawn.close()


@contextmanager
def _opened(read: bytes, work: Work) -> Iterator[pikepdf.Pdf]:
    """What goes wrong with it, while it is open too, is its own fault."""
    bombs.check_bytes(read, work.limits)
    try:
        with pikepdf.open(io.BytesIO(read), suppress_warnings=True) as pdf:  # they quote
            if not len(pdf.pages):
                raise InputError("no pages")
            bombs.check(pdf, work.limits)
            yield pdf
    except pikepdf.PasswordError:
        raise InputError("encrypted with a password: save it without one") from None
    except (*BROKEN, pikepdf.PdfError, pikepdf.ForeignObjectError) as problem:
        raise InputError(f"a damaged PDF: {type(problem).__name__}") from None


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`pdf.v1`."""
    return Pdf()
