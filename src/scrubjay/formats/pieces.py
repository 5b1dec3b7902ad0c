"""A text that lies in pieces: a name may begin in one run of a document and end in another.

The pieces are read as one text, and what is replaced in it is replaced in them: a substitute goes
where its value began, and what the value had in later pieces goes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

from scrubjay.types import Anonymized, Replacement


class Pieces:
    """`breaks`: what stands behind each piece in the text, and in no piece: a line's end, a blank.
    Without them the pieces touch."""

    def __init__(self, pieces: Iterable[str], breaks: Sequence[str] = ()) -> None:
        self._pieces = list(pieces)
        behind = breaks or [""] * len(self._pieces)
        both = list(zip(self._pieces, behind, strict=True))
        self._starts = list(accumulate((len(p) + len(b) for p, b in both), initial=0))[:-1]
        self.text = "".join(p + b for p, b in both)

    def changed(self, result: Anonymized) -> list[str]:
        """The pieces as the text became. Values in one piece alone never touch another."""
        new: list[list[str]] = [[] for _ in self._pieces]
        done = list(self._starts)  # how far each piece was dealt with, in the text
        for one in result.report.replacements:
            if result.text[one.new_start : one.new_end] != self.text[one.start : one.end]:
                self._replace(one, result.text, new, done)
        ends = [start + len(p) for start, p in zip(self._starts, self._pieces, strict=True)]
        return [
            "".join([*parts, self.text[at:end]])
            for parts, at, end in zip(new, done, ends, strict=True)
        ]

    def _replace(
        self, replacement: Replacement, text: str, new: list[list[str]], done: list[int]
    ) -> None:
        """A value that begins in a break is given to the piece behind it."""
        told: str | None = text[replacement.new_start : replacement.new_end]
        index = max(0, bisect_right(self._starts, replacement.start) - 1)
        while index < len(self._pieces) and self._starts[index] < replacement.end:
            start = self._starts[index]
            end = start + len(self._pieces[index])
            if max(start, replacement.start) < min(end, replacement.end):
                first = max(replacement.start, done[index])
                new[index].append(self.text[done[index] : first])
                if told is not None:
                    new[index].append(told)
                    told = None
                done[index] = min(replacement.end, end)
            index += 1
