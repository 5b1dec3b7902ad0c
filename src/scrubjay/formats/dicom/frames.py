"""Frames of pixels in whatever transfer syntax, as stored samples that can be written over, and as
pictures that can be looked at.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from msgspec import Struct, structs
from PIL import Image
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import convert_color_space
from pydicom.pixels.utils import expand_ybr422
from pydicom.uid import UID

from scrubjay.errors import InputError
from scrubjay.formats.dicom.elements import (
    ITEM,
    PIXELS,
    SEQUENCE_END,
    Element,
    File,
    Span,
    held,
    told,
)
from scrubjay.formats.dicom.pixels import Shape, number, shape
from scrubjay.formats.pixels import BROKEN
from scrubjay.formats.work import SPOOL, Limits, Work

logging.getLogger("pydicom").setLevel(logging.CRITICAL)  # below, it tells what decoders said

STORED, HIGH, SIGNED, PLANAR = 0x00280101, 0x00280102, 0x00280103, 0x00280006
DESCRIPTORS, TABLES = (0x00281101, 0x00281102, 0x00281103), (0x00281201, 0x00281202, 0x00281203)
GREYS = ("MONOCHROME1", "MONOCHROME2")
COLOURS = ("RGB", "YBR_FULL")
Array = np.ndarray[Any, Any]


class Layout(Struct, frozen=True):
    """How the samples of a frame lie in its bytes. `colours`: of a palette, by index."""

    shape: Shape
    stored: int
    signed: bool
    planar: bool
    big: bool
    colours: Any = None

    @property
    def size(self) -> int:
        """Bytes of a frame."""
        return structs.replace(self.shape, frames=1).length

    def samples(self, data: bytearray) -> Array:
        """The same bytes as rows, columns and samples: what is written there is written here."""
        form = self.shape
        order = ">" if self.big else "<"
        flat = np.frombuffer(data, f"{order}{'i' if self.signed else 'u'}{form.allocated // 8}")
        if self.planar:
            return flat.reshape(form.samples, form.rows, form.columns).transpose(1, 2, 0)
        return flat.reshape(form.rows, form.columns, form.samples)

    def pictures(self, samples: Array) -> list[Image.Image]:
        """In 8 bits: all of the range, and, of more bits, also the middle of it alone."""
        unused = self.shape.allocated - self.stored
        values = samples.astype(samples.dtype.newbyteorder("=")) << unused >> unused
        kind = self.shape.interpretation
        if kind in GREYS:
            grey = values[:, :, 0].astype(np.float32) * (-1 if kind == "MONOCHROME1" else 1)
            return [Image.fromarray(each) for each in _ranges(grey)]
        if kind == "PALETTE COLOR":
            first, table = self.colours
            index = np.clip(values[:, :, 0].astype(np.int64) - first, 0, len(table) - 1)
            return [Image.fromarray(table[index])]
        values = _scaled(values, 0, (1 << self.stored) - 1)
        return [Image.fromarray(convert_color_space(values, kind, "RGB"))]


def _ranges(values: Array) -> Iterator[Array]:
    low, high = float(values.min()), float(values.max())
    yield _scaled(values, low, high)
    bottom, top = np.percentile(values, (1, 99))
    if (top - bottom) * 2 < high - low and high - low > 255:
        yield _scaled(values, float(bottom), float(top))


def _scaled(values: Array, low: float, high: float) -> Array:
    span = max(high - low, 1.0)
    return (np.clip((values - low) / span, 0, 1) * 255).astype(np.uint8)


class Frames(Struct):
    """All frames, uncompressed, in a file of their own."""

    file: BinaryIO
    layout: Layout

    def __len__(self) -> int:
        return self.layout.shape.frames

    def read(self, index: int) -> bytearray:
        """One frame's bytes."""
        self.file.seek(index * self.layout.size)
        return bytearray(self.file.read(self.layout.size))

    def write(self, index: int, data: bytearray) -> None:
        """One frame's bytes in their place."""
        self.file.seek(index * self.layout.size)
        self.file.write(data)

    def span(self) -> Span:
        """All of them, as a value."""
        return Span(0, self.layout.size * len(self), self.file)


def of(root: list[Element], file: File, work: Work) -> Frames:
    """Of a data set whose pixels have the length that the header says, or are compressed. What
    nothing decodes is refused."""
    element = next((e for e in root if e.tag == PIXELS), None)
    if element is None or isinstance(element.value, list):
        raise InputError("pixels that are no integers: nothing looks for text in them")
    layout = _layout(root, file, work.limits)
    work.spend("bytes", layout.shape.length)
    spool = tempfile.SpooledTemporaryFile(SPOOL)  # noqa: SIM115 - open as long as the file is
    target: Any = file.opened.enter_context(spool)
    if isinstance(element.value, tuple):
        layout = _decode(element.value, file.syntax, layout, target)
    else:
        if layout.big and element.vr == "OW" and layout.shape.allocated == 8:
            raise InputError(f"{told(PIXELS)}: bytes in big-endian words: nothing looks at those")
        layout = _copy(element.value, file.source, layout, target)
    if layout.shape.interpretation not in (*GREYS, *COLOURS, "PALETTE COLOR"):
        raise InputError(f"{told(PIXELS)}: colours of a kind that nothing looks at")
    return Frames(target, layout)


