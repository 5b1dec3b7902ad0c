"""Move every date of a subject by the same secret number of days: intervals stay, dates go.

The offset is HMAC-derived from the key and the document's group, with a domain from the subject's
own key; without a group from the document's id, without an id from its text, so that only dates of
one document move together.
It is never zero. Dates keep their form and precision. What is not understood as a date is taken
out: shifting what is no date gave offsets away in a published release (10.1093/jamia/ocac147).

Shift and truncate (10.1093/jamia/ocw001): with `first` and `last`, the dates that bound the source
data, a shifted date within `days` of a bound is taken out, as it would rule some offsets out. A
date that stays is possible under every offset there is.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from typing import Annotated, Literal

from msgspec import Meta, Struct

from scrubjay import labels, plugins
from scrubjay.errors import PolicyError
from scrubjay.operators import Scene, calendar, own_key
from scrubjay.types import Document, Finding

AHEAD = 5  # years after today that two digits can mean, appointments and expiry dates


class Bearings(Struct, frozen=True):
    """What a document's dates say together."""

    hints: calendar.Hints
    birth: calendar.Hints


class Window(Struct, frozen=True):
    """Where released dates may lie."""

    first: datetime.date = datetime.date.min
    last: datetime.date = datetime.date.max


def shift(
    *,
    days: Annotated[int, Meta(ge=1, le=36500)] = 365,
    weeks: bool = False,
    first: str = "",
    last: str = "",
    times: Literal["keep", "suppress"] = "keep",
    age_cap: Annotated[int, Meta(ge=0)] = 89,
) -> plugins.Operator:
    """At most `days` either way, in whole `weeks` where weekdays matter. `times` of day are kept or
    set to zero. Dates that tell an age over `age_cap` are taken out (0: they are not)."""
    if weeks and days < 7:
        raise PolicyError("operator shift.v1, option 'days': at least 7 with weeks")
    window = _window(first, last, days)

    def operate(value: str, finding: Finding, scene: Scene) -> str:
        if "TIME" in labels.lineage(finding.label):
            return value if times == "keep" else f"[{finding.label}]"
        hints = hints_for(finding, scene)
        spread = calendar.spread(value)
        stamps = calendar.read(spread, hints)
        if not stamps or (age_cap and any(too_old(stamp, scene, age_cap) for stamp in stamps)):
            return f"[{finding.label}]"
        moved = _moved(stamps, offset(scene, days, weeks), window)
        if not moved:
            return f"[{finding.label}]"
        told = calendar.write(spread, stamps, moved, hints)
        told = told if spread == value else calendar.gather(told)
        return told if times == "keep" else _without_times(told)

    return operate


def offset(scene: Scene, days: int, weeks: bool) -> int:
    """The days this document's dates move: -days to days, never 0."""
    step = 7 if weeks else 1
    most = days // step
    number = own_key(scene).number(2 * most, "shift.v1", *subject(scene.document))
    return step * (number - most if number < most else number - most + 1)


def subject(document: Document) -> tuple[str, str]:
    """Whose dates move together, and how that is known."""
    if document.group:
        return "group", document.group
    if document.id:
        return "id", document.id
    return "text", hashlib.sha256(document.text.encode("utf-8", "surrogatepass")).hexdigest()


def hints_for(finding: Finding, scene: Scene) -> calendar.Hints:
    """How to read this finding's value, by the rest of its document."""
    bearings: Bearings | None = scene.notes.get("dates")
    if bearings is None:
        bearings = scene.notes["dates"] = _bearings(scene)
    return bearings.birth if finding.label == "BIRTH_DATE" else bearings.hints


def too_old(stamp: calendar.Stamp, scene: Scene, cap: int = 89, by_decade: bool = False) -> bool:
    """A year by which somebody can be older than the cap, 45 CFR 164.514(b)(2)(i)(C)."""
    if not stamp.told or stamp.precision == "weekday":
        return False
    decade = by_decade or stamp.precision == "decade"
    return stamp.date.year // (10 if decade else 1) * (10 if decade else 1) < scene.today.year - cap


NUMERIC = re.compile(r"(?<![0-9])([0-9]{1,2})[-/.]([0-9]{1,2})[-/.](?:[0-9]{4}|[0-9]{2})(?![0-9])")


def _bearings(scene: Scene) -> Bearings:
    text = scene.document.text
    dates = [f for f in scene.findings if "DATE" in labels.lineage(f.label)]
    values = [text[f.start : f.end] for f in dates]
    language = scene.document.language
    order, padded = _order(values, language), _pads(values)
    hints = calendar.Hints(order, language, scene.today.year, scene.today.year + AHEAD, padded)
    events = [v for f, v in zip(dates, values, strict=True) if f.label == "DATE"]
    year = _usual_year(events, hints)
    hints = calendar.Hints(order, language, year, hints.pivot, padded)
    return Bearings(hints, calendar.Hints(order, language, year, scene.today.year, padded))


def _order(values: list[str], language: str) -> str:
    """Day or month first: any number over 12 tells; the language, where none does."""
    pairs = [(int(m[1]), int(m[2])) for v in values for m in NUMERIC.finditer(v)]
    day_first = sum(first > 12 for first, _ in pairs)
    month_first = sum(second > 12 for _, second in pairs)
    if day_first == month_first:
        return calendar.usual_order(language)
    return "dmy" if day_first > month_first else "mdy"


def _pads(values: list[str]) -> bool:
    numbers = [n for v in values for m in NUMERIC.finditer(v) for n in m.groups()]
    return any(n[0] == "0" for n in numbers) or all(len(n) == 2 for n in numbers)


def _usual_year(values: list[str], hints: calendar.Hints) -> int:
    """The year most dates of the document are in, the later of equals: that of March 3."""
    stamps = [s for v in values for s in calendar.read(v, hints)]
    years = [s.date.year for s in stamps if s.told and s.precision in ("day", "month")]
    return max(set(years), key=lambda year: (years.count(year), year), default=hints.year)


def _window(first: str, last: str, days: int) -> Window:
    try:
        margin = datetime.timedelta(days)
        low = datetime.date.fromisoformat(first) + margin if first else datetime.date.min
        high = datetime.date.fromisoformat(last) - margin if last else datetime.date.max
    except (ValueError, OverflowError):
        raise PolicyError("operator shift.v1, options 'first', 'last': as 2024-12-31") from None
    return Window(low, high)


def _moved(stamps: list[calendar.Stamp], by: int, window: Window) -> list[datetime.date]:
    """The new dates, or none if one of them cannot be released."""
    try:
        moved = [stamp.date + datetime.timedelta(by) for stamp in stamps]
    except OverflowError:
        return []
    for stamp, date in zip(stamps, moved, strict=True):
        outside = not window.first <= date <= window.last and stamp.precision != "weekday"
        if outside or date.year < 1000:
            return []
    return moved


def _without_times(value: str) -> str:
    """T09:30:00Z -> T00:00:00Z."""
    for start, end in calendar.times(value):
        value = value[:start] + re.sub("[0-9]", "0", value[start:end]) + value[end:]
    return value
