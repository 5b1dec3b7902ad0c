"""What happens to text on its way: case, typing errors, scanners, line wraps, quoting. Each function
takes a marked text and gives one; spans follow."""

from __future__ import annotations

import random
from collections.abc import Callable

from scrubjay.marked import Marked, Span

Noise = Callable[[Marked, random.Random], Marked]

OCR = {
    "m": "rn", "rn": "m", "l": "1", "1": "l", "0": "O", "O": "0", "o": "0", "I": "l", "5": "S", "S": "5",
    "B": "8", "8": "B", "cl": "d", "d": "cl", "e": "c", "h": "b", "vv": "w", "w": "vv", "i": "j", "g": "q",
    "Z": "2", "G": "6", "6": "G", "t": "f", "u": "ii", "n": "ri", ".": ",", ",": ".",
}  # fmt: skip


def rewrite(marked: Marked, change: Callable[[int, str], str]) -> Marked:
    """The text with each character replaced by `change(place, character)`, spans moved along and
    without blanks at their ends."""
    parts = [change(place, character) for place, character in enumerate(marked.text)]
    at = [0]
    for part in parts:
        at.append(at[-1] + len(part))
    text = "".join(parts)
    spans = [_trimmed(text, at[start], at[end], label) for start, end, label in marked.spans]
    return Marked(marked.name, text, tuple(s for s in spans if s.start < s.end))


def _trimmed(text: str, start: int, end: int, label: str) -> Span:
    value = text[start:end]
    kept = value.strip()
    start += len(value) - len(value.lstrip()) if kept else 0
    return Span(start, start + len(kept), label)


def lower(marked: Marked, dice: random.Random) -> Marked:
    """No capitals."""
    return rewrite(marked, lambda _, c: c.lower())


def upper(marked: Marked, dice: random.Random) -> Marked:
    """All capitals."""
    return rewrite(marked, lambda _, c: c.upper())


def ocr(marked: Marked, dice: random.Random) -> Marked:
    """A bad scan: characters taken for others, blanks lost or found."""
    rate = dice.choice((0.005, 0.01, 0.03, 0.06))

    def change(_: int, character: str) -> str:
        if dice.random() >= rate:
            return character
        if character == " ":
            return dice.choice(("", "  ", " "))
        return OCR.get(character, character) if dice.random() < 0.8 else character + " "

    return rewrite(marked, change)


def typos(marked: Marked, dice: random.Random) -> Marked:
    """Hasty fingers: letters dropped, doubled or another."""
    rate = dice.choice((0.005, 0.01, 0.02))

    def change(_: int, character: str) -> str:
        if not character.isalpha() or dice.random() >= rate:
            return character
        return dice.choice(("", character * 2, dice.choice("abcdefghijklmnoprstuvwy")))

    return rewrite(marked, change)


def unpunctuated(marked: Marked, dice: random.Random) -> Marked:
    """Speech turned into text: no commas, few full stops, mostly no capitals."""
    low = dice.random() < 0.7

    def change(place: int, character: str) -> str:
        following = marked.text[place + 1 : place + 2]
        if character in ",;:" and following.isspace():
            return ""
        if character == "." and following.isspace() and dice.random() < 0.8:
            return ""
        return character.lower() if low else character

    return rewrite(marked, change)


def wrapped(marked: Marked, dice: random.Random) -> Marked:
    """Lines broken at a width, perhaps quoted or indented."""
    width = dice.choice((40, 60, 72, 80))
    lead = dice.choice(("", "", "", "> ", ">> ", "    ", "| "))
    column = 0

    def change(_: int, character: str) -> str:
        nonlocal column
        column = 0 if character == "\n" else column + 1
        if character == "\n" or (character == " " and column > width):
            column = 0
            return "\n" + lead
        return character

    return rewrite(marked, change)


def joined(marked: Marked, dice: random.Random) -> Marked:
    """Lines that were lost: one paragraph of it all."""
    blank = dice.choice((" ", " ", "  ", " | ", "\t", ""))
    return rewrite(marked, lambda _, c: blank if c == "\n" else c)


def tight(marked: Marked, dice: random.Random) -> Marked:
    """Missing blanks here and there, most of all after signs."""

    def change(place: int, character: str) -> str:
        if character != " ":
            return character
        after_sign = marked.text[place - 1 : place] in (*",.:;)",)
        return "" if dice.random() < (0.3 if after_sign else 0.02) else " "

    return rewrite(marked, change)


def typographic(marked: Marked, dice: random.Random) -> Marked:
    """The signs of a word processor."""
    signs = {"'": "’", "-": dice.choice("-‐–"), " ": " ", '"': "”"}
    hard = dice.random() < 0.05
    return rewrite(marked, lambda _, c: "\u00a0" if c == " " and hard else signs.get(c, c))


def one_capital(marked: Marked, dice: random.Random) -> Marked:
    """Title Case Headings: every word with a capital."""
    text = marked.text
    return rewrite(
        marked, lambda at, c: c.upper() if at == 0 or not text[at - 1].isalnum() else c.lower()
    )


WAYS: tuple[tuple[Noise, float], ...] = (
    (lower, 0.16), (upper, 0.07), (ocr, 0.06), (typos, 0.08), (unpunctuated, 0.05), (wrapped, 0.1),
    (joined, 0.06), (tight, 0.05), (typographic, 0.06), (one_capital, 0.02),
)  # fmt: skip


def noisy(marked: Marked, dice: random.Random) -> Marked:
    """Some of it, mostly little."""
    for way, share in WAYS:
        if dice.random() < share:
            marked = way(marked, dice)
    return marked
