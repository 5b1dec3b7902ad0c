"""Regexes that a request brings along, with RE2: no text can make one slow.

They were written for Python, whose `\\w`, `\\d`, `\\s` and `\\b` know all of Unicode; those of RE2
know ASCII. The first three are written out here. What `\\b` would miss beside other letters is
looked for without it: right where fixed words begin and end with one, and nearly so elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import re2

from scrubjay.errors import UsageError

LONGEST = 2000  # characters of a regex
MEMORY = 1 << 22  # bytes of a compiled one
FLAGS = int(re.DOTALL | re.MULTILINE | re.IGNORECASE)  # Presidio's own, where none are given
TAKEN = FLAGS | int(re.UNICODE)
_PIECE = re.compile(r"\[\^\\W\\?[\w_]*\]|\\.|\[\^?\]?|.", re.DOTALL)
_OUTSIDE = {
    r"\w": r"[\p{L}\p{M}\p{N}_]", r"\W": r"[^\p{L}\p{M}\p{N}_]", r"\s": r"[\s\v\p{Z}]",
    r"\S": r"[^\s\v\p{Z}]", r"\d": r"\p{Nd}", r"\D": r"\P{Nd}", r"\Z": r"\z",
}  # fmt: skip
_INSIDE = {r"\w": r"\p{L}\p{M}\p{N}_", r"\s": r"\s\v\p{Z}", r"\d": r"\p{Nd}", r"\D": r"\P{Nd}"}
_LETTER = {
    r"[^\W\d_]": r"[\p{L}\p{M}]",
    r"[^\W\d]": r"[\p{L}\p{M}_]",
    r"[^\W_]": r"[\p{L}\p{M}\p{N}]",
}
_WORD = re.compile(r"\w")


class Regex:
    """One, compiled. Its words show nowhere: they may be names."""

    def __init__(self, regex: str, flags: int = FLAGS) -> None:
        if len(regex) > LONGEST:
            raise UsageError(f"a regex is longer than {LONGEST} characters: make two of it")
        if flags & ~TAKEN:
            raise UsageError("regex flags: only IGNORECASE, MULTILINE, DOTALL and UNICODE are here")
        pieces = list(_pieces(regex))
        self._regex = _compiled("".join(pieces), flags)
        self._loose = None
        if r"\b" in pieces:
            self._loose = _compiled("".join(one for one in pieces if one != r"\b"), flags)
        self._borders = _borders(pieces)

    def __repr__(self) -> str:
        return "Regex()"

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where it matches something."""
        yield from _spans(self._regex, text)
        if self._loose is not None and not text.isascii():
            for start, end in _spans(self._loose, text):
                begins, ends = self._borders
                if (_border(text, start) or not begins) and (_border(text, end) or not ends):
                    yield start, end

    def allows(self, value: str) -> bool:
        """Whether it matches somewhere in a value. Where `\\b` may be wrong: no."""
        sure = self._loose is None or value.isascii()
        return sure and self._regex.search(value) is not None


def _spans(regex: Any, text: str) -> Iterator[tuple[int, int]]:
    return (match.span() for match in regex.finditer(text) if match.end() > match.start())


def _border(text: str, place: int) -> bool:
    """Whether `\\b` would match there in Python."""
    before = place > 0 and _WORD.match(text[place - 1])
    after = place < len(text) and _WORD.match(text[place])
    return bool(before) != bool(after)


def _borders(pieces: list[str]) -> tuple[bool, bool]:
    """Whether a match begins and ends at a `\\b` for certain: where in doubt, not."""
    depth = 0
    for piece in pieces:
        depth += (piece == "(") - (piece == ")")
        if piece == "|" and depth == 0:
            return False, False
    first = next((one for one in pieces if one not in ("(", "?", ":")), "")
    last = next((one for one in reversed(pieces) if one != ")"), "")
    return first == r"\b", last == r"\b"


def _pieces(regex: str) -> Iterator[str]:
    """The regex in RE2's terms."""
    inside = False
    for match in _PIECE.finditer(regex):
        piece = match[0]
        if not inside and piece in _LETTER:
            yield _LETTER[piece]
            continue
        if r"\W" in piece[1:] or (inside and piece in (r"\W", r"\S")):
            raise UsageError(r"a regex: \W and \S cannot stand in brackets here")
        if piece == r"\B":
            raise UsageError(r"a regex: \B is not here; say what stands there, or \b")
        yield (_INSIDE if inside else _OUTSIDE).get(piece, piece)
        ends, begins = piece[0] != "\\" and piece[-1] == "]", piece[0] == "["
        inside = not ends if inside else begins


@lru_cache(256)
def _compiled(regex: str, flags: int) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MEMORY
    options.case_sensitive = not flags & re.IGNORECASE
    options.dot_nl = bool(flags & re.DOTALL)
    many = "(?m)" if flags & re.MULTILINE else ""
    try:
        return re2.compile(many + regex, options)
    except re2.error:
        raise UsageError(
            "a regex cannot be used: RE2 knows no look-around, no back-references, no possessive "
            "repeats and none of more than 1000 times"
        ) from None
