"""What requests need beside the desk: a second one for errands that may take long, processes that
read files, a folder for what is not clean yet, and a foreman for jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import Request

from scrubjay.serve.desk import Desk, Limits, Work
from scrubjay.serve.foreman import Foreman
from scrubjay.serve.readers import Readers
from scrubjay.serve.spool import Spool
from scrubjay.serve.store import Place
from scrubjay.trust import Trust

if TYPE_CHECKING:
    from scrubjay.serve.server import Settings

ERRAND = "errand"
READERS = 2  # in all processes, or one in each
T = TypeVar("T")


class Back:
    """All of it, of one process."""

    def __init__(self, settings: Settings, place: Place) -> None:
        self.settings, self.place = settings, place
        self.spool = Spool()
        self.readers = Readers(place, settings.use, size=max(1, READERS // settings.processes))
        self.desk = _desk(place)
        self.desk.ready()
        self._foreman = Foreman(place, settings.use, processes=settings.processes)

    def close(self) -> None:
        """Nothing goes on, nothing stays."""
        self._foreman.close()
        self.desk.close()
        self.readers.close()
        self.spool.close()


async def errand(request: Request, do: Callable[[Trust], T]) -> T:
    """What a function of vault and log gives, which are the second desk's own: whatever time it
    takes, texts go on at the first."""
    told: T = await request.app.state.all.back.desk.ask(ERRAND, do, 1)
    return told


def _desk(place: Place) -> Desk:
    ended: list[Callable[[], None]] = []

    def begin() -> Work:
        trust = place.open()
        ended.extend((trust.close, trust.vault.close))

        def work(_: str, batch: Sequence[Any]) -> Iterable[Any]:
            return [_done(do, trust) for do in batch]

        return work

    def end() -> None:
        for each in ended:
            each()

    return Desk(begin, end, Limits(jobs=200))


def _done(do: Callable[[Trust], Any], trust: Trust) -> Any:
    """A problem is the answer, too: the desk must not try again what has done half of its work."""
    try:
        return do(trust)
    except Exception as problem:  # noqa: BLE001 - told to who asked
        return problem
