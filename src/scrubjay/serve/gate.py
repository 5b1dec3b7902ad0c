"""Who is calling. A key is looked up in the vault once a minute; what its owner may do is looked up
each time (`Trust.register`), so that who was removed, or whose key was revoked, is out at once.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

from scrubjay.access import attempts, entry
from scrubjay.access.people import Caller, Register
from scrubjay.errors import AccessError, EntryError, LimitError
from scrubjay.recent import Recent

REMEMBERED = 60  # seconds
MOST = 4096  # keys


class Known(NamedTuple):
    """A caller who came in, and between which times that is remembered."""

    caller: Caller
    per_minute: int
    since: float
    until: float


class Gate:
    """`share`: the part of a key's requests that this process may take."""

    def __init__(self, *, share: int = 1, clock: Callable[[], float] = time.time) -> None:
        self._share, self._clock = share, clock
        self._rates, self._entries = attempts.Rates(), attempts.Rates()
        self._known: Recent[bytes, Known] = Recent(MOST)

    def known(self, shown: str) -> Caller | None:
        """Who showed this key not long ago, if anybody; counted as one more request of theirs."""
        found, now = self._known.get(_digest(shown)), self._clock()
        if found is None or not found.since <= now < found.until:  # a clock may go back
            return None
        self._rates.take(found.caller.via, max(1, found.per_minute // self._share), int(now))
        return found.caller

    def enter(self, register: Register, shown: str, source: str) -> Caller:
        """Who shows this key: with the vault, so in the one thread that has it open."""
        now = int(self._clock())
        try:
            caller = entry.by_key(register, shown, source, rates=self._entries, now=now)
        except LimitError:
            raise
        except AccessError as problem:
            raise EntryError(str(problem)) from None
        key = register.people()[caller.person].keys[caller.via.removeprefix("key ")]
        until = min(now + REMEMBERED, key.expires)
        self._known.put(_digest(shown), Known(caller, key.per_minute, now, until))
        return caller


def source(address: str) -> str:
    """Where a call comes from, as guesses are counted: an address, of IPv6 its first 64 bits."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "local"
    if found.version == 4:
        return str(found)
    return str(ipaddress.IPv6Network((found, 64), strict=False))


def _digest(shown: str) -> bytes:
    return sha256(shown.encode("utf-8", "surrogatepass")).digest()
