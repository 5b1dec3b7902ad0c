"""Where a batch is made durable: one write, one sync. The tiles follow, and may be late or lost.

    state/journal   two slots with the ratchet's key, then records, then zeros made beforehand
                    record 0: the right edge that the tiles have for certain (`Base`)
                    each other: the leaves of one append (`Batch`)

The slots lie in sectors of their own. The newer key is written to one; once the batch is durable,
the other is overwritten too, so that no older key stays.
"""

from __future__ import annotations

import hmac
from pathlib import Path

import msgspec
from msgspec import Struct

from scrubjay.audit import ratchet
from scrubjay.audit.disk import Disk, replace
from scrubjay.audit.secrets import Dice, Sealer
from scrubjay.audit.tree import SIZE
from scrubjay.errors import AuditError
from scrubjay.keys import Key

SLOTS = (0, 4096)
SLOT = 8 + 12 + SIZE + 16
START = 8192
ROOM = 1 << 20  # zeros written at a time: a sync that need not change the file's length is faster
MORE = 1 << 16  # bytes that others may have written and that are read on their own
HEAD = 4 + 32  # length and digest of a record


class Base(Struct, frozen=True, array_like=True):
    """A right edge that the tiles on disk have for certain."""

    rows: list[bytes]
    tail: list[bytes]
    size: int


class Batch(Struct, frozen=True, array_like=True):
    """The leaves of one append."""

    first: int
    leaves: list[bytes]


class Found(Struct, frozen=True):
    """What a journal tells."""

    base: Base
    leaves: list[bytes]
    key: bytes
    whole: bool  # nothing is behind it


class Journal:
    """The file. Its callers hold the log's lock."""

    def __init__(self, disk: Disk, path: Path, secret: Key, dice: Dice) -> None:
        self._disk = disk
        self.path = path
        self._secret = secret.derive("audit journal")
        self._sealer = Sealer(secret, "audit ratchet", dice)
        self._slots = b""
        self._begun = b""  # how the first record begins: no other journal has the same
        self._room = 0
        self.end = 0

    def same(self) -> bool:
        """Whether nobody wrote since this object did."""
        return bool(self._slots) and self._disk.read(self.path, 0, START) == self._slots

    def more(self, size: int) -> tuple[list[bytes], bytes] | None:
        """The leaves that others appended to the `size` that this object knows, and the key after
        them. None where only `read` can tell: they began it anew, wrote much, or were killed."""
        head = self._disk.read(self.path, 0, START + HEAD)
        data = self._disk.read(self.path, self.end, MORE)
        leaves, at = self._batches(data, 0, size)
        end, total = self.end + at, size + len(leaves)
        known = head[START:] == self._begun and _told(head) == {total}
        if not known or end + HEAD > self._room or any(data[at : at + HEAD]):
            return None
        self._slots, self.end = head[:START], end
        return leaves, self._key(head, total)

    def begin(self, base: Base, key: bytes) -> None:
        """A new journal in place of the old one, whose keys are overwritten first."""
        record = self._record(base)
        slot = self._slot(base.size, key)
        if self._slots:
            for offset in SLOTS:
                self._disk.write(self.path, slot, offset)
        head = slot.ljust(SLOTS[1], b"\0") + slot.ljust(START - SLOTS[1], b"\0")
        data = head + record
        self._slots, self._begun = head, record[:HEAD]
        self.end = len(data)
        self._room = -(-len(data) // ROOM) * ROOM + ROOM
        replace(self._disk, self.path, data.ljust(self._room, b"\0"))

    def append(self, batch: Batch, size: int, key: bytes) -> None:
        """A batch, and the key that its last entry led to: durable when this returns."""
        record = self._record(batch)
        if self.end + len(record) > self._room:
            self._grow(len(record))
        slot = self._slot(size, key)
        self._disk.write(self.path, record, self.end)
        self._disk.write(self.path, slot, SLOTS[0])
        self._disk.sync([self.path])
        self._disk.write(self.path, slot, SLOTS[1])
        head = slot.ljust(SLOTS[1], b"\0")
        self._slots = head + slot.ljust(START - SLOTS[1], b"\0")
        self.end += len(record)

    def _grow(self, need: int) -> None:
        more = -(-(self.end + need - self._room) // ROOM) * ROOM
        self._disk.write(self.path, bytes(more), self._room)
        self._disk.sync([self.path])
        self._room += more

    def read(self) -> Found:
        """All that is durable."""
        data = self._disk.read(self.path)
        self._slots, self._room = data[:START], len(data)
        raw, at = self._next(data, START)
        if raw is None:
            raise AuditError(f"{self.path}: damaged, or written with another root key")
        base = msgspec.msgpack.decode(raw, type=Base)
        leaves, self.end = self._batches(data, at, base.size)
        self._begun = data[START : START + HEAD]
        if len(_told(data)) > 1:  # who wrote last was killed, perhaps before the sync
            self._disk.sync([self.path])
        key = self._key(data, base.size + len(leaves))
        return Found(base, leaves, key, not any(data[self.end : self.end + HEAD]))

    def _batches(self, data: bytes, at: int, size: int) -> tuple[list[bytes], int]:
        """The leaves of all batches from a place on, and where they end."""
        leaves: list[bytes] = []
        while True:
            raw, then = self._next(data, at)
            if raw is None:
                return leaves, at
            batch = msgspec.msgpack.decode(raw, type=Batch)
            if batch.first != size + len(leaves):
                return leaves, at
            leaves += batch.leaves
            at = then

    def _next(self, data: bytes, at: int) -> tuple[bytes | None, int]:
        length = int.from_bytes(data[at : at + 4], "big")
        raw = data[at + HEAD : at + HEAD + length]
        want = hmac.digest(self._secret, raw, "sha256")
        good = length and hmac.compare_digest(want, data[at + 4 : at + HEAD])
        return (raw, at + HEAD + length) if good else (None, at)

    def _record(self, content: Base | Batch) -> bytes:
        raw = msgspec.msgpack.encode(content)
        return len(raw).to_bytes(4, "big") + hmac.digest(self._secret, raw, "sha256") + raw

    def _slot(self, size: int, key: bytes) -> bytes:
        return size.to_bytes(8, "big") + self._sealer.seal(key, str(size))

    def _key(self, data: bytes, size: int) -> bytes:
        """The ratchet's key at a size: from a slot for it, or from one for less."""
        found: dict[int, bytes] = {}
        for offset in SLOTS:
            raw = data[offset : offset + SLOT]
            at = int.from_bytes(raw[:8], "big")
            if at <= size and (key := self._sealer.open(raw[8:], str(at))):
                found[at] = key
        if not found:
            raise AuditError(
                f"{self.path}: the ratchet's key does not open; was it restored in part?"
            )
        best = max(found)
        return ratchet.forward(found[best], size - best)


def _told(data: bytes) -> set[int]:
    """For how many entries the slots have a key."""
    return {int.from_bytes(data[slot : slot + 8], "big") for slot in SLOTS}
