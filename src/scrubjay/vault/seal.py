"""The few primitives that keys are sealed, derived and found with."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from msgspec import Struct

from scrubjay.errors import VaultError
from scrubjay.vault.store import Store

LENGTH = 32
NONCE = 12
PLACE = 16  # bytes of a row's key: two of 10 million subjects meet once in 2^81
Random = Callable[[int], bytes]
Clock = Callable[[], float]


class Secret(Struct, frozen=True):
    """What holds keys: it shows no field, and does not travel."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(<secret>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds keys: it is not pickled or copied")


class Site(NamedTuple):
    """What every level of a vault works with."""

    vault: str
    store: Store
    clock: Clock
    random: Random


def pack(*parts: str | bytes) -> bytes:
    """Parts that cannot run together."""
    told = [
        part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part for part in parts
    ]
    return b"".join(len(part).to_bytes(8, "big") + part for part in told)


def derive(key: bytes, purpose: str, *parts: str) -> bytes:
    """32 bytes that only this key, purpose and these parts give: HKDF-Expand with SHA-256, of which
    32 bytes are one HMAC (RFC 5869 2.3). Our keys are uniform, so nothing is extracted (3.3)."""
    return hmac.digest(key, pack(purpose, *parts) + b"\x01", hashlib.sha256)


def extract(value: bytes, salt: bytes) -> bytes:
    """A uniform key of material that may be longer or shaped (HKDF-Extract)."""
    return hmac.digest(salt, value, hashlib.sha256)


def place(key: bytes, *parts: str) -> bytes:
    """Where something is kept, without saying what."""
    return hmac.digest(key, pack(*parts), hashlib.sha256)[:PLACE]


def seal(key: bytes, plain: bytes, random: Random, *bound: str | bytes) -> bytes:
    """AES-256-GCM-SIV: only this key opens it, and only where it was bound to."""
    nonce = random(NONCE)
    return nonce + AESGCMSIV(key).encrypt(nonce, plain, pack(*bound))


def unseal(key: bytes, sealed: bytes, *bound: str | bytes) -> bytes:
    """What was sealed; `VaultError` if it was changed, moved, or is under another key."""
    try:
        return AESGCMSIV(key).decrypt(sealed[:NONCE], sealed[NONCE:], pack(*bound))
    except (InvalidTag, ValueError):
        raise VaultError(
            "a row of the vault was changed, moved or sealed under another key: "
            "put the newest backup in its place"
        ) from None


def day(seconds: float) -> str:
    """A time as records hold it: UTC, to the second; such strings sort as times."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
