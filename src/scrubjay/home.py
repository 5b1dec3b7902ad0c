"""Where state lives: keys, pseudonyms, approvals, the log. Only its owner can read it."""

from __future__ import annotations

import ctypes
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from scrubjay.errors import UsageError

FEW = 4  # files that are synced one by one


def home() -> Path:
    """SCRUBJAY_HOME, or the user's data folder."""
    told = os.environ.get("SCRUBJAY_HOME")
    if told:
        return Path(told)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "scrubjay"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/scrubjay"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "scrubjay"


def folder(name: str) -> Path:
    """A folder of it, made if need be."""
    path = home() / name
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise UsageError(f"{path}: {problem.strerror}; set SCRUBJAY_HOME") from None
    return path


def write(path: Path, data: bytes) -> None:
    """A small file, whole or not at all, on the disk when this returns, for its owner alone."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """Make a folder's names durable, or a file's bytes."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def settle(paths: Sequence[str]) -> None:
    """The bytes of files of one disk are on it. In one go where the system can, since asked for
    each file a disk writes its journal each time."""
    together = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if together is None or len(paths) < FEW:
        for path in paths:
            sync(Path(path))
        return
    handle = os.open(paths[0], os.O_RDONLY)
    try:
        if together(handle):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(handle)
