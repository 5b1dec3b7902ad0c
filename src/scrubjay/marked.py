"""Texts with every identifier marked in place: `[[LABEL|value]]`, documents headed `%%% name`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

HEADER = re.compile(r"^%%% (\S+)[ \t]*$", re.MULTILINE)
MARK = re.compile(r"\[\[([A-Z_]+)\|((?:(?!\]\]|\[\[).)+)\]\]", re.DOTALL)
STRAY = re.compile(r"\[\[[A-Z_]+\||\]\]")


class Span(NamedTuple):
    """A marked stretch of a text."""

    start: int
    end: int
    label: str


class Marked(NamedTuple):
    """A text, and where its identifiers are, in order. `line` is where it begins in its file."""

    name: str
    text: str
    spans: tuple[Span, ...]
    line: int = 1

    def __repr__(self) -> str:
        return f"Marked({self.name!r}, <{len(self.text)} characters>, {len(self.spans)} spans)"


def parse(file: str) -> Iterator[Marked]:
    """The documents of a file."""
    heads = list(HEADER.finditer(file))
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        body = file[head.end() : following.start() if following else len(file)]
        blanks = len(body) - len(body.lstrip("\n"))
        line = file.count("\n", 0, head.end() + blanks) + 1
        yield unmark(head[1], body.strip("\n"))._replace(line=line)


class Change(NamedTuple):
    """A stretch of a text, what shall stand there, and as what it is marked: "" as nothing."""

    start: int
    end: int
    value: str
    label: str


def changed(name: str, text: str, changes: Iterable[Change]) -> Marked:
    """The text with these changes, which are in order."""
    parts: list[str] = []
    spans: list[Span] = []
    last = size = 0
    for start, end, value, label in changes:
        parts += text[last:start], value
        size += start - last
        if label:
            spans.append(Span(size, size + len(value), label))
        size += len(value)
        last = end
    parts.append(text[last:])
    return Marked(name, "".join(parts), tuple(spans))


def unmark(name: str, marked: str) -> Marked:
    """The text without its marks."""
    marks = MARK.finditer(marked)
    return changed(name, marked, (Change(*mark.span(), mark[2], mark[1]) for mark in marks))
