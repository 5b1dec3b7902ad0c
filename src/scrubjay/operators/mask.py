"""Cover characters and keep the length: `***-**-6789` (ISO/IEC 20889: masking)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from scrubjay import plugins
from scrubjay.errors import PolicyError
from scrubjay.operators import Scene
from scrubjay.types import Finding

SEPARATORS = frozenset("-‐‑–—./\\_@:;,+()[]{}'’\"#&")


def mask(
    *,
    char: Annotated[str, Meta(min_length=1, max_length=1)] = "*",
    keep_last: Annotated[int, Meta(ge=0)] = 0,
    keep_first: Annotated[int, Meta(ge=0)] = 0,
    keep_format: bool = True,
) -> plugins.Operator:
    """Every character but the kept ones becomes `char`. `keep_format` leaves separators and spaces
    and counts without them. A value with nothing left to cover is covered whole."""
    if _separates(char):
        raise PolicyError("operator mask.v1, option 'char': not a separator; such as '*' or 'X'")

    def operate(value: str, finding: Finding, scene: Scene) -> str:
        places = [i for i, c in enumerate(value) if not (keep_format and _separates(c))]
        if keep_first + keep_last >= len(places):
            return _cover(value, places or range(len(value)), char)
        return _cover(value, places[keep_first : len(places) - keep_last], char)

    return operate


def _separates(character: str) -> bool:
    return character in SEPARATORS or character.isspace()


def _cover(value: str, places: list[int] | range, char: str) -> str:
    covered = list(value)
    for place in places:
        covered[place] = char
    return "".join(covered)
