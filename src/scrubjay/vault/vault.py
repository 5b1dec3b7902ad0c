"""The vault: root key, tenants, domains, subjects (docs/spec/vault.md).

vault = Vault.open(folder, slots.passphrase("..."))
domain = vault.tenant("hospital").domain("study-7")
domain.code("patient 4711")
"""

from __future__ import annotations

import itertools
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from scrubjay import home
from scrubjay.errors import UsageError, VaultError
from scrubjay.keys import Key
from scrubjay.vault import nodes, root, seal, shares, slots
from scrubjay.vault.domain import Backup, Links
from scrubjay.vault.mark import Mark, Marked, alone
from scrubjay.vault.nodes import Held, Level
from scrubjay.vault.root import Ring, Root
from scrubjay.vault.seal import LENGTH, Clock, Random, Site
from scrubjay.vault.slots import Cost, Opener, Slot
from scrubjay.vault.sqlite import SQLite
from scrubjay.vault.store import Row, Store
from scrubjay.vault.subjects import LIVE, space_of
from scrubjay.vault.tenant import Tenant

FILE = "vault.db"
OLDER = (
    "is older than what was here: find the newest, or, if this is the newest there is, "
    "scrubjay keys accept"
)
Opening = Callable[[Path, bytes, bool], Store]


def in_file(folder: Path, key: bytes, create: bool) -> Store:
    """Where a vault keeps its rows if nothing else is said."""
    return SQLite(folder / FILE, key, create=create)


class Tools(NamedTuple):
    """What comes from outside, and what tests replace."""

    store: Opening = in_file
    clock: Clock = time.time
    random: Random = secrets.token_bytes
    cost: Cost = Cost()


TOOLS = Tools()


