"""How tokens look, and where they stand in a text. No key is needed here.

    UQ  version  tag  SIV  ciphertext  check  U
    |   1 byte   1    16   n           2      |
    mark and kind                             mark, which is no symbol of the inside

A mark is nowhere inside, so a token goes from one mark of a text to the next. All of them are
looked at together, in columns; one that was bent is unpacked alone. TOK-n: docs/spec/token.md.
"""

from __future__ import annotations

import binascii
import re
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scrubjay.errors import VaultError
from scrubjay.vault.siv import Rows

PLAIN, SEALED = "Q", "W"
MARK = "U"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # TOK-2
SIV, CHECK, HEAD = 16, 2, 2
LEAST = 43  # characters of a token
APART = "\0"  # no token goes across it

_DIGITS = "0123456789abcdefghijklmnopqrstuv"  # as int() names them
_ODD = "\u00ad\u200b\u200c\u200d\u2060\ufeff"  # invisible
_CUT = re.compile(r"[Uu][QWqw][0-9A-TV-Za-tv-z]{14,}+(?:[Uu](?![QWqw]))?")  # TOK-7
_INVISIBLE = re.compile(rf"[\s{_ODD}]+")
_BLANKS = b" \t\n\v\f\r\x1c\x1d\x1e\x1f-"  # the ASCII of \s
_WIDE = [code for code in range(128, 1 << 16) if chr(code).isspace() or chr(code) in _ODD]
_TWO = [a + b for a in ALPHABET for b in ALPHABET]  # two symbols for ten bits
_PAIRS = np.frombuffer("".join(_TWO).encode(), np.uint16)


def _table() -> bytes:
    """TOK-3: every byte as the digit it is read as; `~` for the mark, `!` for what is no symbol."""
    table = bytearray(b"!" * 256)
    for symbol, digit in zip(ALPHABET + "ILO", _DIGITS + "110", strict=True):
        table[ord(symbol)] = table[ord(symbol.lower())] = ord(digit)
    table[ord("U")] = table[ord("u")] = ord("~")
    return bytes(table)


_TABLE = _table()
_KINDS = {_TABLE[ord(kind)]: kind for kind in (PLAIN, SEALED)}
_SEEDS = {kind: binascii.crc_hqx(kind.encode(), 0) for kind in (PLAIN, SEALED)}
_STEPS = np.array([binascii.crc_hqx(bytes([byte]), 0) for byte in range(256)], np.uint16)
_STRANGE, _SYMBOL, _BLANK, _MARKED = range(4)


def _classes() -> tuple[Rows, Rows]:
    """What each byte is in a token, and which digit. 128 stands for all beyond ASCII."""
    kinds, digits = np.full(256, _STRANGE, np.uint8), np.zeros(256, np.uint8)
    for byte, digit in enumerate(_TABLE):
        if chr(digit) in _DIGITS:
            kinds[byte], digits[byte] = _SYMBOL, _DIGITS.index(chr(digit))
    kinds[[*_BLANKS]] = _BLANK
    kinds[[ord("U"), ord("u")]] = _MARKED
    return kinds, digits


_CLASS, _DIGIT = _classes()
_WEIGHTS = 32.0 ** np.arange(7, -1, -1)
_SEED = np.zeros(256, np.uint16)  # of bytes that name a kind
for _kind, _seed in _SEEDS.items():
    _SEED[[ord(_kind), ord(_kind.lower())]] = _seed


Places = NDArray[np.int64]
_NONE: Places = np.zeros(0, np.int64)


class Place(NamedTuple):
    """Where a token stands in a text. Not `whole`: it begins as one, and lost or changed a part."""

    start: int
    end: int
    whole: bool


class Packet(NamedTuple):
    """A token without its text form. `sealed` begins after version and tag."""

    kind: str
    version: int
    tag: int
    sealed: bytes


class Alike(NamedTuple):
    """Tokens that agree in what stands open and in length: which places they are, and a row each
    for what begins after version and tag."""

    kind: str
    version: int
    tag: int
    places: Places
    sealed: Rows


class Found(NamedTuple):
    """Where tokens stand in a text, from left to right, apart from each other, and what is in them.
    Which are in none of the `groups` lost or changed a part."""

    starts: list[int]
    ends: list[int]
    groups: list[Alike]


def find(text: str) -> list[Place]:
    """Tokens in a text, from left to right, apart from each other."""
    starts, ends, groups = scan(text)
    whole = {at for alike in groups for at in alike.places.tolist()}
    return [Place(start, ends[at], at in whole) for at, start in enumerate(starts)]


