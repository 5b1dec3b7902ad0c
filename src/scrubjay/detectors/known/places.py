"""Known addresses: whole, or a part alone (street line, city, postal code), abbreviated or not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from scrubjay.detectors import lists
from scrubjay.detectors.known.plain import fold, tokens

UNITS = frozenset(
    ["apt", "apartment", "unit", "suite", "ste", "flat", "rm", "room", "no", "number"]
)
_ZIP = re.compile(r"(?<!\d)(\d{5})(?:-(\d{4}))?$")
_STATE = re.compile(r"(?<![^\W_])([A-Z]{2})$")
_COMPOUND = (("strasse", "str"), ("strase", "str"), ("straat", "str"))
_ENDS = tuple(end for pair in _COMPOUND for end in pair)
_BORDER = re.compile(r"[,;\n](?!\s*(?:#|(?i:apt|apartment|unit|suite|ste|flat|rm|room)\b))")
_NUMBER = re.compile(r"\d")


@cache
def short() -> dict[str, frozenset[str]]:
    """A word of an address -> all ways to write it."""
    known: dict[str, frozenset[str]] = {}
    for line in lists.read("streets"):
        ways = frozenset(map(fold, line.split()))
        for way in ways:
            known[way] = known.get(way, frozenset()) | ways
    return known


def ways(word: str) -> frozenset[str]:
    """All ways to write one word of an address."""
    for long, brief in _COMPOUND if word.endswith(_ENDS) else ():
        for end in (long, brief):
            if word.endswith(end) and len(word) > len(end) + 2:
                stem = word.removesuffix(end)
                return frozenset({word, *(stem + e for pair in _COMPOUND for e in pair)})
    return short().get(word, frozenset({word}))


def parts(value: str, label: str) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """(words, label, form) of a place and its parts: form is exact, part or state."""
    whole = tokens(value)
    yield whole, label, "exact"
    pieces = [piece.strip() for piece in _BORDER.split(value) if piece.strip()]
    if len(pieces) == 1 and label not in ("LOCATION", "STREET_ADDRESS"):
        return
    for piece in pieces:
        yield from _piece(piece, label)


def _piece(piece: str, label: str) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Street lines keep the label unless it is LOCATION; cities and codes get their own."""
    zipped = _ZIP.search(piece)
    if zipped:
        yield (zipped[1],), "ZIP", "part"
        piece = piece[: zipped.start()].strip()
    stated = _STATE.search(piece)
    if stated and (zipped or len(piece) == 2):
        piece = piece[: stated.start()].strip()
    words = tokens(piece)
    if not words or words[0] in UNITS:
        return
    if not _NUMBER.search(piece):
        street = any(word in short() for word in words[1:]) and label != "CITY"
        yield words, "STREET_ADDRESS" if street else "CITY", "part"
        return
    yield words, "STREET_ADDRESS", "part"
    yield from _without(words)


def _without(words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """A street line without its unit, and the street without its number."""
    cut = next((i for i, w in enumerate(words) if i and w in UNITS), len(words))
    line = words[:cut]
    if cut < len(words):
        yield line, "STREET_ADDRESS", "part"
    street = tuple(word for word in line if not word.isdecimal())
    if len(street) > 1 or (street and len(street[0]) > 7):
        yield street, "STREET_ADDRESS", "part"
