"""Telephone numbers by the numbering plans of phonenumbers' metadata, and e-mail addresses.

The metadata is imported when a candidate first needs it. Each score tells how much the form alone
proves: below 0.5 a word such as "phone" must stand near. A number that no plan knows is still kept
where its form leaves no doubt, since people invent numbers and plans change.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from typing import Any

from msgspec import Struct

from scrubjay.detectors.linear import START, Matcher, matcher

VALID, KNOWN_FORM, LIKELY, FORM_ONLY, MAYBE, WEAK = 0.9, 0.75, 0.65, 0.5, 0.4, 0.25


def _words(words: str) -> tuple[str, ...]:
    return tuple(words.split())


# Plans with a leading 0 inside the country, the most likely first.
TRUNK_ZERO = _words("""
    GB DE FR AU IT NL BE CH AT SE JP IN NZ ZA IE FI RO TR IL KR CN TW BG HR SI RS UA SK BA MK AL 
    ID MY TH VN PH EG MA DZ NG KE GH TZ UG PK BD LK NP AE SA JO IQ IR LB GE AM AR PE VE CO EC
""")
# Plans whose numbers are written without any prefix.
BARE_PLANS = _words("""
    US ES PL PT CZ GR DK NO BR MX IN HU CN SG HK CH FR RU CL CO LU IS EE LV LT CY MT TN 
    QA KW OM BH
""")

_EXTENSION = re.compile(r"[ ,;]*(?:x|ext\.?|extn\.?|extension|#)[ .:]*\d+$", re.I)
_NORTH_AMERICAN = re.compile(
    r"(?:1[ .-]?)?(?:\([1-9]\d\d\) ?-?|[1-9]\d\d[ ./-])\d{3}[ .-]?\d{4}(?!\d)"
)
_RUNS = re.compile(r"\d+")
_SEPARATORS = re.compile(r"\D+")
_ONLY_DIGITS = str.maketrans("", "", " .-/()+\n\t")


class _Plan(Struct, frozen=True):
    """One region's numbers: `valid` for assigned ranges, `general` for anything it may assign."""

    valid: re.Pattern[str]
    general: re.Pattern[str]
    lengths: frozenset[int]
    trunk: str
    formats: tuple[tuple[re.Pattern[str] | None, re.Pattern[str]], ...]

    def groups(self, national: str) -> list[int]:
        """How the region writes this number: the length of each group of digits."""
        for leading, pattern in self.formats:
            if leading is None or leading.match(national):
                match = pattern.fullmatch(national)
                if match:
                    return [len(group) for group in match.groups()]
        return []


@cache
def _plan(region: str, code: int = 0) -> _Plan:
    from phonenumbers import PhoneMetadata

    data: Any
    if region == "001":  # UN M.49's world: codes of no country, such as +800
        data = PhoneMetadata.metadata_for_nongeo_region(code)
    else:
        data = PhoneMetadata.metadata_for_region(region)
    return _Plan(
        valid=re.compile(_valid(data)),
        general=re.compile(data.general_desc.national_number_pattern or "(?!)"),
        lengths=frozenset(data.general_desc.possible_length),
        trunk=data.national_prefix or "",
        formats=tuple(_format(each) for each in data.number_format),
    )


def _valid(data: Any) -> str:
    """A pattern of the ranges that a region has assigned."""
    kinds = [data.fixed_line, data.mobile, data.toll_free, data.premium_rate, data.shared_cost]
    kinds += [data.personal_number, data.voip, data.pager, data.uan]
    ranges = {k.national_number_pattern for k in kinds if k and k.national_number_pattern}
    return "|".join(sorted(ranges)) or "(?!)"


def _bare(number: str) -> bool:
    """Whether a plan without a prefix has this number."""
    data = number.encode()
    return _bare_plans()(START, data, 0, len(data))[0][1] == len(data)


@cache
def _bare_plans() -> Matcher:
    """All of them at once. RE2 is as fast and ready in 10 ms; Python's own takes a fifth of a
    second, which every start would wait for."""
    from phonenumbers import PhoneMetadata

    every = (PhoneMetadata.metadata_for_region(region) for region in BARE_PLANS)
    return matcher("|".join(map(_valid, every)), ignore_case=False)


def _format(each: Any) -> tuple[re.Pattern[str] | None, re.Pattern[str]]:
    leading = each.leading_digits_pattern
    return re.compile(leading[-1]) if leading else None, re.compile(each.pattern)


@cache
def _regions(code: str) -> tuple[_Plan, ...]:
    """The plans behind a country code; none if there is no such code."""
    from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE

    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code), ())
    return tuple(_plan(region, int(code)) for region in regions[: 1 if code == "1" else 3])


