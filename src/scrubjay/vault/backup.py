"""A backup: the whole vault in one age file (docs/spec/vault.md, VLT-50).

The rows in it are sealed as they were, so that it takes two things to use one: an identity of the
age file, and what opens a slot of the vault as it was then.
"""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec
import pyrage
from msgspec import Struct

from scrubjay import home
from scrubjay.errors import UsageError, VaultError
from scrubjay.vault import mark, root, seal
from scrubjay.vault.domain import Backup
from scrubjay.vault.seal import Clock
from scrubjay.vault.slots import Opener
from scrubjay.vault.store import Row, Store
from scrubjay.vault.vault import TOOLS, Tools, Vault, made_whole

FORMAT = 1
SIZE = 4  # bytes before an item that say how long it is
BATCH = 1000  # rows that are added at once


class Head(Struct, frozen=True, tag="head", array_like=True):
    """What comes first: root.json too, for the rest cannot be put in place without it."""

    format: int
    root: bytes


class Kept(Struct, frozen=True, tag="row", array_like=True):
    """A row of the store."""

    space: str
    key: bytes
    value: bytes


class Tail(Struct, frozen=True, tag="tail", array_like=True):
    """What comes last: how many rows there were, and who was erased."""

    rows: int
    erased: bytes


def export(
    vault: Vault, target: Path, recipients: Sequence[str], clock: Clock = time.time
) -> Backup:
    """Write a backup for age recipients, and record it, so that `erase` can tell of it."""
    to = [_recipient(told) for told in recipients]
    began = seal.day(clock())
    new = target.with_name(f".{target.name}.new")
    try:
        with new.open("xb") as file:
            pyrage.encrypt_io(_Reader(_items(vault)), file, to)
        made = Backup(began, seal.day(clock()), target.name, digest(new))
        vault.record(made)  # before it can be used
        new.replace(target)
        home.sync(target.parent)
    except OSError as problem:
        raise VaultError(f"{target}: {problem.strerror}; nothing was written") from None
    finally:
        new.unlink(missing_ok=True)
    return made


def digest(path: Path) -> str:
    """What tells a backup from others."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def restore(
    folder: Path, source: Path, identity: str, opener: Opener, tools: Tools = TOOLS
) -> Vault:
    """The vault of a backup, in a new folder. What came after the backup is not in it."""
    if folder.exists() and any(folder.iterdir()):
        raise VaultError(f"{folder} is not empty: move what is there away first")
    with made_whole(folder, tools.random) as new:
        plain = new / "plain"  # of sealed rows, in a folder that only its owner reads
        _decrypt(source, plain, identity)
        with plain.open("rb") as file:
            _put(new, _read(file, source), opener, tools)
        plain.unlink()
    return Vault.open(folder, opener, tools)


def _items(vault: Vault) -> Iterator[bytes]:
    """The backup, item by item. The erased are read last: none may lack whom a row still holds."""
    yield _item(Head(FORMAT, (vault.folder / root.NAME).read_bytes()))
    count = 0
    for row in vault.store.rows():
        count += 1
        yield _item(Kept(*row))
    erased = vault.folder / mark.ERASED
    yield _item(Tail(count, erased.read_bytes() if erased.exists() else b""))


def _item(told: Head | Kept | Tail) -> bytes:
    raw = msgspec.msgpack.encode(told)
    return len(raw).to_bytes(SIZE, "big") + raw


def _read(file: BinaryIO, source: Path) -> Iterator[Head | Kept | Tail]:
    """The items again."""
    decoder = msgspec.msgpack.Decoder(Head | Kept | Tail)
    try:
        while size := file.read(SIZE):
            yield decoder.decode(file.read(int.from_bytes(size, "big")))
    except msgspec.MsgspecError:
        raise VaultError(f"{source} is no backup of a vault that this version reads") from None


def _put(new: Path, items: Iterator[Head | Kept | Tail], opener: Opener, tools: Tools) -> None:
    """Everything in its place."""
    head = next(items, None)
    if not isinstance(head, Head) or head.format != FORMAT:
        raise VaultError(f"no backup of format {FORMAT}: use the version that made it")
    home.write(new / root.NAME, head.root)
    _, ring = root.unlock(root.read(new), opener)
    store = tools.store(new, ring.store, True)
    try:
        tail = _fill(store, items)
        home.write(new / mark.ERASED, tail.erased)
        mark.Mark(new, ring.tenants).make(store.writes())
    finally:
        store.close()


def _fill(store: Store, items: Iterator[Head | Kept | Tail]) -> Tail:
    """Add the rows; what comes after them, if they are all there."""
    count, tail = 0, None
    while some := list(itertools.islice(items, BATCH)):
        rows = [Row(item.space, item.key, item.value) for item in some if isinstance(item, Kept)]
        if not store.add(rows):
            raise VaultError("this database holds a vault already: name an empty one")
        count += len(rows)
        tail = some[-1]
    if not isinstance(tail, Tail) or tail.rows != count:
        raise VaultError("the backup lacks rows: take another one")
    return tail


def _decrypt(source: Path, target: Path, identity: str) -> None:
    try:
        key = pyrage.x25519.Identity.from_str(identity.strip())
        with source.open("rb") as file, target.open("xb") as plain:
            pyrage.decrypt_io(file, plain, [key])
    except pyrage.IdentityError:
        raise UsageError("this is no age identity: it begins with AGE-SECRET-KEY-1") from None
    except (OSError, pyrage.DecryptError) as problem:  # a cut file is an OSError without a number
        why = getattr(problem, "strerror", None) or "damaged, no age file, or for another identity"
        raise VaultError(f"{source}: {why}: take another backup") from None


def _recipient(told: str) -> pyrage.x25519.Recipient:
    try:
        return pyrage.x25519.Recipient.from_str(told)
    except pyrage.RecipientError:
        raise UsageError("this is no age recipient: it begins with age1") from None


class _Reader:
    """An iterator of bytes as a file."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces, self._rest = iter(pieces), b""

    def read(self, size: int = -1) -> bytes:
        """So many bytes, or fewer; none at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = piece
        given, self._rest = self._rest[:size], self._rest[size:]
        return given
