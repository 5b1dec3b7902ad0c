"""SQL dumps (`sql.v1`) of PostgreSQL, MySQL and SQLite: rows are rows of tables, whose columns
their definitions name; literals and names elsewhere are cleaned too; comments go. What comes still
loads.
"""

from __future__ import annotations

import datetime
import os
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from scrubjay import formats, plugins
from scrubjay.errors import InputError
from scrubjay.formats.columns import Change, Columns, Row, Table
from scrubjay.formats.sqltext import Names, Texts, Token, literal, some, value
from scrubjay.formats.work import Work

LONGEST = 1 << 26  # characters in one statement or line
BLOCK = 1 << 20  # characters of rows that are cleaned at once
LINES = 4000  # of copied rows
HEAD = 200  # lines by which MySQL is known
MYSQL = re.compile(r"(?:MySQL|MariaDB) dump|ENGINE ?=|`", re.IGNORECASE)
SEPARATE = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "KEY", "INDEX",
                      "FULLTEXT", "SPATIAL", "EXCLUDE", "LIKE", "PERIOD"})  # fmt: skip
NUMBERS = re.compile(r"\w*INT\w*|\w*SERIAL|NUMERIC|DECIMAL|REAL|DOUBLE|FLOAT\w*|NUMBER|MONEY|YEAR")
TEXTS = re.compile(r"\w*CHAR\w*|\w*TEXT|CLOB|STRING|NAME|ENUM|SET|CITEXT|")
DAYS = re.compile(r"DATE\w*|TIMESTAMP\w*")
_BACK = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_COPIED = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|[\s\S])")
_COPY_SIGNS = {sign: "\\" + name for name, sign in _BACK.items()} | {"\\": "\\\\"}


class _Column(Struct):
    name: str
    kind: str = ""  # the first word of its type
    size: int = 0
    needed: bool = False  # may not be NULL


class _Cell(Struct):
    tokens: list[Token]
    text: str | None = None  # of a literal
    number: bool = False


class _Insert(Struct):
    before: list[Token]
    rows: list[list[_Cell]]
    parts: list[str]  # what stands before each row, and after the last
    tail: list[Token]  # what is no row any more
    line: int


class Sql:
    """`sql.v1`. `group` names the column that tells whose row it is, in tables that have it."""

    name = "sql.v1"
    suffixes: tuple[str, ...] = (".sql",)

    def __init__(self, encoding: str, group: str) -> None:
        self._encoding = encoding
        self._group = group

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """Statement after statement."""
        for _ in _Dump(source, target, work, self._encoding, self._group).statements():
            pass

    def tables(self, source: BinaryIO, work: Work) -> Iterator[Table]:
        """Rows for the same columns of a table, some after others."""
        seen: list[Table] = []
        with Path(os.devnull).open("wb") as nowhere:
            dump = _Dump(source, nowhere, work, self._encoding, "")
            dump.columns = partial(_Seen, seen)
            for _ in dump.statements():
                yield from seen
                seen.clear()


class _Seen(Struct):
    """Stands for the columns of a table whose rows are only read."""

    tables: list[Table]
    names: list[str]
    group: str

    def changes(self, rows: Sequence[Row], wheres: Sequence[str], work: Work) -> Iterator[Change]:
        """None."""
        self.tables.append(Table(self.names, lambda columns: iter(rows)))
        return iter(())


