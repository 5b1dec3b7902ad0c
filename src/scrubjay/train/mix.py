"""One epoch's examples: fresh variants of the seeds, real clinical notes with new people in them,
and a share of every corpus."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from scrubjay.marked import Marked
from scrubjay.train import carrier, corpora, synth
from scrubjay.train.corpora import Example
from scrubjay.train.lists import Lists

ENGLISH = ("uner.English",)  # of corpora in many languages, the files that are read


def files(folder: Path) -> list[Path]:
    """The files of a data folder's train part that corpora.toml knows and gives a weight."""
    known = corpora.table()
    found = []
    for path in sorted((folder / "train").glob("*.jsonl.gz")):
        name = path.name.split(".")[0]
        if name not in known or known[name].weight == 0:
            continue
        if name == "uner" and not path.name.startswith(ENGLISH):
            continue
        found.append(path)
    return found


def epoch(
    seeds: Sequence[Marked], lists: Lists, folder: Path, synthetic: int, share: float, seed: int
) -> Iterator[Example]:
    """`synthetic` variants, a sixth as many notes, and each corpus' weight times `share` of its
    examples."""
    dice = random.Random(seed)
    yield from synth.variants(seeds, lists, synthetic, dice)
    yield from carrier.examples(folder, lists, synthetic // 6, dice)
    for path in files(folder):
        weight = corpora.table()[path.name.split(".")[0]].weight * share
        for example in corpora.read(path):
            for _ in range(int(weight) + (dice.random() < weight % 1)):
                yield example
