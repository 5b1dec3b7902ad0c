"""A store in PostgreSQL, for many hosts: one table of rows, one row that counts writes.

Every write takes the counting row first, so writers queue there, and none can deadlock or has to
be run again. The server keeps what was deleted until it vacuums, and longer in its own log: such
copies hold sealed rows only, and docs/spec/vault.md says what that means for erasure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any

import psycopg  # type: ignore[import-not-found, unused-ignore]

from scrubjay.errors import VaultError
from scrubjay.vault.store import Row

FORMAT = 1
PAGE = 1000
CREATE = """
CREATE TABLE IF NOT EXISTS scrubjay_rows
  (space text COLLATE "C", key bytea, value bytea NOT NULL, PRIMARY KEY (space, key));
CREATE TABLE IF NOT EXISTS scrubjay_state
  (one boolean PRIMARY KEY CHECK (one), format integer NOT NULL, writes bigint NOT NULL);
INSERT INTO scrubjay_state VALUES (true, {format}, 0) ON CONFLICT DO NOTHING;
"""
ARRAYS = "unnest(%s::text[], %s::bytea[], %s::bytea[]) AS given (space, key, value)"
HELD = f"SELECT count(*) FROM scrubjay_rows NATURAL JOIN {ARRAYS}"  # noqa: S608 no values
ADD = f"INSERT INTO scrubjay_rows SELECT * FROM {ARRAYS} ON CONFLICT DO NOTHING"  # noqa: S608
PUT = (
    f"INSERT INTO scrubjay_rows SELECT * FROM {ARRAYS} "  # noqa: S608
    "ON CONFLICT (space, key) DO UPDATE SET value = excluded.value"
)
DROP = (
    "DELETE FROM scrubjay_rows USING unnest(%s::text[], %s::bytea[]) AS gone (space, key) "
    "WHERE scrubjay_rows.space = gone.space AND scrubjay_rows.key = gone.key"
)


class Postgres:
    """A store in the database that `address` names, such as `host=db dbname=vault sslmode=...`."""

    def __init__(self, address: str, *, create: bool = False) -> None:
        self._address, self._lock = address, RLock()
        with self._told():
            self._db = psycopg.connect(address, autocommit=True)
            self._db.execute("SET synchronous_commit = on")
            if create:
                with self._db.transaction():
                    # Two CREATE IF NOT EXISTS at once can both find nothing, and one then fails.
                    self._db.execute("SELECT pg_advisory_xact_lock(hashtext('scrubjay'))")
                    self._db.execute(CREATE.format(format=FORMAT))
            self._known()

    def get(self, space: str, keys: Sequence[bytes]) -> list[bytes | None]:
        """As the protocol says."""
        asked = "SELECT key, value FROM scrubjay_rows WHERE space = %s AND key = ANY(%s)"
        with self._told():
            found: dict[bytes, bytes] = dict(
                self._db.execute(asked, (space, list(keys)), binary=True).fetchall()
            )
        return [found.get(key) for key in keys]

    def items(self, space: str) -> Iterator[tuple[bytes, bytes]]:
        """As the protocol says."""
        asked = (
            "SELECT key, value FROM scrubjay_rows WHERE space = %s AND key >= %s "
            "ORDER BY key LIMIT %s"
        )
        start = b""
        while True:
            with self._told():
                some = self._db.execute(asked, (space, start, PAGE), binary=True).fetchall()
            yield from some
            if len(some) < PAGE:
                return
            start = some[-1][0] + b"\0"  # the next key there can be

    def add(self, rows: Sequence[Row]) -> bool:
        """As the protocol says."""
        with self._told(), self._transaction():
            if self._db.execute(ADD, _columns(rows)).rowcount == len(rows):
                return True
            raise psycopg.Rollback
        return False

    def change(
        self,
        put: Sequence[Row],
        drop: Iterable[tuple[str, bytes]] = (),
        *,
        expect: Sequence[Row] = (),
    ) -> bool:
        """As the protocol says, but see the module for what "beyond recovery" means here."""
        gone = list(drop)
        with self._told(), self._transaction():
            found = self._db.execute(HELD, _columns(expect)).fetchone()
            if found is None or found[0] != len(expect):
                raise psycopg.Rollback
            self._db.execute(PUT, _columns(put))
            self._db.execute(DROP, ([at for at, _ in gone], [key for _, key in gone]))
            return True
        return False

    def rows(self) -> Iterator[Row]:
        """As the protocol says."""
        with (
            self._told(alone=False),
            psycopg.connect(self._address) as reader,
            reader.cursor(name="rows", binary=True) as cursor,
        ):
            cursor.itersize = PAGE
            cursor.execute("SELECT space, key, value FROM scrubjay_rows")
            yield from map(Row._make, cursor)

    def writes(self) -> int:
        """As the protocol says."""
        with self._told():
            return self._known()

    def close(self) -> None:
        """As the protocol says."""
        with self._told():
            self._db.close()

    def _known(self) -> int:
        """The count, from a table of the format that we know."""
        found = self._db.execute("SELECT format, writes FROM scrubjay_state").fetchone()
        if found is None or found[0] != FORMAT:
            raise VaultError(f"the database holds no store of format {FORMAT}: name another one")
        return int(found[1])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Queue, then all or nothing."""
        with self._db.transaction():
            self._db.execute("UPDATE scrubjay_state SET writes = writes + 1")
            yield

    @contextmanager
    def _told(self, *, alone: bool = True) -> Iterator[None]:
        """One thread at a time; the server's errors as ours, for its own may quote values."""
        if alone:
            self._lock.acquire()
        try:
            yield
        except psycopg.errors.UndefinedTable:
            raise VaultError(
                "the database holds no store: make one with scrubjay keys init"
            ) from None
        except psycopg.OperationalError as problem:
            kind = problem.sqlstate or type(problem).__name__
            raise VaultError(f"the database does not answer ({kind}): see that it runs") from None
        except psycopg.Error as problem:
            kind = problem.sqlstate or type(problem).__name__
            raise VaultError(f"the database refused ({kind}): look it up in its log") from None
        finally:
            if alone:
                self._lock.release()

    def __repr__(self) -> str:
        return "Postgres(<address>)"


def _columns(rows: Sequence[Row]) -> tuple[list[Any], ...]:
    """Rows as the arrays of their columns."""
    return [row.space for row in rows], [row.key for row in rows], [row.value for row in rows]
