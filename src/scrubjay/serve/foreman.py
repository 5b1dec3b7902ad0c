"""Who sees to it that jobs are done, one after the other: a thread of each process of the service,
of which the one works that has the lock. If its process dies, another takes over.
"""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.process import BaseProcess
from typing import NamedTuple

from scrubjay.serve import joblist
from scrubjay.serve.engines import Use
from scrubjay.serve.joblist import Job
from scrubjay.serve.store import Place

LOOK = 0.5  # seconds between a look at the list and the next
NEW = 2_000_000_000  # nanoseconds: no file system's clock is coarser
SOON = 0.1  # between a look at a run and the next
GRACE = 10.0  # in which a run that is to stop tidies up
DIED = "its process died: see the service's own messages; it can be resumed"


class Crew(NamedTuple):
    """What a run works with, and the process that it ends with."""

    place: Place
    use: Use
    processes: int
    parent: int


class Foreman:
    """`processes`: of a run."""

    def __init__(self, place: Place, use: Use, *, processes: int) -> None:
        self._crew = Crew(place, use, processes, os.getpid())
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="foreman", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End what runs: whoever starts next goes on with it."""
        self._over.set()
        self._thread.join(GRACE + 5)

    def _work(self) -> None:
        lock = os.open(joblist.above().parent / "jobs.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            known: dict[str, int] = {}
            while self._chosen(lock) and not self._over.wait(LOOK):
                with suppress(OSError):  # a full disk: what cannot be done now is tried again
                    now = joblist.looks()
                    if now != known or _new(now):
                        self._look()
                        known = now
        finally:
            os.close(lock)

    def _look(self) -> None:
        joblist.again()
        for job in joblist.waiting():
            self._do(job)

    def _chosen(self, lock: int) -> bool:
        """Whether this one is: it waits until nobody else is, or it is over."""
        while not self._over.is_set():
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            self._over.wait(LOOK)
        return False

    def _do(self, job: Job) -> None:
        if self._over.is_set():
            return
        if job.stops.exists():
            _stop(job)
            return
        joblist.stand(job, joblist.RUNNING, started=int(time.time()))
        process = multiprocessing.get_context("spawn").Process(
            target=_run, args=(self._crew, job.id)
        )
        process.start()
        stops = False
        try:
            while process.is_alive() and not (self._over.is_set() or stops):
                process.join(SOON)
                stops = job.stops.exists()
        finally:
            _end(process)
        self._settle(job, process.exitcode, stops=stops)

    def _settle(self, job: Job, status: int | None, *, stops: bool) -> None:
        """What became of it. A run that failed has said why."""
        if status == 0:
            joblist.stand(job, joblist.DONE)
        elif joblist.standing(job).state == joblist.FAILED:
            return
        elif self._over.is_set():
            joblist.stand(job, joblist.WAITING)
        elif stops:
            _stop(job)
        else:
            joblist.stand(job, joblist.FAILED, why=DIED)


def _stop(job: Job) -> None:
    """It is stopped, unless somebody who let it go on meanwhile saw it waiting still."""
    joblist.stand(job, joblist.STOPPED)
    if not job.stops.exists():
        joblist.stand(job, joblist.WAITING)


def _new(looks: Mapping[str, int]) -> bool:
    """Whether one may have been written to again since, and look the same."""
    return max(looks.values(), default=0) > time.time_ns() - NEW


def _run(crew: Crew, id: str) -> None:
    from scrubjay.serve import jobrun  # in the run's own process: the service needs none of it

    jobrun.run(crew, id)


def _end(process: BaseProcess) -> None:
    if process.is_alive():
        process.terminate()
        process.join(GRACE)
        process.kill()
    process.join()
