"""Where known values stand in a text, whatever their case and spacing: one linear pass over words.

`everywhere` in resolve.py and the `deny` lists of policies rest on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from scrubjay.types import Document, Finding

WORD = re.compile(r"\w+")
GAP = 3  # characters that may stand between two words of a value: "123-45-6789", "Lee,  Ann"
Words = tuple[str, ...]
T = TypeVar("T")


def words(value: str) -> Words:
    """The value as it is compared: words, without case."""
    return tuple(WORD.findall(value.casefold()))


def occurrences(text: str, values: Mapping[Words, T]) -> Iterator[tuple[int, int, T]]:
    """Every place of every value, at word borders, with what the mapping holds for it."""
    by_first: dict[str, list[tuple[Words, T]]] = {}
    for value, payload in values.items():
        if value:
            by_first.setdefault(value[0], []).append((value, payload))
    for match in WORD.finditer(text):
        for value, payload in by_first.get(match[0].casefold(), ()):
            end = _follow(text, match.end(), value[1:])
            if end is not None:
                yield match.start(), end, payload


def _follow(text: str, end: int, rest: Words) -> int | None:
    """The end of the value if its other words follow closely."""
    for word in rest:
        following = WORD.search(text, end, end + GAP + len(word) * 2)
        if not following or following.start() - end > GAP or following[0].casefold() != word:
            return None
        end = following.end()
    return end


class Deny:
    """The detector `deny.v1`: values that a policy lists are found wherever they stand."""

    name = "deny.v1"

    def __init__(self, values: Mapping[str, Iterable[str]]) -> None:
        self._values = {words(v): label for label, listed in values.items() for v in listed}

    def detect(self, documents: Sequence[Document]) -> list[list[Finding]]:
        """Certain by decree."""
        return [
            [
                Finding(start, end, label, 1.0, self.name)
                for start, end, label in occurrences(document.text, self._values)
            ]
            for document in documents
        ]
