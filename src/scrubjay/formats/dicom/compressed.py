"""Compressed pixels that stay so: that they hold no more than their frames.

Nothing is decoded. Comments, private segments and what lies between or behind the parts that a
decoder reads are blanked; markers that no decoder needs are refused.
"""

from __future__ import annotations

import re
import struct
from itertools import accumulate
from operator import ne
from typing import BinaryIO

from scrubjay.errors import InputError
from scrubjay.formats.dicom.elements import PIXELS, Span, held, told
from scrubjay.formats.dicom.pixels import Shape
from scrubjay.formats.work import Work

STARTS = (b"\xff\xd8", b"\xff\x4f")  # of a JPEG, of a JPEG 2000
KEPT_APP = {0xE0: (b"JFIF\0", 16), 0xEE: (b"Adobe", 14)}  # what a decoder needs, and its length
SEGMENTS = frozenset((*range(0xC0, 0xC8), *range(0xC9, 0xD0), *range(0xDA, 0xF0), 0xF7, 0xF8, 0xFE))
SCAN, COMMENT, END = 0xDA, 0xFE, 0xD9
TILE, TILE_DATA, WAVELET_COMMENT = 0xFF90, 0xFF93, 0xFF64
HEADERS = frozenset((*range(0xFF50, 0xFF65), *range(0xFF72, 0xFF7B)))  # of JPEG 2000, parts 1, 2
_NEXT = re.compile(rb"\xff*(?=\xff[\x80-\xcf\xd8-\xfe])")  # fill bytes may stand before it
_NEXT_IN_SCAN = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")


def clean(
    source: BinaryIO, fragments: tuple[Span | bytes, ...], shape: Shape, work: Work, *, runs: bool
) -> tuple[bytes, ...]:
    """The fragments, blanked. The first is the table of offsets, made anew where there is one."""
    most = work.limits.text
    if not fragments:
        raise InputError(f"{told(PIXELS)}: no fragments")
    table, *rest = (held(source, span, most, PIXELS) for span in fragments)
    frames = [[data] for data in rest] if runs else _frames(rest)
    if len(frames) != shape.frames:
        raise InputError(
            f"{told(PIXELS)}: {len(frames)} frames, and the header says another number"
        )
    blanked = [_runs(frame[0], shape) if runs else _blanked(frame) for frame in frames]
    work.dropped("what is no part of a frame", sum(map(ne, frames, blanked)))
    return (_offsets(blanked) if table else b"", *(part for frame in blanked for part in frame))


def _frames(fragments: list[bytes]) -> list[list[bytes]]:
    """Fragments by frame. Within a frame none begins as a frame does: FF stuffs what follows."""
    frames: list[list[bytes]] = []
    for data in fragments:
        if frames and not data.startswith(STARTS):
            frames[-1].append(data)
        else:
            frames.append([data])
    return frames


def _offsets(frames: list[list[bytes]]) -> bytes:
    """Where each frame begins, PS3.5 A.4; nothing where four bytes do not say it."""
    lengths = [sum(8 + len(part) + len(part) % 2 for part in frame) for frame in frames]
    starts = list(accumulate(lengths, initial=0))[:-1]
    return struct.pack(f"<{len(starts)}I", *starts) if starts[-1] < 1 << 32 else b""


