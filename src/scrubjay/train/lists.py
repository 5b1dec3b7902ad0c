"""Names and places to draw surrogates from, read from a folder of public lists.

The shipped operators' own lists serve where there is no folder, for trying things out: far too few
for a tagger that shall know names it has never seen.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from itertools import zip_longest
from pathlib import Path

from msgspec import Struct

from scrubjay.operators import names, places

OVERLOOKED = {  # shares of names that are easily taken for words: a tagger must meet them as both
    "given": {"given": 0.12, "small given": 0.03, "given apart": 0.04},
    "surname": {
        "surname": 0.12,
        "small surname": 0.04,
        "led surname": 0.03,
        "native surname": 0.02,
    },
}
NATIVES = 0.02  # of surnames are those of native peoples of America, made of two words
HALVES = ("first", "second")
_WORLD = "world-"  # before a culture of the shipped lists: a folder's have the names of countries
WORLD = tuple(
    _WORLD + culture
    for culture in names.table()["cultures"]
    if culture != "en" and "-" not in culture  # which has a script of its own
)
_PEOPLE = "people-"  # before a culture of peoples.txt
KIN = {  # countries of which a folder may know given names or surnames alone: theirs join these
    "af": "gq ml za",
    "ar": "ae dz eg iq ir jo kw lb ly ma pk sa tn",
    "es": "bo co cr cu do ec gt pa pr uy ve",
    "in": "bd in lk np",
    "vi": "vn",
}
LEADS = {  # what begins a surname
    "ar": ("Al-", "El-", "Al ", "El ", "al-", "Abu ", "Bin "),
    "de": ("von ", "von der ", "Zu "),
    "es": ("de ", "De ", "de la ", "De la ", "Del ", "de los "),
    "fr": ("de ", "De ", "Le ", "La ", "D'", "Du "),
    "it": ("Di ", "De ", "D'", "Della ", "Lo "),
    "nl": ("van ", "Van ", "van der ", "Van der ", "de ", "van den ", "ter "),
    "pt": ("da ", "dos ", "de ", "Da ", "do "),
}
LEADS_GIVEN = {
    "ar": ("Abdul ", "Abd al-", "Abu ", "Mohammad ", "Muhammad-", "Umm ", "Noor "),
    "es": ("María ", "Maria ", "José ", "Juan ", "Ana "),
    "fr": ("Jean-", "Marie-", "Anne-", "Pierre-", "Marie "),
    "pt": ("Maria ", "Ana ", "João "),
    "vi": ("Thị ", "Thi ", "Văn ", "Van ", "Minh ", "Ngọc ", "Kim ", "Thanh "),
}
LED = 0.2  # of their names have such a beginning
ACCENTED = (  # Vietnamese; the shipped lists have them without
    "Thảo Trinh Yến Nhàn Thắm Nguyệt Duyên Liễu Hiền Lụa Phượng Tuyết Thủy Hà Mến Châu Bình Cường Hiếu "
    "Lộc Nghĩa Phúc Thịnh Tiến Trí Vĩnh Tuấn Dũng Hải Thắng Tùng Quân Khải Đạt Toàn Hòa Lợi Phát"
).split()
DOUBLE = 0.04  # of given names, and of surnames, are two
PLAIN = 0.3  # of people's names are written without their accents
_SCOTS = re.compile(
    r"(?<=\bMc)[a-z]|(?<=\bO)(?:brien|connell|connor|dell|donnell|dwyer|grady|hara|keefe|leary|"
    r"malley|neal|neill|reilly|rourke|shea|sullivan|toole)\b"
)


class Lists(Struct):
    """What surrogates are made of. Cultures pair given names with surnames."""

    given: dict[str, list[str]]
    surnames: dict[str, list[str]]
    places: dict[str, list[str]]  # CITY COUNTY STATE COUNTRY LOCATION: names
    towns: list[tuple[str, str, str]]  # city, state code, ZIP
    streets: list[str]
    hospitals: list[str]
    schools: list[str]
    organizations: list[str]
    professions: list[str]
    nationalities: list[str]
    religions: list[str]

    def person(self, dice: random.Random) -> tuple[str, str]:
        """A given name and a surname that go together, as people write them."""
        culture = self._culture(dice)
        given, surname = self._given(culture, dice), self._surname(culture, dice)
        if dice.random() < PLAIN:
            given, surname = names.ascii_of(given), names.ascii_of(surname)
        return given, surname

    def _culture(self, dice: random.Random) -> str:
        """A quarter of the people are Americans. Half are of our own lists' cultures, each as often
        as any other; the rest of the countries that a folder tells, which are mostly European."""
        way = dice.random()
        if way < 0.25:
            return "us"
        if way < 0.75:
            return dice.choice((*WORLD, *peoples()))
        return dice.choice([c for c in self.given if c in self.surnames])

    def _given(self, culture: str, dice: random.Random) -> str:
        """One, or two that make one; Ji-woo is Ji Woo and Jiwoo, too."""
        given = _draw(self.given[culture], dice)
        overlooked = _overlooked("given", dice)
        if overlooked:
            given = overlooked
        elif "-" in given and dice.random() < 0.5:
            given = dice.choice((given.replace("-", " ").title(), given.replace("-", "").title()))
        leads = LEADS_GIVEN.get(culture.removeprefix(_WORLD))
        if leads and dice.random() < LED:
            return dice.choice(leads) + given
        if dice.random() < DOUBLE:
            return given + dice.choice((" ", "-")) + _draw(self.given[culture], dice)
        return given

    def _surname(self, culture: str, dice: random.Random) -> str:
        """One, with what begins it, or with another one beside it."""
        surname = _draw(self.surnames[culture], dice)
        if culture == "us" and dice.random() < 0.7:  # the census writes Mcdonald, Obrien
            surname = _SCOTS.sub(_capital, surname)
        overlooked = _overlooked("surname", dice)
        if " " in overlooked:
            return overlooked
        if overlooked:
            surname = overlooked
        elif dice.random() < NATIVES:
            between = dice.choice((" ", " ", "-", ""))
            surname = between.join(dice.choice(words(f"{half} half")) for half in HALVES)
            return surname if between else surname.capitalize()
        leads = LEADS.get(culture.removeprefix(_WORLD))
        if leads and dice.random() < LED:
            return dice.choice(leads) + surname
        if dice.random() < DOUBLE:
            return surname + dice.choice(("-", "-", " ")) + _draw(self.surnames[culture], dice)
        return surname


def _overlooked(part: str, dice: random.Random) -> str:
    """In some of all cases a name that is easily taken for words."""
    way = dice.random()
    for kind, share in OVERLOOKED[part].items():
        if way < share:
            return dice.choice(words(kind))
        way -= share
    return ""


@cache
def words(kind: str) -> tuple[str, ...]:
    """Names that are words, too: a part of `word_names.txt`."""
    text = resources.files("scrubjay.train").joinpath("word_names.txt").read_text("utf-8")
    _, _, after = text.partition(f"[{kind}]\n")
    return tuple(re.split(r",\s+", after.partition("\n[")[0].strip()))


@cache
def peoples() -> dict[str, dict[str, list[str]]]:
    """The cultures of `peoples.txt`, each with its given names and its surnames."""
    text = resources.files("scrubjay.train").joinpath("peoples.txt").read_text("utf-8")
    found = {}
    for block in text.split("\n[")[1:]:
        culture, *lines = block.splitlines()
        parts = (line.partition(": ") for line in lines if line)
        told = {part: listed.split(", ") for part, _, listed in parts}
        found[_PEOPLE + culture.removesuffix("]")] = told
    return found


def _capital(match: re.Match[str]) -> str:
    """McDonald, O'Brien."""
    return ("'" if len(match[0]) > 1 else "") + match[0].capitalize()


