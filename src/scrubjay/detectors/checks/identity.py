"""National numbers of persons whose check digits python-stdnum does not know.

Each function names the scheme; the pattern's `source` says where it is defined.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from operator import mul

from scrubjay.detectors.checks import named
from scrubjay.detectors.checks.general import luhn


def _digits(value: str) -> list[int]:
    return [code - 48 for code in value.encode() if 48 <= code <= 57]


def _plain(value: str) -> str:
    return "".join(c for c in value if c.isalnum()).upper()


def _weighted(digits: Sequence[int], weights: Sequence[int]) -> int:
    return sum(map(mul, digits, weights))


def _day(year: int, month: int, day: int) -> bool:
    try:
        return bool(date(year, month, day))
    except ValueError:
        return False


def _short_day(year: int, month: int, day: int) -> bool:
    """A day of a two-digit year, in this century or the last."""
    return _day(1900 + year, month, day) or _day(2000 + year, month, day)


def _any(value: str, *names: str) -> bool:
    return any(named(name)(value) for name in names)


def us_ssn(value: str) -> bool | float:
    """Area, group and serial as SSA may assign them. Numbers that advertisements made famous
    stay: python-stdnum's blacklist would let a leaked one through."""
    digits = "".join(map(str, _digits(value)))
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if area in {"000", "666"} or area[0] == "9" or group == "00" or serial == "0000":
        return False
    return 0.75 if "-" in value else 0.4


def gb_nhs(value: str) -> bool:
    """Ten digits, weights 10 to 1, modulus 11."""
    digits = _digits(value)
    return len(digits) == 10 and _weighted(digits, range(10, 0, -1)) % 11 == 0


def us_itin(value: str) -> bool:
    """ITIN, or ATIN: its group is 93."""
    return _digits(value)[3:5] == [9, 3] or _any(value, "stdnum.us.itin")


def eu_vat(value: str) -> bool:
    """A VAT number with its country's prefix; also those of GB, NO, IS, CH and XI."""
    plain = _plain(value)
    if plain[:2] in {"GB", "XI"}:
        return _any(plain[2:], "stdnum.gb.vat")
    if plain[:3] == "CHE":
        return _any(plain[:12], "stdnum.ch.uid")
    return _any(plain, "stdnum.eu.vat")


def fr_nir(value: str) -> bool:
    """The key alone is not enough for 13 digits: month and sex must fit as well."""
    plain = _plain(value)
    return int(plain[3:5]) in {*range(1, 13), *range(20, 43), *range(50, 100)} and _any(
        plain, "stdnum.fr.nir"
    )


def de_insurance(value: str) -> bool:
    """Rentenversicherungsnummer: 2 area, birth date, initial, 2 serial, check."""
    plain = _plain(value)
    letter = f"{ord(plain[8]) - 64:02d}"
    digits = _digits(plain[:8] + letter + plain[9:])
    weights = (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)
    total = sum(sum(divmod(d * w, 10)) for d, w in zip(digits[:-1], weights, strict=True))
    return total % 10 == digits[-1]


def de_health(value: str) -> bool:
    """Krankenversichertennummer: a letter, 8 digits, check."""
    plain = _plain(value)
    digits = _digits(f"{ord(plain[0]) - 64:02d}{plain[1:]}")
    weights = (1, 2) * 5
    total = sum(sum(divmod(d * w, 10)) for d, w in zip(digits[:10], weights, strict=True))
    return total % 10 == digits[10]


def icao(value: str) -> bool:
    """ICAO 9303 part 3, 4.9: the last digit checks the rest by weights 7, 3, 1."""
    values = [0 if c == "<" else int(c, 36) for c in value.replace(" ", "").upper()]
    weights = (7, 3, 1) * 30
    return _weighted(values[:-1], weights) % 10 == values[-1]


def es_social(value: str) -> bool:
    """NSS: province and serial, modulo 97."""
    digits = "".join(map(str, _digits(value)))
    province, serial, check = int(digits[:2]), int(digits[2:10]), int(digits[10:])
    body = province * (10**7 if serial < 10**7 else 10**8) + serial
    return body % 97 == check and 1 <= province <= 66


def lu_person(value: str) -> bool:
    """Matricule: birth date, serial, a Luhn digit and a Verhoeff digit over the same 11."""
    plain = "".join(map(str, _digits(value)))
    if not _day(int(plain[:4]), int(plain[4:6]), int(plain[6:8])):
        return False
    return luhn(plain[:12]) and _any(plain[:11] + plain[12], "stdnum.verhoeff")


