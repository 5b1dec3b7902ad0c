"""Where a command's bytes come from and go to: whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from scrubjay import formats, sealing
from scrubjay.errors import InputError, OutputError, RefusedError, UsageError

STDIO = Path("-")


@contextlib.contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, or of standard input for `-`."""
    if path == STDIO:
        yield sys.stdin.buffer
        return
    try:
        stream = path.open("rb")
    except OSError as problem:
        raise InputError(problem.strerror or "cannot be read") from None
    with stream:
        yield stream


class Digested:
    """The SHA-256 of what is read from `stream`: taken beforehand, or on the way of what can be
    read once only."""

    def __init__(self, stream: BinaryIO) -> None:
        self._hash = hashlib.sha256()
        self.stream: BinaryIO = stream
        if not stream.seekable():
            self.stream = _Once(stream, self._hash.update)  # type: ignore[assignment]
            return
        start = stream.tell()
        for block in iter(lambda: stream.read(1 << 20), b""):
            self._hash.update(block)
        stream.seek(start)

    def hexdigest(self) -> str:
        """Once all was read."""
        return self._hash.hexdigest()


class _Once:
    def __init__(self, stream: BinaryIO, told: Callable[[bytes], None]) -> None:
        self._stream = stream
        self._told = told

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._told(data)
        return data

    def readline(self, size: int = -1) -> bytes:
        data = self._stream.readline(size)
        self._told(data)
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Outputs:
    """Files that appear under their names only when all of them are written and on disk. `-` is
    standard output, which likewise gets all or nothing. With `backup`, what a file replaces stays
    under its name and that suffix. With `keys`, all of it is encrypted to them."""

    def __init__(self, backup: str = "", keys: Sequence[Any] = ()) -> None:
        self._backup = backup
        self._keys = keys
        self._ready: list[tuple[Path, Path]] = []  # temporary file, target
        self._beside: set[Path] = set()  # temporary files that are no output of an input

    def __enter__(self) -> Outputs:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if kind is None:
                self._release()
        finally:
            for temporary, _ in self._ready:
                temporary.unlink(missing_ok=True)

    @contextlib.contextmanager
    def log(self, target: Path | None) -> Iterator[BinaryIO | None]:
        """A stream for a side file, or nothing where none is wanted."""
        if target is None:
            yield None
            return
        with self.open(target) as stream:
            self._beside.add(self._ready[-1][0])
            yield stream

    def ready(self) -> Iterator[tuple[Path, Path]]:
        """Each file's name to be, and where its bytes are until then; a side file last."""
        for temporary, target in sorted(self._ready, key=lambda one: one[0] in self._beside):
            yield target, temporary

    @contextlib.contextmanager
    def open(self, target: Path, *, plain: bool = False) -> Iterator[BinaryIO]:
        """A stream that becomes `target`, or what a link of that name leads to. `plain`: there is
        nothing to hide in it."""
        keys = () if plain else self._keys
        if keys and target != STDIO and target.suffix != sealing.SUFFIX:
            target = target.with_name(target.name + sealing.SUFFIX)
        target = target if target == STDIO else target.resolve()
        if any(target == other for _, other in self._ready):
            raise UsageError(f"{target}: two outputs would have this name")
        if self._backup and Path(f"{target}{self._backup}").exists():
            raise UsageError(f"{target}{self._backup} exists: name another --backup suffix")
        folder = None if _stream_like(target) else target.parent
        with _told(target):
            if folder:
                folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".scrubjay-", dir=folder)
        self._ready.append((Path(name), target))
        with os.fdopen(handle, "wb") as stream:
            sink = _Sink(stream, target)
            if keys:
                with contextlib.closing(sealing.Sealed(sink, keys)) as sealed:  # type: ignore[arg-type]
                    yield sealed  # type: ignore[misc]
            else:
                yield sink  # type: ignore[misc]
            with _told(target):
                stream.flush()
                os.fsync(stream.fileno())

    def _release(self) -> None:
        for temporary, target in self._ready:
            if target == STDIO:
                _pour(temporary, sys.stdout.buffer)
                continue
            with _told(target):
                if _stream_like(target):
                    with target.open("wb") as stream:
                        _pour(temporary, stream)
                    continue
                temporary.chmod(_mode(target))
                if self._backup and target.exists():
                    shutil.copy2(target, f"{target}{self._backup}")
                temporary.replace(target)


def _stream_like(target: Path) -> bool:
    """Standard output, a pipe or a device: written into, never replaced."""
    return target == STDIO or (target.exists() and not target.is_file() and not target.is_dir())


def _pour(source: Path, sink: BinaryIO) -> None:
    with source.open("rb") as stream:
        shutil.copyfileobj(stream, sink, 1 << 20)
    sink.flush()


class _Sink:
    """A stream whose errors name the target."""

    def __init__(self, stream: BinaryIO, target: Path) -> None:
        self._stream = stream
        self._target = target

    def write(self, data: bytes) -> int:
        with _told(self._target):
            return self._stream.write(data)


@contextlib.contextmanager
def _told(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise OutputError(f"{target}: {problem.strerror}; nothing was written") from None


def _mode(path: Path) -> int:
    """The mode of the file that is replaced, else what the umask leaves."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def expand(path: Path) -> list[Path]:
    """The file itself, or every file below the folder, in a stable order. Links in a folder are
    refused: they may lead out of it."""
    if path == STDIO:
        raise UsageError("standard input goes alone, not among several inputs")
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(f"{path}: no such file or folder")
    links = [inner for inner in path.rglob("*") if inner.is_symlink()]
    if links:
        raise InputError(f"{links[0]} is a symbolic link: copy what it leads to, or take it out")
    return sorted(inner for inner in path.rglob("*") if inner.is_file())


def format_of(source: Path, asked: str | None, stream: BinaryIO) -> str:
    """The format that was asked for, or what the content says; standard input is text."""
    if asked:
        return formats.named(asked)
    return formats.of(source, stream) if stream.seekable() and source != STDIO else "text.v1"


def size(sources: Iterable[Path]) -> int:
    """Bytes in all, as far as they are known."""
    return sum(source.stat().st_size for source in sources if source.is_file())


@contextlib.contextmanager
def naming(source: Path) -> Iterator[None]:
    """Errors inside say which file they are about."""
    try:
        yield
    except RefusedError as problem:
        raise type(problem)(f"{source}: {problem}") from None
