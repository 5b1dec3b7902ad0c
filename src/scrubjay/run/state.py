"""What a run knows of itself, so that it goes on where it was killed and a second run does nothing.

It lies in SCRUBJAY_HOME, not beside the outputs, and holds no name of a source: paths are kept as
HMACs. A file that changed is done again, under the name that it got. One run at a time has it.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import sqlite3
import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from scrubjay import home
from scrubjay.errors import UsageError
from scrubjay.keys import Key
from scrubjay.run.walk import Source
from scrubjay.run.worker import Done

# `told`: a target as the least careful of disks compares it. `tried`: the last number that a name
# got, so that a hundred thousand of one name are told apart without trying all. `files` has row
# ids: ids are random, and its rows long, so that each would rewrite a page of its own.
TABLES = """
CREATE TABLE IF NOT EXISTS about (recipe TEXT NOT NULL, key BLOB NOT NULL, secret BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS places (id BLOB PRIMARY KEY, target TEXT NOT NULL,
  told TEXT NOT NULL UNIQUE, tried INTEGER NOT NULL DEFAULT 1) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files
  (id BLOB PRIMARY KEY, size INTEGER, modified INTEGER, target TEXT, done BLOB);
CREATE TEMP TABLE seen (id BLOB PRIMARY KEY) WITHOUT ROWID;
"""
DONE = msgspec.msgpack.Decoder(Done)
SEEN = "INSERT OR IGNORE INTO seen VALUES (?)"
PATIENCE = 5.0  # seconds in which the processes of a run that was killed find out
FOLDERS = 10_000  # whose names are at hand
LISTED = -1  # the time of change of what is on the list: it is tried again


class State:
    """Of the run into one folder."""

    def __init__(self, folder: Path, out: Path, recipe: str, *, restart: bool = False) -> None:
        self.folder = folder
        self._above: dict[str, str] = {}
        self._id = lru_cache(1024)(self._hmac)  # each is asked for three times
        self._lock = _locked(folder / "lock", out)
        try:
            self._begin(folder / "state.db", out, restart=restart)
            self._key, self._secret = self._about(recipe, out)
            [known] = self._db.execute("SELECT EXISTS (SELECT 1 FROM files)").fetchone()
            self._new = not known  # nothing was done before
        except BaseException:
            os.close(self._lock)
            raise

    def _begin(self, path: Path, out: Path, *, restart: bool) -> None:
        if not path.exists() and out.is_dir() and any(out.iterdir()):
            raise UsageError(
                f"{out} is not empty, and of no run that is known: name another folder"
            )
        self._open(path)
        if restart:
            self._clear(out)
            self._db.close()
            for old in path.parent.glob("state.db*"):
                old.unlink()
            self._open(path)

    def _open(self, path: Path) -> None:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {TABLES}")

    def _clear(self, out: Path) -> None:
        """Nothing that another policy made may stay."""
        told = self._db.execute("SELECT target FROM files WHERE modified != ?", (LISTED,))
        for (target,) in told:
            (out / target).unlink(missing_ok=True)

    def _about(self, recipe: str, out: Path) -> tuple[bytes, bytes]:
        row = self._db.execute("SELECT recipe, key, secret FROM about").fetchone()
        if row is None:
            row = recipe, os.urandom(32), os.urandom(32)
            self._db.execute("INSERT INTO about VALUES (?, ?, ?)", row)
        if row[0] != recipe:
            raise UsageError(
                f"{out} holds files of another policy, model or option: name another folder, or "
                "say --restart to do all of them anew"
            )
        return row[1], row[2]

    @property
    def secret(self) -> Key:
        """What keyed operators derive from when nobody brought a key: it ends with the run."""
        return Key(self._secret)

    @property
    def seed(self) -> bytes:
        """What a sample of the sources is drawn by: the same when the run goes on."""
        return hmac.digest(self._key, b"a sample of the sources", "sha256")

    def forget_secret(self) -> None:
        """The run is over: nothing shifts by the same offset again."""
        self._db.execute("UPDATE about SET secret = ?", (os.urandom(32),))

    def target(self, source: Source) -> str:
        """Where a source's output is, if it was done as it now is; or an empty text."""
        if self._new:
            return ""
        id_ = self._id(source.name)
        row = self._db.execute(
            "SELECT target FROM files WHERE id = ? AND size = ? AND modified = ?",
            (id_, source.size, source.modified),
        ).fetchone()
        if not row:
            return ""
        self._db.execute(SEEN, (id_,))
        return str(row[0])

    def made(self, source: Source) -> str:
        """Where the output of a source is as it once was; or an empty text."""
        row = self._db.execute(
            "SELECT target FROM files WHERE id = ? AND modified != ?",
            (self._id(source.name), LISTED),
        ).fetchone()
        return row[0] if row else ""

    def gone(self) -> int:
        """Of how many outputs no source was seen. What is on the list and was not seen is off."""
        unseen = "id NOT IN (SELECT id FROM seen)"
        self._db.execute(f"DELETE FROM files WHERE modified = ? AND {unseen}", (LISTED,))  # noqa: S608
        [count] = self._db.execute(f"SELECT count(*) FROM files WHERE {unseen}").fetchone()  # noqa: S608
        return int(count)

    def reserve(self, names: Iterable[str]) -> None:
        """Names in the output folder that no source gets."""
        for name in names:
            self._add(b"reserved" + name.encode(), name)

    def claim(self, source: str, clean: str) -> str:
        """The path that a source's output has: its own, whoever else would have the same."""
        folder, _, _ = source.rpartition("/")
        above, _, wanted = clean.rpartition("/")
        under = self._folder(folder, above) + "/" if folder else ""
        return self._claim(self._id(source), under, wanted)

    def _folder(self, source: str, clean: str) -> str:
        """A folder is not the file that it may have been before."""
        if source not in self._above:
            if len(self._above) > FOLDERS:
                self._above.clear()
            folder, _, _ = source.rpartition("/")
            above, _, wanted = clean.rpartition("/")
            under = self._folder(folder, above) + "/" if folder else ""
            self._above[source] = self._claim(self._id(source + "/"), under, wanted)
        return self._above[source]

    def _claim(self, id_: bytes, under: str, name: str) -> str:
        if self._add(id_, under + name):
            return under + name
        row = self._db.execute("SELECT target FROM places WHERE id = ?", (id_,)).fetchone()
        if row:
            return str(row[0])
        stem, dot, suffix = name.rpartition(".") if "." in name[1:] else (name, "", "")
        first = (_told(under + name),)
        [number] = self._db.execute("SELECT tried FROM places WHERE told = ?", first).fetchone()
        while True:
            number += 1
            target = f"{under}{stem} {number}{dot}{suffix}"
            if self._add(id_, target):
                self._db.execute("UPDATE places SET tried = ? WHERE told = ?", (number, *first))
                return target

    def _add(self, id_: bytes, target: str) -> bool:
        row = id_, target, _told(target)
        sql = "INSERT OR IGNORE INTO places (id, target, told) VALUES (?, ?, ?)"
        return self._db.execute(sql, row).rowcount > 0

    def note(self, done: Sequence[tuple[Source, str, Done]]) -> None:
        """What was released or put on the list; all of it or none."""
        rows = [
            (self._id(source.name), source.size, LISTED if one.problem else source.modified,
             target, msgspec.msgpack.encode(one))
            for source, target, one in done
        ]  # fmt: skip
        self._db.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", rows)
        self._db.executemany(SEEN, (row[:1] for row in rows))

    @contextlib.contextmanager
    def whole(self) -> Iterator[None]:
        """What happens inside is kept, or none of it."""
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            self._above.clear()
            raise
        self._db.execute("COMMIT")

    def done(self) -> Iterator[tuple[str, int, Done]]:
        """Every file that this run and those before it dealt with: target, size, what became."""
        rows = self._db.execute("SELECT target, size, done FROM files ORDER BY target")
        for target, size, done in rows:
            yield target, size, DONE.decode(done)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
        os.close(self._lock)

    def _hmac(self, name: str) -> bytes:
        return hmac.digest(self._key, name.encode("utf-8", "surrogateescape"), "sha256")[:16]


def _told(target: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", target).casefold())


def _locked(path: Path, out: Path) -> int:
    """A lock that ends with the run and all its processes."""
    import fcntl  # where there is fork

    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < until:
                time.sleep(0.05)
                continue
            os.close(handle)
            raise UsageError(f"another run into {out} is going on: wait, or end it") from None
        return handle


def folder(out: Path) -> Path:
    """Where the state of the run into a folder lies."""
    told = str(out.resolve()).encode("utf-8", "surrogateescape")
    return home.folder(f"runs/{hashlib.sha256(told).hexdigest()[:24]}")