def _blanked(parts: list[bytes]) -> list[bytes]:
    """One frame's fragments, of the same lengths."""
    data = bytearray(b"".join(parts))
    if data.startswith(STARTS[0]):
        _jpeg(data)
    elif data.startswith(STARTS[1]):
        _wavelet(data)
    else:
        raise InputError(f"{told(PIXELS)}: a frame that is no JPEG")
    ends = list(accumulate(map(len, parts)))
    return [bytes(data[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


def _jpeg(data: bytearray) -> None:
    """ISO/IEC 10918-1 B.1: segments up to a scan, its data up to the next marker, and so on."""
    at, marker = 2, 0
    while True:
        at = _next_marker(data, at, scan=marker == SCAN)
        marker = data[at + 1]
        if marker == END:
            data[at + 2 :] = bytes(len(data) - at - 2)
            return
        if marker not in SEGMENTS:
            raise InputError(f"{told(PIXELS)}: a JPEG with a segment that no reader needs")
        length = _length(data, at)
        if marker == COMMENT or 0xE0 <= marker <= 0xEF:
            start, kept = KEPT_APP.get(marker, (b"", 0))
            if length != kept or not data.startswith(start, at + 4):
                data[at + 4 : at + 2 + length] = bytes(length - 2)
        at += 2 + length


def _next_marker(data: bytearray, at: int, *, scan: bool) -> int:
    """Where the next marker is. Only a scan has data before it. JPEG-LS stuffs bits: after FF,
    anything below 80 is data."""
    found = _NEXT_IN_SCAN.search(data, at) if scan else _NEXT.match(data, at)
    if found is None:
        raise InputError(f"{told(PIXELS)}: a JPEG that is damaged or has no end")
    return found.start() if scan else found.end()


def _wavelet(data: bytearray) -> None:
    """ISO/IEC 15444-1 A: main header, then tile-parts of known lengths, each with its header."""
    at = _header(data, 2, TILE)
    while data[at : at + 2] == b"\xff\x90":
        length = _length(data, at)
        if length != 10:
            raise InputError(f"{told(PIXELS)}: a damaged tile")
        (size,) = struct.unpack_from(">I", data, at + 6)
        start = _header(data, at + 12, TILE_DATA)
        if not size:  # to the end, which no data within looks like
            size = max(0, data.find(b"\xff\xd9", start) - at)
        if size < start - at or at + size > len(data):
            raise InputError(f"{told(PIXELS)}: a tile that is longer than its frame")
        at += size
    if data[at : at + 2] != b"\xff\xd9":
        raise InputError(f"{told(PIXELS)}: a frame without an end")
    data[at + 2 :] = bytes(len(data) - at - 2)


def _header(data: bytearray, at: int, until: int) -> int:
    """Blank the comments up to a marker; where that is."""
    while True:
        marker = int.from_bytes(data[at : at + 2], "big")
        if marker == until:
            return at
        length = _length(data, at)
        if marker not in HEADERS:
            raise InputError(f"{told(PIXELS)}: a JPEG 2000 header with a part that nothing knows")
        if marker == WAVELET_COMMENT:
            data[at + 6 : at + 2 + length] = b" " * max(0, length - 4)
        at += 2 + length


def _length(data: bytearray, at: int) -> int:
    if at + 4 > len(data):
        raise InputError(f"{told(PIXELS)}: a segment that is cut short")
    length = data[at + 2] << 8 | data[at + 3]
    if length < 2 or at + 2 + length > len(data):
        raise InputError(f"{told(PIXELS)}: a segment that is cut short")
    return length


def _runs(data: bytes, shape: Shape) -> list[bytes]:
    """Run-length coding, PS3.5 G: a head of 64 bytes, then a segment for each byte of a sample.
    They are put together again, with nothing between and behind them."""
    wanted = shape.samples * -(-shape.allocated // 8)
    if len(data) < 64 or int.from_bytes(data[:4], "little") != wanted or not 0 < wanted < 16:
        raise InputError(f"{told(PIXELS)}: runs of another number of segments than the header's")
    starts = struct.unpack_from(f"<{wanted}I", data, 4)
    if starts[0] < 64 or list(starts) != sorted(starts) or starts[-1] > len(data):
        raise InputError(f"{told(PIXELS)}: runs with segments that are not in order")
    segments = []
    for start, end in zip(starts, (*starts[1:], len(data)), strict=True):
        segment = data[start : _run_end(data, start, end, shape.rows * shape.columns)]
        segments.append(segment + b"\0" * (len(segment) % 2))
    new = list(accumulate(map(len, segments), initial=64))[:-1]
    head = struct.pack("<16I", wanted, *new, *[0] * (15 - wanted))
    return [head + b"".join(segments)]


def _run_end(data: bytes, at: int, end: int, left: int) -> int:
    """Where a segment has given all the bytes that it must, G.3.1."""
    while left > 0 and at < end:
        code = data[at]
        if code < 128:  # so many bytes as they are
            at += code + 2
            left -= code + 1
        elif code > 128:  # one byte, often
            at += 2
            left -= 257 - code
        else:
            at += 1
    if left or at > end:
        raise InputError(f"{told(PIXELS)}: runs of another length than the header's")
    return at
