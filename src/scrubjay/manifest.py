"""What an output is and how it came to be, in a file beside it: `scrubjay verify` compares.

An unsigned manifest finds accidents: a file that was cut off, edited, swapped or forgotten. Who can
write both can make both agree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from scrubjay.errors import InputError

FORMAT = 1
SUFFIX = ".manifest.json"


class File(msgspec.Struct, frozen=True):
    """One output."""

    sha256: str
    bytes: int


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`files` by name, seen from the manifest's folder; no name of an input."""

    format: int
    created: str
    scrubjay: str
    policy: str
    policy_digest: str
    detectors: tuple[str, ...]
    models: Mapping[str, str]
    counts: Mapping[str, int]
    files: Mapping[str, File]


def file(path: Path) -> File:
    """What is told of a file."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return File(digest, path.stat().st_size)


def name_of(output: Path, folder: bool) -> Path:
    """Where the manifest of an output lies: in a folder, or beside a file."""
    return output / SUFFIX[1:] if folder else output.with_name(output.name + SUFFIX)


def read(path: Path) -> Manifest:
    """A manifest, or an error that says where it should be."""
    try:
        told = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise InputError(f"{path}: no manifest; scrubjay anonymize --manifest writes one") from None
    except (OSError, msgspec.MsgspecError) as problem:
        raise InputError(f"{path}: not a manifest: {type(problem).__name__}") from None
    if told.format != FORMAT:
        raise InputError(f"{path}: format {told.format}, this is for {FORMAT}")
    return told


def problems(path: Path, told: Manifest) -> Iterator[str]:
    """Every way in which the files beside a manifest are not what it says."""
    folder = path.parent
    for name, expected in told.files.items():
        there = folder / name
        if Path(name).is_absolute() or ".." in Path(name).parts:
            yield f"{name}: leads out of the folder"
        elif not there.is_file():
            yield f"{name}: missing"
        elif (found := file(there)) != expected:
            kind = "changed" if found.bytes == expected.bytes else f"{found.bytes} bytes"
            yield f"{name}: {kind}; {expected.bytes} bytes were written"
    if path.name == SUFFIX[1:]:
        for there in sorted(folder.rglob("*")):
            name = there.relative_to(folder).as_posix()
            if there.is_file() and there != path and name not in told.files:
                yield f"{name}: not written by that run"
