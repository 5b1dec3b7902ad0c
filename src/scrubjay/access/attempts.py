"""Guessing takes ever longer: failed attempts by name, and requests by minute."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from scrubjay.access.ledger import Ledger
from scrubjay.errors import LimitError

SPACE = "access.attempts"
FREE = 5  # failures without a delay; then 1, 2, 4 ... seconds
LONGEST = 900
MOST = FREE + 10
FORGOTTEN = 86_400


class Failure(Struct, frozen=True):
    """One failed attempt."""

    at: int


def check(ledger: Ledger, names: Iterable[str], now: int) -> None:
    """Refuse while one of these names has to wait."""
    wait = max(_until(_times(ledger, name)) for name in names) - now
    if wait > 0:
        raise LimitError("too many failed attempts", wait)


def failed(ledger: Ledger, names: Iterable[str], now: int) -> None:
    """Count a failure for each name. Each takes the next free place, so that guesses made side by
    side all count; only the last place, where the delay no longer grows, is written over."""
    for name in names:
        times = _times(ledger, name)
        if times and max(times) + FORGOTTEN < now:
            passed(ledger, name)
            times = []
        rows = [ledger.row(SPACE, key, Failure(now)) for key in _places(ledger, name)]
        if not any(ledger.add(row) for row in rows[len(times) :]):
            ledger.change(rows[-1:])


def passed(ledger: Ledger, name: str) -> None:
    """Start again for a name that has got in."""
    if _times(ledger, name):
        ledger.change([], [(SPACE, key) for key in _places(ledger, name)])


def sweep(ledger: Ledger, now: int) -> None:
    """Take out what no longer counts; once a day is enough."""
    old = [key for key, row in ledger.every(SPACE, Failure) if row.at + FORGOTTEN < now]
    ledger.change([], [(SPACE, key) for key in old])


def _places(ledger: Ledger, name: str) -> list[bytes]:
    base = ledger.derive(SPACE, name)
    return [base + bytes([number]) for number in range(MOST)]


def _times(ledger: Ledger, name: str) -> list[int]:
    rows = ledger.reads(SPACE, _places(ledger, name), Failure)
    return [row.at for row in rows if row]


def _until(times: list[int]) -> int:
    if len(times) < FREE:
        return 0
    return max(times) + min(1 << len(times) - FREE, LONGEST)


class Rates:
    """Requests by minute and API key, in this process: a bucket that fills evenly."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[float, int]] = {}

    def take(self, name: str, per_minute: int, now: int) -> bool:
        """One request, or a refusal that says when there is room again. Whether it is the first."""
        first = name not in self._held
        left, last = self._held.get(name, (float(per_minute), now))
        left = min(per_minute, left + max(0, now - last) * per_minute / 60)
        if left < 1:
            wait = -int((left - 1) * 60 // per_minute)
            raise LimitError(f"more than {per_minute} requests a minute", wait)
        self._held[name] = (left - 1, max(now, last))
        return first