def _layout(root: list[Element], file: File, limits: Limits) -> Layout:
    syntax = file.encoding
    form = shape(root, syntax)
    if form.rows * form.columns > limits.pixels:
        raise InputError(f"{told(PIXELS)}: more than {limits.pixels} pixels in a frame")
    stored, high, signed = (number(root, tag, syntax) for tag in (STORED, HIGH, SIGNED))
    fits = form.allocated in (8, 16, 32) and 0 < stored <= form.allocated and high == stored - 1
    if form.interpretation == "YBR_FULL_422":
        fits = fits and form.allocated == 8 and form.columns % 2 == 0
    known = {1: (*GREYS, "PALETTE COLOR"), 3: (*COLOURS, "YBR_FULL_422", "YBR_RCT", "YBR_ICT")}
    if not fits or form.interpretation not in known.get(form.samples, ()) or not form.length:
        raise InputError(f"{told(PIXELS)}: samples or colours of a kind that nothing looks at")
    planar = form.samples > 1 and number(root, PLANAR, syntax) == 1
    palette = form.interpretation == "PALETTE COLOR"
    colours = _palette(root, file, limits.text) if palette else None
    return Layout(form, stored, signed == 1, planar, syntax.big, colours)


def _palette(root: list[Element], file: File, most: int) -> tuple[int, Array]:
    """The first index, and red, green and blue of it and the others, PS3.3 C.7.6.3.1.5."""
    values = {e.tag: e.value for e in root if isinstance(e.value, Span | bytes)}
    first, columns, syntax = 0, [], file.encoding
    for about, table in zip(DESCRIPTORS, TABLES, strict=True):
        descriptor = values.get(about)
        if table not in values or not isinstance(descriptor, bytes) or len(descriptor) != 6:
            raise InputError(f"{told(table)}: a table of colours that is missing or in segments")
        entries, first, bits = (syntax.number(descriptor[at : at + 2]) for at in (0, 2, 4))
        data = held(file.source, values[table], most, table)
        entries = entries or 1 << 16
        width = 2 if len(data) >= 2 * entries else 1
        order = ">" if syntax.big else "<"
        column = np.frombuffer(data[: entries * width], f"{order}u{width}")
        columns.append((column >> (8 if bits == 16 else 0)).astype(np.uint8))
    shortest = min(map(len, columns))
    if not shortest:
        raise InputError(f"{told(TABLES[0])}: a table without colours")
    return first, np.stack([column[:shortest] for column in columns], axis=1)


def _copy(value: Any, source: BinaryIO, layout: Layout, file: BinaryIO) -> Layout:
    """As they are; chroma of every second column becomes one of each."""
    half = layout.shape.interpretation == "YBR_FULL_422"
    for index in range(layout.shape.frames):
        at = index * layout.size
        if isinstance(value, Span):
            source.seek(value.offset + at)
            data = source.read(layout.size)
        else:
            data = value[at : at + layout.size]
        file.write(expand_ybr422(data, layout.shape.allocated) if half else data)
    if not half:
        return layout
    form = structs.replace(layout.shape, interpretation="YBR_FULL")
    return structs.replace(layout, shape=form, planar=False)


def _decode(parts: tuple[Any, ...], name: str, layout: Layout, file: BinaryIO) -> Layout:
    """With whatever decoder is installed. Colours become RGB."""
    form, new = layout.shape, None
    options: dict[str, Any] = {
        "rows": form.rows, "columns": form.columns, "samples_per_pixel": form.samples,
        "photometric_interpretation": form.interpretation, "number_of_frames": form.frames,
        "bits_allocated": form.allocated, "bits_stored": layout.stored,
        "pixel_representation": int(layout.signed), "planar_configuration": int(layout.planar),
        "pixel_keyword": "PixelData",
    }  # fmt: skip
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for array, about in get_decoder(UID(name)).iter_array(_encapsulated(parts), **options):
                this = _decoded(layout, about)
                if new not in (None, this):
                    raise InputError(f"{told(PIXELS)}: frames of different kinds")
                new = this
                file.write(array.astype(array.dtype.newbyteorder("<")).tobytes())
    except BROKEN:
        raise InputError(
            f"{told(PIXELS)}: nothing that is installed decodes its frames; JPEG-LS and lossless"
            " JPEG need: pip install python-gdcm"
        ) from None
    if new is None or file.tell() != new.size * form.frames:
        raise InputError(f"{told(PIXELS)}: frames of another size than the header's")
    return new


def _decoded(layout: Layout, about: dict[str, Any]) -> Layout:
    form = structs.replace(
        layout.shape,
        allocated=about["bits_allocated"],
        interpretation=about["photometric_interpretation"],
    )
    signed = about["pixel_representation"] == 1
    return Layout(form, about["bits_stored"], signed, False, False, layout.colours)


def _encapsulated(parts: tuple[Any, ...]) -> bytes:
    """Fragments as PS3.5 A.4 has them; the first is the table of offsets."""
    marks = [ITEM] * len(parts) + [SEQUENCE_END]
    return b"".join(
        mark.to_bytes(4, "big")[1::-1] + mark.to_bytes(4, "big")[:1:-1]
        + len(part).to_bytes(4, "little") + part
        for mark, part in zip(marks, (*parts, b""), strict=True)
    )  # fmt: skip
