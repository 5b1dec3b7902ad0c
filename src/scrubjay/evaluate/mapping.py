"""What a corpus calls the things that Scrubjay finds: gold labels, and which of ours answer.

A map is a TOML or JSON table: `GOLD = "OURS"`, a list of ours, `"ignore"` (findings there are
neither right nor wrong) or `"any"` (whatever we call it). Under `"*"` stand labels that the corpus
annotates though none may occur: findings of those are judged, too.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from scrubjay import labels
from scrubjay.errors import UsageError
from scrubjay.evaluate.gold import spelled

ANY = ("any",)
IGNORE = ("ignore",)
ALSO = "*"
Rows = dict[str, tuple[str, ...]]


class LabelMap:
    """Which findings answer for the gold labels of one corpus."""

    def __init__(self, rows: Mapping[str, tuple[str, ...]]) -> None:
        self.rows = dict(rows)
        self._fits: dict[tuple[str, str], bool] = {}

    def ignored(self, gold: str) -> bool:
        """Whether a gold label marks nothing that counts."""
        return self.rows[gold] == IGNORE

    def exact(self, ours: str, gold: str) -> bool:
        """Whether our label is one that the map names."""
        return self.rows[gold] == ANY or ours in self.rows[gold]

    def fits(self, ours: str, gold: str) -> bool:
        """Whether our label is one that the map names, or finer or coarser than one."""
        if (ours, gold) not in self._fits:
            named = self.rows[gold]
            self._fits[ours, gold] = named == ANY or any(_akin(ours, name) for name in named)
        return self._fits[ours, gold]

    def home(self, gold: str) -> str:
        """The row of a table that a gold label counts in: the first label that the map names."""
        return self.rows[gold][0]

    @cached_property
    def homes(self) -> frozenset[str]:
        """All rows."""
        return frozenset(self.home(gold) for gold in self.rows if gold != ALSO)

    def row(self, ours: str) -> str:
        """The row of a finding that answers for nothing: its nearest."""
        nearest = next((name for name in labels.lineage(ours) if name in self.homes), None)
        return nearest or ours

    def judged(self, ours: str) -> bool:
        """Whether the corpus annotates what our label means."""
        return any(self.fits(ours, gold) for gold in self.rows)


def _akin(one: str, other: str) -> bool:
    return one in labels.lineage(other) or other in labels.lineage(one)


def for_corpus(counts: Counter[str], own: Rows, *, marked: bool) -> LabelMap:
    """The map for the gold labels that occur: `own` rows first, common names and ours for the rest.
    In `marked` texts all of our labels are annotated, and mean themselves. A label that is in none
    is an error that says how to map it."""
    ours = {name: (name,) for name in labels.table()}
    known = {**shipped(), **ours, **own} if marked else {**ours, **shipped(), **own}
    unknown = [label for label in counts if label not in known]
    if unknown:
        raise UsageError(_help(unknown, counts))
    rows = {label: known[label] for label in counts}
    if marked or ALSO in own:
        rows[ALSO] = own.get(ALSO, ANY)
    return LabelMap(rows)


def _help(unknown: Iterable[str], counts: Counter[str]) -> str:
    rows = "\n".join(
        f'    "{label}" = "ignore"  # occurs {counts[label]} times' for label in unknown
    )
    return (
        "gold labels that are not known. Say in a TOML file what each is, a label of ours (see "
        f'`scrubjay labels`), a list of them, "any" or "ignore", and name it with --labels:\n{rows}'
    )


def shipped() -> Rows:
    """Common names, from names.toml."""
    text = files("scrubjay.evaluate").joinpath("names.toml").read_text("utf-8")
    return checked(tomllib.loads(text), "names.toml")


def read(path: Path | None) -> Rows:
    """A map from a file; none without one."""
    if path is None:
        return {}
    try:
        text = path.read_text("utf-8")
        table = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except OSError as problem:
        raise UsageError(f"{path}: {problem.strerror}") from None
    except ValueError as problem:  # of both parsers, and of UTF-8
        raise UsageError(f"{path}: {problem}") from None
    return checked(table, str(path))


def checked(table: Any, where: str) -> Rows:
    """A table's rows; each right side is `any`, `ignore` or labels of ours."""
    if not isinstance(table, dict):
        raise UsageError(f'{where}: not a table of GOLD = "OURS"')
    return {spelled(gold): _row(value, f"{where}: {gold}") for gold, value in table.items()}


def _row(value: Any, where: str) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not names:
        raise UsageError(f'{where}: say a label, a list of labels, "any" or "ignore"')
    if tuple(names) in (ANY, IGNORE):
        return tuple(names)
    for name in names:
        if name not in labels.table():
            raise UsageError(f"{where}: unknown label '{name}'; see scrubjay labels")
    return tuple(names)
