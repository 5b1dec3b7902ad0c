"""Runs a bundle's net over texts of any length: windows of like length in one call, margins that
overlap, so that no unit is judged without what stands around it."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scrubjay.errors import BundleError, UsageError
from scrubjay.model import bundle as bundles
from scrubjay.model import decode, runtimes
from scrubjay.model.bundle import Bundle, Pair
from scrubjay.model.decode import Floats, Tagged
from scrubjay.model.lexicon import Lexicon
from scrubjay.model.tags import OUTSIDE, TAGS
from scrubjay.model.tokens import Tokens, Units
from scrubjay.model.windows import by_word, in_line

_FEEDS = {"conv": by_word, "encoder": in_line}
UNITS_A_CALL = 512  # padding included: more takes memory (benchmarks/sharing.py) and saves no time


Stretches = Sequence[tuple[int, int]]  # of characters


class Window(NamedTuple):
    """Units `first` to `last` of a text go in; the answers for `begin` to `end` count."""

    text: int
    first: int
    begin: int
    end: int
    last: int


class Answer(NamedTuple):
    """How probable each tag is for some units of a text."""

    text: int
    where: NDArray[np.intp]
    tags: Floats


class Reader(ABC):
    """What finds identifiers in texts: a net, or two."""

    bundle: Bundle | Pair

    @abstractmethod
    def ready(self) -> None:
        """Load what is not yet loaded."""

    @abstractmethod
    def units(self, texts: Sequence[str]) -> list[Units]:
        """What a net sees of each text."""

    @abstractmethod
    def answers(
        self, units: Sequence[Units], least: float, settled: Sequence[Stretches] = ()
    ) -> Iterator[Answer]:
        """In any order, each unit once: those that are part of an identifier with at least this
        probability. No pains are taken over `settled` stretches of each text."""

    def spans(
        self,
        texts: Sequence[str],
        threshold: float | None = None,
        settled: Sequence[Stretches] = (),
    ) -> list[list[Tagged]]:
        """Per text: every stretch that is an identifier with at least `threshold`."""
        least = self.bundle.calibration.threshold if threshold is None else threshold
        units = self.units(texts)
        likely = [decode.Likely() for _ in units]
        for text, where, tags in self.answers(units, least, settled):
            likely[text].add(where, tags)
        return [kept.spans(own) for own, kept in zip(units, likely, strict=True)]

    def probabilities(self, units: Sequence[Units]) -> list[Floats]:
        """Per text: that of each tag, for each unit."""
        found = [np.zeros((len(own.starts), len(TAGS)), np.float32) for own in units]
        for text, where, tags in self.answers(units, 0.0):
            found[text][where] = tags
        return found

    def threshold(self, recall: str = "") -> float:
        """The probability from which a stretch counts: the bundle's own, or that for a recall."""
        calibration = self.bundle.calibration
        if not recall:
            return calibration.threshold
        if recall not in calibration.thresholds:
            known = ", ".join(calibration.thresholds) or "none"
            raise UsageError(f"no threshold for recall {recall}; {self.bundle.name} has: {known}")
        return calibration.thresholds[recall]


class Tagger(Reader):
    """The net of a bundle, ready to run. `like`: one with the same vocabulary and lexicon."""

    bundle: Bundle

    def __init__(
        self, folder: Path, *, threads: int = 0, like: Tagger | None = None, digest: str = ""
    ) -> None:
        self.bundle = bundles.read(folder, digest)
        self._tokens: Tokens = like._tokens if like else _tokens(folder)
        told = self.bundle
        self._session = runtimes.session(folder, told.net, told.kind, threads or cores())
        self._check(folder)

    def ready(self) -> None:
        """It is."""

    def units(self, texts: Sequence[str]) -> list[Units]:
        """What the net sees of each text."""
        return self._tokens.units(texts)

    def answers(
        self, units: Sequence[Units], least: float, settled: Sequence[Stretches] = ()
    ) -> Iterator[Answer]:
        """See `Reader`."""
        for window, tags in self.read(units, _windows(units, self.bundle)):
            reached = np.flatnonzero(1 - tags[:, OUTSIDE] >= least)
            yield Answer(window.text, window.begin + reached, tags[reached])

    def read(
        self, units: Sequence[Units], windows: Iterable[Window]
    ) -> Iterator[tuple[Window, Floats]]:
        """How probable each tag is for the units that count of each window, in any order."""
        temperature = np.float32(self.bundle.calibration.temperature)
        for group in _groups(windows, UNITS_A_CALL if self.bundle.batches else 0):
            for window, answer in zip(group, self._run(units, group), strict=True):
                kept = answer[window.begin - window.first : window.end - window.first]
                yield window, decode.probabilities(kept / temperature)

    def _run(self, units: Sequence[Units], group: Sequence[Window]) -> Floats:
        held = [units[text].cut(first, last) for text, first, _, _, last in group]
        answer: Floats = self._session.run(None, _FEEDS[self.bundle.kind](held))[0]
        if not np.isfinite(answer).all():  # no number would be no identifier
            raise BundleError(f"{self.bundle.name}: the net gives no numbers on this CPU")
        return answer

    def _check(self, folder: Path) -> None:
        """Known sentences must give known answers: int8 kernels go wrong in silence."""
        golden = self.bundle.golden
        found = self.spans([sentence.text for sentence in golden])
        for number, (sentence, tagged) in enumerate(zip(golden, found, strict=True)):
            if tuple((t.start, t.end, t.label) for t in tagged) != sentence.spans:
                raise BundleError(
                    f"{folder}: the net gives wrong answers on this CPU (golden sentence {number})"
                )


def _tokens(folder: Path) -> Tokens:
    vocabulary = folder.joinpath("vocabulary.txt").read_text("utf-8").split("\n")
    return Tokens(vocabulary, Lexicon.load(folder / "lexicon.bin"))


def cores() -> int:
    """Physical cores that this process may use: hyperthreads only get in each other's way. Fewer,
    if OMP_NUM_THREADS says so."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdecimal() and int(told):
        return int(told)
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    siblings = Path("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list")
    try:
        text = siblings.read_text("ascii")
        threads_a_core = 2 if "," in text or "-" in text else 1
    except OSError:
        threads_a_core = 1
    return max(1, (allowed or 1) // threads_a_core)


def _windows(units: Sequence[Units], bundle: Bundle) -> Iterator[Window]:
    """All of every text."""
    for text, own in enumerate(units):
        count = len(own.starts)
        yield from windows(Window(text, 0, 0, count, count), bundle)


def windows(whole: Window, bundle: Bundle) -> Iterator[Window]:
    """What answers for the same, in parts that the net can see, each with a margin around it as far
    as the whole reaches."""
    if whole.last - whole.first <= bundle.window:
        if whole.begin < whole.end:
            yield whole
        return
    core = bundle.window - 2 * bundle.margin
    for begin in range(whole.begin, whole.end, core):
        end = min(begin + core, whole.end)
        first, last = max(whole.first, begin - bundle.margin), min(end + bundle.margin, whole.last)
        yield Window(whole.text, first, begin, end, last)


def _groups(windows: Iterable[Window], units: int) -> Iterator[list[Window]]:
    """Windows of like length, as many as fill a call of so many units; one at least."""
    ordered = sorted(windows, key=lambda window: window.last - window.first)
    group: list[Window] = []
    for window in ordered:
        if group and (len(group) + 1) * (window.last - window.first) > units:
            yield group
            group = []
        group.append(window)
    if group:
        yield group
