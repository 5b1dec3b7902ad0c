"""Tokens: text that stands for a value, and gives it back to who holds the key.

    UQ  version  tag  SIV  ciphertext  check  U
    |   1 byte   1    16   n           2      |
    mark and kind                             mark, which is no symbol of the inside

TOK-n are the clauses of docs/spec/token.md. All here is a pure function of keys; the second kind of
token, which code alone cannot read, is in `twoperson.py`.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from numpy.typing import NDArray

from scrubjay.errors import OperatorError, UsageError, VaultError
from scrubjay.keys import Key
from scrubjay.vault import siv

PLAIN, SEALED = "Q", "W"
MARK = "U"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # TOK-2
STEP = 10
FILL = b"\xff"  # no byte of UTF-8
SIV, CHECK, HEAD = 16, 2, 2
FEW = 16  # values from which on sealing them together pays

T = TypeVar("T")
R = TypeVar("R")

_DIGITS = "0123456789abcdefghijklmnopqrstuv"  # as int() names them
_ODD = "\u00ad\u200b\u200c\u200d\u2060\ufeff"  # invisible
_SKIP = rf"[\s\-{_ODD}]*+"
_SYMBOLS = "0-9A-TV-Za-tv-z"
_WHOLE = re.compile(rf"[Uu]{_SKIP}[QWqw][{_SYMBOLS}\s\-{_ODD}]{{40,}}+[Uu]")
# TOK-7. The first character comes before the look behind it, which is several times as fast.
_CUT = re.compile(rf"[Uu](?<![0-9A-Za-z][Uu])[QWqw][{_SYMBOLS}]{{14,}}+(?:[Uu](?![QWqw]))?")
_INVISIBLE = re.compile(rf"[\s{_ODD}]+")
_BLANKS = b" \t\n\v\f\r\x1c\x1d\x1e\x1f-"  # the ASCII of \s
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
_VALUES = np.full(256, 255, np.uint8)  # of symbols, as bytes; 255 for what is none
for _byte, _digit in enumerate(_TABLE):
    _VALUES[_byte] = _DIGITS.find(chr(_digit)) & 255
_MARKS = np.isin(np.arange(256), [ord("U"), ord("u")])
_KIND_SEEDS = np.zeros(256, np.uint16)  # of letters that name a kind
for _kind, _seed in _SEEDS.items():
    _KIND_SEEDS[[ord(_kind), ord(_kind.lower())]] = _seed


class Context(NamedTuple):
    """What a token is bound to besides its key. It is read with the same context or not at all."""

    tenant: str
    domain: str
    label: str


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


class Reader(Protocol):
    """Opens packets of one kind and one context."""

    kind: str
    tag: int

    @property
    def versions(self) -> Collection[int]:
        """Those of its keys."""

    def open(self, packets: Sequence[Packet]) -> list[str | VaultError]:
        """The value of each, or `VaultError` for one that was not sealed under this key and
        context. All are of this kind and tag, and of one of these versions."""


class Mint:
    """Makes and reads the tokens of one context. New ones are of the newest key; every key reads.
    A longer `step` hides more of a value's length, and changes tokens."""

    kind = PLAIN

    def __init__(self, keys: Mapping[int, Key], context: Context, *, step: int = STEP) -> None:
        check_versions(keys)
        self.tag = tag(context.label)
        self._keys = {version: _siv_key(key) for version, key in keys.items()}
        self._bound = {version: bound(self.kind, context, version) for version in keys}
        self._primitives = {version: AESSIV(key) for version, key in self._keys.items()}
        self._step = check_step(step)

    @property
    def versions(self) -> Collection[int]:
        """Those it can read."""
        return self._keys

    def tokens(self, values: Sequence[str]) -> list[str]:
        """A token for each value: equal ones for equal values, and for those alone."""
        plains = padded(values, HEAD + SIV + CHECK, self._step)
        return in_groups(plains, len, self._make)

    def read(self, tokens: Sequence[str]) -> list[str]:
        """The values, in order. `VaultError` at the first that is not a token of this mint."""
        return read(tokens, [self])

    def open(self, packets: Sequence[Packet]) -> list[str | VaultError]:
        """As the protocol says."""
        return in_groups(packets, lambda one: (one.version, len(one.sealed)), self._open)

    def _open(self, packets: Sequence[Packet]) -> Iterator[str | VaultError]:
        """Packets of one version and length."""
        if len(packets) < FEW:
            return (unpadded(self._decrypted(packet)) for packet in packets)
        version = packets[0].version
        rows = _rows(b"".join(packet.sealed for packet in packets), len(packets))
        return map(unpadded, siv.open(self._keys[version], self._bound[version], rows))

    def _decrypted(self, packet: Packet) -> bytes | None:
        try:
            primitive = self._primitives[packet.version]
            return primitive.decrypt(packet.sealed, [self._bound[packet.version]])
        except InvalidTag:
            return None

    def _make(self, plains: Sequence[bytes]) -> list[str]:
        """Tokens of plaintexts that are all of one length."""
        newest = max(self._keys)
        associated = self._bound[newest]
        if len(plains) < FEW:
            primitive = self._primitives[newest]
            sealed = (primitive.encrypt(plain, [associated]) for plain in plains)
            return [pack(Packet(self.kind, newest, self.tag, body)) for body in sealed]
        rows = _rows(b"".join(plains), len(plains))
        return _pack_rows(newest, self.tag, siv.seal(self._keys[newest], associated, rows))

    def __repr__(self) -> str:
        return f"Mint(<{len(self._keys)} keys>)"