class Vault:
    """One folder, one store. Make it with `init`, `open` or `recover`."""

    def __init__(self, folder: Path, key: bytes, known: tuple[Root, Ring], tools: Tools) -> None:
        self.folder, self._key, self._tools = folder, key, tools
        self._root, self._ring = known
        _no_core_dumps()
        self._mark = Mark(folder, self._ring.tenants)
        plain = tools.store(folder, self._ring.store, False)
        self.store: Store = Marked(plain, self._mark)
        self._site = Site(self._root.vault, self.store, tools.clock, tools.random)

    @classmethod
    def init(cls, folder: Path, opener: Opener, tools: Tools = TOOLS) -> Vault:
        """A new vault that `opener` opens; there all at once or not at all."""
        if folder.exists() and any(folder.iterdir()):
            raise VaultError(f"{folder} is not empty: a vault is never made over another")
        ring = Ring(tools.random(LENGTH), tools.random(LENGTH))
        key, now = tools.random(LENGTH), seal.day(tools.clock())
        made = root.made(ring, key, now, tools.random)
        with_slot = replace(made, slots=(_slot(made, key, opener, opener.kind, tools),))
        with made_whole(folder, tools.random) as new:
            written = root.write(new, with_slot, key)
            store = tools.store(new, ring.store, True)
            if next(store.rows(), None):
                raise VaultError("the database holds a vault already: name an empty one")
            Mark(new, ring.tenants).make(store.writes())
            store.close()
        vault = cls(folder, key, (written, ring), tools)
        vault._remember()
        return vault

    @classmethod
    def open(
        cls, folder: Path, opener: Opener, tools: Tools = TOOLS, *, least: int = 0,
        older: bool = False,
    ) -> Vault:  # fmt: skip
        """An existing one. `VaultError` where the key is wrong, something was changed, or the store
        or root.json is older than what was here; `least`: a count of writes that was noted
        elsewhere. `older`: it may be, for `accept`, or nothing."""
        known = root.read(folder)
        key, ring = root.unlock(known, opener)
        vault = cls(folder, key, (known, ring), tools)
        try:
            if not older:
                vault._prove(least)
        except BaseException:
            vault.close()
            raise
        return vault

    @classmethod
    def recover(
        cls, folder: Path, parts: tuple[str, str], opener: Opener, tools: Tools = TOOLS
    ) -> Vault:  # fmt: skip
        """Open with two parts, and let `opener` open it from now on. Slots of its kind go."""
        vault = cls.open(folder, slots.parts(shares.join(*parts)), tools)
        kept = [slot for slot in vault._root.slots if slot.kind != opener.kind]
        vault._write(slots=(*kept, vault._wrapped(opener, _free(kept, opener.kind))))
        return vault

    # Slots

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Who can open it: names, kinds, days."""
        return self._root.slots

    def add_slot(self, name: str, opener: Opener) -> None:
        """One more way to open it."""
        nodes.check_name(name)
        if any(slot.name == name for slot in self._root.slots):
            raise UsageError(f"slot '{name}' is there already: take another name")
        self._write(slots=(*self._root.slots, self._wrapped(opener, name)))

    def remove_slot(self, name: str) -> None:
        """One way less. Copies of root.json that were made before still open with it."""
        kept = tuple(slot for slot in self._root.slots if slot.name != name)
        if len(kept) == len(self._root.slots):
            known = ", ".join(slot.name for slot in self._root.slots)
            raise UsageError(f"no slot of that name; known: {known}")
        if not kept:
            raise UsageError(
                "the last slot stays, or nobody could open the vault: add another first"
            )
        self._write(slots=kept)

    def split(self) -> tuple[str, ...]:
        """Three parts, of which two open it. Earlier parts stop working."""
        secret = self._tools.random(LENGTH)
        kept = [slot for slot in self._root.slots if slot.kind != "parts"]
        slot = self._wrapped(slots.parts(secret), _free(kept, "recovery"))
        self._write(slots=(*kept, slot))
        return shares.split(secret, self._tools.random)

    def rotate(self, openers: Sequence[Opener]) -> tuple[str, ...]:
        """A new root key, in the slots that these open. Every other slot goes, for what opens it
        is not here: their names. Nothing below is read or written."""
        key, tools = self._tools.random(LENGTH), self._tools
        bare = root.rewrapped(self._root, self._ring, key, tools.random)
        openable = {
            slot.name: opener
            for slot in self._root.slots
            for opener in openers
            if slots.unwrap(slot, opener, self._root.bound)
        }
        if not openable:
            raise UsageError("none of these opens a slot, so nobody could open the vault")
        made = [_slot(bare, key, opener, name, tools) for name, opener in openable.items()]
        gone = tuple(slot.name for slot in self._root.slots if slot.name not in openable)
        self._replace(replace(bare, slots=tuple(made)), key)
        return gone

    # What belongs to no tenant

    def derive(self, purpose: str) -> bytes:
        """32 bytes for the vault's own purposes: its log, its people. Rotation leaves them."""
        return seal.derive(self._ring.tenants, "vault", purpose)

    def key(self, purpose: str) -> Key:
        """The same as a key that derives further and never shows itself."""
        return Key(self.derive(purpose))

    # Tenants

    def tenants(self) -> list[Tenant]:
        """All of them, by name."""
        every = (self._tenant(held) for held in nodes.every(self._level))
        return sorted(every, key=lambda tenant: tenant.name)

    def tenant(self, name: str) -> Tenant:
        """The one of that name."""
        return self._tenant(nodes.find(self._level, name, "tenant"))

    def add_tenant(self, name: str) -> Tenant:
        """A new one."""
        return self._tenant(nodes.add(self._level, name))

    # Backups

    def backups(self) -> list[Backup]:
        """Those that were recorded and not forgotten, oldest first."""
        rows = (Row("backup", *item) for item in self.store.items("backup"))
        plain = (self._opened(row, row.value) for row in rows)
        found = (msgspec.msgpack.decode(told, type=Backup) for told in plain)
        return sorted(found, key=lambda made: made.began)

    def record(self, backup: Backup) -> None:
        """Note that a backup exists."""
        row = self._sealed(self._backup(backup.sha256), msgspec.msgpack.encode(backup))
        self.store.change([row])

    def forget(self, sha256: str) -> None:
        """Note that a backup was destroyed."""
        at = self._backup(sha256)
        if self.store.get(at.space, [at.key]) == [None]:
            raise UsageError("no backup of this digest: scrubjay keys show lists them")
        self.store.change([], [(at.space, at.key)])

    # All of it

    @property
    def generation(self) -> int:
        """How many root keys there were."""
        return self._root.generation

    @property
    def created(self) -> str:
        """The day of `init`."""
        return self._root.created

    def writes(self) -> int:
        """How many writes the store has had. Noted elsewhere, it tells that all was put back."""
        return self.store.writes()

    @property
    def id(self) -> str:
        """What tells it from another vault."""
        return self._root.vault

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()

    @property
    def _level(self) -> Level:
        index = seal.derive(self._ring.tenants, "index")
        return Level(self._site, "tenant", index, self._ring.tenants)

    def _tenant(self, held: Held) -> Tenant:
        return Tenant(self._level, held, Links(self._mark.erase, self.backups))

    def _backup(self, sha256: str) -> Row:
        return Row("backup", seal.place(self._ring.tenants, "backup", sha256), b"")

    def _wrapped(self, opener: Opener, name: str) -> Slot:
        return _slot(self._root, self._key, opener, name, self._tools)

    def _write(self, *, slots: Sequence[Slot]) -> None:
        self._replace(replace(self._root, slots=tuple(slots)), self._key)

    def _replace(self, new: Root, key: bytes) -> None:
        """root.json first, what remembers it next: a kill between leaves a newer file, which is
        no rollback."""
        with alone(self.folder / "lock"):
            if root.read(self.folder) != self._root:
                raise VaultError(nodes.CHANGED)
            self._root, self._key = root.write(self.folder, new, key), key
            self._remember()

    def accept(self) -> None:
        """Take what is there as the newest, and erase again who was erased."""
        self._mark.make(self.store.writes())
        self._remember()
        self._prove(0)

    def _prove(self, least: int) -> None:
        """That nothing is older than it was."""
        seen = max(self._mark.counts().writes, least)  # before the store, which only grows
        if (writes := self.store.writes()) < seen:
            raise VaultError(f"the store has had {writes} writes, but {seen} were seen: it {OLDER}")
        at = Row("vault", b"root", b"")
        value = self.store.get(at.space, [at.key])[0]
        remembered = 0 if value is None else int(self._opened(at, value))
        if remembered > root.read(self.folder).revision:
            raise VaultError(f"{root.NAME} {OLDER}")
        if remembered != self._root.revision:  # a kill before it was remembered
            self._remember()
        self._finish()

    def _remember(self) -> None:
        """Which root.json is the newest."""
        at = Row("vault", b"root", b"")
        self.store.change([self._sealed(at, str(self._root.revision).encode())])

    def _finish(self) -> None:
        """Erase who was to be erased before a kill, or is back from an older copy."""
        erased: dict[str, list[bytes]] = {}
        for id_, at in self._mark.erased():
            erased.setdefault(id_, []).append(at)
        again = {
            id_: living
            for id_, places in erased.items()
            if (living := _living(self.store, id_, places))
        }
        if again:
            for domain in itertools.chain.from_iterable(t.domains() for t in self.tenants()):
                for at in again.get(domain.id, ()):
                    domain.destroy(at)

    def _sealed(self, at: Row, plain: bytes) -> Row:
        """A row of the vault's own."""
        bound = (self._root.vault, at.space, at.key)
        return at._replace(value=seal.seal(self._ring.tenants, plain, self._tools.random, *bound))

    def _opened(self, at: Row, value: bytes) -> bytes:
        return seal.unseal(self._ring.tenants, value, self._root.vault, at.space, at.key)

    def __repr__(self) -> str:
        return f"Vault({str(self.folder)!r})"