def _draw(pool: list[str], dice: random.Random) -> str:
    """One of the frequent ones, which come first, or any."""
    if dice.random() < 0.4:
        return pool[int(len(pool) * dice.random() ** 3)]
    return dice.choice(pool)


def shipped() -> Lists:
    """From the operators' lists."""
    return Lists(
        {"us": _of("en", *names.GENDERS), **_world("given")},
        {"us": _of("en", "family"), **_world("surname")},
        {"CITY": [*places.listed("towns", "en")], "STATE": ["Ohio", "Utah"], "COUNTY": ["Kent"],
         "COUNTRY": ["Ghana", "Peru"], "LOCATION": ["Bronx"]},
        [("Springfield", "IL", "62701")], ["Oak", "Main"], ["Lakeview Hospital"],
        ["Lincoln High School"], ["Acme Corp"], ["teacher"], ["Ghanaian"], ["Quaker"],
    )  # fmt: skip


def _world(part: str) -> dict[str, list[str]]:
    """Our own names of each culture."""
    shipped = names.GENDERS if part == "given" else ("family",)
    world = {culture: _of(culture.removeprefix(_WORLD), *shipped) for culture in WORLD}
    return world | {culture: told[part] for culture, told in peoples().items()}


def _of(culture: str, *parts: str) -> list[str]:
    """The shipped names of these parts in turn."""
    pools = [names.pool(names.Role(culture, part)) for part in parts]
    if culture == "vi" and names.GENDERS[0] in parts:
        pools.append(tuple(ACCENTED))
    return [name for row in zip_longest(*pools) for name in row if name]


