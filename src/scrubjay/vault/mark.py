"""What is remembered beside the store, so that an older copy of it is told (VLT-30 to VLT-34).

    mark     how many writes the store has had, how many subjects were erased
    erased   where the erased ones were kept, for what an older copy brings back

Neither names anybody. Both lie in the vault's folder: who puts back the whole folder puts them back
too, and only a number kept elsewhere tells (`Vault.open(least=...)`).
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from scrubjay.errors import VaultError
from scrubjay.vault import seal
from scrubjay.vault.store import Row, Store

ERASED = "erased"
MAC = 16
COUNTS = 16
DOMAIN = 8  # bytes of a domain's id
RECORD = DOMAIN + seal.PLACE + MAC


class Counts(NamedTuple):
    """What the mark says."""

    writes: int
    erased: int


class Mark:
    """Both files. Several processes may hold them."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self._path, self._list = folder / "mark", folder / ERASED
        self._key = seal.derive(key, "mark")

    def make(self, writes: int) -> None:
        """For a store that is accepted as it is; the list of erased ones stays."""
        number = len(list(self._records())) if self._list.exists() else 0
        with self._told(), self._held(os.O_CREAT) as handle:
            self._put(handle, Counts(writes, number))
            os.fsync(handle)

    def counts(self) -> Counts:
        """What was seen last."""
        with self._told(), self._held() as handle:
            return self._get(handle)

    def saw(self, writes: int) -> None:
        """The store has had so many writes. Not synced: after a power cut it lags, never leads."""
        with self._told(), self._held() as handle:
            before = self._get(handle)
            if writes > before.writes:
                self._put(handle, before._replace(writes=writes))

    def erase(self, domain: str, key: bytes) -> None:
        """Note that this row is to go, before it goes: on the disk when it returns."""
        with self._told(), self._held() as handle:
            before = self._get(handle)
            record = bytes.fromhex(domain) + key
            records = os.open(self._list, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                os.ftruncate(records, before.erased * RECORD)  # what a kill left half written
                last = (
                    os.pread(records, MAC, before.erased * RECORD - MAC) if before.erased else b""
                )
                os.pwrite(records, record + self._mac(last, record), before.erased * RECORD)
                os.fsync(records)
            finally:
                os.close(records)
            self._put(handle, before._replace(erased=before.erased + 1))
            os.fsync(handle)

    def erased(self) -> list[tuple[str, bytes]]:
        """Domain and key of every erased row, in order."""
        found = list(self._records())
        if len(found) < (want := self.counts().erased):
            raise VaultError(
                f"{self._list} names {len(found)} erased subjects of {want}: "
                "put its newest backup in its place"
            )
        return found[:want]

    def _records(self) -> Iterator[tuple[str, bytes]]:
        """As far as they are whole."""
        with self._told():
            raw = self._list.read_bytes() if self._list.exists() else b""
        last = b""
        for at in range(0, len(raw) - RECORD + 1, RECORD):
            record, mac = raw[at : at + RECORD - MAC], raw[at + RECORD - MAC : at + RECORD]
            if not hmac.compare_digest(mac, self._mac(last, record)):
                return
            last = mac
            yield record[:DOMAIN].hex(), record[DOMAIN:]

    def _get(self, handle: int) -> Counts:
        raw = os.pread(handle, COUNTS + MAC + 1, 0)
        counts, mac = raw[:COUNTS], raw[COUNTS:]
        if not hmac.compare_digest(mac, self._mac(b"mark", counts)):
            raise VaultError(
                f"{self._path} was changed: see that the store is the newest, "
                "then scrubjay keys accept"
            )
        return Counts(*(int.from_bytes(counts[at : at + 8], "big") for at in (0, 8)))

    def _put(self, handle: int, counts: Counts) -> None:
        raw = b"".join(count.to_bytes(8, "big") for count in counts)
        os.pwrite(handle, raw + self._mac(b"mark", raw), 0)  # within one sector: not torn

    def _mac(self, before: bytes, told: bytes) -> bytes:
        return hmac.digest(self._key, seal.pack(before, told), hashlib.sha256)[:MAC]

    @contextmanager
    def _held(self, flags: int = 0) -> Iterator[int]:
        """The mark, open, and nobody else's meanwhile."""
        handle = os.open(self._path, os.O_RDWR | flags, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            os.close(handle)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise VaultError(
                f"{self._path} is not there, so an older store could not be told: "
                "see that the store is the newest, then scrubjay keys accept"
            ) from None
        except OSError as problem:
            raise VaultError(f"{self._path}: {problem.strerror}") from None


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Nobody else on this host meanwhile."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


class Marked:
    """A store whose every write is remembered beside it."""

    def __init__(self, store: Store, mark: Mark) -> None:
        self._store, self._mark = store, mark
        self.get, self.items, self.rows = store.get, store.items, store.rows
        self.writes, self.close = store.writes, store.close

    def add(self, rows: Sequence[Row]) -> bool:
        """As the protocol says."""
        done = self._store.add(rows)
        self._mark.saw(self._store.writes())
        return done

    def change(
        self,
        put: Sequence[Row],
        drop: Iterable[tuple[str, bytes]] = (),
        *,
        expect: Sequence[Row] = (),
    ) -> bool:
        """As the protocol says."""
        done = self._store.change(put, drop, expect=expect)
        self._mark.saw(self._store.writes())
        return done

    def __repr__(self) -> str:
        return f"Marked({self._store!r})"
