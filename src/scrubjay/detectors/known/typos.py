"""Words one slip of the finger away: a letter more, less, another, or two changed places."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

SHORTEST = 5  # letters of a word whose slips are looked for
_EDGE = 2  # one slip in five letters or more leaves the first two or the last two as they were


class Typos:
    """Words by their edges, so that few are compared."""

    def __init__(self, words: Iterable[str]) -> None:
        self._heads: dict[str, list[str]] = {}
        self._tails: dict[str, list[str]] = {}
        for word in words:
            if len(word) >= SHORTEST:
                self._heads.setdefault(word[:_EDGE], []).append(word)
                self._tails.setdefault(word[-_EDGE:], []).append(word)

    def among(self, words: Iterable[str], right: Sequence[Container[str]] = ()) -> dict[str, str]:
        """Those of `words` that are a slip of a known one, with the one they are a slip of, but for
        those that are in one of `right`."""
        heads, tails = self._heads, self._tails
        near = [w for w in words if w[:_EDGE] in heads or w[-_EDGE:] in tails]
        found = ((w, self._meant(w)) for w in near if not any(w in every for every in right))
        return {word: meant for word, meant in found if meant}

    def _meant(self, word: str) -> str:
        close = (*self._heads.get(word[:_EDGE], ()), *self._tails.get(word[-_EDGE:], ()))
        return next((known for known in close if one_slip(known, word)), "")


def one_slip(known: str, word: str) -> bool:
    """Whether exactly one letter was added, left out or replaced, or two neighbours swapped."""
    if abs(len(known) - len(word)) > 1 or known == word:
        return False
    same = _same(known, word)
    a, b = known[same:], word[same:]
    if len(a) != len(b):
        return a[1:] == b or a == b[1:]
    return a[1:] == b[1:] or (a[1::-1] == b[:2] and a[2:] == b[2:])


def _same(one: str, other: str) -> int:
    """How many characters both begin with."""
    for place, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return place
    return min(len(one), len(other))


def one_wrong_digit(known: str, number: str) -> bool:
    """Whether exactly one digit is another, or two neighbours are swapped."""
    if len(known) != len(number) or not one_slip(known, number):
        return False
    pairs = [(a, b) for a, b in zip(known, number, strict=True) if a != b]
    return all(a.isdecimal() and b.isdecimal() for a, b in pairs)
