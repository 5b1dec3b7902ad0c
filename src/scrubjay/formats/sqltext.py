"""SQL as words: literals, names, numbers, signs. What is no value keeps its form; comments go.

Names of tables and columns are data too: one that identifies becomes another, the same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from scrubjay.errors import InputError
from scrubjay.formats import fields
from scrubjay.formats.naming import key_says_who
from scrubjay.formats.work import Work
from scrubjay.types import Document

_GRAMMAR = r"""
    (?P<space>\s++)
    |(?P<comment>%(line)s[^\n]*+|/\*(?!!)(?:[^*]|\*(?!/))*+\*/)
    |(?P<hex>[xX]'[0-9A-Fa-f]*+'|0x[0-9A-Fa-f]++(?!\w))
    |(?P<dollar>\$(?P<tag>\w*+)\$(?:(?!\$(?P=tag)\$)[\s\S])*+\$(?P=tag)\$)
    |(?P<escaped>[eE]'(?:[^'\\]|''|\\[\s\S])*+')
    |(?P<string>'(?:%(inside)s)*+')
    |(?P<quoted>"(?:[^"]|"")*+"|`(?:[^`]|``)*+`)
    |(?P<number>\d++(?:\.\d*+)?(?:[eE][-+]?\d++)?(?!\w)|\.\d++)
    |(?P<name>(?![eExX]')[^\W\d][\w$]*+)
    |(?P<word>\d\w*+)
    |(?P<conditional>/\*!\d*+|\*/)
    |(?P<sign>(?!/\*|\$\w*\$)[^\s\w'"`])
"""
STANDARD = re.compile(_GRAMMAR % {"line": "--", "inside": "[^']|''"}, re.VERBOSE)
MYSQL = re.compile(
    _GRAMMAR % {"line": r"(?:--(?=\s)|\#)", "inside": r"[^'\\]|''|\\[\s\S]"}, re.VERBOSE
)
_BACK = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0", "Z": "\x1a"}
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[0-7]{1,3}|[\s\S])")
KEYWORDS = frozenset(
    """abort action add after all alter always analyze and any as asc attach auto_increment
    autoincrement before begin between bigint bigserial binary blob boolean bool both by bytea
    cascade case cast char character charset check coalesce collate column comment commit
    conflict connect constraint copy create cross current current_date current_time
    current_timestamp data database date datetime decimal default deferrable deferred delete desc
    deterministic distinct do double drop each else end engine enum escape except exclude exclusive
    execute exists explain extension fail false float for foreign from full function generated glob
    global grant group having identity if ignore immediate immutable in index indexed inherit
    initially inner insert instead int integer intersect interval into is isnull join json jsonb
    key keys language last lateral left length like limit local lock lower match materialized
    mediumblob mediumint mediumtext merge natural next no not nothing notnull now null nulls numeric
    of offset on only or order outer over owner owned partition precision primary procedure public
    raise read real recursive references regexp reindex release rename replace restrict returning
    returns revoke right rollback row rows rowid schema select sequence serial session set smallint
    start stdin storage stored strict substr table tables temp temporary text then time timestamp
    timestamptz tinyint to transaction trigger trim true truncate type unique unlock unsigned update
    upper usage using uuid vacuum values varbinary varchar varying view virtual when where with
    within without write year zone pg_catalog setval search_path utf8 utf8mb4 innodb""".split()  # noqa: SIM905
)
BETWEEN = frozenset({"LIKE", "ILIKE", "IN", "NOT"})  # a column and what it is compared with
DIGITS = 7  # of a number that is looked at where it is no value


class Token(Struct):
    """`kind` is the name of what it is in the grammar above."""

    kind: str
    raw: str

    @property
    def word(self) -> str:
        """A name in capitals, to know keywords by."""
        return self.raw.upper() if self.kind == "name" else ""


def tokens(text: str, mysql: bool) -> Iterator[Token]:
    """All of a text. A quote that is not closed is an error."""
    found, end = some(text, mysql)
    if end < len(text):
        raise InputError("a quote that is not closed, or no SQL")
    return iter(found)


def some(text: str, mysql: bool) -> tuple[list[Token], int]:
    """The words of a text up to one that is not whole yet, and where that begins."""
    pattern, at = MYSQL if mysql else STANDARD, 0
    found = []
    while match := pattern.match(text, at):
        found.append(Token(match.lastgroup or "", match[0]))
        at = match.end()
    return found, at


def value(token: Token, mysql: bool) -> str:
    """What a literal or a name says."""
    raw = token.raw
    if token.kind == "string":
        inner = raw[1:-1].replace("''", "'")
        return _ESCAPE.sub(_unescaped, inner) if mysql else inner
    if token.kind == "escaped":
        return _ESCAPE.sub(_unescaped, raw[2:-1].replace("''", "'"))
    if token.kind == "dollar":
        size = raw.index("$", 1) + 1
        return raw[size:-size]
    if token.kind == "quoted":
        return raw[1:-1].replace(raw[-1] * 2, raw[-1])
    return raw


def literal(text: str, mysql: bool) -> str:
    """A text as a string of SQL."""
    said = text.replace("'", "''")
    return "'" + (said.replace("\\", "\\\\").replace("\0", "\\0") if mysql else said) + "'"


def _unescaped(match: re.Match[str]) -> str:
    said = match[1]
    if said[0] in "xuU" and len(said) > 1:
        return chr(min(int(said[1:], 16), 0x10FFFF))
    if said.isdecimal() and len(said) > 1:
        return chr(int(said, 8) & 0xFF)
    return _BACK.get(said, said)


class Names:
    """Names, and what they become: cleaned once, the same everywhere."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._new: dict[str, str] = {}
        self._count = 0

    def learn(self, names: Iterable[str]) -> None:
        """Look at names that were not seen before."""
        fresh = [n for n in dict.fromkeys(names) if n and n.casefold() not in self._new]
        said = self._work.clean(Document(name.replace("_", " "), "a name") for name in fresh)
        for name, result in zip(fresh, said, strict=True):
            self._count += 1
            same = result.text == name.replace("_", " ") or not key_says_who(name, result)
            self._new[name.casefold()] = name if same else f"name_{self._count}"

    def new(self, name: str) -> str:
        """The name as it is from now on."""
        new = self._new.get(name.casefold(), name)
        return name if new.casefold() == name.casefold() else new


class Texts(Struct):
    """Statements of any kind, word by word."""

    names: Names
    work: Work
    mysql: bool = False

    def clean(self, found: list[Token], where: str, field: str = "") -> str:
        """The statement with other literals and names, without comments."""
        under = self._under(found)
        said = [t for t in found if t.kind in {"string", "escaped"} or _long(t) or id(t) in under]
        texts = [value(t, self.mysql) for t in said]
        about = Document("", where)
        results = self.work.clean(
            fields.document(text, under.get(id(token), field), about)
            for token, text in zip(said, texts, strict=True)
        )
        new = {
            id(token): result.text
            for token, text, result in zip(said, texts, results, strict=True)
            if result.text != text
        }
        self.names.learn(value(t, self.mysql) for t in found if _names(t))
        parts, before = [], ""
        for token in found:
            changed = new.get(id(token))
            default = before == "DEFAULT" and changed is not None  # of a type that nobody knows
            parts.append("NULL" if default else self._written(token, changed, where))
            before = token.word if token.kind not in {"space", "comment"} else before
        return "".join(parts)

    def _under(self, found: list[Token]) -> dict[int, str]:
        """The columns that literals are set to or compared with: `mrn = '4711'`."""
        under, column = {}, ""
        for token in found:
            if token.kind in {"string", "escaped", "number"} and fields.label(column):
                under[id(token)] = column
            elif token.kind in {"name", "quoted", "word"} and token.word not in BETWEEN:
                column = value(token, self.mysql)
            elif token.kind == "sign" and token.raw not in "=<>!,(":
                column = ""
        return under

    def _written(self, token: Token, new: str | None, where: str) -> str:
        if _names(token):
            return self._named(token)
        if new is not None:
            return literal(new, self.mysql)
        if token.kind == "comment":
            self.work.dropped("comment")
            return " " if token.raw.startswith("/*") else ""
        if token.kind == "hex":
            self.work.dropped("binary value")
            return "''"
        if token.kind == "dollar":
            return self._within(token, where)
        return token.raw

    def _named(self, token: Token) -> str:
        name = value(token, self.mysql)
        new = self.names.new(name)
        if new == name:
            return token.raw
        return new if token.kind != "quoted" else token.raw[0] + new + token.raw[-1]

    def _within(self, token: Token, where: str) -> str:
        """What stands between dollars is SQL, or read as if it were."""
        inner = value(token, self.mysql)
        try:
            clean = self.clean(list(tokens(inner, self.mysql)), where)
        except InputError:
            [result] = self.work.clean([Document(inner, where)])
            clean = result.text
        tag = token.raw[: token.raw.index("$", 1) + 1]
        return f"{tag}{clean.replace(tag, ' ')}{tag}"


def _names(token: Token) -> bool:
    """Whether somebody chose the word."""
    if token.kind == "name":
        return token.raw.lower() not in KEYWORDS
    return token.kind in {"quoted", "word"}


def _long(token: Token) -> bool:
    return token.kind == "number" and len(token.raw) >= DIGITS
