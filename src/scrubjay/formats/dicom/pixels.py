"""Pixels that stay as they are: that they are no more than pixels, and show no text.

Nothing is decoded. Comments in compressed pixels are blanked where they stand, samples of another
length than the header's are refused, and so is what often has names burned in.
"""

from __future__ import annotations

import re
import struct
from typing import BinaryIO

from scrubjay.errors import InputError
from scrubjay.formats.dicom.elements import PIXELS, Element, Span, Syntax, told

# Ultrasound, secondary captures, pictures of paper; endoscopes write on theirs too.
RISKY_MODALITIES = frozenset(("US", "IVUS", "BDUS", "SC", "OT", "DOC", "ES"))
RISKY_IMAGES = ("SCREEN SAVE", "LABEL", "OVERVIEW")  # of slides, the last two
ROWS, COLUMNS, FRAMES, SAMPLES = 0x00280010, 0x00280011, 0x00280008, 0x00280002
ALLOCATED, INTERPRETATION = 0x00280100, 0x00280004
BURNED, MODALITY, CLASS, IMAGE_TYPE, CONVERSION = (
    0x00280301, 0x00080060, 0x00080016, 0x00080008, 0x00080064,
)  # fmt: skip
CAPTURES = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.1\.1\.[367](\.[0-9.]+)?")
KEPT_APP = {0xE0: (b"JFIF\0", 16), 0xEE: (b"Adobe", 14)}  # what a decoder needs, and its length


def text(root: list[Element], tag: int) -> str:
    """A plain value of the data set."""
    value = next((e.value for e in root if e.tag == tag), b"")
    return value.decode("latin-1").strip(" \0") if isinstance(value, bytes) else ""


def risk(root: list[Element]) -> str:
    """Why text may be burned into the pixels; nothing where that is not likely."""
    if not any(e.tag >> 16 == 0x7FE0 for e in root):
        return ""
    if text(root, BURNED).upper() == "YES":
        return "(0028,0301) says that its pixels hold text that identifies"
    if text(root, MODALITY) in RISKY_MODALITIES or CAPTURES.fullmatch(text(root, CLASS)):
        return "images of this kind often have names burned in"
    kinds = text(root, IMAGE_TYPE).upper().split("\\")
    if text(root, CONVERSION) or any(kind.strip() in RISKY_IMAGES for kind in kinds):
        return "it is a picture of a screen or of paper"
    return ""


def native(root: list[Element], syntax: Syntax) -> None:
    """Cut samples to what the header says; fewer are refused."""
    for element in root:
        if element.tag == PIXELS and not isinstance(element.value, tuple):
            wanted = _expected(root, syntax)
            held = element.value
            length = held.length if isinstance(held, Span) else len(held)
            if length < wanted:
                raise InputError(f"{told(PIXELS)}: {length} bytes of pixels, not {wanted}")
            element.value = Span(held.offset, wanted) if isinstance(held, Span) else held[:wanted]


def _expected(root: list[Element], syntax: Syntax) -> int:
    def number(tag: int) -> int:
        value = next((e.value for e in root if e.tag == tag), b"")
        if not isinstance(value, bytes) or len(value) != 2:
            raise InputError(f"{told(tag)}: pixels without it")
        return syntax.number(value)

    frames = text(root, FRAMES) or "1"
    if not re.fullmatch(r"[0-9]{1,9}", frames):
        raise InputError(f"{told(FRAMES)}: no number of frames")
    samples = number(ROWS) * number(COLUMNS) * number(SAMPLES) * int(frames)
    if text(root, INTERPRETATION) == "YBR_FULL_422":
        samples = samples * 2 // 3
    return (samples * number(ALLOCATED) + 7) // 8


def unhidden(root: list[Element]) -> None:
    """Refuse overlays in the unused bits of pixels, retired in 2004 and still about."""
    for element in root:
        if element.tag & 0xFF01FFFF == 0x60000102 and any(_bytes(element)):
            raise InputError(f"{told(element.tag)}: an overlay in the bits of its pixels")


def _bytes(element: Element) -> bytes:
    return element.value if isinstance(element.value, bytes) else b""


