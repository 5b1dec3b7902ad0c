"""A text as known values are compared with it: without case, accents, tricks of Unicode.

`shown` and `folded` have one character for each other; `span` leads back to the text.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from scrubjay.detectors.shadow import LOOKALIKES

TOKEN = re.compile(r"[^\W\d_]+|\d+")  # letters or digits: "Apt4B" is three
_LETTERS = re.compile(r"[^\W\d_]+")
_ONLY_LETTERS = {n: chr(n) if chr(n).isalpha() else " " for n in range(128)}
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_GONE = frozenset(["Mn", "Me", "Cf"])  # marks, zero-width characters, soft hyphens
_SINGLE = dict(zip("ßøæœłđðþıς", "soaolddtiσ", strict=True))
_SINGLE |= dict.fromkeys("\u2018\u2019\u02bc\u2032`\u00b4", "'")
_SIMILAR = {chr(odd).lower(): chr(plain).lower() for odd, plain in LOOKALIKES.items()}
_LONG = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa", "æ": "ae",
                       "œ": "oe", "þ": "th", "ð": "dh"})  # fmt: skip
_SHORT = re.compile("(?<=[aou])e|(?<=a)a|(?<=s)s")
SHORTEST = 4  # letters of a spelling made by leaving some out


class Plain:
    """One text with its folded twin."""

    __slots__ = ("_places", "folded", "shown", "text")

    def __init__(self, text: str) -> None:
        self.text = self.shown = text
        self._places: list[int] | None = None
        if text.isascii():
            self.folded = text.lower()
            return
        odd = {char: fold_character(char) for char in set("".join(_NOT_ASCII.findall(text)))}
        gone = {char for char, plain in odd.items() if not plain}
        self.folded = text.translate({ord(char): plain for char, plain in odd.items()}).lower()
        if gone:
            self._places = [place for place, char in enumerate(text) if char not in gone]
            self.shown = text.translate(dict.fromkeys(map(ord, gone)))

    def words(self) -> set[str]:
        """The different runs of letters."""
        if self.folded.isascii():
            return set(self.folded.translate(_ONLY_LETTERS).split())
        return set(_LETTERS.findall(self.folded))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a place of `folded` is in the text; marks on its last letter go with it."""
        if self._places is None:
            return start, end
        after = self._places[end] if end < len(self._places) else len(self.text)
        return self._places[start], after


@cache
def fold_character(char: str) -> str:
    """One character, or none for a mark or what is invisible."""
    category = unicodedata.category(char)
    if category in _GONE:
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category in ("Zs", "Pd"):
        return " " if category == "Zs" else "-"
    whole = unicodedata.normalize("NFKD", char)
    bare = "".join(c for c in whole if unicodedata.category(c) not in _GONE).lower()
    plain = bare if len(bare) == 1 else char.lower() if len(char.lower()) == 1 else char
    plain = _SINGLE.get(plain, plain)
    return _SIMILAR.get(plain, plain)


def fold(value: str) -> str:
    """A value as it is compared."""
    return value.lower() if value.isascii() else Plain(value).folded


def tokens(value: str) -> tuple[str, ...]:
    """Runs of letters and runs of digits, folded."""
    return tuple(TOKEN.findall(fold(value)))


def spellings(word: str) -> set[str]:
    """A word without accents, and as it is typed where there are none: Müller, Mueller, Muller."""
    plain = fold(word)
    if not word.isascii():
        composed = unicodedata.normalize("NFC", word).lower()
        return {plain, fold(composed.translate(_LONG))}
    short = _SHORT.sub("", plain)
    return {plain, short} if len(short) >= SHORTEST else {plain}