# Reading


class Readers:
    """Readers of several contexts. A token goes to those that its open part says."""

    def __init__(self, readers: Iterable[Reader]) -> None:
        self._readers = tuple(readers)

    def values(self, tokens: Iterable[str]) -> dict[str, str | VaultError]:
        """The value of each token, or why none of the readers can open it, as far as that can be
        told."""
        distinct = list(dict.fromkeys(tokens))
        packets = unpack_all(distinct)
        found: dict[str, str | VaultError] = {}
        groups: defaultdict[tuple[str, int, int], list[int]] = defaultdict(list)
        for number, packet in enumerate(packets):
            if isinstance(packet, VaultError):
                found[distinct[number]] = packet
            else:
                groups[packet[:3]].append(number)
        for head, numbers in groups.items():
            opened = self._opened(head, [packets[number] for number in numbers])
            found.update(zip((distinct[number] for number in numbers), opened, strict=True))
        return found

    def _opened(self, head: tuple[str, int, int], packets: list[Any]) -> list[str | VaultError]:
        """Tags are short, so that two labels may share one: each reader that fits has its try."""
        try:
            fit = self._fitting(*head)
        except VaultError as problem:
            return [problem] * len(packets)
        results = fit[0].open(packets)
        for reader in fit[1:]:
            left = [number for number, one in enumerate(results) if isinstance(one, VaultError)]
            for number, result in zip(left, reader.open([packets[n] for n in left]), strict=True):
                results[number] = result
        return results

    def _fitting(self, kind: str, version: int, tag: int) -> list[Reader]:
        """At least one. What refuses here stands open in every token: naming it tells nothing."""
        fit = [reader for reader in self._readers if reader.kind == kind]
        if not fit:
            raise VaultError(
                "a token of another kind; two-person tokens need both halves of their key"
            )
        fit = [reader for reader in fit if reader.tag == tag]
        if not fit:
            raise VaultError("a token of another label; read it with the label it was made for")
        if found := [reader for reader in fit if version in reader.versions]:
            return found
        known = ", ".join(map(str, sorted({v for reader in fit for v in reader.versions})))
        raise VaultError(f"a token of key version {version}; there are keys for {known}")


def read(tokens: Sequence[str], readers: Iterable[Reader]) -> list[str]:
    """The values of tokens of several contexts, in order. `VaultError` at the first that none of
    the readers can open; it says the place in the list."""
    found = Readers(readers).values(tokens)
    values = []
    for number, token in enumerate(tokens, 1):
        value = found[token]
        if isinstance(value, VaultError):
            raise VaultError(f"token {number} of {len(tokens)}: {value}")
        values.append(value)
    return values


