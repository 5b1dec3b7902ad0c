"""Scripts and styles, as one text each: strings are read with their escapes, code as it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from scrubjay.formats import carried, slots
from scrubjay.formats.slots import Piece, Slot
from scrubjay.formats.work import Work

STRING = re.compile(
    r"/\*.*?\*/|\"((?:[^\"\\\n]++|\\.)*+)\"|'((?:[^'\\\n]++|\\.)*+)'|`((?:[^`\\]++|\\.)*+)`", re.S
)
ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|(.))", re.S)
CSS_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|(.))", re.S)
URL = re.compile(r"url\(\s*+(?:\"data:[^\"]*+\"|'data:[^']*+'|data:[^)]*+)\s*+\)", re.I)
LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "", "\n": ""}
Read = Callable[[str], str]


def javascript(text: str, work: Work) -> Slot:
    """A program, or an `onclick`."""
    return slots.pieced(_pieces(text, _plain, work))


def css(text: str, work: Work) -> Slot:
    """A style sheet. Pictures in it are left out."""
    text, count = URL.subn("url()", text)
    if count:
        work.dropped("data: URL", count)
    return slots.pieced(_pieces(text, _css_plain, work))


def _pieces(text: str, read: Read, work: Work) -> Iterator[Piece | str]:
    at = 0
    for found in STRING.finditer(text):
        inner = next((one for one in found.groups() if one is not None), None)
        if inner is None:
            continue
        start = found.start() + 1
        yield Piece(_read(text[at:start], read), _kept(text[at:start], read, ""))
        if (file := carried.string(inner, work)) is not None:
            yield file
        else:
            yield Piece(_read(inner, read), _kept(inner, read, text[start - 1]))
        at = found.end() - 1
    yield Piece(_read(text[at:], read), _kept(text[at:], read, ""))


def _read(raw: str, read: Read) -> str:
    return read(raw) if "\\" in raw else raw


def _kept(raw: str, read: Read, quote: str) -> Callable[[str], str]:
    def write(told: str) -> str:
        if told == _read(raw, read):
            return raw
        if not quote:
            return told
        signs: dict[str, str | int | None] = {
            "\\": "\\\\",
            quote: f"\\{quote}",
            "\n": "\\n",
            "\r": "\\r",
        }
        return told.translate(str.maketrans(signs))

    return write


def _plain(raw: str) -> str:
    def one(found: re.Match[str]) -> str:
        number = found[1] or found[2] or found[3]
        return _sign(number) if number else LETTERS.get(found[4], found[4])

    return ESCAPE.sub(one, raw)


def _css_plain(raw: str) -> str:
    return CSS_ESCAPE.sub(lambda found: _sign(found[1]) if found[1] else found[2], raw)


def _sign(number: str) -> str:
    """One character; half of one, and none, are a sign that no name has."""
    code = int(number, 16)
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
