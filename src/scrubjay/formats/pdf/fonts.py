"""What the codes of a font say, and how far each moves: by its /ToUnicode, else by its encoding.
A code that neither knows has no text.

The copy of a font holds nothing that its file was told: names, notices and tables of texts go, and
/ToUnicode is made again for the codes that are still shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any

import pikepdf
from fontTools import agl
from fontTools.encodings.StandardEncoding import StandardEncoding
from pikepdf import Array, Dictionary, Name

from scrubjay.formats.pdf import programs, standard
from scrubjay.formats.pdf.doubt import Doubt

MOST = 65535  # codes of a font
LIGATURES = re.compile("[\ufb00-\ufb06]")  # "ffi" in one sign
GLYPH = re.compile(r"[A-Za-z]{0,3}\d{1,5}|uni[0-9A-F]{4,24}|u[0-9A-F]{4,6}|\.notdef|[a-zA-Z]")
NUMBERS = ("Flags", "ItalicAngle", "Ascent", "Descent", "CapHeight", "XHeight", "StemV", "StemH",
           "AvgWidth", "MaxWidth", "MissingWidth", "Leading")  # fmt: skip


class Font:
    """A font as a page uses it."""

    def __init__(self, source: Any) -> None:
        self.source = source
        self.kind = str(source.get("/Subtype"))
        if self.kind not in {"/Type1", "/MMType1", "/TrueType", "/Type0"}:
            raise Doubt(f"a font of kind {self.kind}")
        self.wide = self.kind == "/Type0"
        self.inner = source.DescendantFonts[0] if self.wide else source
        self.descriptor: Any = self.inner.get("/FontDescriptor", {})
        self._base = str(source.get("/BaseFont", "")).lstrip("/")
        self._texts = _to_unicode(source.get("/ToUnicode"))
        self._by_code = {} if self.wide else self._encoding()
        self._widths = self._wide_widths() if self.wide else self._simple_widths()
        self.kept: dict[int, str] = {}
        self._said: dict[int, str] = {}
        self._checked = 0  # codes that a copy was tried with

    def codes(self, data: bytes) -> Iterator[tuple[bytes, int]]:
        """The codes in a string."""
        size = 2 if self.wide else 1
        if len(data) % size:
            raise Doubt("half a code")
        for at in range(0, len(data), size):
            yield data[at : at + size], int.from_bytes(data[at : at + size], "big")

    def text(self, code: int) -> str:
        """What a code says; nothing where that is not known."""
        if code not in self._said:
            self._said[code] = self._text(code)
        return self._said[code]

    def _text(self, code: int) -> str:
        told = self._texts.get(code) or self._by_code.get(code, "")
        if any(c == "\ufffd" or "\ue000" <= c <= "\uf8ff" or c < " " for c in told):
            return ""
        return LIGATURES.sub(lambda m: unicodedata.normalize("NFKC", m[0]), told)

    def width(self, code: int) -> float:
        """In thousandths of the size."""
        if code not in self._widths:
            self._widths[code] = self._width(code)
        return self._widths[code]

    def _width(self, code: int) -> float:
        if self.wide:
            return float(self.inner.get("/DW", 1000))
        if "/FontDescriptor" in self.source:
            return float(self.descriptor.get("/MissingWidth", 0))
        return standard.width(self.standard_name(), self.text(code) or " ")

    def _encoding(self) -> dict[int, str]:
        encoding = self.source.get("/Encoding")
        told = isinstance(encoding, Dictionary)
        base = encoding.get("/BaseEncoding") if told else encoding
        embedded = any(key in self.descriptor for key in programs.KEYS)
        symbolic = int(self.descriptor.get("/Flags", 32)) & 4 or self.standard_name() in {
            "Symbol",
            "ZapfDingbats",
        }
        by_code = dict(_base(str(base))) if base is not None else {}
        if base is None and not (embedded or symbolic):
            by_code = dict(_base("/StandardEncoding"))
        if told:
            by_code.update(_differences(encoding.get("/Differences", [])))
        return by_code

    def standard_name(self) -> str:
        """Which of the fonts that every reader has comes nearest."""
        return standard.nearest(self._base, int(self.descriptor.get("/Flags", 0)))

    def _simple_widths(self) -> dict[int, float]:
        first = int(self.source.get("/FirstChar", 0))
        return {first + i: float(w) for i, w in enumerate(self.source.get("/Widths", []))}

    def _wide_widths(self) -> dict[int, float]:
        if str(self.source.get("/Encoding")) != "/Identity-H":
            raise Doubt("an encoding of wide codes that is not Identity-H")
        told = list(self.inner.get("/W", []))
        widths: dict[int, float] = {}
        ranges = 0
        while told:
            first = int(told.pop(0))
            then = told.pop(0)
            if isinstance(then, Array):
                widths.update((first + i, float(w)) for i, w in enumerate(then))
            else:
                last, width = min(int(then), MOST), float(told.pop(0))
                widths.update((code, width) for code in range(max(first, 0), last + 1))
                ranges += 1
                if ranges > MOST // 64:
                    raise Doubt("too many widths")
        return widths

    # The copy

    def check(self) -> None:
        """Whether there can be a copy with all codes kept so far."""
        if len(self.kept) > self._checked:
            self.copy(pikepdf.new())
            self._checked = len(self.kept)

    def copy(self, pdf: pikepdf.Pdf) -> Any:
        """The font in another file, with only what its shown codes need."""
        program = programs.copy(self.descriptor, pdf)
        if program is None and self.wide:
            raise Doubt("a font of wide codes that is not in the file")
        name = "/SCRUBJ+F" if program else f"/{self.standard_name()}"
        told = Dictionary(Type=Name.Font, Subtype=Name(self.kind), BaseFont=Name(name))
        texts = pdf.make_stream(_unicode_map(self.kept, 2 if self.wide else 1))
        told.ToUnicode = texts
        if self.wide:
            told.Encoding = Name("/Identity-H")
            told.DescendantFonts = Array([self._descendant(pdf, name, program)])
            return told
        if program is None and self.kind != "/TrueType":
            told.Subtype = Name.Type1
        codes = sorted(self.kept) or [32]
        told.FirstChar, told.LastChar = codes[0], codes[-1]
        told.Widths = Array(
            [
                round(self.width(c), 3) if c in self.kept else 0
                for c in range(codes[0], codes[-1] + 1)
            ]
        )
        if (encoding := self._encoding_copy()) is not None:
            told.Encoding = encoding
        if self.descriptor:
            told.FontDescriptor = self._descriptor_copy(name, program)
        return told

    def _encoding_copy(self) -> Any:
        encoding = self.source.get("/Encoding")
        if isinstance(encoding, Name):
            return _base_name(encoding)
        if not isinstance(encoding, Dictionary):
            return None
        made = Dictionary(Type=Name.Encoding)
        if "/BaseEncoding" in encoding:
            made.BaseEncoding = _base_name(encoding.BaseEncoding)
        differences: list[Any] = []
        for code, name in _named(encoding.get("/Differences", [])):
            if code in self.kept:
                if not (GLYPH.fullmatch(name) or name in agl.AGL2UV):
                    raise Doubt("glyph names that are not known")
                differences += [code, Name(f"/{name}")]
        made.Differences = Array(differences)
        return made

    def _descendant(self, pdf: pikepdf.Pdf, name: str, program: Any) -> Any:
        kind = str(self.inner.get("/Subtype"))
        if kind not in {"/CIDFontType0", "/CIDFontType2"}:
            raise Doubt("a font of wide codes of no known kind")
        made = Dictionary(
            Type=Name.Font,
            Subtype=Name(kind),
            BaseFont=Name(name),
            CIDSystemInfo=Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0),
            DW=float(self.inner.get("/DW", 1000)),
            FontDescriptor=self._descriptor_copy(name, program),
        )
        made.W = Array(
            [x for c in sorted(self.kept) for x in (c, Array([round(self.width(c), 3)]))]
        )
        places = self.inner.get("/CIDToGIDMap")
        if isinstance(places, pikepdf.Stream):
            made.CIDToGIDMap = pdf.make_stream(self._glyphs(places.read_bytes()))
        elif places is not None:
            made.CIDToGIDMap = Name.Identity
        return made

    def _glyphs(self, table: bytes) -> bytes:
        made = bytearray(2 * (max(self.kept, default=0) + 1))
        for code in self.kept:
            made[2 * code : 2 * code + 2] = table[2 * code : 2 * code + 2].ljust(2, b"\0")
        return bytes(made)

    def _descriptor_copy(self, name: str, program: Any) -> Any:
        made = Dictionary(Type=Name.FontDescriptor, FontName=Name(name))
        for key in NUMBERS:
            if f"/{key}" in self.descriptor:
                made[f"/{key}"] = float(self.descriptor[f"/{key}"])
        made["/Flags"] = int(self.descriptor.get("/Flags", 32))
        made.FontBBox = Array(
            [float(x) for x in self.descriptor.get("/FontBBox", [0, -250, 1000, 950])]
        )
        if program:
            key, stream = program
            made[key] = stream
        return made


@cache
def _base(name: str) -> dict[int, str]:
    """A base encoding as texts."""
    codecs = {"/WinAnsiEncoding": "cp1252", "/MacRomanEncoding": "mac_roman"}
    if name == "/StandardEncoding":
        return {code: agl.toUnicode(glyph) for code, glyph in enumerate(StandardEncoding)}
    if name not in codecs:
        return {}
    told = {code: bytes([code]).decode(codecs[name], "ignore") for code in range(32, 256)}
    if name == "/WinAnsiEncoding":
        told.update(dict.fromkeys((127, 129, 141, 143, 144, 157), "\u2022"))
    return told


def _base_name(name: Any) -> Any:
    if str(name) not in {"/WinAnsiEncoding", "/MacRomanEncoding", "/StandardEncoding"}:
        raise Doubt("an encoding that is not known")
    return Name(str(name))


def _named(differences: Any) -> Iterator[tuple[int, str]]:
    code = 0
    for item in differences:
        if isinstance(item, Name):
            yield code, str(item)[1:]
            code += 1
        else:
            code = int(item)


def _differences(differences: Any) -> dict[int, str]:
    return {code: agl.toUnicode(name) for code, name in _named(differences)}


def _to_unicode(stream: Any) -> dict[int, str]:
    """A /ToUnicode map. Identity maps and references to others are not known."""
    if not isinstance(stream, pikepdf.Stream):
        return {}
    told: dict[int, str] = {}
    ranges = 0
    for instruction in pikepdf.parse_content_stream(stream):
        items = list(instruction.operands)
        name = str(instruction.operator)
        if name == "endbfchar":
            for code, text in zip(items[::2], items[1::2], strict=True):
                told[_number(code)] = _utf16(bytes(text))
        elif name == "endbfrange":
            for low, high, text in zip(items[::3], items[1::3], items[2::3], strict=True):
                _range(told, _number(low), _number(high), text)
                ranges += 1
                if ranges > MOST // 64:
                    raise Doubt("too many ranges of codes")
        elif name == "usecmap":
            raise Doubt("a map of codes that rests on another")
    return told


def _range(told: dict[int, str], low: int, high: int, text: Any) -> None:
    codes = range(low, min(high, MOST) + 1)
    if isinstance(text, Array):
        told.update((code, _utf16(bytes(item))) for code, item in zip(codes, text, strict=False))
        return
    first = _utf16(bytes(text))
    for step, code in enumerate(codes):
        last = ord(first[-1]) + step if first else 0x110000
        told[code] = first[:-1] + chr(last) if last < 0x110000 else ""


def _number(code: Any) -> int:
    return int.from_bytes(bytes(code), "big")


def _utf16(data: bytes) -> str:
    return data.decode("utf-16-be", "replace") if len(data) > 1 else data.decode("latin-1")


def _unicode_map(texts: dict[int, str], size: int) -> bytes:
    """A /ToUnicode of our own."""
    lines = [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
        f"1 begincodespacerange <{'00' * size}> <{'FF' * size}> endcodespacerange",
    ]
    known = [(code, text) for code, text in sorted(texts.items()) if text]
    for at in range(0, len(known), 100):
        block = known[at : at + 100]
        lines.append(f"{len(block)} beginbfchar")
        lines += [
            f"<{code:0{2 * size}X}> <{text.encode('utf-16-be').hex().upper()}>"
            for code, text in block
        ]
        lines.append("endbfchar")
    lines.append("endcmap CMapName currentdict /CMap defineresource pop end end")
    return "\n".join(lines).encode("ascii")
