"""The subjects of a domain as they are kept: name, code and a key of its own, or that it was
erased.

Nobody's name is a key of a row: subjects and codes lie at HMACs, and what is kept is sealed to its
place, so that a row that was moved to another subject or domain opens nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from scrubjay.errors import VaultError
from scrubjay.vault import seal, symbols
from scrubjay.vault.nodes import Node
from scrubjay.vault.seal import LENGTH, Random, Secret, Site
from scrubjay.vault.store import Row

LIVE, GONE = b"\x01", b"\x00"  # how a subject's row begins: what seals it says the same


class Subject(Secret, frozen=True, array_like=True):
    """A subject's row, unsealed."""

    subject: str
    code: str
    created: str
    key: bytes


class Erased(msgspec.Struct, frozen=True, array_like=True):
    """What is left of one: when it came, when it went."""

    created: str
    at: str


class Subjects:
    """Those of one domain. Nothing is decided here: `Domain` and `Pseudonyms` write."""

    __slots__ = ("_node", "site", "space")

    def __init__(self, site: Site, node: Node) -> None:
        self.site, self._node = site, node
        self.space = space_of(node.id)

    @property
    def codes(self) -> str:
        """The space of codes."""
        return f"code:{self._node.id}"

    def place(self, subject: str) -> bytes:
        """Where a subject is kept."""
        return seal.place(self._node.index, "subject", subject)

    def place_of(self, code: str) -> bytes:
        """Where it is kept whose code this is."""
        return seal.place(self._node.index, "code", code)

    def new(self, subject: str) -> Subject:
        """One with a new code and key, not written yet."""
        random, now = self.site.random, seal.day(self.site.clock())
        return Subject(subject, coded(random, self._node.bits), now, random(LENGTH))

    def rows(self, at: bytes, record: Subject) -> tuple[Row, Row]:
        """A subject as it is kept, and its code, which nobody else may have."""
        sealed = self.sealed(at, LIVE, msgspec.msgpack.encode(record))
        return Row(self.space, at, sealed), Row(self.codes, self.place_of(record.code), at)

    def tombstone(self, at: bytes, gone: Erased) -> Row:
        """What is written over an erased one."""
        return Row(self.space, at, self.sealed(at, GONE, msgspec.msgpack.encode(gone)))

    def read(self, places: Sequence[bytes]) -> list[Subject | Erased | None]:
        """Each subject, what is left of it, or None."""
        values = self.site.store.get(self.space, places)
        return [self.opened(at, value) for at, value in zip(places, values, strict=True)]

    def opened(self, at: bytes, value: bytes | None) -> Subject | Erased | None:
        """What a row says."""
        if value is None:
            return None
        plain = seal.unseal(self._node.rows, value[1:], *self._bound(at, value[:1]))
        if value[:1] == GONE:
            return msgspec.msgpack.decode(plain, type=Erased)
        return msgspec.msgpack.decode(plain, type=Subject)

    def sealed(self, at: bytes, kind: bytes, plain: bytes) -> bytes:
        """A row's value."""
        bound = self._bound(at, kind)
        return kind + seal.seal(self._node.rows, plain, self.site.random, *bound)

    def _bound(self, at: bytes, kind: bytes) -> tuple[str | bytes, ...]:
        return self.site.vault, self.space, at, kind


def living(record: Subject | Erased | None) -> Subject:
    """The subject, unless it was erased: nobody comes back unasked."""
    if isinstance(record, Subject):
        return record
    raise VaultError(
        "this subject was erased: it gets no code, key or pseudonym again in this domain; "
        "leave its documents out, or take another domain"
    )


def space_of(domain: str) -> str:
    """The space where the subjects of a domain are kept."""
    return f"subject:{domain}"


def coded(random: Random, bits: int) -> str:
    """A new code of at least so many random bits, with its check character."""
    length = -(-bits // 5)
    raw = symbols.encode(random(-(-length * 5 // 8)))[:length]
    return raw + symbols.check(raw)
