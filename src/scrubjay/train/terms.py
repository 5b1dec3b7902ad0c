"""Terms that look like identifiers and are none, and notes made of them: what is nobody must be
learnt, too. `terms/*.txt` holds them, `terms/lines.txt` how they are used."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources

from scrubjay.marked import Marked

KINDS = {
    "abbreviation": "abbreviations", "anatomy": "anatomy", "brand": "brands",
    "credential": "credentials", "department": "departments", "device": "devices",
    "duration": "durations", "eponym": "eponyms", "everyday": "everyday", "generic": "generics",
    "number": "numbers", "organism": "organisms", "score": "scores", "trial": "trials",
}  # fmt: skip
MEDICAL = ("brand", "device", "eponym", "generic", "organism", "anatomy")
_SECTION = re.compile(r"#\s+\D")
_WORD = re.compile(r"[^\W\d_]{4,}")
_SLOT = re.compile(r"\{(\w+)\}")
_ENDS = ("\n", "\n", "\n", "\n\n", ". ", "; ", " / ")


@cache
def of(kind: str) -> tuple[str, ...]:
    """All terms of a kind."""
    return tuple(line for line in _lines(KINDS[kind]) if not _SECTION.match(line))


def medical() -> Iterator[str]:
    """Words that are hints of medicine."""
    for kind in MEDICAL:
        for term in of(kind):
            yield from (word.lower() for word in _WORD.findall(term))


def documents(count: int, dice: random.Random) -> Iterator[Marked]:
    """Notes with nobody in them."""
    lines = _lines("lines")
    for number in range(count):
        end = dice.choice(_ENDS)
        text = end.join(_filled(dice.choice(lines), dice) for _ in range(dice.randint(1, 14)))
        yield Marked(f"terms-{number}", text, ())


def _filled(line: str, dice: random.Random) -> str:
    """The line with terms in its slots, written as the slot is."""

    def term(slot: re.Match[str]) -> str:
        chosen = dice.choice(of(slot[1].lower()))
        if slot[1].isupper():
            return chosen.upper()
        return chosen[:1].upper() + chosen[1:] if slot[1].istitle() else chosen

    filled = _SLOT.sub(term, line.replace("\\t", "\t"))
    return filled.lower() if dice.random() < 0.1 else filled


@cache
def _lines(name: str) -> tuple[str, ...]:
    text = resources.files("scrubjay.train").joinpath("terms", f"{name}.txt").read_text("utf-8")
    return tuple(line for line in text.split("\n") if line)
