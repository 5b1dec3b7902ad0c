"""Which version of the register of people was seen last: kept beside the log, not in the store, so
that an older store, or one whose people were taken out, is told (ACC-11)."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from scrubjay import home
from scrubjay.errors import VaultError

NUMBER = 8


class Seen:
    """A number in a file. After a kill it lags, it never leads."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._path, self._key = path, key

    def least(self, *, accept: bool = False) -> int:
        """What the register must have at least. `accept`: that anybody was ever in it."""
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            raw = b""
        except OSError as problem:
            raise VaultError(f"{self._path}: {problem.strerror}") from None
        if hmac.compare_digest(raw[NUMBER:], self._mac(raw[:NUMBER])):
            number = int.from_bytes(raw[:NUMBER], "big")
            return min(number, 1) if accept else number
        if accept:
            return 1
        raise VaultError(
            f"{self._path} is not there, or was changed: see that the vault is the newest, then"
            " scrubjay keys accept"
        )

    def exists(self) -> bool:
        """Whether there is a number, right or wrong."""
        return self._path.exists()

    def note(self, version: int, *, accept: bool = False) -> None:
        """This version was seen. `accept`: whatever was before."""
        if accept or not self._path.exists() or version > self.least():
            number = version.to_bytes(NUMBER, "big")
            home.write(self._path, number + self._mac(number))

    def _mac(self, number: bytes) -> bytes:
        return hmac.digest(self._key, b"people seen" + number, hashlib.sha256)
