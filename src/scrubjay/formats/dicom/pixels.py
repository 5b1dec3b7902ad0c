"""What the header says of the pixels: how many there are, and whether text is likely burned in."""

from __future__ import annotations

import re

from msgspec import Struct

from scrubjay.errors import InputError
from scrubjay.formats.dicom.elements import PIXELS, Element, Span, Syntax, string, told

# Ultrasound, secondary captures, pictures of paper; endoscopes and cameras write on theirs too.
RISKY_MODALITIES = frozenset(("US", "IVUS", "BDUS", "SC", "OT", "DOC", "ES", "XC", "GM", "OP"))
GREY_MODALITIES = frozenset(("CR", "CT", "DX", "IO", "MG", "MR", "NM", "PT", "PX", "RF", "XA"))
RISKY_IMAGES = re.compile(  # what scanners call their screens and forms, and two kinds of slides
    "screen|save|report|protocol|label|overview", re.IGNORECASE
)
ROWS, COLUMNS, FRAMES, SAMPLES = 0x00280010, 0x00280011, 0x00280008, 0x00280002
ALLOCATED, INTERPRETATION = 0x00280100, 0x00280004
BURNED, MODALITY, CLASS, IMAGE_TYPE, CONVERSION, SERIES = (
    0x00280301, 0x00080060, 0x00080016, 0x00080008, 0x00080064, 0x0008103E,
)  # fmt: skip
CAPTURES = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.1\.1\.[367](\.[0-9.]+)?")
SAMPLED = (0x7FE00008, 0x7FE00009, PIXELS)  # as floats, or not


def held(root: list[Element]) -> bool:
    """Whether there are any."""
    return any(e.tag >> 16 == 0x7FE0 for e in root)


def risk(root: list[Element]) -> str:
    """Why text may be burned into the pixels; nothing where that is not likely."""
    if not held(root):
        return ""
    if string(root, BURNED).upper() == "YES":
        return "(0028,0301) says that its pixels hold text that identifies"
    if string(root, MODALITY) in RISKY_MODALITIES or CAPTURES.fullmatch(string(root, CLASS)):
        return "images of this kind often have names burned in"
    grey = string(root, INTERPRETATION).startswith("MONOCHROME")
    if string(root, MODALITY) in GREY_MODALITIES and not grey:
        return "it has colours that its modality does not: a picture of a screen"
    described = string(root, IMAGE_TYPE) + "\\" + string(root, SERIES)
    if string(root, CONVERSION) or RISKY_IMAGES.search(described):
        return "it is a picture of a screen or of paper"
    return ""


class Shape(Struct, frozen=True):
    """What the header says of the samples."""

    frames: int
    rows: int
    columns: int
    samples: int
    allocated: int
    interpretation: str

    @property
    def length(self) -> int:
        """Bytes of all samples, uncompressed."""
        samples = self.rows * self.columns * self.samples * self.frames
        if self.interpretation == "YBR_FULL_422":
            samples = samples * 2 // 3
        return (samples * self.allocated + 7) // 8


def shape(root: list[Element], syntax: Syntax) -> Shape:
    """Refused where one of them is not there."""
    frames = string(root, FRAMES) or "1"
    if not re.fullmatch(r"[0-9]{1,9}", frames):
        raise InputError(f"{told(FRAMES)}: no number of frames")
    rows, columns, samples, allocated = (
        number(root, tag, syntax) for tag in (ROWS, COLUMNS, SAMPLES, ALLOCATED)
    )
    return Shape(int(frames), rows, columns, samples, allocated, string(root, INTERPRETATION))


def number(root: list[Element], tag: int, syntax: Syntax) -> int:
    """A US of the data set, which must be there."""
    value = next((e.value for e in root if e.tag == tag), b"")
    if not isinstance(value, bytes) or len(value) != 2:
        raise InputError(f"{told(tag)}: pixels without it")
    return syntax.number(value)


def native(root: list[Element], syntax: Syntax) -> int:
    """Cut samples to what the header says, and tell what is behind but for one byte that makes them
    even. Fewer are refused."""
    behind = 0
    for element in root:
        if element.tag in SAMPLED and not isinstance(element.value, tuple):
            wanted = shape(root, syntax).length
            held = element.value
            length = held.length if isinstance(held, Span) else len(held)
            if length < wanted:
                raise InputError(f"{told(element.tag)}: {length} bytes of pixels, not {wanted}")
            element.value = Span(held.offset, wanted) if isinstance(held, Span) else held[:wanted]
            behind += length - wanted - wanted % 2
    return max(behind, 0)


def unhidden(root: list[Element]) -> None:
    """Refuse overlays in the unused bits of pixels, retired in 2004 and still about."""
    for element in root:
        if element.tag & 0xFF01FFFF == 0x60000102 and any(_bytes(element)):
            raise InputError(f"{told(element.tag)}: an overlay in the bits of its pixels")


def _bytes(element: Element) -> bytes:
    return element.value if isinstance(element.value, bytes) else b""
