"""Streams that unpack to far more than they are: found before a library unpacks one."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator
from typing import Any

import pikepdf
from pikepdf import Array

from scrubjay.errors import InputError
from scrubjay.formats.work import Limits

SMALL = 1 << 26  # bytes that any stream may unpack to
BLOCK = 1 << 16
BEGINS = re.compile(rb"(?<!end)stream\r?\n")
HEX = re.compile(rb"[0-9A-Fa-f\s]{16}")
BASE85 = re.compile(rb"[!-uz\s]{16}")
PACKED = frozenset(["/FlateDecode", "/Fl", "/LZWDecode", "/LZW", "/RunLengthDecode", "/RL"])


def check_bytes(data: bytes, limits: Limits) -> None:
    """Of a file that is not open yet: opening it unpacks streams of objects. Whatever follows the
    word may be one, so that no way to write a dictionary hides it."""
    for found in BEGINS.finditer(data):
        end = data.find(b"endstream", found.end())
        for raw in _raw(data, found.end(), end if end >= 0 else len(data)):
            _unpack(raw, limits)


def check(pdf: pikepdf.Pdf, limits: Limits) -> None:
    """Of an open one. If it was encrypted, its bytes said nothing."""
    if len(pdf.objects) > limits.members * 10 or len(pdf.pages) > limits.members:
        raise InputError(f"more than {limits.members} pages, or ten times as many objects")
    for item in pdf.objects:
        if isinstance(item, pikepdf.Stream):
            _check_stream(item, limits, unpack=pdf.is_encrypted)


def _check_stream(stream: Any, limits: Limits, *, unpack: bool) -> None:
    filters = stream.get("/Filter")
    names = [str(one) for one in (filters if isinstance(filters, Array) else [filters])]
    if sum(name in PACKED for name in names) > 1:
        raise InputError("a stream packed twice")
    if stream.get("/Subtype") == "/Image" and _area(stream) > limits.pixels:
        raise InputError(f"a picture of more than {limits.pixels:,} pixels")
    if unpack:
        raw = stream.read_raw_bytes()
        for layer in _raw(raw, 0, len(raw)):
            _unpack(layer, limits)


def _area(stream: Any) -> int:
    try:
        return int(stream.get("/Width", 0)) * int(stream.get("/Height", 0))
    except (TypeError, ValueError):
        raise InputError("a picture without a size") from None


def _raw(data: bytes, start: int, end: int) -> Iterator[memoryview]:
    """The bytes, and what they are if they are written in letters."""
    yield memoryview(data)[start:]  # the end may be a word within what is packed
    first = data[start : min(end, start + 16)]
    if not (HEX.match(first) or BASE85.match(first)):
        return
    letters = b"".join(data[start:end].split())
    if HEX.match(first):
        letters = letters.partition(b">")[0]
        yield from _decoded(lambda: bytes.fromhex((letters[: len(letters) // 2 * 2]).decode()))
    else:
        yield from _decoded(lambda: base64.a85decode(letters.partition(b"~>")[0]))


def _decoded(read: Any) -> Iterator[memoryview]:
    try:
        yield memoryview(read())
    except ValueError:  # then no other reader takes it, either
        return


def _unpack(raw: memoryview, limits: Limits) -> None:
    """Count what comes out; damage is for the reader of the stream."""
    unpack, size = zlib.decompressobj(), 0
    for at in range(0, len(raw), BLOCK):
        left = bytes(raw[at : at + BLOCK])
        while left:
            try:
                size += len(unpack.decompress(left, 1 << 20))
            except zlib.error:
                return
            if size > max(SMALL, limits.ratio * (at + BLOCK)):
                raise InputError(f"a stream of more than {limits.ratio} times its packed size")
            left = unpack.unconsumed_tail
        if unpack.eof:
            return
