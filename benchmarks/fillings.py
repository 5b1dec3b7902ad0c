"""Names of all the world in the same sentences: what benchmarks/fairness.py measures on.

A carrier is a marked text of fair/*.txt in whose names the words Given, Family and G (the first
letter) stand for a person's; `Mr/Ms` and `he/she` follow the gender. Every carrier meets every
group of people equally often, in every case and gender, with accents and without.
"""

from __future__ import annotations

import json
import random
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

from scrubjay.marked import Change, Marked, changed, parse
from scrubjay.operators.names import ascii_of
from scrubjay.train.noise import rewrite

FAIR = Path(__file__).parent / "fair"
GENDERS = ("female", "male")
WRITTEN, LOWER, UPPER, NAME = "as written", "all lower", "all upper", "name in capitals"
CASES = (WRITTEN, WRITTEN, WRITTEN, LOWER, UPPER, NAME)
PEOPLE = 145  # of a group whose lists have more
OTHERS = 8  # that are nobody, in each carrier

# bands of ranks among surnames of the census and among given names of the best year
FREQUENT = {
    "surnames 1 to 500": ((0, 500), (0, 50)),
    "surnames to 5,000": ((500, 5_000), (50, 200)),
    "surnames to 20,000": ((5_000, 20_000), (200, 500)),
    "surnames to 88,799": ((20_000, 88_799), (500, 1_000)),
}
ERAS = {"before 1920": range(1880, 1920), "1920 to 1939": range(1920, 1940),
        "1940 to 1959": range(1940, 1960), "1960 to 1979": range(1960, 1980),
        "1980 to 1999": range(1980, 2000), "since 2000": range(2000, 2025)}  # fmt: skip

_EITHER = re.compile(r"\b(Mr|he)/(Ms|she)\b")
_PLACE = re.compile(r"\b(?:Given|Family|FAMILY|G)\b")
_TITLED = re.compile(r"\b(?:Dr|Mr|Ms|Professor)\.? \Z")
_FORMS = {
    "Given": "given name alone", "Given Family": "given, family", "Family": "family name alone",
    "Family, Given": "family first", "Family Given": "family first",
    "FAMILY Given": "family first", "G. Family": "initial, family", "G Family": "initial, family",
}  # fmt: skip


class Person(NamedTuple):
    """A family name, and a given name of each gender that goes with it."""

    female: str
    male: str
    family: str


class Group(NamedTuple):
    """People that have something in common: `kind` is culture, frequency or born."""

    kind: str
    name: str
    people: tuple[Person, ...]


class Carrier(NamedTuple):
    """A text with places for a name, by gender."""

    register: str
    texts: dict[str, Marked]


class Mention(NamedTuple):
    """A name in a document, and the slice of each kind that it is in."""

    start: int
    end: int
    facts: dict[str, str]


class Filling(NamedTuple):
    """A carrier with somebody's name; `person` tells people of all groups apart."""

    document: Marked
    person: tuple[str, int]
    mentions: tuple[Mention, ...]


# --- carriers


def carriers(folder: Path = FAIR) -> list[Carrier]:
    """All there are; a file is a register."""
    return [carrier for path in sorted(folder.glob("*.txt")) for carrier in _read(path)]


def _read(path: Path) -> Iterator[Carrier]:
    file = path.read_text("utf-8")
    for male, female in zip(*(parse(_EITHER.sub(rf"\{at}", file)) for at in (1, 2)), strict=True):
        yield Carrier(path.stem, {"female": female, "male": male})


