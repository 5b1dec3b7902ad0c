"""Read the dates in a value, and print others in the form they were written in.

`read` gives one Stamp per date, or none at all if any part of the value is not understood: a wrong
reading would be printed as a wrong date, so it is better to have none.
"""

from __future__ import annotations

import datetime
import re
import tomllib
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import Struct

from scrubjay.recent import remembered

YEARS = range(1800, 2200)
LONGEST = 120  # code points; a longer value is not a date, and the patterns below backtrack


class Style(Struct, frozen=True):
    """Twelve months or seven weekdays, written one way in one language; `short`: cut."""

    language: str
    names: tuple[str, ...]
    short: bool


class Hints(Struct, frozen=True):
    """What a value alone does not say: the order of 03/04, the language, the year of March 3,
    whether 10/12 is `padded`. `pivot` is the latest year that two digits can mean."""

    order: str = "mdy"
    language: str = "und"
    year: int = 2000
    pivot: int = 2099
    padded: bool = True


class Stamp(Struct, frozen=True):
    """One date in a value. `precision`: day, month, year, decade or weekday. A `fields` entry is
    (start, end, kind) of one of its parts in the value. `told`: the value itself gives the year."""

    precision: str
    date: datetime.date
    fields: tuple[tuple[int, int, str], ...]
    told: bool = True


@cache
def languages() -> dict[str, Any]:
    """The table of lists/calendar.toml."""
    path = files("scrubjay.operators").joinpath("lists", "calendar.toml")
    return tomllib.loads(path.read_text("utf-8"))


@cache
def styles(kind: str) -> dict[str, tuple[tuple[Style, int], ...]]:
    """Month or weekday name, folded -> the styles it occurs in, and its number there."""
    known: dict[str, tuple[tuple[Style, int], ...]] = {}
    for language, row in languages().items():
        for names in row[kind]:
            listed = tuple(names.split())
            style = Style(language, listed, max(map(len, listed)) < 6)
            for index, name in enumerate(style.names):
                known[_key(name)] = (*known.get(_key(name), ()), (style, index))
    return known


def _key(word: str) -> str:
    return unicodedata.normalize("NFC", word.casefold())


@cache
def _links() -> dict[str, frozenset[str]]:
    """Small words between dates -> their languages."""
    known: dict[str, set[str]] = {}
    for language, row in languages().items():
        for word in row["links"]:
            known.setdefault(word, set()).add(language)
    return {word: frozenset(told) for word, told in known.items()}


def usual_order(language: str) -> str:
    """dmy or mdy, where nothing but the language is known."""
    row = languages().get(language.partition("-")[0].casefold())
    return str(row["order"]) if row and language.casefold() not in ("en-gb", "en-au") else "mdy"


def named(word: str, kind: str, value: str, hints: Hints) -> tuple[Style, int] | None:
    """The style a name is in: of the document's language, else the one the value's small words
    speak for, else the first. None for a spelling that only looks alike, such as APRİL."""
    found = styles(kind).get(_key(word), ())
    small = [_links().get(w, frozenset()) for w in re.findall(r"[^\W\d_]+", value.casefold())]
    wanted = hints.language.partition("-")[0].casefold()
    short = _shortened(word, value)
    return max(
        found,
        key=lambda pair: (
            pair[0].language == wanted,
            sum(pair[0].language in told for told in small),
            pair[0].short == short,
        ),
        default=None,
    )


def _shortened(word: str, value: str) -> bool:
    """May is short for itself in 3-May-2024, 3 May 24, May '24 and May. 3."""
    name = re.escape(word)
    return (
        re.search(rf"{name}\.|-{name}-|{name}\s?['’]|[0-9]\s{name}\s[0-9]{{2}}(?![0-9])", value)
        is not None
    )


@cache
def _names(kind: str) -> str:
    return "|".join(sorted(map(re.escape, styles(kind)), key=len, reverse=True))


