"""Files that only the holders of some age keys can read (age-encryption.org/v1)."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from scrubjay.errors import ExtraError, OutputError, UsageError

SUFFIX = ".age"


def recipients(told: Sequence[str]) -> list[Any]:
    """Public keys, or files with one a line: `age1...` and `ssh-...`."""
    if not told:
        return []
    keys = [key for one in told for key in ([one] if _is_key(one) else _in_file(Path(one)))]
    return [_recipient(key) for key in keys]


def identity() -> Any:
    """A new pair of keys."""
    return _pyrage().x25519.Identity.generate()


def opened(path: Path) -> Any:
    """The private key in a file."""
    pyrage = _pyrage()
    try:
        lines = path.read_text("utf-8").splitlines()
        key = next((line.strip() for line in lines if line and not line.startswith("#")), "")
        return pyrage.x25519.Identity.from_str(key)
    except (OSError, ValueError, pyrage.IdentityError):
        raise UsageError(f"{path}: holds no AGE-SECRET-KEY-1...") from None


def _is_key(told: str) -> bool:
    return told.startswith(("age1", "ssh-"))


def _in_file(path: Path) -> list[str]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"{path}: neither an age public key nor a file of them") from None
    keys = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not keys or not all(map(_is_key, keys)):
        raise UsageError(f"{path}: one public key a line, age1... or ssh-...")
    return keys


def _recipient(key: str) -> Any:
    pyrage = _pyrage()
    kind = pyrage.ssh if key.startswith("ssh-") else pyrage.x25519
    try:
        return kind.Recipient.from_str(key)
    except pyrage.RecipientError:
        raise UsageError("not a public key of age: see age-keygen -y") from None


def _pyrage() -> Any:
    try:
        import pyrage
    except ImportError:
        raise ExtraError("encryption needs pyrage: pip install 'scrubjay[trust]'") from None
    return pyrage


class Sealed:
    """A stream whose bytes reach `target` encrypted alone; no plain copy touches the disk. Close
    it, or the file has no end and cannot be read."""

    def __init__(self, target: BinaryIO, keys: Sequence[Any]) -> None:
        source, sink = os.pipe()
        self._sink = os.fdopen(sink, "wb")
        self._problem: list[Exception] = []
        self._thread = threading.Thread(target=self._work, args=(source, target, keys), daemon=True)
        self._thread.start()

    def _work(self, source: int, target: BinaryIO, keys: Sequence[Any]) -> None:
        with os.fdopen(source, "rb") as stream:
            try:
                _pyrage().encrypt_io(stream, target, list(keys))
            except Exception as problem:  # noqa: BLE001 - told to who writes
                self._problem.append(problem)

    def write(self, data: bytes) -> int:
        """As any stream's."""
        try:
            return self._sink.write(data)
        except BrokenPipeError:
            self._thread.join()
            raise self._failed() from None

    def close(self) -> None:
        """Everything is encrypted and handed on when this returns."""
        with contextlib.suppress(BrokenPipeError):  # told below
            self._sink.close()
        self._thread.join()
        if self._problem:
            raise self._failed() from None

    def _failed(self) -> OutputError:
        kind = type(self._problem[0]).__name__ if self._problem else "BrokenPipeError"
        return OutputError(f"encryption failed: {kind}; nothing was written")
