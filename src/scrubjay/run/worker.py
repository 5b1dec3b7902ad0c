"""What one process does with one file after the other: read it, clean it, write it aside. A file
that cannot be read is an answer, too, and leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

from msgspec import Struct, structs

from scrubjay import formats, processes, sealing
from scrubjay.engine import Engine
from scrubjay.errors import InputError, OutputError, ScrubjayError
from scrubjay.formats import filenames
from scrubjay.formats.subjects import Near, alone
from scrubjay.formats.work import Part, Work
from scrubjay.run.walk import Source
from scrubjay.types import Anonymized, Document

if TYPE_CHECKING:
    from scrubjay.plugins import Splits

MEMORY = 2 << 30  # bytes that a reader may use
BLOCK = 1 << 18  # bytes that are digested at once
LOOKED_AT = 20_000  # words that a run takes a second look at, as many in each process
CHANGED = "it changed while it was read: wait until it is complete"


class Recipe(NamedTuple):
    """What is the same for all files. `engine` is called in the process that uses it; `second` is
    the engine of the second look; `people` finds those of other files."""

    engine: Callable[[], Engine]
    second: Callable[[], Engine] | None = None
    encoding: str = "utf-8"
    group: str = ""
    format_: str = ""
    recipients: Sequence[str] = ()
    people: Near = alone


class Task(Struct, frozen=True):
    """A file, or a `part` of one of this `kind`, of so many bytes, and where they go until they are
    released; `look`: whether it gets a second look.
    What a pipe would choke on waits in a file: the part's data. They are as they were read, and
    lie where the run's state does, never beside the outputs."""

    source: Source
    aside: str
    size: int
    kind: str = ""
    part: Part | None = None
    last: bool = True
    look: bool = False

    @property
    def piece(self) -> Path:
        """Where a part's data wait."""
        return Path(f"{self.aside}.part")

    def forget(self) -> None:
        """What is aside, if there is anything."""
        Path(self.aside).unlink(missing_ok=True)


class Look(Struct, frozen=True):
    """What a second look found in what is released: words that it read, and places by label."""

    words: int = 0
    found: dict[str, int] = {}


class Done(Struct, frozen=True):
    """What became of a file: `problem` says why it was not read. No text of it. Without a `name`,
    it is not known what would be a clean one."""

    name: str = ""
    kind: str = ""
    counts: dict[str, int] = {}
    dropped: dict[str, int] = {}
    written: int = 0
    seconds: float = 0.0
    read_sha256: str = ""
    sha256: str = ""
    look: Look = Look()
    problem: str = ""


