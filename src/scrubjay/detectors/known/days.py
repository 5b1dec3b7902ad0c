"""A known day however it is written: in numbers, in any order, with a month's name."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache

from scrubjay.detectors.known.names import DERIVED, EXACT, WEAK
from scrubjay.detectors.known.plain import TOKEN, Plain, fold
from scrubjay.operators import calendar
from scrubjay.types import Finding

PIVOT = 2030  # the latest year that two digits of a known date can mean
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[t ][\d:.,z+\-]*)?")
Triple = tuple[int, int, int]
_BETWEEN = re.compile(r"[ ]?[-/.][ ]?|[ ]|[ ]?[年월月년][ ]?")
_PAIR = re.compile(r"(\d{1,2})[/.-](\d{1,2})")
_CUE = re.compile(
    r"(?:born|birth|birthday|bday|dob|geb|geboren|nacid[oa]|nee?)[^\w\n]{1,3}(?:on )?$"
)
_OF = r"(?:[ ]?(?:of|de|del|di|do|den|d')(?![^\W\d_]))?"
_DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th|er|ste|de|:e|[°.oa])?(?!\d)"
_YEAR = r"(?:'?(?P<y>\d{2})|(?P<Y>\d{4}))(?![\d:])"
_LEFT = re.compile(
    rf"(?:(?<!\d)(?P<Z>\d{{4}})[\s,./-]{{1,3}})?(?:(?<![\d.])(?P<d>\d{{1,2}})"
    rf"(?:st|nd|rd|th|er|ste|de|:e|[°.oa])?{_OF}[\s./-]{{0,3}})?$"
)
_RIGHT_YEAR = re.compile(rf"\.?{_OF}[\s,./-]{{0,3}}{_YEAR}")
_RIGHT = re.compile(rf"\.?[\s./-]{{0,3}}(?:the[ ])?{_DAY}(?:{_OF}(?:[\s,]{{1,2}}|[/-]){_YEAR})?")


@cache
def months() -> dict[int, frozenset[str]]:
    """Number -> its names in all languages, folded."""
    known: dict[int, set[str]] = {}
    for name, styles in calendar.styles("months").items():
        folded = TOKEN.findall(fold(name))
        if len(folded) == 1 and folded[0].isalpha():
            for _, index in styles:
                known.setdefault(index + 1, set()).add(folded[0])
    return {month: frozenset(names) for month, names in known.items()}


def read(value: str) -> set[datetime.date]:
    """The days that a value can mean: 03/04/1950 is two; none if it is no whole date."""
    value = fold(value.strip())
    if _ISO.fullmatch(value):
        with suppress(ValueError):
            return {datetime.date.fromisoformat(value[:10])}
    found: set[datetime.date] = set()
    for order in ("mdy", "dmy"):
        stamps = calendar.read(value, calendar.Hints(order=order, pivot=PIVOT))
        found.update(s.date for s in stamps if s.precision == "day" and s.told)
    return found


class Days:
    """Days with their labels, by every way to write them."""

    def __init__(self) -> None:
        self._whole: dict[Triple, str] = {}  # (year, month, day) -> label
        self._short: dict[Triple, str] = {}  # the same with two digits of the year
        self._pairs: dict[tuple[int, int], str] = {}  # (month, day)
        self._months: dict[int, list[tuple[datetime.date, str]]] = {}
        self.years: set[str] = set()

    def add(self, value: str, label: str) -> bool:
        """Whether the value was understood; its days are looked for from now on."""
        days = read(value)
        for day in days:
            self._add(day, label)
        return bool(days)

    def _add(self, day: datetime.date, label: str) -> None:
        y, m, d = day.year, day.month, day.day
        self._whole.setdefault((y, m, d), label)
        self._short.setdefault((y % 100, m, d), label)
        self._pairs.setdefault((m, d), label)
        self.years.add(f"{y % 100:02}")
        self._months.setdefault(m, []).append((day, label))

    @property
    def words(self) -> frozenset[str]:
        """Names of the months of these days."""
        return frozenset().union(*(months()[month] for month in self._months))

    def at(self, plain: Plain, groups: list[tuple[int, int]], index: int) -> Finding | None:
        """The date that begins with a group of digits."""
        start, end = groups[index]
        number = plain.folded[start:end]
        if len(number) in (6, 8, 12, 14):
            known = self._run(number[:8] if len(number) > 8 else number)
            return _finding(start, end, known) if known else None
        if len(number) > 4:
            return None
        told = [int(number)]
        for begin, stop in groups[index + 1 : index + 3]:
            if stop - begin > 4 or not _BETWEEN.fullmatch(plain.folded, end, begin):
                break
            told.append(int(plain.folded[begin:stop]))
            end = stop
        if len(told) == 3 and (known := self._triple(*told)):
            return _finding(start, end + plain.folded.startswith(("日", "일"), end), known)
        return None

    def _triple(self, a: int, b: int, c: int) -> tuple[str, float] | None:
        """What three numbers mean: 1950 3 4, 4.3.1950, 3/4/1950, 4.3.50, 3/4/50, 50-3-4."""
        orders = (a, b, c), (c, b, a), (c, a, b)
        if label := _first(self._whole, orders):
            return label, EXACT
        label = _first(self._short, orders)
        return (label, DERIVED) if label else None

    def _run(self, digits: str) -> tuple[str, float] | None:
        """What a run of digits means: 19500304, 04031950, 03041950, 040350, 030450."""
        a, b, rest = int(digits[:2]), int(digits[2:4]), int(digits[4:])
        if len(digits) == 6:
            label = _first(self._short, ((rest, b, a), (rest, a, b)))
            return (label, WEAK) if label else None
        year_first = int(digits[:4]), int(digits[4:6]), int(digits[6:])
        label = _first(self._whole, (year_first, (rest, b, a), (rest, a, b)))
        return (label, EXACT) if label else None

    def pair(self, plain: Plain, start: int, end: int) -> Iterator[Finding]:
        """A day and month in numbers, after a cue: "born 3/4"."""
        told = _PAIR.fullmatch(plain.folded, start, end)
        if told is None:
            return
        a, b = int(told[1]), int(told[2])
        label = self._pairs.get((a, b)) or self._pairs.get((b, a))
        if label and _CUE.search(plain.folded, max(0, start - 24), start):
            yield Finding(start, end, label, WEAK, "weak")

    def beside(self, plain: Plain, start: int, end: int) -> Iterator[Finding]:
        """The dates around a month's name."""
        word = plain.folded[start:end]
        for month, days in self._months.items():
            for day, label in days if word in months()[month] else ():
                if found := _around(plain.folded, start, end, day):
                    yield Finding(found[0], found[1], label, found[2], "day")


