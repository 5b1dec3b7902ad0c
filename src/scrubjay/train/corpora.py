"""Corpora in the common JSONL, read as allowed classes: `{"text", "spans": [{"start", "end",
"label"}], "lang", "source", ...}`.

    scrubjay train data FOLDER    what is read, how much

`corpora.toml` says for each corpus how its labels translate, which classes it marks to the end, and
what share of an epoch it gets. What a corpus does not mark to the end is not taught from it.
"""

from __future__ import annotations

import gzip
import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from scrubjay.errors import InputError
from scrubjay.model.tags import CLASSES
from scrubjay.train.targets import Allowed

TITLE = re.compile(
    r"(?:(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sir|Dame|Lord|Lady|Rev|Fr|Sr|Judge|Justice|Professor|Doctor)"
    r"\b\.?[ \t]*)+"
)


class Example(NamedTuple):
    """A text, what its spans may be, and which classes it holds nowhere else."""

    name: str
    text: str
    spans: tuple[Allowed, ...]
    covered: frozenset[str]


class Corpus(NamedTuple):
    """One row of corpora.toml."""

    labels: dict[str, frozenset[str]]  # empty: may be anything
    dropped: frozenset[str]  # labels that say nothing at all
    covered: frozenset[str]
    weight: float
    unless: dict[str, str]  # a span with such a field counts as outside


@cache
def table() -> dict[str, Corpus]:
    """Every corpus by name."""
    file = resources.files("scrubjay.train").joinpath("corpora.toml").read_text("utf-8")
    told = tomllib.loads(file)
    groups = {name: frozenset(members) for name, members in told.pop("groups").items()}
    groups["ALL"] = frozenset(CLASSES) - {"TITLE"}
    return {name: _corpus(row, groups) for name, row in told.items()}


def _corpus(row: dict[str, Any], groups: dict[str, frozenset[str]]) -> Corpus:
    def classes(names: str) -> frozenset[str]:
        return frozenset().union(*(groups.get(name, {name}) for name in names.split()))

    labels = {label: classes(names) for label, names in row["labels"].items()}
    return Corpus(
        labels, frozenset(row.get("dropped", ())), classes(row["covered"]), row.get("weight", 1.0),
        row.get("unless", {}),
    )  # fmt: skip


def read(path: Path) -> Iterator[Example]:
    """The examples of one file. Its corpus is the first part of its name."""
    name = path.name.split(".")[0]
    corpus = table().get(name)
    if corpus is None:
        raise InputError(f"{path.name}: corpora.toml has no corpus '{name}'")
    for record in records(path):
        yield example(record, corpus, path.name)


def records(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a file as they are."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def example(record: dict[str, Any], corpus: Corpus, file: str) -> Example:
    """One record, translated."""
    text = record["text"]
    spans: list[Allowed] = []
    for span in sorted(record["spans"], key=lambda span: (span["start"], -span["end"])):
        start, end, label = span["start"], span["end"], span["label"]
        outside = any(span.get(field) == value for field, value in corpus.unless.items())
        if outside or label in corpus.dropped or (spans and start < spans[-1][1]):
            continue
        if label not in corpus.labels:
            raise InputError(f"{file}: {record['id']}: corpora.toml translates no label '{label}'")
        classes = corpus.labels[label]
        title = TITLE.match(text, start, end) if "PERSON" in classes or not classes else None
        if title and title.end() < end:
            spans.append((start, start + len(title[0].rstrip()), frozenset({"TITLE"})))
            start = title.end()
        spans.append((start, end, classes))
    return Example(record["id"], text, tuple(spans), corpus.covered)
