"""What is written in the pixels is found and written over: the clean pixel data option of PS3.15.

As in pictures, a word goes whole when any of it is found, and what could not be read goes; so does
what is almost a name or number of the header. What goes from one frame goes from all of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import product
from typing import Any

import numpy as np
from PIL import Image

from scrubjay.formats import pixels as pictures
from scrubjay.formats.dicom import frames, subject
from scrubjay.formats.dicom.elements import PIXELS, Element, File, put, string
from scrubjay.formats.dicom.frames import Array, Frames
from scrubjay.formats.dicom.pixels import BURNED, MODALITY
from scrubjay.formats.layout import Script
from scrubjay.formats.ocr import Word
from scrubjay.formats.pixels import Polygon
from scrubjay.formats.subjects import Person
from scrubjay.formats.work import Work

IMAGE_TYPE, FRAME_TYPE, LOSSY = 0x00080008, 0x00089007, 0x00282110
LOSSY_SYNTAXES = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 81))
STILL = ("SC", "OT", "DOC")  # modalities whose frames are pages
BLOCK = 16  # pixels of a square that is compared
STEP = 24  # levels of 256 by which a pixel must differ: lossy coding makes less
LARGE, LAP = 2432, 400  # pixels of a side that is read as it is, and that two parts share
SHORTEST, ALIKE = 4, 0.75  # signs of a word, and the part of them that must agree
OFTEN = 3  # changes after which a square counts as moving


def clean(root: list[Element], file: File, work: Work, whose: Person) -> bool:
    """Whether anything was written over. Then the pixels are uncompressed."""
    held = frames.of(root, file, work)
    found = list(_words(held, moves=string(root, MODALITY) not in STILL))
    gone = _gone(found, subject.through(work, whose)) + _nearly(found, work, whose)
    put(root, BURNED, "CS", b"NO")
    if not gone:
        return False
    _paint(held, gone)
    _describe(root, held, file)
    return True


def _gone(found: list[list[Word]], work: Work) -> list[Polygon]:
    """Where something identifies, or could not be read."""
    script = Script()
    for number, words in enumerate(found):
        script.add(number, pictures.views(words))
    unread = {word.quad for words in found for word in words if word.unread}
    work.dropped("unreadable writing", len(unread))
    changes = script.clean(work)
    return [
        polygon
        for number, words in enumerate(found)
        for polygon in pictures.gone(words, changes.get(number, ()))
    ]


def _nearly(found: list[list[Word]], work: Work, whose: Person) -> list[Polygon]:
    """Where something is almost a name or number of the header: readers mistake letters."""
    known = {
        part
        for label, told in whose.known.items()
        if label != "UID" and work.rule(label) != "keep.v1"
        for value in told
        for part in value.casefold().split()
        if len(part) >= SHORTEST
    }
    texts = {word.text for words in found for word in words if len(word.text) >= SHORTEST}
    near = {text for text in texts if any(_alike(text.casefold(), part) for part in known)}
    return [word.quad for words in found for word in words if word.text in near]


def _alike(text: str, other: str) -> bool:
    return SequenceMatcher(None, text, other).ratio() >= ALIKE


def _words(held: Frames, *, moves: bool) -> Iterator[list[Word]]:
    """What is written in the frames. Where pictures move, a frame is passed over if it differs from
    the last one that was looked at in squares alone that keep changing and never held writing."""
    layout, last = held.layout, None
    often: Any = 0  # changes by square
    written: Any = False  # what held writing, by square
    for index in range(len(held)):
        seen = layout.pictures(layout.samples(held.read(index)))
        now = np.asarray(seen[0])
        if last is not None:
            changed = _changed(last, now)
            if not (changed & ((often < OFTEN) | written)).any():
                continue
            often = often + (changed if moves else 0)
        last = now
        for words in map(_read, seen):
            written = written | _squares(_mask(now, [word.quad for word in words]))
            yield words


def _read(picture: Image.Image) -> list[Word]:
    """A large picture also in parts, as readers make it smaller."""
    found = _seen(picture)
    if max(picture.size) > LARGE:
        wide, high = picture.size
        columns, rows = (range(0, max(side - LAP, 1), LARGE - LAP) for side in picture.size)
        for x, y in product(columns, rows):
            part = picture.crop((x, y, min(x + LARGE, wide), min(y + LARGE, high)))
            found += [_moved(word, x, y) for word in _seen(part)]
    return found


def _seen(picture: Image.Image) -> list[Word]:
    return [word for word in pictures.words(picture) if not _drawn(word, picture)]


def _moved(word: Word, x: int, y: int) -> Word:
    a, b, c, d = ((x + at, y + down) for at, down in word.quad)
    return Word(word.text, (a, b, c, d), word.unread)


def _drawn(word: Word, picture: Image.Image) -> bool:
    """What looks like one letter as high as a quarter of the picture is a skull or a heart."""
    (ax, ay), _, _, (dx, dy) = word.quad
    return len(word.text.strip()) == 1 and math.hypot(dx - ax, dy - ay) * 4 > min(picture.size)


def _changed(before: Array, after: Array) -> Array:
    """By square."""
    return _squares(np.asarray(np.abs(before.astype(np.int16) - after) > STEP))


def _squares(marked: Array) -> Array:
    """Whether any pixel of a square is marked."""
    flat = marked.reshape(*marked.shape[:2], -1).any(axis=2)
    rows, columns = (-(-side // BLOCK) for side in flat.shape)
    whole = np.zeros((rows * BLOCK, columns * BLOCK), bool)
    whole[: flat.shape[0], : flat.shape[1]] = flat
    return np.asarray(whole.reshape(rows, BLOCK, columns, BLOCK).any(axis=(1, 3)))


def _mask(picture: Array, polygons: list[Polygon]) -> Array:
    """The pixels within polygons and their rims."""
    white = Image.new("L", (picture.shape[1], picture.shape[0]), 255)
    return np.asarray(np.asarray(pictures.filled(white, polygons)) == 0)


def _paint(held: Frames, gone: list[Polygon]) -> None:
    """All samples of a pixel, in every frame, as those of the darkest pixel that it shows."""
    layout = held.layout
    for index in range(len(held)):
        data = held.read(index)
        samples = layout.samples(data)
        shown = np.asarray(layout.pictures(samples)[0].convert("L"))
        darkest = samples[np.unravel_index(shown.argmin(), shown.shape)].copy()
        samples[_mask(shown, gone)] = darkest
        held.write(index, data)


def _describe(root: list[Element], held: Frames, file: File) -> None:
    """The header says what the samples now are, and that they were changed."""
    layout = held.layout
    form = layout.shape
    told = {0x00280100: form.allocated, frames.STORED: layout.stored,
            frames.HIGH: layout.stored - 1, frames.SIGNED: int(layout.signed)}  # fmt: skip
    if form.samples > 1:
        told[frames.PLANAR] = int(layout.planar)
    for tag, value in told.items():
        put(root, tag, "US", file.encoding.bytes(value, 2))
    put(root, 0x00280004, "CS", form.interpretation.encode())
    if file.syntax in LOSSY_SYNTAXES and not string(root, LOSSY):
        put(root, LOSSY, "CS", b"01")
    for element in root:
        if element.tag == PIXELS:
            element.vr = "OW" if form.allocated > 8 else element.vr
            element.value = held.span()
    _derive(root)


def _derive(elements: list[Element]) -> None:
    """Of the image and its frames, wherever it is told, PS3.3 C.7.6.1.1.2 and C.8.16.1.1."""
    for element in elements:
        if isinstance(element.value, list):
            for item in element.value:
                _derive(item)
        elif element.tag in (IMAGE_TYPE, FRAME_TYPE) and isinstance(element.value, bytes):
            element.value = b"\\".join([b"DERIVED", *element.value.split(b"\\")[1:]])