def international(value: str) -> bool | float:
    """+.., 00.. and 011..: ITU-T E.164 section 6, at most 15 digits."""
    number = _EXTENSION.sub("", value)
    digits = number.replace("(0)", "").translate(_ONLY_DIGITS)
    plus = "+" in number[:2]
    if not plus:
        digits = digits[3 if digits.startswith("011") else 2 :]
    score = _abroad(digits)
    if plus:
        return MAYBE if re.fullmatch(r"\+ \d+", number) else score  # x + 907133923
    if number.isdigit():  # a record number may start with zeros, too
        return MAYBE if score > FORM_ONLY else False
    return score if score > FORM_ONLY else MAYBE


def _abroad(digits: str) -> float:
    """How well a number with its country code fits the country's plan."""
    for length in (1, 2, 3):
        national = digits[length:]
        for plan in _regions(digits[:length]) if digits[:length].isdigit() else ():
            if plan.valid.fullmatch(national):
                return VALID
            if national[:1] == "0" and plan.trunk == "0" and plan.valid.fullmatch(national[1:]):
                return VALID
            if len(national) in plan.lengths:
                return KNOWN_FORM
    return 0.55 if len(digits) >= 7 else 0.0


def north_american(value: str) -> bool | float:
    """Ten digits as 3-3-4, with or without 1 in front: NANP area codes and exchanges."""
    number = _EXTENSION.sub("", value)
    digits = number.translate(_ONLY_DIGITS)
    if len(digits) == 11:
        digits = digits[1:]
    if len(digits) != 10 or number.count("(") != number.count(")"):
        return False
    plain = number.isdigit()
    if "." in number and "-" in number:
        return MAYBE  # a clause: 252.227-7013
    if digits[0] in "01" or digits[3] in "01":
        # Made-up numbers do this; so do article numbers, unless hyphens or brackets say phone.
        shaped = "(" in number or "-" in number or number.count(".") == 2
        return False if plain or len(set(digits)) == 1 else FORM_ONLY + 0.1 if shaped else MAYBE
    known = digits[:3] == "555" or digits[3:6] == "555" or _plan("US").valid.fullmatch(digits)
    if plain:
        return MAYBE if known else MAYBE - 0.1
    if "-" in number or "(" in number or "." in number:
        return KNOWN_FORM if known else LIKELY
    return LIKELY if known else MAYBE


def national(value: str) -> bool | float:
    """A leading 0, then a number that some country's plan knows."""
    number = _EXTENSION.sub("", value)
    groups = _RUNS.findall(number)
    digits = "".join(groups)
    if not _plausible(number, groups, digits):
        return False
    lengths = [len(group) for group in groups]
    best = _best(digits, lengths)
    if best and len(groups) > 1:
        return best
    if best or len(groups) == 1:
        return MAYBE if best else WEAK if 9 <= len(digits) <= 11 else False
    return _shaped(number, digits, lengths)


def _best(digits: str, lengths: list[int]) -> float:
    """The best fit over the plans with a trunk 0, or with a 0 that belongs to the number."""
    best = 0.0
    for region in TRUNK_ZERO:
        plan = _plan(region)
        inside = digits if plan.trunk != "0" else digits[1:]
        if plan.valid.fullmatch(inside):
            shift = len(digits) - len(inside)
            usual = plan.groups(inside)
            if usual:
                usual[0] += shift
            if _cuts(lengths) <= _cuts(usual):
                return KNOWN_FORM
            best = LIKELY if lengths[0] == (usual or [0])[0] else max(best, 0.55)
    return best


def _cuts(lengths: list[int]) -> set[int]:
    """After how many digits the groups end."""
    cuts, at = set(), 0
    for length in lengths[:-1]:
        at += length
        cuts.add(at)
    return cuts


_DATED = re.compile(r"(?:3[01]|[12]\d|0?[1-9])([/.-])(?:3[01]|[12]\d|0?[1-9])\1(?:19|20)\d\d(?!\d)")


def _plausible(number: str, groups: list[str], digits: str) -> bool:
    """Not a date, opening hours, a product code or unbalanced brackets."""
    if _DATED.match(number):  # with the hour behind it
        return False
    lengths = [len(group) for group in groups]
    if digits.startswith("00") and "(" not in number:
        return False
    if not 8 <= len(digits) <= 13 or len(set(digits)) < 3:
        return False
    if number.count("(") != number.count(")") or lengths[-1] == 1 or lengths[1:].count(1) > 1:
        return False
    if lengths in ([2, 2, 4], [4, 2, 2], [2, 2, 2, 2], [5, 4, 2], [5, 3, 2], [4, 4, 2], [5, 4]):
        separators = [gap.strip() for gap in _SEPARATORS.findall(number)]
        if lengths == [5, 4]:
            return "-" not in number  # ZIP+4
        return lengths == [2, 2, 2, 2] and separators == ["-", "", ""]  # Swedish 08-12 34 56
    return True