@cache
def _forms() -> dict[str, tuple[str, ...]]:
    """Every way to write a date, the more telling first, by what it is made of: numbers alone,
    numbers and a name (mixed), or a name in front (words). Regexes that are compiled when a value
    first needs them: all of them take a quarter of a second. Groups: y m d numbers, b month name,
    a and c numbers in unknown order, o ordinal ending, w weekday, x decade."""
    year = r"(?:['’](?P<y>[0-9]{2})|(?P<Y>[0-9]{4})(?!\s?[ap]\.?m))(?![0-9:])"
    any_year = r"(?:['’]?(?P<y>[0-9]{2})|(?P<Y>[0-9]{4}))(?![0-9:]|\s?[ap]\.?m)"
    month = rf"(?P<b>{_names('months')})(?![^\W\d_])\.?"
    day = r"(?P<d>[0-9]{1,2})(?P<o>st|nd|rd|th|er|ste|de|:e|[ºª°.])?(?![0-9])"
    of = r"(?:\s?(?:of|de|del|di|do|den|d[’'])(?![^\W\d_]))?"
    forms = [
        r"(?P<Y>(?:1[89]|2[01])[0-9]{2})(?P<m>0[1-9]|1[0-2])(?P<d>[0-3][0-9])"
        r"(?:T?(?P<t>[0-9]{4,6})(?:\.[0-9]+)?(?:Z|[+-][0-9]{4})?)?(?![0-9])",
        r"(?P<Y>[0-9]{4})(?P<s>\s?[-/.]\s?)(?P<m>[0-9]{1,2})(?P=s)(?P<d>[0-9]{1,2})(?![0-9])",
        r"(?P<Y>[0-9]{4})\s?[年년]\s?(?P<m>[0-9]{1,2})\s?[月월](?:\s?(?P<d>[0-9]{1,2})\s?[日일])?",
        rf"(?P<a>[0-9]{{1,2}})(?P<s>\s?[-/.]\s?)(?P<c>[0-9]{{1,2}})(?P=s){any_year}",
        rf"{day}{of}[\s./-]{{0,3}}{month}(?:{of}[\s,./-]{{0,3}}{any_year})?",
        rf"{month}[\s-]{{0,2}}(?:the\s)?{day}(?:{of}[\s,]{{1,2}}{any_year}|-(?P<Y2>[0-9]{{4}})(?![0-9]))?",
        rf"{month}{of}[\s,./-]{{0,3}}{year}",
        rf"{month}[\s./-]?(?P<y>[0-9]{{2}})(?![0-9:])",
        rf"(?P<Y>[0-9]{{4}})[\s,./-]{{1,3}}{month}(?:[\s./-]{{1,2}}{day})?",
        r"(?P<m>[0-9]{1,2})\s?[-/.]\s?(?P<Y>[0-9]{4})(?![0-9])",
        r"(?P<Y>(?:1[89]|2[01])[0-9]{2})[-/.](?P<m>0[1-9]|1[0-2])(?![0-9])",
        r"(?P<a>[0-9]{1,2})[-/.](?P<c>[0-9]{1,2})(?![0-9]|\s?(?:Uhr|hrs?|h|[ap]\.?m)\b)",
        month,
        r"(?P<x>(?:1[89]|2[01])[0-9])0(?:['’]?s)(?![^\W\d_])",
        r"(?:['’](?P<y>[0-9]{2})|(?P<Y>(?:1[89]|2[01])[0-9]{2}))(?![0-9:])",
        rf"(?P<w>{_names('weekdays')})(?![^\W\d_])\.?",
    ]
    begins = (month, "(?P<w>")
    return {
        "words": tuple(form for form in forms if form.startswith(begins)),
        "mixed": tuple(form for form in forms if not form.startswith(begins)),
        "numbers": tuple(form for form in forms if month not in form),
    }


@cache
def _form(regex: str) -> re.Pattern[str]:
    return re.compile(regex, re.IGNORECASE)


TIME = (
    r"(?:T|\bat\s|\bum\s|\bà\s)?[0-9]{1,2}(?::[0-9]{2}){1,2}(?:[.,][0-9]+)?\s?(?:[ap]\.?m\b\.?)?"
    r"\s?(?:Z\b|UTC\b|GMT\b|E[SD]T\b|[CMP][SD]T\b|Uhr\b|hrs?\b|h\b|[+-][0-9]{2}:?[0-9]{2}\b)?"
    r"|\b[0-9]{1,2}\s?(?:[ap]\.?m\b\.?|Uhr\b|h(?:[0-9]{2})?\b)|\b(?:[01][0-9]|2[0-3])[0-5][0-9]\s?(?:h|hrs)\b"
)


