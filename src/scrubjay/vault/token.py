"""Tokens: text that stands for a value, and gives it back to who holds the key.

TOK-n are the clauses of docs/spec/token.md. All here is a pure function of keys. How a token looks
is in `packets.py`; the second kind, which code alone cannot read, in `twoperson.py`.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from scrubjay.errors import OperatorError, UsageError, VaultError
from scrubjay.keys import Key
from scrubjay.vault import packets, siv
from scrubjay.vault.packets import CHECK, HEAD, PLAIN, SIV, Alike, Packet
from scrubjay.vault.siv import Rows

STEP = 10
FILL = b"\xff"  # no byte of UTF-8
FEW = 16  # values from which on sealing or opening them together pays

T = TypeVar("T")


class Context(NamedTuple):
    """What a token is bound to besides its key. It is read with the same context or not at all."""

    tenant: str
    domain: str
    label: str


class Reader(Protocol):
    """Opens tokens of one kind and one context."""

    kind: str
    tag: int

    @property
    def versions(self) -> Collection[int]:
        """Those of its keys."""

    def open(self, version: int, sealed: Rows) -> list[str | VaultError]:
        """The value of each row, or `VaultError` for one that was not sealed under this key and
        context."""


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

    def open(self, version: int, sealed: Rows) -> list[str | VaultError]:
        """As the protocol says."""
        if len(sealed) < FEW:
            return [unpadded(self._decrypted(version, row.tobytes())) for row in sealed]
        return [*map(unpadded, siv.open(self._keys[version], self._bound[version], sealed))]

    def _decrypted(self, version: int, sealed: bytes) -> bytes | None:
        try:
            return self._primitives[version].decrypt(sealed, [self._bound[version]])
        except InvalidTag:
            return None

    def _make(self, plains: Sequence[bytes]) -> list[str]:
        """Tokens of plaintexts that are all of one length."""
        newest = max(self._keys)
        associated = self._bound[newest]
        if len(plains) < FEW:
            primitive = self._primitives[newest]
            sealed = (primitive.encrypt(plain, [associated]) for plain in plains)
            return [packets.pack(Packet(self.kind, newest, self.tag, body)) for body in sealed]
        rows = packets.rows_of(b"".join(plains), len(plains))
        return packets.pack_rows(newest, self.tag, siv.seal(self._keys[newest], associated, rows))

    def __repr__(self) -> str:
        return f"Mint(<{len(self._keys)} keys>)"


# Reading


class Readers:
    """Readers of several contexts. A token goes to those that its open part says."""

    def __init__(self, readers: Iterable[Reader]) -> None:
        self._readers = tuple(readers)

    def values(self, groups: Iterable[Alike]) -> dict[int, str | VaultError]:
        """By place, the value of each token, or why none of the readers can open it, as far as that
        can be told."""
        found: dict[int, str | VaultError] = {}
        for alike in groups:
            found.update(zip(alike.places.tolist(), self._opened(alike), strict=True))
        return found

    def _opened(self, alike: Alike) -> list[str | VaultError]:
        """Tags are short, so that two labels may share one: each reader that fits has its try."""
        try:
            fit = self._fitting(alike.kind, alike.version, alike.tag)
        except VaultError as problem:
            return [problem] * len(alike.places)
        results = fit[0].open(alike.version, alike.sealed)
        for reader in fit[1:]:
            left = [row for row, result in enumerate(results) if isinstance(result, VaultError)]
            again = reader.open(alike.version, alike.sealed[left])
            for row, result in zip(left, again, strict=True):
                results[row] = result
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
    fit = Readers(readers)
    starts, ends, groups = packets.scan(packets.APART.join(tokens))
    opened = fit.values(groups)
    known = {span: opened.get(at) for at, span in enumerate(zip(starts, ends, strict=True))}
    values, start = [], 0
    for number, token in enumerate(tokens, 1):
        try:
            value = known.get((start, start + len(token)))
            if value is None:  # with blanks around it, or none
                value = fit.values([packets.alone(token)])[0]
            if isinstance(value, VaultError):
                raise value
        except VaultError as problem:
            raise VaultError(f"token {number} of {len(tokens)}: {problem}") from None
        values.append(value)
        start += len(token) + len(packets.APART)
    return values


def stranger() -> VaultError:
    """One message for all that the seal alone can tell: whoever guesses learns nothing more."""
    return VaultError(
        "not made with this key, tenant, domain and label, or forged; "
        "read it with those that it was made with"
    )


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
    items: Sequence[T], kind: Callable[[T], Hashable], work: Callable[[Sequence[T]], Sequence[str]]
) -> list[str]:
    """`work` done once for all items of a kind, its results in the order of the items."""
    if len(items) == 1:
        return list(work(items))
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
