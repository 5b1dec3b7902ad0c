"""Records of people, read in a process of its own: what kills it, stops it or asks for too much
memory tells nobody more, and the run goes on.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct

from scrubjay import processes
from scrubjay.run.folder import RATE, SECONDS
from scrubjay.run.walk import Source
from scrubjay.run.worker import MEMORY

TOGETHER = 200  # records in a message
MANY = 32  # sources of which one message may tell
SMALL = 1 << 18  # bytes of them together
AHEAD = 10_000  # sources that one process reads: memory stays flat however many there are


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
Bundle = list[Source]
_MESSAGE = msgspec.msgpack.Decoder(list[tuple[int, Told]])  # by the source's place in its bundle


def records(sources: Iterable[Source], read: Read) -> Iterator[tuple[Source, Told]]:
    """What is told of each source, in order. A system that cannot fork reads here."""
    if "fork" not in multiprocessing.get_all_start_methods():
        yield from ((source, one) for source in sources for one in _safe(read(source)))
        return
    left = iter(sources)
    while some := list(islice(left, AHEAD)):
        waiting = deque(_bundles(some))
        while waiting:
            with _process(list(waiting), read) as pipe:
                yield from _told(pipe, waiting)


def _bundles(sources: Sequence[Source]) -> Iterator[Bundle]:
    """Small files go many in a message: it costs more than what is in it."""
    bundle: Bundle = []
    for source in sources:
        if bundle and (len(bundle) == MANY or sum(x.size for x in bundle) + source.size > SMALL):
            yield bundle
            bundle = []
        bundle.append(source)
    if bundle:
        yield bundle


def _told(pipe: Any, waiting: deque[Bundle]) -> Iterator[tuple[Source, Told]]:
    """Until a process ends. Of a bundle nobody knows which source ended it: each is read again
    alone, and only one that is alone tells no more."""
    while waiting:
        told = _heard(pipe, waiting[0])
        yield from ((waiting[0][number], one) for number, one in told or ())
        if not told:
            bundle = waiting.popleft()
            if told is None:
                waiting.extendleft([one] for one in reversed(bundle) if len(bundle) > 1)
                return


def _heard(pipe: Any, bundle: Bundle) -> list[tuple[int, Told]] | None:
    """The next records; none where there are no more, nothing where nobody will tell."""
    try:
        if pipe.poll(SECONDS + sum(source.size for source in bundle) / RATE):
            return _MESSAGE.decode(pipe.recv_bytes())
    except (EOFError, OSError):
        pass
    return None


@contextlib.contextmanager
def _process(bundles: list[Bundle], read: Read) -> Iterator[Any]:
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_tell, args=(there, here, bundles, read), daemon=True)
    process.start()
    there.close()
    try:
        yield here
    finally:
        here.close()
        process.kill()
        process.join()


def _tell(pipe: Any, ours: Any, bundles: list[Bundle], read: Read) -> None:
    """The process's life. After each bundle comes a message of nothing."""
    ours.close()
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent hears them, too, and ends it
        signal.signal(number, signal.SIG_IGN)
    processes.end_with_parent()
    processes.bound(MEMORY)
    with contextlib.suppress(OSError):
        for bundle in bundles:
            found = ((n, one) for n, source in enumerate(bundle) for one in _safe(read(source)))
            while some := list(islice(found, TOGETHER)):
                pipe.send_bytes(msgspec.msgpack.encode(some))
            pipe.send_bytes(msgspec.msgpack.encode([]))


def _safe(found: Iterator[Told]) -> Iterator[Told]:
    try:
        yield from found
    except Exception:  # noqa: BLE001 - the border to foreign code; who cleans the file says why
        return
