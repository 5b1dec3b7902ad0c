"""Copies of what the operators of a page name, made key by key: nothing of the old file is in the
new one because nobody looked.
"""

from __future__ import annotations

from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name

from scrubjay.formats.pdf.doubt import Doubt
from scrubjay.formats.pdf.fonts import Font

STATES = {"LW", "LC", "LJ", "ML", "OP", "op", "OPM", "FL", "SM", "SA", "CA", "ca", "AIS", "TK"}
BLENDS = {"Normal", "Compatible", "Multiply", "Screen", "Overlay", "Darken", "Lighten",
          "ColorDodge", "ColorBurn", "HardLight", "SoftLight", "Difference", "Exclusion", "Hue",
          "Saturation", "Color", "Luminosity"}  # fmt: skip
DEVICES = {1: "/DeviceGray", 3: "/DeviceRGB", 4: "/DeviceCMYK"}
PLAIN = {"/DeviceGray": "/DeviceGray", "/G": "/DeviceGray", "/CalGray": "/DeviceGray",
         "/DeviceRGB": "/DeviceRGB", "/RGB": "/DeviceRGB", "/CalRGB": "/DeviceRGB",
         "/DeviceCMYK": "/DeviceCMYK", "/CMYK": "/DeviceCMYK"}  # fmt: skip


class Copies:
    """Makes them in `pdf`; a font once for all pages, whole only at the end."""

    def __init__(self, pdf: pikepdf.Pdf, fonts: dict[Any, Font]) -> None:
        self.pdf = pdf
        self._fonts = fonts
        self._places: dict[int, tuple[Font, Any]] = {}

    def font(self, source: Any) -> Font:
        """The font of an object of the file."""
        key = source.objgen if source.is_indirect else source.unparse(resolved=True)
        if key not in self._fonts:
            self._fonts[key] = Font(source)
        return self._fonts[key]

    def finish(self) -> None:
        """The fonts, now that it is known which codes are shown."""
        for font, place in self._places.values():
            for key, value in font.copy(self.pdf).items():
                place[key] = value

    def copy(self, kind: str, source: Any) -> Any:
        """A copy of one resource."""
        if kind == "Font":
            font = self.font(source)
            if id(font) not in self._places:
                self._places[id(font)] = font, self.pdf.make_indirect(Dictionary())
            return self._places[id(font)][1]
        if kind == "ExtGState":
            return _state(source)
        if kind == "Shading":
            return _shading(source)
        if kind == "Pattern" and int(source.get("/PatternType", 0)) == 2:
            matrix = _numbers(source.get("/Matrix", [1, 0, 0, 1, 0, 0]))
            return Dictionary(PatternType=2, Matrix=matrix, Shading=_shading(source.Shading))
        raise Doubt(f"a {kind} that is not known")

    def state(self, source: Any, mask: Any, form: Any) -> Any:
        """A state with a mask, which `form` draws."""
        made = _state(source, masked=True)
        kind = Name.Alpha if str(mask.S) == "/Alpha" else Name.Luminosity
        made.SMask = Dictionary(Type=Name.Mask, S=kind, G=form)
        if "/BC" in mask:
            made.SMask.BC = _numbers(mask.BC)
        return made

    def space(self, name: Any, resources: Any) -> str:
        """A colour space that has the same number of parts."""
        if str(name) in PLAIN:
            return PLAIN[str(name)]
        return _device(resources.raw("ColorSpace", name))

    def form(self, source: Any, data: bytes, resources: Any) -> Any:
        """A form with clean operators."""
        made = self.pdf.make_stream(data)
        made.Type, made.Subtype = Name.XObject, Name.Form
        made.BBox = _numbers(source.BBox)
        made.Matrix = _numbers(source.get("/Matrix", [1, 0, 0, 1, 0, 0]))
        made.Resources = resources
        if "/Group" in source:
            made.Group = group(source.Group)
        return made


def group(source: Any) -> Any:
    """How a form or page is laid over what lies below."""
    made = Dictionary(S=Name.Transparency)
    for key in ("/I", "/K"):
        if key in source:
            made[key] = bool(source[key])
    if "/CS" in source:
        made.CS = Name(_device(source.CS))
    return made


def _state(source: Any, masked: bool = False) -> Any:
    made = Dictionary(Type=Name.ExtGState)
    for key, value in source.items():
        short = key[1:]
        if short in STATES:
            made[key] = value if isinstance(value, bool) else _number(value)
        elif short == "D":
            made[key] = Array([_numbers(value[0]), _number(value[1])])
        elif short == "BM":
            names = list(value) if isinstance(value, Array) else [value]
            made[key] = next((Name(str(n)) for n in names if str(n)[1:] in BLENDS), Name.Normal)
        elif short == "SMask" and str(value) == "/None":
            made[key] = Name("/None")
        elif short == "Font" or (short == "SMask" and not masked):
            raise Doubt(f"a state with {short}")
    return made  # the rest are halftones and curves for printers


def _device(source: Any) -> str:
    if isinstance(source, Name):
        if str(source) in PLAIN:
            return PLAIN[str(source)]
    elif isinstance(source, Array) and len(source):
        kind = str(source[0])
        if kind in PLAIN:
            return PLAIN[kind]
        if kind == "/ICCBased" and int(source[1].N) in DEVICES:
            return DEVICES[int(source[1].N)]
    raise Doubt("a colour space that is not known")


def _shading(source: Any) -> Any:
    if int(source.ShadingType) not in {2, 3}:
        raise Doubt("a shading that is not known")
    made = Dictionary(
        ShadingType=int(source.ShadingType), ColorSpace=Name(_device(source.ColorSpace))
    )
    for key in ("/Coords", "/Domain", "/Background", "/BBox"):
        if key in source:
            made[key] = _numbers(source[key])
    if "/Extend" in source:
        made.Extend = Array([bool(x) for x in source.Extend])
    made.Function = _function(source.Function)
    return made


def _function(source: Any, depth: int = 0) -> Any:
    if isinstance(source, Array):
        return Array([_function(one, depth + 1) for one in source])
    kind = int(source.FunctionType)
    if kind not in {2, 3} or depth > 5:
        raise Doubt("a function that is not known")
    made = Dictionary(FunctionType=kind)
    for key in ("/Domain", "/Range", "/C0", "/C1", "/Bounds", "/Encode"):
        if key in source:
            made[key] = _numbers(source[key])
    if kind == 2:
        made.N = _number(source.N)
    else:
        made.Functions = Array([_function(one, depth + 1) for one in source.Functions])
    return made


def _number(value: Any) -> float:
    return round(float(value), 6)


def _numbers(values: Any) -> Any:
    return Array([_number(value) for value in values])
