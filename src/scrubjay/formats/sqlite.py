"""SQLite databases (`sqlite.v1`): a new one is built, so that nothing is left in freed pages.

Tables, indexes, views and triggers stay; virtual tables and statistics, which hold copies, do not.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, BinaryIO

from msgspec import Struct

from scrubjay import plugins
from scrubjay.errors import InputError
from scrubjay.formats import blobs, fields
from scrubjay.formats.columns import Columns, Row, Table
from scrubjay.formats.sqltext import Names, Texts, tokens
from scrubjay.formats.work import Work
from scrubjay.types import Document

LARGEST = 1 << 30  # bytes: both databases are held in memory, so that no copy is on a disk
ROWS = 2000  # that are cleaned at once
LONGEST = 1 << 28
SETTINGS = ("page_size", "application_id", "user_version")
DENIED = (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA)
TABLES = "SELECT name, type FROM pragma_table_list WHERE schema = 'main'"
SCHEMA = "SELECT type, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid"


class _Table(Struct):
    name: str
    columns: list[str]  # those that hold values
    key: int  # the column that is the row's number; -1: none


class SQLite:
    """`sqlite.v1`. `group` names the column that tells whose row it is, in tables that have it."""

    name = "sqlite.v1"
    suffixes: tuple[str, ...] = (".sqlite", ".sqlite3", ".db", ".db3")

    def __init__(self, group: str) -> None:
        self._group = group

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """Table after table, into a new database."""
        data = bytearray(source.read(LARGEST + 1))
        if len(data) > LARGEST:
            raise InputError(
                f"more than {LARGEST >> 30} GiB: give its dump instead (sqlite3 .dump)"
            )
        with _reading(), _opened(bytes(data)) as old, sqlite3.connect(":memory:") as new:
            _Copy(old, new, self._group, work).run()
            target.write(new.serialize())

    def tables(self, source: BinaryIO, work: Work) -> Iterator[Table]:
        """Those of the database; of rows, what is asked for."""
        data = source.read(LARGEST + 1)
        if len(data) > LARGEST:
            return
        with _reading(), contextlib.closing(_opened(data)) as old:
            for table in _tables(old):
                yield Table(table.columns, partial(_rows, old, table))


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OverflowError, UnicodeDecodeError):
        raise InputError("damaged, or a database that cannot be built again") from None


def _rows(old: sqlite3.Connection, table: _Table, columns: Sequence[int]) -> Iterator[Row]:
    listed = (_quoted(name) if i in columns else "NULL" for i, name in enumerate(table.columns))
    for row in old.execute(f"SELECT {', '.join(listed)} FROM {_quoted(table.name)}"):  # noqa: S608
        yield [_text(cell) for cell in row]


HEAD = 100  # bytes


def _opened(data: bytes) -> sqlite3.Connection:
    if len(data) >= 20 and data[18:20] == b"\2\2":  # a log that is not here: as it was without
        data = data[:18] + b"\1\1" + data[20:]
    if len(data) < HEAD:
        raise InputError("a database that is cut off in its head")
    old = sqlite3.connect(":memory:")
    old.deserialize(data)
    for setting in ("trusted_schema = OFF", "cell_size_check = ON", "query_only = ON"):
        old.execute(f"PRAGMA {setting}")
    return old


class _Copy:
    def __init__(
        self, old: sqlite3.Connection, new: sqlite3.Connection, group: str, work: Work
    ) -> None:
        self._old = old
        self._new = new
        self._group = group
        self._work = work
        self._texts = Texts(Names(work), work)
        self._unique = 0

    def run(self) -> None:
        """Tables and indexes, rows, then what looks at them."""
        if self._old.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise InputError("damaged: sqlite3 finds faults in it")
        for setting in SETTINGS:
            number = int(self._old.execute(f"PRAGMA {setting}").fetchone()[0])
            self._new.execute(f"PRAGMA {setting} = {number}")
        [encoding] = self._old.execute("PRAGMA encoding").fetchone()
        self._new.execute(f"PRAGMA encoding = '{encoding}'")
        self._new.execute("PRAGMA ignore_check_constraints = ON")
        self._new.execute("PRAGMA trusted_schema = OFF")
        self._new.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
        self._new.set_authorizer(_allowed)
        schema = self._schema()
        self._create(schema, "table", "index")
        tables = list(_tables(self._old))
        if self._group and not any(self._group in table.columns for table in tables):
            raise InputError(f"no column '{self._group}' to group by")
        for number, table in enumerate(tables, 1):
            self._fill(table, number)
        self._create(schema, "view", "trigger")
        self._new.set_authorizer(None)
        self._new.commit()
        self._new.execute("VACUUM")

    def _schema(self) -> list[tuple[str, str]]:
        """What the database is made of, in words that may stay."""
        kinds = dict(self._old.execute(TABLES))
        kept = []
        for number, (kind, table, sql) in enumerate(self._old.execute(SCHEMA), 1):
            if kinds.get(table) in {"virtual", "shadow"}:
                self._work.dropped("virtual table" if kind == "table" else f"{kind} of one")
            elif not table.startswith("sqlite_"):
                found = list(tokens(sql, mysql=False))
                kept.append((kind, self._texts.clean(found, f"definition {number}")))
        return kept

    def _create(self, schema: list[tuple[str, str]], *kinds: str) -> None:
        for kind, sql in schema:
            if kind in kinds:
                self._new.execute(sql)

    def _fill(self, table: _Table, number: int) -> None:
        listed = ", ".join(map(_quoted, table.columns))
        cursor = self._old.execute(f"SELECT {listed} FROM {_quoted(table.name)}")  # noqa: S608
        group = self._group if self._group in table.columns else ""
        columns = Columns(table.columns, group)
        first = 1
        while rows := [list(row) for row in cursor.fetchmany(ROWS)]:
            wheres = [f"table {number}, row {first + i}" for i in range(len(rows))]
            changed = self._clean(rows, wheres, columns, table)
            for i, row in enumerate(rows):
                self._insert(table, row, changed.get(i, []))
            first += len(rows)

    def _clean(
        self, rows: list[list[Any]], wheres: list[str], columns: Columns, table: _Table
    ) -> dict[int, list[int]]:
        """Change the rows; which cells of them became others."""
        texts = [[_text(cell) for cell in row] for row in rows]
        changed: dict[int, list[int]] = {}
        for i, column, new in columns.changes(texts, wheres, self._work):
            rows[i][column] = _typed(new, rows[i][column])
            changed.setdefault(i, []).append(column)
        for i, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, bytes):
                    name = table.columns[column]
                    person = columns.about(texts[i], self._work.people)
                    place = Document("", wheres[i], field=name, label=fields.label(name))
                    place = person.owned(place)
                    row[column] = blobs.clean(cell, place, self._work)
        return changed

    def _insert(self, table: _Table, row: list[Any], changed: list[int]) -> None:
        """A substitute that another row has already gets a number; a row's number must be one."""
        if table.key in changed and not isinstance(row[table.key], int):
            row[table.key] = None
            self._work.dropped("key that is a number")
        named = ", ".join(_quoted(self._texts.names.new(name)) for name in table.columns)
        marks = ", ".join("?" * len(row))
        to = _quoted(self._texts.names.new(table.name))
        sql = f"INSERT INTO {to} ({named}) VALUES ({marks})"  # noqa: S608
        try:
            self._new.execute(sql, row)
        except sqlite3.IntegrityError:
            said = [i for i in changed if isinstance(row[i], str)]
            if not said:
                raise
            self._unique += 1
            self._new.execute(
                sql, [f"{v} {self._unique}" if i in said else v for i, v in enumerate(row)]
            )


def _tables(old: sqlite3.Connection) -> Iterator[_Table]:
    for name, kind in old.execute(TABLES).fetchall():
        if kind == "table" and not name.startswith("sqlite_"):
            rows = old.execute("SELECT * FROM pragma_table_xinfo(?)", (name,)).fetchall()
            columns = [row[1] for row in rows if row[6] == 0]
            whole = [i for i, row in enumerate(rows) if row[5] and row[2].upper() == "INTEGER"]
            several = sum(bool(row[5]) for row in rows) > 1
            yield _Table(name, columns, whole[0] if whole and not several else -1)


def _allowed(action: int, *about: Any) -> int:
    """A definition may define, and nothing else."""
    if action in DENIED or (action == sqlite3.SQLITE_FUNCTION and "load_extension" in about):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _text(cell: Any) -> str | None:
    return None if cell is None or isinstance(cell, bytes) else str(cell)


def _typed(new: str, old: Any) -> Any:
    """A substitute for a number is a number, if it can be."""
    kind: Callable[[str], Any] = type(old)
    if isinstance(old, int | float):
        try:
            return kind(new)
        except ValueError:
            return new
    return new


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`sqlite.v1`."""
    return SQLite(group)
