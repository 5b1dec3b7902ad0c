"""Records of people on a disk while a run lasts: in a file without a name, under a key that is in
memory alone. When the process ends, however it does, nothing is left that anybody could read.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from functools import cached_property
from typing import IO, Any

import msgspec

from scrubjay.errors import OutputError
from scrubjay.formats.subjects import Person

NONCE = 12  # bytes; the place of a record is one: no place is written twice
_RECORD = msgspec.msgpack.Decoder(tuple[frozenset[str], str, dict[str, tuple[str, ...]]])


class Sealed:
    """One process adds; those that it forks read at the same time."""

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._size = 0

    @cached_property
    def _cipher(self) -> Any:
        from cryptography.hazmat.primitives.ciphers import aead  # few runs have such records

        return aead.ChaCha20Poly1305(self._key)

    @cached_property
    def _file(self) -> IO[bytes]:
        with _told():
            return tempfile.TemporaryFile()  # gone when nobody holds it

    def add(self, ids: frozenset[str], person: Person) -> tuple[int, int]:
        """Where the record is, once all are flushed, and how long."""
        plain = msgspec.msgpack.encode((ids, person.group, person.known))
        data = self._cipher.encrypt(_nonce(self._size), plain, None)
        with _told():
            self._file.write(data)
        self._size += len(data)
        return self._size - len(data), len(data)

    def flush(self) -> None:
        """Before anybody reads."""
        if self._size:
            with _told():
                self._file.flush()

    def read(self, offset: int, length: int) -> tuple[frozenset[str], Person]:
        """A record: its ids, and what it tells. `ValueError` if it is none."""
        from cryptography.exceptions import InvalidTag

        data = os.pread(self._file.fileno(), length, offset)
        try:
            ids, group, known = _RECORD.decode(self._cipher.decrypt(_nonce(offset), data, None))
        except InvalidTag:
            raise ValueError("no record") from None
        return ids, Person(group, known)


def _nonce(offset: int) -> bytes:
    return offset.to_bytes(NONCE, "little")


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Without room for it, whom files tell of would not be known: the run ends."""
    try:
        yield
    except OSError as problem:
        where = tempfile.gettempdir()
        raise OutputError(f"{where}: {problem.strerror}; make room, or set TMPDIR") from None
