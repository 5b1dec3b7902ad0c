"""Pictures: PNG, JPEG, TIFF and WebP. What is written in them is read and painted over; of the file
only the pixels go on: no EXIF, XMP, comments, profiles, thumbnails, nor bytes behind the end.

The pixels come turned upright, in 8 bits. JPEG and lossy WebP stay so, at quality 90.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import Any, BinaryIO

from PIL import Image, ImageOps, ImageSequence, TiffImagePlugin

from scrubjay import plugins
from scrubjay.errors import InputError, OutputError
from scrubjay.formats import pixels
from scrubjay.formats.layout import Script
from scrubjay.formats.pixels import BROKEN
from scrubjay.formats.work import Work

Image.init()  # every reader Pillow has; only these are used
KINDS = ("PNG", "JPEG", "TIFF", "WEBP")
QUALITY = 90
STRUCTURE = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "gamma", "srgb", "loop",
             "background", "timestamp", "duration", "compression", "resolution", "transparency",
             "progressive", "progression", "aspect", "interlace", "default_image", "bbox",
             "blend", "disposal"}  # fmt: skip


class Picture:
    """`image.v1`."""

    name = "image.v1"
    suffixes: tuple[str, ...] = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """All is read before anything is painted: a name may be known from another page."""
        lossless = b"VP8L" in source.read(64)  # of a WebP
        source.seek(0)
        image = _open(source, work)
        script, found = Script(), []
        for page in _pages(image, work):
            found.append(pixels.words(page))
            script.add(len(found) - 1, pixels.views(found[-1]))
        work.dropped("unreadable writing", sum(word.unread for words in found for word in words))
        changes = script.clean(work)
        painted = (
            pixels.filled(page, pixels.gone(words, changes.get(number, ())))
            for number, (page, words) in enumerate(zip(_pages(image, work), found, strict=True))
        )
        _write(painted, target, str(image.format), lossless)

    def pages(self, source: BinaryIO, work: Work) -> Iterator[Image.Image]:
        """As they are seen. Nothing of them is cleaned."""
        return _pages(_open(source, work), work)


def _open(source: BinaryIO, work: Work) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(source, formats=KINDS)
            frames = getattr(image, "n_frames", 1)
            _tell(image, work)
    except Image.DecompressionBombError:
        raise InputError(f"a picture of more than {work.limits.pixels:,} pixels") from None
    except BROKEN as problem:
        raise InputError(f"not a picture that can be read: {type(problem).__name__}") from None
    if frames > 1 and image.format in {"PNG", "WEBP"}:
        raise InputError(f"{frames} frames: animations are not read; save one frame")
    if frames > work.limits.members:
        raise InputError(f"more than {work.limits.members} pages")
    if image.format == "MPO":  # a camera's second view
        work.dropped("further pictures", frames - 1)
    return image


def _pages(image: Image.Image, work: Work) -> Iterator[Image.Image]:
    """Every page, upright, as plain pixels."""
    left = work.limits.bytes
    pages = [image] if image.format != "TIFF" else ImageSequence.Iterator(image)
    try:
        for number, page in enumerate(pages, 1):
            size = page.size[0] * page.size[1]
            left -= size
            if size > work.limits.pixels or left < 0:
                raise InputError(f"page {number}: more than {work.limits.pixels} pixels")
            yield plain(ImageOps.exif_transpose(page))
    except BROKEN as problem:
        raise InputError(f"a damaged picture: {type(problem).__name__}") from None


def _tell(page: Image.Image, work: Work) -> None:
    """Say what is left out, by kind."""
    kinds = {"exif": "EXIF", "icc_profile": "colour profile", "xmp": "XMP", "comment": "comment"}
    told = {kinds.get(str(key).lower(), "text in the file") for key in _further(page.info)}
    if page.getexif() and page.format != "TIFF":
        told.add("EXIF")
    for what in sorted(told):
        work.dropped(what)


def _further(info: dict[Any, Any]) -> set[Any]:
    return {key for key in info if str(key).lower() not in STRUCTURE}


def plain(image: Image.Image) -> Image.Image:
    """The same picture in one of four modes, without anything but pixels."""
    if image.mode.startswith(("I", "F")):  # 16 bits and more: the range it uses becomes 0 to 255
        low, high = image.getextrema()
        scale = 255 / max(float(high) - float(low), 1e-9)  # type: ignore[arg-type]
        image = image.convert("F").point(lambda value: value * scale - float(low) * scale)  # type: ignore[arg-type]
        image = image.convert("L")
    if image.mode not in {"1", "L", "RGB", "RGBA", "LA"}:
        clear = image.mode in {"PA", "La", "RGBa"} or "transparency" in image.info
        image = image.convert("RGBA" if clear else "RGB")
    elif "transparency" in image.info:
        image = image.convert("RGBA")
    bare = Image.new(image.mode, image.size)
    bare.paste(image)
    return bare


def _write(pages: Iterator[Image.Image], target: BinaryIO, kind: str, lossless: bool) -> None:
    whole = io.BytesIO()
    try:
        if kind == "TIFF":
            _save_tiff(pages, whole)
        elif kind == "PNG":
            next(pages).save(whole, "PNG")
        elif kind == "WEBP":
            next(pages).save(whole, "WEBP", quality=QUALITY, lossless=lossless)
        else:
            page = next(pages)
            page = page if page.mode == "L" else page.convert("RGB")
            page.save(whole, "JPEG", quality=QUALITY)
    except BROKEN as problem:
        raise OutputError(f"the picture cannot be written: {type(problem).__name__}") from None
    target.write(whole.getvalue())


def _save_tiff(pages: Iterator[Image.Image], target: BinaryIO) -> None:
    """Deflate or, for black and white, Group 4: both keep every pixel."""
    with TiffImagePlugin.AppendingTiffWriter(target, new=True) as writer:
        for page in pages:
            page.save(writer, "TIFF", compression="group4" if page.mode == "1" else "tiff_deflate")
            writer.newFrame()


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`image.v1`."""
    return Picture()
