"""A folder of one process for files that are not clean yet, for their owner alone. What a process
left that was killed is cleared by the next that starts.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.exceptions import HTTPException

from scrubjay import home
from scrubjay.errors import OutputError

FULL = "the service's disk"


class Spool:
    """Open until the process ends, however it ends: a lock says so to others."""

    def __init__(self) -> None:
        above = home.folder("serve/spool")
        alone = os.open(above, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(alone, fcntl.LOCK_EX)  # who starts beside it would clear what has no lock
            _clear(above)
            self._folder = above / secrets.token_hex(8)
            self._folder.mkdir(mode=0o700)
            self._lock = _locked(self._folder)
        finally:
            os.close(alone)

    @contextmanager
    def file(self) -> Iterator[Path]:
        """A path where nothing is; gone afterwards, with what was put there."""
        path = self._folder / secrets.token_hex(8)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing of it stays."""
        shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._lock)


async def kept(stream: AsyncIterator[bytes], path: Path, most: int) -> str:
    """Put all of a body there: its SHA-256. One of more bytes is refused as soon as it is seen."""
    digest, size = hashlib.sha256(), 0
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            async for chunk in stream:
                size += len(chunk)
                if size > most:
                    raise HTTPException(413, f"the body is larger than {most >> 20} MiB")
                digest.update(chunk)
                file.write(chunk)
    except OSError as problem:
        raise OutputError(f"{FULL}: {problem.strerror}; nothing was done") from None
    return digest.hexdigest()


def _clear(above: Path) -> None:
    for folder in above.iterdir():
        if (lock := _locked(folder)) >= 0:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _locked(folder: Path) -> int:
    """A lock on a folder that ends with the process; -1, if another has it, or it is gone."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return -1
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return -1
    return handle
