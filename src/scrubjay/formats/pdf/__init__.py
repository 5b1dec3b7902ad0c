"""PDF. A new file is made, with nothing in it that was not looked at: found values leave the
operators that show them and the pixels of pictures; names, metadata, scripts and earlier versions
do not come along. A page that is not understood for certain is drawn as a picture and read as one.

All pages are read before one is written, as one text: what is found on one is found on each.
"""

from __future__ import annotations

import io
from typing import BinaryIO

import pikepdf

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats.pdf import bombs
from scrubjay.formats.pdf.book import Book
from scrubjay.formats.pixels import BROKEN
from scrubjay.formats.work import Work


class Pdf:
    """`pdf.v1`."""

    name = "pdf.v1"
    suffixes: tuple[str, ...] = (".pdf",)

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """Whole in memory: a PDF begins at its end."""
        read = source.read()
        bombs.check_bytes(read, work.limits)
        try:
            with pikepdf.open(io.BytesIO(read), suppress_warnings=True) as pdf:  # they quote
                if not len(pdf.pages):
                    raise InputError("no pages")
                bombs.check(pdf, work.limits)
                data = Book(pdf, work).made()
        except pikepdf.PasswordError:
            raise InputError("encrypted with a password: save it without one") from None
        except (*BROKEN, pikepdf.PdfError, pikepdf.ForeignObjectError) as problem:
            raise InputError(f"a damaged PDF: {type(problem).__name__}") from None
        target.write(data)


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`pdf.v1`."""
    return Pdf()
