"""What there is to do: every file below a folder, in a stable order. Links are not followed: they
may lead out of the folder, or round in it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from scrubjay.errors import InputError


class Source(Struct, frozen=True):
    """A file as it was found, `at` its place. `name` is seen from the folder; `problem`: why it is
    not read."""

    at: str
    name: str
    size: int = 0
    modified: int = 0
    problem: str = ""

    @property
    def path(self) -> Path:
        """Made when it is asked for: there may be a million."""
        return Path(self.at)


class Wanted(NamedTuple):
    """Which of them: shell patterns of names, seen from the folder, or of the last part alone."""

    only: Sequence[str] = ()
    skip: Sequence[str] = ()

    def __call__(self, name: str) -> bool:
        """Whether this one is."""
        return (not self.only or _matches(name, self.only)) and not _matches(name, self.skip)


ALL = Wanted()


def walk(folder: Path, wanted: Wanted = ALL) -> Iterator[Source]:
    """Every file that is wanted. What cannot be read is told as such, too."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    try:
        waiting = [("", _listed(folder))]
    except OSError as problem:
        raise InputError(f"{folder}: {problem.strerror}") from None
    while waiting:
        under, entries = waiting[-1]
        entry = next(entries, None)
        if entry is None:
            waiting.pop()
            continue
        name = under + entry.name
        if entry.is_dir(follow_symlinks=False):
            try:
                waiting.append((f"{name}/", _listed(entry.path)))
            except OSError as problem:
                yield Source(entry.path, name, problem=_why(problem))
        elif wanted(name):
            yield _source(entry, name)


def single(path: Path) -> Source:
    """A file that somebody named: a link to one is one."""
    try:
        facts = path.stat()
    except OSError as problem:
        raise InputError(f"{path}: {_why(problem)}") from None
    return _told(str(path), path.name, facts)


def _listed(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        return iter(sorted(found, key=attrgetter("name")))


def _source(entry: os.DirEntry[str], name: str) -> Source:
    try:
        return _told(entry.path, name, entry.stat(follow_symlinks=False))
    except OSError as problem:
        return Source(entry.path, name, problem=_why(problem))


def _told(at: str, name: str, facts: os.stat_result) -> Source:
    why = ""
    if stat.S_ISLNK(facts.st_mode):
        why = "a symbolic link: copy what it leads to"
    elif not stat.S_ISREG(facts.st_mode):
        why = "no file: a pipe, socket or device"
    return Source(at, name, facts.st_size, facts.st_mtime_ns, why)


def _why(problem: OSError) -> str:
    return problem.strerror or type(problem).__name__


def _matches(name: str, patterns: Sequence[str]) -> bool:
    if not patterns:
        return False
    last = name.rpartition("/")[2]
    return any(fnmatchcase(name, p) or fnmatchcase(last, p) for p in patterns)
