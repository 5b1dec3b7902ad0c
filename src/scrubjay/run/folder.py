"""The run itself: sources in, outputs under clean names, each logged before it is released.

What is done is done in the order of the sources, whatever process was faster, so that a run that
was killed and goes on gives the names that it would have given.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from msgspec import structs

from scrubjay import formats, sealing
from scrubjay.errors import OutputError, ScrubjayError
from scrubjay.plugins import Splits
from scrubjay.run.pool import Pool
from scrubjay.run.state import State
from scrubjay.run.walk import Source
from scrubjay.run.worker import Done, Look, Recipe, Task, Worker, unnamed

LARGE = 64 << 20  # bytes from which a file is cut, if its format can be
PART = 4 << 20
TOGETHER = 64  # files that are logged and released at once, or
SOON = 1.0  # seconds
SECONDS, RATE = 600.0, 20_000  # a file's time: so many, and one more for so many bytes
ASIDE = ".scrubjay-run"


class Released(NamedTuple):
    """A file that is about to be: its source, its path seen from the output folder."""

    source: Source
    target: str
    aside: Path
    done: Done


class Order(NamedTuple):
    """What a run is to do. `log` hears of what is about to be released, and may refuse; `refused`
    of each source that goes into quarantine, and why; `seen` of the bytes that are through. `dry`:
    write nothing that stays."""

    out: Path
    recipe: Recipe
    jobs: int
    log: Callable[[Sequence[Released]], None] = lambda released: None
    refused: Callable[[Source, str], None] = lambda source, why: None
    seen: Callable[[int], None] = lambda size: None
    dry: bool = False


def run(sources: Iterable[Source], order: Order, state: State) -> int:
    """Do what is not done yet; how many files that were."""
    aside = _aside(order)
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    out: deque[Task] = deque()
    pool = Pool(lambda: Worker(order.recipe), _lost, _patience, size=order.jobs)
    count = 0
    try:
        ready: list[Released] = []
        since = time.monotonic()
        for task, done in _whole(out, pool.map(_tasks(sources, order, state, aside, out)), order):
            ready.append(Released(task.source, "", task.aside, done))
            if len(ready) >= TOGETHER or time.monotonic() - since > SOON:
                count += _release(ready, order, state)
                ready, since = [], time.monotonic()
        return count + _release(ready, order, state)
    finally:
        pool.close()
        shutil.rmtree(aside, ignore_errors=True)


def _aside(order: Order) -> Path:
    """On the disk of the outputs, so that a file becomes one by its name alone."""
    return order.out / ASIDE


def _tasks(
    sources: Iterable[Source], order: Order, state: State, aside: Path, out: deque[Task]
) -> Iterator[Task]:
    """Tasks for what is not done, cut where that helps; each is noted when it goes out."""
    for number, source in enumerate(sources):
        target = state.target(source)
        if target and (order.out / target).exists():
            order.seen(source.size)
            continue
        whole = Task(number, source, aside / str(number))
        for task in _parts(whole, order.recipe) if source.size > LARGE else [whole]:
            out.append(task)
            yield task


def _parts(task: Task, recipe: Recipe) -> Iterator[Task]:
    """A file in parts, or as it is. What is wrong with it is found again by who reads it."""
    ready: Task | None = None
    try:
        for ready, following in pairwise(chain(_cut(task, recipe), [None])):
            if ready:
                yield ready._replace(last=following is None)
    except (ScrubjayError, OSError) as problem:
        if ready is None:
            yield task
        else:
            source = task.source._replace(problem=str(problem))
            yield ready._replace(source=source, last=True)
        return
    if ready is None:
        yield task


def _cut(task: Task, recipe: Recipe) -> Iterator[Task]:
    with task.source.path.open("rb") as source:
        kind = recipe.format_ or formats.of(Path(task.source.name), source)
        reader = formats.make(kind, encoding=recipe.encoding, group=recipe.group)
        if not hasattr(reader, "parts"):
            return
        for number, part in enumerate(cast("Splits", reader).parts(source, PART)):
            aside = task.aside.with_name(f"{task.aside.name}-{number}")
            one = task._replace(kind=kind, aside=aside, part=structs.replace(part, data=b""))
            one.piece.write_bytes(part.data)
            yield one


def _whole(out: deque[Task], answers: Iterator[Done], order: Order) -> Iterator[tuple[Task, Done]]:
    """Each file with its answer; those of parts are put together."""
    together: _Together | None = None
    for done in answers:
        task = out.popleft()
        if done.fatal:
            raise OutputError(done.problem)
        if task.part is None:
            order.seen(task.source.size)
            yield task, done
            continue
        order.seen(PART)
        task.piece.unlink(missing_ok=True)
        together = together or _Together(task, order.recipe)
        together.add(task, done)
        if task.last:
            yield together.ended()
            together = None


class _Together:
    """The parts of one file."""

    def __init__(self, first: Task, recipe: Recipe) -> None:
        name = first.aside.name.partition("-")[0]
        self._task = first._replace(aside=first.aside.with_name(name), part=None)
        self._done = Done("")
        self._stack = contextlib.ExitStack()
        stream = self._stack.enter_context(self._task.aside.open("wb"))
        self._stream: Any = stream
        if keys := sealing.recipients(recipe.recipients):
            self._stream = self._stack.enter_context(
                contextlib.closing(sealing.Sealed(cast("BinaryIO", stream), keys))
            )

    def add(self, task: Task, done: Done) -> None:
        """The next part's bytes and counts."""
        if not (done.problem or self._done.problem):
            with task.aside.open("rb") as part:
                shutil.copyfileobj(part, self._stream, 1 << 20)
        task.aside.unlink(missing_ok=True)
        self._done = _sum(self._done, done)

    def ended(self) -> tuple[Task, Done]:
        """The file, or nothing of it."""
        self._stack.close()
        if self._done.problem:
            self._task.aside.unlink()
            return self._task, self._done
        read, told = (_digest(path) for path in (self._task.source.path, self._task.aside))
        size = self._task.aside.stat().st_size
        _sync(self._task.aside)
        return self._task, structs.replace(self._done, read_sha256=read, sha256=told, written=size)


