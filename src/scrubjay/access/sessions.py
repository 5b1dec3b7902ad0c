"""Sessions of people: over after a while without use, after a day's work, or when told to be.

A session says who, never what they may: roles are looked up at every call.
"""

from __future__ import annotations

from typing import NoReturn

from msgspec import Struct, structs

from scrubjay.access.ledger import Event
from scrubjay.access.people import Caller, Register
from scrubjay.errors import AccessError

SPACE = "access.sessions"
CLOSED = "access.sessions-closed"
IDLE = 900  # 45 CFR 164.312(a)(2)(iii)
LONGEST = 43_200
STEP = 60  # use is noted no more often: a session may end this much early, never late


class Session(Struct, frozen=True):
    """Who, since when, and when last."""

    person: str
    via: str
    opened: int
    seen: int


def begin(register: Register, caller: Caller, now: int) -> str:
    """A session's token: 256 bits, of which the store only gets a keyed digest."""
    register.require(caller, "people.own", now)
    if caller.scope is not None:
        event = Event("session.begin", caller.person, now, details={"via": caller.via})
        register.ledger.refuse(event, "an API key opens no session; send it with each call")
    ledger = register.ledger
    token = ledger.random(32).hex()
    ledger.tell(Event("session.begin", caller.person, now, details={"via": caller.via}))
    session = Session(caller.person, caller.via, now, now)
    ledger.add(ledger.row(SPACE, ledger.derive(SPACE, token), session))
    return token


def resume(register: Register, token: str, now: int) -> Caller:
    """Who this session belongs to, if it is still open."""
    ledger = register.ledger
    ledger.time(now)
    key = ledger.derive(SPACE, token)
    session = ledger.read(SPACE, key, Session)
    if session is None or ledger.read(CLOSED, key, Session):
        _over()
    person = register.people().get(session.person)
    if person is None or person.left or session.opened <= person.logged_off:
        _over()
    if now >= min(session.seen + IDLE, session.opened + LONGEST):
        _over()
    if now >= session.seen + STEP:
        ledger.change([ledger.row(SPACE, key, structs.replace(session, seen=now))])
    return Caller(session.person, session.via)


def end(register: Register, token: str, now: int) -> None:
    """Close it. The mark is a row of its own: a call that is under way may write the other."""
    ledger = register.ledger
    key = ledger.derive(SPACE, token)
    if session := ledger.read(SPACE, key, Session):
        ledger.tell(Event("session.end", session.person, now))
        ledger.change([ledger.row(CLOSED, key, session)])


def sweep(register: Register, now: int) -> None:
    """Take out what is over; once a day is enough."""
    ledger = register.ledger
    old = [key for key, row in ledger.every(SPACE, Session) if row.opened + LONGEST <= now]
    ledger.change([], [(space, key) for key in old for space in (SPACE, CLOSED)])


def _over() -> NoReturn:
    raise AccessError("the session is over; sign in again")
