"""A sample of what was written, for people to read; and how much can be left, by what they saw."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePath
from typing import BinaryIO

from msgspec import Struct

from scrubjay import bound, formats, sealing
from scrubjay.errors import InputError, ScrubjayError
from scrubjay.formats.work import Work
from scrubjay.report import unchanged
from scrubjay.run.walk import walk
from scrubjay.types import Anonymized, Document

WORDS = 80  # of a passage
FILES = 500  # that passages are drawn from, at random where there are more
OURS = ("scrubjay-report.json", "scrubjay-report.html", "manifest.json")


class Passage(Struct, frozen=True):
    """Some words of an output. `number`: of the passage in its file."""

    file: str
    number: int
    text: str
    words: int

    def __repr__(self) -> str:
        return f"Passage(number={self.number}, <{len(self.text)} characters>)"


class Mark(Struct, frozen=True):
    """What a reviewer said of a passage. No text."""

    file: str
    number: int
    words: int
    left: int


class Bound(Struct, frozen=True):
    """How many identifiers were seen to be left, in so many passages and words, and how many there
    can be in 10,000 words of all outputs, and in which share of passages, with 95 % confidence."""

    left: int
    looked: int
    words: int
    bound_per_10000_words: float
    bound_passages: float


def bounded(marks: Iterable[Mark]) -> Bound | None:
    """What marks say; none say nothing. The bound is of passages, not of words: what is left stands
    together, and words of one passage say nothing new. In those that hold any are as many as in
    those that were seen to, or one."""
    seen = list(marks)
    words, left = sum(mark.words for mark in seen), sum(mark.left for mark in seen)
    if not words:
        return None
    leaky = sum(mark.left > 0 for mark in seen)
    share = bound.upper(leaky, len(seen))
    most = min(1e4, 1e4 * share * max(1.0, left / max(1, leaky)) * len(seen) / words)
    return Bound(left, len(seen), words, most, share)


def sampled(
    folder: Path, count: int, dice: random.Random, encoding: str = "utf-8", *,
    unread: Callable[[str], None] = lambda what: None,
) -> list[Passage]:  # fmt: skip
    """Passages at random: each of the files' has the same chance (Vitter's algorithm R). `unread`
    hears which file could not be read, and why."""
    sources = list(walk(folder)) if folder.is_dir() else []
    paths = [s.path for s in sources if not s.problem and s.path.suffix != sealing.SUFFIX]
    paths = dice.sample(paths, min(FILES, len(paths))) if folder.is_dir() else [folder]
    kept: list[Passage] = []
    for seen, passage in enumerate(_all(paths, folder, encoding, unread)):
        if seen < count:
            kept.append(passage)
        elif (place := dice.randrange(seen + 1)) < count:
            kept[place] = passage
    dice.shuffle(kept)  # who stops early has seen a sample, too
    return kept


def _all(
    paths: Iterable[Path], folder: Path, encoding: str, unread: Callable[[str], None]
) -> Iterator[Passage]:
    for path in paths:
        name = path.relative_to(folder).as_posix() if path != folder else path.name
        if name in OURS:
            continue
        try:
            texts = read(path, encoding)
        except ScrubjayError as problem:
            unread(f"{name}: {problem}")
            continue
        yield from cut(name, texts)


def cut(name: str, texts: Iterable[str]) -> Iterator[Passage]:
    """Passages of about so many words; short texts together."""
    lines: list[str] = []
    words = number = 0
    for text in texts:
        for line in re.findall(rf"(?:\S+\s*){{1,{WORDS}}}", text):
            lines.append(line.rstrip())
            words += len(line.split())
            if words >= WORDS:
                yield Passage(name, number, "\n".join(lines), words)
                lines, words, number = [], 0, number + 1
    if words:
        yield Passage(name, number, "\n".join(lines), words)


def read(path: Path, encoding: str) -> list[str]:
    """Every text of a file of any format."""
    try:
        stream = path.open("rb")
    except OSError as problem:
        raise InputError(problem.strerror or "cannot be read") from None
    with stream:
        return texts(stream, formats.of(PurePath(path.name), stream), encoding)


def texts(stream: BinaryIO, kind: str, encoding: str) -> list[str]:
    """Every text of a file of this format."""
    found: list[str] = []

    def look(documents: Iterable[Document]) -> Iterator[Anonymized]:
        for document in documents:
            found.append(document.text)
            yield unchanged(document)

    work = Work(look, encoding, rule=lambda label: "keep.v1")
    formats.make(kind, encoding=encoding).convert(stream, io.BytesIO(), work)
    return found