def _first(known: dict[Triple, str], sought: tuple[Triple, ...]) -> str:
    return next((known[one] for one in sought if one in known), "")


def _finding(start: int, end: int, known: tuple[str, float]) -> Finding:
    return Finding(start, end, known[0], known[1], "day")


def _around(folded: str, start: int, end: int, day: datetime.date) -> tuple[int, int, float] | None:
    """Where this day is written around its month's name, and how certain that is."""
    left = _LEFT.search(folded, max(0, start - 24), start)
    if left and left["d"] and int(left["d"]) == day.day:
        year = _RIGHT_YEAR.match(folded, end)
        if year and _is_year(year["Y"], year["y"], day):
            return left.start("d"), year.end(), EXACT
        if year is None or year["Y"] is None:
            return left.start("d"), end, WEAK
    right = _RIGHT.match(folded, end)
    if right is None or int(right["d"]) != day.day:
        return None
    if _is_year(right["Y"], right["y"], day):
        return start, right.end(), EXACT
    if left and left["Z"] and left["d"] is None and int(left["Z"]) == day.year:
        return left.start("Z"), right.end("d"), EXACT
    return (start, right.end("d"), WEAK) if right["Y"] is None else None


def _is_year(long: str | None, short: str | None, day: datetime.date) -> bool:
    return int(long) == day.year if long else int(short or -1) == day.year % 100
