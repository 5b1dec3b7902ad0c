"""vault/root.json: who can open the vault, and what the root key wraps (docs/spec/vault.md).

The file is sealed under the root key as a whole, and has one way to be written, so that a changed
byte anywhere is told. VLT-n are the clauses of that page.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from scrubjay import home
from scrubjay.errors import VaultError
from scrubjay.vault import seal, slots
from scrubjay.vault.seal import Random, Secret
from scrubjay.vault.slots import Opener, Slot

FORMAT = 1
NAME = "root.json"
RESTORE = "put its newest backup in its place"


class Ring(Secret, frozen=True):
    """What the root key wraps: each 32 random bytes, never changed."""

    store: bytes  # encrypts the store's file
    tenants: bytes  # seals tenants, backups, the mark


class Root(Struct, frozen=True, forbid_unknown_fields=True):
    """root.json. `generation` counts root keys, `revision` every writing of the file."""

    format: int
    vault: str
    created: str
    generation: int
    revision: int
    slots: tuple[Slot, ...]
    ring: bytes
    seal: bytes = b""

    @property
    def bound(self) -> str:
        """What slots and ring are bound to."""
        return f"{self.vault} {self.generation}"


class _Head(Struct):
    format: int


def made(ring: Ring, key: bytes, at: str, random: Random) -> Root:
    """A new vault's, with no slot yet."""
    empty = Root(FORMAT, random(16).hex(), at, 1, 0, (), b"")
    return replace(empty, ring=_wrapped(empty, ring, key, random))


def rewrapped(root: Root, ring: Ring, key: bytes, random: Random) -> Root:
    """The same under a new root key: no slot opens it yet."""
    bare = replace(root, generation=root.generation + 1, slots=())
    return replace(bare, ring=_wrapped(bare, ring, key, random))


def read(folder: Path) -> Root:
    """root.json, byte for byte as we write it. Nothing in it is proven before `unlock`."""
    path = folder / NAME
    try:
        raw = path.read_bytes()
        number = msgspec.json.decode(raw, type=_Head).format
        if number != FORMAT:
            raise VaultError(f"{path}: format {number}; this version reads {FORMAT}")
        root = msgspec.json.decode(raw, type=Root)
    except FileNotFoundError:
        raise VaultError(
            f"{path} is not there: make a vault with scrubjay keys init, or {RESTORE}"
        ) from None
    except OSError as problem:
        raise VaultError(f"{path}: {problem.strerror}") from None
    except ValueError:  # not JSON, not UTF-8, not these fields
        raise VaultError(f"{path} is damaged or cut short: {RESTORE}") from None
    if _written(root) != raw:
        raise VaultError(f"{path} was changed: {RESTORE}")
    return root


def unlock(root: Root, opener: Opener) -> tuple[bytes, Ring]:
    """Root key and ring, the whole file proven."""
    for slot in root.slots:
        key = slots.unwrap(slot, opener, root.bound)
        if key is None:
            continue
        if not hmac.compare_digest(root.seal, _seal(root, key)):
            raise VaultError(f"{NAME} was changed: {RESTORE}")
        return key, msgspec.msgpack.decode(
            seal.unseal(key, root.ring, "ring", root.bound), type=Ring
        )
    kinds = ", ".join(sorted({slot.kind for slot in root.slots})) or "none"
    raise VaultError(
        f"this {opener.kind} opens no slot (there are: {kinds}): it is mistyped or another "
        f"vault's, its slot was removed, or {NAME} was changed"
    )


def write(folder: Path, root: Root, key: bytes) -> Root:
    """Seal the file and put it in place, whole or not at all."""
    root = replace(root, revision=root.revision + 1)
    root = replace(root, seal=_seal(root, key))
    try:
        home.write(folder / NAME, _written(root))
    except OSError as problem:
        raise VaultError(f"{folder / NAME}: {problem.strerror}; nothing was changed") from None
    return root


def _wrapped(root: Root, ring: Ring, key: bytes, random: Random) -> bytes:
    return seal.seal(key, msgspec.msgpack.encode(ring), random, "ring", root.bound)


def _seal(root: Root, key: bytes) -> bytes:
    bare = msgspec.json.encode(replace(root, seal=b""))
    return hmac.digest(seal.derive(key, "root.json"), bare, hashlib.sha256)


def _written(root: Root) -> bytes:
    return msgspec.json.format(msgspec.json.encode(root), indent=1) + b"\n"
