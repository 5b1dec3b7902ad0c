"""Known numbers however they are grouped: separators ignored, leading zeros and country codes
optional, one digit wrong, the last four after a cue. Numbers with letters, too: AB 12-34 56 C.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from scrubjay.detectors.known.days import Days
from scrubjay.detectors.known.names import DERIVED, EXACT, TYPO, WEAK
from scrubjay.detectors.known.plain import TOKEN, Plain, fold
from scrubjay.detectors.known.typos import one_wrong_digit
from scrubjay.types import Finding

LONGEST = 64  # digits and letters: what is longer is looked for as text
SHORTEST = 4  # digits of a number: what is shorter is looked for as text
SURE = 7  # digits of a number that is looked for with one digit wrong, or by its last four
LAST = 4
ZIP = 5
_EDGE = 3  # one wrong or two swapped digits of seven leave the first or last three as they were
_DIGITS = re.compile(r"\d+")
_RUN = re.compile(r"\d(?:[ .\-/()\u2022\n年月년월]{0,3}\d)+")
_SEPARATOR = re.compile(r"[ .\-/()\u2022]{1,3}|[ \-]?\n[ ]?")
_PLAIN_SEPARATOR = re.compile(r"[ .\-/_:]{0,2}")
_ENDING = re.compile(
    r"(?:\bend(?:s|ing|et|ed)?|\blast|\bfinal|[x*#•]{2,})[ \-:]{0,3}(?:\w{1,8}[ :]{1,2}){0,3}$"
)
_PLUS_FOUR = re.compile(r"-\d{4}(?!\d)")
_NO_SEPARATORS = dict.fromkeys(map(ord, " .-/()\u2022\n年月년월"))
_AMOUNT = re.compile(r"[.,]\d")
Known = tuple[str, str, float]  # label, form, score


class Numbers:
    """Numbers of digits alone, and phone numbers, with their labels."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._as_written: dict[str, Known] = {}
        self._near: dict[str, list[tuple[str, str]]] = {}
        self._edges: set[str] = set()  # digits of which a run holds some if it holds a number
        self._last: dict[str, str] = {}
        self._phones: dict[str, tuple[str, str]] = {}
        self._most = 0

    def __bool__(self) -> bool:
        return bool(self._known or self._as_written)

    def add(self, value: str, label: str, *, phone: bool, postal: bool) -> None:
        """`value` holds digits and separators alone."""
        digits = "".join(_DIGITS.findall(fold(value.replace("(0)", ""))))
        self._most = max(self._most, len(digits) + 4)
        if postal:
            self._as_written[digits] = label, "exact", EXACT
            self._edges.add(digits[:ZIP])
            if len(digits) == 9:
                self._as_written[digits[:ZIP]] = label, "part", DERIVED
            return
        self._put(digits, label, "exact", EXACT)
        if phone:
            self._phone(digits, label)
        if len(digits) >= SURE:
            self._last.setdefault(digits[-LAST:], label)

    def _put(self, digits: str, label: str, form: str, score: float) -> None:
        bare = digits.lstrip("0")
        if len(bare) < SHORTEST:
            self._as_written.setdefault(digits, (label, form, score))
            self._edges.add(digits)
            return
        self._edges.update((bare[:_EDGE], bare[-_EDGE:]))
        self._known.setdefault(bare, (label, form, score))
        if len(digits) >= SURE:
            for edge in (f"<{digits[:_EDGE]}", f">{digits[-_EDGE:]}"):
                self._near.setdefault(f"{len(digits)}{edge}", []).append((digits, label))

    def _phone(self, digits: str, label: str) -> None:
        """Without country code, with one, and the local part."""
        bare = digits.lstrip("0")
        if len(bare) < SURE:
            return
        self._phones[bare[-SURE:]] = bare, label
        if len(bare) == 10:
            self._put(f"1{bare}", label, "derived", DERIVED)
        for code in (1, 2, 3):
            if len(bare) - code >= max(SURE + 1, 11 - code):
                self._put(bare[code:], label, "derived", DERIVED)
        if len(bare) >= 10:
            self._put(bare[-SURE:], label, "weak", WEAK)

    def find(self, plain: Plain, days: Days | None) -> Iterator[Finding]:
        """Numbers and days, the longest at each place."""
        runs = [match.span() for match in _RUN.finditer(plain.folded)]
        if not runs:
            return
        written = [plain.folded[start:end] for start, end in runs]
        together = "|".join(written).translate(_NO_SEPARATORS)
        every = self._edges | (days.years if days else set())
        edges = [edge for edge in every if edge in together]
        for span, number in zip(runs, together.split("|"), strict=True):
            if days and len(number) <= LAST:
                yield from days.pair(plain, *span)
            if _holds(number, edges):
                groups = [match.span() for match in _DIGITS.finditer(plain.folded, *span)]
                yield from self._find(plain, groups, days)

    def _find(
        self, plain: Plain, groups: list[tuple[int, int]], days: Days | None
    ) -> Iterator[Finding]:
        done = 0
        for index, (start, _) in enumerate(groups):
            if start < done:
                continue
            found = days.at(plain, groups, index) if days else None
            found = found or self._at(plain, groups, index)
            if found:
                done = found.end
                yield _complete(plain.folded, found)

    def _at(self, plain: Plain, groups: list[tuple[int, int]], index: int) -> Finding | None:
        """The number that begins with a group of digits."""
        folded, start = plain.folded, groups[index][0]
        number, best, last = "", None, start
        for begin, end in groups[index : index + self._most]:
            if number and not _SEPARATOR.fullmatch(folded, last, begin):
                break
            if len(number) + end - begin > self._most:
                break
            if not (folded[begin:end] == "0" and folded[begin - 1 : end + 1] == "(0)"):
                number += folded[begin:end]
            last = end
            if known := self._known_as(folded, number, start, end):
                best = Finding(start, end, known[0], known[2], known[1])
        return best

    def _known_as(self, folded: str, number: str, start: int, end: int) -> Known | None:
        bare = number.lstrip("0")
        known = self._as_written.get(number) or self._known.get(bare)
        if known:
            return None if len(number) < SURE and _is_amount(folded, start, end) else known
        if len(number) == LAST and (label := self._last.get(number)):
            cue = _ENDING.search(folded, max(0, start - 32), start)
            return (label, "weak", WEAK) if cue else None
        if len(bare) < SURE:
            return None
        if phone := self._phones.get(bare[-SURE:]):
            return self._same_phone(bare, *phone)
        return self._nearly(number)

    def _same_phone(self, number: str, known: str, label: str) -> Known | None:
        """Whether one is the other with up to three digits of a country in front."""
        short, long = sorted((number, known), key=len)
        same = long.endswith(short) and len(long) - len(short) <= 3 and len(short) > SURE
        return (label, "derived", DERIVED) if same else None

    def _nearly(self, number: str) -> Known | None:
        edges = f"<{number[:_EDGE]}", f">{number[-_EDGE:]}"
        for edge in edges:
            for known, label in self._near.get(f"{len(number)}{edge}", ()):
                if one_wrong_digit(known, number):
                    return label, "typo", TYPO
        return None


