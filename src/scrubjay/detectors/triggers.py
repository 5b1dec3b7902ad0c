"""What Hyperscan looks for in place of a pattern: as little as will do.

Words times values multiply in an automaton, starts cost more than ends, and UTF-8 more than bytes.
So each pattern is scanned for by the cheapest thing that its every match must hold.
"""

from __future__ import annotations

import re
from functools import cache

from msgspec import Struct

from scrubjay.detectors.bytewise import ATOM, bytewise, takes
from scrubjay.detectors.linear import matcher

KINDS = ("head", "exact", "wide", "late")


class Expression(Struct, frozen=True):
    """A regex in the syntax that Hyperscan and RE2 share: no look-around, no back-reference."""

    regex: str
    ignore_case: bool = True

    def compile(self) -> object:
        """Raise `CatalogueError` unless RE2 takes it."""
        return matcher(self.regex, self.ignore_case)


class Trigger(Struct, frozen=True):
    """How one expression is scanned for, and how hits are read.

    head   every match begins with it; RE2 reads on from each head
    exact  the expression to the letter, with its starts
    wide   somewhat more than the expression, with its starts; RE2 decides in each region
    late   ends only, which is far cheaper; RE2 decides in the line (or word) that the match, which
           holds no `breaks`, cannot leave
    """

    regex: str
    ignore_case: bool
    kind: str
    breaks: tuple[bytes, ...] = ()


def trigger(expression: Expression) -> Trigger:
    """`\\b(?:visa|pass)` for `\\b(?:visa|pass)[ :]*([A-Z0-9]+)`, say."""
    head = _head(expression.regex)
    regex, exact = bytewise(head or expression.regex, expression.ignore_case)
    if head:
        return Trigger(regex, expression.ignore_case, "head")
    if exact and _bounded(expression.regex):
        return Trigger(regex, expression.ignore_case, "exact")
    breaks = tuple(c.encode() for c in "\n " if not _crosses(expression.regex, c))
    if b"\n" in breaks:
        return Trigger(regex, expression.ignore_case, "late", breaks)
    return Trigger(regex, expression.ignore_case, "exact" if exact else "wide")


def _head(regex: str) -> str:
    """The beginning of a regex up to the end of its first group, if all that is words; or the
    letters that it begins with."""
    border = _BORDER.match(regex)
    start = border.end() if border else 0
    letters = _LITERAL.match(regex, start)
    head = regex[: letters.end()] if letters else ""
    depth = 0
    for atom in ATOM.finditer(regex, start):
        depth += atom[0].startswith("(")
        depth -= atom[0] == ")"
        if depth == 0 and atom[0] == "|":
            return ""
        if depth == 0 and atom[0] == ")" and not head:
            rest = regex[atom.end() :]
            if len(rest) <= 8 or rest[0] in "?*+{|" or not _wordy(regex[start : atom.end()]):
                return ""
            head = regex[: atom.end()]
    return head


_BORDER = re.compile(r"\\b|\(\?:\\b\|_\)|\(\?:\^\|\\s\)")
_LITERAL = re.compile(r"-{5}BEGIN |[A-Za-z]{3,}(?![?*+{A-Za-z])|[A-Za-z]{4,}(?=[A-Za-z][?*+{])")
_INNERMOST = re.compile(r"\(\?[a-z]*:([^()]*)\)")
_COMMON = frozenset({  # words that would stop the scan at every line
    "in", "on", "by", "of", "at", "to", "is", "it", "the", "and", "for", "from", "with", "be", "or",
    "as", "was", "has", "had", "before", "after", "during", "last", "since", "until", "year", "due",
    "are", "not", "this", "that", "en", "de", "da", "em", "le", "la", "el", "di", "du", "der",
})  # fmt: skip
_LETTERS = re.compile(r"[^\W\d_].*[^\W\d_]|\\x\{")


def _wordy(head: str) -> bool:
    """Whether each alternative of the group that a head ends with has letters of its own."""
    atoms = (atom[0] for atom in ATOM.finditer(head))
    plain = "".join(" " if a[0] in "[\\" and a[:3] != r"\x{" and len(a) > 1 else a for a in atoms)
    body = plain[plain.find("(?") + 1 : -1].partition(":")[2]
    while (simpler := _INNERMOST.sub(lambda group: group[1].replace("|", " "), body)) != body:
        body = simpler
    if "(" in body:  # a plain group is a value
        return False
    alternatives = body.split("|")
    rare = _COMMON.isdisjoint(alternative.strip().lower() for alternative in alternatives)
    return rare and all(_LETTERS.search(alternative) for alternative in alternatives)


def _bounded(regex: str) -> bool:
    """Whether no part of the regex repeats without limit."""
    tokens = [token[0] for token in ATOM.finditer(regex)]
    return not {"*", "+"} & set(tokens) and not re.search(r"\{\d+,\}", "".join(tokens))


def _crosses(regex: str, char: str) -> bool:
    """Whether a match may hold this ASCII character."""
    return any(takes(token[0], char) for token in ATOM.finditer(regex))


@cache
def has_value(regex: str) -> bool:
    """Whether a plain group marks a value inside the match."""
    return any(token[0] == "(" for token in ATOM.finditer(regex))