def _sum(one: Done, other: Done) -> Done:
    look = Look(one.look.words + other.look.words, _added(one.look.found, other.look.found))
    return structs.replace(
        other,
        counts=_added(one.counts, other.counts),
        dropped=_added(one.dropped, other.dropped),
        seconds=one.seconds + other.seconds,
        look=look,
        problem=one.problem or other.problem,
    )


def _added(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in [*one, *(other.keys() - one)]}


def _release(ready: list[Released], order: Order, state: State) -> int:
    """Log, then show. After a crash in between the log knows more than there is, never less."""
    state.begin()
    named = [
        one._replace(target=state.claim(one.source.name, one.done.name) + _suffix(order, one))
        for one in ready
    ]
    whole = [one for one in named if not one.done.problem]
    for one in named:
        if one.done.problem:
            order.refused(one.source, one.done.problem)
    if not order.dry:
        order.log(whole)
        for one in whole:
            _show(one.aside, order.out / one.target)
        for one in named:
            if one.done.problem:  # what an earlier run made of an earlier version
                (order.out / one.target).unlink(missing_ok=True)
    state.note([(one.source, one.target, one.done) for one in named])
    state.commit()
    return len(ready)


def _suffix(order: Order, one: Released) -> str:
    return sealing.SUFFIX if order.recipe.recipients and not one.done.problem else ""


def _show(aside: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside.replace(target)
    except OSError as problem:
        raise OutputError(f"{target}: {problem.strerror}; the run can go on from here") from None


def _lost(task: Task, why: str) -> Done:
    """The answer for a task whose process is gone."""
    task.aside.unlink(missing_ok=True)
    return Done(unnamed(task), problem=why)


def _patience(task: Task) -> float:
    return SECONDS + (PART if task.part else task.source.size) / RATE


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