class _Dump:
    def __init__(
        self, source: BinaryIO, target: BinaryIO, work: Work, encoding: str, group: str
    ) -> None:
        self._source = source
        self._target = target
        self._work = work
        self._encoding = encoding
        self._group = group
        self._line = 0  # that was read last
        self._again: deque[str] = deque()  # lines that were read too early
        self._mysql = False
        self._texts = Texts(Names(work), work)
        self._tables: dict[str, list[_Column]] = {}
        self.columns: Callable[[list[str], str], Columns | _Seen] = Columns
        self._columns: dict[tuple[str, ...], Columns | _Seen] = {}
        self._waiting: list[_Insert] = []
        self._waits: tuple[str, ...] = ("",)  # for which columns, after the table's name
        self._size = 0
        self._running = 0

    def statements(self) -> Iterator[None]:
        """Words are gathered to statements; a statement that asks for rows gets the lines below.
        Each is through when this goes on, but for rows that wait for more."""
        statement: list[Token] = []
        first = 1
        for found, line in self._words():
            for token in found:
                statement.append(token)
                if token.raw == ";" and token.kind == "sign":
                    copied = self._statement(statement, first)
                    statement, first = [], line
                    yield
                    if copied:
                        yield from self._copy(copied)
                        break  # what else stood on its line was read
            if sum(len(token.raw) for token in statement) > LONGEST:
                raise InputError(f"line {first}: more than {LONGEST >> 20} MiB in one statement")
        self._statement(statement, first)
        self._flush()
        yield
        if self._group and not any(self._group in key[1:] for key in self._columns):
            raise InputError(f"no column '{self._group}' to group by")

    def _words(self) -> Iterator[tuple[list[Token], int]]:
        """Words line by line: what follows a statement may be no SQL."""
        head = list(self._read(HEAD))
        self._mysql = self._texts.mysql = MYSQL.search("".join(head)) is not None
        self._unread(head)
        rest, wanted = "", 1
        while lines := list(self._read(wanted)):
            if not rest and lines[0].startswith("\\"):  # psql's own
                self._work.dropped("command of psql")
                continue
            found, end = some(text := rest + "".join(lines), self._mysql)
            if len(lines) > 1 and found:  # only up to the end of the line where the word ended
                line = text.find("\n", len(found[0].raw) - 1) + 1 or len(text)
                self._unread(text[line:].splitlines(keepends=True))
                found, end = some(text := text[:line], self._mysql)
            yield found, self._line
            rest = text[end:]
            wanted = wanted * 2 if rest and not found else 1
            if len(rest) > LONGEST:
                raise InputError(f"line {self._line}: a quote that is not closed")
        if rest:
            raise InputError(f"line {self._line}: a quote that is not closed, or no SQL")

    def _unread(self, lines: list[str]) -> None:
        self._again.extendleft(reversed(lines))
        self._line -= len(lines)

    def _read(self, count: int) -> Iterator[str]:
        for _ in range(count):
            line = self._again.popleft() if self._again else self._decoded()
            if not line:
                return
            self._line += 1
            yield line

    def _decoded(self) -> str:
        where = f"line {self._line + 1}: "
        data = self._source.readline(LONGEST + 1)
        if len(data) > LONGEST:
            raise InputError(f"{where}more than {LONGEST >> 20} MiB")
        return formats.decode(data, self._encoding, where=where)

    def _write(self, text: str) -> None:
        try:
            self._target.write(text.encode(self._encoding))
        except UnicodeEncodeError:
            raise InputError(f"a substitute cannot be written in {self._encoding}") from None

    def _statement(self, found: list[Token], line: int) -> list[Token]:
        """Write it, or keep it for later; its words, if the lines below it are rows."""
        words = [t for t in found if t.kind not in {"space", "comment", "conditional"}]
        first = words[0].word if words else ""
        if first in {"INSERT", "REPLACE"} and (insert := self._insert(found, line)):
            self._later(*insert)
            return []
        self._flush()
        if first == "CREATE":
            self._define(words)
        self._write(self._texts.clean(found, f"line {line}"))
        copies = first == "COPY" and [t.word for t in words[-3:-1]] == ["FROM", "STDIN"]
        return words if copies else []

    def _define(self, words: list[Token]) -> None:
        """Learn a table's columns."""
        at = next((i for i, t in enumerate(words) if t.raw == "("), 0)
        if "TABLE" not in [t.word for t in words[:4]] or not at:
            return
        columns = []
        for item in _items(words[at:]):
            if not item or item[0].word in SEPARATE or item[0].kind not in {"name", "quoted"}:
                continue
            columns.append(_column(item, self._said(item[0])))
        self._tables[self._said(words[at - 1])] = columns

    def _said(self, token: Token) -> str:
        return value(token, self._mysql)

    def _insert(self, found: list[Token], line: int) -> tuple[tuple[str, ...], _Insert] | None:
        """The rows of an INSERT, if it is one of plain rows, for which columns of which table."""
        start = next((i for i, t in enumerate(found) if t.word == "VALUES"), 0)
        head = [t for t in found[:start] if t.kind not in {"space", "comment", "conditional"}]
        at = next((i for i, t in enumerate(head) if t.raw == "("), len(head))
        names = [t for t in head[:at] if t.kind in {"name", "quoted"}]
        if not start or not names:
            return None
        table = self._said(names[-1])
        listed = [self._said(t) for t in head[at:] if t.kind in {"name", "quoted"}]
        columns = listed or [column.name for column in self._tables.get(table, [])]
        rows: list[list[_Cell]] = []
        cell: list[Token] = []
        tail: list[Token] = []
        parts, depth, part = [], 0, ""
        for place, token in enumerate(found[start + 1 :], start + 1):
            sign = token.raw if token.kind == "sign" else ""
            if depth == 0 and sign == "(":
                parts.append(part)
                rows.append([])
                part, depth = "", 1
            elif depth == 0 and (sign in {",", ";"} or token.kind in {"space", "comment"}):
                part += token.raw if token.kind != "comment" else " "
            elif depth == 0:
                tail = found[place:]
                break
            elif depth == 1 and sign in {",", ")"}:
                rows[-1].append(self._cell(cell))
                cell, depth = [], 1 if sign == "," else 0
            else:
                depth += (sign == "(") - (sign == ")")
                cell.append(token)
        if depth:
            return None
        return (table, *columns), _Insert(found[: start + 1], rows, [*parts, part], tail, line)

    def _cell(self, found: list[Token]) -> _Cell:
        words = [t for t in found if t.kind not in {"space", "comment"}]
        if words and words[0].word == "_BINARY":
            words = words[1:]
        if len(words) == 1 and words[0].kind in {"string", "escaped", "number"}:
            return _Cell(found, self._said(words[0]), words[0].kind == "number")
        if len(words) == 2 and words[0].raw in "+-" and words[1].kind == "number":
            return _Cell(found, words[0].raw + words[1].raw, number=True)
        return _Cell(found)

    def _later(self, key: tuple[str, ...], insert: _Insert) -> None:
        """Rows for the same columns are cleaned together."""
        if key != self._waits:
            self._flush()
        self._waits = key
        self._waiting.append(insert)
        self._size += sum(len(t.raw) for row in insert.rows for cell in row for t in cell.tokens)
        if self._size > BLOCK or len(self._waiting) > LINES:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        table, names = self._waits[0], list(self._waits[1:])
        rows = [row for insert in self._waiting for row in insert.rows]
        wheres = [f"line {insert.line}" for insert in self._waiting for _ in insert.rows]
        texts = [[cell.text for cell in row] for row in rows]
        kinds = self._kinds(table, names)
        new: dict[tuple[int, int], str] = {}
        for row, column, text in self._known(table, names).changes(texts, wheres, self._work):
            fit = self._fit(text, kinds[column] if column < len(kinds) else _Column(""))
            new[row, column] = "NULL" if fit is None else self._literal(fit, rows[row][column])
        numbered = iter(range(len(rows)))
        for insert in self._waiting:
            said = [self._texts.clean(insert.before, f"line {insert.line}")]
            for part, cells in zip(insert.parts, insert.rows, strict=False):
                at = next(numbered)
                raw = [
                    self._raw(cell, new.get((at, i)), (*names, "")[min(i, len(names))], insert.line)
                    for i, cell in enumerate(cells)
                ]
                said.append(f"{part}({','.join(raw)})")
            said += insert.parts[-1], self._texts.clean(insert.tail, f"line {insert.line}")
            self._write("".join(said))
        self._waiting.clear()
        self._size = 0

    def _raw(self, cell: _Cell, new: str | None, field: str, line: int) -> str:
        if new is not None:
            return new
        if cell.text is not None:
            return "".join(token.raw for token in cell.tokens if token.kind != "comment")
        return self._texts.clean(cell.tokens, f"line {line}", field)

    def _literal(self, text: str, old: _Cell) -> str:
        if old.number and re.fullmatch(r"-?\d+(?:\.\d+)?", text, re.ASCII):
            return text
        if not self._mysql and old.tokens and any(t.kind == "escaped" for t in old.tokens):
            return "E" + literal(text, mysql=True)
        return literal(text, self._mysql)

    def _known(self, table: str, names: list[str]) -> Columns | _Seen:
        key = (table, *names)
        if key not in self._columns:
            group = self._group if self._group in names else ""
            self._columns[key] = self.columns(names, group)
        return self._columns[key]

    def _kinds(self, table: str, names: list[str]) -> list[_Column]:
        defined = {column.name: column for column in self._tables.get(table, [])}
        return [defined.get(name, _Column(name)) for name in names]

    def _fit(self, new: str, column: _Column) -> str | None:
        """The substitute as its column can hold it; None: as NULL."""
        if TEXTS.fullmatch(column.kind):
            return new[: column.size] if column.size else new
        number = NUMBERS.fullmatch(column.kind)
        if (number and re.fullmatch(r"-?\d+(?:\.\d+)?", new, re.ASCII)) or (
            DAYS.fullmatch(column.kind) and _is_day(new)
        ):
            return new
        self._work.dropped("value that its type cannot hold")
        if not column.needed:
            return None
        self._running += 1
        return str(self._running) if number else "0001-01-01"

    def _copy(self, words: list[Token]) -> Iterator[None]:
        """Lines of cells, up to one that says that there are no more."""
        at = next((i for i, t in enumerate(words) if t.raw == "("), len(words) - 3)
        table = self._said(words[at - 1])
        names = [self._said(t) for t in words[at:-3] if t.kind in {"name", "quoted"}]
        names = names or [column.name for column in self._tables.get(table, [])]
        columns, kinds = self._known(table, names), self._kinds(table, names)
        self._write("\n")
        lines: list[str] = []
        for line in iter(lambda: next(self._read(1), None), None):
            if line.rstrip("\r\n") == "\\.":
                self._copied(lines, columns, kinds)
                self._write(line)
                yield
                return
            if line.strip() or lines:
                lines.append(line)
            if len(lines) >= LINES:
                self._copied(lines, columns, kinds)
                yield
        raise InputError(f"line {self._line}: rows without an end: cut short")

    def _copied(self, lines: list[str], columns: Columns | _Seen, kinds: list[_Column]) -> None:
        rows = [line.rstrip("\r\n").split("\t") for line in lines]
        texts = [[None if raw == "\\N" else _copied(raw) for raw in row] for row in rows]
        wheres = [f"line {self._line - len(lines) + i}" for i in range(len(lines))]
        for row, column, new in columns.changes(texts, wheres, self._work):
            fit = self._fit(new, kinds[column] if column < len(kinds) else _Column(""))
            said = "\\N" if fit is None else "".join(_COPY_SIGNS.get(sign, sign) for sign in fit)
            rows[row][column] = said
        self._write("".join("\t".join(row) + "\n" for row in rows))
        lines.clear()


