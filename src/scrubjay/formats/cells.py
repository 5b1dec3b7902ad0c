"""How a workbook writes what is in a cell: text, the names of columns."""

from __future__ import annotations

import re
from typing import Any

from scrubjay.formats.bare import local
from scrubjay.formats.work import Work

REF = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})", re.ASCII)
PLACE = re.compile(rf"{REF.pattern}(?::{REF.pattern})?", re.ASCII)
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def said(element: Any, work: Work) -> str:
    """The text of runs together. Their own fonts go; so do readings, which are names again."""
    parts = []
    for one in element:
        name = local(one)
        if name == "t":
            parts.append(one.text or "")
        elif name == "r":
            work.dropped("format of a part of a cell")
            parts += [t.text or "" for t in one if local(t) == "t"]
        elif name == "rPh":
            work.dropped("reading of a cell")
    return unescaped("".join(parts))


def escaped(text: str) -> str:
    """A text as a workbook writes it."""
    text = _ESCAPE.sub(lambda match: f"_x005F{match[0]}", text)
    return _UNFIT.sub(lambda match: f"_x{ord(match[0]):04X}_", text)


def unescaped(text: str) -> str:
    """A text behind a workbook's own way of writing signs."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


def column_of(name: str) -> int:
    """A -> 0, AA -> 26."""
    number = 0
    for letter in name:
        number = number * 26 + ord(letter) - 64
    return number - 1


def letters(column: int) -> str:
    """0 -> A, 26 -> AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name
