"""Whom a run's files tell of: a first pass notes where the records of people are, and a reader of
another file gets what the record of the person tells, read again from the input.

Nothing of it is written anywhere. In memory are digests of ids, under a key that ends with the
process, and places: 32 bytes an id. A record that says no more than one before it is not noted.
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

MANY = 16  # records that are read of one person, all different
ROWS = 1 << 20  # that wait to be sorted in
LARGEST = 1 << 30  # bytes of a file that is looked at: a larger one is a log of events
MOST = 3_000_000  # ids: what comes later tells nobody, so that memory stays flat
REMEMBERED = 1 << 12  # people
OPEN = 64  # files whose columns are known
CHANGED = "the file with the record of its person changed while it was read: wait until it is whole"
ROW = np.dtype(
    [("id", "<u8"), ("said", "<u8"), ("file", "<u4"), ("length", "<u4"), ("offset", "<u8")]
)
PACKED = Struct("<QQIIQ")


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

    def __call__(self, id: str, folder: Path | None = None) -> Person:
        """What is known of who has this id; of a stranger, nothing. Systems number their patients
        alike, `1`, `2`: a record in the `folder` that asks says who is meant. `InputError` where
        the record is not what it was."""
        return self._found(id, folder) if len(self._ids) else NOBODY

    def add(self, sources: Iterable[Source]) -> People:
        """The first pass. What cannot be read tells nobody here; its own reader says why."""
        for source in sources:
            if not source.problem and source.size <= LARGEST and len(self._rows) < MOST:
                try:
                    self._add(source)
                except (ScrubjayError, OSError, UnicodeError):
                    continue
        self._sort()
        return self

    def _add(self, source: Source) -> None:
        if not (self._format or registers.possible(source.name)):
            return  # most need not be opened
        with source.path.open("rb") as stream:
            kind = self._format or registers.kind(source.name, stream)
            register = registers.register(stream, kind, self._encoding)
            if register is None:
                return
            number = len(self._files)
            for place in register.places(stream):
                if number == len(self._files):
                    self._files.append((source.path, kind))
                said = repr((place.person.group, place.person.content))
                for id in place.ids:
                    row = self._digest(id), self._digest(id + said), number, place.length
                    self._waiting += PACKED.pack(*row, place.offset)
                if len(self._waiting) >= ROWS * PACKED.size:
                    self._sort()
                    if len(self._rows) >= MOST:
                        return

    def _sort(self) -> None:
        """In the order of ids and of files; of each id, the first few that differ."""
        rows = np.concatenate([self._rows, np.frombuffer(bytes(self._waiting), ROW)])
        _, first = np.unique(rows["said"], return_index=True)
        rows = rows[np.sort(first)]
        rows = rows[np.argsort(rows["id"], kind="stable")]
        places = np.arange(len(rows))
        first = np.searchsorted(rows["id"], rows["id"])
        self._rows = rows[places - first < MANY]
        self._ids = np.ascontiguousarray(self._rows["id"])
        self._waiting.clear()

    def _digest(self, id: str) -> int:
        told = hashlib.blake2b(id.encode("utf-8", "replace"), key=self._key, digest_size=8)
        return int.from_bytes(told.digest(), "little")

    def _find(self, id: str, folder: Path | None) -> Person:
        digest = np.uint64(self._digest(id))
        start, end = np.searchsorted(self._ids, digest), np.searchsorted(self._ids, digest, "right")
        places = self._rows[["file", "length", "offset"]][start:end].tolist()
        people = [(self._files[place[0]][0].parent, self._person(id, *place)) for place in places]
        own = subjects.number(id)
        people.sort(key=lambda one: one[0] != folder or one[1].group == own)
        return subjects.several([person for _, person in people])

    def _person(self, id: str, file: int, length: int, offset: int) -> Person:
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
