"""Bytes in a cell: text, a file of a kind that is read, or nothing that may stay."""

from __future__ import annotations

from scrubjay.errors import InputError
from scrubjay.formats.work import Work
from scrubjay.types import Document

LONGEST = 1 << 28


def clean(value: bytes, document: Document, work: Work) -> bytes | None:
    """The bytes as they may stay; `document` says where they stand. None: they may not, which is
    told."""
    if not value:
        return value
    text = as_text(value)
    if text is not None:
        [result] = work.clean([Document(text, *_place(document))])
        return result.text.encode("utf-8")
    try:
        return work.cleaned("", value)
    except InputError:
        work.dropped("binary value")
        return None


def as_text(value: bytes) -> str | None:
    """What the bytes say, if they are text."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if "\0" not in text else None


def _place(document: Document) -> tuple[str, str, str, str, str, dict[str, tuple[str, ...]]]:
    return (
        document.id, document.language, document.group, document.field, document.label,
        document.known,
    )  # fmt: skip
