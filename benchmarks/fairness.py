"""Whether everybody's name is found: recall by culture, gender, frequency and age of the name, and
by how and where it is written. The worst slice is the headline.

    python benchmarks/fairness.py --lists DATA/lists --json benchmarks/results/fairness.json

Carriers and names are those of benchmarks/fair; `--lists` is a folder of public lists as training
reads it, for the frequency and age of American names (without it, these are left out). A name is
found if every letter of it is covered by findings of any label. Intervals are of 95 %: people are
resampled with all their mentions, and none is narrower than Wilson's for mentions.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import fillings
import harness
import numpy as np

import scrubjay
from scrubjay.model import bundle
from scrubjay.model.lexicon import KINDS, Lexicon
from scrubjay.types import Finding

PROFILES = ("fast", "balanced", "accurate")
ROUNDS = 24  # of all carriers for each group of people
SEED, RESAMPLES = 7, 1000
FEWEST = 20, 150  # people and mentions that a slice must hold to be the worst
CROSSED = (
    ("culture", "case"), ("culture", "register"), ("culture", "form"), ("culture", "gender"),
    ("culture", "lexicon"), ("form", "case"), ("register", "case"), ("form", "lexicon"),
)  # fmt: skip
TOLD = (fillings.WRITTEN, "not known")  # of which every culture is told
_NAME, _WORD = 1 << KINDS.index("given") | 1 << KINDS.index("surname"), 1 << KINDS.index("common")

Slice = tuple[tuple[str, str], ...]  # kind and name, of one kind or of two
Person = tuple[str, int]


class Count(NamedTuple):
    """Names that were found, found in part, and all."""

    found: int = 0
    partly: int = 0
    of: int = 0

    def plus(self, covered: float) -> Count:
        """With one more name, of whose letters that share is covered."""
        return Count(self.found + (covered == 1), self.partly + (0 < covered < 1), self.of + 1)


class Tally:
    """Counts of each slice, by person."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._slices: dict[Slice, dict[Person, Count]] = defaultdict(lambda: defaultdict(Count))

    def add(self, filling: fillings.Filling, findings: Iterable[Finding]) -> None:
        """What was found of each name in a document."""
        text = filling.document.text
        marks = covered(text, findings)
        for start, end, facts in filling.mentions:
            told = facts | self._known(text[start:end]) if "culture" in facts else facts
            share = letters(text, marks, start, end)
            for key in _keys(told):
                by_person = self._slices[key]
                by_person[filling.person] = by_person[filling.person].plus(share)

    def _known(self, name: str) -> dict[str, str]:
        """What the tagger's lexicon says of the words of a name."""
        hints = [self._lexicon(word) for word in _words(name)]
        known = sum(bool(hint & _NAME) for hint in hints)
        told = "known" if known == len(hints) else "in part" if known else "not known"
        return {"lexicon": told, "word": "a word, too" if any(h & _WORD for h in hints) else "none"}

    def rates(self) -> dict[Slice, dict[str, float]]:
        """Recall of each slice."""
        return {key: rate(list(rows.values())) for key, rows in self._slices.items()}

    def chance(self, kind: str) -> float:
        """The gap between best and worst of this kind that chance alone would make (median)."""
        groups = [
            list(rows.values()) for key, rows in self._slices.items() if _kinds(key) == (kind,)
        ]
        dice = np.random.default_rng(SEED)
        rows = np.array(list(chain(*groups)), float)
        ends = np.cumsum([len(group) for group in groups])[:-1]
        gaps = []
        for _ in range(RESAMPLES):
            sums = [part.sum(axis=0) for part in np.split(dice.permutation(rows), ends)]
            values = [found / of for found, _, of in sums]
            gaps.append(max(values) - min(values))
        return harness.significant(float(np.median(gaps)), 3)


def _words(name: str) -> list[str]:
    """As the tagger cuts them; initials tell nothing."""
    parts = "".join(c if c.isalpha() else " " for c in name).split()
    return [part for part in parts if len(part) > 1] or parts


def _keys(facts: dict[str, str]) -> Iterator[Slice]:
    yield from ((fact,) for fact in facts.items())
    if "culture" in facts:
        yield ()
        for one, other in CROSSED:
            yield (one, facts[one]), (other, facts[other])


def _kinds(key: Slice) -> tuple[str, ...]:
    return tuple(kind for kind, _ in key)


def covered(text: str, findings: Iterable[Finding]) -> bytearray:
    """1 for each character that a finding covers."""
    marks = bytearray(len(text))
    for finding in findings:
        marks[finding.start : finding.end] = b"\1" * (finding.end - finding.start)
    return marks


def letters(text: str, marks: bytearray, start: int, end: int) -> float:
    """The share of letters that is covered."""
    places = [place for place in range(start, end) if text[place].isalnum()]
    return sum(marks[place] for place in places) / len(places)


def rate(counts: Sequence[Count]) -> dict[str, float]:
    """Recall of people, with its interval."""
    rows = np.array(counts, float)
    found, partly, of = rows.sum(axis=0)
    dice = np.random.default_rng(SEED)
    weights = dice.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), RESAMPLES)
    sums = weights @ rows
    low, high = np.quantile(sums[:, 0] / sums[:, 2], (0.025, 0.975))
    least, most = wilson(found, of)
    told = {
        "value": found / of,
        "low": min(low, least),
        "high": max(high, most),
        "partly": partly / of,
    }
    rounded = {key: round(float(value), 4) for key, value in told.items()}
    return {**rounded, "names": int(of), "people": len(rows)}