def stranger() -> VaultError:
    """One message for all that the seal alone can tell: whoever guesses learns nothing more."""
    return VaultError(
        "not made with this key, tenant, domain and label, or forged; "
        "read it with those that it was made with"
    )


def find(text: str) -> Iterator[Place]:
    """Tokens in a text, from left to right, apart from each other. No key is needed."""
    at = 0
    for start, end, whole in _candidates(text):
        if start >= at:
            yield Place(start, end, whole)
            at = end


def _candidates(text: str) -> list[Place]:
    """Whole tokens, and words that can only be the rest of one."""
    found = [Place(start, end, True) for start, end in _wholes(text)]
    taken = {place.start for place in found}
    for start, end in (match.span() for match in _CUT.finditer(text)):
        if start not in taken:
            found.append(Place(start, end - (end - 1 in taken), False))
    return sorted(found)


def _wholes(text: str) -> Iterator[tuple[int, int]]:
    """Whole tokens, the leftmost first, apart from each other."""
    spans = [match.span() for match in _WHOLE.finditer(text)]
    packets = unpack_all([text[start:end] for start, end in spans])
    at = 0  # what begins before it is dealt with
    for (start, end), packet in zip(spans, packets, strict=True):
        if start >= at and isinstance(packet, Packet):
            yield start, end
            at = end
            continue
        # No mark is inside of one that is no token, and its end may be the next one's beginning.
        while end > at and (match := _WHOLE.match(text, end - 1)):
            if isinstance(unpack_all([match[0]])[0], Packet):
                yield match.span()
                at = match.end()
                break
            end = match.end()
        else:
            at = max(at, end)


# The text form


def pack(packet: Packet) -> str:
    """A packet's text. Head, body and check are a multiple of 5 bytes."""
    body = bytes([packet.version, packet.tag]) + packet.sealed
    check = binascii.crc_hqx(body, _SEEDS[packet.kind]).to_bytes(2)
    number, bits = int.from_bytes(body + check), 8 * (len(body) + CHECK)
    symbols = [_TWO[number >> shift & 1023] for shift in range(bits - 10, -1, -10)]
    return f"{MARK}{packet.kind}{''.join(symbols)}{MARK}"


def _pack_rows(version: int, tag: int, sealed: siv.Rows) -> list[str]:
    """The same for many of one length, of the kind `Q`, in columns."""
    body = np.hstack([np.tile(np.array([version, tag], np.uint8), (len(sealed), 1)), sealed])
    checks = _checks(np.uint16(_SEEDS[PLAIN]), body)
    symbols = _symbols(np.hstack([body, checks.astype(">u2").view(np.uint8).reshape(-1, 2)]))
    width = symbols.shape[1] + 3
    texts = np.full((len(symbols), width), ord(MARK), np.uint8)
    texts[:, 1] = ord(PLAIN)
    texts[:, 2:-1] = symbols
    joined = str(texts.tobytes(), "ascii")
    return [joined[at : at + width] for at in range(0, len(joined), width)]


