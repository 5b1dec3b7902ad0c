"""The name lists: to which cultures and parts of a name a word belongs, and others of its kind."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import Struct

from scrubjay.recent import remembered

GENDERS = ("female", "male")


class Role(Struct, frozen=True):
    """What a word of a name is: `part` is female, male (given names) or family."""

    culture: str
    part: str


@cache
def table() -> dict[str, Any]:
    """lists/people.toml, its lists split."""
    path = files("scrubjay.operators").joinpath("lists", "people.toml")
    rows = tomllib.loads(path.read_text("utf-8"))
    return {key: row.split() if isinstance(row, str) else row for key, row in rows.items()}


@cache
def pool(role: Role, *, rare: bool = False) -> tuple[str, ...]:
    """The names of that culture and part: those that many have, or few, as far as we list them."""
    name = f"{role.culture}.rare" if rare and role.culture in RARE else role.culture
    return _lists(name)[role.part]


RARE = frozenset({"en"})  # cultures with a list of rare names


@cache
def _lists(name: str) -> dict[str, tuple[str, ...]]:
    """lists/names/<name>.txt: a heading in brackets, then names."""
    path = files("scrubjay.operators").joinpath("lists", "names", f"{name}.txt")
    parts = re.split(r"^\[(\w+)\]$", path.read_text("utf-8"), flags=re.M)[1:]
    return {part: tuple(told.split()) for part, told in zip(parts[::2], parts[1::2], strict=True)}


@cache
def _lexicon() -> dict[str, tuple[Role, ...]]:
    known: dict[str, tuple[Role, ...]] = {}
    for culture in table()["cultures"]:
        for part, names in _lists(culture).items():
            role = Role(culture, part)
            for name in map(plain, names):
                if role not in known.get(name, ()):
                    known[name] = (*known.get(name, ()), role)
    return known


@remembered
def roles(word: str) -> tuple[Role, ...]:
    """Everything a word is known as. A Russian family name is listed in the men's form."""
    folded = plain(word)
    known = _lexicon().get(folded, ())
    if not known and folded[-1:] in ("a", "а"):
        stem = _lexicon().get(folded[:-1], ())
        known = tuple(role for role in stem if role in RUSSIAN)
    return known


RUSSIAN = (Role("ru", "family"), Role("ru-cyrl", "family"))


@cache
def spoken(language: str) -> str:
    """The culture of a document's language."""
    short = language.partition("-")[0].casefold()
    rows = table()["languages"].items()
    own = short if short in table()["cultures"] else "en"
    return next((culture for culture, told in rows if short in told.split()), own)


@remembered
def script(word: str, language: str) -> str:
    """The culture whose names are in the script of this word; empty for Latin and others."""
    for culture, (first, last) in table()["scripts"].items():
        if any(first <= letter <= last for letter in word):
            return "ja-jpan" if culture == "zh-hani" and _japanese(word, language) else culture
    return ""


def _japanese(word: str, language: str) -> bool:
    family = pool(Role("ja-jpan", "family"))
    return language.casefold().startswith("ja") or word[:2] in family or word[:3] in family


def plain(word: str) -> str:
    """Without case and accents."""
    spread = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in spread if not unicodedata.combining(c))


@remembered
def ascii_of(name: str) -> str:
    """The name as one would type it without accents."""
    spread = unicodedata.normalize("NFKD", name.translate(STROKES))
    return "".join(c for c in spread if not unicodedata.combining(c))


STROKES = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ß": "ss", "æ": "ae", "Æ": "Ae"}
    | {"ı": "i", "ð": "d", "þ": "th", "œ": "oe"}
)