@cache
def _gap() -> re.Pattern[str]:
    """What may stand between dates and is printed as it is: times, small words, punctuation."""
    words = "|".join(sorted(map(re.escape, _links()), key=len, reverse=True))
    return re.compile(
        rf"(?P<time>{TIME})|\b(?:{words})(?![^\W\d_])|[\s.,;:()\[\]/–—\-&]", re.IGNORECASE
    )


def read(value: str, hints: Hints) -> list[Stamp]:
    """The dates in a value, in order; empty if it holds anything but dates."""
    return list(_read(value, hints)) if len(value) <= LONGEST else []


@remembered  # a log has the same second in many lines, a table the same day in many rows
def _read(value: str, hints: Hints) -> tuple[Stamp, ...]:
    stamps: list[Stamp] = []
    place = 0
    while place < len(value):
        stamp, end = _stamp(value, place, hints)
        gap = _gap().match(value, place) if stamp is None else None
        if stamp is None and gap is None:
            return ()
        stamps += [stamp] if stamp else []
        place = gap.end() if gap else end
    return tuple(_with_years(stamps))


@cache
def _ranges() -> tuple[tuple[str, str, str, str], ...]:
    """March 3-5, 2024 and its like: short form, its long form; long form, its short form."""
    month = rf"(?P<b>{_names('months')})"
    between = r"(?P<s>\s?(?:[-–&]|to|through|and|bis|und|al?|au|et|y|e)\s?)"
    first, second = (rf"(?P<{k}>[0-9]{{1,2}}(?:st|nd|rd|th|\.)?)" for k in "de")
    dot, edge, stop = r"(?P<n>[0-9]{1,2}\.)", r"(?<![0-9/.-])", r"(?![0-9]|[-/.][0-9])"
    return (
        (
            rf"{month}(?P<p>\.?\s){first}{between}{second}{stop}",
            r"\g<b>\g<p>\g<d>\g<s>\g<b>\g<p>\g<e>",
            rf"{month}(?P<p>\.?\s){first}{between}(?P=b)(?P=p){second}",
            r"\g<b>\g<p>\g<d>\g<s>\g<e>",
        ),
        (
            rf"{edge}{first}{between}{second}(?P<p>\s(?:of\s|de\s)?){month}",
            r"\g<d>\g<p>\g<b>\g<s>\g<e>\g<p>\g<b>",
            rf"{first}(?P<p>\s(?:of\s|de\s)?){month}{between}{second}(?P=p)(?P=b)",
            r"\g<d>\g<s>\g<e>\g<p>\g<b>",
        ),
        (
            rf"{edge}{first}(?P<s>\s?[-–]\s?){second}{dot}",
            r"\g<d>\g<n>\g<s>\g<e>\g<n>",
            rf"{first}{dot}(?P<s>\s?[-–]\s?){second}(?P=n)",
            r"\g<d>\g<s>\g<e>\g<n>",
        ),
    )


BETWEEN = re.compile(r"[0-9](?:st|nd|rd|th|\.)?\s?(?:[-–&]|[a-z]{1,7}\s)\s?[0-9]", re.IGNORECASE)


def spread(value: str) -> str:
    """The value with ranges in long form, every day with its month."""
    if len(value) > LONGEST or not BETWEEN.search(value):
        return value
    named = any(map(str.isalpha, value))
    for short, form, _, _ in _ranges() if named else _ranges()[2:]:
        if _form(short).search(value):
            return _form(short).sub(form, value, count=1)
    return value


def gather(value: str) -> str:
    """The value with ranges in short form, where both days are in one month."""
    for _, _, long, form in _ranges():
        if _form(long).search(value):
            return _form(long).sub(form, value, count=1)
    return value


def times(value: str) -> list[tuple[int, int]]:
    """Places of the times of day that stand beside dates in a value."""
    joined = re.finditer(r"(?<![0-9])[0-9]{8}T?(?P<t>[0-9]{4,6}(?:\.[0-9]+)?)", value)
    loose = re.finditer(TIME, value, re.IGNORECASE)
    return [m.span("t") for m in joined] + [m.span() for m in loose]


