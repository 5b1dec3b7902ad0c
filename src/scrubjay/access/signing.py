"""A person's own keys: one signs approvals, one opens what is sealed to them.

The private parts live in a file of the person, under a passphrase (docs/spec/access.md, SIG-n). The
server only ever sees the public ones.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct, structs

from scrubjay.errors import AccessError, UsageError, VaultError

HALF = 32
NONCE = 12
SALT = 16
WRAP = b"scrubjay-wrap-v1"
AGREED = b"scrubjay-agreed-v1\n"


class Public(Struct, frozen=True):
    """What others need: an Ed25519 key to check signatures with, an X25519 key to seal to."""

    verify: bytes
    receive: bytes


class Cost(Struct, frozen=True):
    """What a guess at the passphrase costs: RFC 9106, section 4, the second recommended choice."""

    memory: int = 64 * 1024  # KiB
    passes: int = 3
    lanes: int = 4


USUAL = Cost()
MOST = Cost(memory=1 << 20, passes=16, lanes=16)  # a file from elsewhere must not exhaust a host


class File(Struct, frozen=True, forbid_unknown_fields=True):
    """A key file. `sealed` is nonce and ciphertext, bound to all the rest (SIG-2)."""

    format: Literal["scrubjay-signing-key-v1"]
    public: Public
    cost: Cost
    salt: bytes
    sealed: bytes = b""


class Signer:
    """A person's private keys. It signs and opens; it never shows itself."""

    __slots__ = ("_open", "_seed", "_sign", "public")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != 2 * HALF:
            raise UsageError(f"a signing key has {2 * HALF} bytes, this has {len(seed)}")
        self._seed = seed
        self._sign = Ed25519PrivateKey.from_private_bytes(seed[:HALF])
        self._open = X25519PrivateKey.from_private_bytes(seed[HALF:])
        self.public = Public(
            self._sign.public_key().public_bytes_raw(), self._open.public_key().public_bytes_raw()
        )

    @classmethod
    def new(cls, random: Callable[[int], bytes] = secrets.token_bytes) -> Signer:
        """New keys."""
        return cls(random(2 * HALF))

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature, 64 bytes."""
        return self._sign.sign(message)

    def __repr__(self) -> str:
        return "Signer(<secret>)"


def check_public(public: Public) -> None:
    """Refuse what cannot be a person's keys."""
    if len(public.verify) != HALF or len(public.receive) != HALF:
        raise UsageError(f"public keys have {HALF} bytes each; register those of the key file")
    _agree(X25519PrivateKey.from_private_bytes(bytes(HALF)), public.receive)


def signed(public: Public, message: bytes, signature: bytes) -> bool:
    """Whether this key made this signature of this message."""
    try:
        Ed25519PublicKey.from_public_bytes(public.verify).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def lock(
    signer: Signer,
    passphrase: str,
    *,
    random: Callable[[int], bytes] = secrets.token_bytes,
    cost: Cost = USUAL,
) -> bytes:
    """A key file."""
    if not passphrase:
        raise UsageError("a key file needs a passphrase; an empty one protects nothing")
    file = File("scrubjay-signing-key-v1", signer.public, cost, random(SALT))
    nonce = random(NONCE)
    sealed = _box(file, passphrase).encrypt(nonce, signer._seed, msgspec.json.encode(file))
    return msgspec.json.encode(structs.replace(file, sealed=nonce + sealed)) + b"\n"


def unlock(raw: bytes, passphrase: str) -> Signer:
    """The keys in a key file."""
    file = _read(raw)
    asked = zip(structs.astuple(file.cost), structs.astuple(MOST), strict=True)
    if any(not 1 <= cost <= most for cost, most in asked):
        raise VaultError("the signing key's file asks for more work than any of ours; not opened")
    header = msgspec.json.encode(structs.replace(file, sealed=b""))
    try:
        box = _box(file, passphrase)
        signer = Signer(box.decrypt(file.sealed[:NONCE], file.sealed[NONCE:], header))
    except (InvalidTag, ValueError):
        raise VaultError(
            "the signing key does not open: wrong passphrase, or the file was changed; try again"
        ) from None
    if signer.public != file.public:
        raise VaultError("the signing key's file names another public key than it holds")
    return signer


def public_of(raw: bytes) -> Public:
    """The public keys in a key file; who reads them vouches for whose they are."""
    return _read(raw).public


def _read(raw: bytes) -> File:
    """A key file, written in the only way that one is (SIG-3)."""
    try:
        file = msgspec.json.decode(raw, type=File)
    except ValueError:
        file = None
    if file is None or msgspec.json.encode(file) + b"\n" != raw:
        raise VaultError("the signing key's file is not one, or was changed; use your copy of it")
    return file


def wrap_to(
    approver: Public,
    secret: bytes,
    *,
    about: str = "",
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> bytes:
    """Seal a secret to a person. It opens only with their key and the same `about`."""
    own = X25519PrivateKey.from_private_bytes(random(HALF))
    fresh = own.public_key().public_bytes_raw()
    shared = _agree(own, approver.receive)
    box = ChaCha20Poly1305(_wrap_key(shared, fresh, approver.receive))
    # The key serves once, so a fixed nonce is safe.
    return fresh + box.encrypt(bytes(NONCE), secret, about.encode())


def unwrap(signer: Signer, sealed: bytes, *, about: str = "") -> bytes:
    """What `wrap_to` sealed to this person."""
    fresh = sealed[:HALF]
    try:
        shared = _agree(signer._open, fresh)
        box = ChaCha20Poly1305(_wrap_key(shared, fresh, signer.public.receive))
        return box.decrypt(bytes(NONCE), sealed[HALF:], about.encode())
    except (InvalidTag, ValueError, AccessError):
        raise VaultError(
            "the sealed secret does not open: it is for somebody else, or was changed"
        ) from None


def agreed(signer: Signer, other: bytes, *, about: str) -> bytes:
    """32 bytes that only these two people's keys give, each with the other's public one (SIG-5)."""
    own = signer.public.receive
    shared = _agree(signer._open, other)
    salt = b"".join(sorted((own, other)))
    return HKDF(SHA256(), HALF, salt=salt, info=AGREED + about.encode()).derive(shared)


def _agree(own: X25519PrivateKey, other: bytes) -> bytes:
    try:
        return own.exchange(X25519PublicKey.from_public_bytes(other))
    except ValueError:  # a point of small order, or no point
        raise AccessError("this public key cannot be sealed to; register another") from None


def _wrap_key(shared: bytes, fresh: bytes, receive: bytes) -> bytes:
    """Both public keys go in, so that a secret sealed to one person opens for nobody else."""
    return HKDF(SHA256(), HALF, salt=fresh + receive, info=WRAP).derive(shared)


def _box(file: File, passphrase: str) -> AESGCMSIV:
    """The same passphrase gives the same key on every keyboard: NFC first."""
    kdf = Argon2id(
        salt=file.salt,
        length=HALF,
        iterations=file.cost.passes,
        lanes=file.cost.lanes,
        memory_cost=file.cost.memory,
    )
    return AESGCMSIV(
        kdf.derive(unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass"))
    )