def _slot(made: Root, key: bytes, opener: Opener, name: str, tools: Tools) -> Slot:
    now = seal.day(tools.clock())
    return slots.wrap(key, opener, name, made.bound, cost=tools.cost, at=now, random=tools.random)


def _free(taken: Sequence[Slot], name: str) -> str:
    """The name, or the first with a number that nobody has."""
    names = {slot.name for slot in taken}
    later = (f"{name}-{number}" for number in itertools.count(2))
    return next(free for free in itertools.chain([name], later) if free not in names)


def _living(store: Store, domain: str, places: Sequence[bytes]) -> list[bytes]:
    """Of these places, where somebody still is."""
    values = store.get(space_of(domain), places)
    return [at for at, value in zip(places, values, strict=True) if value and value[:1] == LIVE]


@contextmanager
def made_whole(folder: Path, random: Random) -> Iterator[Path]:
    """A folder that gets its name when all is in it."""
    new = folder.with_name(f".{folder.name}.{random(4).hex()}.new")
    try:
        new.mkdir(mode=0o700, parents=True)
        yield new
        home.sync(new)
        new.rename(folder)  # over an empty folder at most
        home.sync(folder.parent)
    except OSError as problem:
        raise VaultError(f"{folder}: {problem.strerror}; nothing was made") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _no_core_dumps() -> None:
    """A crash leaves no memory on the disk (VLT-42)."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
