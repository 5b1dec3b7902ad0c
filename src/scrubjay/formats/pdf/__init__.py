"""PDF. A new file is made, with nothing in it that was not looked at: found values leave the
operators that show them and the pixels of pictures; names, metadata, scripts and earlier versions
do not come along. A page that is not understood for certain is drawn as a picture and read as one.

All pages are read before one is written, as one text: what is found on one is found on each.
"""

from __future__ import annotations

import zlib
from typing import Any, BinaryIO

import pikepdf
from pikepdf import Array

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats.pdf.book import Book
from scrubjay.formats.pixels import BROKEN
from scrubjay.formats.work import Limits, Work

SMALL = 1 << 26  # bytes that any stream may unpack to


class Pdf:
    """`pdf.v1`."""

    name = "pdf.v1"
    suffixes: tuple[str, ...] = (".pdf",)

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """Whole in memory: a PDF begins at its end."""
        try:
            with pikepdf.open(source, suppress_warnings=True) as pdf:  # they quote
                _check(pdf, work.limits)
                data = Book(pdf, work).made()
        except pikepdf.PasswordError:
            raise InputError("encrypted with a password: save it without one") from None
        except (*BROKEN, pikepdf.PdfError, pikepdf.ForeignObjectError) as problem:
            raise InputError(f"a damaged PDF: {type(problem).__name__}") from None
        target.write(data)


def _check(pdf: pikepdf.Pdf, limits: Limits) -> None:
    """No stream that unpacks to more than it may, before anything unpacks it."""
    if len(pdf.objects) > limits.members * 10 or len(pdf.pages) > limits.members:
        raise InputError(f"more than {limits.members} pages, or ten times as many objects")
    if not len(pdf.pages):
        raise InputError("no pages")
    for item in pdf.objects:
        if isinstance(item, pikepdf.Stream):
            _check_stream(item, limits)


def _check_stream(stream: Any, limits: Limits) -> None:
    filters = stream.get("/Filter")
    names = [str(one) for one in (filters if isinstance(filters, Array) else [filters])]
    packed = [name for name in names if name in {"/FlateDecode", "/Fl", "/LZWDecode", "/LZW"}]
    if len(packed) > 1:
        raise InputError("a stream packed twice")
    if packed and names[0] in {"/FlateDecode", "/Fl"}:
        raw = stream.read_raw_bytes()
        most = max(SMALL, limits.ratio * len(raw))
        unpack = zlib.decompressobj()
        size, left = 0, raw
        while left and size <= most:
            try:
                size += len(unpack.decompress(left, 1 << 20))
            except zlib.error:
                return  # damage is for the reader of the stream
            left = unpack.unconsumed_tail
        if size > most:
            raise InputError(f"a stream of more than {limits.ratio} times its packed size")


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`pdf.v1`."""
    return Pdf()
