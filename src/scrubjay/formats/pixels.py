"""What is written in a picture, found and painted over. A word goes whole when any of it is found;
what looks like writing and could not be read goes too.
"""

from __future__ import annotations

import logging
import math
import struct
import zlib
from collections.abc import Iterable, Sequence

from PIL import Image, ImageDraw

from scrubjay.formats import layout, ocr
from scrubjay.formats.layout import Change, Sign, View
from scrubjay.formats.ocr import Word

logging.getLogger("PIL").setLevel(logging.WARNING)  # below, it tells what tags hold

# What Pillow raises on files that are damaged, or mean harm.
BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    MemoryError,
    NotImplementedError,
    ZeroDivisionError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)

Polygon = Sequence[tuple[float, float]]
SMALLEST = 10  # pixels: what is lower or narrower holds no word


def words(image: Image.Image) -> list[Word]:
    """All words in the order of reading."""
    if min(image.size) < SMALLEST:
        return []
    return [word for line in ocr.read(image) for word in line]


def views(found: Sequence[Word]) -> list[View]:
    """Words as texts."""
    return layout.views([_sign(word) for word in found], apart=True)


def gone(found: Sequence[Word], changes: Iterable[Change]) -> list[Polygon]:
    """Where to paint: what changes, and what could not be read."""
    signs = {index for index, word in enumerate(found) if word.unread}
    signs.update(index for change in changes for index in change.signs)
    return [found[index].quad for index in sorted(signs)]


def filled(image: Image.Image, polygons: Iterable[Polygon]) -> Image.Image:
    """Black over each polygon and a rim about it; half a pixel of a letter can be read."""
    image = image.copy()
    draw = ImageDraw.Draw(image)
    black = _black(image)
    for polygon in polygons:
        draw.polygon([(x, y) for x, y in widened(polygon)], fill=black)
    return image


def widened(polygon: Polygon) -> Polygon:
    """A quad with a rim of an eighth of its height, two pixels at least."""
    (ax, ay), (bx, by), _, (dx, dy) = polygon
    along = math.hypot(bx - ax, by - ay) or 1.0
    down = math.hypot(dx - ax, dy - ay) or 1.0
    rim = max(2.0, min(along, down) / 8)
    ux, uy, vx, vy = (bx - ax) / along, (by - ay) / along, (dx - ax) / down, (dy - ay) / down
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return [
        (x + rim * (i * ux + j * vx), y + rim * (i * uy + j * vy))
        for (x, y), (i, j) in zip(polygon, signs, strict=True)
    ]


def _black(image: Image.Image) -> int | tuple[int, ...]:
    if image.mode in {"1", "L", "I;16"}:
        return 0
    return {"RGB": (0, 0, 0), "RGBA": (0, 0, 0, 255), "LA": (0, 255)}[image.mode]


def _sign(word: Word) -> Sign:
    """In the word's own direction; a picture's y grows down, a sign's `across` up."""
    (ax, ay), (bx, by), _, (dx, dy) = word.quad
    turn = round(math.degrees(math.atan2(ay - by, bx - ax)) / 15) * 15
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    return Sign(
        word.text,
        dx * cos - dy * sin,
        -dx * sin - dy * cos,
        math.hypot(bx - ax, by - ay),
        math.hypot(dx - ax, dy - ay),
        turn,
    )
