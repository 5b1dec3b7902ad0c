"""Records of people, read in a process of its own: what kills it, stops it or asks for too much
memory tells nobody more, and the run goes on.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct

from scrubjay import processes
from scrubjay.run.folder import RATE, SECONDS
from scrubjay.run.walk import Source
from scrubjay.run.worker import MEMORY

TOGETHER = 200  # records in a message


class Told(Struct, frozen=True, array_like=True):
    """A record: the `kind` of its file, the folder that it lies in, who it is, and its place as a
    `registers.Place` has it. It shows none of it."""

    kind: str
    folder: str
    ids: frozenset[str]
    group: str
    known: dict[str, tuple[str, ...]]
    offset: int = -1
    length: int = 0

    def __repr__(self) -> str:
        return f"Told({self.kind})"


Read = Callable[[Source], Iterator[Told]]
_MESSAGE = msgspec.msgpack.Decoder(list[Told])


def records(sources: Sequence[Source], read: Read) -> Iterator[tuple[Source, Told]]:
    """What is told of each source, in order. A system that cannot fork reads here."""
    at = 0
    if "fork" not in multiprocessing.get_all_start_methods():
        yield from ((source, one) for source in sources for one in _safe(read(source)))
        return
    while at < len(sources):
        with _process(sources[at:], read) as pipe:
            while at < len(sources):
                told = _heard(pipe, sources[at])
                yield from ((sources[at], one) for one in told or ())
                if not told:
                    at += 1
                if told is None:
                    break


def _heard(pipe: Any, source: Source) -> list[Told] | None:
    """The next records; none where there are no more, nothing where nobody will tell."""
    try:
        if pipe.poll(SECONDS + source.size / RATE):
            return _MESSAGE.decode(pipe.recv_bytes())
    except (EOFError, OSError):
        pass
    return None


@contextlib.contextmanager
def _process(sources: Sequence[Source], read: Read) -> Iterator[Any]:
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_tell, args=(there, here, sources, read), daemon=True)
    process.start()
    there.close()
    try:
        yield here
    finally:
        here.close()
        process.kill()
        process.join()


def _tell(pipe: Any, ours: Any, sources: Sequence[Source], read: Read) -> None:
    """The process's life. After each source comes a message of nothing."""
    ours.close()
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent hears them, too, and ends it
        signal.signal(number, signal.SIG_IGN)
    processes.end_with_parent()
    processes.bound(MEMORY)
    with contextlib.suppress(OSError):
        for source in sources:
            found = _safe(read(source))
            while some := list(islice(found, TOGETHER)):
                pipe.send_bytes(msgspec.msgpack.encode(some))
            pipe.send_bytes(msgspec.msgpack.encode([]))


def _safe(found: Iterator[Told]) -> Iterator[Told]:
    try:
        yield from found
    except Exception:  # noqa: BLE001 - the border to foreign code
        return
