"""Whom a run's files tell of: a first pass notes where the records of people are, and a reader of
another file gets what the record of the person tells, read again from the input.

Nothing of it is left anywhere. In memory are digests of ids, under a key that ends with the
process, and places: 32 bytes an id. A record that lies at no place of its own, in a workbook or an
archive, waits sealed under such a key in a file without a name. One that says no more than another
before it is not noted.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path, PurePath
from struct import Struct
from typing import NamedTuple

import numpy as np

from scrubjay.errors import InputError
from scrubjay.formats import registers, subjects
from scrubjay.formats.subjects import Find, Person
from scrubjay.formats.work import Limits, Work
from scrubjay.report import unchanged
from scrubjay.run import apart
from scrubjay.run.apart import Told
from scrubjay.run.sealed import Sealed
from scrubjay.run.walk import Source

MANY = 16  # records that are read of one person, all different, and noted in one file
ROWS = 1 << 20  # that wait to be sorted in
LARGEST = 1 << 30  # bytes of a file that is looked at, unpacked: a larger one is a log of events
MOST = 3_000_000  # ids: what comes later tells nobody, so that memory stays flat
REMEMBERED = 1 << 12  # people
OPEN = 64  # files whose columns are known
CHANGED = "the file with the record of its person changed while it was read: wait until it is whole"
ROW = np.dtype(
    [("id", "<u8"), ("said", "<u8"), ("file", "<u4"), ("length", "<u4"), ("offset", "<u8")]
)
PACKED = Struct("<QQIIQ")


class _File(NamedTuple):
    """Some with records. `folder`: where they lie, archives being folders; `sealed`: whether they
    are copies, and the file's size and time then."""

    at: str
    kind: str
    folder: str
    sealed: tuple[int, int] | None = None

    def __repr__(self) -> str:
        return f"_File({self.kind})"


