"""The secret that keyed operators derive from: HMAC-SHA256 of a purpose and its parts."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from scrubjay.errors import UsageError

LENGTH = 32


class Key:
    """A 256-bit secret. It derives; it never shows itself."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) < LENGTH:
            raise UsageError(f"a key needs {LENGTH} bytes or more, this has {len(secret)}")
        self._secret = secret

    @classmethod
    def random(cls) -> Key:
        """A new key, good for one run."""
        return cls(secrets.token_bytes(LENGTH))

    @classmethod
    def read(cls, path: Path) -> Key:
        """The key in a file: 64 hexadecimal digits, or raw bytes."""
        try:
            data = path.read_bytes()
        except OSError as problem:
            raise UsageError(f"key file {path}: {problem.strerror}") from None
        text = data.strip()
        try:
            return cls(bytes.fromhex(text.decode("ascii")))
        except ValueError:
            return cls(data)

    def derive(self, purpose: str, *parts: str) -> bytes:
        """32 bytes that only this key, purpose and these parts give. Parts cannot run together."""
        told = [part.encode("utf-8", "surrogatepass") for part in (purpose, *parts)]
        message = b"".join(len(part).to_bytes(8, "big") + part for part in told)
        return hmac.new(self._secret, message, hashlib.sha256).digest()

    def number(self, below: int, purpose: str, *parts: str) -> int:
        """An even choice of 0 <= n < below (bias under 2^-64 for any practical bound)."""
        return int.from_bytes(self.derive(purpose, *parts), "big") % below

    def __repr__(self) -> str:
        return "Key(<secret>)"
