"""Checks for payment cards, bank accounts and the numbers of customers."""

from __future__ import annotations

import re

from stdnum.iso7064 import mod_97_10

from scrubjay.detectors.checks.general import luhn

# First digits (from, to) and lengths of an issuer's cards, narrow ranges first.
_ISSUERS = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),  # Mastercard
    ("2200", "2204", (16, 17, 18, 19)),  # Mir
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("300", "305", (14, 16, 17, 18, 19)),  # Diners Club
    ("3095", "3095", (14, 16, 17, 18, 19)),
    ("36", "36", (14, 15, 16, 17, 18, 19)),
    ("38", "39", (14, 16, 17, 18, 19)),
    ("2131", "2131", (15,)),  # JCB
    ("1800", "1800", (15,)),
    ("35", "35", (16, 17, 18, 19)),
    ("6011", "6011", (16, 17, 18, 19)),  # Discover
    ("60", "60", (16,)),  # RuPay, Hipercard
    ("644", "649", (16, 17, 18, 19)),
    ("65", "65", (16, 17, 18, 19)),
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("81", "81", (16, 17, 18, 19)),
    ("0604", "0604", (12, 13, 14, 15, 16, 17, 18, 19)),  # Maestro
    ("50", "50", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("56", "58", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("6304", "6304", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("6390", "6390", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("67", "67", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("636", "639", (16, 17, 18, 19)),  # InterPayment, Elo
    ("9792", "9792", (16,)),  # Troy
)
# Lengths of IBANs: SWIFT registry 101, and the countries that use the form without being in it.
_IBAN_LENGTHS = {
    15: "NO",
    16: "BE",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "AO CV GW LY MZ PT ST",
    26: "DZ IR IS TR",
    27: "BI CF CG CM DJ FR GA GQ GR IT KM MC MG MR SM TD",
    28: "AL AZ BF BJ BY CI CY DO GT HN HU LB MA ML NE NI PL SN SV TG",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
_IBAN_COUNTRIES = {
    country: length for length, countries in _IBAN_LENGTHS.items() for country in countries.split()
}
_WEAK_LENGTHS = {12: 0.55, 13: 0.6, 14: 0.75}
_DATE = re.compile(r"\d{1,2}[-./]\d{1,2}[-./](?:\d\d){1,2}|(?:19|20)\d\d[-./]\d{1,2}[-./]\d{1,2}")


def card(value: str) -> bool | float:
    """An issuer's prefix and length, and ISO/IEC 7812-1's check digit. Short ones score less."""
    digits = "".join(filter(str.isdigit, value))
    if not _issued(digits) or not luhn(digits) or len(set(digits)) == 1:
        return False
    return _WEAK_LENGTHS.get(len(digits), 0.9)


def _issued(digits: str) -> bool:
    return any(
        low <= digits[: len(low)] <= high and len(digits) in lengths
        for low, high, lengths in _ISSUERS
    )


def card_length(value: str) -> bool:
    """A number called a card's: examples and typing errors fail the checksum."""
    return 12 <= sum(map(str.isdigit, value)) <= 19


def iban(value: str) -> bool:
    """ISO 13616 check digits. National checks are left out: test data seldom passes them."""
    bare = re.sub(r"[\s.-]", "", value).upper()
    known = _IBAN_COUNTRIES.get(bare[:2]) == len(bare)
    return known and bool(mod_97_10.is_valid(bare[4:] + bare[:4]))


def iban_length(value: str) -> bool:
    """What is called an IBAN may carry false check digits, as examples do."""
    return 13 <= sum(map(str.isalnum, value)) <= 36


def bic_with_digit(value: str) -> float:
    """A BIC that no ordinary word could be: a head office's XXX, or a digit after the country."""
    if len(value) == 11 and value.endswith("XXX"):
        return 0.8
    return 0.45 if len(value) == 11 and re.search(r"\d", value[6:]) else 0.3


def ifsc(value: str) -> float:
    """Branch codes are nearly always digits."""
    return 0.6 if value[5:].isdigit() else 0.35


def clabe(value: str) -> bool:
    """Mexico's 18 digits, weights 3, 7, 1."""
    digits = [int(c) for c in value if c.isdigit()]
    total = sum(d * w % 10 for d, w in zip(digits[:17], [3, 7, 1] * 6, strict=False))
    return len(digits) == 18 and (10 - total % 10) % 10 == digits[17]


def polish_account(value: str) -> bool:
    """An IBAN of Poland without its country code."""
    bare = "".join(filter(str.isdigit, value))
    return len(bare) == 26 and iban("PL" + bare)


def number(value: str) -> bool:
    """What follows "account no": four digits or more, not a date, not an amount."""
    bare = re.sub(r"[^0-9A-Za-z*]", "", value)
    digits = sum(map(str.isdigit, bare))
    return 4 <= len(bare) <= 34 and digits >= 4 and not _DATE.fullmatch(value)


def bare_account(value: str) -> bool:
    """What follows "account" alone: one digit more than a year has."""
    return sum(map(str.isdigit, value)) >= 5 and number(value)


def reference(value: str) -> bool:
    """What follows "policy no" and the like: three digits or more, not a date, not a year."""
    bare = re.sub(r"[^0-9A-Za-z]", "", value)
    digits = sum(map(str.isdigit, bare))
    year = re.fullmatch(r"(?:19|20)\d\d", value)
    return 4 <= len(bare) <= 30 and digits >= 3 and not year and not _DATE.fullmatch(value)


def masked_card(value: str) -> bool | float:
    """As long as a card's number with some digits shown; the usual forms need no other word."""
    shown = re.sub(r"[ -]", "", value)
    if not 12 <= len(shown) <= 19:
        return False
    grouped = re.fullmatch(r"\S{4}([ -])\S{4}\1\S{4}\1\d{4}|\d{6}\S{5,9}\d{4}", value)
    return 0.75 if grouped or re.fullmatch(r"\D{12}\d{4}|\d{4}[ -]\d\d.*", value) else 0.3
