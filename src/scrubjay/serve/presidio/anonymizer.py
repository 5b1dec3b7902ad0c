"""What Presidio's anonymizer makes of a text and of places in it: pure, and to the letter.

Results of one type that overlap become one; of others, what lies within another goes; two of one
type with spaces between are one. Then each is replaced, the last first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from scrubjay.errors import RefusedError
from scrubjay.serve.presidio.operators import Operator

LARGEST = 1 << 25  # characters that are looked at and written: a small request costs little
SPACES = re.compile(r" +\n?")
Operators = Mapping[str, tuple[str, Operator, Mapping[str, Any]]]  # by entity: name, itself, params


class Result(Struct, frozen=True):
    """A place in a text. Of what was anonymized before, without a score."""

    start: int
    end: int
    entity_type: str
    score: float | None = None


class Item(Struct, frozen=True):
    """A place in the new text, and what stands there."""

    start: int
    end: int
    entity_type: str
    text: str
    operator: str
    score: float | None

    def __repr__(self) -> str:
        return f"Item({self.start}, {self.end}, {self.entity_type!r})"


class Done(Struct, frozen=True):
    """A text in which places were replaced: the last of them first."""

    text: str
    items: list[Item]

    def __repr__(self) -> str:
        return f"Done(<{len(self.text)} characters>)"


def settled(text: str, results: Iterable[Result]) -> list[Result]:
    """Results as they are replaced: by place, none within another."""
    ordered = sorted(results, key=lambda one: (one.start, one.end))
    return _joined(text, _uncontained(_merged(ordered)))


def operated(text: str, results: Iterable[Result], operators: Operators) -> Done:
    """The new text. Of two that overlap, both are replaced, and nothing of either stays."""
    parts: list[str] = []
    told: list[tuple[Result, str, str]] = []
    left, size = len(text), 0
    for one in sorted(results, key=lambda one: (one.start, one.end), reverse=True):
        _check_place(one, text)
        name, operator, params = _chosen(operators, one.entity_type)
        new = operator(text[one.start : one.end], one.entity_type, params)
        size += len(new) + one.end - one.start
        if size > LARGEST:
            raise RefusedError("values that overlap, or new ones, are too long; ask for fewer")
        told.append((one, new, name))
        parts += [text[one.end : left], new]
        left = one.start
    parts.append(text[:left])
    return Done("".join(reversed(parts)), _items(parts, told))


def _check_place(one: Result, text: str) -> None:
    if one.end > len(text):
        raise RefusedError(
            f"Invalid analyzer result, start: {one.start} and end: {one.end}, "
            f"while text length is only {len(text)}."
        )


def _items(parts: list[str], told: list[tuple[Result, str, str]]) -> list[Item]:
    """Places are counted from the end, where the first of them lies."""
    end, items = sum(map(len, parts)), []
    for number, (one, new, name) in enumerate(told):
        end -= len(parts[2 * number])
        items.append(Item(end - len(new), end, one.entity_type, new, name, one.score))
        end -= len(new)
    return items


def _chosen(operators: Operators, entity: str) -> tuple[str, Operator, Mapping[str, Any]]:
    chosen = operators.get(entity) or operators.get("DEFAULT")
    if chosen is None:
        raise RefusedError("a result's entity_type has no operator, and there is no DEFAULT")
    return chosen


def _merged(ordered: Iterable[Result]) -> list[Result]:
    """One of each type that overlap, at the place in the order of the last."""
    last: dict[str, tuple[int, Result]] = {}
    done: list[tuple[int, Result]] = []
    for number, one in enumerate(ordered):
        known = last.get(one.entity_type)
        if known and _overlap(known[1], one):
            one = _union(known[1], one)
        elif known:
            done.append(known)
        last[one.entity_type] = number, one
    return [one for _, one in sorted([*done, *last.values()], key=lambda known: known[0])]


def _overlap(one: Result, other: Result) -> bool:
    return min(one.end, other.end) > max(one.start, other.start)


def _union(one: Result, other: Result) -> Result:
    score = max(one.score or 0, other.score or 0)
    return replace(other, start=one.start, end=max(one.end, other.end), score=score)


def _uncontained(results: list[Result]) -> list[Result]:
    """Those that lie in no other. Of two at one place the surer, or else the later, stays."""
    order = sorted(
        range(len(results)),
        key=lambda n: (results[n].start, -results[n].end, -(results[n].score or 0), -n),
    )
    stays, furthest = set(), -1
    for number in order:
        if results[number].end > furthest:
            stays.add(number)
            furthest = results[number].end
    return [one for number, one in enumerate(results) if number in stays]


def _joined(text: str, results: Iterable[Result]) -> list[Result]:
    joined: list[Result] = []
    for one in results:
        if joined and _apart(text, joined[-1], one):
            one = replace(one, start=joined.pop().start)
        joined.append(one)
    return joined


def _apart(text: str, before: Result, one: Result) -> bool:
    """Whether there are only spaces between two of one type."""
    same = before.entity_type == one.entity_type
    return same and SPACES.fullmatch(text[before.end : one.start]) is not None