def fillings(group: Group, frames: Sequence[Carrier], rounds: int) -> Iterator[Filling]:
    """Each carrier `rounds` times, each time with somebody else. Six rounds hold all cases, half of
    the carriers with each gender and half without accents; twelve and 24 turn these round."""
    for turn, (place, carrier) in product(range(rounds), enumerate(frames)):
        case, half = CASES[turn % len(CASES)], turn // len(CASES)
        gender, plain = GENDERS[(place + half) % 2], (place // 2 + half // 2) % 2 == 1
        number = (turn * len(frames) + place) % len(group.people)
        facts = {group.kind: group.name}
        if group.kind == "culture":
            facts |= {"gender": gender, "register": carrier.register, "case": case}
        name = _name(group.people[number], gender, plain)
        document, mentions = _filled(carrier.texts[gender], name, case, facts)
        yield Filling(document, (group.name, number), mentions)


class _Name(NamedTuple):
    given: str
    family: str
    accents: str  # kept, left out, or none to begin with


def _name(person: Person, gender: str, plain: bool) -> _Name:
    given = person.female if gender == "female" else person.male
    bare = ascii_of(given), ascii_of(person.family)
    if bare == (given, person.family):
        return _Name(*bare, "none")
    return _Name(*bare, "left out") if plain else _Name(given, person.family, "kept")


def _filled(
    frame: Marked, name: _Name, case: str, facts: dict[str, str]
) -> tuple[Marked, tuple[Mention, ...]]:
    def value(place: str) -> str:
        new = _PLACE.sub(lambda match: _part(match[0], name), place)
        return new.upper() if case == NAME else new

    document = changed(frame.name, frame.text, (
        Change(start, end, value(old) if label == "PERSON" else old, label)
        for start, end, label in frame.spans for old in [frame.text[start:end]]
    ))  # fmt: skip
    if case in (LOWER, UPPER):
        change = str.lower if case == LOWER else str.upper
        document = rewrite(document, lambda _, character: change(character))
    mentions = (
        Mention(new.start, new.end, facts | _more(frame, old.start, old.end, name))
        for old, new in zip(frame.spans, document.spans, strict=True)
        if old.label == "PERSON"
        and ("born" not in facts or "Given" in frame.text[old.start : old.end])
    )
    return document, tuple(mentions)


def _part(place: str, name: _Name) -> str:
    if place == "G":
        return next(letter for letter in name.given if letter.isalpha())
    return {"Given": name.given, "Family": name.family, "FAMILY": name.family.upper()}[place]


def _more(frame: Marked, start: int, end: int, name: _Name) -> dict[str, str]:
    form = _FORMS[frame.text[start:end]]
    if _TITLED.search(frame.text, 0, start):
        form = f"title, {form}"
    return {"form": form, "accents": name.accents}


def without_names(frames: Sequence[Carrier], others: Sequence[str]) -> Iterator[Filling]:
    """Carriers with something else in the places of names, none after a title."""
    for place, carrier in enumerate(frames):
        frame = carrier.texts["female"]
        places = [span for span in frame.spans if span.label == "PERSON"]
        if any(_TITLED.search(frame.text, 0, span.start) for span in places):
            continue
        for number in range(OTHERS):
            other = others[(place + number) % len(others)]
            document = changed(frame.name, frame.text, (
                Change(start, end, other if label == "PERSON" else frame.text[start:end], label)
                for start, end, label in frame.spans
            ))  # fmt: skip
            mentions = (Mention(s.start, s.end, {}) for s in document.spans if s.label == "PERSON")
            yield Filling(document, (other, 0), tuple(mentions))


# --- people


def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads((FAIR / "names.toml").read_text("utf-8"))


def words(name: str) -> list[str]:
    """What fair/names.toml holds of `things`, or of `nobody`."""
    return _table()[name]["words"].split(", ")


def cultures(seed: int) -> list[Group]:
    """The people of fair/names.toml."""
    return [
        Group(
            "culture", name, _people([row[part].split(", ") for part in (*GENDERS, "family")], seed)
        )
        for name, row in _table().items()
        if "family" in row
    ]


def _people(pools: Sequence[Sequence[str]], seed: int) -> tuple[Person, ...]:
    """One with each family name; given names serve again where there are fewer."""
    dice = random.Random(seed)
    female, male, family = (dice.sample(pool, len(pool)) for pool in pools)
    return tuple(
        Person(female[number % len(female)], male[number % len(male)], name)
        for number, name in enumerate(family[:PEOPLE])
    )


def frequencies(lists: Path, seed: int) -> list[Group]:
    """Americans by how many have their name."""
    surnames, years = _surnames(lists), _years(lists)
    best = {gender: _best(ranks) for gender, ranks in years.items()}
    return [
        Group("frequency", name, _people([
            *([n for n, rank in best[gender].items() if given[0] <= rank < given[1]]
              for gender in GENDERS), surnames[slice(*family)],
        ], seed))
        for name, (family, given) in FREQUENT.items()
    ]  # fmt: skip


def births(lists: Path, seed: int) -> list[Group]:
    """Americans by when their given name was given most; their surnames are the same throughout."""
    surnames, years = _surnames(lists)[:1000], _years(lists)
    fashions = {gender: _fashions(ranks) for gender, ranks in years.items()}
    return [
        Group(
            "born", era, _people([fashions[gender][era] for gender in GENDERS] + [surnames], seed)
        )
        for era in ERAS
    ]


def _surnames(lists: Path) -> list[str]:
    return (lists / "census_names/lib/last-names.txt").read_text("utf-8").title().split()


Years = dict[int, list[str]]  # the thousand most given names, the most frequent first


def _years(lists: Path) -> dict[str, Years]:
    told: dict[str, Years] = {gender: {} for gender in GENDERS}
    for path in sorted((lists / "popular_baby_names").glob("*/girl_boy_names_*.json")):
        row = json.loads(path.read_text("utf-8"))
        told["female"][row["year"]], told["male"][row["year"]] = row["girls"], row["boys"]
    return told


def _best(years: Years) -> dict[str, int]:
    best: dict[str, int] = {}
    for names in years.values():
        for rank, name in enumerate(names):
            best[name] = min(rank, best.get(name, rank))
    return best


def _fashions(years: Years) -> dict[str, list[str]]:
    """By era the 200 names that were given most, of those that never were given more. Shares are
    taken to fall as 1 / rank, for the lists do not tell them."""
    shares: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(ERAS, 0.0))
    for era, span in ERAS.items():
        for year in span:
            for rank, name in enumerate(years[year], 1):
                shares[name][era] += 1 / rank / len(span)
    told: dict[str, list[str]] = {}
    for era in ERAS:
        own = [name for name, row in shares.items() if max(row, key=row.__getitem__) == era]
        told[era] = sorted(own, key=lambda name: -shares[name][era])[:200]
    return told
