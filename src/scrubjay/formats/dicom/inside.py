"""An encapsulated document (PDF, CDA) through the reader of its own kind."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from msgspec import structs

from scrubjay.errors import InputError
from scrubjay.formats.dicom import pixels
from scrubjay.formats.dicom.cleaner import INSIDE, Subject
from scrubjay.formats.dicom.elements import Element, Span, Syntax, told
from scrubjay.formats.work import Work
from scrubjay.types import Document

MIME, LENGTH = 0x00420012, 0x00420015
SUFFIXES = {"application/pdf": ".pdf", "text/xml": ".xml", "application/xml": ".xml"}


def clean(
    root: list[Element], source: BinaryIO, syntax: Syntax, work: Work, subject: Subject
) -> None:
    """The document in its place, and its length. What nothing reads is refused."""
    element = next((e for e in root if e.tag == INSIDE), None)
    if element is None:
        return
    suffix = SUFFIXES.get(pixels.text(root, MIME).lower())
    if suffix is None or not isinstance(element.value, Span | bytes):
        raise InputError(f"{told(INSIDE)}: an encapsulated document that nothing reads")
    target = io.BytesIO()
    inner = structs.replace(work, clean=lambda documents: work.clean(_told(documents, subject)))
    data = _held(source, element.value, work.limits.text)
    inner.file("document" + suffix, io.BytesIO(data), target)
    element.value = target.getvalue()
    for length in (e for e in root if e.tag == LENGTH):
        length.value = syntax.bytes(len(element.value), 4)


def _held(source: BinaryIO, value: bytes | Span, most: int) -> bytes:
    if isinstance(value, bytes):
        return value
    if value.length > most:
        raise InputError(f"{told(INSIDE)}: more than {most >> 20} MiB in one document")
    source.seek(value.offset)
    return source.read(value.length)


def _told(documents: Iterable[Document], subject: Subject) -> Iterator[Document]:
    """With whose they are."""
    for document in documents:
        yield structs.replace(
            document,
            group=subject.group or document.group,
            known={**subject.known, **document.known},
        )
