"""Workers in processes of their own, so that a file that kills its reader kills nothing else.

Answers come in the order of the tasks. Few tasks are out at a time, so that memory stays flat
however many there are, and they are small, so that no pipe is ever full.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, NamedTuple, TypeVar

from scrubjay import processes
from scrubjay.errors import OutputError, ScrubjayError, UsageError

Task = TypeVar("Task")
Answer = TypeVar("Answer")
AHEAD = 64  # tasks that may be done before an earlier one is
QUEUE = 4  # tasks that a process has, the one that it works on included: so it need not wait


class Pool(Generic[Task, Answer]):
    """`make` builds what answers tasks, once in each process. `lost` is the answer for a task whose
    process died or took longer than `patience(task)` seconds. A `ScrubjayError` in a process is
    raised here: it is for answers that no other task would have, either."""

    def __init__(
        self,
        make: Callable[[], Callable[[Task], Answer]],
        lost: Callable[[Task, str], Answer],
        patience: Callable[[Task], float],
        *,
        size: int,
    ) -> None:
        if "fork" not in multiprocessing.get_all_start_methods():
            raise UsageError("several processes need fork, which this system has not: say --jobs 1")
        self._make, self._lost, self._patience = make, lost, patience
        self._workers: list[_Worker] = []
        while len(self._workers) < size:
            self._workers.append(self._worker())

    def map(self, tasks: Iterable[Task]) -> Iterator[Answer]:
        """The answers, in order."""
        ready: dict[int, Answer] = {}
        left = enumerate(tasks)
        given = done = 0
        more = True
        while more or done < given:
            while more and given - done < AHEAD and (free := self._least_busy()):
                numbered = next(left, None)
                if numbered is None:
                    more = False
                    break
                free.give(*numbered, self._patience(numbered[1]))
                given += 1
            if done < given:
                ready |= self._heard()
            while done in ready:
                yield ready.pop(done)
                done += 1

    def close(self) -> None:
        """End the processes, whatever they are at."""
        for worker in self._workers:
            worker.end(kill=bool(worker.out))

    def _least_busy(self) -> _Worker | None:
        """One that has little to do: some tasks may wait in its pipe."""
        worker = min(self._workers, key=lambda worker: len(worker.out))
        return worker if len(worker.out) < QUEUE else None

    def _heard(self) -> dict[int, Answer]:
        """What came back; the dead are replaced."""
        busy = [worker for worker in self._workers if worker.out]
        first = min(worker.out[0].until for worker in busy)
        heard = set(wait([w.pipe for w in busy], max(0.0, first - time.monotonic())))
        told: dict[int, Answer] = {}
        for worker in busy:
            late = worker.out[0].until <= time.monotonic()
            if worker.pipe not in heard and not late:
                continue
            out = worker.out.popleft()
            if worker.out:  # its time begins now
                after = worker.out.popleft()
                until = time.monotonic() + self._patience(after.task)
                worker.out.appendleft(after._replace(until=until))
            why = "" if worker.pipe in heard else "took too long"
            if not why:
                try:
                    answer = worker.pipe.recv()
                except (EOFError, OSError):
                    why = "its reader died"
                else:
                    if isinstance(answer, ScrubjayError):
                        raise answer
                    told[out.number] = answer
            if why:
                told[out.number] = self._lost(out.task, why)
                self._replace(worker)
        return told

    def _replace(self, worker: _Worker) -> None:
        """Another process does what this one had yet to begin."""
        worker.end(kill=True)
        self._workers.remove(worker)
        other = self._worker()
        self._workers.append(other)
        for out in worker.out:
            other.give(out.number, out.task, self._patience(out.task))

    def _worker(self) -> _Worker:
        context = multiprocessing.get_context("fork")
        here, there = context.Pipe()
        ours = [here, *(worker.pipe for worker in self._workers)]
        process = context.Process(target=_serve, args=(self._make, there, ours), daemon=True)
        process.start()
        there.close()
        return _Worker(process, here, deque())


class _Out(NamedTuple):
    """A task that is being done."""

    number: int
    task: Any
    until: float


class _Worker(NamedTuple):
    process: Any
    pipe: Connection[Any, Any]
    out: deque[_Out]

    def give(self, number: int, task: Any, patience: float) -> None:
        """A task. A process that is dead already is found out when it is listened to."""
        self.out.append(_Out(number, task, time.monotonic() + patience))
        with suppress(OSError):
            self.pipe.send(task)

    def end(self, *, kill: bool = False) -> None:
        """Let it finish, or not."""
        self.pipe.close()
        if kill:
            self.process.kill()
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _serve(make: Callable[[], Callable[[Any], Any]], pipe: Any, ours: list[Any]) -> None:
    """A worker's life: it ends with the pipe, which only its parent may hold open."""
    for other in ours:
        other.close()
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent hears them, too, and ends it
        signal.signal(number, signal.SIG_IGN)
    processes.end_with_parent()
    with suppress(EOFError, OSError):
        try:
            answer = make()
            while True:
                pipe.send(answer(pipe.recv()))
        except ScrubjayError as problem:
            pipe.send(problem)
        except ImportError as problem:
            pipe.send(OutputError(f"a process cannot begin: {problem.name} is missing"))
