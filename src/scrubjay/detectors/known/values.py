"""Where known values stand in a text, whatever their case and spacing: one linear pass over words.

`everywhere` in resolve.py and the `deny` lists of policies rest on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from scrubjay.types import Document, Finding

WORD = re.compile(r"[^\W_](?:\w*[^\W_])?")  # "____Jane____" is a form's line
GAP = 3  # characters that may stand between two words of a value: "123-45-6789", "Lee,  Ann"
FEW = 64  # first words: more are looked for all at once
Words = tuple[str, ...]
T = TypeVar("T")


def words(value: str) -> Words:
    """The value as it is compared: words, without case."""
    return tuple(WORD.findall(fold(value)))


def fold(text: str) -> str:
    """Without case, character by character: a letter that would become two stays as it is."""
    folded = text.casefold()
    if len(folded) == len(text):
        return folded
    return "".join(c if len(f := c.casefold()) > 1 else f for c in text)


class Values(Generic[T]):
    """Values with what is known of each, as a tree of words."""

    def __init__(self, values: Mapping[Words, T]) -> None:
        self._root: dict[Any, Any] = {}  # word -> node; a node's None -> what is known of a value
        for value, known in values.items():
            node = self._root
            for word in value:
                node = node.setdefault(word, {})
            if value:
                node[None] = known

    def occurrences(self, text: str) -> Iterator[tuple[int, int, T]]:
        """The longest value at each word that starts one, with what is known of it."""
        folded = fold(text)
        for start, end in self._starts(folded):
            yield from self._longest(folded, start, end)

    def _starts(self, folded: str) -> list[tuple[int, int]]:
        """Where a word stands that starts a value: of a few, without a look at the others."""
        if len(self._root) > FEW:
            return [match.span() for match in WORD.finditer(folded) if match[0] in self._root]
        return sorted(span for word in self._root for span in _spans(folded, word))

    def _longest(self, folded: str, start: int, end: int) -> Iterator[tuple[int, int, T]]:
        best, node = None, self._root.get(folded[start:end])
        while node is not None:
            if None in node:
                best = start, end, node[None]
            following = WORD.search(folded, end) if len(node) > (None in node) else None
            if following is None or following.start() - end > GAP:
                break
            end, node = following.end(), node.get(following[0])
        if best:
            yield best


def _spans(folded: str, word: str) -> Iterator[tuple[int, int]]:
    """Where the word stands as one that `WORD` finds."""
    start = folded.find(word)
    while start >= 0:
        end = start + len(word)
        first, last = start - 1, end
        while first >= 0 and folded[first] == "_":
            first -= 1
        while last < len(folded) and folded[last] == "_":
            last += 1
        if not (folded[max(first, 0) : first + 1].isalnum() or folded[last : last + 1].isalnum()):
            yield start, end
        start = folded.find(word, end)


class Deny:
    """The detector `deny.v1`: values that a policy lists are found wherever they stand."""

    name = "deny.v1"

    def __init__(self, values: Mapping[str, Iterable[str]]) -> None:
        self._values = Values({words(v): label for label, listed in values.items() for v in listed})

    def detect(self, documents: Sequence[Document]) -> list[list[Finding]]:
        """Certain by decree."""
        return [
            [
                Finding(start, end, label, 1.0, self.name)
                for start, end, label in self._values.occurrences(document.text)
            ]
            for document in documents
        ]
