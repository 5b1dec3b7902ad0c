"""Read an age in words or digits, in years."""

from __future__ import annotations

import re

from msgspec import Struct

ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
ONES += " fifteen sixteen seventeen eighteen nineteen"
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
DECADES = "twenties thirties forties fifties sixties seventies eighties nineties"
PEOPLE = {
    "newborn": 0, "neonate": 0, "infant": 0, "teenager": 19, "teen": 19, "teens": 19,
    "quadragenarian": 49, "quinquagenarian": 59, "sexagenarian": 69, "septuagenarian": 79,
    "octogenarian": 89, "nonagenarian": 99, "centenarian": 109, "supercentenarian": 119,
}  # fmt: skip
PER_YEAR = {"d": 365.25, "w": 52.18, "m": 12.0, "h": 8766.0}


# What may stand beside an age and says nothing else.
ASIDE = """
    a about above age aged ages almost alt an and anni anno ano anos ans approx approximately
    around at año años below between d day days de día días early edad end età f few h half he
    her his hour hours hr hrs hundred idade in is ish jaar jahr jahre jahren jahrige jour jours
    just jährig jährige jähriger lat late less m maand maanden mes mese meses mesi mid middle mo
    mois mon monat monate monaten mons month months more mos mth mths nd nearly now o odd of old
    older or oud over past plus rd s semaine semaines semana semanas she some something st tag
    tage tagen th than the their these this to turned under until up vuotta w was week weeks who
    wk wks woche wochen y year years yo yof yom young younger yr yrs âge âgé âgée år
"""
BESIDE = frozenset(ASIDE.split())


class Age(Struct, frozen=True):
    """Youngest and oldest year the words allow. `exact`: one age, not "in her forties"."""

    low: int
    high: int
    exact: bool = True


def _words() -> dict[str, int]:
    ones = ONES.split()
    known = {word: number for number, word in enumerate(ones)}
    for ten, word in enumerate(TENS.split(), start=2):
        known[word] = 10 * ten
        known |= {f"{word}-{ones[n]}": 10 * ten + n for n in range(1, 10)}
    return known


WORDS = _words()
NUMBER = re.compile(
    r"(?<![0-9.])(?P<n>[0-9]{1,4}(?:\.[0-9]+)?)(?:[\s-]?(?P<u>d(?:ays?)?|w(?:ee)?ks?|m(?:on)?ths?|mos?|"
    r"hours?|hrs?|tage?|wochen?|monate?n?|jours?|semaines?|mois|días?|semanas?|mes(?:es)?)\b"
    r"|[\s-]?(?P<y>y|jahre?|ans?\b|años?))?"
)
BETWEEN = re.compile(r"(?<=[a-z])[\s-]+(?=(?:" + "|".join(ONES.split()[1:10]) + r")\b)")


def read(value: str) -> Age | None:
    """The age, or None if no number can be made out."""
    folded = BETWEEN.sub("-", value.casefold().replace("‑", "-").replace("–", "-"))
    decade = _decade(folded)
    if decade is not None:
        return Age(decade, decade + 9, exact=False)
    years = _counted(folded) + _said(folded)
    if not years:
        return next((Age(n, n, exact=False) for w, n in PEOPLE.items() if _has(folded, w)), None)
    return Age(int(min(years)), int(max(years)), len(set(years)) == 1) if len(years) < 5 else None


def alone(value: str) -> bool:
    """Whether an age is all that it says: a field of ages may hold a sentence."""
    words = re.findall(r"[^\W\d_]+", value.casefold())
    return len(value) <= 80 and all(
        word in BESIDE or word in WORDS or word in PEOPLE or word in DECADES.split()
        for word in words
    )


def _counted(folded: str) -> list[float]:
    """Every number with its own unit: `18 months` is one year, `2 years 3 months` is two.
    A number without a unit counts years."""
    found = list(NUMBER.finditer(folded))
    years = [match for match in found if not match["u"]]
    return [float(m["n"]) / (PER_YEAR[_kind(m["u"])] if m["u"] else 1) for m in years or found]


def _kind(unit: str) -> str:
    """d, w, m or h; German days and French and Spanish weeks by their own first letters."""
    own = {"t": "d", "j": "d", "s": "w"}
    return own.get(unit[0], unit[0])


def _decade(folded: str) -> int | None:
    """in her nineties, late 40s, 90's"""
    digits = re.search(r"(?<![0-9])([1-9]|1[0-2])0['’]?s\b", folded)
    if digits:
        return 10 * int(digits[1])
    for ten, word in enumerate(DECADES.split(), start=2):
        if _has(folded, word):
            return 10 * ten
    return None


def _said(folded: str) -> list[float]:
    """Numbers in words. A hundred of anything is a hundred or more."""
    if _has(folded, "hundred"):
        return [100.0]
    words = re.findall(r"[a-z]+(?:-[a-z]+)*", folded)
    return [float(number) for word in words if (number := _spelled(word)) is not None]


def _spelled(word: str) -> int | None:
    """`ninety-two`, also as the beginning of `ninety-two-year-old`."""
    parts = word.split("-")
    return next((WORDS[w] for w in ("-".join(parts[:2]), parts[0]) if w in WORDS), None)


def _has(folded: str, word: str) -> bool:
    return re.search(rf"\b{word}\b", folded) is not None
