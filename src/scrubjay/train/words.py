"""Makes the lexicon of `model.lexicon` from lists and plain text."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from scrubjay.model.lexicon import KINDS, Lexicon
from scrubjay.train.corpora import records
from scrubjay.train.lists import Lists

_WORD = re.compile(r"[^\W\d_]{2,}")
_OFTEN = 8  # times that a word stands in lower case in plain text to be called common
_HIDDEN = 0.1  # of names are left out, so that training meets names without a hint


def lexicon(lists: Lists, texts: Iterable[str], medical: Iterable[str]) -> Lexicon:
    """Every word with the kinds of things that it is known as. Of a surname of several words,
    those that are common tell nothing: Good Voice makes no name of "good"."""
    known: dict[str, int] = {}
    common = _common(texts)

    def add(kind: str, names: Iterable[str], least: int = 2) -> None:
        bit = 1 << KINDS.index(kind)
        for name in names:
            parts = _WORD.findall(name)
            for word in parts:
                if kind == "surname" and len(parts) > 1 and word.lower() in common:
                    continue
                if len(word) >= least and word[0].isupper():
                    known[word.lower()] = known.get(word.lower(), 0) | bit

    for names in lists.given.values():
        add("given", names)
    for names in lists.surnames.values():
        add("surname", names)
    add("place", (*lists.places["CITY"], *lists.places["COUNTY"]), 3)
    add("country", (*lists.places["COUNTRY"], *lists.nationalities), 3)
    dice = random.Random(1)
    known = {word: bits for word, bits in known.items() if dice.random() >= _HIDDEN}
    for kind, words in (("common", common), ("medical", set(medical))):
        bit = 1 << KINDS.index(kind)
        for word in words:
            known[word] = known.get(word, 0) | bit
    return Lexicon.of(known)


def _common(texts: Iterable[str]) -> set[str]:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(word for word in _WORD.findall(text) if word.islower())
    return {word for word, count in counts.items() if count >= _OFTEN}


def texts(folder: Path) -> Iterator[str]:
    """The plain texts of a data folder."""
    corpora = ("uner.English-EWT.train", "bio_negatives.train", "litbank.all")
    paths = [*sorted((folder / "text").glob("*.jsonl.gz"))]
    paths += [folder / "train" / f"{name}.jsonl.gz" for name in corpora]
    for path in filter(Path.is_file, paths):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)["text"]


def medical(folder: Path) -> Iterator[str]:
    """Words of diseases and drugs, of a corpus and a list, where they are there."""
    path = folder / "train/bio_negatives.train.jsonl.gz"
    listed = folder / "lists/corpora_dariusk/data/medicine/drugs.json"
    counts: Counter[str] = Counter()
    for record in records(path) if path.is_file() else ():
        for span in record["spans"]:
            counts.update(_WORD.findall(record["text"][span["start"] : span["end"]].lower()))
    drugs = json.loads(listed.read_text("utf-8"))["drugs"] if listed.is_file() else ()
    counts.update(word for drug in drugs for word in _WORD.findall(drug.lower()))
    yield from (word for word, count in counts.items() if len(word) > 3)
