"""The text as patterns see it: UTF-8 without the tricks that hide an identifier from a regex.

Zero-width and bidi characters vanish, full-width and other scripts' digits become ASCII, exotic
hyphens and spaces become plain, and look-alike letters inside an otherwise Latin word become Latin.
The dotted and underscored lines of a form, "Name: ___Jane___", become blanks.
Offsets lead back to the original code points. Other ASCII text, the common case, is its own shadow.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from functools import cache

# Cyrillic, Greek and other letters that readers cannot tell from Latin ones (after UTS #39).
LOOKALIKES = str.maketrans(
    "аеорсухіјѕһԁԛԝьАВЕКМНОРСТУХІЈЅԚԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧαορνιτυ\u0131",
    "aeopcyxijshdqwbABEKMHOPCTYXIJSQWABEZHIKMNOPTYXaopvituI",
)
_SIMILAR = "".join(map(chr, LOOKALIKES))
_ALIEN = re.compile(rf"[A-Za-z0-9@][._+-]?[{_SIMILAR}]|[{_SIMILAR}][._+-]?[A-Za-z0-9@]")
_MIXED_WORD = re.compile(r"[^\W_]*[A-Za-z0-9@][\w@.+-]*")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_MARKS = "\u0300-\u036f\u0483-\u0489\u20d0-\u20f0"
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff"
)
_VANISH = re.compile(f"[{_INVISIBLE}]+|(?<=[0-9A-Za-z@._+-])[{_MARKS}]+")
_VANISHING = re.compile(f"[{_INVISIBLE}{_MARKS}]")
_TRAILING = re.compile("[\u0300-\u036f\u200b-\u200f\u2060\ufe00-\ufe0f]+")
_FILL = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])|_{4,}|\.{3,}")  # the lines of a form
FEW = 24  # so many different characters are replaced one by one, more in a table


_SPECIAL = {
    "\u2028": "\n",
    "\u2029": "\n",
    "\x85": "\n",
    "\u2212": "-",
    "\u00ac": "-",
    "\u2043": "-",
}
_SPECIAL |= dict.fromkeys("\u2018\u2019\u02bc\u2032\uff07", "'")
_BY_CATEGORY = {"Zs": " ", "Pd": "-"}  # spaces, dashes


@cache
def _replaced(char: str) -> str:
    """The plain form of a digit, dash, space, full-width or mathematical character; else itself."""
    category = unicodedata.category(char)
    if char in _SPECIAL:
        return _SPECIAL[char]
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category in _BY_CATEGORY:
        return _BY_CATEGORY[category]
    if category == "Lo":
        return char  # \u00ba in "n\u00ba" is a letter of its own to patterns
    compatible = unicodedata.normalize("NFKC", char)
    return compatible if len(compatible) == 1 and compatible.isascii() else char


class Straight:
    """`text` is the original without disguise; `original` leads spans in it back."""

    __slots__ = ("_cuts", "_skipped", "_source", "text")

    def __init__(self, text: str) -> None:
        self._source = text
        self._cuts: list[int] = []  # places in the straight text before which characters vanished
        self._skipped = [0]  # how many had vanished by then
        self.text = text if text.isascii() else self._straighten(text)

    def _straighten(self, text: str) -> str:
        odd = set("".join(_NOT_ASCII.findall(text)))
        if _VANISHING.search("".join(odd)):
            text = self._without_vanishing(text)
        plain = {char: new for char in odd if (new := _replaced(char)) != char}
        if len(plain) > FEW:
            text = text.translate({ord(char): new for char, new in plain.items()})
        else:
            for char, new in plain.items():
                text = text.replace(char, new)
        if not odd.isdisjoint(_SIMILAR) and _ALIEN.search(text):
            text = _MIXED_WORD.sub(lambda word: word[0].translate(LOOKALIKES), text)
        return text

    def _without_vanishing(self, text: str) -> str:
        kept, last = [], 0
        for gone in _VANISH.finditer(text):
            kept.append(text[last : gone.start()])
            last = gone.end()
            self._cuts.append(gone.start() - self._skipped[-1])
            self._skipped.append(self._skipped[-1] + gone.end() - gone.start())
        kept.append(text[last:])
        return "".join(kept)

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The place in the source of a span of the straight text."""
        if self._cuts:
            start += self._skipped[bisect_right(self._cuts, start)]
            end += self._skipped[bisect_right(self._cuts, end - 1)]
        trailing = _TRAILING.match(self._source, end)  # a mark on the last character goes with it
        return start, trailing.end() if trailing else end

    @property
    def same(self) -> bool:
        """Whether nothing vanished: each place is its own."""
        return not self._cuts


def disguised(text: str) -> bool:
    """Whether letters are hidden in ways that typists and word processors do not hide them."""
    if text.isascii():
        return False
    odd = "".join(set("".join(_NOT_ASCII.findall(text))))
    if _VANISHING.search(odd) or any(map(_as_letter, odd)):
        return True
    return not set(odd).isdisjoint(_SIMILAR) and bool(_ALIEN.search(text))


@cache
def _as_letter(char: str) -> bool:
    return _replaced(char).isalnum() and not char.isdecimal() and _replaced(char) != char


class Shadow:
    """`data` is what patterns scan; `places` leads byte offsets in it back to code points."""

    __slots__ = ("_length", "_straight", "data")

    def __init__(self, text: str) -> None:
        self._length = len(text)
        self._straight = None if text.isascii() else Straight(text)
        text = self._straight.text if self._straight else text
        if "___" in text or "..." in text:
            text = _FILL.sub(lambda fill: " " * len(fill[0]), text)
        self.data = text.encode("utf-8")

    def places(self, offsets: Iterable[int]) -> dict[int, int]:
        """The code point of the straightened text at each byte offset."""
        data, found, byte, point = self.data, {}, 0, 0
        for offset in sorted(set(offsets)):
            point += len(data[byte:offset].decode("utf-8"))
            byte = offset
            found[offset] = point
        return found

    def spans(self, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Byte spans of the shadow as code point spans of the text."""
        straight = self._straight
        if straight is None or (len(self.data) == self._length and straight.same):
            return spans
        at = self.places(offset for span in spans for offset in span)
        return [straight.original(at[start], at[end]) for start, end in spans]
