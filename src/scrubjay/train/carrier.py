"""Real clinical text that nobody has marked, as seeds: its few names, ages and dates are found by
their form, and patients and places that it only mentions get names.

What may be an identifier but is not surely one is marked UNKNOWN: it teaches nothing. The rest, in
small letters and without digits, is what real notes look like where nobody is named.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from scrubjay.marked import Change, Marked, changed
from scrubjay.train import synth
from scrubjay.train.corpora import Example
from scrubjay.train.lists import Lists
from scrubjay.train.noise import noisy
from scrubjay.train.swap import Swap

UNKNOWN = "UNKNOWN"
FILES = ("aci_bench.note", "mts_dialog.note", "primock57.note", "mts_dialog.dialogue")
LONGEST = 2500  # characters that are taken of a text

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_SURE = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Dr|Doctor)\b\.? (?P<PERSON>[A-Z][\w'’-]*(?: [A-Z][a-z'’-]+)?)"
    r"|\b(?P<AGE>\d{1,3}(?:[- ]years?[- ]old|[- ]?y/?o\b)?)(?=[- ]years?[- ]old|[- ]?y/?o\b)"
    rf"|\b(?P<DATE>\d{{1,2}}/\d{{1,2}}/\d{{2,4}}|{_MONTH} \d{{1,2}}(?:[a-z]{{2}})?(?:, \d{{4}})?)\b"
)
_PATIENT = re.compile(
    r"(?<![\w-])(?:[Tt]he |[Tt]his )?[Pp]atient(?= (?:is|was|has|states|reports|denies|presents"
    r"|will|had|underwent|notes|complains)\b)"
)
_PLACE = re.compile(
    r"\b(?:in|at|from) (the (?:hospital|clinic|emergency room|emergency department))\b"
)
_DOUBTFUL = re.compile(
    r"(?<=[a-z,;] )[A-Z][\w'’-]*(?:[ /-][A-Z][\w'’-]*)*"  # a capital inside of a sentence
    r"|\b(?:[A-Z]{2,}|X{2,}|[A-Z][a-z]+ [A-Z][a-z]+)\b|\b\w*\d[\d./:-]{2,}\w+"
)


def examples(folder: Path, lists: Lists, count: int, dice: random.Random) -> Iterator[Example]:
    """Up to `count` of a data folder's texts, with other people in them each time."""
    found = list(texts(folder))
    for name, text in dice.sample(found, min(count, len(found))):
        seed = named(name, text, dice)
        yield synth.example(noisy(Swap(lists, dice).document(seed), dice))


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Names and beginnings of a data folder's clinical texts."""
    for name in FILES:
        path = folder / f"text/{name}.jsonl.gz"
        if path.is_file():
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                for line in lines:
                    told = json.loads(line)
                    yield told["id"], told["text"][:LONGEST].rsplit(" ", 1)[0]


def named(name: str, text: str, dice: random.Random) -> Marked:
    """The text with somebody in it: some mentions of the patient and of places become names, each
    to be swapped for another; what else could be a name is marked as unknown."""
    person = dice.choice(_PEOPLE)
    new = [Change(*match.span(), person, "PERSON") for match in _PATIENT.finditer(text)]
    new += [Change(*match.span(1), dice.choice(_PLACES), "HOSPITAL")
            for match in _PLACE.finditer(text)]  # fmt: skip
    found = [Change(*match.span(kind), match[kind], kind) for match in _SURE.finditer(text)
             for kind in ("PERSON", "AGE", "DATE") if match[kind]]  # fmt: skip
    doubts = [Change(*match.span(), match[0], UNKNOWN) for match in _DOUBTFUL.finditer(text)]
    chosen = [change for change in new if dice.random() < 0.6]
    return changed(name, text, _apart([*found, *chosen, *doubts]))


def _apart(changes: Iterable[Change]) -> list[Change]:
    """Those that do not overlap an earlier one of the list, by place."""
    kept: list[Change] = []
    for change in changes:
        if all(change.end <= other.start or other.end <= change.start for other in kept):
            kept.append(change)
    return sorted(kept)


_PEOPLE = ("Anna Meyer", "Meyer", "John", "MEYER, JOHN", "Anna", "J. Meyer", "John A. Meyer")
_PLACES = ("Meyer Memorial Hospital", "the Meyer Clinic", "Leeds General Hospital")
