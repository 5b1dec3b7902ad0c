"""Processes that read files for requests: a file that kills its reader, or fools it into asking for
all memory, harms nobody else. They are made when they are needed, and serve many requests.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple

from scrubjay import processes
from scrubjay.errors import BusyError, RefusedError, ScrubjayError
from scrubjay.serve.engines import Engines, Use
from scrubjay.serve.store import Place

WAITING = 8  # files that wait for a reader

Task = Callable[[Engines], Any]  # pickled: a function of a module, or a `partial` of one


class _Reader(NamedTuple):
    process: BaseProcess
    pipe: Connection[Any, Any]

    def end(self) -> None:
        """Whatever it is at. A thread may still listen to its pipe, and hears that it is over."""
        self.process.kill()
        self.process.join()


class Readers:
    """A few of them. Not to be used by two threads."""

    def __init__(self, place: Place, use: Use, *, size: int) -> None:
        self._place, self._use = place, use
        self._idle: list[_Reader] = []
        self._busy: set[_Reader] = set()
        self._free = asyncio.Semaphore(size)
        self._most = size + WAITING
        self._asked = 0

    def check(self) -> None:
        """Refuse when too much waits: before a body is read."""
        if self._asked >= self._most:
            raise BusyError("too many files wait already; come again in a moment")

    async def ask(self, task: Task, seconds: float) -> Any:
        """What a task gives. Who asks and is cancelled ends its reader; so does a task that takes
        longer, which is refused."""
        self.check()
        self._asked += 1
        try:
            async with self._free:
                return await self._answer(task, seconds)
        finally:
            self._asked -= 1

    async def _answer(self, task: Task, seconds: float) -> Any:
        reader = self._waits()
        if reader is None:
            reader = await asyncio.to_thread(self._started)
        self._busy.add(reader)
        answer: Any = None
        try:
            answer = await asyncio.to_thread(_asked, reader.pipe, task, seconds)
        finally:
            self._busy.discard(reader)
            if answer is None:
                reader.end()
            else:
                self._idle.append(reader)
        if isinstance(answer[0], ScrubjayError):
            raise answer[0]
        return answer[0]

    def _waits(self) -> _Reader | None:
        """One that has nothing to do, and lives."""
        while self._idle:
            if (reader := self._idle.pop()).process.is_alive():
                return reader
        return None

    def _started(self) -> _Reader:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        given = (there, self._place, self._use, os.getpid())
        process = context.Process(target=_serve, args=given, daemon=True)
        process.start()
        there.close()
        return _Reader(process, here)

    def close(self) -> None:
        """End them all."""
        for reader in [*self._idle, *self._busy]:
            reader.end()
        self._idle.clear()


def _asked(pipe: Connection[Any, Any], task: Task, seconds: float) -> tuple[Any] | None:
    """A task's answer."""
    try:
        pipe.send(task)
        if not pipe.poll(seconds):
            raise RefusedError(f"it takes longer than {seconds:.0f} s to read: split it")
        return (pipe.recv(),)
    except (EOFError, OSError):
        raise RefusedError("its reader died: it is damaged, or means harm") from None


def _serve(pipe: Connection[Any, Any], place: Place, use: Use, parent: int) -> None:
    """A reader's life. It ends with the pipe, or with its parent."""
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent hears them, too, and ends it
        signal.signal(number, signal.SIG_IGN)
    processes.end_with_parent(parent)
    with suppress(EOFError, OSError):
        try:
            engines = Engines(use, place.open())
        except ScrubjayError as problem:
            pipe.recv()
            pipe.send(problem)
            return
        while True:
            pipe.send(_done(pipe.recv(), engines))


def _done(task: Task, engines: Engines) -> Any:
    try:
        return task(engines)
    except ScrubjayError as problem:
        return problem
    except Exception as problem:  # noqa: BLE001 - the border to foreign code: its words may quote
        return RefusedError(f"its reader failed: {type(problem).__name__}")
