"""Two nets in a row: the first reads everything, the second only what the first leaves in doubt.
Cost follows need: of a clinical note a few words in a hundred are read twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from msgspec.structs import astuple
from numpy.typing import NDArray

from scrubjay.model import bundle as bundles
from scrubjay.model.decode import NEVER, Floats
from scrubjay.model.tagger import Answer, Reader, Stretches, Tagger, Window, windows
from scrubjay.model.tags import OUTSIDE
from scrubjay.model.tokens import Units

LEAST = 1e-4  # no net is surer than this
HEARD = 0.01  # what the first net finds less probable than this the second cannot raise
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
        """See `Reader`. Where the first net is sure, its word counts, in doubt and close to doubt
        that of both; but where all doubts of a stretch are settled, the second is not asked."""
        low, high, margin = astuple(self.bundle.doubt)
        heard, faint = [_Heard() for _ in units], min(low, HEARD)
        for text, where, tags in self._first.answers(units, min(least, faint)):
            some = 1 - tags[:, OUTSIDE] >= faint
            heard[text].add(where[some], tags[some])
            yield _likely(text, where[~some], tags[~some], least)
        asked: list[Window] = []
        whole = {text: some.whole() for text, some in enumerate(heard) if some}
        for text, (where, tags) in whole.items():
            inside = 1 - tags[:, OUTSIDE]
            doubts = where[(low <= inside) & (inside <= high)]
            known = within(units[text], doubts, settled[text] if settled else ())
            sure = np.ones(len(where), np.bool_)
            for stretch in around(doubts, text, margin, len(units[text].starts)):
                if not known[slice(*doubts.searchsorted([stretch.begin, stretch.end]))].all():
                    sure[slice(*where.searchsorted([stretch.begin, stretch.end]))] = False
                    asked += windows(stretch, self._second().bundle)
            yield _likely(text, where[sure], tags[sure], least)
        if asked:
            yield from self._asked(units, asked, whole, least)

    def _asked(
        self,
        units: Sequence[Units],
        asked: Sequence[Window],
        heard: Mapping[int, tuple[Places, Floats]],
        least: float,
    ) -> Iterator[Answer]:
        """What both nets together say of these windows."""
        for window, second in self._second().read(units, asked):
            where, first = heard[window.text]
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


class _Heard:
    """Units of a text that the first net does not rule out, and what it says of them."""

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
    """Stretches of a text of `count` units that hold those units, each with its margin, of which
    the nearer half counts, too; where margins would touch, one."""
    if not len(where):
        return
    last = np.flatnonzero(np.diff(where, append=count + 2 * margin + 2) > 2 * margin + 1)
    begins, ends = where[np.append(0, last[:-1] + 1)].tolist(), (where[last] + 1).tolist()
    for begin, end in zip(begins, ends, strict=True):
        first, final = max(0, begin - margin), min(end + margin, count)
        near = margin // 2
        yield Window(text, first, max(first, begin - near), min(end + near, final), final)


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
