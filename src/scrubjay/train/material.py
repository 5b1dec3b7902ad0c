"""What a tagger is trained on: shipped seeds, the user's own marked texts, and the corpora and
lists of a data folder where there is one."""

from __future__ import annotations

import gzip
import itertools
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from scrubjay import labels
from scrubjay.errors import InputError
from scrubjay.evaluate import gold
from scrubjay.marked import Marked, Span
from scrubjay.model.lexicon import Lexicon
from scrubjay.train import lists, mix, seeds, synth, terms, words
from scrubjay.train.corpora import Example
from scrubjay.train.lists import Lists
from scrubjay.train.split import Clear

NOBODY = 7  # seeds to one made of terms alone


class Material:
    """The examples of every epoch. `own` are texts marked to the end in our labels: they serve as
    seeds. Nothing that is near one of the `clear` files' texts is used."""

    def __init__(
        self, data: Path | None, own: Sequence[Path] = (), clear: Sequence[Path] = (),
        *, seed: int = 1, synthetic: int = 3500, share: float = 0.15,
    ) -> None:  # fmt: skip
        if data and not ((data / "train").is_dir() or (data / "lists").is_dir()):
            raise InputError(f"{data}: holds neither train/ nor lists/")
        self.data = data
        self.lists = lists_of(data)
        self.clear = Clear(documents(clear, ours=False))
        self.seeds = list(self.clear.seeds([*_shipped("train"), *documents(own)]))
        if not self.seeds:
            raise InputError("nothing to train on: every seed is near a text to keep clear of")
        self._seed, self._synthetic, self._share = seed, synthetic, share

    def examples(self, epoch: int) -> Iterator[Example]:
        """Those of one epoch, the same each time."""
        number = self._seed * 100_003 + epoch
        for example in self._all(number):
            if self.clear.near(example.text, [span[:2] for span in example.spans]):
                self.clear.dropped += 1
            else:
                yield example

    def _all(self, number: int) -> Iterator[Example]:
        dice = random.Random(number)
        seeds = [*self.seeds, *terms.documents(len(self.seeds) // NOBODY, dice)]
        if self.data and (self.data / "train").is_dir():
            yield from mix.epoch(seeds, self.lists, self.data, self._synthetic, self._share, number)
        else:
            yield from synth.variants(seeds, self.lists, self._synthetic, dice)

    def files(self) -> list[Path]:
        """The corpora that are read."""
        return mix.files(self.data) if self.data else []

    def texts(self) -> Iterator[str]:
        """Plain text to count words in."""
        yield from (seed.text for seed in self.seeds)
        if self.data:
            yield from words.texts(self.data)

    def lexicon(self) -> Lexicon:
        """Hints from the lists and the texts."""
        medical = words.medical(self.data) if self.data else ()
        return words.lexicon(self.lists, self.texts(), [*medical, *terms.medical()])


def lists_of(data: Path | None) -> Lists:
    """A data folder's names and places with the people of its corpora, or the few that ship."""
    if not data or not (data / "lists").is_dir():
        return lists.shipped()
    found = lists.read(data / "lists")
    people = (data / "train").is_dir()
    return lists.with_people(found, lists.people_in(data / "train")) if people else found


def held_back(own: Sequence[Path] = ()) -> list[Marked]:
    """To calibrate with: the user's texts, or the seeds that training never sees."""
    return documents(own) if own else _shipped("calibration")


def _shipped(part: str) -> list[Marked]:
    return [seed for seed in seeds.shipped() if synth.part(seed) == part]


def documents(paths: Iterable[Path], *, ours: bool = True) -> list[Marked]:
    """The texts of marked .txt files and JSON Lines. `ours`: their labels must be ours."""
    return [_document(record, ours) for path in paths for record in gold.read(path)]


def _document(record: gold.Record, ours: bool) -> Marked:
    spans: list[Span] = []
    for span in record.spans:
        if ours and span.label not in labels.table():
            raise InputError(
                f"{record.place}: no label {span.label}; see scrubjay labels for those there are"
            )
        if not spans or spans[-1].end <= span.start:
            spans.append(Span(span.start, span.end, span.label))
    return Marked(record.id, record.text, tuple(spans))


def write(documents: Iterable[Marked], path: Path) -> int:
    """Documents as common JSON Lines, whole or not at all; how many. The same documents give the
    same bytes."""
    new = path.with_name(path.name + ".new")
    new.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with new.open("wb") as raw:
        sink = gzip.GzipFile("", "wb", 6, raw, 0) if path.suffix == ".gz" else raw
        for count, document in enumerate(documents, 1):
            sink.write(json.dumps(_line(count, document), ensure_ascii=False).encode() + b"\n")
        if sink is not raw:
            sink.close()
    new.replace(path)
    return count


def _line(number: int, document: Marked) -> dict[str, object]:
    return {
        "id": f"{document.name}-{number}", "lang": "en", "source": "scrubjay-synth",
        "split": "train", "text": document.text, "spans": [s._asdict() for s in document.spans],
    }  # fmt: skip


def some(examples: Iterable[Example], count: int) -> list[Example]:
    """The first few."""
    return list(itertools.islice(examples, count))
