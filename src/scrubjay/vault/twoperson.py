"""Tokens that code alone cannot read: sealed to a public key whose private half is in two hands.

Who mints holds the domain's key and the public key. Who reads needs the private key too, which
exists only as two halves: one under the domain's key, one in shares of which any two approvers'
make it (TOK-34; `access/holders.py`). Equal values agree, because the ephemeral key is derived from
the value. The price is that who can mint can guess: docs/spec/token.md says what that means.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from scrubjay.errors import UsageError, VaultError
from scrubjay.keys import Key
from scrubjay.vault import packets, shares, token
from scrubjay.vault.siv import Rows

if TYPE_CHECKING:
    from scrubjay.operators import Domain

LENGTH = 32  # of an X25519 key, private or public


class Lock(NamedTuple):
    """What minting needs of one version: the domain's key, and the public key sealed to."""

    key: Key
    public: bytes


class Sealed:
    """Makes two-person tokens, and reads them where the private keys have been put together."""

    kind = packets.SEALED

    def __init__(
        self, locks: Mapping[int, Lock], context: token.Context, *, step: int = token.STEP
    ) -> None:
        token.check_versions(locks)
        self._locks = dict(locks)
        self._context = context
        self._step = token.check_step(step)

    def tokens(self, values: Sequence[str]) -> list[str]:
        """A token for each value: equal ones for equal values, and for those alone."""
        newest = max(self._locks)
        tag = token.tag(self._context.label)
        around = packets.HEAD + LENGTH + packets.SIV + packets.CHECK
        return [
            packets.pack(packets.Packet(self.kind, newest, tag, self.seal(newest, plain)))
            for plain in token.padded(values, around, self._step)
        ]

    def read(self, tokens: Sequence[str], privates: Mapping[int, bytes]) -> list[str]:
        """The values, in order, with the private key of each version (`join`)."""
        return token.read(tokens, [self.reader(privates)])

    def reader(self, privates: Mapping[int, bytes]) -> token.Reader:
        """For `token.read`, beside readers of other contexts. It holds private keys: drop it."""
        strange = set(privates) - set(self._locks)
        if strange:
            raise UsageError(f"private keys of unknown versions {sorted(strange)}")
        for version, private in privates.items():
            _check(private, self._locks[version].public)
        return _Reader(self, privates, self._context)

    def seal(self, version: int, plain: bytes) -> bytes:
        """TOK-31: the ephemeral public key, then the value under what both keys agree on."""
        lock = self._locks[version]
        ephemeral = _ephemeral(lock.key, self.bound(version), plain)
        shown = ephemeral.public_key().public_bytes_raw()
        agreed = ephemeral.exchange(X25519PublicKey.from_public_bytes(lock.public))
        primitive = _primitive(agreed, shown, lock.public)
        return shown + primitive.encrypt(plain, [self.bound(version)])

    def bound(self, version: int) -> bytes:
        """Its associated data."""
        return token.bound(self.kind, self._context, version)

    def __repr__(self) -> str:
        return f"Sealed(<{len(self._locks)} locks>)"


class _Reader:
    """A `token.Reader`."""

    kind = packets.SEALED

    def __init__(self, mint: Sealed, privates: Mapping[int, bytes], context: token.Context) -> None:
        self.tag = token.tag(context.label)
        self._mint = mint
        self._privates = {
            version: X25519PrivateKey.from_private_bytes(private)
            for version, private in privates.items()
        }

    @property
    def versions(self) -> Collection[int]:
        return self._privates

    def open(self, version: int, sealed: Rows) -> list[str | VaultError]:
        """As the protocol says."""
        return [token.unpadded(self._minted(version, row.tobytes())) for row in sealed]

    def _minted(self, version: int, sealed: bytes) -> bytes | None:
        """What is not what minting makes of the value is refused (TOK-33): the public key alone,
        which is no secret, must not be enough to make a token."""
        plain = self._decrypt(version, sealed[:LENGTH], sealed[LENGTH:])
        if plain is None:
            return None
        again = self._mint.seal(version, plain)
        return plain if hmac.compare_digest(again, sealed) else None

    def _decrypt(self, version: int, shown: bytes, sealed: bytes) -> bytes | None:
        private = self._privates[version]
        try:
            agreed = private.exchange(X25519PublicKey.from_public_bytes(shown))
            primitive = _primitive(agreed, shown, private.public_key().public_bytes_raw())
            return primitive.decrypt(sealed, [self._mint.bound(version)])
        except (InvalidTag, ValueError):  # ValueError: too short, or a point of small order
            return None

    def __repr__(self) -> str:
        return f"_Reader(<{len(self._privates)} private keys>)"


def mint(domain: Domain, label: str, *, step: int = token.STEP) -> token.Mint | Sealed:
    """What makes a domain's tokens of one label."""
    keys = {version: domain.secret("tokens", version) for version in domain.versions}
    context = token.Context("", domain.id, label)
    if not domain.publics:
        return token.Mint(keys, context, step=step)
    locks = {number: Lock(keys[number], public) for number, public in domain.publics.items()}
    return Sealed(locks, context, step=step)


def readers(
    domain: Domain, labels: Iterable[str], privates: Mapping[int, bytes]
) -> list[token.Reader]:
    """What reads a domain's tokens of these labels, with the private keys of a two-person one."""
    mints = [mint(domain, label) for label in labels]
    return [made.reader(privates) if isinstance(made, Sealed) else made for made in mints]


def new(random: Callable[[int], bytes] = secrets.token_bytes) -> tuple[bytes, bytes]:
    """A private key and its public one. Give the private one to `halves` and forget it."""
    private = random(LENGTH)
    return private, public_of(private)


def halves(
    private: bytes, random: Callable[[int], bytes] = secrets.token_bytes
) -> tuple[bytes, bytes]:
    """Two halves, either of which alone is noise (TOK-34)."""
    if len(private) != LENGTH:
        raise VaultError(f"a private key has {LENGTH} bytes, this has {len(private)}")
    first = random(LENGTH)
    return first, shares.xor(first, private)


def join(first: bytes, second: bytes, public: bytes) -> bytes:
    """The private key again. `VaultError` if these are not the halves of this public key's."""
    if len(first) != LENGTH or len(second) != LENGTH:
        raise VaultError(f"half a private key has {LENGTH} bytes; one of these was cut or is none")
    private = shares.xor(first, second)
    _check(private, public)
    return private


def public_of(private: bytes) -> bytes:
    """The public key that belongs to a private one."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def _check(private: bytes, public: bytes) -> None:
    if len(private) != LENGTH or public_of(private) != public:
        raise VaultError("these are not the halves of this domain's key, or of another version's")


def _ephemeral(key: Key, associated: bytes, plain: bytes) -> X25519PrivateKey:
    """TOK-30: a PRF of context and value, so that equal values agree."""
    secret = key.derive("token-sealed.v1", associated.hex(), plain.hex())
    return X25519PrivateKey.from_private_bytes(secret)


def _primitive(agreed: bytes, shown: bytes, public: bytes) -> AESSIV:
    """TOK-32: as RFC 9180 does, both public keys go into the key."""
    info = b"scrubjay token sealed" + shown + public
    return AESSIV(HKDF(SHA256(), 64, salt=None, info=info).derive(agreed))
