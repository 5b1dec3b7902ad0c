"""What a service did, in numbers that Prometheus reads: never a word of a text.

Each process of a service counts in a row of its own of one table in memory, which it has from who
forked it; whoever is asked adds the rows up. One that was killed leaves its row to its successor.
"""

from __future__ import annotations

import mmap
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from scrubjay import labels
from scrubjay.serve import probes, traces

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
WHAT = ("detect", "anonymize", "batch", "restore", "files", "jobs", "presidio", "model", "other")
HOW = ("done", "refused", "failed")
PROBED = {False: "held", True: "through", None: "failed"}


class Row(NamedTuple):
    """A family of numbers with its labels."""

    family: str
    labels: str = ""


def _rows() -> list[Row]:
    rows = [Row("scrubjay_waiting"), Row("scrubjay_characters_total")]
    rows += [Row("requests", f'what="{what}",how="{how}"') for what in WHAT for how in HOW]
    rows += [Row("identifiers", f'label="{name}"') for name in labels.table()]
    rows += [Row("probes", _probe(name, how)) for name in probes.LABELS for how in PROBED]
    rows += [Row("scrubjay_leaking", f'label="{name}"') for name in probes.LABELS]
    rows += [Row("seconds", f'what="{what}"') for what in WHAT]
    return rows + [
        Row("within", f'what="{what}",le="{bound}"')
        for what in WHAT for bound in (*(f"{b:g}" for b in BOUNDS), "+Inf")
    ]  # fmt: skip


def _probe(label: str, came: bool | None) -> str:
    return f'label="{label}",how="{PROBED[came]}"'


class Metrics:
    """The table: whoever forks from who made it shares it."""

    def __init__(self, processes: int = 1) -> None:
        self._names = _rows()
        self._at = {one: at for at, one in enumerate(self._names)}
        shape = (processes, len(self._names))
        memory = mmap.mmap(-1, 8 * processes * len(self._names))
        self._table = np.ndarray(shape, dtype=np.float64, buffer=memory)
        self._mine = self._table[0]

    def take(self, row: int) -> None:
        """This process counts there."""
        self._mine = self._table[row]

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Count a request, how it ended and how long it took."""
        started, how = time.perf_counter(), "failed"
        try:
            yield
            how = "done"
        finally:
            took = time.perf_counter() - started
            traces.timed(what, took)
            self._add("requests", f'what="{what}",how="{how}"')
            self._add("seconds", f'what="{what}"', took)
            bound = next((f"{bound:g}" for bound in BOUNDS if took <= bound), "+Inf")
            self._add("within", f'what="{what}",le="{bound}"')

    def counted(self, found: Mapping[str, int], characters: int, policy: str = "") -> None:
        """Count what was found in a text, under a policy where it is known which."""
        traces.counted(found, characters, policy)
        self._add("scrubjay_characters_total", "", characters)
        for label, count in found.items():
            if Row("identifiers", f'label="{label}"') in self._at:
                self._add("identifiers", f'label="{label}"', count)

    def waits(self, count: int) -> None:
        """How many texts wait here."""
        self._mine[self._at[Row("scrubjay_waiting")]] = count

    def probed(self, told: Mapping[str, bool | None]) -> None:
        """Count probes by label: whether one came through; None, where nothing came of it."""
        for label, came in told.items():
            self._add("probes", _probe(label, came))
        for label in probes.LABELS:  # one that is not tried any more leaks no more
            if (came := told.get(label, False)) is not None:
                self._mine[self._at[Row("scrubjay_leaking", f'label="{label}"')]] = came

    def leaking(self) -> list[str]:
        """Labels of which the last probe came through, in any process."""
        table = self._table.sum(axis=0)
        return [
            label for label in probes.LABELS
            if table[self._at[Row("scrubjay_leaking", f'label="{label}"')]]
        ]  # fmt: skip

    def text(self) -> str:
        """All of it, in Prometheus' own format."""
        known = dict(zip(self._names, self._table.sum(axis=0).tolist(), strict=True))
        return "\n".join([*_shown(known), ""])

    def _add(self, family: str, labelled: str, by: float = 1) -> None:
        self._mine[self._at[Row(family, labelled)]] += by


def _shown(known: Mapping[Row, float]) -> Iterator[str]:
    yield from _family("scrubjay_waiting", "gauge", "Texts that are not begun.")
    yield f"scrubjay_waiting {known[Row('scrubjay_waiting')]:.0f}"
    yield from _family("scrubjay_characters_total", "counter", "Characters that were looked at.")
    yield f"scrubjay_characters_total {known[Row('scrubjay_characters_total')]:.0f}"
    yield from _counter(known, "requests", "Requests by how they ended.")
    yield from _counter(known, "identifiers", "Found, by label.")
    yield from _counter(known, "probes", "Planted identifiers by whether they came through.")
    yield from _family("scrubjay_leaking", "gauge", "Processes whose last probe came through.")
    for row, count in known.items():
        if row.family == "scrubjay_leaking":
            yield f"scrubjay_leaking{{{row.labels}}} {count:.0f}"
    name = "scrubjay_request_seconds"
    yield from _family(name, "histogram", "From the request's last byte to its answer.")
    for what in WHAT:
        rows = [(row, n) for row, n in known.items()
                if row.family == "within" and row.labels.startswith(f'what="{what}"')]  # fmt: skip
        totals = list(accumulate(n for _, n in rows))
        if totals[-1]:
            for (row, _), total in zip(rows, totals, strict=True):
                yield f"{name}_bucket{{{row.labels}}} {total:.0f}"
            whole = f'what="{what}"'
            yield f"{name}_sum{{{whole}}} {known[Row('seconds', whole)]:.6f}"
            yield f"{name}_count{{{whole}}} {totals[-1]:.0f}"


def _counter(known: Mapping[Row, float], family: str, help_: str) -> Iterator[str]:
    name = f"scrubjay_{family}_total"
    yield from _family(name, "counter", help_)
    for row, count in known.items():
        if row.family == family and count:
            yield f"{name}{{{row.labels}}} {count:.0f}"


def _family(name: str, kind: str, help_: str) -> Iterator[str]:
    yield f"# HELP {name} {help_}"
    yield f"# TYPE {name} {kind}"