def compressed(
    source: BinaryIO, fragments: tuple[Span | bytes, ...], most: int, *, runs: bool
) -> tuple[bytes, ...]:
    """The fragments with their frames' comments blanked. The first is the offset table. Run-length
    coding (`runs`) has no place for comments."""
    if not fragments:
        raise InputError(f"{told(PIXELS)}: no fragments")
    held = [_read(source, span, most) for span in fragments]
    if len(held[0]) % 4:
        raise InputError(f"{told(PIXELS)}: no table of offsets")
    if runs:
        return tuple(held)
    frames: list[list[bytes]] = []
    for data in held[1:]:
        if frames and not data.startswith((b"\xff\xd8", b"\xff\x4f")):
            frames[-1].append(data)
        else:
            frames.append([data])
    return (held[0], *(part for frame in frames for part in _blanked(frame)))


def _read(source: BinaryIO, span: Span | bytes, most: int) -> bytes:
    if isinstance(span, bytes):
        return span
    if span.length > most:
        raise InputError(f"{told(PIXELS)}: a fragment of more than {most >> 20} MiB")
    source.seek(span.offset)
    return source.read(span.length)


def _blanked(parts: list[bytes]) -> list[bytes]:
    """One frame's fragments, of the same lengths."""
    data = bytearray(b"".join(parts))
    if data.startswith(b"\xff\xd8"):
        _jpeg(data)
    elif data.startswith(b"\xff\x4f"):
        _wavelet(data)
    else:
        raise InputError(f"{told(PIXELS)}: a frame that is no JPEG")
    cut, at = [], 0
    for part in parts:
        cut.append(bytes(data[at : at + len(part)]))
        at += len(part)
    return cut


def _jpeg(data: bytearray) -> None:
    """ISO/IEC 10918-1 B.1: segments up to a scan, its data up to the next marker, and so on."""
    at = 2
    while True:
        at = _next_marker(data, at)
        marker = data[at + 1]
        if marker == 0xD9:
            data[at + 2 :] = bytes(len(data) - at - 2)
            return
        length = _length(data, at)
        if marker == 0xFE or 0xE0 <= marker <= 0xEF:
            start, kept = KEPT_APP.get(marker, (b"", 0))
            if length != kept or not data.startswith(start, at + 4):
                data[at + 4 : at + 2 + length] = bytes(length - 2)
        at += 2 + length


def _next_marker(data: bytearray, at: int) -> int:
    """Where the next marker is that is no part of a scan's data. JPEG-LS stuffs bits: after FF,
    anything below 80 is data."""
    found = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]").search(data, at)
    if found is None:
        raise InputError(f"{told(PIXELS)}: a JPEG without an end")
    return found.start()


def _wavelet(data: bytearray) -> None:
    """ISO/IEC 15444-1 A: main header, then tile-parts of known lengths, each with its header."""
    at = _header(data, 2, 0xFF90)
    while data[at : at + 2] == b"\xff\x90":
        length = _length(data, at)
        if length != 10:
            raise InputError(f"{told(PIXELS)}: a damaged tile")
        (size,) = struct.unpack_from(">I", data, at + 6)
        _header(data, at + 12, 0xFF93)
        if not size:
            return  # to the end
        if size < 14 or at + size > len(data):
            raise InputError(f"{told(PIXELS)}: a tile that is longer than its frame")
        at += size
    if data[at : at + 2] != b"\xff\xd9":
        raise InputError(f"{told(PIXELS)}: a frame without an end")
    data[at + 2 :] = bytes(len(data) - at - 2)


def _header(data: bytearray, at: int, until: int) -> int:
    """Blank the comments up to a marker; where that is."""
    while True:
        if at + 4 > len(data):
            raise InputError(f"{told(PIXELS)}: a header without an end")
        marker = data[at] << 8 | data[at + 1]
        if marker == until:
            return at
        length = _length(data, at)
        if marker == 0xFF64:
            data[at + 6 : at + 2 + length] = b" " * max(0, length - 4)
        at += 2 + length


def _length(data: bytearray, at: int) -> int:
    if at + 4 > len(data):
        raise InputError(f"{told(PIXELS)}: a segment that is cut short")
    length = data[at + 2] << 8 | data[at + 3]
    if length < 2 or at + 2 + length > len(data):
        raise InputError(f"{told(PIXELS)}: a segment that is cut short")
    return length
