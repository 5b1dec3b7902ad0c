"""Texts with every identifier marked in place: `[[LABEL|value]]`, documents headed `%%% name`."""

from __future__ import annotations

import re
from collections.abc import Iterator
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


def unmark(name: str, marked: str) -> Marked:
    """The text without its marks."""
    parts: list[str] = []
    spans: list[Span] = []
    last = size = 0
    for mark in MARK.finditer(marked):
        parts += marked[last : mark.start()], mark[2]
        size += mark.start() - last
        spans.append(Span(size, size + len(mark[2]), mark[1]))
        size += len(mark[2])
        last = mark.end()
    parts.append(marked[last:])
    return Marked(name, "".join(parts), tuple(spans))
