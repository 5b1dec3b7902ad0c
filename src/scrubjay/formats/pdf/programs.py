"""Font programs without the texts in them: who made them, for whom, under which name."""

from __future__ import annotations

import re
import struct
from typing import Any

import pikepdf
from fontTools import agl
from pikepdf import Name

from scrubjay.formats.pdf.doubt import Doubt

KEYS = ("/FontFile", "/FontFile2", "/FontFile3")
TABLES = {b"glyf", b"loca", b"head", b"hhea", b"hmtx", b"maxp", b"cvt ", b"fpgm", b"prep", b"cmap",
          b"OS/2", b"CFF ", b"vhea", b"vmtx", b"post"}  # fmt: skip
KINDS = {"/Type1C", "/CIDFontType0C", "/OpenType"}
TOLD = re.compile(rb"\(([^()\\]*)\)")
NAMED = re.compile(rb"(/FontName\s*/|%!PS-AdobeFont-[\d.]+:?|%!FontType1-[\d.]+:?)([^\r\n]*)")
GLYPH = re.compile(r"[A-Za-z]{1,3}\d{1,5}|uni[0-9A-F]{4,24}|u[0-9A-F]{4,6}|\d{3}\.\d{3}")
KNOWN = {"Adobe", "Identity", "Regular", "Bold", "Italic", "Medium"}


def copy(descriptor: Any, pdf: pikepdf.Pdf) -> tuple[str, Any] | None:
    """The key and stream of an embedded font, or nothing."""
    key = next((key for key in KEYS if key in descriptor), None)
    if key is None:
        return None
    stream = descriptor[key]
    data = stream.read_bytes()
    try:
        if key == "/FontFile":
            return key, _type1(stream, data, pdf)
        if key == "/FontFile2":
            clean = _sfnt(data)
            return key, _stream(pdf, clean, Length1=len(clean))
        kind = str(stream.get("/Subtype"))
        if kind not in KINDS:
            raise Doubt("a font program of no known kind")
        clean = _sfnt(data) if kind == "/OpenType" else _cff(data)
        return key, _stream(pdf, clean, Subtype=Name(kind))
    except (struct.error, IndexError, ValueError):
        raise Doubt("a damaged font program") from None


def _stream(pdf: pikepdf.Pdf, data: bytes, **keys: Any) -> Any:
    made = pdf.make_stream(data)
    for key, value in keys.items():
        made[f"/{key}"] = value
    return made


def _type1(stream: Any, data: bytes, pdf: pikepdf.Pdf) -> Any:
    """Strings in its clear part are notices; the rest is glyphs."""
    length = int(stream.get("/Length1", 0))
    clear, rest = data[:length], data[length:]
    clear = TOLD.sub(lambda m: b"(" + b" " * len(m[1]) + b")", clear)
    clear = NAMED.sub(lambda m: m[1] + _name(m[2]), clear)
    lengths = {f"Length{i}": int(stream.get(f"/Length{i}", 0)) for i in (1, 2, 3)}
    return _stream(pdf, clear + rest, **lengths)


def _name(told: bytes) -> bytes:
    """As long, and says nothing; what follows a name on its line stays."""
    name, blank, rest = told.lstrip().partition(b" ")
    lead = told[: len(told) - len(told.lstrip())]
    rest = rest if rest.strip() == b"def" else b" " * len(rest)
    return lead + b"F" * len(name) + blank + rest


def _sfnt(data: bytes) -> bytes:
    """TrueType and OpenType with only the tables that draw. `post` loses its glyph names."""
    version, count = struct.unpack_from(">4sH", data)
    found = []
    for index in range(count):
        tag, check, offset, length = struct.unpack_from(">4sIII", data, 12 + 16 * index)
        if tag in TABLES:
            table = data[offset : offset + length]
            if tag == b"post":
                table = b"\0\x03\0\0" + table[4:32].ljust(28, b"\0")
            elif tag == b"CFF ":
                table = _cff(table)
            found.append((tag, check, table))
    head = struct.pack(">4sHHHH", version, len(found), 16, 0, 0)
    offset = len(head) + 16 * len(found)
    rows, body = [], b""
    for tag, check, table in found:
        rows.append(struct.pack(">4sIII", tag, check, offset + len(body), len(table)))
        body += table + b"\0" * (-len(table) % 4)
    return head + b"".join(rows) + body


def _cff(data: bytes) -> bytes:
    """Names and strings that are no glyph names are written over."""
    made = bytearray(data)
    at = data[2]
    names, at = _index(data, at)
    _, at = _index(data, at)  # the top dictionaries
    strings, _ = _index(data, at)
    for start, end in names:
        made[start:end] = b"F" * (end - start)
    for start, end in strings:
        text = data[start:end].decode("latin-1")
        if not (GLYPH.fullmatch(text) or text in agl.AGL2UV or text in KNOWN):
            made[start:end] = b"x" * (end - start)
    return bytes(made)


def _index(data: bytes, at: int) -> tuple[list[tuple[int, int]], int]:
    """The places of an INDEX's items, and where it ends."""
    count = int.from_bytes(data[at : at + 2], "big")
    if not count:
        return [], at + 2
    size = data[at + 2]
    base = at + 3 + size * (count + 1) - 1
    ends = [
        base + int.from_bytes(data[at + 3 + size * i : at + 3 + size * (i + 1)], "big")
        for i in range(count + 1)
    ]
    if any(b < a for a, b in zip(ends, ends[1:], strict=False)) or ends[-1] > len(data):
        raise ValueError
    return list(zip(ends, ends[1:], strict=False)), ends[-1]