class People:
    """`near` is `scrubjay.formats.subjects.Near`, of what some files tell."""

    def __init__(self, encoding: str = "utf-8", format_: str = "") -> None:
        self._encoding, self._format = encoding, format_
        self._key = os.urandom(32)
        self._sealed = Sealed()
        self._files: list[_File] = []
        self._lies = "", "", False  # where the last one does, and whether its records are sealed
        self._rows = np.empty(0, ROW)
        self._waiting = bytearray()
        self._last: set[int] = set()  # of what was said: visits of one person stand together
        self._ids = self._rows["id"]
        self._found = lru_cache(REMEMBERED)(self._find)
        self._register = lru_cache(OPEN)(self._opened)

    def near(self, folder: PurePath) -> Find:
        """What is known of who has an id; of a stranger, nothing. Systems number their patients
        alike, `1`, `2`: the nearest record, seen from the folder that asks, says who is meant.
        `InputError` where a record is not what it was."""
        return partial(self._found, folder) if len(self._ids) else subjects.nobody

    def add(self, sources: Iterable[Source]) -> People:
        """The first pass. What cannot be read tells nobody here; its own reader says why."""
        possible = filter(self._possible, sources)  # others are not opened
        for source, told in apart.records(possible, self._read):
            self._note(source, told)
            if len(self._rows) >= MOST:
                break
        self._sort()
        self._sealed.flush()
        return self

    def _possible(self, source: Source) -> bool:
        named = bool(self._format) or registers.possible(source.name)
        return named and not source.problem and source.size <= LARGEST

    def _read(self, source: Source) -> Iterator[Told]:
        work = Work(lambda some: map(unchanged, some), self._encoding, limits=Limits(bytes=LARGEST))
        with source.path.open("rb") as stream:
            kind = self._format or registers.kind(source.name, stream)
            for place in registers.places(source.path, stream, kind, work):
                ids, person, offset, length, folder = place
                yield Told(kind, str(folder), ids, person.group, person.known, offset, length)

    def _note(self, source: Source, told: Told) -> None:
        said = repr((told.group, sorted(told.known.items())))
        digests = {id: self._digest(id + said) for id in told.ids}
        fresh = [pair for pair in digests.items() if pair[1] not in self._last]
        if not fresh:
            return
        file, offset, length = self._file(source, told), told.offset, told.length
        if offset < 0:
            offset, length = self._sealed.add(told.ids, Person(told.group, told.known))
        for id, digest in fresh:
            row = self._digest(id), digest, file, length, offset
            self._waiting += PACKED.pack(*row)
            self._last.add(digest)
        if len(self._last) >= REMEMBERED:
            self._last.clear()
        if len(self._waiting) >= ROWS * PACKED.size:
            self._sort()

    def _file(self, source: Source, told: Told) -> int:
        """The number of the file that tells: the last one, or another."""
        lies = source.at, told.folder, told.offset < 0
        if lies != self._lies:
            self._lies = lies
            sealed = (source.size, source.modified) if told.offset < 0 else None
            self._files.append(_File(source.at, told.kind, told.folder, sealed))
        return len(self._files) - 1

    def _sort(self) -> None:
        """In the order of ids and of files; of each id, the first few of a file that differ."""
        rows = np.concatenate([self._rows, np.frombuffer(bytes(self._waiting), ROW)])
        _, first = np.unique(rows["said"], return_index=True)
        rows = rows[np.sort(first)]
        rows = rows[np.argsort(rows["id"], kind="stable")]
        places = np.arange(len(rows))
        others = (np.diff(rows["id"]) != 0) | (np.diff(rows["file"]) != 0)
        first = np.maximum.accumulate(np.where(np.append(True, others), places, 0)[: len(rows)])
        self._rows = rows[places - first < MANY]
        self._ids = np.ascontiguousarray(self._rows["id"])
        self._waiting.clear()

    def _digest(self, id: str) -> int:
        told = hashlib.blake2b(id.encode("utf-8", "replace"), key=self._key, digest_size=8)
        return int.from_bytes(told.digest(), "little")

    def _find(self, folder: PurePath, id: str) -> Person:
        digest = np.uint64(self._digest(id))
        start, end = np.searchsorted(self._ids, digest), np.searchsorted(self._ids, digest, "right")
        places = self._rows[["file", "length", "offset"]][start:end].tolist()
        ranked = [(_far(folder, PurePath(self._files[place[0]].folder)), place) for place in places]
        ranked.sort(key=lambda one: one[0])
        people = [(far, self._person(id, *place)) for far, place in ranked[:MANY]]
        known = subjects.known(person for _, person in people)
        return Person(_meant(subjects.number(id), people), known)

    def _person(self, id: str, file: int, length: int, offset: int) -> Person:
        at, _, _, sealed = self._files[file]
        try:
            if sealed is None:
                with Path(at).open("rb") as stream:
                    stream.seek(offset)
                    ids, person = self._register(file).read(stream.read(length))
            else:
                facts = Path(at).stat()
                if (facts.st_size, facts.st_mtime_ns) != sealed:
                    raise InputError(CHANGED)
                ids, person = self._sealed.read(offset, length)
        except ValueError:
            raise InputError(CHANGED) from None
        if id not in ids:
            raise InputError(CHANGED)
        return person

    def _opened(self, file: int) -> registers.Register:
        at, kind, _, _ = self._files[file]
        with Path(at).open("rb") as stream:
            register = registers.register(stream, kind, self._encoding)
        if register is None:
            raise InputError(CHANGED)
        return register


def _far(asker: PurePath, record: PurePath) -> tuple[int, int]:
    """Folders up from who asks, and down from there: its own folder, one around it, one beside."""
    shared = 0
    for one, other in zip(asker.parts, record.parts, strict=False):
        if one != other:
            break
        shared += 1
    return len(asker.parts) - shared, len(record.parts) - shared


def _meant(own: str, people: list[tuple[tuple[int, int], Person]]) -> str:
    """The best number, by the nearest records that have a better one than who asks; if those
    disagree, nobody is meant."""
    for _, near in groupby(people, key=lambda one: one[0]):
        better = {person.group for _, person in near} - {own, ""}
        if better:
            return better.pop() if len(better) == 1 else ""
    return own if any(person.group for _, person in people) else ""
