"""An encapsulated document (PDF, CDA) through the reader of its own kind."""

from __future__ import annotations

from scrubjay.errors import InputError
from scrubjay.formats.dicom import subject
from scrubjay.formats.dicom.cleaner import INSIDE
from scrubjay.formats.dicom.elements import Element, File, Span, held, string, told
from scrubjay.formats.subjects import Person
from scrubjay.formats.work import Work

MIME, LENGTH = 0x00420012, 0x00420015
SUFFIXES = {"application/pdf": ".pdf", "text/xml": ".xml", "application/xml": ".xml"}


def clean(root: list[Element], file: File, work: Work, whose: Person) -> None:
    """The document in its place, and its length. What nothing reads is refused."""
    element = next((e for e in root if e.tag == INSIDE), None)
    if element is None:
        return
    suffix = SUFFIXES.get(string(root, MIME).lower())
    if suffix is None or not isinstance(element.value, Span | bytes):
        raise InputError(f"{told(INSIDE)}: an encapsulated document that nothing reads")
    data = held(file.source, element.value, work.limits.text, INSIDE).removesuffix(
        b"\0"
    )  # made even
    element.value = subject.through(work, whose).cleaned("document" + suffix, data)
    for length in (e for e in root if e.tag == LENGTH):
        length.value = file.encoding.bytes(len(element.value), 4)
