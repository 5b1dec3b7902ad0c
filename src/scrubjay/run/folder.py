"""The run itself: sources in, outputs under clean names, each logged before it is released.

What is done is done in the order of the sources, whatever process was faster, so that a run that
was killed and goes on gives the names that it would have given.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from msgspec import structs

from scrubjay import formats, home, sealing
from scrubjay.errors import OutputError, ScrubjayError
from scrubjay.formats.subjects import Near, alone
from scrubjay.plugins import Splits
from scrubjay.run.pool import Pool
from scrubjay.run.state import State
from scrubjay.run.walk import Source
from scrubjay.run.worker import CHANGED, LOOKED_AT, Done, Look, Recipe, Task, Worker

LARGE = 1 << 20  # bytes from which a file is cut, if its format can be
PART = 1 << 18  # bytes: at the end, no process waits longer than one takes
OPENING = 1 << 10  # bytes that take as long as to open and close a file
TOGETHER = 256  # files that are logged and released at once, or
SOON = 1.0  # seconds
EVERY = 200  # files, one of which gets a second look
SECONDS, RATE = 600.0, 20_000  # a file's time: so many, and one more for so many bytes
ASIDE = ".scrubjay-run"


class Released(NamedTuple):
    """A file that is about to be: its source, its path seen from the output folder."""

    source: Source
    target: str
    aside: str
    done: Done


class Order(NamedTuple):
    """What a run is to do. `log` hears of what is about to be released, and may refuse; `refused`
    of each source that goes into quarantine, and why; `seen` of the bytes that are through,
    `before` of those that earlier runs did. `dry`: write nothing that stays. `people` makes the
    first pass, if there is anything to do."""

    out: Path
    recipe: Recipe
    jobs: int
    log: Callable[[Sequence[Released]], None] = lambda released: None
    refused: Callable[[Source, str], None] = lambda source, why: None
    seen: Callable[[int], None] = lambda size: None
    before: Callable[[int], None] = lambda size: None
    dry: bool = False
    people: Callable[[], Near] = lambda: alone


def run(sources: Iterable[Source], order: Order, state: State) -> int:
    """Do what is not done yet; how many files that were."""
    count = 0
    with _asides(order, state) as asides:
        out: deque[Task] = deque()
        tasks = _tasks(sources, order, state, asides, out)
        first = next(tasks, None)
        if first is None:
            return 0
        known = order._replace(recipe=order.recipe._replace(people=order.people()))
        pool = Pool(lambda: _worker(known), _lost, _patience, size=order.jobs, weight=_weight)
        try:
            ready: list[tuple[Task, Done]] = []
            since = time.monotonic()
            answers = pool.map(chain([first], tasks))
            for answered in _whole(out, answers, order):
                ready.append(answered)
                if len(ready) >= TOGETHER or time.monotonic() - since > SOON:
                    count += _release(ready, order, state)
                    ready, since = [], time.monotonic()
            return count + _release(ready, order, state)
        finally:
            pool.close()


def _worker(order: Order) -> Worker:
    if order.jobs > 1:
        os.environ["OMP_NUM_THREADS"] = "1"  # there is a process for each core
    return Worker(order.recipe, look=LOOKED_AT // order.jobs)


@contextlib.contextmanager
def _asides(order: Order, state: State) -> Iterator[tuple[Path, Path]]:
    """Where outputs wait: on their disk, so that a file becomes one by its name alone. And where
    parts of files do, which are not clean yet, or not encrypted: nobody gets that folder."""
    both = order.out / ASIDE, state.folder / "parts"
    try:
        for path in both:
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir(mode=0o700, parents=True)
        yield both
    finally:
        for path in both:
            shutil.rmtree(path, ignore_errors=True)


def _tasks(
    sources: Iterable[Source], order: Order, state: State, asides: tuple[Path, Path],
    out: deque[Task],
) -> Iterator[Task]:  # fmt: skip
    """Tasks for what is not done, cut where that helps; each is noted when it goes out."""
    aside, parts = asides
    drawn = _drawn(sources, random.Random(state.seed))  # noqa: S311 - a sample, no secret
    for number, (source, look) in enumerate(drawn):
        target = state.target(source)
        if target and (order.out / target).exists():
            order.before(source.size)
            continue
        whole = Task(source, f"{aside}/{number}", source.size, look=look)
        large = source.size > LARGE and not source.problem
        for task in _parts(whole, order.recipe, parts) if large else [whole]:
            out.append(task)
            yield task


def _drawn(sources: Iterable[Source], dice: random.Random) -> Iterator[tuple[Source, bool]]:
    """Each source, and whether it gets a second look: one of every so many, and one of the rest."""
    left = iter(sources)
    while block := list(islice(left, EVERY)):
        drawn = dice.randrange(len(block))
        yield from ((source, number == drawn) for number, source in enumerate(block))


def _parts(task: Task, recipe: Recipe, parts: Path) -> Iterator[Task]:
    """A file in parts, or as it is. What is wrong with it is found again by who reads it."""
    ready: Task | None = None
    try:
        for ready, following in pairwise(chain(_cut(task, recipe, parts), [None])):
            if ready:
                yield structs.replace(ready, last=following is None)
    except OutputError:
        raise
    except (ScrubjayError, OSError) as problem:
        if ready is None:
            yield task
        else:
            why = problem.strerror if isinstance(problem, OSError) else str(problem)
            source = structs.replace(task.source, problem=why or type(problem).__name__)
            yield structs.replace(ready, source=source, last=True)
        return
    if ready is None:
        yield task


def _cut(task: Task, recipe: Recipe, parts: Path) -> Iterator[Task]:
    with task.source.path.open("rb") as source:
        kind = recipe.format_ or formats.of(Path(task.source.name), source)
        reader = formats.make(kind, encoding=recipe.encoding, group=recipe.group)
        if not hasattr(reader, "parts"):
            return
        for number, part in enumerate(cast("Splits", reader).parts(source, PART)):
            aside = f"{parts}/{Path(task.aside).name}-{number}"
            bare = structs.replace(part, data=b"")
            size = len(part.data)
            one = structs.replace(task, kind=kind, aside=aside, part=bare, size=size)
            with _written(one.piece):
                one.piece.write_bytes(part.data)
            yield one


def _whole(out: deque[Task], answers: Iterator[Done], order: Order) -> Iterator[tuple[Task, Done]]:
    """Each file with its answer; those of parts are put together."""
    together: _Together | None = None
    for done in answers:
        task = out.popleft()
        order.seen(task.size)
        if task.part is None:
            yield task, done
            continue
        task.piece.unlink(missing_ok=True)
        together = together or _Together(task, order)
        together.add(task, done)
        if task.last:
            yield together.ended()
            together = None


class _Together:
    """The parts of one file."""

    def __init__(self, first: Task, order: Order) -> None:
        aside = order.out / ASIDE / Path(first.aside).name.partition("-")[0]
        self._task = structs.replace(first, aside=str(aside), part=None)
        self._done = Done()
        self._stack = contextlib.ExitStack()
        with _written(aside):
            self._stream: Any = self._stack.enter_context(aside.open("wb"))
        if keys := sealing.recipients(order.recipe.recipients):
            sealed = sealing.Sealed(cast("BinaryIO", self._stream), keys)
            self._stream = self._stack.enter_context(contextlib.closing(sealed))

    def add(self, task: Task, done: Done) -> None:
        """The next part's bytes and counts."""
        if not (done.problem or self._done.problem):
            with _written(self._task.aside), Path(task.aside).open("rb") as part:
                shutil.copyfileobj(part, self._stream, 1 << 20)
        task.forget()
        self._done = _sum(self._done, done)

    def ended(self) -> tuple[Task, Done]:
        """The file, or nothing of it."""
        task = self._task
        with _written(task.aside):
            self._stack.close()
        done = self._done if self._done.problem else self._facts()
        if done.problem:
            task.forget()
        return task, done

    def _facts(self) -> Done:
        source, aside = self._task.source, Path(self._task.aside)
        try:
            facts, read = source.path.stat(), _digest(source.path)
        except OSError:
            return structs.replace(self._done, problem=CHANGED)
        if (facts.st_size, facts.st_mtime_ns) != (source.size, source.modified):
            return structs.replace(self._done, problem=CHANGED)
        with _written(aside):
            size, told = aside.stat().st_size, _digest(aside)
        return structs.replace(self._done, read_sha256=read, sha256=told, written=size)


