"""`scrubjay review`: people read a sample of what was written, and so bound what is left in it."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

import click
import msgspec
from msgspec import Struct

from scrubjay import bound, formats, sealing
from scrubjay.cli import files, options, vaults
from scrubjay.errors import InputError, ScrubjayError, UsageError
from scrubjay.formats.work import Work
from scrubjay.report import unchanged
from scrubjay.run.walk import walk
from scrubjay.types import Anonymized, Document

WORDS = 80  # of a passage
FILES = 500  # that passages are drawn from, at random where there are more
OURS = ("scrubjay-report.json", "scrubjay-report.html", "manifest.json")
HELP = "identifiers left in it? a number, Enter for none, q to stop"


class Passage(Struct, frozen=True):
    """Some words of an output. `number`: of the passage in its file."""

    file: str
    number: int
    text: str
    words: int


class Mark(Struct, frozen=True):
    """What a reviewer said of a passage. No text."""

    file: str
    number: int
    words: int
    left: int


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--sample", default=50, show_default=True, type=click.IntRange(1), help="Passages.")
@click.option(
    "--marks", type=click.Path(path_type=Path),
    help="A file that keeps what was said, without text; what is in it is not asked again.",
)  # fmt: skip
@click.option("--seed", default=None, type=int, help="For the same sample again.")
@options.encoding
def command(folder: Path, sample: int, marks: Path | None, seed: int | None, encoding: str) -> None:
    """Show a sample of a run's outputs, and say how much can be left in all of them.

    For each passage, type how many identifiers are left in it. The answer is an upper bound for
    10,000 words that holds with 95 % confidence (Clopper and Pearson).
    """
    vaults.asked("review.run")
    dice = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311 as asked
    passages = _sampled(folder, sample, dice, encoding)
    if not passages:
        raise InputError(f"{folder}: nothing in it that could be read")
    told = _known(marks)
    for number, passage in enumerate(passages, 1):
        if (passage.file, passage.number) in told:
            continue
        left = _asked(passage, f"{number}/{len(passages)}")
        if left is None:
            break
        mark = Mark(passage.file, passage.number, passage.words, left)
        told[mark.file, mark.number] = mark
        if marks:
            with marks.open("ab") as stream:
                stream.write(msgspec.json.encode(mark) + b"\n")
    click.echo(verdict(told.values()))


def verdict(marks: Iterable[Mark]) -> str:
    """The bound, in words. It is of passages, not of words: what is left stands together, and words
    of one passage say nothing new. In those that hold any are as many as in those that were seen
    to, or one."""
    seen = list(marks)
    words, left = sum(mark.words for mark in seen), sum(mark.left for mark in seen)
    if not words:
        return "nothing was looked at: nothing can be said"
    leaky = sum(mark.left > 0 for mark in seen)
    share = bound.upper(leaky, len(seen))
    most = min(1e4, 1e4 * share * max(1.0, left / max(1, leaky)) * len(seen) / words)
    return (
        f"{left} left in {words:,} words of {len(seen)} passages: at most {most:.1f} in 10,000 "
        f"words, and at most {100 * share:.1f} % of passages of {WORDS} words hold any, with 95 % "
        "confidence"
    )


def _asked(passage: Passage, which: str) -> int | None:
    """How many; None: no more."""
    click.echo(f"\n[{which}] {passage.file}, passage {passage.number}\n\n{passage.text}\n")
    while True:
        answer = click.prompt(HELP, default="0", show_default=False).strip()
        if answer == "q":
            return None
        if answer.isdecimal() and int(answer) <= passage.words:
            return int(answer)
        click.echo(f"a number from 0 to {passage.words}, or q")


def _known(marks: Path | None) -> dict[tuple[str, int], Mark]:
    if marks is None or not marks.exists():
        return {}
    try:
        found = [msgspec.json.decode(line, type=Mark) for line in marks.open("rb")]
    except (OSError, msgspec.MsgspecError):
        raise UsageError(f"{marks}: not a file of marks of this command") from None
    return {(mark.file, mark.number): mark for mark in found}


def _sampled(folder: Path, count: int, dice: random.Random, encoding: str) -> list[Passage]:
    """Passages at random: each of the files' has the same chance (Vitter's algorithm R)."""
    sources = list(walk(folder)) if folder.is_dir() else []
    paths = [s.path for s in sources if not s.problem and s.path.suffix != sealing.SUFFIX]
    paths = dice.sample(paths, min(FILES, len(paths))) if folder.is_dir() else [folder]
    kept: list[Passage] = []
    for seen, passage in enumerate(_all(paths, folder, encoding)):
        if seen < count:
            kept.append(passage)
        elif (place := dice.randrange(seen + 1)) < count:
            kept[place] = passage
    dice.shuffle(kept)  # who stops early has seen a sample, too
    return kept


def _all(paths: Iterable[Path], folder: Path, encoding: str) -> Iterator[Passage]:
    for path in paths:
        name = path.relative_to(folder).as_posix() if path != folder else path.name
        if name in OURS:
            continue
        try:
            texts = read(path, encoding)
        except ScrubjayError as problem:
            click.echo(f"{name}: {problem}", err=True)
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
    found: list[str] = []

    def look(documents: Iterable[Document]) -> Iterator[Anonymized]:
        for document in documents:
            found.append(document.text)
            yield unchanged(document)

    with files.reading(path) as stream:
        reader = formats.make(formats.of(PurePath(path.name), stream), encoding=encoding)
        reader.convert(stream, io.BytesIO(), Work(look, encoding, rule=lambda label: "keep.v1"))
    return found
