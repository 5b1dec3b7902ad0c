r"""What Hyperscan looks for in place of a pattern: as little as will do.

Words times values multiply in an automaton, starts cost more than ends, and UTF-8 more than bytes.
So each pattern is scanned for by the cheapest thing that its every match must hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from msgspec import Struct, structs

from scrubjay.detectors.beginnings import ENDS, beginnings, core, kernel, longest, parse
from scrubjay.detectors.bytewise import ATOM, bytewise, takes
from scrubjay.detectors.linear import every, matcher

KINDS = ("head", "late")
OFTEN = 1  # times in prose.txt; a look costs as much as a microsecond and a half of scanning


class Expression(Struct, frozen=True):
    """A regex in the syntax that Hyperscan and RE2 share: no look-around, no back-reference."""

    regex: str
    ignore_case: bool = True

    def compile(self) -> object:
        """Raise `CatalogueError` unless RE2 takes it."""
        return matcher(self.regex, self.ignore_case)


class Trigger(Struct, frozen=True):
    """How one expression is scanned for, and how hits are read.

    head   the first bytes of every match, by their number; RE2 reads on from each start
    late   its core, ends only; RE2 decides in what a match cannot leave: the line or word (a match
           holds no `breaks`), the longest that a match can be (`reach`), or else all of the text
    """

    kind: str
    regexes: tuple[tuple[int, str], ...]
    ignore_case: bool = False
    members: tuple[int, ...] = ()
    breaks: str = ""
    reach: int = 0
    anchored: bool = False  # it knows where its text begins or ends


def trigger(expression: Expression) -> Trigger:
    r"""`\b(?:visa|pass)` for `\b(?:visa|pass)[ :]*([A-Z0-9]+)`, say."""
    way = _trigger(expression)
    tokens = (token[0] for token in ATOM.finditer(expression.regex))
    return structs.replace(way, anchored=not ENDS.keys().isdisjoint(tokens))


def _trigger(expression: Expression) -> Trigger:
    regex, _ = bytewise(expression.regex, expression.ignore_case)
    spelt = beginnings(regex, expression.ignore_case)
    if spelt and _rare(spelt.values(), expression.ignore_case):
        return Trigger("head", tuple(spelt.items()), expression.ignore_case)
    tree = parse(regex, expression.ignore_case)
    breaks = "".join(c for c in "\n " if not _crosses(expression.regex, c))
    part = kernel(tree)
    if not part or not _rare([part], expression.ignore_case):
        part = core(tree)
    return Trigger(
        "late", ((0, part),), expression.ignore_case, breaks=breaks, reach=longest(tree) or 0
    )


def _rare(begins: Iterable[str], ignore_case: bool) -> bool:
    """Whether so few places of ordinary text begin like that that RE2 may look at each."""
    prose = _prose()
    matches = [matcher(regex, ignore_case, bytewise=True) for regex in begins]
    return sum(len(list(every(m, prose, 0, len(prose)))) for m in matches) <= OFTEN


@cache
def _prose() -> bytes:
    return (Path(__file__).parent / "prose.txt").read_bytes()


def _crosses(regex: str, char: str) -> bool:
    """Whether a match may hold this ASCII character."""
    return any(takes(token[0], char) for token in ATOM.finditer(regex))


def plan(expressions: Iterable[Expression]) -> list[Trigger]:
    """Each trigger once, with the numbers of the expressions that it stands for."""
    ways: dict[Trigger, list[int]] = {}
    for index, expression in enumerate(expressions):
        ways.setdefault(trigger(expression), []).append(index)
    return [structs.replace(way, members=tuple(indexes)) for way, indexes in ways.items()]