def read(folder: Path) -> Lists:
    """From a folder of public lists; its README says which."""
    ours = folder / "alvearie/ipv-core/src/main/resources/identifier"
    given, surnames = _by_country(folder / "names_by_country")
    given["us"], surnames["us"] = _baby_names(folder / "popular_baby_names"), [
        word.title() for word in _lines(folder / "census_names/lib/last-names.txt")
    ]  # fmt: skip
    geography = folder / "corpora_dariusk/data/geography"
    cities = [row["name"] for row in _rows(folder / "world_cities/data/world-cities.csv")]
    regions = [row["subcountry"] for row in _rows(folder / "world_cities/data/world-cities.csv")]
    us = list(_rows(folder / "us_state_county_zip/geo-data.csv"))
    states = sorted({row["state"] for row in us})
    hospitals = [
        line.rsplit(",", 1)[0].strip('"') for line in _lines(ours / "us/hospital_names.csv")
    ]
    nationalities = json.loads((geography / "nationalities.json").read_text("utf-8"))
    universities = json.loads(
        (folder / "universities/world_universities_and_domains.json").read_text("utf-8")
    )
    fortune = json.loads(
        (folder / "corpora_dariusk/data/corporations/fortune500.json").read_text("utf-8")
    )["companies"]
    neighbourhoods = json.loads((geography / "nyc_neighborhood_zips.json").read_text("utf-8"))
    rivers = json.loads((geography / "rivers.json").read_text("utf-8"))
    return Lists(
        _joined(given, _world("given")), _joined(surnames, _world("surname")),
        {
            "CITY": cities + [row["city"] for row in us],
            "STATE": states + sorted({region for region in regions if region}),
            "COUNTY": [row["county"] for row in us],
            "COUNTRY": [line.split(",")[0] for line in _lines(ours / "en/country_list.csv")],
            "LOCATION": [*_strings(neighbourhoods), *_strings(rivers)],
        },
        [(row["city"], row["state_abbr"], row["zipcode"]) for row in us],
        [line.strip() for line in _lines(ours / "us/street_names.csv")] + sorted({
            row["city"].split()[0] for row in us if row["city"]}),
        hospitals, [row["name"] for row in universities], [str(name) for name in fortune],
        _occupations(ours / "en/occupations.csv"), nationalities["nationalities"],
        _lines(ours / "en/religions.csv"),
    )  # fmt: skip


def with_people(lists: Lists, people: Iterable[str]) -> Lists:
    """The lists and the names of people that corpora mention, first names and last names."""
    given: Counter[str] = Counter()
    surnames: Counter[str] = Counter()
    for name in people:
        words = name.split()
        if 2 <= len(words) <= 3 and all(_NAME.fullmatch(word) for word in words):
            given[words[0]] += 1
            surnames[words[-1]] += 1
    for number in range(
        4
    ):  # several cultures, so that they are drawn as often as several countries
        lists.given[f"met{number}"] = [name for name, _ in given.most_common()]
        lists.surnames[f"met{number}"] = [name for name, _ in surnames.most_common()]
    return lists


_NAME = re.compile(r"[^\W\d_a-z][^\W\d_A-Z]+(?:['’-][^\W\d_a-z][^\W\d_A-Z]+)?")


def people_in(folder: Path) -> Iterator[str]:
    """The PERSON spans of every corpus in a folder, whatever its language."""
    wanted = re.compile(r"PER(?:SON)?\b|NAME|NOM|PRENOM|person|PESSOA|人名|PS|Person", re.ASCII)
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                for span in record["spans"]:
                    if wanted.match(span["label"]):
                        yield record["text"][span["start"] : span["end"]]


def _by_country(folder: Path) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    given: dict[str, list[str]] = {}
    surnames: dict[str, list[str]] = {}
    for table, file in ((given, "forenames"), (surnames, "surnames")):
        for row in _rows(folder / f"common-{file}-by-country.csv"):
            for name in re.split(r"[,/]", row["Romanized Name"]):
                if name.strip() and name.strip()[0].isupper():
                    table.setdefault(row["Country"].lower(), []).append(name.strip())
    surnames.pop("us", None)
    return given, surnames


def _joined(countries: dict[str, list[str]], world: dict[str, list[str]]) -> dict[str, list[str]]:
    """Countries and the world's cultures, those with what their kin has."""
    for culture, kin in KIN.items():
        for country in kin.split():
            world[_WORLD + culture] += countries.get(country, ())
    return countries | world


def _baby_names(folder: Path) -> list[str]:
    """All years' names, those in most years first."""
    years: Counter[str] = Counter()
    for path in sorted(folder.glob("*/girl_boy_names_*.json")):
        told = json.loads(path.read_text("utf-8"))
        years.update(sorted({*told["girls"], *told["boys"]}))
    return [name for name, _ in years.most_common()]


def _occupations(path: Path) -> list[str]:
    """`"Accountant, bank",...` is a bank accountant; plain ones stay."""
    found = set()
    for row in csv.reader(_lines(path)):
        head, _, kind = row[0].partition(",")
        kind = kind.strip()
        if not kind or (kind.isalpha() and kind.islower()):
            found.add(f"{kind} {head}".strip().lower())
    return sorted(found)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines() if line and line[0] != "#"]


def _strings(value: object) -> Iterator[str]:
    """Every name in a nested JSON value."""
    if isinstance(value, str):
        if value[:1].isupper() and len(value) < 40:
            yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, list | dict) and key[:1].isupper():
                yield key
            yield from _strings(inner) if not isinstance(inner, str) or key == "name" else ()
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
