"""Text as the taggers see it: units, and what is known of each.

A unit is a run of letters, a run of digits, one sign, or one character of a script without spaces.
Blanks are no units but the gap before one. Because units and gaps together are the whole text,
places come from lengths alone, exact to the code point.

Everything about a unit depends on its spelling only, so each distinct spelling of a batch is looked
at once, and the rest is one dictionary look-up and a few array operations per unit. Words that the
vocabulary or the lexicon holds are remembered from batch to batch; what else a text holds is not.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable, Sequence
from itertools import count, repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PIECES = 4  # word pieces that are kept of one unit: the first ones, and the last
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")  # every vocabulary begins with these
PAD, UNK, CLS, SEP = range(4)
REMEMBERED = 20_000  # known words, in each way to write them
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

Array = NDArray[np.int32 | np.int64]
Row = tuple[int, ...]
_COLUMNS = PIECES + 4  # shape, hint, gap, length


class Units(NamedTuple):
    """The units of one text. `pieces` has PIECES columns, 0 where a unit has fewer; equal numbers
    in `spellings` are units of one spelling, in whatever text of one `Tokens`."""

    starts: Array
    ends: Array
    pieces: Array
    shapes: Array
    gaps: Array
    hints: Array
    spellings: Array

    def cut(self, first: int, last: int) -> Units:
        """Those from `first` up to `last`."""
        return Units(*(column[first:last] for column in self))


class Tokens:
    """Cuts texts into units, for a vocabulary of word pieces and a lexicon of hints."""

    def __init__(
        self, vocabulary: Sequence[str], hint: Callable[[str], int] = lambda word: 0
    ) -> None:
        self.vocabulary = {piece: number for number, piece in enumerate(vocabulary)}
        self._hint = hint
        self._longest = _longest(vocabulary)
        self._known: dict[str, int] = {}  # word to row of the table
        self._table = np.zeros((REMEMBERED, _COLUMNS), np.int32)
        self._remembering = threading.Lock()
        self._batches = count(1)

    def units(self, texts: Sequence[str]) -> list[Units]:
        """The units of each text."""
        seen = _Seen(self._number, next(self._batches) << 32)
        cut = [(_ASCII if text.isascii() else _UNIT).findall(text) for text in texts]
        numbers = [self._numbers(words, seen) for words in cut]
        new = np.array(seen.rows, np.int32).reshape(-1, _COLUMNS)
        return [_units(number, self._rows(number, new, seen.first)) for number in numbers]

    def pieces(self, word: str) -> list[int]:
        """The word pieces of one unit, greedily longest first, as BERT's tokenizer has them."""
        low = plain(word)
        if low.isdecimal():
            low = low[:DIGITS]
        found: list[int] = []
        start = 0
        prefix = ""
        while start < len(low):
            end = start + self._longest.get(prefix + low[start : start + 2], 1)
            while end > start and prefix + low[start:end] not in self.vocabulary:
                end -= 1
            if end == start:
                return [UNK]
            found.append(self.vocabulary[prefix + low[start:end]])
            start, prefix = end, "##"
        return found or [UNK]

    def _numbers(self, words: list[str], seen: _Seen) -> NDArray[np.int64]:
        numbers = np.fromiter(map(self._known.get, words, repeat(-1)), np.int64, len(words))
        for at in np.flatnonzero(numbers < 0).tolist():
            numbers[at] = seen[words[at]]
        return numbers

    def _rows(self, numbers: NDArray[np.int64], new: Array, first: int) -> Array:
        """What is known of each spelling: remembered, or `new` from the number `first` on."""
        rows = self._table.take(numbers, 0, mode="clip")
        if len(new):
            fresh = np.flatnonzero(numbers >= first)
            rows[fresh] = new[numbers[fresh] - first]
        return rows

    def _number(self, word: str, rows: list[Row], first: int) -> int:
        """Of a spelling that was not met before: its row is remembered, or one of this batch."""
        row = self._row(word)
        if row[-3] or plain(word) in self.vocabulary or (word.isspace() and len(word) < 3):
            with self._remembering:
                number = self._known.get(word, len(self._known))
                if number < REMEMBERED:
                    self._table[number] = row
                    self._known[word] = number
                    return number
        rows.append(row)
        return first + len(rows) - 1

    def _row(self, word: str) -> Row:
        """pieces, shape, hint, gap, length: what is known of one spelling. A gap of -1: this is a
        unit."""
        if word.isspace():
            return *(0,) * (PIECES + 2), _gap(word), len(word)
        pieces = self.pieces(word)
        if len(pieces) > PIECES:
            pieces = [*pieces[: PIECES - 1], pieces[-1]]
        filled = (*pieces, *(0,) * (PIECES - len(pieces)))
        return (*filled, shape(word), self._hint(word), -1, len(word))


class _Seen(dict[str, int]):
    """Spelling to number; a new one is looked at when first met."""

    def __init__(self, number: Callable[[str, list[Row], int], int], first: int) -> None:
        self.rows: list[Row] = []
        self.first = first
        self._number = number

    def __missing__(self, word: str) -> int:
        self[word] = number = self._number(word, self.rows, self.first)
        return number


def _longest(vocabulary: Sequence[str]) -> dict[str, int]:
    """How long the longest piece is that begins so: with two letters, if it has two."""
    longest: dict[str, int] = {}
    for piece in vocabulary:
        size = len(piece) - 2 if piece.startswith("##") else len(piece)
        begin = piece[: len(piece) - size + 2]
        longest[begin] = max(size, longest.get(begin, 1))
    return longest


def _units(numbers: NDArray[np.int64], rows: Array) -> Units:
    at = np.flatnonzero(rows[:, -2] < 0)
    gaps = np.maximum(rows[at - 1, -2], 0)
    gaps[:1] = GAPS.index("paragraph")
    kept, ends = rows[at], np.cumsum(rows[:, -1], dtype=np.int32)[at]
    return Units(
        ends - kept[:, -1], ends, kept[:, :PIECES], kept[:, PIECES], gaps, kept[:, PIECES + 1],
        numbers[at],
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
