"""The log: `append` returns when its entries are on the disk for good, or raises.

    1  keys for the new entries          store        durable
    2  leaves and the ratchet's key      journal      durable: acknowledged from here on
    3  tiles, then the checkpoint        folder       soon durable, and made again after a crash

Step 3 is done for all that wait, in order, once a second, and when the log is opened, published or
closed; at once for what names people again. The journal is the spool too: who says `spool=True` is
content with step 2 where the folder is out of reach.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, Self

import pyrage

from scrubjay.audit import note, query, ratchet, tiles
from scrubjay.audit.disk import FILES, Disk, replace
from scrubjay.audit.entry import NONCE, Entry, box, leaf, logged, recipients, unbox
from scrubjay.audit.journal import Base, Batch, Journal
from scrubjay.audit.secrets import Dice, EntryKeys, Secrets
from scrubjay.audit.tree import SIZE, WIDTH, Edge, Head
from scrubjay.audit.tree import leaf as leaf_hash
from scrubjay.errors import AuditError, UsageError, VaultError

JOURNAL = "journal"
FIRST = "first.age"  # the ratchet's first key, for auditors
WITNESSED = "witnessed"  # the last checkpoint that came back with cosignatures
AT_ONCE = frozenset({"restore", "restore.run", "reveal", "reveal.run", "breakglass.start"})
SETTLE = 2 << 20  # bytes of journal after which tiles are made durable
SPOOL = 64 << 20  # bytes of journal that may wait for the folder

LATE = timedelta(seconds=1)  # that the folder may lag behind a journal that is appended to
SEE = "scrubjay audit verify says more; put its newest copy there, or: scrubjay audit renew"
EVER = datetime.min.replace(tzinfo=UTC)

Clock = Callable[[], datetime]


class Place(NamedTuple):
    """`folder` is the log, for anybody; `state` is for its writers alone, never to be served."""

    folder: Path
    state: Path
    disk: Disk = FILES


def create(place: Place, secrets: Secrets, clock: Clock, dice: Dice = os.urandom) -> Log:
    """A new, empty log. Its first key is sealed to the auditors, who must take a copy away."""
    if not secrets.auditors:
        raise UsageError("a log needs an auditor's age recipient, who keeps its first key")
    log = Log(place, secrets, clock, dice)
    first = dice(SIZE)
    sealed = pyrage.encrypt(first, recipients(secrets.auditors))
    with log.locked():
        if _begun(place, secrets.signer):
            raise UsageError(
                f"{place.folder}: a log is there already; open it, or name another folder"
            )
        replace(place.disk, place.folder / FIRST, sealed)
        log.start(first)
    return log


def _begun(place: Place, signer: note.Signer) -> bool:
    """Whether there is a log: more than `create` leaves that was killed before its last step."""
    try:
        data = place.disk.read(place.folder / tiles.CHECKPOINT)
        if note.opened(data, signer.verifier)[1].size:
            return True
    except AuditError:
        return True
    except FileNotFoundError:
        pass
    try:
        place.disk.read(place.state / JOURNAL, 0, 0)
    except FileNotFoundError:
        return False
    return True


class Log:
    """One log, open. Several processes of one host may have it open."""

    def __init__(self, place: Place, secrets: Secrets, clock: Clock, dice: Dice) -> None:
        self.origin = secrets.signer.name
        self._place = place
        self._disk = place.disk
        self._signer = secrets.signer
        self._auditors = recipients(secrets.auditors)
        self._clock = clock
        self._dice = dice
        self._keys = EntryKeys(self.origin, secrets.secret, secrets.store, dice)
        self._journal = Journal(place.disk, place.state / JOURNAL, secrets.secret, dice)
        self._edge = Edge()
        self._tail: list[bytes] = []
        self._key = b""
        self._late: dict[str, bytes] = {}  # whole tiles not written yet
        self._unsynced: set[str] = set()  # whole tiles written, perhaps not durable
        self._shown = 0  # entries that the folder has
        self._last = EVER  # when that was written
        self._away = False  # the folder could not be written
        self._base = Base([], [], 0)
        self._whole = False  # what this object knows is what the journal has
        self._checked = False  # the folder was seen to have what the journal is sure of

    @classmethod
    def open(cls, place: Place, secrets: Secrets, clock: Clock, dice: Dice = os.urandom) -> Log:
        """The log at a place, repaired where a process or the power died. One that was changed,
        or taken back to an older state, is an `AuditError`."""
        log = cls(place, secrets, clock, dice)
        with log.locked():
            log._load(spool=True)
        return log

    @property
    def head(self) -> Head:
        """The tree as this object knows it."""
        return Head(self._edge.size, self._edge.root())

    @contextmanager
    def locked(self, so: str = "nothing was released") -> Iterator[None]:
        """Alone with the log. What the disk cannot do becomes an `AuditError`, and `so`."""
        try:
            with self._disk.lock(self._place.state / "lock"):
                yield
        except OSError as problem:
            self._whole = False
            where = problem.filename or self._place.state
            raise AuditError(f"{where}: {problem.strerror}; {so}") from None
        except VaultError as problem:
            raise AuditError(f"{self.origin}: the keys of entries: {problem}") from None
        except BaseException:
            self._whole = False
            raise

    def append(self, entries: Sequence[Entry], *, spool: bool = False) -> range:
        """Log entries; their numbers. Durable when this returns. If it raises, release nothing: the
        entries may be there or not. `spool`: go on while the folder is out of reach."""
        at_once = any(entry.action in AT_ONCE for entry in entries)
        if spool and at_once:
            raise UsageError("re-identification is logged at once or refused: spool=False")
        with self.locked():
            self._fresh(spool)
            if not entries:
                return range(self._edge.size, self._edge.size)
            if self._journal.end > SPOOL:
                raise AuditError(
                    f"{self._journal.path}: the spool is full; repair {self._place.folder}"
                )
            numbers, now = self._append(entries)
            if at_once or abs(now - self._last) >= LATE:
                self._publish(spool)
                self._last = now
            if self._journal.end > SETTLE:
                self._settle()
            self._whole = True
            return numbers

    def _append(self, entries: Sequence[Entry]) -> tuple[range, datetime]:
        """Make entries durable: their numbers, and when."""
        first, now = self._edge.size, self._clock()
        leaves, key = self._leaves(first, entries, now)
        self._whole = False
        self._journal.append(Batch(first, leaves), first + len(leaves), key)
        self._take(leaves, key)
        return range(first, self._edge.size), now

    def _leaves(
        self, first: int, entries: Sequence[Entry], now: datetime
    ) -> tuple[list[bytes], bytes]:
        """Leaves for entries, and the key after them."""
        count = len(entries)
        time = round(now.timestamp() * 1000)
        keys = self._keys.need(first, first + count)
        tagging = ratchet.keys(self._key, count)
        nonces = self._dice(NONCE * count)
        leaves = []
        for at, (entry, key) in enumerate(zip(entries, keys, strict=True)):
            data = logged(entry, time, self._auditors)
            nonce = nonces[at * NONCE : (at + 1) * NONCE]
            sealed = box(data, self.origin, first + at, key=key, nonce=nonce)
            leaves.append(leaf(sealed, first + at, tagging[at]))
        return leaves, tagging[count]

    def forget(self, numbers: Iterable[int], entry: Entry, held: Collection[str] = ()) -> int:
        """Log `entry`, then make others unreadable for ever; the tree stays as it is. Refused for
        entries that must be kept: `query.droppable`. `held`: subjects under a legal hold."""
        wanted = sorted(set(numbers))
        with self.locked():
            self._fresh(spool=False)
            self._publish(spool=False)
            items = [item for block in _blocks(wanted) for item in self._items(block)]
        may = set(query.droppable(items, self._clock(), held))
        if kept := [item.number for item in items if item.entry and item.number not in may]:
            raise AuditError(f"{self.origin}: entry {kept[0]} must be kept; nothing was forgotten")
        number = self.append([entry])[0]
        with self.locked():
            self._keys.forget(wanted)
        return number

    def _items(self, numbers: Sequence[int]) -> Iterator[query.Item]:
        """Entries of one bundle."""
        if not 0 <= numbers[0] <= numbers[-1] < self._edge.size:
            raise UsageError(f"{self.origin}: no entry {numbers[-1]}; nothing was forgotten")
        keys = self._keys.block(numbers[0] // WIDTH)
        there = tiles.Tiles(self._disk, self._place.folder, self._edge.size)
        leaves = there.leaves(numbers[0] // WIDTH)
        for number in numbers:
            key, data = keys[number % WIDTH], leaves[number % WIDTH]
            yield query.Item(number, unbox(data, self.origin, number, key) if key else None)

    def checkpoint(self) -> bytes:
        """What the folder shows once it has all entries: witnesses cosign it."""
        self.publish()
        return self._disk.read(self._place.folder / tiles.CHECKPOINT)

    def signed_head(self) -> bytes:
        """The head of now, for others to keep. Without the seal: who had an old one could cut the
        log off there (AUD-32)."""
        with self.locked():
            return note.signed(self.head, self._signer)

    def rows(self) -> int:
        """How many rows of 256 keys the store has for it: `EntryKeys.rows`."""
        return self._keys.rows(self._edge.size)

    def publish(self) -> None:
        """Make the folder what the journal is, durably."""
        with self.locked("what was logged is kept beside it"):
            self._fresh(spool=False)
            self._publish(spool=False)
            if self._base.size < self._edge.size:
                self._settle()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.publish()

    def witnessed(self, data: bytes, witnesses: Sequence[note.Verifier]) -> None:
        """Keep a checkpoint that came back with cosignatures."""
        found, _ = note.opened(data, self._signer.verifier, witnesses)
        if all(one.check(found) is None for one in witnesses):
            raise AuditError(f"{self.origin}: the checkpoint carries no witness's cosignature")
        with self.locked():
            replace(self._disk, self._place.folder / WITNESSED, data)

    def start(self, key: bytes) -> None:
        """The checkpoint and journal of an empty log."""
        self._key = key
        data = note.signed(self.head, self._signer, key)
        replace(self._disk, self._place.folder / tiles.CHECKPOINT, data)
        self._settle()
        self._whole = self._checked = True

    # What the disk has

    def _fresh(self, spool: bool) -> None:
        """Know what others wrote; write what the folder could not take."""
        if not (self._whole and self._journal.same()):
            more = self._journal.more(self._edge.size) if self._whole else None
            if more is None:
                self._load(spool)
                return
            self._take(*more)
        if self._away:
            self._publish(spool)

    def _load(self, spool: bool) -> None:
        """All of it anew. What the journal has and the tiles may lack is written again."""
        try:
            found = self._journal.read()
        except FileNotFoundError:
            raise AuditError(
                f"{self._journal.path} is missing; restore it, or: scrubjay audit renew"
            ) from None
        self._base = found.base
        self._edge, self._tail = Edge(found.base.rows), list(found.base.tail)
        self._late, self._unsynced, self._checked = {}, set(), False
        self._shown = self._base.size
        self._take(found.leaves, found.key)
        self._publish(spool)
        self._whole = True
        if not found.whole:
            self._settle()

    def _take(self, leaves: Sequence[bytes], key: bytes) -> None:
        """Leaves that the journal has."""
        self._key = key
        hashes = [leaf_hash(one) for one in leaves]
        self._late |= tiles.grow(self._edge, self._tail, leaves, hashes)

    def _publish(self, spool: bool) -> None:
        """Write what is late, then the checkpoint."""
        try:
            if not self._checked:
                self._check()
            if self._shown < self._edge.size:
                for name, data in self._late.items():
                    self._disk.write(self._place.folder / name, data)
                for name, data in tiles.unfinished(self._edge, self._tail).items():
                    self._disk.write(self._place.folder / name, data)
                self._checkpoint()
        except OSError:
            self._away = True
            if not spool:
                raise
            return
        self._unsynced |= self._late.keys()
        self._late, self._shown, self._away = {}, self._edge.size, False

    def _checkpoint(self) -> None:
        """Durable only with the tiles, in `_settle`; a torn one is made again from the journal."""
        new = self._place.folder / ".checkpoint.new"
        self._disk.write(new, note.signed(self.head, self._signer, self._key))
        self._disk.move(new, self._place.folder / tiles.CHECKPOINT)

    def _settle(self) -> None:
        """Make the tiles durable, and begin the journal again behind them."""
        if self._shown < self._edge.size:
            self._publish(spool=True)
        if self._away:
            return
        folder, whole = self._place.folder, self._unsynced
        names = whole | tiles.unfinished(self._edge, self._tail).keys()
        above = {path for name in names for path in Path(name).parents}
        self._disk.sync([folder / name for name in sorted(names | {tiles.CHECKPOINT})])
        self._disk.sync([folder / path for path in sorted({*above, Path()})])
        self._base = Base(self._edge.packed(), list(self._tail), self._edge.size)
        self._journal.begin(self._base, self._key)
        for name in whole:
            self._disk.clear(folder / f"{name}.p")  # tlog-tiles: once the whole tile is there
        self._unsynced = set()

    def _check(self) -> None:
        """The folder has what the journal is sure of: the right edge, a checkpoint, not a later
        one. Only a crash in the midst of `_checkpoint` leaves one that cannot be read."""
        folder, base = self._place.folder, self._base
        data = self._disk.read(folder / tiles.CHECKPOINT)
        rows, tail = tiles.Tiles(self._disk, folder, base.size).edge()
        if (rows, tail) != (base.rows[: len(rows)], base.tail):
            raise AuditError(
                f"{folder}: its right edge is not that of the {base.size} entries logged; {SEE}"
            )
        try:
            head = note.opened(data, self._signer.verifier)[1]
        except AuditError as problem:
            if base.size < self._edge.size:
                self._checked = True
                return
            raise AuditError(f"{folder}/{tiles.CHECKPOINT}: {problem}; {SEE}") from None
        self._check_head(head)
        self._checked = True

    def _check_head(self, head: Head) -> None:
        """A signed head that can be held against what is known."""
        folder, base = self._place.folder, self._base
        if head.size > self._edge.size:
            raise AuditError(
                f"{folder}: signed for {head.size} entries, the journal knows {self._edge.size}:"
                f" {self._place.state} is an old copy"
            )
        if head.size < base.size:
            raise AuditError(
                f"{folder}: an old copy; {base.size} entries were logged, it has {head.size}"
            )
        known = {base.size: Edge(base.rows).root(), self._edge.size: self._edge.root()}
        if head.root != known.get(head.size, head.root):
            raise AuditError(
                f"{folder}: the signed checkpoint is not that of its {head.size} entries"
            )


def _blocks(numbers: Sequence[int]) -> Iterator[list[int]]:
    """Numbers in order, those of one bundle together."""
    for _, some in groupby(numbers, key=lambda number: number // WIDTH):
        yield list(some)
