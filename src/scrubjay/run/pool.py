"""Workers in processes of their own, so that a file that kills its reader kills nothing else.

Answers come in the order of the tasks. Tasks that take little time go many in a message: a
message costs the parent more than what is in it. Few are out at a time, so that memory stays flat
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
Bundle = list[tuple[int, Any]]  # tasks that go in one message, and their numbers
AHEAD = 1 << 12  # tasks that may be done before an earlier one is
QUEUE = 2  # messages that a process has, the one that it works on included: so it need not wait
MANY = 32  # tasks in a message: a pipe holds them, and their answers, if their names are longest
MOMENT = 0.1  # seconds of work in a message: so long do others wait for the last at most
PACE = MOMENT  # seconds for what weighs 1, before it is known: the first tasks go alone


class Pool(Generic[Task, Answer]):
    """`make` builds what answers tasks, once in each process. `lost` is the answer for a task whose
    process died or took longer than `patience(task)` seconds. A `ScrubjayError` in a process is
    raised here: it is for answers that no other task would have, either. What `weight` makes twice
    as heavy is thought to take twice as long."""

    def __init__(
        self,
        make: Callable[[], Callable[[Task], Answer]],
        lost: Callable[[Task, str], Answer],
        patience: Callable[[Task], float],
        *,
        size: int,
        weight: Callable[[Task], float] = lambda task: 1.0,
    ) -> None:
        if "fork" not in multiprocessing.get_all_start_methods():
            raise UsageError("several processes need fork, which this system has not: say --jobs 1")
        self._make, self._lost, self._patience = make, lost, patience
        self._weight, self._pace = weight, PACE
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
                bundle = self._bundle(left)
                more = bool(bundle)
                if bundle:
                    free.give(bundle, self._longest(bundle))
                given += len(bundle)
            while done in ready:  # after the processes have something to do
                yield ready.pop(done)
                done += 1
            if done < given:
                ready |= self._heard()

    def close(self) -> None:
        """End the processes, whatever they are at."""
        for worker in self._workers:
            worker.end(kill=bool(worker.out))

    def _least_busy(self) -> _Worker | None:
        """One that has little to do: a message may wait in its pipe."""
        worker = min(self._workers, key=lambda worker: len(worker.out))
        return worker if len(worker.out) < QUEUE else None

    def _bundle(self, left: Iterator[tuple[int, Task]]) -> Bundle:
        """Tasks that are a moment's work, by what those before them took."""
        bundle: Bundle = []
        seconds = 0.0
        while len(bundle) < MANY and seconds < MOMENT and (numbered := next(left, None)):
            bundle.append(numbered)
            seconds += self._pace * self._weight(numbered[1])
        return bundle

    def _longest(self, bundle: Bundle) -> float:
        """Of a bundle that takes longer, each task gets its own time."""
        return max(self._patience(task) for _, task in bundle)

    def _heard(self) -> dict[int, Answer]:
        """What came back; the dead are replaced."""
        busy = [worker for worker in self._workers if worker.out]
        first = min(worker.out[0].until for worker in busy)
        heard = set(wait([w.pipe for w in busy], max(0.0, first - time.monotonic())))
        told: dict[int, Answer] = {}
        for worker in busy:
            if worker.pipe in heard:
                try:
                    told |= self._answers(worker)
                except (EOFError, OSError):
                    told |= self._replaced(worker, "its reader died")
            elif worker.out[0].until <= time.monotonic():
                told |= self._replaced(worker, "took too long")
        return told

    def _answers(self, worker: _Worker) -> dict[int, Answer]:
        """Those of its first bundle. The time of the next begins now."""
        answer = worker.pipe.recv()
        if isinstance(answer, ScrubjayError):
            raise answer
        answers, seconds = answer
        bundle = worker.out.popleft().bundle
        if worker.out:
            after = worker.out.popleft().bundle
            worker.out.appendleft(_Out(after, time.monotonic() + self._longest(after)))
        self._pace = (self._pace + seconds / sum(self._weight(task) for _, task in bundle)) / 2
        return dict(zip((number for number, _ in bundle), answers, strict=True))

    def _replaced(self, worker: _Worker, why: str) -> dict[int, Answer]:
        """Another process does what this one had yet to do. Of a bundle nobody knows which task it
        was: each is tried again alone, and only one that is alone is lost."""
        worker.end(kill=True)
        self._workers.remove(worker)
        other = self._worker()
        self._workers.append(other)
        first, *others = [out.bundle for out in worker.out]
        again = [[one] for one in first] if len(first) > 1 else []
        for bundle in (*again, *others):
            other.give(bundle, self._longest(bundle))
        return {} if again else {number: self._lost(task, why) for number, task in first}

    def _worker(self) -> _Worker:
        context = multiprocessing.get_context("fork")
        here, there = context.Pipe()
        ours = [here, *(worker.pipe for worker in self._workers)]
        process = context.Process(target=_serve, args=(self._make, there, ours), daemon=True)
        process.start()
        there.close()
        return _Worker(process, here, deque())


class _Out(NamedTuple):
    """Tasks that are being done, or wait in the pipe."""

    bundle: Bundle
    until: float


class _Worker(NamedTuple):
    process: Any
    pipe: Connection[Any, Any]
    out: deque[_Out]

    def give(self, bundle: Bundle, patience: float) -> None:
        """Tasks. A process that is dead already is found out when it is listened to."""
        self.out.append(_Out(bundle, time.monotonic() + patience))
        with suppress(OSError):
            self.pipe.send([task for _, task in bundle])

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
                tasks = pipe.recv()
                started = time.perf_counter()
                answers = [answer(task) for task in tasks]
                pipe.send((answers, time.perf_counter() - started))
        except ScrubjayError as problem:
            pipe.send(problem)
        except ImportError as problem:
            pipe.send(OutputError(f"a process cannot begin: {problem.name} is missing"))
