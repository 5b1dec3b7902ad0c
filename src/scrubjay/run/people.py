"""Whom a run's files tell of: a first pass notes where the records of people are, and a reader of
another file gets what the record of the person tells, read again from the input.

Nothing of it is written anywhere. In memory are digests of ids, under a key that ends with the
process, and places: 24 bytes an id.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from struct import Struct

import numpy as np

from scrubjay.errors import InputError, ScrubjayError
from scrubjay.formats import registers, subjects
from scrubjay.formats.subjects import NOBODY, Person
from scrubjay.run.walk import Source

MANY = 4  # records that are read of one person
ROWS = 1 << 20  # that wait to be sorted in
REMEMBERED = 1 << 12  # people
OPEN = 64  # files whose columns are known
CHANGED = "the file with the record of its person changed while it was read: wait until it is whole"
ROW = np.dtype([("id", "<u8"), ("file", "<u4"), ("length", "<u4"), ("offset", "<u8")])
PACKED = Struct("<QIIQ")


class People:
    """`scrubjay.formats.subjects.Find`, of what some files tell."""

    def __init__(self, encoding: str = "utf-8", format_: str = "") -> None:
        self._encoding, self._format = encoding, format_
        self._key = os.urandom(32)
        self._files: list[tuple[Path, str]] = []  # with the format of each
        self._rows = np.empty(0, ROW)
        self._waiting = bytearray()
        self._ids = self._rows["id"]
        self._found = lru_cache(REMEMBERED)(self._find)
        self._register = lru_cache(OPEN)(self._opened)

    def __call__(self, id: str) -> Person:
        """What is known of who has this id; of a stranger, nothing. `InputError` where the record
        is not what it was."""
        return self._found(id) if len(self._ids) else NOBODY

    def add(self, sources: Iterable[Source]) -> People:
        """The first pass. What cannot be read tells nobody here; its own reader says why."""
        for source in sources:
            if not source.problem:
                try:
                    self._add(source)
                except (ScrubjayError, OSError, UnicodeError):
                    continue
        self._sort()
        return self

    def _add(self, source: Source) -> None:
        with source.path.open("rb") as stream:
            kind = self._format or registers.kind(source.name, stream)
            register = registers.register(stream, kind, self._encoding)
            if register is None:
                return
            number = len(self._files)
            for place in register.places(stream):
                if number == len(self._files):
                    self._files.append((source.path, kind))
                for id in place.ids:
                    row = self._digest(id), number, place.length, place.offset
                    self._waiting += PACKED.pack(*row)
                if len(self._waiting) >= ROWS * PACKED.size:
                    self._sort()

    def _sort(self) -> None:
        """In the order of ids and of files; of each id, the first few."""
        rows = np.concatenate([self._rows, np.frombuffer(bytes(self._waiting), ROW)])
        rows = rows[np.argsort(rows["id"], kind="stable")]
        places = np.arange(len(rows))
        first = np.searchsorted(rows["id"], rows["id"])
        self._rows = rows[places - first < MANY]
        self._ids = np.ascontiguousarray(self._rows["id"])
        self._waiting.clear()

    def _digest(self, id: str) -> int:
        told = hashlib.blake2b(id.encode("utf-8", "replace"), key=self._key, digest_size=8)
        return int.from_bytes(told.digest(), "little")

    def _find(self, id: str) -> Person:
        digest = np.uint64(self._digest(id))
        start, end = np.searchsorted(self._ids, digest), np.searchsorted(self._ids, digest, "right")
        found = self._rows[["file", "offset", "length"]][start:end].tolist()
        return subjects.several([self._person(id, *place) for place in found])

    def _person(self, id: str, file: int, offset: int, length: int) -> Person:
        with self._files[file][0].open("rb") as stream:
            stream.seek(offset)
            data = stream.read(length)
        try:
            ids, person = self._register(file).read(data)
        except ValueError:
            raise InputError(CHANGED) from None
        if id not in ids:
            raise InputError(CHANGED)
        return person

    def _opened(self, file: int) -> registers.Register:
        path, kind = self._files[file]
        with path.open("rb") as stream:
            register = registers.register(stream, kind, self._encoding)
        if register is None:
            raise InputError(CHANGED)
        return register
