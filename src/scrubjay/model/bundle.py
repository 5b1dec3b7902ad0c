"""A tagger on disk: one folder that says all about itself (docs/spec/bundle.md).

    bundle.json     format, kind, classes, calibration, golden answers, origin, SHA-256 of the rest
    model.onnx      the net
    vocabulary.txt  its word pieces, one a line
    lexicon.bin     hints for words

A file that is not what bundle.json says is refused, and so is a net whose answers to the golden
sentences are not the golden ones on this CPU.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from scrubjay.errors import BundleError, UsageError

FORMAT = 1
PROFILES = {"fast": "fast", "balanced": "accurate", "accurate": "accurate"}


class Golden(Struct, frozen=True):
    """A sentence, and what the net must say of it: [start, end, class]."""

    text: str
    spans: tuple[tuple[int, int, str], ...]


class Calibration(Struct, frozen=True):
    """How scores are to be read. `thresholds`: by wanted recall, see docs/spec/bundle.md."""

    temperature: float = 1.0
    threshold: float = 0.5
    thresholds: dict[str, float] = msgspec.field(default_factory=dict)
    documents: int = 0  # that it was measured on


class Bundle(Struct, frozen=True):
    """bundle.json."""

    format: int
    name: str
    version: str
    kind: Literal["conv", "encoder"]
    classes: tuple[str, ...]
    window: int  # units that the net sees at once
    margin: int  # of them, at each end, for context only
    calibration: Calibration
    golden: tuple[Golden, ...]
    sha256: dict[str, str]
    origin: dict[str, Any] = msgspec.field(default_factory=dict)


@cache
def folder(profile: str) -> Path:
    """Where the bundle of a profile lies; a path to another bundle is a profile too."""
    if profile in PROFILES:
        return Path(str(files("scrubjay.model").joinpath("bundles", PROFILES[profile])))
    if Path(profile, "bundle.json").is_file():
        return Path(profile)
    known = ", ".join(PROFILES)
    raise UsageError(f"unknown profile '{profile}'; known: {known}, or a bundle's folder")


def read(path: Path) -> Bundle:
    """The bundle in a folder, every file checked."""
    try:
        bundle = msgspec.json.decode(path.joinpath("bundle.json").read_bytes(), type=Bundle)
    except (OSError, msgspec.DecodeError) as problem:
        raise BundleError(f"{path}: {problem}") from None
    if bundle.format != FORMAT:
        raise BundleError(f"{path}: bundle format {bundle.format}; this version reads {FORMAT}")
    for name, digest in bundle.sha256.items():
        if Path(name).name != name:
            raise BundleError(f"{path}: bundle.json names a file outside the bundle")
        if sha256(path / name) != digest:
            raise BundleError(f"{path}: {name} is not the file that bundle.json describes")
    return bundle


def sha256(path: Path) -> str:
    """A file's digest."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as problem:
        raise BundleError(f"{path}: {problem.strerror}") from None