def wilson(hits: float, of: float, z: float = 1.96) -> tuple[float, float]:
    """The interval of a share of independent trials."""
    share, spread = hits / of, z * z / of
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / of + spread / of / 4) / (1 + spread)
    return middle - half, middle + half


# --- runs


def groups(lists: Path | None) -> list[fillings.Group]:
    """Everybody whose names are measured."""
    told = fillings.cultures(SEED)
    if lists:
        told += fillings.frequencies(lists, SEED) + fillings.births(lists, SEED)
    return told


def measure(
    profile: str, people: Sequence[fillings.Group], frames: Sequence[fillings.Carrier], rounds: int
) -> tuple[Tally, dict[str, float]]:
    """The recall of a profile, and what it covers that is nobody's."""
    engine = scrubjay.load("everything", profile=profile)
    files = bundle.files_of(bundle.folder(profile))
    tally = Tally(Lexicon.load(next(path for path in files if path.name == "lexicon.bin")))
    outside = size = 0
    docs = list(chain.from_iterable(fillings.fillings(g, frames, rounds) for g in people))
    found = engine.find(filling.document.text for filling in docs)
    for filling, findings in zip(docs, found, strict=True):
        tally.add(filling, findings)
        marks = covered(filling.document.text, (f for f in findings if f.label == "PERSON"))
        for start, end, _ in filling.document.spans:
            marks[start:end] = bytes(end - start)
        outside, size = outside + sum(marks), size + len(marks)
    false = {"elsewhere as a person, characters in 1,000": round(1000 * outside / size, 2)}
    for name in ("things", "nobody"):
        false |= _falsely(engine, frames, name)
    return tally, false


def _falsely(
    engine: scrubjay.Engine, frames: Sequence[fillings.Carrier], name: str
) -> dict[str, float]:
    """How often something else in the place of a name is covered, wholly or in part."""
    told = {}
    for case, write in (("lower", str), ("Title", str.title)):
        docs = list(fillings.without_names(frames, [write(w) for w in fillings.words(name)]))
        hits = people = of = 0
        for filling, findings in zip(docs, engine.find(d.document.text for d in docs), strict=True):
            text = filling.document.text
            all_marks = covered(text, findings)
            as_person = covered(text, (f for f in findings if f.label == "PERSON"))
            for start, end, _ in filling.mentions:
                hits += letters(text, all_marks, start, end) > 0
                people += letters(text, as_person, start, end) > 0
                of += 1
        told[f"{name}, {case}"] = round(hits / of, 4)
        told[f"{name}, {case}, as a person"] = round(people / of, 4)
    return told


def result(tally: Tally, false: dict[str, float]) -> dict[str, Any]:
    """As the JSON has it."""
    rates = tally.rates()
    told: dict[str, Any] = {"all": rates[()], "slices": defaultdict(dict)}
    for key, row in rates.items():
        if len(key) == 1:
            told["slices"][key[0][0]][key[0][1]] = row
        elif len(key) == 2 and key[0][0] == "culture" and key[1][1] in TOLD:
            told["slices"][f"culture, {key[1][1]}"][key[0][1]] = row
    enough = [k for k, r in rates.items() if r["people"] >= FEWEST[0] and r["names"] >= FEWEST[1]]
    worst = sorted(enough, key=lambda key: rates[key]["value"])
    told["worst"] = [_told(key, rates[key]) for key in worst if len(key) == 1][:5]
    told["worst crossings"] = [_told(key, rates[key]) for key in worst if len(key) == 2][:15]
    told["gap"] = {
        "cultures": _gap(told["slices"]["culture"]),
        "cultures, as written": _gap(told["slices"][f"culture, {fillings.WRITTEN}"]),
        "cultures, by chance": tally.chance("culture"),
    }
    told["falsely"] = false
    return told


def _told(key: Slice, row: dict[str, float]) -> dict[str, Any]:
    return {"slice": dict(key), **row}


def _gap(rates: dict[str, dict[str, float]]) -> dict[str, Any]:
    best, worst = (choose(rates, key=lambda n: rates[n]["value"]) for choose in (max, min))
    gap = round(rates[best]["value"] - rates[worst]["value"], 4)
    return {"gap": gap, "best": best, "worst": worst}


def main() -> None:
    """Measure, show, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lists", type=Path, help="public lists, as training reads them")
    parser.add_argument("--profiles", nargs="+", default=PROFILES, choices=PROFILES)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="a multiple of 6")
    parser.add_argument("--json", type=Path, dest="output", help="keeps profiles not measured now")
    asked = parser.parse_args()
    people, frames = groups(asked.lists), fillings.carriers()
    told: dict[str, Any] = {
        "machine": harness.machine(), **harness.scrubjay_facts(), "seed": SEED,
        "carriers": len(frames), "profiles": before(asked.output),
    }  # fmt: skip
    for profile in asked.profiles:
        own = result(*measure(profile, people, frames, asked.rounds))
        print(profile, own["all"], own["gap"], own["falsely"], *own["worst"], sep="\n  ")
        told["profiles"][profile] = {"rounds": asked.rounds, **own}
    harness.write(asked.output, told)


def before(path: Path | None) -> dict[str, Any]:
    """The profiles that a result holds already."""
    if path is None or not path.exists():
        return {}
    told: dict[str, Any] = json.loads(path.read_text("utf-8"))["profiles"]
    return told


if __name__ == "__main__":
    main()
