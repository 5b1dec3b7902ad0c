"""What a format is given to do its work with: clean texts, files within the file, limits, and a
place to say what was left out.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath
from typing import Any, BinaryIO

from msgspec import Struct, field, structs

from scrubjay import formats
from scrubjay.errors import ExtraError, InputError, RefusedError
from scrubjay.formats import filenames
from scrubjay.formats.subjects import Find, Near, Person, alone
from scrubjay.keys import Key
from scrubjay.types import Anonymized, Document

Clean = Callable[[Iterable[Document]], Iterator[Anonymized]]
SPOOL = 1 << 26  # bytes of a stream that are held in memory, for formats that must seek


class Limits(Struct, frozen=True):
    """What one file may ask for, all that is in it included. More is an `InputError`."""

    depth: int = 8  # files within files
    members: int = 100_000
    bytes: int = 1 << 34  # unpacked
    ratio: int = 250  # unpacked to packed, once over a MiB
    pixels: int = 300_000_000  # of one image
    text: int = 1 << 28  # bytes of one text


class Part(Struct, frozen=True):
    """A run of whole records of a file, and what its format must know of what is before them:
    anything that pickles. It shows nothing of either."""

    data: bytes
    before: Any = None

    def __repr__(self) -> str:
        return f"Part(<{len(self.data)} bytes>)"


def _unknown(label: str) -> str:
    """The operator for a label, where nobody says."""
    return ""


class Work(Struct):
    """One file's. `clean` is the engine's `stream`, or whatever looks at texts; it draws documents
    when it needs them and answers in order. `dropped` counts what was left out, by its kind.
    `called` is the file's name, as far as it is known, and `folder` where it lies, archives being
    folders; `near` tells what other files know of a person, the nearest first. `rule` names the
    operator that the policy has for a label, where it is known: the engine's `operator`. Codes that
    stand for ids follow from `key`, the engine's, so that files of a run still refer to each
    other."""

    clean: Clean
    encoding: str = "utf-8"
    group: str = ""
    limits: Limits = Limits()
    depth: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    called: str = ""
    folder: PurePath = PurePath()
    near: Near = alone
    spent: Counter[str] = field(default_factory=Counter)
    rule: Callable[[str], str] = field(default=_unknown)
    key: Key = field(default_factory=Key.random)

    @property
    def people(self) -> Find:
        """What other files know of a person, by an id."""
        return self.near(self.folder)

    def dropped(self, what: str, count: int = 1) -> None:
        """Say that something is not in the output: "EXIF", "thumbnail". Never words of the file."""
        if count:
            self.left_out[what] += count

    def spend(self, what: str, count: int = 1) -> None:
        """Count towards a limit, `members` or `bytes`, that all files within files share."""
        self.spent[what] += count
        if self.spent[what] > getattr(self.limits, what):
            raise InputError(f"more than {getattr(self.limits, what):,} {what} in one file")

    def whole(self, source: BinaryIO, what: str = "document", most: int = sys.maxsize) -> bytes:
        """All of a source, if it is no longer than one text may be, nor than `most`."""
        most = min(most, self.limits.text)
        data = source.read(most + 1)
        if len(data) > most:
            raise InputError(f"more than {most >> 20} MiB in one {what}: split it")
        return data

    def text(self, source: BinaryIO, encoding: str) -> str:
        """A file that is one text."""
        return formats.decode(self.whole(source), encoding)

    def of(self, person: Person) -> Work:
        """For files within a record: their texts are this person's, too."""

        def clean(documents: Iterable[Document]) -> Iterator[Anonymized]:
            return self.clean(person.owned(document) for document in documents)

        return structs.replace(self, clean=clean) if person.group or person.known else self

    def name(self, name: str) -> str:
        """A file name without what identifies; names are data too."""
        return filenames.clean(name, self.clean)

    def file(self, name: str, source: BinaryIO, target: BinaryIO) -> None:
        """A file within this one, with its folders' names if it has any, through whatever reads it.
        One that nothing reads is an error: the format that holds it drops it and says so, or
        fails."""
        if self.depth >= self.limits.depth:
            raise InputError(f"files within files, {self.limits.depth} deep: unpack some first")
        source = seekable(source)
        path = PurePath(name)
        kind = formats.of(path, source)
        folder = self.folder / self.called / path.parent
        inner = structs.replace(self, depth=self.depth + 1, called=path.name, folder=folder)
        try:
            form = formats.make(kind, encoding=self.encoding, group=self.group)
            form.convert(source, target, inner)
        except ExtraError as problem:
            raise InputError(f"a file in it: {problem}") from None
        except RefusedError as problem:
            raise type(problem)(f"in a {kind.partition('.')[0]} file in it: {problem}") from None

    def cleaned(self, name: str, data: bytes) -> bytes:
        """As `file`, of one that is at hand."""
        target = io.BytesIO()
        self.file(name, io.BytesIO(data), target)
        return target.getvalue()


def seekable(source: BinaryIO) -> BinaryIO:
    """The stream itself, or a copy of it that can be read from anywhere and has no name."""
    if source.seekable():
        return source
    copy = tempfile.SpooledTemporaryFile(SPOOL)  # noqa: SIM115 - gone when nobody holds it
    while block := source.read(1 << 20):
        copy.write(block)
    copy.seek(0)
    return copy  # type: ignore[return-value]