def _stamp(value: str, place: int, hints: Hints) -> tuple[Stamp | None, int]:
    if place and _runs_on(value[place - 1], value[place]):
        return None, place
    letters = value[place].isalpha()
    made = "words" if letters else "mixed" if any(map(str.isalpha, value)) else "numbers"
    for form in _forms()[made]:
        match = _form(form).match(value, place)
        stamp = _understood(match, value, hints) if match else None
        if match and stamp:
            return stamp, match.end()
    return None, place


def _runs_on(before: str, after: str) -> bool:
    """Both are digits, or both letters: no date starts between them."""
    return (before.isdigit() and after.isdigit()) or (before.isalpha() and after.isalpha())


def _understood(match: re.Match[str], value: str, hints: Hints) -> Stamp | None:
    parts = {kind: part for kind, part in match.groupdict().items() if part}
    if "w" in parts:
        return _weekday(match, value, hints)
    told = _numbers(parts, value, hints)
    if told is None:
        return None
    precision = "decade" if "x" in parts else _precision(told)
    year, month, day = told["y"], told.get("m", 7), told.get("d", 2 if "m" not in told else 15)
    try:
        date = datetime.date(year if year in YEARS else 0, month, day)
    except ValueError:
        return None
    known = bool(parts.keys() & {"y", "Y", "Y2", "x"}) or ("a" in parts and precision == "month")
    return Stamp(precision, date, _fields(match, told), known)


def _precision(told: dict[str, int]) -> str:
    return "day" if "d" in told else "month" if "m" in told else "year"


def _weekday(match: re.Match[str], value: str, hints: Hints) -> Stamp | None:
    """Two letters are a weekday only with a capital: `do`, `so` and `fr` are words, too."""
    word = match["w"]
    if len(word) < 3 and not word[0].isupper():
        return None
    found = named(word, "weekdays", value, hints)
    monday = datetime.date(2001, 1, 1)
    fields = ((*match.span("w"), "w"),)
    return Stamp("weekday", monday + datetime.timedelta(found[1]), fields) if found else None


def _numbers(parts: dict[str, str], value: str, hints: Hints) -> dict[str, int] | None:
    told: dict[str, int] = {"y": hints.year}
    for kind in ("m", "d"):
        if kind in parts:
            told[kind] = int(parts[kind])
    if "b" in parts:
        found = named(parts["b"], "months", value, hints)
        if found is None:
            return None
        told["m"] = found[1] + 1
    if "x" in parts:
        told["y"] = int(parts["x"]) * 10 + 5
    if year := parts.get("Y") or parts.get("Y2"):
        told["y"] = int(year)
    elif "y" in parts:
        told["y"] = full_year(int(parts["y"]), hints.pivot)
    return _ordered(told, parts, hints) if "a" in parts else _leap(told, parts)


def full_year(two: int, pivot: int) -> int:
    """The latest year that ends so and is not after the pivot."""
    return pivot - (pivot - two) % 100


def _ordered(told: dict[str, int], parts: dict[str, str], hints: Hints) -> dict[str, int] | None:
    """03/04: which is the day. 04/85 has none."""
    first, second = int(parts["a"]), int(parts["c"])
    if second > 31 and first <= 12 and not parts.keys() & {"y", "Y"}:
        return {"y": full_year(second, hints.pivot), "m": first}
    told["f"] = first > 12 or (second <= 12 and hints.order != "mdy")
    told["d"], told["m"] = (first, second) if told["f"] else (second, first)
    return _leap(told, parts)


def _leap(told: dict[str, int], parts: dict[str, str]) -> dict[str, int]:
    """February 29 without a year is of the leap year before."""
    if (told.get("m"), told.get("d")) == (2, 29) and not parts.keys() & {"y", "Y", "Y2"}:
        told["y"] = next((y for y in range(told["y"], 4, -1) if _is_leap(y)), 4)
    return told


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _fields(match: re.Match[str], told: dict[str, int]) -> tuple[tuple[int, int, str], ...]:
    kinds = {"y": "y", "Y": "y", "Y2": "y", "m": "m", "d": "d", "b": "b", "o": "o", "t": "t"}
    kinds["x"] = "x"
    if match.groupdict().get("a"):
        kinds |= _roles(told)
    found = [
        (*match.span(group), kind) for group, kind in kinds.items() if match.groupdict().get(group)
    ]
    return tuple(sorted(found))