def _shaped(number: str, digits: str, lengths: list[int]) -> bool | float:
    """Numbers of no known range: the form must carry all the proof."""
    if not 9 <= len(digits) <= 12 or not 2 <= lengths[0] <= 5 or len(lengths) > 5:
        return False
    if "(" in number:
        return LIKELY
    separators = {gap.strip() for gap in _SEPARATORS.findall(number)}
    return FORM_ONLY if len(separators) == 1 and "/" not in separators else MAYBE


def local(value: str) -> bool | float:
    """Numbers without any prefix. Few forms are clear; the others need a word near them."""
    number = _EXTENSION.sub("", value)
    groups = _RUNS.findall(number)
    digits, lengths = "".join(groups), [len(group) for group in groups]
    if len(digits) < 7 or _is_date(groups) or len(set(digits)) == 1 or _DATED.match(number):
        return False
    if number.count("(") != number.count(")"):
        return False
    if "(" in number:
        return LIKELY if len(digits) >= 9 else FORM_ONLY
    if digits[0] == "0" or (lengths == [5, 4] and "-" in number):
        return False  # another pattern's, or ZIP+4
    if lengths == [3, 4, 4] and digits[0] == "1" and digits[1] in "3456789":
        return KNOWN_FORM  # China's mobiles
    if lengths == [2, 5, 4] and digits[2] == "9":
        return KNOWN_FORM  # Brazil's mobiles
    if lengths == [4, 3, 3] and digits[:4] in {"1300", "1800"}:
        return KNOWN_FORM  # Australia
    if lengths in ([1, 3, 3, 2, 2], [1, 3, 3, 4]) and digits[0] == "8":
        return KNOWN_FORM  # Russia
    if lengths == [2, 3, 4] and "/" in number:
        return LIKELY  # Hungary
    if lengths == [2, 4, 4] and " " in number and "-" in number:
        return LIKELY  # Brazil
    return MAYBE if _bare(digits) else WEAK


def _is_date(groups: list[str]) -> bool:
    """2024 01 15, 15-01-2024, 20240115, or two years."""
    if len(groups) == 1:
        return bool(re.fullmatch(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])", groups[0]))
    if len(groups) == 2:
        return all(re.fullmatch(r"(?:1[89]|20)\d\d", group) for group in groups)
    lengths = [len(group) for group in groups]
    if lengths not in ([4, 2, 2], [2, 2, 4]):
        return False
    return any(int(group) <= 12 for group in groups if len(group) == 2)


def digits(value: str) -> bool | float:
    """Bare digits: a phone only where a word says so."""
    if _is_date([value]) or len(set(value)) < 3:
        return False
    if len(value) == 10 and _plan("US").valid.fullmatch(value):
        return MAYBE
    return MAYBE if _bare(value) else WEAK


_SPOKEN = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def spoken(value: str) -> bool:
    """Seven digits or more, read out; not somebody who counts."""
    said = ["zero" if w == "oh" else w for w in re.findall("[a-z]+", value.lower())]
    steps = {_SPOKEN.index(b) - _SPOKEN.index(a) for a, b in pairwise(said)}
    return len(said) <= 16 and len(steps) > 1


def keyed(value: str) -> bool | float:
    """Right behind "phone:", any number that is no date."""
    groups = _RUNS.findall(value)
    dated = _is_date(groups) or _DATED.match(value)
    return False if dated or len(set("".join(groups))) == 1 else 0.85


def fax(value: str) -> bool | float:
    """Any of the forms, right behind the word: the word is the proof."""
    digits = sum(c.isdigit() for c in _EXTENSION.sub("", value))
    return 1.0 if 7 <= digits <= 15 and not _is_date(_RUNS.findall(value)) else False


def fax_elsewhere(value: str) -> bool | float:
    """A fax number that is not of the North American form, which has a pattern of its own."""
    return False if _NORTH_AMERICAN.match(value) else fax(value)


def vanity(value: str) -> bool | float:
    """1-800-QUIT-NOW: letters on the keypad, seven to nine of them or of digits."""
    tail = [c for c in value if c.isalnum()]
    tail = tail[4:] if tail[0] == "1" else tail[3:]
    return 7 <= len(tail) <= 9 and sum(c.isalpha() for c in tail) >= 3


def email(value: str) -> bool:
    """RFC 5321 section 4.5.3.1: 64 octets before the @, 255 behind it; RFC 5322 dots."""
    local_part, _, domain = value.replace("\n", "").rpartition("@")
    if not local_part:
        return ".." not in value
    if len(local_part) > 64 or len(domain) > 255 or ".." in value or local_part[-1] == ".":
        return False
    return all(0 < len(part) <= 63 and part[-1] != "-" for part in domain.split("."))
