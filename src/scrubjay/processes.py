"""Bounds of a process: on its memory, so that a reader that is fooled into asking for more fails
alone, and on its life. And work in one that leaves nothing behind in this.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from scrubjay.errors import ScrubjayError

T = TypeVar("T")


def bound(size: int) -> None:
    """No more than `size` bytes beyond what it has already, where the system knows such limits."""
    try:
        import resource
    except ImportError:
        return
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    told = _held() + size
    if most != resource.RLIM_INFINITY:
        told = min(told, most)
    resource.setrlimit(resource.RLIMIT_DATA, (told, most))


def end_with_parent(parent: int = 0) -> None:
    """Nobody waits for what a killed parent asked, or ends a reader that is stuck. `parent`: its
    number, for who starts so slowly that it may be gone already."""
    threading.Thread(target=_end_with, args=(parent or os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


def apart(work: Callable[[], T]) -> Callable[[], T]:
    """Begin it in a process forked from this one; what is given waits for its answer, or raises its
    error. What it opens and draws is closed and gone when it ends."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_apart, args=(there, work))
    process.start()
    there.close()

    def answer() -> T:
        told: list[T] | ScrubjayError
        try:
            told = here.recv()
        except EOFError:
            told = ScrubjayError("a process died: see above")
        process.join()
        if isinstance(told, ScrubjayError):
            raise told
        return told[0]

    return answer


def _apart(there: Connection[Any, Any], work: Callable[[], Any]) -> None:
    try:
        there.send([work()])
    except ScrubjayError as problem:
        there.send(problem)


def _held() -> int:
    """Bytes that this process has already, the models among them."""
    try:
        told = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return int(told.partition("VmData:")[2].split()[0]) << 10
