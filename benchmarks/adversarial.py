"""Families of texts that have made other redactors slow, each of any length.

`build(family, size)` gives exactly `size` characters, and a shorter text of a family is the
beginning of the longer one.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator

import texts

Pieces = Callable[[random.Random], Iterator[str]]


def _endless(piece: Callable[[random.Random], str]) -> Pieces:
    """A new piece each time."""

    def pieces(dice: random.Random) -> Iterator[str]:
        while True:
            yield piece(dice)

    return pieces


def _same(unit: str) -> Pieces:
    """One unit over and over."""
    block = unit * max(4096 // len(unit), 1)
    return _endless(lambda _: block)


def _from(alphabet: str) -> Pieces:
    """Characters by chance."""
    return _endless(lambda dice: "".join(dice.choices(alphabet, k=4096)))


def _contents_line(dice: random.Random) -> str:
    title = f"{dice.randint(1, 9)}.{dice.randint(1, 20)} {dice.choice(texts.CONDITIONS).title()}"
    return f"{title} {'.' * (70 - len(title))} {dice.randint(1, 400)}\n"


def _form_line(dice: random.Random) -> str:
    field = dice.choice(("Name", "Date of birth", "Phone", "Address", "Policy no", "MRN"))
    return f"{field}: {'.' * dice.randint(8, 60)} {dice.randint(1, 99)}\n"


def _base64_line(dice: random.Random) -> str:
    return "".join(dice.choices(string.ascii_letters + string.digits + "+/", k=76)) + "\n"


def _mixed_case(dice: random.Random) -> str:
    letters = dice.choices(string.ascii_letters, k=dice.randint(1, 12))
    return "".join(letters) + dice.choice((" ", " ", " ", ", ", ". "))


def _prose(dice: random.Random) -> Iterator[str]:
    while True:
        yield texts.note(dice)[0]


def _typographic(dice: random.Random) -> Iterator[str]:
    return map(texts.typographic, _prose(dice))


FAMILIES: dict[str, Pieces] = {
    "clinical prose": _prose,
    "typographic prose": _typographic,
    "digits": _same("1234567890"),
    "digits by chance": _from(string.digits),
    "dots": _same("."),
    "ats": _same("@"),
    "hyphens": _same("-"),
    "underscores": _same("_"),
    "a-a-a-@": _same("a-a-a-@"),
    "a.a.a@": _same("a.a.a@"),
    "1 1 1 1": _same("1 "),
    "1-1-1-1": _same("1-"),
    "1.1.1.1": _same("1."),
    "1/1/1/1": _same("1/"),
    "dotted form": _endless(_form_line),
    "table of contents": _endless(_contents_line),
    "many SSNs": _endless(lambda dice: texts.ssn(dice) + "\n"),
    "one SSN": _same("219-09-9999\n"),
    "many e-mails": _endless(lambda dice: texts.email(dice) + ", "),
    "many phones": _endless(lambda dice: texts.phone(dice) + "; "),
    "many dates": _endless(lambda dice: texts.date(dice) + " "),
    "many names": _endless(lambda dice: f"Dr. {texts.name(dice)}\n"),
    "single word": _from(string.ascii_lowercase),
    "one letter": _same("a"),
    "capitals": _from(string.ascii_uppercase),
    "Capitalised words": _endless(lambda dice: dice.choice(texts.FAMILY) + " "),
    "brackets, open": _same("("),
    "brackets": _same("([{<()>}])"),
    "tags": _same("[PERSON 1] "),
    "quotes": _same("\"'"),
    "://": _same("://"),
    "https://": _same("https://"),
    "www.": _same("www."),
    "base64": _endless(_base64_line),
    "hexadecimal": _from("0123456789abcdef"),
    "spaces": _same(" "),
    "line ends": _same("\r\n"),
    "tabs": _same("\t"),
    "mixed case words": _endless(_mixed_case),
    "punctuation by chance": _from(string.punctuation + " 19"),
    "emoji": _from("\U0001f600\U0001f9d1\u200d\u2695\ufe0f\U0001f3fd \U0001f1e9\U0001f1ea"),
    "combining marks": _same("e\u0301\u0323\u0302"),
    "full-width digits": _from("\uff10\uff11\uff12\uff13\uff14\uff15-"),
    "zero-width inside": _same("5\u200b5\u200b5\u200b-0\u200b1"),
    "CJK": _from("\u60a3\u8005\u4f4f\u6240\u96fb\u8a71\u751f\u5e74\u6708\u65e5\u3002"),
    "right to left": _from("\u05d0\u05d1\u05d2\u0627\u0628\u062a \u0661\u0662"),
    "field names": _same("SSN: MRN: DOB: Phone: Name: Account #: "),
}


def build(family: str, size: int) -> str:
    """Exactly `size` characters."""
    made: list[str] = []
    length = 0
    for piece in FAMILIES[family](random.Random(texts.SEED)):
        made.append(piece)
        length += len(piece)
        if length >= size:
            break
    return "".join(made)[:size]
