"""Two nets in a row: the first reads everything, the second only what the first leaves in doubt.
Cost follows need: of a clinical note a few words in a hundred are read twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scrubjay.model import bundle as bundles
from scrubjay.model.decode import NEVER, Floats
from scrubjay.model.tagger import Answer, Reader, Stretches, Tagger, Window, windows
from scrubjay.model.tags import OUTSIDE
from scrubjay.model.tokens import Units

LEAST = 1e-4  # no net is surer than this
SECOND = 0.6  # how much the second net's word weighs: best on calibration documents

Places = NDArray[np.intp]


def load(folder: Path, *, threads: int = 0) -> Reader:
    """The bundle or the pair in a folder, ready to run."""
    made = Cascade if bundles.is_pair(folder) else Tagger
    return made(folder, threads=threads)


class Cascade(Reader):
    """A pair of bundles. The second is loaded when it is first asked."""

    def __init__(self, folder: Path, *, threads: int = 0) -> None:
        self.bundle: bundles.Pair = bundles.read_pair(folder)
        self._folders, self._threads = bundles.nets(folder, self.bundle), threads
        self._first = self._net(0)
        self._loaded: Tagger | None = None
        self._loading = threading.Lock()

    def ready(self) -> None:
        """Load what is not yet loaded."""
        self._second()

    def units(self, texts: Sequence[str]) -> list[Units]:
        """What both nets see of each text."""
        return self._first.units(texts)

    def answers(
        self, units: Sequence[Units], least: float, settled: Sequence[Stretches] = ()
    ) -> Iterator[Answer]:
        """See `Reader`. Where the first net is sure, its word counts, else that of both; but where
        all doubts of a stretch are settled, the second is not asked."""
        low, high = self.bundle.doubt.low, self.bundle.doubt.high
        doubts = [_Doubts() for _ in units]
        for text, where, tags in self._first.answers(units, min(least, low)):
            inside = 1 - tags[:, OUTSIDE]
            doubted = (low <= inside) & (inside <= high)
            doubts[text].add(where[doubted], tags[doubted])
            yield _likely(text, where[~doubted], tags[~doubted], least)
        whole = {text: doubt.whole() for text, doubt in enumerate(doubts) if doubt}
        asked: list[Window] = []
        for text, (where, tags) in whole.items():
            known = within(units[text], where, settled[text] if settled else ())
            for stretch in around(where, text, self.bundle.doubt.margin, len(units[text].starts)):
                own = slice(*where.searchsorted([stretch.begin, stretch.end]))
                if known[own].all():
                    yield _likely(text, where[own], tags[own], least)
                else:
                    asked += windows(stretch, self._second().bundle)
        if asked:
            yield from self._asked(units, asked, whole, least)

    def _asked(
        self,
        units: Sequence[Units],
        asked: Sequence[Window],
        doubts: Mapping[int, tuple[Places, Floats]],
        least: float,
    ) -> Iterator[Answer]:
        """What both nets together say of units in doubt."""
        for window, second in self._second().read(units, asked):
            where, first = doubts[window.text]
            own = slice(*where.searchsorted([window.begin, window.end]))
            both = together(1 - first[own, OUTSIDE], second[where[own] - window.begin])
            yield _likely(window.text, where[own], both, least)

    def _second(self) -> Tagger:
        with self._loading:
            if not self._loaded:
                self._loaded = self._net(1, like=self._first)
            return self._loaded

    def _net(self, number: int, like: Tagger | None = None) -> Tagger:
        folder = self._folders[number]
        digest = self.bundle.sha256[folder.name]
        return Tagger(folder, threads=self._threads, like=like, digest=digest)


def _likely(text: int, where: Places, tags: Floats, least: float) -> Answer:
    """Those that are part of an identifier with at least this probability."""
    likely = 1 - tags[:, OUTSIDE] >= least
    return Answer(text, where[likely], tags[likely])


class _Doubts:
    """Units of a text that the first net doubts, and what it says of them."""

    def __init__(self) -> None:
        self._parts: list[tuple[Places, Floats]] = []

    def __bool__(self) -> bool:
        return bool(self._parts)

    def add(self, where: Places, tags: Floats) -> None:
        """Some more of them."""
        if len(where):
            self._parts.append((where, tags))

    def whole(self) -> tuple[Places, Floats]:
        """All of them in order."""
        where, tags = map(np.concatenate, zip(*self._parts, strict=True))
        order = np.argsort(where, kind="stable")
        return where[order], tags[order]


def around(where: Places, text: int, margin: int, count: int) -> Iterator[Window]:
    """Stretches of a text of `count` units that hold those units, each with its margin; where
    margins would touch, one."""
    if not len(where):
        return
    last = np.flatnonzero(np.diff(where, append=count + 2 * margin + 2) > 2 * margin + 1)
    begins = where[np.append(0, last[:-1] + 1)].tolist()
    for begin, end in zip(begins, (where[last] + 1).tolist(), strict=True):
        yield Window(text, max(0, begin - margin), begin, end, min(end + margin, count))


def within(units: Units, where: Places, stretches: Stretches) -> NDArray[np.bool_]:
    """Which of these units lie wholly in one of the stretches."""
    starts, ends = np.array([(-1, -1), *sorted(stretches)]).T
    begun = starts.searchsorted(units.starts[where], "right") - 1
    furthest = np.maximum.accumulate(ends)  # of those that have begun
    result: NDArray[np.bool_] = furthest[begun] >= units.ends[where]
    return result


def together(inside: Floats, tags: Floats) -> Floats:
    """Both nets' word: between them (in log odds) as to whether a unit is part of an identifier,
    the second's as to which."""
    first, second = (np.clip(p, LEAST, 1 - LEAST) for p in (inside, 1 - tags[:, OUTSIDE]))
    against = (1 / first - 1) ** (1 - SECOND) * (1 / second - 1) ** SECOND
    parts = np.delete(tags, OUTSIDE, 1).sum(1)
    share = 1 / (1 + against) / np.maximum(parts, NEVER)
    result: Floats = tags * share.astype(np.float32)[:, None]
    result[:, OUTSIDE] = against / (1 + against)
    return result