def scan(text: str) -> Found:
    """The same, and what is in the whole ones."""
    codes = _codes(text)
    classes = _CLASS[codes]
    marks = np.flatnonzero(classes == _MARKED)
    packed = [*_from_mark_to_mark(text, codes, classes, marks)]
    kept = _apart(np.sort(np.concatenate([alike.places for alike in packed] or [_NONE])))
    whole = marks[kept]
    cut = [*_cut(text, classes, marks, kept)]
    starts = np.concatenate([whole, np.array([start for start, _ in cut], np.int64)])
    ends = np.concatenate([marks[kept + 1] + 1, np.array([end for _, end in cut], np.int64)])
    order = np.argsort(starts, kind="stable")
    numbers = np.full(len(marks), -1)
    numbers[kept] = np.argsort(order, kind="stable")[: len(kept)]
    groups = [_numbered(alike, numbers[alike.places]) for alike in packed]
    return Found(starts[order].tolist(), ends[order].tolist(), groups)


def alone(token: str) -> Alike:
    """One token. `VaultError` where it is none."""
    kind, version, tag, sealed = unpack(token)
    return Alike(kind, version, tag, np.zeros(1, np.int64), rows_of(sealed, 1))


def _codes(text: str) -> Rows:
    """A byte for each character. Blanks of all scripts are one, what else is not ASCII another."""
    if text.isascii():
        return np.frombuffer(text.encode(), np.uint8)
    wide = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    codes: Rows = np.minimum(wide, 128).astype(np.uint8)
    beyond = np.flatnonzero(codes == 128)
    codes[beyond[np.isin(wide[beyond], _WIDE)]] = ord(" ")
    return codes


def _from_mark_to_mark(text: str, codes: Rows, classes: Rows, marks: Places) -> Iterator[Alike]:
    """What each two neighbouring marks hold, if it is a token. Their places are those of the first
    mark among the marks; they may share one still."""
    starts, ends = marks[:-1], marks[1:]
    lengths = ends - starts + 1
    strange, blank = (np.cumsum(classes == kind, dtype=np.int32) for kind in (_STRANGE, _BLANK))
    fit = (lengths >= LEAST) & (strange[starts] == strange[ends])
    bent = blank[starts] != blank[ends]
    clean = fit & ~bent & (lengths % 8 == 3)
    for length in np.unique(lengths[clean]):
        pairs = np.flatnonzero(clean & (lengths == length))
        yield from _unpacked(codes[starts[pairs][:, None] + np.arange(length)], pairs)
    for pair in np.flatnonzero(fit & bent).tolist():
        try:
            yield alone(text[starts[pair] : ends[pair] + 1])._replace(places=np.array([pair]))
        except VaultError:
            continue


def _unpacked(rows: Rows, pairs: Places) -> Iterator[Alike]:
    """Rows of characters that are tokens, by what stands open in them."""
    seeds = _SEED[rows[:, 1]]
    body = _bytes(_DIGIT[rows[:, 2:-1]])
    heads = seeds.astype(np.int64) << 16 | body[:, 0].astype(np.int64) << 8 | body[:, 1]
    good = np.flatnonzero((seeds > 0) & (_checks(seeds, body) == 0))
    order = good[np.argsort(heads[good], kind="stable")]
    for same in np.split(order, np.flatnonzero(np.diff(heads[order])) + 1):
        if len(same):
            version, tag = body[same[0], :HEAD].tolist()
            kind = _KINDS[_TABLE[rows[same[0], 1]]]
            yield Alike(kind, version, tag, pairs[same], body[same, HEAD:-CHECK])


def _apart(pairs: Places) -> Places:
    """Without those that share a mark with one before."""
    if not (np.diff(pairs) == 1).any():
        return pairs
    kept: list[int] = []
    for pair in pairs.tolist():
        if not kept or kept[-1] != pair - 1:
            kept.append(pair)
    return np.array(kept)


def _cut(text: str, classes: Rows, marks: Places, kept: Places) -> Iterator[tuple[int, int]]:
    """Words that can only be the rest of a token, none of them at a mark of a whole one."""
    before = np.concatenate([[_STRANGE], classes])[marks]
    free = (before == _STRANGE) | (before == _BLANK)
    free[kept] = free[kept + 1] = False
    starts = {*marks[kept].tolist()} if free.any() else set()
    for mark in marks[free].tolist():
        if match := _CUT.match(text, mark):
            start, end = match.span()
            yield start, end - (end - 1 in starts)


