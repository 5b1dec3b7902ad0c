"""Other streets, towns, regions and bodies for those in a text: what says the kind stays (Street,
Hospital, GmbH), what names it goes."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from scrubjay.operators import Scene, names
from scrubjay.operators.ledger import Dice, dice, pick
from scrubjay.operators.shapes import dress

WORD = re.compile(r"[^\W_]+(?:[’'.&-][^\W_]+)*")


@cache
def _table() -> dict[str, Any]:
    path = files("scrubjay.operators").joinpath("lists", "places.toml")
    return tomllib.loads(path.read_text("utf-8"))


@cache
def listed(kind: str, culture: str) -> tuple[str, ...]:
    """The names of a kind in a culture, else in English."""
    rows = _table()[kind]
    row = rows.get(culture) or rows["en"]
    return tuple(" ".join(name.split()) for name in row.split("|"))


@cache
def _words(kind: str) -> frozenset[str]:
    return frozenset(re.split(r"[|\s]+", _table()["words"][kind].strip()))


def one_of(value: str, kind: str, culture: str, scene: Scene) -> str:
    """Another of the list in the value's case; pairs of them when the list runs short. Two groups
    may share one, as two people live in one town: no list has enough for all of a domain."""
    choices = listed(kind, culture)

    def draw(load: Dice, attempt: int) -> str:
        first = load.one(choices)
        return first if attempt < 24 else f"{first}-{load.one(choices)}"

    told = pick(scene, kind, value, draw, within_group=True)
    return _cased(value, told)


def _cased(old: str, new: str) -> str:
    if old.isupper() and len(old) > 1:
        return new.upper()
    return new.lower() if old.islower() else new


def culture(scene: Scene) -> str:
    """That of the document's language."""
    return names.spoken(scene.document.language)


def town(value: str, scene: Scene) -> str:
    """A town, village or place of no known kind."""
    return one_of(value, "towns", culture(scene), scene)


def county(value: str, scene: Scene) -> str:
    """Words such as County and Parish stay."""
    head = re.search(r"\s+(?:county|parish|borough|district|co\.?)\s*$", value, re.I)
    name = value[: head.start()] if head else value
    told = one_of(name, "counties", "en", scene)
    return told + (head[0] if head else "") if told else ""


def region(value: str, scene: Scene) -> str:
    """A state by its name, or by two letters."""
    if re.fullmatch(r"[A-Z]{2}", value):
        return one_of(value, "regions", "codes", scene)
    own = culture(scene)
    return one_of(value, "regions", own if own in _table()["regions"] else "us", scene)


def country(value: str, scene: Scene) -> str:
    """A country by its name, or by two letters."""
    return one_of(value, "countries", "codes" if re.fullmatch(r"[A-Z]{2}", value) else "en", scene)


def postal(value: str, scene: Scene) -> str:
    """The same form: a digit for a digit, a letter for a letter."""
    core = "".join(c for c in value if c.isalnum())

    def draw(load: Dice, attempt: int) -> str:
        return "".join(str(load.below(10)) if c.isdigit() else load.one(LETTERS) for c in core)

    told = pick(scene, "POSTAL_CODE", core, draw, within_group=True) if len(core) > 1 else ""
    return dress(value, told) if told else ""


LETTERS = "ABCEGHJKLMNPRSTVWXY"


def street(value: str, scene: Scene) -> str:
    """1234 Elm Street, Apt 5 -> 8071 Laurel Street, Apt 3. After a comma names are towns."""
    told = pick(scene, "address", value, lambda _, attempt: _street(value, str(attempt), scene))
    return _other(value, told)


ARTICLES = frozenset(("de", "la", "le", "les", "du", "des", "del", "las", "los", "el", "da", "do"))
WITH_ARTICLES = ("fr", "es", "it", "pt")  # their street names in the lists bring their own


def _street(value: str, attempt: str, scene: Scene) -> str:
    """A number's surrogate is the same everywhere, but where two addresses would be one."""
    pieces: list[str] = []
    place, name = 0, ""
    for match in WORD.finditer(value):
        word = match[0].casefold().rstrip(".")
        between = re.sub(r"[^\s.,;:()#/–-]", "", value[place : match.start()])
        place = match.end()
        if word in ARTICLES and culture(scene) in WITH_ARTICLES:
            continue
        kept = word in _words("address")
        numeric = any(c.isdigit() for c in match[0])
        if kept or numeric or not (name and between.isspace()):
            later = "," in value[: match.start()]
            pieces += [
                between,
                match[0] if kept else _address_word(match[0], later, attempt, scene),
            ]
        name = "" if kept or numeric else match[0]
    return "".join(pieces)


