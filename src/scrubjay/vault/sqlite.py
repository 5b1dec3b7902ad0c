"""A store in one encrypted SQLite file: no server, many processes on one host.

Pages are ChaCha20-Poly1305 (SQLite3 Multiple Ciphers), so a page that was changed is refused when
it is read. What SQLite cannot tell by itself is a write-ahead log that was cut short, which looks
like a crash, or an older file: `writes` is there to compare (docs/spec/vault.md, VLT-30).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

import apsw

from scrubjay.errors import VaultError
from scrubjay.vault.store import Row

FORMAT = 1
PATIENCE = 60_000  # milliseconds that a writer waits for others
WIPE = 1000  # the same, for the log to be free
PAGE = 1000  # rows that `items` holds at once, and keys that one question asks for
COUNT = "UPDATE state SET writes = writes + 1"
CREATE = """
BEGIN IMMEDIATE;
CREATE TABLE rows
  (space TEXT, key BLOB, value BLOB NOT NULL, PRIMARY KEY (space, key)) WITHOUT ROWID;
CREATE TABLE state (format INTEGER NOT NULL, writes INTEGER NOT NULL);
INSERT INTO state VALUES (1, 0);  -- FORMAT
COMMIT;
"""


class SQLite:
    """A store in the file `path`, under a 32-byte key. Threads may share it, forks may not."""

    def __init__(self, path: Path, key: bytes, *, create: bool = False) -> None:
        if len(key) != 32:
            raise VaultError(f"{path}: the key of a store has 32 bytes, this has {len(key)}")
        self._path, self._key, self._lock = path, key, RLock()
        with self._told():
            self._db = self._connect(create)

    def get(self, space: str, keys: Sequence[bytes]) -> list[bytes | None]:
        """As the protocol says."""
        found: dict[bytes, bytes] = {}
        with self._told():
            for start in range(0, len(keys), PAGE):
                some = keys[start : start + PAGE]
                marks = ",".join("?" * len(some))
                asked = f"SELECT key, value FROM rows WHERE space = ? AND key IN ({marks})"  # noqa: S608 only marks
                found.update(_all(self._db.execute(asked, (space, *some))))
        return [found.get(key) for key in keys]

    def items(self, space: str) -> Iterator[tuple[bytes, bytes]]:
        """As the protocol says."""
        asked = "SELECT key, value FROM rows WHERE space = ? AND key >= ? ORDER BY key LIMIT ?"
        start = b""
        while True:
            with self._told():
                some = _all(self._db.execute(asked, (space, start, PAGE)))
            yield from some
            if len(some) < PAGE:
                return
            start = some[-1][0] + b"\0"  # the next key there can be

    def add(self, rows: Sequence[Row]) -> bool:
        """As the protocol says."""
        with self._told():
            try:
                with self._transaction() as db:
                    db.executemany("INSERT INTO rows VALUES (?, ?, ?)", rows)
                    db.execute(COUNT)
            except apsw.ConstraintError:
                return False
        return True

    def change(
        self,
        put: Sequence[Row],
        drop: Iterable[tuple[str, bytes]] = (),
        *,
        expect: Sequence[Row] = (),
    ) -> bool:
        """As the protocol says. What was there is overwritten with zeros, in the log too unless
        another process is just reading: then when the last of them closes the file."""
        with self._told():
            with self._transaction() as db:
                if done := all(_held(db, row) for row in expect):
                    db.executemany("REPLACE INTO rows VALUES (?, ?, ?)", put)
                    db.executemany("DELETE FROM rows WHERE space = ? AND key = ?", drop)
                    db.execute(COUNT)
            self._wipe()
        return done

    def rows(self) -> Iterator[Row]:
        """As the protocol says."""
        with self._told():
            reader = self._connect()
        try:
            with self._told(alone=False):
                yield from map(Row._make, reader.execute("SELECT space, key, value FROM rows"))
        finally:
            reader.close()

    def writes(self) -> int:
        """As the protocol says."""
        with self._told():
            return self._known(self._db)

    def close(self) -> None:
        """As the protocol says."""
        with self._told():
            self._db.close()

    def _connect(self, create: bool = False) -> apsw.Connection:
        """Open and prove the key. A new file is for its owner alone."""
        if create:
            self._path.touch(mode=0o600, exist_ok=False)
        elif not self._path.is_file():
            raise VaultError(f"{self._path} is not there: put its newest backup in its place")
        db = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            _prepare(db, self._key)
            if create:
                db.execute(CREATE)
            self._known(db)
        except BaseException:
            db.close()
            raise
        return db

    def _known(self, db: apsw.Connection) -> int:
        """The count, from a table of the format that we know."""
        number, writes = _all(db.execute("SELECT format, writes FROM state"))[0]
        if number != FORMAT:
            raise VaultError(f"{self._path}: format {number}; this version reads {FORMAT}")
        return int(writes)

    @contextmanager
    def _transaction(self) -> Iterator[apsw.Connection]:
        """All of it, or after an error nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
            self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def _wipe(self) -> None:
        """Cut the log, which holds pages as they were. A long reader is not waited for."""
        self._db.set_busy_timeout(WIPE)
        try:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self._db.set_busy_timeout(PATIENCE)

    @contextmanager
    def _told(self, *, alone: bool = True) -> Iterator[None]:
        """One thread at a time; SQLite's errors as ours."""
        if alone:
            self._lock.acquire()
        try:
            yield
        except apsw.ConstraintError:
            raise
        except (apsw.Error, OSError, IndexError) as problem:
            raise VaultError(f"{self._path}: {_advice(problem)}") from None
        finally:
            if alone:
                self._lock.release()

    def __repr__(self) -> str:
        return f"SQLite({str(self._path)!r})"


def _prepare(db: apsw.Connection, key: bytes) -> None:
    """The settings that the promises rest on."""
    db.set_busy_timeout(PATIENCE)
    db.execute("PRAGMA cipher = 'chacha20'")
    db.execute(f"PRAGMA key = \"x'{key.hex()}'\"")  # x'': the key itself, nothing is derived
    for setting in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
        db.execute(f"PRAGMA {setting}")
    db.execute("PRAGMA temp_store = MEMORY")  # nothing sorted on disk, unencrypted


def _held(db: apsw.Connection, row: Row) -> bool:
    asked = "SELECT 1 FROM rows WHERE space = ? AND key = ? AND value = ?"
    return bool(db.execute(asked, row).fetchall())


def _all(cursor: apsw.Cursor) -> Any:
    """Every row of an answer, as the columns of our tables are."""
    return cursor.fetchall()


def _advice(problem: Any) -> str:
    """What happened, and what to do."""
    restore = "put its newest backup in its place"
    match problem:
        case apsw.NotADBError():
            return f"not a store under this key, or its beginning was changed: {restore}"
        case apsw.CorruptError() | apsw.SQLError() | IndexError():
            return f"damaged or cut short: {restore}"
        case apsw.BusyError() | apsw.LockedError():
            return f"others wrote for {PATIENCE // 1000} seconds on end: try again"
        case apsw.FullError():
            return "the disk is full; nothing was written: make room"
        case apsw.ReadOnlyError() | apsw.PermissionsError() | apsw.CantOpenError():
            return "cannot be opened for writing: see who owns it and its folder"
        case OSError():
            return str(problem.strerror)
    return f"{type(problem).__name__}: look at the disk, then {restore}"
