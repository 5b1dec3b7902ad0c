"""Text as the taggers see it: units, and what is known of each.

A unit is a run of letters, a run of digits, one sign, or one character of a script without spaces.
Blanks are no units but the gap before one. Because units and gaps together are the whole text,
places come from lengths alone, exact to the code point.

Everything about a unit depends on its spelling only, so each distinct spelling of a batch is looked
at once, and the rest is one dictionary look-up and a few array operations per unit. Words of the
vocabulary are remembered from batch to batch; what else a text holds is not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PIECES = 4  # word pieces that are kept of one unit: the first ones, and the last
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")  # every vocabulary begins with these
PAD, UNK, CLS, SEP = range(4)
REMEMBERED = 20_000  # words of the vocabulary, in each way to write them
DIGITS = 4  # digits that are kept of a run as pieces; its length is in the shape

_ALONE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af"
)
_MARKS = "\u0300-\u036f"
_UNIT = re.compile(rf"[{_ALONE}]|(?:[^\W\d_{_ALONE}]|[{_MARKS}])+|\d+|\s+|.", re.DOTALL)
_ASCII = re.compile(r"[A-Za-z]+|[0-9]+|\s+|[^A-Za-z0-9\s]")  # the same for such texts, and faster

SHAPES = (
    "lower", "Title", "X", "XX", "XXX+", "mIxed", "caseless", "sign",
    *(f"digits{count}" for count in range(1, 12)), "year",
)  # fmt: skip
GAPS = ("none", "blank", "blanks", "line", "paragraph")
_SHAPE = {name: number for number, name in enumerate(SHAPES)}

Array = NDArray[np.int32]
Row = tuple[int, ...]


class Units(NamedTuple):
    """The units of one text. `pieces` has PIECES columns, 0 where a unit has fewer."""

    starts: Array
    ends: Array
    pieces: Array
    shapes: Array
    gaps: Array
    hints: Array


class Tokens:
    """Cuts texts into units, for a vocabulary of word pieces and a lexicon of hints."""

    def __init__(
        self, vocabulary: Sequence[str], hint: Callable[[str], int] = lambda word: 0
    ) -> None:
        self.vocabulary = {piece: number for number, piece in enumerate(vocabulary)}
        self._hint = hint
        self._known: dict[str, Row] = {}

    def units(self, texts: Sequence[str]) -> list[Units]:
        """The units of each text."""
        seen = _Seen(self._look)
        cut = [(_ASCII if text.isascii() else _UNIT).findall(text) for text in texts]
        numbers = [np.fromiter(map(seen.__getitem__, words), np.int32, len(words)) for words in cut]
        rows = np.array(seen.rows, np.int32).reshape(-1, _COLUMNS)
        return [_units(words, rows[number]) for words, number in zip(cut, numbers, strict=True)]

    def pieces(self, word: str) -> list[int]:
        """The word pieces of one unit, greedily longest first, as BERT's tokenizer has them."""
        low = plain(word)
        if low.isdecimal():
            low = low[:DIGITS]
        found: list[int] = []
        start = 0
        while start < len(low):
            end = min(len(low), start + 24)
            prefix = "##" if start else ""
            while end > start and prefix + low[start:end] not in self.vocabulary:
                end -= 1
            if end == start:
                return [UNK]
            found.append(self.vocabulary[prefix + low[start:end]])
            start = end
        return found or [UNK]

    def _look(self, word: str) -> Row:
        """A row, known or new."""
        row = self._known.get(word)
        if row is None:
            row = self._row(word)
            if len(self._known) < REMEMBERED and plain(word) in self.vocabulary:
                self._known[word] = row
        return row

    def _row(self, word: str) -> Row:
        """pieces, shape, hint, gap: what is known of one spelling. A gap of -1: this is a unit."""
        if word.isspace():
            return (0,) * (PIECES + 2) + (_gap(word),)
        pieces = self.pieces(word)
        if len(pieces) > PIECES:
            pieces = [*pieces[: PIECES - 1], pieces[-1]]
        filled = (*pieces, *(0,) * (PIECES - len(pieces)))
        return (*filled, shape(word), self._hint(word), -1)


_COLUMNS = PIECES + 3


class _Seen(dict[str, int]):
    """Spelling to row; a new one is looked at when first met."""

    def __init__(self, look: Callable[[str], Row]) -> None:
        self.rows: list[Row] = []
        self._look = look

    def __missing__(self, word: str) -> int:
        self.rows.append(self._look(word))
        self[word] = number = len(self.rows) - 1
        return number


def _units(words: list[str], rows: Array) -> Units:
    ends = np.cumsum(np.fromiter(map(len, words), np.int32, len(words)), dtype=np.int32)
    gaps = rows[:, -1]
    is_unit = gaps < 0
    before = np.zeros(len(words), np.int32)
    before[1:] = np.maximum(gaps[:-1], 0)
    if len(words):
        before[0] = max(int(before[0]), GAPS.index("paragraph"))
        first = int(is_unit.argmax())
        before[first] = GAPS.index("paragraph")
    starts = np.concatenate([np.zeros(1, np.int32), ends[:-1]]) if len(words) else ends
    kept = rows[is_unit]
    return Units(
        starts[is_unit], ends[is_unit], kept[:, :PIECES], kept[:, PIECES], before[is_unit],
        kept[:, PIECES + 1],
    )  # fmt: skip


def shape(word: str) -> int:
    """How a unit is written, whatever it says."""
    if word.isdecimal():
        if len(word) == 4 and word[:2] in {"19", "20"}:
            return _SHAPE["year"]
        return _SHAPE[f"digits{min(len(word), 11)}"]
    if not word[0].isalpha():
        return _SHAPE["sign"]
    if not word.isascii():
        word = unicodedata.normalize("NFC", word)  # else a mark would begin a word of its own
    if word.islower():
        return _SHAPE["lower"]
    if word.isupper():
        return _SHAPE["X" if len(word) == 1 else "XX" if len(word) == 2 else "XXX+"]
    if word.istitle():
        return _SHAPE["Title"]
    return _SHAPE["caseless" if word.lower() == word.upper() else "mIxed"]


def _gap(blanks: str) -> int:
    lines = blanks.count("\n") or blanks.count("\r")
    if lines:
        return GAPS.index("line" if lines == 1 else "paragraph")
    return GAPS.index("blank" if len(blanks) == 1 and blanks != "\t" else "blanks")


def plain(word: str) -> str:
    """Lower case without accents: what the vocabulary holds."""
    if word.isascii():
        return word.lower()
    split = unicodedata.normalize("NFD", word.lower())
    return "".join(sign for sign in split if unicodedata.category(sign) != "Mn") or word