def _address_word(word: str, later: bool, attempt: str, scene: Scene) -> str:
    if any(c.isdigit() for c in word):
        return _number(word, dice(scene, "number", word, attempt))
    if later and re.fullmatch(r"[A-Z]{2}", word):
        return region(word, scene)
    own = culture(scene)
    ending = re.search(rf"({_table()['words']['endings']})\.?$", word, re.I)
    if ending and ending.start() > 2:
        stem = one_of(word[: ending.start()], "streets", "nl" if own == "nl" else "de", scene)
        return stem + ending[0] if stem else ""
    return one_of(word, "towns" if later else "streets", own, scene)


def _number(word: str, load: Dice) -> str:
    """House numbers and postal codes; an ordinal's ending is made to fit."""
    told = "".join(
        load.one("123456789" if not i and c != "0" else "0123456789") if c.isdigit() else c
        for i, c in enumerate(word)
    )
    ordinal = re.fullmatch(r"([0-9]+)(?:st|nd|rd|th)", told, re.I)
    if not ordinal:
        return re.sub(r"[^\W\d_]", lambda _: load.one(LETTERS), told)
    ten, one = int(ordinal[1]) % 100, int(ordinal[1]) % 10
    return ordinal[1] + ("th" if 10 < ten < 20 else {1: "st", 2: "nd", 3: "rd"}.get(one, "th"))


def body(value: str, scene: Scene) -> str:
    """Massachusetts General Hospital -> Brookfield General Hospital; MGH -> three other letters."""
    if re.fullmatch(r"[A-Z][A-Z&.-]{1,4}", value):
        return _letters(value, scene)
    named = [m for m in WORD.finditer(value) if m[0].casefold() not in _words("body")]
    name = one_of(value, "bodies", "names", scene)
    if not named or not name:
        return f"{name} {value}".strip() if name and WORD.search(value) else ""
    pieces: list[str] = []
    place = 0
    for match in named:
        between = value[place : match.start()]
        if place and between.isspace() and not _numeric(match[0]):
            pieces.append("")
        else:
            pieces += [between, _body_word(match, named, name, scene)]
        place = match.end()
    return _other(value, " ".join("".join([*pieces, value[place:]]).split()))


def _body_word(match: re.Match[str], named: list[re.Match[str]], name: str, scene: Scene) -> str:
    """The first name is the body's, later ones are of places: University of X at Y."""
    if _numeric(match[0]):
        return _number(match[0], dice(scene, "number", match[0]))
    first = next(m for m in named if not _numeric(m[0])) is match
    return name if first else town(match[0], scene)


def _numeric(word: str) -> bool:
    return any(c.isdigit() for c in word)


DEGREES = re.compile(r"[-+−]?[0-9]{1,3}\.[0-9]+")


def coordinates(value: str, scene: Scene) -> str:
    """Another place on land or sea with as many decimals; no other geocode has a surrogate."""
    if len(DEGREES.findall(value)) != 2 or re.search(r"[^\W\d_]{2}|[0-9]", DEGREES.sub("", value)):
        return ""

    def draw(load: Dice, attempt: int) -> str:
        return DEGREES.sub(lambda match: _degrees(match[0], load), value)

    return pick(scene, "COORDINATES", value, draw)


def _degrees(old: str, load: Dice) -> str:
    decimals = len(old.partition(".")[2])
    sign = old[0] if old[0] in "-+−" else ""
    return f"{sign}{10 + load.below(70)}.{load.below(10**decimals):0{decimals}}"


def _letters(value: str, scene: Scene) -> str:
    core = "".join(c for c in value if c.isalnum())

    def draw(load: Dice, attempt: int) -> str:
        return "".join(load.one(LETTERS) for _ in core)

    told = pick(scene, "letters", core, draw, within_group=True)
    return dress(value, told) if told else ""


def _other(value: str, told: str) -> str:
    """Nothing rather than the value."""
    return told if told.strip() and told.casefold() != value.casefold() else ""
