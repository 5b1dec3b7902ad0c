"""Numbers of licences, providers, passports and records."""

from __future__ import annotations

import re

from scrubjay.detectors.checks.general import luhn
from scrubjay.detectors.checks.identity import icao

_DAY, _MONTH = "(?:0?[1-9]|[12][0-9]|3[01])", "(?:0?[1-9]|1[0-2])"
_DATE = re.compile(
    rf"(?:{_MONTH}[-/.]{_DAY}|{_DAY}[-/.]{_MONTH})(?:[-/.](?:[0-9][0-9])?[0-9][0-9])?"
    rf"|(?:19|20)[0-9][0-9](?:[-/.]{_MONTH}(?:[-/.]{_DAY})?)?"
    rf"|{_MONTH}[-/](?:19|20)[0-9][0-9]|(?:19|20)[0-9][0-9][-/](?:19|20)?[0-9][0-9]"
)
_MEASURE = re.compile(
    r"\d+(?:\.\d+)?(?:mg|mcg|ug|g|kg|ml|cm|mm|yo|y|hrs?|am|pm|th|st|nd|rd|x)", re.I
)

# What a driver licence looks like, state by state (AAMVA jurisdictions' published formats).
_STATES = re.compile(
    r"\d{4,14}|\d{16}"  # AK AL AR AZ CT DC DE GA HI LA MT NC NM NV NY OR PA SC SD TN TX UT WY ...
    r"|[A-Z]\d{3,14}|[A-Z]\d{18}"  # AZ CA CO FL HI IL IN KS KY MA MD MI MN MO NE NJ NY OH OK VA WI
    r"|[A-Z]{2}\d{2,7}|[A-Z]{2}\d{6}[A-Z]|[A-Z]{3}\d{6}"  # CO OH WV; ID; ND
    r"|\d{3}[A-Z]{2}\d{4}|\d{2}[A-Z]{3}\d{5}|NH[A-Z]\d{8}"  # IA; NH
    r"|[A-Z]\d[A-Z]\d[A-Z]|\d{7,9}[A-Z]|\d{8}[A-Z]{2}|\d{3}[A-Z]\d{6}|[A-Z]\d{6}R"  # KS; ME VT MO
    r"|WDL[A-Z0-9]{9}|[A-Z][A-Z*]{4,6}[A-Z0-9*]{5,7}"  # WA
)


def identifier(value: str) -> bool:
    """Could number a person or a thing: neither a date, a year, a time nor an amount."""
    digits = sum(map(str.isdigit, value))
    if digits < 3 and not (digits == 2 and len(value) > 4):
        return False
    return not (_DATE.fullmatch(value) or _MEASURE.fullmatch(value))


def long_identifier(value: str) -> bool:
    """As `identifier`, of five digits and letters or more."""
    return identifier(value) and sum(map(str.isalnum, value)) >= 5


def us_driver(value: str) -> bool:
    """One of the formats of the fifty states and DC."""
    plain = re.sub(r"[^A-Z0-9*]", "", value.upper())
    return identifier(value) and _STATES.fullmatch(plain) is not None


def npi(value: str) -> bool:
    """45 CFR 162.406: Luhn over the number with 80840 before it."""
    return value[0] in "12" and luhn("80840" + value)


def dea(value: str) -> bool:
    """21 CFR 1301.35: first, third and fifth digit and twice the others."""
    digits = [int(c) for c in value if c.isdigit()]
    return (sum(digits[0:6:2]) + 2 * sum(digits[1:6:2])) % 10 == digits[6]


def mrz(value: str) -> bool:
    """ICAO 9303 parts 4 to 6: the numbered line of a passport, visa or card."""
    if len(value) == 30:
        return icao(value[:7]) and icao(value[8:15])
    if len(value) not in {36, 44}:
        return False
    return icao(value[:10]) and icao(value[13:20]) and icao(value[21:28])


def mrz_name(value: str) -> bool:
    """ICAO 9303: the line with the name fills one of three widths."""
    return len(value) in {30, 36, 44}


def uk_driver(value: str) -> bool:
    """DVLA: five of the name, decade, month (+5 for women), day, year, initials, check."""
    plain = value.replace(" ", "").upper()
    month, day = int(plain[6:8]), int(plain[8:10])
    return (1 <= month <= 12 or 51 <= month <= 62) and 1 <= day <= 31


def lanr(value: str) -> bool:
    """Lebenslange Arztnummer: six digits weighted 4 and 9, the seventh checks (KBV)."""
    digits = [int(c) for c in value]
    total = sum(d * w for d, w in zip(digits[:6], (4, 9) * 3, strict=True))
    return -total % 10 == digits[6]


def health_card(value: str) -> bool:
    """ISO/IEC 7812 card of a health insurer: 80, the country, Luhn."""
    return luhn(value)


def medicaid(value: str) -> bool:
    """Eight to sixteen places, as the states' recipient numbers have."""
    return identifier(value) and 8 <= sum(map(str.isalnum, value)) <= 16


def vat(value: str) -> bool:
    """Eight to twelve digits."""
    return identifier(value) and 8 <= sum(map(str.isdigit, value)) <= 12


def driver(value: str) -> bool:
    """Six places or more, as every country's licence has but a few oldest ones."""
    return identifier(value) and 6 <= sum(c.isalnum() or c == "*" for c in value) <= 20


def passport(value: str) -> bool:
    """Six to eleven places, five digits and more or letters among them."""
    plain = [c for c in value if c.isalnum()]
    return identifier(value) and 6 <= len(plain) <= 11 and sum(map(str.isdigit, plain)) >= 3
