"""Checks for vehicles, telephones and medical devices."""

from __future__ import annotations

import re

from stdnum import ean

from scrubjay.detectors.checks.general import luhn

_VIN_VALUES = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", "12345678123457923456789", strict=True))
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_HIBC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"
_DATE = re.compile(r"\d{1,2}[-./]\d{1,2}[-./](?:\d\d){1,2}|(?:19|20)\d\d[-./]\d{1,2}[-./]\d{1,2}")


def vin(value: str) -> bool | float:
    """Alone with North America's check digit (49 CFR 565.15 c); else only beside a word for it."""
    digits = sum(map(str.isdigit, value))
    if not 4 <= digits <= 15 or not value[-4:].isdigit():
        return False
    total = sum(
        int(_VIN_VALUES.get(char, char)) * weight
        for char, weight in zip(value, _VIN_WEIGHTS, strict=True)
    )
    return 0.85 if "0123456789X"[total % 11] == value[8] else 0.35


def vin_like(value: str) -> bool:
    """What is called a VIN or chassis number."""
    return 11 <= len(value) <= 17 and sum(map(str.isdigit, value)) >= 4


def plate(value: str) -> bool:
    """Letters and digits; plates of digits alone are not told from other numbers."""
    bare = re.sub(r"[ -]", "", value)
    digits = sum(map(str.isdigit, bare))
    return 4 <= len(bare) <= 10 and 0 < digits < len(bare)


def imei(value: str) -> bool | float:
    """Luhn, and a reporting body that exists (GSMA TS.06); the dashed form stands by itself."""
    digits = "".join(filter(str.isdigit, value))
    if not _REPORTING_BODIES.match(digits) or not luhn(digits):
        return False
    return 0.7 if "-" in value else 0.3


_REPORTING_BODIES = re.compile(r"01|10|3[035]|4[459]|5[0-4]|86|9[189]")


def iccid(value: str) -> bool:
    """19 or 20 digits (18 without the check digit are not told from others)."""
    digits = "".join(filter(str.isdigit, value))
    return len(digits) in {19, 20} and luhn(digits)


def serial(value: str) -> bool:
    """What follows "serial number": a digit or more among four characters, not a date."""
    bare = re.sub(r"[^0-9A-Za-z]", "", value)
    if not 4 <= len(bare) <= 50 or _DATE.fullmatch(value):
        return False
    return sum(map(str.isdigit, bare)) >= 2


def lot(value: str) -> bool:
    """What follows "lot no" and the like; shorter than a serial number may be, and no year."""
    bare = re.sub(r"[^0-9A-Za-z]", "", value)
    year = re.fullmatch(r"(?:19|20)\d\d", value)
    return 3 <= len(bare) <= 25 and not year and not _DATE.fullmatch(value)


def gs1(value: str) -> bool:
    """The GTIN that begins it has a check digit."""
    digits = re.sub(r"[^0-9]", "", value[:18])[2:16]
    return len(digits) == 14 and bool(ean.is_valid(digits))


def hibc(value: str) -> bool:
    """HIBC's link character, modulo 43, at the end of the whole."""
    if not set(value) <= set(_HIBC):
        return False
    return sum(_HIBC.index(char) for char in value[:-1]) % 43 == _HIBC.index(value[-1])


def donation(value: str) -> float:
    """The leading = of the bar code makes it certain enough."""
    return 0.7 if value.startswith("=") else 0.3
