"""What a run knows of itself, so that it goes on where it was killed and a second run does nothing.

It lies in SCRUBJAY_HOME, not beside the outputs, and holds no name of a source: paths are kept as
HMACs. A file that changed is done again, under the name that it got.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from scrubjay import home
from scrubjay.errors import UsageError
from scrubjay.keys import Key
from scrubjay.run.walk import Source
from scrubjay.run.worker import Done

TABLES = """
CREATE TABLE IF NOT EXISTS about (recipe TEXT NOT NULL, key BLOB NOT NULL, secret BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS places (id BLOB PRIMARY KEY, target TEXT NOT NULL UNIQUE) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files
  (id BLOB PRIMARY KEY, size INTEGER, modified INTEGER, target TEXT, done BLOB) WITHOUT ROWID;
"""


class State:
    """Of the run into one folder."""

    def __init__(self, folder: Path, out: Path, recipe: str, *, restart: bool = False) -> None:
        path = folder / "state.db"
        if restart:
            for old in folder.glob("state.db*"):
                old.unlink()
        if not path.exists() and out.is_dir() and any(out.iterdir()) and not restart:
            raise UsageError(
                f"{out} is not empty, and of no run that is known: name another folder"
            )
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {TABLES}")
        self._key, self._secret = self._about(recipe, out)

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

    def forget_secret(self) -> None:
        """The run is over: nothing shifts by the same offset again."""
        self._db.execute("UPDATE about SET secret = ?", (os.urandom(32),))

    def target(self, source: Source) -> str:
        """Where a source's output is, if it was done as it now is; or an empty text."""
        row = self._db.execute(
            "SELECT target FROM files WHERE id = ? AND size = ? AND modified = ?",
            (self._id(source.name), source.size, source.modified),
        ).fetchone()
        return row[0] if row else ""

    def reserve(self, names: Iterable[str]) -> None:
        """Names in the output folder that no source gets."""
        rows = [(b"reserved" + name.encode(), name) for name in names]
        self._db.executemany("INSERT OR IGNORE INTO places VALUES (?, ?)", rows)

    def claim(self, source: str, clean: str) -> str:
        """The path that a source's output has: its own, whoever else would have the same."""
        parts = list(zip(_paths(source), _paths(clean), strict=True))
        above = ""
        for original, wanted in parts:
            name = PurePosixPath(wanted).name
            above = self._claim(self._id(original), above, name)
        return above

    def _claim(self, id_: bytes, above: str, name: str) -> str:
        row = self._db.execute("SELECT target FROM places WHERE id = ?", (id_,)).fetchone()
        if row:
            return str(row[0])
        stem, dot, suffix = name.rpartition(".") if "." in name[1:] else (name, "", "")
        for number in range(1, 1 << 40):
            told = name if number == 1 else f"{stem} {number}{dot}{suffix}"
            target = f"{above}/{told}" if above else told
            added = self._db.execute("INSERT OR IGNORE INTO places VALUES (?, ?)", (id_, target))
            if added.rowcount:
                return target
        raise AssertionError

    def note(self, done: Sequence[tuple[Source, str, Done]]) -> None:
        """What was released or put on the list; all of it or none."""
        self._db.executemany(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)",
            [
                (self._id(source.name), source.size, source.modified if not one.problem else -1,
                 target, msgspec.msgpack.encode(one))
                for source, target, one in done
            ],
        )  # fmt: skip

    def begin(self) -> None:
        """What is claimed from here on is kept when it is committed."""
        self._db.execute("BEGIN")

    def commit(self) -> None:
        """Keep it."""
        self._db.execute("COMMIT")

    def done(self) -> Iterator[tuple[str, int, Done]]:
        """Every file that this run and those before it dealt with: target, size, what became."""
        rows = self._db.execute("SELECT target, size, done FROM files ORDER BY target")
        for target, size, done in rows:
            yield target, size, msgspec.msgpack.decode(done, type=Done)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _id(self, name: str) -> bytes:
        return hmac.digest(self._key, name.encode("utf-8", "surrogateescape"), "sha256")[:16]


def _paths(name: str) -> list[str]:
    """A path and all above it, outermost first."""
    path = PurePosixPath(name)
    return [str(each) for each in [*reversed(path.parents), path][1:]]


def folder(out: Path) -> Path:
    """Where the state of the run into a folder lies."""
    told = str(out.resolve()).encode("utf-8", "surrogateescape")
    return home.folder(f"runs/{hashlib.sha256(told).hexdigest()[:24]}")
