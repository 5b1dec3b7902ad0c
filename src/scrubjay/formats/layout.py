"""Text that lies on a page: signs with their places, read as a person reads them.

A page is read by rows, across columns. Where the order in which it was written is another one, it
is read in that order too: a name may break at the end of a column's line.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from scrubjay.errors import InputError
from scrubjay.formats.work import Work
from scrubjay.types import Document

PARTS, FAR = 0.18, 1.5  # heights between signs: from there on they are words; columns
SPACED = 3  # signs of which more, each apart from the next, are a word


class Sign(Struct, frozen=True):
    """A glyph or a word. `along` and `across` are its start in its own direction of writing,
    `across` growing upwards; `turn` is that direction in degrees."""

    text: str
    along: float
    across: float
    length: float
    height: float
    turn: int = 0


class View(Struct, frozen=True):
    """A text, and which sign each part of it is. Between parts there may be blanks."""

    text: str
    starts: list[int]
    ends: list[int]
    signs: list[int]

    def touched(self, start: int, end: int) -> list[int]:
        """The signs of a place in the text."""
        first = bisect_right(self.ends, start)
        last = bisect_left(self.starts, end)
        return self.signs[first:last]


class Change(Struct, frozen=True):
    """What becomes something else: signs of one view, and the substitute."""

    signs: list[int]
    text: str


class Script:
    """All views of all pages as one text, so that what is found on one page is found on each."""

    BREAK = "\n\n"

    def __init__(self) -> None:
        self._views: list[tuple[Hashable, View]] = []
        self._starts: list[int] = []
        self._length = 0

    def add(self, owner: Hashable, views: Iterable[View]) -> None:
        """`owner` is what the changes are asked for by: a page, a picture."""
        for view in views:
            self._views.append((owner, view))
            self._starts.append(self._length)
            self._length += len(view.text) + len(self.BREAK)

    def clean(self, work: Work) -> dict[Hashable, list[Change]]:
        """What changes, by owner."""
        if self._length > work.limits.text:
            raise InputError(f"more than {work.limits.text >> 20} MiB of text in one document")
        text = self.BREAK.join(view.text for _, view in self._views)
        [result] = work.clean([Document(text, group=work.group)])
        changes: dict[Hashable, list[Change]] = {}
        for one in result.report.replacements:
            new = result.text[one.new_start : one.new_end]
            if new != text[one.start : one.end]:
                for owner, signs in self._touched(one.start, one.end):
                    changes.setdefault(owner, []).append(Change(signs, new))
        return changes

    def _touched(self, start: int, end: int) -> Iterator[tuple[Hashable, list[int]]]:
        index = max(0, bisect_right(self._starts, start) - 1)
        while index < len(self._views) and self._starts[index] < end:
            owner, view = self._views[index]
            at = self._starts[index]
            if signs := view.touched(max(0, start - at), end - at):
                yield owner, signs
            index += 1


def views(signs: Sequence[Sign], apart: bool = False) -> list[View]:
    """A page as one text, or more. `apart`: signs are words, so blanks part them."""
    order = _by_rows(signs)
    rows = _view(signs, order, apart)
    written = _view(signs, list(range(len(signs))), apart)
    told = [rows] if rows.text.split() == written.text.split() else [rows, written]
    return [*told, *(_tight(signs, run) for run in _spaced(signs, order))]


def _spaced(signs: Sequence[Sign], order: Sequence[int]) -> Iterator[list[int]]:
    """Runs of a row that are written l i k e  t h i s: gaps that would part words elsewhere. Of
    each, what can be seen."""
    run: list[int] = []
    for index in [*order, -1]:
        if run and (index < 0 or not _loose(signs[run[-1]], signs[index])):
            seen = [each for each in run if signs[each].text.strip()]
            if len(seen) > SPACED:
                yield seen
            run = []
        run.append(index)


def _loose(last: Sign, sign: Sign) -> bool:
    height = max(last.height, sign.height)
    apart = 0.5 * PARTS * height < _gap(last, sign) <= FAR * height
    return apart and len(last.text) == len(sign.text) == 1 and _same_row(last, sign)


def _tight(signs: Sequence[Sign], run: list[int]) -> View:
    """The run as words: a blank only where the gap is wider than the run's own."""
    gaps = [_gap(signs[one], signs[other]) for one, other in pairwise(run)]
    usual = sorted(gaps)[len(gaps) // 2]
    text, starts = "", []
    for index, gap in zip(run, [0.0, *gaps], strict=True):
        text += " " if gap > 1.6 * usual else ""
        starts.append(len(text))
        text += signs[index].text
    return View(text, starts, [start + 1 for start in starts], run)


def _by_rows(signs: Sequence[Sign]) -> list[int]:
    """Directions apart, rows from the top, each from its start."""
    order = sorted(range(len(signs)), key=lambda i: (signs[i].turn, -signs[i].across))
    rows: list[list[int]] = []
    for index in order:
        if rows and _same_row(signs[rows[-1][0]], signs[index]):
            rows[-1].append(index)
        else:
            rows.append([index])
    return [index for row in rows for index in sorted(row, key=lambda i: signs[i].along)]


def _same_row(one: Sign, other: Sign) -> bool:
    apart = abs(one.across - other.across)
    return one.turn == other.turn and apart <= 0.5 * min(one.height, other.height)


def _view(signs: Sequence[Sign], order: list[int], apart: bool) -> View:
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    length = 0
    last: Sign | None = None
    for index in order:
        sign = signs[index]
        if last is not None and (between := _between(last, sign, apart)):
            parts.append(between)
            length += len(between)
        starts.append(length)
        parts.append(sign.text)
        length += len(sign.text)
        ends.append(length)
        last = sign
    return View("".join(parts), starts, ends, order)


def _between(last: Sign, sign: Sign, apart: bool) -> str:
    if not _same_row(last, sign):
        return "\n"
    gap = _gap(last, sign)
    height = max(last.height, sign.height)
    if gap > FAR * height:
        return "  "
    if last.text.endswith(" ") or sign.text.startswith(" "):
        return ""
    return " " if apart or gap > PARTS * height or gap < -height else ""


def _gap(last: Sign, sign: Sign) -> float:
    return sign.along - last.along - last.length
