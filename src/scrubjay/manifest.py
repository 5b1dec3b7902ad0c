"""What an output is and how it came to be, in a file beside it: `scrubjay verify` compares.

An unsigned manifest finds accidents: a file that was cut off, edited, swapped or forgotten. Who can
write both can make both agree. Where there is a vault, its log's key signs: docs/spec/manifest.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from scrubjay.errors import AuditError, InputError

if TYPE_CHECKING:
    from scrubjay.audit.note import Signer, Verifier

FORMAT, SIGNED = 1, 2
SUFFIX = ".manifest.json"


class File(msgspec.Struct, frozen=True):
    """One output."""

    sha256: str
    bytes: int


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`files` by name, seen from the manifest's folder; no name of an input. A signed one has the
    number of the run's first entry in the log, and the log's head once it was there."""

    format: int
    created: str
    scrubjay: str
    policy: str
    policy_digest: str
    detectors: tuple[str, ...]
    models: Mapping[str, str]
    counts: Mapping[str, int]
    files: Mapping[str, File]
    log: str = ""  # a signed note
    entry: int = -1
    signature: str = ""  # a line of a signed note


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
    if told.format != (SIGNED if told.signature else FORMAT):
        raise InputError(f"{path}: format {told.format}; known: {FORMAT}, and {SIGNED} if signed")
    return told


def written(told: Manifest) -> bytes:
    """As it lies in its file."""
    return msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n"


def _body(told: Manifest) -> bytes:
    """What is signed: two lines, which no checkpoint is (MAN-3)."""
    plain = msgspec.json.encode(msgspec.structs.replace(told, signature=""), order="sorted")
    return b"scrubjay manifest\n%s\n" % hashlib.sha256(plain).hexdigest().encode()


def signed(told: Manifest, signer: Signer) -> Manifest:
    """With a signature over all the rest."""
    return msgspec.structs.replace(told, signature=str(signer.sign(_body(told))).strip())


def check(path: Path, told: Manifest, key: Verifier) -> str:
    """The head that the log had when it had heard of the run, if `key` signed both."""
    from scrubjay.audit import note  # with a vault alone: an extra

    if not told.signature:
        raise InputError(f"{path}: not signed; a run with a vault signs its manifest")
    line = f"\n{told.signature}\n".encode()
    try:
        found = note.parse(_body(told) + line)
        by = key.check(found) if len(found.signatures) == 1 else None
        _, head = note.opened(told.log.encode(), key)
    except AuditError:
        by = None
    if by is None or not 0 <= told.entry < head.size:
        raise InputError(f"{path}: not what {key.name} signed, or signed with another key")
    return note.paper(head)


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
