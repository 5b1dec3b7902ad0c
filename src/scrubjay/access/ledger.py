"""Sealed rows over a store, and events for the log.

A row is sealed with AES-256-GCM-SIV under the ledger's key and bound to its place, so that who can
write to the store can neither read a row, nor make one, nor move one to another place. Taking rows
out, or putting a whole old store back, is not seen here: docs/spec/access.md, ACC-5.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NoReturn, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from msgspec import Struct, field, structs

from scrubjay.errors import AccessError, VaultError
from scrubjay.keys import Key
from scrubjay.vault.store import Row, Store

NONCE = 12
BACK = 300  # seconds that clocks of one installation may differ
STEP = 60  # the latest time is written no more often than this
CLOCK = "access.clock"

Value = TypeVar("Value", bound=Struct)


class Event(Struct, frozen=True):
    """Something for the log. `why` is in a person's own words: it goes there and into no repr.
    `refused` says what was not done and why; empty: it was done."""

    action: str
    who: str
    at: int
    about: str = ""
    why: str = ""
    refused: str = ""
    details: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Event({self.action!r}, who={self.who!r}, at={self.at}, about={self.about!r})"


class Mark(Struct, frozen=True):
    """The latest time that was seen."""

    at: int


class Ledger:
    """Values by space and key, sealed. `tell` writes an event to the log and raises if it cannot;
    it is called before what it tells of takes effect."""

    def __init__(
        self,
        store: Store,
        key: bytes,
        *,
        tell: Callable[[Event], None],
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        secret = Key(key)
        self._store = store
        self._index = Key(secret.derive("access index"))
        self._box = AESGCMSIV(secret.derive("access rows"))
        self.tell = tell
        self.random = random

    def derive(self, purpose: str, *parts: str) -> bytes:
        """32 bytes that only this ledger's key gives: a row's key, a secret's digest."""
        return self._index.derive(purpose, *parts)

    def row(self, space: str, key: bytes, value: Struct) -> Row:
        """A sealed row."""
        plain = msgspec.json.encode(value)
        nonce = self.random(NONCE)
        return Row(space, key, nonce + self._box.encrypt(nonce, plain, _place(space, key)))

    def read(self, space: str, key: bytes, kind: type[Value]) -> Value | None:
        """The value at a place; None where there is none."""
        return self.reads(space, [key], kind)[0]

    def reads(self, space: str, keys: Sequence[bytes], kind: type[Value]) -> list[Value | None]:
        """The values of several keys, in order."""
        found = self._store.get(space, keys)
        return [
            None if sealed is None else self._open(space, key, sealed, kind)
            for key, sealed in zip(keys, found, strict=True)
        ]

    def every(self, space: str, kind: type[Value]) -> Iterator[tuple[bytes, Value]]:
        """All keys and values of a space."""
        for key, sealed in self._store.items(space):
            yield key, self._open(space, key, sealed, kind)

    def keys(self, space: str) -> list[bytes]:
        """All keys of a space, in order."""
        return [key for key, _ in self._store.items(space)]

    def add(self, *rows: Row) -> bool:
        """All rows, or none if one of their keys is taken; whether they were added."""
        return self._store.add(rows)

    def change(self, put: Sequence[Row], drop: Iterable[tuple[str, bytes]] = ()) -> None:
        """Write over what is there, and take out, in one step."""
        self._store.change(put, drop)

    def refuse(self, event: Event, message: str) -> NoReturn:
        """Log that it was refused, and refuse."""
        self.tell(structs.replace(event, refused=message))
        raise AccessError(message)

    def time(self, now: int) -> int:
        """`now`, unless the clock went back: what has expired must not come to life again."""
        key = self.derive(CLOCK)
        mark = self.read(CLOCK, key, Mark)
        if mark and now < mark.at - BACK:
            self.refuse(
                Event("people.clock", "", now),
                f"the clock is {mark.at - now} s behind the latest time seen here; set it right, or"
                " let an administrator accept the time that it shows",
            )
        if not mark or now >= mark.at + STEP:
            self.set_time(now)
        return now

    def set_time(self, now: int) -> None:
        """Accept a time, an earlier one too."""
        self.change([self.row(CLOCK, self.derive(CLOCK), Mark(now))])

    def _open(self, space: str, key: bytes, sealed: bytes, kind: type[Value]) -> Value:
        try:
            plain = self._box.decrypt(sealed[:NONCE], sealed[NONCE:], _place(space, key))
            return msgspec.json.decode(plain, type=kind)
        except (InvalidTag, ValueError):  # cut short, changed, moved, or of another version
            raise VaultError(
                f"a row of {space} does not open: another key, or the store was changed;"
                " give the right key, or restore the latest backup"
            ) from None


def _place(space: str, key: bytes) -> bytes:
    """A row's place as associated data (ACC-2)."""
    return len(space).to_bytes(8, "big") + space.encode("ascii") + key