def _holds(number: str, edges: list[str]) -> bool:
    """Whether a known number can be in this one."""
    for edge in edges:  # noqa: SIM110 - any() costs twice as much
        if edge in number:
            return True
    return False


def _complete(folded: str, found: Finding) -> Finding:
    """With the sign or bracket in front of a phone number, and the last four of a ZIP+4."""
    start, end = found.start, found.end
    if found.label in ("PHONE", "FAX"):
        start -= next((n for n, sign in ((2, "+("), (1, "+"), (1, "(")) if
                       folded[max(0, start - n) : start] == sign), 0)  # fmt: skip
    if found.label in ("ZIP", "POSTAL_CODE") and end - start == ZIP:
        more = _PLUS_FOUR.match(folded, end)
        end = more.end() if more else end
    return Finding(start, end, found.label, found.score, found.detector)


def _is_amount(folded: str, start: int, end: int) -> bool:
    """12.4455, 4455.5 and 1,234 are amounts."""
    before = start > 1 and folded[start - 1] in ".," and folded[start - 2].isdecimal()
    return before or _AMOUNT.match(folded, end) is not None


class Codes:
    """Numbers with letters, by the first place where letters and digits meet: rare in a text."""

    def __init__(self) -> None:
        self._borders: dict[str, list[tuple[str, int, str]]] = {}

    def add(self, value: str, label: str) -> None:
        """`value` holds letters and digits."""
        whole = "".join(TOKEN.findall(fold(value)))
        first = TOKEN.match(whole)
        cut = first.end() if first else 0
        for between in ("", *" -./:_"):
            border = f"{whole[cut - 1]}{between}{whole[cut]}"
            self._borders.setdefault(border, []).append((whole, cut, label))

    def find(self, plain: Plain) -> Iterator[Finding]:
        """The codes in a text, whole or with one digit wrong."""
        for border, codes in self._borders.items():
            place = plain.folded.find(border)
            while place >= 0:
                for whole, cut, label in codes:
                    if found := _code_at(plain.folded, place + 1, whole, cut):
                        yield Finding(*found[:2], label, found[2], found[3])
                place = plain.folded.find(border, place + 1)


def _code_at(folded: str, place: int, whole: str, cut: int) -> tuple[int, int, float, str] | None:
    """The code whose first `cut` characters end at this place."""
    start = _spelled_back(folded, place, cut)
    code = "".join(TOKEN.findall(folded, start, place))
    if len(code) != cut or (start and folded[start - 1].isalnum() and _alike(folded, start)):
        return None
    stop = _spelled(folded, place, len(whole) - cut)
    code += "".join(TOKEN.findall(folded, place, stop))
    if code == whole:
        return start, stop, EXACT, "exact"
    near = sum(map(str.isdecimal, whole)) >= SURE and one_wrong_digit(whole, code)
    return (start, stop, TYPO, "typo") if near else None


def _alike(folded: str, place: int) -> bool:
    """Whether letters or digits run on over this place."""
    return folded[place - 1].isdecimal() == folded[place].isdecimal()


def _spelled_back(folded: str, place: int, wanted: int) -> int:
    """Where so many letters and digits before a place begin, or as many as stand close."""
    while place and wanted:
        if folded[place - 1].isalnum():
            wanted -= 1
        elif folded[place - 1] not in " .-/_:" or not folded[max(0, place - 2)].isalnum():
            break
        place -= 1
    return place


def _spelled(folded: str, place: int, wanted: int) -> int:
    """Where so many further letters and digits end, or as many as stand close."""
    while wanted > 0:
        gap = _PLAIN_SEPARATOR.match(folded, place)
        token = TOKEN.match(folded, gap.end() if gap else place)
        if token is None or len(token[0]) > wanted:
            break
        place, wanted = token.end(), wanted - len(token[0])
    return place
