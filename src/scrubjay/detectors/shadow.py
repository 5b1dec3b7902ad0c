"""The text as patterns see it: UTF-8 without the tricks that hide an identifier from a regex.

Zero-width and bidi characters vanish, full-width and other scripts' digits become ASCII, exotic
hyphens and spaces become plain, and look-alike letters inside an otherwise Latin word become Latin.
Offsets lead back to the original code points. ASCII text, the common case, is its own shadow.
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
    "aeopcyxijshdqwbABEKMHOPCTYXIJSQWABEZHIKMNOPTYXaopvituI".replace("tuI", "tui"),
)
_VANISH = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff"
    "]+|(?<=[0-9A-Za-z@._+-])[\u0300-\u036f\u0483-\u0489\u20d0-\u20f0]+"
)
_MIXED_WORD = re.compile(r"[^\W_]*[A-Za-z0-9@][\w@.+-]*")
_TRAILING = re.compile("[\u0300-\u036f\u200b-\u200f\u2060\ufe00-\ufe0f]+")


@cache
def _plain() -> dict[int, str]:
    """One-to-one replacements: every digit, full-width form, math letter, hyphen and space."""
    plain = {}
    for code in range(0x80, 0x1FC00):
        char = chr(code)
        category = unicodedata.category(char)
        if category == "Nd":
            plain[code] = str(unicodedata.decimal(char))
        elif category == "Zs":
            plain[code] = " "
        elif category == "Pd" or char in "\u2212\u00ac\u2043":
            plain[code] = "-"
        elif category in {"Ll", "Lu", "So", "No", "Po", "Sm", "Ps", "Pe", "Pc", "Sk", "Sc"}:
            compatible = unicodedata.normalize("NFKC", char)
            if len(compatible) == 1 and compatible.isascii() and compatible != char:
                plain[code] = compatible
    plain |= {ord("\x0b"): " ", ord("\u2028"): "\n", ord("\u2029"): "\n", ord("\x85"): "\n"}
    return plain | {ord(c): "'" for c in "\u2018\u2019\u02bc\u2032\uff07"}


@cache
def _suspicious() -> re.Pattern[str]:
    """Any character that the shadow would change; most text has none."""
    codes = sorted(_plain()) + list(LOOKALIKES)
    return re.compile(f"[{''.join(re.escape(chr(c)) for c in codes)}]|{_VANISH.pattern}")


class Shadow:
    """`data` is what patterns scan; `places` leads byte offsets in it back to code points."""

    __slots__ = ("_cuts", "_skipped", "_text", "data")

    def __init__(self, text: str) -> None:
        self._text = text
        self._cuts: list[int] = []  # shadow positions before which characters vanished
        self._skipped = [0]  # how many had vanished by then
        if not text.isascii() and _suspicious().search(text):
            text = self._straighten(text)
        self.data = text.encode("utf-8")

    def _straighten(self, text: str) -> str:
        kept, last = [], 0
        for gone in _VANISH.finditer(text):
            kept.append(text[last : gone.start()])
            last = gone.end()
            self._cuts.append(gone.start() - self._skipped[-1])
            self._skipped.append(self._skipped[-1] + gone.end() - gone.start())
        kept.append(text[last:])
        plain = "".join(kept).translate(_plain())
        return _MIXED_WORD.sub(lambda word: word[0].translate(LOOKALIKES), plain)

    def places(self, offsets: Iterable[int]) -> dict[int, int]:
        """Original code point of each byte offset. A span's end is `places[end - 1] + 1`'s job of
        `span`: see there."""
        data, found, byte, point = self.data, {}, 0, 0
        for offset in sorted(set(offsets)):
            point += len(data[byte:offset].decode("utf-8"))
            byte = offset
            found[offset] = point
        return found

    def spans(self, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Byte spans of the shadow as code point spans of the text."""
        if len(self.data) == len(self._text) and not self._cuts:
            return spans
        at = self.places(offset for span in spans for offset in span)
        return [self._original(at[start], at[end]) for start, end in spans]

    def _original(self, start: int, end: int) -> tuple[int, int]:
        if self._cuts:
            start += self._skipped[bisect_right(self._cuts, start)]
            end += self._skipped[bisect_right(self._cuts, end - 1)]
        trailing = _TRAILING.match(self._text, end)  # a mark on the last character goes with it
        return start, trailing.end() if trailing else end