def lv_person(value: str) -> bool:
    """Old codes hold a birth date and a check digit; those since 2017 begin with 32."""
    digits = _digits(value)
    if digits[:2] == [3, 2]:
        return True
    day, month, year = (10 * digits[i] + digits[i + 1] for i in (0, 2, 4))
    check = (1101 - _weighted(digits, (1, 6, 3, 7, 9, 10, 5, 8, 4, 2))) % 11 % 10
    return check == digits[10] and _day(1800 + 100 * digits[6] + year, month, day)


def hu_taj(value: str) -> bool:
    """TAJ: 8 digits weighted 3 and 7."""
    digits = _digits(value)
    return _weighted(digits[:8], (3, 7) * 4) % 10 == digits[8]


def by_person(value: str) -> bool:
    """Identification number of Belarus: weights 7, 3, 1 over digits and letters."""
    return icao(_plain(value))


def ru_snils(value: str) -> bool:
    """СНИЛС: the weighted sum modulo 101."""
    digits = _digits(value)
    total = _weighted(digits[:9], range(9, 0, -1)) % 101 % 100
    return total == 10 * digits[9] + digits[10]


def cn_resident(value: str) -> bool:
    """GB 11643-1999: birth date and ISO 7064 mod 11-2."""
    plain = _plain(value)
    born = int(plain[6:10]), int(plain[10:12]), int(plain[12:14])
    return 1850 < born[0] < 2100 and _day(*born) and _any(plain, "stdnum.iso7064.mod_11_2")


def hk_identity(value: str) -> bool:
    """HKID: one or two letters, six digits, check in brackets; modulo 11."""
    plain = _plain(value).rjust(9)
    values = [36 if c == " " else int(c, 36) for c in plain]
    return _weighted(values, range(9, 0, -1)) % 11 == 0


def tw_identity(value: str) -> bool:
    """國民身分證 and, since 2021, resident numbers: letter code and weighted sum."""
    plain = _plain(value)
    code = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(plain[0]) + 10
    digits = [*divmod(code, 10), *_digits(plain[1:])]
    return _weighted(digits, (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)) % 10 == 0


def sg_identity(value: str) -> bool:
    """NRIC (S, T) and FIN (F, G, M)."""
    plain = _plain(value)
    total = _weighted(_digits(plain), (2, 7, 6, 5, 4, 3, 2))
    total += {"T": 4, "G": 4, "M": 3}.get(plain[0], 0)
    if plain[0] == "M":
        return "KLJNPQRTUWX"[10 - total % 11] == plain[8]
    table = "JZIHGFEDCBA" if plain[0] in "ST" else "XWUTRQPNMLK"
    return table[total % 11] == plain[8]


