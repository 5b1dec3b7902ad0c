"""Two nets in a row: the first reads everything, the second only what the first leaves in doubt.
Cost follows need: of a clinical note a few words in a hundred are read twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
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
HEARD = 0.01  # what the first net finds less probable, and below all doubt, it rules out
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
        faint = min(self.bundle.doubt.low, HEARD)
        heard = [_Heard() for _ in units]
        for text, where, tags in self._first.answers(units, min(least, faint)):
            heard[text].add(where, tags, faint, least)
        asked: list[Window] = []
        for text, said in enumerate(heard):
            stretches = self._open(text, units[text], said, settled[text] if settled else ())
            yield from said.sure(text, stretches, faint)
            for stretch in stretches:
                asked += windows(stretch, self._second().bundle)
        for window, second in self._second().read(units, asked) if asked else ():
            where, first = heard[window.text].between(window.begin, window.end)
            both = together(first, second[where - window.begin])
            likely = 1 - both[:, OUTSIDE] >= least
            yield Answer(window.text, where[likely], both[likely])

    def _open(self, text: int, units: Units, said: _Heard, settled: Stretches) -> list[Window]:
        """What of a text the second net must read."""
        low, high, margin = astuple(self.bundle.doubt)
        where, inside = said.all()
        doubts = where[(low <= inside) & (inside <= high)]
        known = within(units, doubts, settled)
        return [
            stretch
            for stretch in around(doubts, text, margin, len(units.starts))
            if not known[slice(*doubts.searchsorted([stretch.begin, stretch.end]))].all()
        ]

    def _second(self) -> Tagger:
        with self._loading:
            if not self._loaded:
                self._loaded = self._net(1, like=self._first)
            return self._loaded

    def _net(self, number: int, like: Tagger | None = None) -> Tagger:
        folder = self._folders[number]
        digest = self.bundle.sha256[folder.name]
        return Tagger(folder, threads=self._threads, like=like, digest=digest)


class _Heard:
    """What the first net says of a text: how probable it is that a unit is part of an identifier,
    of those that it does not rule out; and all tags of those that are likely."""

    def __init__(self) -> None:
        self._places: list[tuple[Places, Floats]] = []
        self._rows: list[tuple[Places, Floats]] = []

    def add(self, where: Places, tags: Floats, faint: float, least: float) -> None:
        """Some more units."""
        inside = 1 - tags[:, OUTSIDE]
        some, likely = inside >= faint, inside >= least
        if some.any():
            self._places.append((where[some], inside[some]))
        if likely.any():
            self._rows.append((where[likely], tags[likely]))

    def all(self) -> tuple[Places, Floats]:
        """All that are not ruled out, in order."""
        if len(self._places) != 1:
            found = self._places or [(np.empty(0, np.intp), np.empty(0, np.float32))]
            where, inside = map(np.concatenate, zip(*found, strict=True))
            order = np.argsort(where, kind="stable")
            self._places = [(where[order], inside[order])]
        return self._places[0]

    def between(self, begin: int, end: int) -> tuple[Places, Floats]:
        """Those of a stretch."""
        where, inside = self.all()
        own = slice(*where.searchsorted([begin, end]))
        return where[own], inside[own]

    def sure(self, text: int, stretches: Sequence[Window], faint: float) -> Iterator[Answer]:
        """The first net's word for all that is likely and that the second is not asked, once."""
        begins = np.array([-1, *(stretch.begin for stretch in stretches)])
        ends = np.array([-1, *(stretch.end for stretch in stretches)])
        while self._rows:
            where, tags = self._rows.pop()
            asked = (where < ends[begins.searchsorted(where, "right") - 1]) & (
                1 - tags[:, OUTSIDE] >= faint
            )
            yield Answer(text, where[~asked], tags[~asked])


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
