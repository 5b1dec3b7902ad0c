"""Ways to open a vault: each slot holds the root key, wrapped by something that a person or a
machine has. A passphrase goes through Argon2id; a key file, a command's output and recovery parts
are random already.
"""

from __future__ import annotations

import shlex
import subprocess
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from msgspec import Struct

from scrubjay.errors import UsageError, VaultError
from scrubjay.vault import seal
from scrubjay.vault.seal import LENGTH, Random, Secret

Kind = Literal["passphrase", "file", "command", "parts"]
SALT = 16
SHORTEST = 12  # characters of a new passphrase
MOST = 4 * 1024 * 1024  # KiB times passes that a file may ask of us
PATIENCE = 60  # seconds for a command


class Cost(NamedTuple):
    """What one guess costs. RFC 9106's second choice, above what OWASP asks for."""

    memory: int = 64 * 1024  # KiB
    passes: int = 3
    lanes: int = 4


class Opener(Secret, frozen=True):
    """What somebody has that opens a slot."""

    kind: Kind
    value: bytes


class Slot(Struct, frozen=True, forbid_unknown_fields=True):
    """The root key, wrapped once."""

    name: str
    kind: Kind
    created: str
    salt: bytes
    memory: int
    passes: int
    lanes: int
    wrapped: bytes


def passphrase(words: str, *, new: bool = False) -> Opener:
    """A passphrase, the same however its letters were typed. A new one is not too short."""
    words = unicodedata.normalize("NFC", words)
    if new and len(words) < SHORTEST:
        raise UsageError(
            f"a passphrase of {len(words)} characters is guessed: take {SHORTEST} or more"
        )
    return Opener("passphrase", words.encode("utf-8", "surrogatepass"))


def key_file(path: Path) -> Opener:
    """A file with 32 random bytes or more, plain or as hexadecimal digits."""
    try:
        return Opener("file", _bytes(path.read_bytes(), f"key file {path}"))
    except OSError as problem:
        raise UsageError(f"key file {path}: {problem.strerror}") from None


def command(line: str) -> Opener:
    """What a command prints, run without a shell. Nothing that it says is repeated."""
    try:
        words = shlex.split(line)
        done = subprocess.run(words, capture_output=True, timeout=PATIENCE, check=True)  # noqa: S603 the owner's own
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as problem:
        raise UsageError(
            f"the key command failed ({type(problem).__name__}): run it by hand to see why"
        ) from None
    return Opener("command", _bytes(done.stdout, "what the key command printed"))


def parts(secret: bytes) -> Opener:
    """Two recovery parts, joined."""
    return Opener("parts", secret)


def told(environment: Mapping[str, str], *, new: bool = False) -> Opener | None:
    """What opens without a prompt, if anything does. `new`: for a vault that is not there yet."""
    if path := environment.get("SCRUBJAY_KEY_FILE"):
        return key_file(Path(path))
    if line := environment.get("SCRUBJAY_KEY_COMMAND"):
        return command(line)
    if words := environment.get("SCRUBJAY_PASSPHRASE"):
        return passphrase(words, new=new)
    return None


def wrap(
    root: bytes, opener: Opener, name: str, bound: str, *, cost: Cost, at: str, random: Random
) -> Slot:
    """A new slot. `bound`: vault and generation, which it opens and no other."""
    costs = cost if opener.kind == "passphrase" else Cost(0, 0, 0)
    slot = Slot(name, opener.kind, at, random(SALT), *costs, wrapped=b"")
    wrapped = seal.seal(_key(slot, opener), root, random, *_bound(slot, bound))
    return msgspec.structs.replace(slot, wrapped=wrapped)


def unwrap(slot: Slot, opener: Opener, bound: str) -> bytes | None:
    """The root key, or None where this slot is not for what the opener holds."""
    if slot.kind != opener.kind:
        return None
    key = _key(slot, opener)
    try:
        return seal.unseal(key, slot.wrapped, *_bound(slot, bound))
    except VaultError:
        return None


def _bound(slot: Slot, bound: str) -> tuple[str | bytes, ...]:
    """All that a slot says of itself: to change a parameter is to break it (VLT-13)."""
    return "slot", bound, msgspec.json.encode(msgspec.structs.replace(slot, wrapped=b""))


def _key(slot: Slot, opener: Opener) -> bytes:
    """The key that wraps."""
    if slot.kind != "passphrase":
        return seal.derive(seal.extract(opener.value, slot.salt), "slot", slot.kind)
    least = 8 * max(slot.lanes, 1)  # RFC 9106 3.1
    work = slot.lanes > 0 < slot.passes and least <= slot.memory and len(slot.salt) == SALT
    if not work or slot.memory * slot.passes > MOST:
        raise VaultError(
            f"slot '{slot.name}' asks for work that none of ours asks for: root.json was changed"
        )
    hashed = Argon2id(
        salt=slot.salt, length=LENGTH, iterations=slot.passes, lanes=slot.lanes,
        memory_cost=slot.memory,
    )  # fmt: skip
    return seal.derive(hashed.derive(opener.value), "slot", slot.kind)


def _bytes(data: bytes, what: str) -> bytes:
    """Key material: hexadecimal digits or plain bytes."""
    try:
        value = bytes.fromhex(data.strip().decode("ascii"))
    except ValueError:
        value = data
    if len(value) < LENGTH:
        raise UsageError(f"{what} is {len(value)} bytes: {LENGTH} random ones are needed")
    return value
