"""A net on its way to a bundle: a folder with all that the next step needs.

net.pt          size and weights
vocabulary.txt  word pieces, one a line
lexicon.bin     hints for words
steps.json      what was done to it, first to last: the bundle tells it as its origin
state.pt        what training needs to go on, if it was trained here
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from scrubjay.errors import InputError, UsageError
from scrubjay.model import bundle as bundles
from scrubjay.model.bundle import Calibration
from scrubjay.model.lexicon import Lexicon
from scrubjay.model.tokens import Tokens
from scrubjay.train import fit, thaw
from scrubjay.train.net import EncoderTagger, Tagger

Step = dict[str, Any]


class Run(NamedTuple):
    """A net and how it reads text."""

    net: Tagger
    vocabulary: list[str]
    lexicon: Lexicon
    steps: tuple[Step, ...] = ()

    @property
    def tokens(self) -> Tokens:
        """What cuts text for this net."""
        return Tokens(self.vocabulary, self.lexicon)

    @property
    def kind(self) -> str:
        """conv or encoder."""
        return "encoder" if isinstance(self.net, EncoderTagger) else "conv"


def exists(folder: Path) -> bool:
    """Whether a folder holds a net."""
    return (folder / "net.pt").is_file()


def load(folder: Path) -> Run:
    """A folder's net with what belongs to it; a bundle's too."""
    if (folder / "bundle.json").is_file():
        return _bundle(folder)
    for name in ("net.pt", "vocabulary.txt", "lexicon.bin"):
        if not (folder / name).is_file():
            raise InputError(f"{folder}: no run, for it lacks {name}; scrubjay train fit makes one")
    told = folder / "steps.json"
    steps = json.loads(told.read_text("utf-8")) if told.is_file() else []
    return Run(fit.load(folder / "net.pt"), *_reads(folder), tuple(steps))


def calibration(folder: Path) -> Calibration:
    """How a folder's scores are read: of a run, nobody knows that yet."""
    if (folder / "bundle.json").is_file():
        return bundles.read(folder).calibration
    return Calibration()


def _bundle(folder: Path) -> Run:
    steps = bundles.read(folder).origin.get("steps", ())
    return Run(thaw.net(folder), *_reads(folder), tuple(steps))


def _reads(folder: Path) -> tuple[list[str], Lexicon]:
    vocabulary = (folder / "vocabulary.txt").read_text("utf-8").split("\n")
    return vocabulary, Lexicon.load(folder / "lexicon.bin")


def new(folder: Path) -> Path:
    """A folder for another net, or an error where one is already."""
    if exists(folder):
        raise UsageError(f"{folder}: holds a net already; name another folder")
    return folder


def save(run: Run, folder: Path, *, net: bool = True) -> None:
    """Write it; without the net where training writes that itself."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocabulary.txt").write_text("\n".join(run.vocabulary), "utf-8")
    run.lexicon.save(folder / "lexicon.bin")
    (folder / "steps.json").write_text(json.dumps(run.steps, indent=1) + "\n", "utf-8")
    if net:
        fit.save(run.net, folder / "net.pt")
