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
        folded, root = fold(text), self._root
        for match in WORD.finditer(folded):
            if match[0] in root:
                yield from self._longest(folded, match, root[match[0]])

    def _longest(
        self, folded: str, match: re.Match[str], node: dict[Any, Any] | None
    ) -> Iterator[tuple[int, int, T]]:
        start, best = match.start(), None
        while node is not None:
            end = match.end()
            if None in node:
                best = start, end, node[None]
            following = WORD.search(folded, end) if len(node) > (None in node) else None
            if following is None or following.start() - end > GAP:
                break
            match, node = following, node.get(following[0])
        if best:
            yield best


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
