"""The one place where the log meets a disk. `simulated.Disk` is the other, for tests that kill."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from scrubjay.errors import AuditError

SYNC = getattr(os, "fdatasync", os.fsync)  # where times of change need not last
TOGETHER = 16  # files synced at a time: a journalling file system commits them as one


class Disk(Protocol):
    """Raise `OSError` for what cannot be done. Only what was synced outlasts a loss of power."""

    def read(self, path: Path, offset: int = 0, length: int = -1) -> bytes:
        """Bytes of a file; fewer at its end."""

    def write(self, path: Path, data: bytes, offset: int | None = None) -> None:
        """A whole file, its folders made if need be; at an offset, part of one that is there."""

    def move(self, old: Path, new: Path) -> None:
        """Give a file another name, in place of what had it."""

    def sync(self, paths: Iterable[Path]) -> None:
        """Make the bytes of these files durable, and the names in these folders."""

    def clear(self, path: Path) -> None:
        """Remove a folder of files, if it is there."""

    def lock(self, path: Path) -> AbstractContextManager[None]:
        """Keep other processes and threads out that lock the same path."""


class Folder:
    """Files of this machine, for their owner alone."""

    def read(self, path: Path, offset: int = 0, length: int = -1) -> bytes:
        """As the protocol says."""
        with path.open("rb", buffering=0) as file:
            if offset:
                file.seek(offset)
            return file.read(length)

    def write(self, path: Path, data: bytes, offset: int | None = None) -> None:
        """As the protocol says."""
        if offset is None:
            handle = _opened(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        else:
            handle = os.open(path, os.O_WRONLY)
        try:
            left, at = memoryview(data), offset or 0
            while left:
                count = os.pwrite(handle, left, at)
                left, at = left[count:], at + count
        finally:
            os.close(handle)

    def move(self, old: Path, new: Path) -> None:
        """As the protocol says."""
        old.replace(new)

    def sync(self, paths: Iterable[Path]) -> None:
        """As the protocol says."""
        wanted = list(paths)
        if len(wanted) < 3:
            for path in wanted:
                _sync(path)
            return
        with ThreadPoolExecutor(TOGETHER) as pool:
            list(pool.map(_sync, wanted))

    def clear(self, path: Path) -> None:
        """As the protocol says."""
        if path.exists():
            shutil.rmtree(path)

    @contextmanager
    def lock(self, path: Path) -> Iterator[None]:
        """As the protocol says. A lock ends with the process that holds it."""
        if sys.platform == "win32":
            raise AuditError(f"{path}: the log needs file locks of POSIX; run it on Linux or macOS")
        import fcntl  # not on every system

        handle = _opened(path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


FILES = Folder()


def _opened(path: Path, flags: int) -> int:
    """A file that is there, or made with the folders above it."""
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, flags, 0o600)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        (os.fsync if stat.S_ISDIR(os.fstat(handle).st_mode) else SYNC)(handle)
    finally:
        os.close(handle)


def replace(disk: Disk, path: Path, data: bytes) -> None:
    """A whole file in place of another, or the other; durable when this returns."""
    new = path.with_name(f".{path.name}.new")
    disk.write(new, data)
    disk.sync([new])
    disk.move(new, path)
    disk.sync([path.parent])
