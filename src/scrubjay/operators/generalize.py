"""Say it less exactly: a year for a date, three digits for a ZIP code, 90+ for 92 (ISO/IEC 20889:
generalization). What has no coarser form that is safe becomes its label, `[CITY]`.

The output of an operator of these options is its own output again: nothing gets coarser twice.
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from msgspec import Meta, Struct

from scrubjay import labels, plugins
from scrubjay.operators import Scene, ages, calendar, dates
from scrubjay.types import Finding

Census = Literal["2020", "2010", "2000"]
DatePart = Literal["year", "month", "decade"]


class Degree(Struct, frozen=True):
    """How coarse: the options of the operator."""

    zip_table: Census
    date: DatePart
    age_cap: int
    age_band: int
    digits: int


def generalize(
    *,
    zip_table: Census = "2020",
    date: DatePart = "year",
    age_cap: Annotated[int, Meta(ge=1)] = 89,
    age_band: Annotated[int, Meta(ge=0, le=50)] = 0,
    digits: Annotated[int, Meta(ge=0, le=6)] = 1,
) -> plugins.Operator:
    """`zip_table`: the census that says which prefixes are small. `date`: what stays of a date.
    Ages over `age_cap` become one; `age_band` puts the others in bands, 0: they stay. `digits`:
    decimals of coordinates, 1 is about 10 km."""
    degree = Degree(zip_table, date, age_cap, age_band, digits)

    def operate(value: str, finding: Finding, scene: Scene) -> str:
        for label in labels.lineage(finding.label):
            if label in COARSER:
                return COARSER[label](value, finding, scene, degree) or f"[{finding.label}]"
        return f"[{finding.label}]"

    return operate


def _zip(value: str, finding: Finding, scene: Scene, degree: Degree) -> str:
    match = re.fullmatch(r"([0-9]{3})(?:[0-9]{2}(?:[-\s]?[0-9]{4})?)?", value.strip())
    return zip3(match[1], degree.zip_table) if match else ""


def zip3(prefix: str, census: Census = "2020") -> str:
    """The prefix, or 000 where 20,000 people or fewer live, 45 CFR 164.514(b)(2)(i)(B)."""
    areas = _areas()
    return prefix if prefix in areas["populated"] and prefix not in areas[census] else "000"


@cache
def _areas() -> dict[str, frozenset[str]]:
    path = files("scrubjay.operators").joinpath("lists", "postal.toml")
    table = tomllib.loads(path.read_text("utf-8"))
    rows = table.pop("restricted") | table
    return {name: frozenset(_unrolled(told)) for name, told in rows.items()}


def _unrolled(told: str) -> Iterator[str]:
    """`009-011 AB` -> 009 010 011 AB"""
    for run in told.split():
        first, dash, last = run.partition("-")
        yield from (f"{n:03}" for n in range(int(first), int(last) + 1)) if dash else (run,)


def _postal(value: str, finding: Finding, scene: Scene, degree: Degree) -> str:
    """ZIP+4 can only be American, five digits in an English text are; UK and Canada keep their
    letters. Other codes name areas too small, or too different from country to country."""
    code = value.strip().upper()
    english = scene.document.language.casefold().startswith("en")
    if re.fullmatch(r"[0-9]{5}-[0-9]{4}", code) or (english and re.fullmatch(r"[0-9]{5}", code)):
        return zip3(code[:3], degree.zip_table)
    if re.fullmatch(r"[0-9]{3}", code):
        return zip3(code, degree.zip_table)
    areas = _areas()
    if code in areas["uk"] | areas["canada"]:
        return code
    british = re.fullmatch(r"([A-Z]{1,2})[0-9][A-Z0-9]?\s*[0-9][A-Z]{2}", code)
    if british and british[1] in areas["uk"]:
        return british[1]
    canadian = re.fullmatch(r"([A-Z])[0-9][A-Z][\s-]?[0-9][A-Z][0-9]", code)
    return canadian[1] if canadian and canadian[1] in areas["canada"] else ""


def _date(value: str, finding: Finding, scene: Scene, degree: Degree) -> str:
    """The years, months or decades of the dates. One that tells an age over the cap takes all."""
    hints = dates.hints_for(finding, scene)
    stamps = calendar.read(calendar.spread(value), hints)
    known = [stamp for stamp in stamps if _dated(stamp, stamps)]
    decade = degree.date == "decade"
    if any(dates.too_old(stamp, scene, degree.age_cap, decade) for stamp in known):
        return ""
    told = dict.fromkeys(_part(stamp, degree.date) for stamp in known)
    return ("/" if degree.date == "month" else "-").join(told)


def _dated(stamp: calendar.Stamp, stamps: list[calendar.Stamp]) -> bool:
    """It has a year, or takes that of another date in its value."""
    others = any(s.told and s.precision in ("day", "month") for s in stamps)
    return stamp.precision != "weekday" and (stamp.told or others)


def _part(stamp: calendar.Stamp, part: DatePart) -> str:
    if part == "decade" or stamp.precision == "decade":
        return f"{stamp.date.year // 10}0s"
    if part == "month" and stamp.precision in ("day", "month"):
        return f"{stamp.date.year:04}-{stamp.date.month:02}"
    return f"{stamp.date.year:04}"


def _age(value: str, finding: Finding, scene: Scene, degree: Degree) -> str:
    """45 CFR 164.514(b)(2)(i)(C): over 89 is one category, 90 or older."""
    if value.strip() == f"{degree.age_cap + 1}+":
        return value.strip()
    age = ages.read(value)
    if age is None:
        return ""
    if age.high > degree.age_cap:
        plus = scene.document.text[finding.end : finding.end + 1] == "+"  # "90+" stands there
        return f"{degree.age_cap + 1}{'' if plus else '+'}"
    if degree.age_band:
        return _banded(age, degree)
    return value if ages.alone(value) else str(age.low) if age.exact else ""


def _banded(age: ages.Age, degree: Degree) -> str:
    band = degree.age_band
    low, high = age.low // band * band, age.high // band * band + band - 1
    return f"{low}-{min(high, degree.age_cap)}"


NUMBER = re.compile(r"[-+−]?[0-9]{1,3}(?:\.[0-9]+)?")


def _coordinates(value: str, finding: Finding, scene: Scene, degree: Degree) -> str:
    """Two decimal degrees, each rounded in its place; any other geocode is too exact."""
    decimal = rf"\s*[NSEWnsew]?\s*{NUMBER.pattern}\s*°?\s*[NSEWnsew]?\s*"
    if not re.fullmatch(rf"(?:geo:)?\(?{decimal}[,;\s/]{decimal}\)?", value):
        return ""
    return NUMBER.sub(lambda match: _rounded(match[0], degree.digits), value)


def _rounded(number: str, digits: int) -> str:
    given = len(number.partition(".")[2])
    sign = number[0] if number[0] in "+-−" else ""
    return f"{sign}{float(number.removeprefix(sign)):.{min(digits, given)}f}"


def _ip(value: str, finding: Finding, scene: Scene, degree: Degree) -> str:
    """The /24 or /48 network; a wider one stays."""
    try:
        found = ipaddress.ip_interface(value.strip().strip("[]"))
    except ValueError:
        return ""
    widest = 24 if found.version == 4 else 48
    narrow = found.network.prefixlen > widest
    return str(found.network.supernet(new_prefix=widest) if narrow else found.network)


COARSER: dict[str, Callable[[str, Finding, Scene, Degree], str]] = {
    "ZIP": _zip,
    "POSTAL_CODE": _postal,
    "DATE": _date,
    "AGE": _age,
    "COORDINATES": _coordinates,
    "IP": _ip,
}