def _roles(told: dict[str, int]) -> dict[str, str]:
    if "d" not in told:
        return {"a": "m", "c": "y"}
    return {"a": "d", "c": "m"} if told["f"] else {"a": "m", "c": "d"}


def _with_years(stamps: list[Stamp]) -> list[Stamp]:
    """3/14-3/18/24: a date without a year takes that of the next one in the value."""
    following: Stamp | None = None
    result: list[Stamp] = []
    for stamp in reversed(stamps):
        if stamp.told and stamp.precision in ("day", "month"):
            following = stamp
        elif following and not stamp.told:
            stamp = _before(stamp, following)
        result.append(stamp)
    return result[::-1]


def _before(stamp: Stamp, following: Stamp) -> Stamp:
    month, day = stamp.date.month, stamp.date.day
    later = (month, day) > (following.date.month, following.date.day)
    year = following.date.year - later
    if (month, day) == (2, 29) and not _is_leap(year):
        return stamp
    return Stamp(stamp.precision, datetime.date(year, month, day), stamp.fields, stamp.told)


def write(value: str, stamps: list[Stamp], dates: list[datetime.date], hints: Hints) -> str:
    """The value with each date in the place of the stamp of the same number."""
    pieces: list[str] = []
    place = 0
    for stamp, date in zip(stamps, dates, strict=True):
        padded = _padded(value, stamp, stamps, hints)
        for start, end, kind in stamp.fields:
            old = value[start:end]
            if kind in "md":
                new = f"{date.month if kind == 'm' else date.day:0{1 + padded}}"
            elif kind in "bw":
                new = _named_like(old, kind, value, date, hints)
            else:
                new = _printed(old, kind, stamp, date)
            pieces += [value[place:start], new]
            place = end
    return "".join(pieces) + value[place:]


def _named_like(old: str, kind: str, value: str, date: datetime.date, hints: Hints) -> str:
    found = named(old, "months" if kind == "b" else "weekdays", value, hints)
    index = date.month - 1 if kind == "b" else date.weekday()
    return cased_like(old, found[0].names[index]) if found else ""


def _printed(old: str, kind: str, stamp: Stamp, date: datetime.date) -> str:
    if kind == "y":
        return f"{date.year:04}" if len(old) == 4 else f"{date.year % 100:02}"
    if kind == "o":
        return _ending(old, stamp.date.day, date.day)
    return str(date.year // 10) if kind == "x" else old


def _padded(value: str, stamp: Stamp, stamps: list[Stamp], hints: Hints) -> bool:
    """One number below ten tells of all in the value. Where there is none: numbers have the
    document's padding, 14-Mar-2024 has it, 14 March 2024 and 2024年10月14日 have not."""
    fields = [field for each in stamps for field in each.fields]
    numbers = [value[start:end] for start, end, kind in fields if kind in "md"]
    if any(len(number) == 1 for number in numbers):
        return False
    if any(number[0] == "0" for number in numbers):
        return True
    places = {kind: (start, end) for start, end, kind in stamp.fields}
    if "b" in places and "d" in places:
        day, month = places["d"], places["b"]
        return value[day[1] : month[0]] == "-"
    return value.isascii() and hints.padded


def cased_like(old: str, new: str) -> str:
    """The new word in the old one's case."""
    if old.isupper() and len(old) > 1:
        return new.upper()
    return new[:1].upper() + new[1:] if old[:1].isupper() else new


def _ending(old: str, before: int, day: int) -> str:
    """3rd -> 14th, 1er -> 3; endings that are the same for every number stay."""
    folded = old.casefold()
    if folded in ("st", "nd", "rd", "th"):
        ending = "th" if 10 < day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
        return ending.upper() if old.isupper() else ending
    if folded in ("er", "º", "°") and before == 1 and day != 1:
        return ""
    return old