def _symbols(rows: siv.Rows) -> siv.Rows:
    """Base 32, five bytes at a time."""
    words = np.zeros((rows.size // 5, 8), np.uint8)
    words[:, 3:] = rows.reshape(-1, 5)
    numbers = words.view(">u8").astype(np.uint64)
    pairs = numbers >> np.array([30, 20, 10, 0], np.uint64) & np.uint64(1023)
    symbols: siv.Rows = _PAIRS[pairs].view(np.uint8)
    return symbols.reshape(len(rows), -1)


def _checks(seeds: Any, rows: siv.Rows) -> NDArray[np.uint16]:
    """TOK-5 for each row. Over a body and its check it comes to nothing."""
    checks = np.full(len(rows), seeds, np.uint16)
    for column in rows.T:
        checks = (checks << 8) ^ _STEPS[(checks >> 8) ^ column]
    return checks


def _rows(flat: bytes, count: int) -> siv.Rows:
    return np.frombuffer(flat, np.uint8).reshape(count, -1)


def unpack_all(tokens: Sequence[str]) -> list[Packet | VaultError]:
    """What `unpack` gives or raises for each. Many of one length go in columns."""
    return in_groups(tokens, len, _unpack_same)


def _unpack_same(tokens: Sequence[str]) -> list[Packet | VaultError]:
    """The same for tokens of one length."""
    plain = len(tokens) >= FEW and not (len(tokens[0]) - 3) % 8 and "".join(tokens)
    if not plain or not plain.isascii():
        return [_tried(token) for token in tokens]
    rows = _rows(plain.encode(), len(tokens))
    digits = _VALUES[rows[:, 2:-1]]
    marks, kinds = _MARKS[rows[:, [0, -1]]].all(axis=1), _KIND_SEEDS[rows[:, 1]]
    body = _bytes(digits)
    fit = marks & (kinds > 0) & (digits < 32).all(axis=1) & (_checks(kinds, body) == 0)
    width, flat = body.shape[1], body.tobytes()
    return [
        Packet(token[1].upper(), flat[at], flat[at + 1], flat[at + HEAD : at + width - CHECK])
        if good else _tried(token)
        for token, good, at in zip(tokens, fit.tolist(), range(0, len(flat), width), strict=True)
    ]  # fmt: skip


def _bytes(digits: siv.Rows) -> siv.Rows:
    """Base 32 back to bytes: eight digits are five."""
    groups = digits.reshape(-1, 8).astype(np.uint64)
    numbers = (groups << np.arange(35, -1, -5, dtype=np.uint64)).sum(axis=1, dtype=np.uint64)
    rows: siv.Rows = numbers.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 3:]
    return rows.reshape(len(digits), -1)


def _tried(token: str) -> Packet | VaultError:
    try:
        return unpack(token)
    except VaultError as problem:
        return problem


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


# What is sealed


def tag(label: str) -> int:
    """TOK-12: a byte that says the label, roughly."""
    return hashlib.sha256(label.encode()).digest()[0]


def bound(kind: str, context: Context, version: int) -> bytes:
    """TOK-22: the associated data. Parts cannot run together."""
    parts = ["scrubjay token", kind, *context, str(version)]
    told = [part.encode("utf-8", "surrogatepass") for part in parts]
    return b"".join(len(part).to_bytes(4) + part for part in told)


def padded(values: Sequence[str], around: int, step: int) -> list[bytes]:
    """TOK-20: values in UTF-8, filled up so that their packets are whole steps long."""
    plains = []
    for number, value in enumerate(values, 1):
        try:
            plain = value.encode()
        except UnicodeEncodeError:
            where = f"value {number} of {len(values)}"
            raise OperatorError(f"{where} holds half a surrogate pair, not a character") from None
        size = -(-(around + (len(plain) or 1)) // step) * step - around
        plains.append(plain.ljust(size, FILL))
    return plains


def unpadded(plain: bytes | None) -> str | VaultError:
    """The value again, of what opened."""
    if plain is None:
        return stranger()
    try:
        return plain.rstrip(FILL).decode()
    except UnicodeDecodeError:
        return VaultError("sealed, but not by a mint: its inside is not UTF-8")


def in_groups(
    items: Sequence[T], kind: Callable[[T], Hashable], work: Callable[[Sequence[T]], Iterable[R]]
) -> list[R]:
    """`work` done once for all items of a kind, its results in the order of the items."""
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        groups[kind(item)].append(place)
    if len(groups) == 1:
        return list(work(items))
    results: list[Any] = [None] * len(items)
    for places in groups.values():
        for place, result in zip(places, work([items[at] for at in places]), strict=True):
            results[place] = result
    return results


def check_versions(keys: Mapping[int, object]) -> None:
    """One byte holds a version."""
    if not keys or not all(1 <= version <= 255 for version in keys):
        raise UsageError("a mint needs a key at least, and versions from 1 to 255")


def check_step(step: int) -> int:
    """Eight symbols hold five bytes, so that a whole step leaves no bits over."""
    if step < 5 or step % 5:
        raise UsageError(f"step = {step}; it is a multiple of 5 bytes")
    return step


def _siv_key(key: Key) -> bytes:
    """TOK-21: 512 bits, so AES-256 twice."""
    return key.derive("token.v1", "mac") + key.derive("token.v1", "ctr")
