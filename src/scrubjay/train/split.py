"""Keeps what a tagger is measured on out of what it is trained on, near-copies too.

A text is the set of its runs of five words, digits aside; once as it is written, and once with
every marked value taken out, so that another filling of the same form is a near-copy too. Two texts
are near-copies when half of the shorter one's runs are the other's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from scrubjay.marked import Marked

RUN = 5  # words
REAL = 3  # of them that are neither digits nor taken out
SHARE = 0.5  # of the shorter text's runs
_WORD = re.compile(r"[^\W\d_]+|\d+|\*")
_VALUE = " * "  # what stands for a marked one

Places = Sequence[tuple[int, int]]


class Clear:
    """The texts that training must keep clear of. `dropped` counts what was near one."""

    def __init__(self, documents: Iterable[Marked] = ()) -> None:
        self._sizes: list[int] = []
        self._holders: dict[int, list[int]] = {}
        self.dropped = 0
        for document in documents:
            for runs in _both(document.text, [span[:2] for span in document.spans]):
                self._add(runs)

    def _add(self, runs: set[int]) -> None:
        for run in runs:
            self._holders.setdefault(run, []).append(len(self._sizes))
        self._sizes.append(len(runs))

    def near(self, text: str, places: Places = ()) -> bool:
        """Whether a text, with values marked at `places`, is a near-copy of one of them."""
        return bool(self._sizes) and any(map(self._near, _both(text, places)))

    def _near(self, runs: set[int]) -> bool:
        shared = Counter(holder for run in runs for holder in self._holders.get(run, ()))
        return any(
            count >= SHARE * min(len(runs), self._sizes[holder]) for holder, count in shared.items()
        )

    def seeds(self, seeds: Iterable[Marked]) -> Iterator[Marked]:
        """Those that are no near-copies."""
        for seed in seeds:
            if self.near(seed.text, [span[:2] for span in seed.spans]):
                self.dropped += 1
            else:
                yield seed


def _both(text: str, places: Places) -> list[set[int]]:
    return [found for found in (_runs(text), _runs(_form(text, places))) if found]


def _form(text: str, places: Places) -> str:
    """The text without its marked values."""
    parts: list[str] = []
    last = 0
    for start, end in sorted(places):
        if start >= last:
            parts += text[last:start], _VALUE
            last = end
    return "".join([*parts, text[last:]])


def _runs(text: str) -> set[int]:
    """Every run of words that holds some, as a number; of a shorter text, the whole."""
    words = ["0" if word[0].isdigit() else word.casefold() for word in _WORD.findall(text)]
    runs = (tuple(words[at : at + RUN]) for at in range(max(1, len(words) - RUN + 1)))
    least = min(REAL, len(words))
    return {hash(run) for run in runs if sum(word[0].isalpha() for word in run) >= least}
