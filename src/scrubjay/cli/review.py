"""`scrubjay review`: people read a sample of what was written, and so bound what is left in it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import click
import msgspec

from scrubjay.cli import options, vaults
from scrubjay.errors import InputError, UsageError
from scrubjay.run.sample import WORDS, Mark, Passage, bounded, sampled

HELP = "identifiers left in it? a number, Enter for none, q to stop"


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
    passages = sampled(
        folder, sample, dice, encoding, unread=lambda what: click.echo(what, err=True)
    )
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
    """The bound, in words."""
    told = bounded(marks)
    if told is None:
        return "nothing was looked at: nothing can be said"
    return (
        f"{told.left} left in {told.words:,} words of {told.looked} passages: at most"
        f" {told.bound_per_10000_words:.1f} in 10,000 words, and at most"
        f" {100 * told.bound_passages:.1f} % of passages of {WORDS} words hold any, with 95 %"
        " confidence"
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