def _sum(one: Done, other: Done) -> Done:
    look = Look(one.look.words + other.look.words, _added(one.look.found, other.look.found))
    return structs.replace(
        other,
        name=other.name or one.name,
        counts=_added(one.counts, other.counts),
        dropped=_added(one.dropped, other.dropped),
        seconds=one.seconds + other.seconds,
        look=look,
        problem=one.problem or other.problem,
    )


def _added(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in [*one, *(other.keys() - one)]}


def _release(ready: list[tuple[Task, Done]], order: Order, state: State) -> int:
    """Log, then show. After a crash in between the log knows more than there is, never less; who
    had claimed a name has it still."""
    with state.whole():
        named = [
            Released(task.source, _target(task, done, order, state), task.aside, done)
            for task, done in ready
        ]
    whole = [one for one in named if not one.done.problem]
    left = [one for one in named if one.done.problem]
    for one in left:
        order.refused(one.source, one.done.problem)
    if order.dry:
        for one in whole:
            Path(one.aside).unlink()
    else:
        order.log(whole)
        _settle(whole, order)
        _show(whole, order.out)
        for one in left:  # what was made of an earlier version of it
            if old := state.made(one.source):
                (order.out / old).unlink(missing_ok=True)
    with state.whole():
        state.note([(one.source, one.target, one.done) for one in named])
    return len(ready)


def _target(task: Task, done: Done, order: Order, state: State) -> str:
    """Its own path. Where no clean name is known, one that is not kept."""
    name = task.source.name
    if not done.name:
        return "folder/" * name.count("/") + f"file {Path(task.aside).name}"
    suffix = sealing.SUFFIX if order.recipe.recipients and not done.problem else ""
    return state.claim(name, done.name) + suffix


def _settle(whole: Sequence[Released], order: Order) -> None:
    """Their bytes are on the disk before their names tell that they are."""
    with _written(order.out):
        home.settle([one.aside for one in whole])


def _show(whole: Sequence[Released], out: Path) -> None:
    for one in whole:
        target = f"{out}/{one.target}"
        try:
            os.replace(one.aside, target)  # noqa: PTH105 - for each of a million
        except OSError:  # its folder is not there yet, or the disk is at fault
            with _written(target):
                Path(target).parent.mkdir(parents=True, exist_ok=True)
                os.replace(one.aside, target)  # noqa: PTH105


@contextlib.contextmanager
def _written(path: Path | str) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise OutputError(f"{path}: {problem.strerror}; the run can go on from here") from None


def _lost(task: Task, why: str) -> Done:
    """The answer for a task whose process is gone."""
    task.forget()
    return Done(problem=why)


def _patience(task: Task) -> float:
    return SECONDS + task.size / RATE


def _weight(task: Task) -> int:
    """In bytes, what it takes to begin and end with a file included."""
    return OPENING + task.size


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
