"""A file as a stream of parts: what is written as it is, and slots, whose texts are cleaned first.

Whoever takes a file apart gives parts; the engine draws texts from them in batches, and memory
holds no more than one batch.
"""

from __future__ import annotations

import codecs
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from msgspec import Struct, structs

from scrubjay.errors import InputError
from scrubjay.formats import fields
from scrubjay.formats.pieces import Pieces
from scrubjay.formats.work import Clean
from scrubjay.types import Anonymized, Document


class Slot(Struct):
    """Texts, and what is written where they were, once all of them are clean."""

    documents: list[Document]
    write: Callable[[list[Anonymized]], str]


Part = str | Slot


def one(document: Document, write: Callable[[str], str]) -> Part:
    """A slot for one text: `write` makes of the clean one what stands in the file."""
    if not document.text.strip():
        return write(document.text)
    return Slot([document], lambda results: write(results[0].text))


def kept(document: Document, raw: str, write: Callable[[str], str]) -> Part:
    """A slot that leaves what stands in the file, its escapes too, where nothing was found."""
    if not document.text.strip():
        return raw
    return one(document, lambda told: raw if told == document.text else write(told))


class Piece(Struct):
    """A part of a longer text. `behind`: what parts it from the next, and is in neither."""

    text: str
    write: Callable[[str], str]
    behind: str = ""


def pieced(parts: Iterable[Part | Piece], about: Document = fields.NOWHERE) -> Slot:
    """Parts as one slot, in which all pieces are one text, that stands where `about` does: a name
    may lie in several."""
    held = list(parts)
    found = [part for part in held if isinstance(part, Piece)]
    pieces = Pieces([piece.text for piece in found], [piece.behind for piece in found])
    whole = [structs.replace(about, text=pieces.text)] if pieces.text.strip() else []
    others = [one for part in held if isinstance(part, Slot) for one in part.documents]

    def fill(results: list[Anonymized]) -> str:
        texts = iter(pieces.changed(results[0]) if whole else [piece.text for piece in found])
        left = iter(results[len(whole) :])
        return "".join(_told(part, texts, left) for part in held)

    return Slot(whole + others, fill)


def _told(part: Part | Piece, texts: Iterator[str], left: Iterator[Anonymized]) -> str:
    if isinstance(part, Piece):
        return part.write(next(texts))
    return part.write([next(left) for _ in part.documents]) if isinstance(part, Slot) else part


class Memory:
    """Short texts in which nothing was found are not looked at again, nor codes of public systems
    under their names."""

    MOST, LONGEST = 10_000, 80

    def __init__(self) -> None:
        self._plain: set[tuple[str, str]] = set()

    def kept(self, document: Document, raw: str, write: Callable[[str], str]) -> Part:
        """As `slots.kept`."""
        key = (document.field, document.text)
        if not document.known and (key in self._plain or fields.coded(*key)):
            return raw

        def told(results: list[Anonymized]) -> str:
            [result] = results
            if result.text != document.text:
                return write(result.text)
            short = len(result.text) <= self.LONGEST and len(self._plain) < self.MOST
            if short and not document.known and not result.report.counts:
                self._plain.add(key)
            return raw

        return Slot([document], told) if document.text.strip() else raw


def together(parts: Iterable[Part], write: Callable[[str], str] = str) -> Slot:
    """Parts as one slot: `write` sees all that was written in them."""
    held = list(parts)
    documents = [one for part in held if isinstance(part, Slot) for one in part.documents]

    def fill(results: list[Anonymized]) -> str:
        left = iter(results)
        return write("".join(_told(part, iter(()), left) for part in held))

    return Slot(documents, fill)


def filled(parts: Iterable[Part], clean: Clean) -> Iterator[str]:
    """What is to be written, in order."""
    waiting: deque[Part] = deque()
    results: list[Anonymized] = []
    for result in clean(_documents(parts, waiting)):
        yield from _ready(waiting)
        results.append(result)
        slot = waiting[0]
        if isinstance(slot, Slot) and len(results) == len(slot.documents):
            waiting.popleft()
            yield slot.write(results)
            results = []
    yield from _ready(waiting)


def _documents(parts: Iterable[Part], waiting: deque[Part]) -> Iterator[Document]:
    for part in parts:
        waiting.append(part)
        if isinstance(part, Slot):
            yield from part.documents


def _ready(waiting: deque[Part]) -> Iterator[str]:
    """Those in front that wait for no text."""
    while waiting:
        part = waiting[0]
        if isinstance(part, Slot):
            if part.documents:
                return
            part = part.write([])
        waiting.popleft()
        yield part


def write(
    parts: Iterable[Part], target: BinaryIO, clean: Clean, encoding: str, *, errors: str = "strict"
) -> None:
    """All of it, in an encoding; a byte-order mark is written once."""
    try:
        encoder = codecs.getincrementalencoder(encoding)(errors)
    except LookupError:
        raise InputError(f"nothing can be written in the encoding {encoding}") from None
    try:
        for told in filled(parts, clean):
            target.write(encoder.encode(told))
    except UnicodeEncodeError:
        raise InputError(f"a substitute cannot be written in {encoding}") from None
