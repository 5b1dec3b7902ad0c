"""What a data folder holds for training, corpus by corpus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from scrubjay.errors import InputError
from scrubjay.train import corpora

MAP = "label_map.json"  # a data folder's notes on its corpora


class Row(NamedTuple):
    """A corpus. One that `corpora.toml` does not know is counted but not read for training."""

    name: str
    examples: int
    characters: int
    spans: int
    covered: frozenset[str]
    weight: float
    licence: str
    known: bool


def rows(folder: Path) -> Iterator[Row]:
    """Every corpus of `folder/train`, or of the folder itself."""
    place = folder / "train" if (folder / "train").is_dir() else folder
    files: dict[str, list[Path]] = {}
    for path in sorted(place.glob("*.jsonl*")):
        files.setdefault(path.name.split(".")[0], []).append(path)
    if not files:
        raise InputError(f"{place}: holds no .jsonl or .jsonl.gz file")
    licences = _licences(folder)
    for name, paths in files.items():
        yield _row(name, paths, licences.get(name, ""))


def _row(name: str, paths: list[Path], licence: str) -> Row:
    corpus = corpora.table().get(name)
    sizes = [_size(record) for path in paths for record in corpora.records(path)]
    texts, spans = (sum(column) for column in zip(*sizes, strict=True)) if sizes else (0, 0)
    covered, weight = (corpus.covered, corpus.weight) if corpus else (frozenset[str](), 0.0)
    return Row(name, len(sizes), texts, spans, covered, weight, licence, corpus is not None)


def _size(record: dict[str, object]) -> tuple[int, int]:
    text, spans = record["text"], record["spans"]
    assert isinstance(text, str) and isinstance(spans, list)  # noqa: S101
    return len(text), len(spans)


def _licences(folder: Path) -> dict[str, str]:
    path = next((p for p in (folder / MAP, folder.parent / MAP) if p.is_file()), None)
    told = json.loads(path.read_text("utf-8")) if path else {}
    return {name: row["_licence"] for name, row in told.items() if "_licence" in row}
