"""Where requests meet the one thread that has vault and engine. What comes while it works waits for
the next batch, so that a busy service works in large batches and an idle one answers at once.

What the desk cannot take it refuses at once; what it took it answers.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from scrubjay.errors import BusyError

BATCH = 1 << 18  # characters that are looked at together
DOCUMENTS = 1 << 10  # texts that are
ENTRY = ""  # the kind of what is so short that it goes first

Work = Callable[[str, Sequence[Any]], Iterable[Any]]


class Limits(NamedTuple):
    """What may wait: more is refused."""

    jobs: int = 1000
    characters: int = 1 << 26


class _Job(NamedTuple):
    kind: str
    given: Any
    size: int
    answer: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class Desk:
    """`begin` is called in the desk's own thread, and what it gives answers a batch of one kind, in
    order: with exceptions, too, for one of them alone. If it raises, each is tried alone, so that
    one bad document spoils no other."""

    def __init__(self, begin: Callable[[], Work], end: Callable[[], None], limits: Limits) -> None:
        self._begin, self._end, self._limits = begin, end, limits
        self._waiting: deque[_Job] = deque()
        self._size = 0
        self._open = True
        self._some = threading.Condition()
        self._problem: BaseException | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="desk", daemon=True)
        self._thread.start()

    def ready(self) -> None:
        """Wait until it works, or raise why it cannot."""
        self._ready.wait()
        if self._problem:
            raise self._problem

    @property
    def open(self) -> bool:
        """Whether it takes anything."""
        return self._open and self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """How many are not begun."""
        return len(self._waiting)

    async def ask(self, kind: str, given: Any, size: int) -> Any:
        """The answer for one. `BusyError` if too much waits already, or the desk has closed."""
        loop = asyncio.get_running_loop()
        job = _Job(kind, given, size, loop.create_future(), loop)
        with self._some:
            full = len(self._waiting) >= self._limits.jobs
            if not self._open or full or self._size + size > self._limits.characters:
                raise BusyError("too much waits already; come again in a moment")
            if kind == ENTRY:
                self._waiting.appendleft(job)
            else:
                self._waiting.append(job)
            self._size += size
            self._some.notify()
        return await job.answer

    def close(self, seconds: float = 30.0) -> None:
        """Answer what was taken; take no more."""
        with self._some:
            self._open = False
            self._some.notify()
        self._thread.join(seconds)

    def _serve(self) -> None:
        try:
            work = self._begin()
        except BaseException as problem:  # noqa: BLE001 - told to who started it
            self._problem, self._open = problem, False
            return
        finally:
            self._ready.set()
        while batch := self._next():
            told = _answers(work, batch)
            for loop in {job.loop for job in batch}:
                mine = [(j.answer, a) for j, a in zip(batch, told, strict=True) if j.loop is loop]
                with suppress(RuntimeError):  # its loop has closed: nobody waits
                    loop.call_soon_threadsafe(_give, mine)
        self._end()

    def _next(self) -> list[_Job]:
        """The next batch: what waits of one kind, the first first. Nothing: the desk has closed."""
        batch: list[_Job] = []
        with self._some:
            while not batch:
                while not self._waiting:
                    if not self._open:
                        return []
                    self._some.wait()
                batch = self._taken()
        return batch

    def _taken(self) -> list[_Job]:
        kind, size = self._waiting[0].kind, 0
        batch: list[_Job] = []
        left: deque[_Job] = deque()
        for job in self._waiting:
            fits = not batch or (size + job.size <= BATCH and len(batch) < DOCUMENTS)
            if job.answer.cancelled():
                self._size -= job.size
            elif job.kind == kind and fits:
                batch.append(job)
                size += job.size
            else:
                left.append(job)
        self._waiting = left
        self._size -= size
        return batch


def _answers(work: Work, batch: Sequence[_Job]) -> list[Any]:
    try:
        return list(work(batch[0].kind, [job.given for job in batch]))
    except Exception as problem:  # noqa: BLE001 - told to who asked
        if len(batch) == 1:
            return [problem]
    return [answer for job in batch for answer in _answers(work, [job])]


def _give(answers: Iterable[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, answer in answers:
        if future.done():
            continue  # who asked has gone
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        else:
            future.set_result(answer)
