"""A day of birth that a row tells twice, whole and in parts: `year_of_birth` agrees with what
became of `birth_datetime`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from scrubjay.detectors.known import days
from scrubjay.formats import fields

YEAR, MONTH, DAY = "year", "month", "day"
_YEAR = re.compile(r"\d{4}")


@lru_cache(1 << 12)
def part(name: str) -> str:
    """Which part of a day of birth stands under a name, if any."""
    words = fields.normal(name)
    if fields.label(name) == "YEAR":
        return "" if "death" in words else YEAR
    if fields.label(name) != "BIRTH_DATE":
        return ""
    ends = {MONTH: ("month of birth", "birth month"), DAY: ("day of birth", "birth day")}
    return next((one for one, names in ends.items() if words.endswith(names)), "")


def whole(labels: Sequence[str], names: Sequence[str]) -> int:
    """The column of whole days of birth; -1 where there is none, or nothing to agree with it."""
    parts = list(map(part, names))
    days_ = [i for i, label in enumerate(labels) if label == "BIRTH_DATE" and not parts[i]]
    return days_[0] if days_ and any(parts) else -1


def agrees(which: str, value: str, day: str) -> bool:
    """Whether a part is that of a whole day."""
    return value.strip().isdecimal() and _parts(which, day) == {int(value)}


def told(which: str, day: str) -> str:
    """The part of what became of a day; nothing if that no longer has it."""
    if which == YEAR and _YEAR.fullmatch(day):
        return day
    found = _parts(which, day)
    return str(found.pop()) if len(found) == 1 else ""


def _parts(which: str, day: str) -> set[int]:
    return {getattr(one, which) for one in days.read(day)}