def _column(item: list[Token], name: str) -> _Column:
    """A column by its definition: the first word of its type, its size, whether it may be empty."""
    said = [token.word for token in item[1:]]
    pairs = list(zip(said, said[1:], strict=False))
    sizes = [b.raw for a, b in zip(item, item[1:], strict=False) if a.raw == "("]
    size = int(sizes[0]) if sizes and sizes[0].isdecimal() and len(sizes[0]) < 9 else 0
    needed = ("NOT", "NULL") in pairs or ("PRIMARY", "KEY") in pairs
    return _Column(name, next((word for word in said if word), ""), size, needed)


def _items(words: list[Token]) -> Iterator[list[Token]]:
    """What stands between the commas of the first brackets."""
    depth = 0
    item: list[Token] = []
    for token in words:
        depth += (token.raw == "(") - (token.raw == ")")
        if depth == 0 or (depth == 1 and token.raw == ","):
            yield item
            item = []
            if depth == 0:
                return
        elif depth > 1 or token.raw != "(":
            item.append(token)


def _copied(raw: str) -> str:
    return _COPIED.sub(_sign, raw) if "\\" in raw else raw


def _sign(match: re.Match[str]) -> str:
    said = match[1]
    if said[0] == "x" and len(said) > 1:
        return chr(int(said[1:], 16))
    return chr(int(said, 8) & 0xFF) if said[0] in "01234567" else _BACK.get(said, said)


def _is_day(text: str) -> bool:
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`sql.v1`."""
    return Sql(encoding, group)