class Worker:
    """Answers tasks. `look`: words that it takes a second look at."""

    def __init__(self, recipe: Recipe, *, look: int = LOOKED_AT) -> None:
        processes.bound(MEMORY)
        self._recipe = recipe
        self._engine = recipe.engine()
        self._second: Engine | None = None
        self._keys = sealing.recipients(recipe.recipients)
        self._unlooked = look
        self._component = lru_cache(10_000)(lambda part: filenames.clean(part, self._engine.stream))

    def __call__(self, task: Task) -> Done:
        """What is wrong with a file is told in the answer. What is wrong with the outputs' disk is
        not the file's fault, and is raised."""
        started = time.perf_counter()
        name = ""
        try:
            name = self._name(task.source.name)
            return self._done(task, name, started)
        except OutputError:
            task.forget()
            raise
        except ScrubjayError as problem:
            why = str(problem)
        except OSError as problem:
            why = problem.strerror or type(problem).__name__
        except MemoryError:
            why = f"its reader needs more than {MEMORY >> 20} MiB"
        except Exception as problem:  # noqa: BLE001 - the border to foreign code
            why = f"its reader failed: {type(problem).__name__}"
        task.forget()
        return Done(name, problem=why, seconds=time.perf_counter() - started)

    def _name(self, name: str) -> str:
        """Every part of it clean; bytes that are no text are question marks."""
        shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return "/".join(map(self._component, shown.split("/")))

    def _done(self, task: Task, name: str, started: float) -> Done:
        if task.source.problem:
            return Done(name, problem=task.source.problem)
        counts: Counter[str] = Counter()
        seen: list[Anonymized] = []
        left = self._unlooked if task.look and self._recipe.second else 0

        def clean(documents: Iterable[Document]) -> Iterator[Anonymized]:
            nonlocal left
            for result in self._engine.stream(documents):
                counts.update(result.report.counts)
                if left > 0:
                    seen.append(result)
                    left -= len(result.text.split())
                yield result

        recipe = self._recipe
        work = Work(
            clean, recipe.encoding, recipe.group, called=task.source.name.rpartition("/")[2],
            folder=task.source.path.parent, near=recipe.people,
            rule=self._engine.operator, key=self._engine.key,
        )  # fmt: skip
        kind, read, sink = self._converted(task, work)
        return Done(
            name, kind, dict(counts), dict(work.left_out), sink.size,
            time.perf_counter() - started, read, sink.digest.hexdigest(), self._look(seen),
        )  # fmt: skip

    def _converted(self, task: Task, work: Work) -> tuple[str, str, _Hashed]:
        """The file's kind, a digest of what was read of it, and what was written."""
        recipe = self._recipe
        with task.source.path.open("rb") as source, _opened(task.aside) as stream:
            before = _facts(source)
            kind = task.kind or recipe.format_ or formats.of(_path(task), source)
            sink = _Hashed(stream)
            reader = formats.make(kind, encoding=recipe.encoding, group=recipe.group)
            if task.part:
                part = structs.replace(task.part, data=task.piece.read_bytes())
                cast("Splits", reader).convert_part(part, cast("BinaryIO", sink), work)
                return kind, "", sink
            with self._sealed(sink) as target:
                reader.convert(source, target, work)
            read = _digest(source)
            if read and _facts(source) != before:
                raise InputError(CHANGED)
            return kind, read, sink

    @contextlib.contextmanager
    def _sealed(self, sink: Any) -> Iterator[BinaryIO]:
        """Encrypted if that was asked for; parts are when they are put together."""
        if not self._keys:
            yield sink
            return
        with contextlib.closing(sealing.Sealed(sink, self._keys)) as sealed:
            yield sealed  # type: ignore[misc]

    def _look(self, results: list[Anonymized]) -> Look:
        """What another engine finds in the output, beside what was put there."""
        if not results or not self._recipe.second:
            return Look()
        self._second = self._second or self._recipe.second()
        found: Counter[str] = Counter()
        for result, places in zip(
            results, self._second.find(result.text for result in results), strict=True
        ):
            ours = [(one.new_start, one.new_end) for one in result.report.replacements]
            found.update(
                place.label
                for place in places
                if not self._second.keeps(place.label)
                and not any(place.start < end and start < place.end for start, end in ours)
            )
        words = sum(len(result.text.split()) for result in results)
        self._unlooked -= words
        return Look(words, dict(found))


class _Hashed:
    """A stream that knows what was written to it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        with _told():
            return self._stream.write(data)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise OutputError(f"the output: {problem.strerror}; the run can go on from here") from None


@contextlib.contextmanager
def _opened(aside: str) -> Iterator[BinaryIO]:
    with _told():
        stream = open(aside, "wb")  # noqa: PTH123, SIM115 - for each of a million
    try:
        yield stream
    finally:
        with _told():  # closing writes, too
            stream.close()


def _facts(source: BinaryIO) -> tuple[int, int]:
    """What tells that a file is another by now."""
    if source.closed:
        return 0, 0
    facts = os.fstat(source.fileno())
    return facts.st_size, facts.st_mtime_ns


def _path(task: Task) -> PurePosixPath:
    return PurePosixPath(task.source.name)


def _digest(source: BinaryIO) -> str:
    """Of all of it, wherever its reader stopped."""
    if source.closed:
        return ""
    source.seek(0)
    digest = hashlib.sha256()
    while block := source.read(BLOCK):  # `file_digest` makes its buffer anew for each small file
        digest.update(block)
    return digest.hexdigest()
