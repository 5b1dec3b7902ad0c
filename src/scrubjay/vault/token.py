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
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

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

_DIGITS = "0123456789abcdefghijklmnopqrstuv"  # as int() names them
_ODD = "\u00ad\u200b\u200c\u200d\u2060\ufeff"  # invisible
_SKIP = rf"[\s\-{_ODD}]*+"
_SYMBOLS = "0-9A-TV-Za-tv-z"
_WHOLE = re.compile(rf"[Uu]{_SKIP}[QWqw](?:{_SKIP}[{_SYMBOLS}]){{40,}}+{_SKIP}[Uu]")
_CUT = re.compile(rf"(?<![0-9A-Za-z])[Uu][QWqw][{_SYMBOLS}]{{14,}}+(?:[Uu](?![QWqw]))?")  # TOK-7
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

    def open(self, packet: Packet) -> str:
        """The value. Raise `VaultError` if it was not sealed under this key and context."""


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

    def open(self, packet: Packet) -> str:
        """As the protocol says."""
        try:
            primitive = self._primitives[packet.version]
            plain = primitive.decrypt(packet.sealed, [self._bound[packet.version]])
        except InvalidTag:
            raise stranger() from None
        return unpadded(plain)

    def _make(self, plains: Sequence[bytes]) -> list[str]:
        """Tokens of plaintexts that are all of one length."""
        newest = max(self._keys)
        associated = self._bound[newest]
        if len(plains) < FEW:
            primitive = self._primitives[newest]
            sealed = (primitive.encrypt(plain, [associated]) for plain in plains)
            return [pack(Packet(self.kind, newest, self.tag, body)) for body in sealed]
        rows = np.frombuffer(b"".join(plains), np.uint8).reshape(len(plains), -1)
        return _pack_rows(newest, self.tag, siv.seal(self._keys[newest], associated, rows))

    def __repr__(self) -> str:
        return f"Mint(<{len(self._keys)} keys>)"


# Reading


def read(tokens: Sequence[str], readers: Sequence[Reader]) -> list[str]:
    """The values of tokens of several contexts, in order. `VaultError` at the first that none of
    the readers can open; it says the place in the list, and why as far as that can be told."""
    values = []
    known: dict[tuple[str, int, int], list[Reader]] = {}
    for number, token in enumerate(tokens, 1):
        try:
            packet = unpack(token)
            head = packet[:3]
            fit = known.get(head) or known.setdefault(head, _fitting(packet, readers))
            values.append(_open(packet, fit))
        except VaultError as problem:
            raise VaultError(f"token {number} of {len(tokens)}: {problem}") from None
    return values


def _open(packet: Packet, fit: Sequence[Reader]) -> str:
    """Tags are short, so that two labels may share one: each reader that fits has its try."""
    for reader in fit[:-1]:
        try:
            return reader.open(packet)
        except VaultError:  # sealed for another label of this tag
            continue
    return fit[-1].open(packet)


def _fitting(packet: Packet, readers: Iterable[Reader]) -> list[Reader]:
    """At least one. What refuses here stands open in every token, so naming it tells nothing."""
    fit = [reader for reader in readers if reader.kind == packet.kind]
    if not fit:
        raise VaultError("a token of another kind; two-person tokens need both halves of their key")
    fit = [reader for reader in fit if reader.tag == packet.tag]
    if not fit:
        raise VaultError("a token of another label; read it with the label it was made for")
    if found := [reader for reader in fit if packet.version in reader.versions]:
        return found
    known = ", ".join(map(str, sorted({v for reader in fit for v in reader.versions})))
    raise VaultError(f"a token of key version {packet.version}; there are keys for {known}")


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
    found = []
    at = 0
    while match := _WHOLE.search(text, at):
        whole = _is_token(match[0])
        at = match.end() if whole else match.start() + 1  # its end may be the next one's beginning
        if whole:
            found.append(Place(*match.span(), True))
    taken = {place.start for place in found}
    for start, end in (match.span() for match in _CUT.finditer(text)):
        if start not in taken:
            found.append(Place(start, end - (end - 1 in taken), False))
    return sorted(found)


def _is_token(text: str) -> bool:
    try:
        unpack(text)
    except VaultError:
        return False
    return True


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
    flat, width = body.tobytes(), body.shape[1]
    seed = _SEEDS[PLAIN]
    checks = [binascii.crc_hqx(flat[at : at + width], seed) for at in range(0, len(flat), width)]
    symbols = _symbols(np.hstack([body, np.array(checks, ">u2").view(np.uint8).reshape(-1, 2)]))
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


def unpadded(plain: bytes) -> str:
    """The value again."""
    try:
        return plain.rstrip(FILL).decode()
    except UnicodeDecodeError:
        raise VaultError("sealed, but not by a mint: its inside is not UTF-8") from None


def in_groups(
    items: Sequence[T], kind: Callable[[T], Hashable], work: Callable[[Sequence[T]], Sequence[str]]
) -> list[str]:
    """`work` done once for all items of a kind, its results in the order of the items."""
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        groups[kind(item)].append(place)
    if len(groups) == 1:
        return list(work(items))
    results = [""] * len(items)
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
