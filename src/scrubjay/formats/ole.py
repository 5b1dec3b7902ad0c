"""Compound files: Word, Excel and PowerPoint before 2007, mails of Outlook, encrypted documents.
None is read: each is refused with what helps.
"""

from __future__ import annotations

from typing import BinaryIO

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats.work import Work

LOOKED = 1 << 26  # bytes in which the names of streams are looked for
ADVICE = {
    "EncryptedPackage": "an encrypted document: save it without a password first",
    "WordDocument": "a document of Word before 2007: save it as .docx first",
    "Workbook": "a workbook of Excel before 2007: save it as .xlsx first",
    "Book": "a workbook of Excel before 2007: save it as .xlsx first",
    "PowerPoint Document": "a presentation of PowerPoint before 2007: save it as .pptx first",
    "__properties_version1.0": "a mail of Outlook: save it as .eml first",
}


class Compound:
    """`ole.v1`, which only refuses."""

    name = "ole.v1"
    suffixes: tuple[str, ...] = (".doc", ".xls", ".ppt", ".msg")

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """Never."""
        data = source.read(LOOKED)
        for stream, advice in ADVICE.items():
            if stream.encode("utf-16-le") in data:
                raise InputError(advice)
        raise InputError("a compound file: save what is in it in a newer format first")


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`ole.v1`."""
    return Compound()