def au_medicare(value: str) -> bool:
    """The ninth digit checks the first eight; the tenth counts cards."""
    digits = _digits(value)
    return digits[0] in range(2, 7) and (
        _weighted(digits[:8], (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == digits[8]
    )


def nz_health(value: str) -> bool:
    """NHI: AAANNNC modulo 11, or since 2026 AAANNAX modulo 23 (HISO 10046)."""
    plain = _plain(value)
    alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    values = [alphabet.find(c) + 1 if c.isalpha() else int(c) for c in plain]
    total = _weighted(values[:6], range(7, 1, -1))
    if plain[6].isdigit():
        return total % 11 > 0 and (11 - total % 11) % 10 == values[6]
    return 23 - total % 23 == values[6]


def ca_ramq(value: str) -> bool:
    """Québec: four letters of the name, birth date (month + 50 for women), serial."""
    digits = _digits(value)
    year, month, day = (10 * digits[i] + digits[i + 1] for i in (0, 2, 4))
    return _short_day(year, month - 50 if month > 50 else month, day)


def br_health(value: str) -> bool:
    """CNS: weights 15 to 1, modulo 11."""
    digits = _digits(value)
    return digits[0] in {1, 2, 7, 8, 9} and _weighted(digits, range(15, 0, -1)) % 11 == 0


def uy_identity(value: str) -> bool:
    """Cédula de identidad: weights 2, 9, 8, 7, 6, 3, 4."""
    digits = _digits(value)
    digits = [0] * (8 - len(digits)) + digits
    return -_weighted(digits[:7], (2, 9, 8, 7, 6, 3, 4)) % 10 == digits[7]


def sa_identity(value: str) -> bool:
    """Citizens begin with 1, residents with 2; Luhn."""
    return value[0] in "12" and luhn(value)


def kw_identity(value: str) -> bool:
    """Civil ID: century, birth date, serial; modulo 11."""
    digits = _digits(value)
    year, month, day = (10 * digits[i] + digits[i + 1] for i in (1, 3, 5))
    check = 11 - _weighted(digits[:11], (2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)) % 11
    return digits[0] in {1, 2, 3} and _short_day(year, month, day) and check == digits[11]


def eg_identity(value: str) -> bool:
    """Century (2 or 3), birth date, governorate, serial, check."""
    digits = _digits(value)
    year, month, day, place = (10 * digits[i] + digits[i + 1] for i in (1, 3, 5, 7))
    known = 1 <= place <= 35 or place == 88
    return digits[0] in {2, 3} and _day(1700 + 100 * digits[0] + year, month, day) and known


def lk_identity(value: str) -> bool:
    """Year and day of the year (500 more for women)."""
    digits = "".join(map(str, _digits(value)))
    day = int(digits[4:7] if len(digits) == 12 else digits[2:5])
    return 1 <= day <= 366 or 501 <= day <= 866


def born_first(value: str) -> bool:
    """Begins with YYMMDD."""
    digits = _digits(value)
    year, month, day = (10 * digits[i] + digits[i + 1] for i in (0, 2, 4))
    return _short_day(year, month, day)


def za_identity(value: str) -> bool:
    """Birth date, sex, citizenship 0 to 2, Luhn."""
    return value[10] in "012" and born_first(value) and luhn(value)


def jmbg(value: str) -> bool:
    """JMBG of the former Yugoslavia: the rule is Slovenia's EMŠO rule, the regions are others."""
    return _any(value, "stdnum.si.emso")


def danish_cpr(value: str) -> bool:
    """A birth date; the check digit was given up in 2007."""
    digits = _digits(value)
    day, month, year = (10 * digits[i] + digits[i + 1] for i in (0, 2, 4))
    return _short_day(year, month, day)


def belgian(value: str) -> bool:
    """Rijksregisternummer or BIS number."""
    return _any(value, "stdnum.be.nn", "stdnum.be.bis")


def nordic_person(value: str) -> bool:
    """Swedish personnummer, samordningsnummer included (day + 60)."""
    digits = _digits(value)[-10:]
    year, month, day = (10 * digits[i] + digits[i + 1] for i in (0, 2, 4))
    return _short_day(year, month, day - 60 if day > 60 else day) and luhn(
        "".join(map(str, digits))
    )


def baltic(value: str) -> bool:
    """Isikukood and asmens kodas follow one rule."""
    return _any(value, "stdnum.ee.ik")


def thirteen(value: str) -> bool:
    """Romania's CNP."""
    return _any(value, "stdnum.ro.cnp")


def es_person(value: str) -> bool:
    """DNI or NIE."""
    return _any(_plain(value), "stdnum.es.dni", "stdnum.es.nie")


def de_card(value: str) -> bool:
    """Serial and check digit, without nationality and dates."""
    return icao(value[:10])


def pt_card(value: str) -> bool:
    """Número de documento of the Cartão de Cidadão, whose version holds a letter."""
    plain = _plain(value)
    return any(c.isalpha() for c in plain) and _any(plain, "stdnum.pt.cc")


def ca_sin(value: str) -> bool | float:
    """Luhn. Groups of three with spaces are ordinary numbers too."""
    if not luhn(value) or value[0] in "08":
        return False
    return 0.5 if "-" in value else 0.3


def cl_rut(value: str) -> bool | float:
    """Modulo 11. Without points it looks like many another number."""
    if not _any(value, "stdnum.cl.rut"):
        return False
    return 0.8 if "." in value else 0.4


def id_nik(value: str) -> bool:
    """Province, then birth date (day + 40 for women)."""
    digits = _digits(value)
    province, day, month, year = (10 * digits[i] + digits[i + 1] for i in (0, 6, 8, 10))
    return 11 <= province <= 96 and _short_day(year, month, day - 40 if day > 40 else day)


def za_person(value: str) -> bool:
    """The spaces out first."""
    return za_identity(_plain(value))