def _numbered(alike: Alike, numbers: Places) -> Alike:
    """With the places in the text, and without those that were not kept."""
    kept = numbers >= 0
    return alike._replace(places=numbers[kept], sealed=alike.sealed[kept])


def pack(packet: Packet) -> str:
    """A packet's text. Head, body and check are a multiple of 5 bytes."""
    body = bytes([packet.version, packet.tag]) + packet.sealed
    check = binascii.crc_hqx(body, _SEEDS[packet.kind]).to_bytes(2)
    two = _TWO
    symbols = [
        two[a << 2 | b >> 30] + two[b >> 20 & 1023] + two[b >> 10 & 1023] + two[b & 1023]
        for a, b in struct.iter_unpack(">BI", body + check)
    ]
    return f"{MARK}{packet.kind}{''.join(symbols)}{MARK}"


def pack_rows(version: int, tag: int, sealed: Rows) -> list[str]:
    """The same for many of one length, of the kind `Q`, in columns."""
    body = np.hstack([np.tile(np.array([version, tag], np.uint8), (len(sealed), 1)), sealed])
    checks = _checks(_SEEDS[PLAIN], body)
    symbols = _symbols(np.hstack([body, checks.astype(">u2").view(np.uint8).reshape(-1, 2)]))
    width = symbols.shape[1] + 3
    texts = np.full((len(symbols), width), ord(MARK), np.uint8)
    texts[:, 1] = ord(PLAIN)
    texts[:, 2:-1] = symbols
    joined = str(texts.tobytes(), "ascii")
    return [joined[at : at + width] for at in range(0, len(joined), width)]


def _symbols(rows: Rows) -> Rows:
    """Base 32, five bytes at a time."""
    words = np.zeros((rows.size // 5, 8), np.uint8)
    words[:, 3:] = rows.reshape(-1, 5)
    numbers = words.view(">u8").astype(np.uint64)
    pairs = numbers >> np.array([30, 20, 10, 0], np.uint64) & np.uint64(1023)
    symbols: Rows = _PAIRS[pairs].view(np.uint8)
    return symbols.reshape(len(rows), -1)


def _checks(seeds: Any, rows: Rows) -> NDArray[np.uint16]:
    """TOK-5 for each row. Over a body and its check it comes to nothing."""
    checks = np.full(len(rows), seeds, np.uint16)
    for column in rows.T:
        checks = (checks << 8) ^ _STEPS[(checks >> 8) ^ column]
    return checks


def rows_of(flat: bytes, count: int) -> Rows:
    return np.frombuffer(flat, np.uint8).reshape(count, -1)


def _bytes(digits: Rows) -> Rows:
    """Base 32 back to bytes: eight digits are five, a number that a float holds exactly."""
    numbers = (digits.reshape(-1, 8).astype(np.float64) @ _WEIGHTS).astype(">u8")
    rows: Rows = numbers.view(np.uint8).reshape(-1, 8)[:, 3:]
    return rows.reshape(len(digits), -1)


def unpack(token: str) -> Packet:
    """A token's parts, once its check holds. However it was bent: TOK-3."""
    if not token.isascii():
        token = _INVISIBLE.sub("", token)
    try:
        raw = token.encode("ascii").translate(_TABLE, _BLANKS)
    except UnicodeEncodeError:
        raise VaultError("not a token: it holds characters that no token has") from None
    if len(raw) < 3 or raw[:1] != b"~" or raw[-1:] != b"~" or raw[1] not in _KINDS:
        raise VaultError("not a token: it does not begin or end as one; it may have been cut")
    return _decode(_KINDS[raw[1]], raw[2:-1])


def _decode(kind: str, digits: bytes) -> Packet:
    """TOK-4: whole groups, no strange symbol, a check that holds."""
    size, rest = divmod(len(digits) * 5, 8)
    if rest or size < HEAD + SIV + 1 + CHECK:
        raise VaultError("a damaged token: characters are missing, or too many")
    try:
        body = int(digits, 32).to_bytes(size)
    except ValueError:
        raise VaultError("a damaged token: it holds characters that no token has") from None
    if binascii.crc_hqx(body, _SEEDS[kind]):  # over body and its check it comes to nothing
        raise VaultError("a damaged token: a character was changed")
    return Packet(kind, body[0], body[1], body[HEAD:-CHECK])
