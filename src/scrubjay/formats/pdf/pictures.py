"""Pictures within a PDF as pixels, and pixels as pictures of a PDF. Masks are pictures too."""

from __future__ import annotations

import io
import zlib
from typing import Any

import pikepdf
from msgspec import Struct
from pikepdf import Name
from PIL import Image, ImageOps

from scrubjay.errors import InputError
from scrubjay.formats import pixels
from scrubjay.formats.image import QUALITY, plain
from scrubjay.formats.pdf.doubt import Doubt
from scrubjay.formats.pixels import BROKEN


class Decoded(Struct, frozen=True):
    """`stencil`: it says where the current colour is laid, black being where."""

    image: Image.Image
    mask: Image.Image | None
    stencil: bool
    photo: bool


def decoded(source: Any, most: int) -> Decoded:
    """A picture's pixels, of `most` at most."""
    told = source if isinstance(source, pikepdf.PdfInlineImage) else pikepdf.PdfImage(source)
    raw = told.obj
    if told.width * told.height > most:
        raise InputError(f"a picture of more than {most:,} pixels")
    if told.is_separation or told.is_device_n or _get(raw, "/Mask", "/Mask") is not None:
        raise Doubt("a picture with a mask or colours of its own kind")
    try:
        image = told.as_pil_image()
        image.load()
    except (*BROKEN, pikepdf.PdfError, pikepdf.models.image.UnsupportedImageTypeError):
        raise Doubt("a picture that cannot be decoded") from None
    decode = _get(raw, "/Decode", "/D")
    if decode is not None and _turned(list(decode), image):
        image = ImageOps.invert(image.convert("L"))
    stencil = bool(told.image_mask)
    soft = None if isinstance(source, pikepdf.PdfInlineImage) else source.get("/SMask")
    mask = decoded(soft, most).image.convert("L") if soft is not None else None
    photo = "/DCTDecode" in told.filters or "/JPXDecode" in told.filters
    if image.mode == "CMYK":  # whether 0 is ink or paper is told in three ways
        raise Doubt("a picture in printer's colours")
    return Decoded(plain(image), mask, stencil, photo)


def _get(raw: Any, *keys: str) -> Any:
    return next((raw[key] for key in keys if key in raw), None)


def _turned(decode: list[Any], image: Image.Image) -> bool:
    """Whether dark is light in it."""
    numbers = [float(x) for x in decode]
    if numbers == [1.0, 0.0] and image.mode in {"1", "L"}:
        return True
    if numbers[::2] == [0.0] * (len(numbers) // 2) and set(numbers[1::2]) == {1.0}:
        return False
    raise Doubt("a picture with a map of its own")


def encoded(pdf: pikepdf.Pdf, picture: Decoded, polygons: list[pixels.Polygon]) -> Any:
    """As an object of `pdf`, painted over where it must be."""
    image = picture.image.convert("RGB") if picture.image.mode in {"RGBA", "LA"} else picture.image
    if picture.stencil:
        made = _flat(pdf, pixels.filled(image.convert("1"), polygons))
        del made["/ColorSpace"]
        made.ImageMask = True
        return made
    image = pixels.filled(image, polygons)
    made = _jpeg(pdf, image) if picture.photo and image.mode in {"L", "RGB"} else _flat(pdf, image)
    if picture.mask is not None:
        white = ImageOps.invert(
            pixels.filled(ImageOps.invert(picture.mask), _scaled(picture, polygons))
        )
        made.SMask = _flat(pdf, white)
    return made


def _scaled(picture: Decoded, polygons: list[pixels.Polygon]) -> list[pixels.Polygon]:
    """The polygons on a mask of another size."""
    assert picture.mask is not None  # noqa: S101 - for the type checker
    x = picture.mask.size[0] / picture.image.size[0]
    y = picture.mask.size[1] / picture.image.size[1]
    return [[(px * x, py * y) for px, py in polygon] for polygon in polygons]


def page(pdf: pikepdf.Pdf, image: Image.Image) -> Any:
    """A drawn page: few shades are kept exactly, photographs as JPEG."""
    few = image.convert("L").getcolors(256) and image.getcolors(4096) is not None
    return _flat(pdf, image) if few else _jpeg(pdf, image)


def _jpeg(pdf: pikepdf.Pdf, image: Image.Image) -> Any:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=QUALITY)
    return _object(pdf, image, data.getvalue(), Name.DCTDecode, 8)


def _flat(pdf: pikepdf.Pdf, image: Image.Image) -> Any:
    bits = 1 if image.mode == "1" else 8
    return _object(pdf, image, zlib.compress(image.tobytes(), 6), Name.FlateDecode, bits)


def _object(pdf: pikepdf.Pdf, image: Image.Image, data: bytes, how: Any, bits: int) -> Any:
    made = pikepdf.Stream(pdf, b"")
    made.write(data, filter=how)
    made.Type, made.Subtype = Name.XObject, Name.Image
    made.Width, made.Height = image.size
    made.BitsPerComponent = bits
    made.ColorSpace = Name.DeviceRGB if image.mode == "RGB" else Name.DeviceGray
    if bits == 8:
        made.Interpolate = True
    return pdf.make_indirect(made)
