"""Emergency access (45 CFR 164.312(a)(2)(ii)): at once and alone, but short, loud and looked at.

It lasts as long as was said at its start and is never extended. It stays on the list until somebody
else has reviewed it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from msgspec import Struct, structs

from scrubjay.access.approvals import DOMAIN, Grant, Scope, check_reason, check_scope
from scrubjay.access.ledger import Event
from scrubjay.access.matrix import allowed
from scrubjay.access.people import Caller, Register
from scrubjay.errors import AccessError, UsageError

SPACE = "access.emergencies"
USES = "access.emergency-uses"
REVIEWS = "access.emergency-reviews"
MINUTES = range(15, 61)


class Emergency(Struct, frozen=True):
    """One of them. `number` counts a person's own. `reason` is in no repr."""

    id: str
    person: str
    number: int
    domain: str
    reason: str
    started: int
    ends: int

    def __repr__(self) -> str:
        return f"Emergency({self.id!r}, person={self.person!r}, domain={self.domain!r})"


class Opened(Struct, frozen=True):
    """An emergency, and what must now be shown to its person and sent to the others."""

    emergency: Emergency
    notices: tuple[str, ...]


class Used(Struct, frozen=True):
    """What was looked at in an emergency."""

    emergency: str
    scope: Scope
    at: int


class Review(Struct, frozen=True):
    """What somebody else thought of it."""

    reviewer: str
    justified: bool
    at: int


def start(
    register: Register, by: Caller, domain: str, reason: str, *, minutes: int, now: int
) -> Opened:
    """Open a domain to one person for some minutes."""
    ledger = register.ledger
    ledger.time(now)
    register.require(by, "breakglass.start", now)
    told = check_reason(reason)
    if minutes not in MINUTES:
        raise UsageError(f"an emergency lasts 15 to 60 minutes, not {minutes}")
    if not DOMAIN.fullmatch(domain):
        raise UsageError("a domain has 1 to 128 of A-Z, a-z, 0-9 and . _ / -")
    before = [emergency for emergency in _every(register) if emergency.person == by.person]
    event = Event("breakglass.start", by.person, now, about=domain, why=told)
    if any(now < emergency.ends for emergency in before):
        ledger.refuse(event, _OPEN)
    number = 1 + max((emergency.number for emergency in before), default=0)
    key = ledger.derive(SPACE, by.person, str(number))
    made = Emergency(key.hex()[:16], by.person, number, domain, told, now, now + 60 * minutes)
    ledger.tell(event)
    if not ledger.add(ledger.row(SPACE, key, made)):  # started twice in the same moment
        ledger.refuse(event, _OPEN)
    return Opened(made, tuple(_notices(register, made)))


def use(register: Register, by: Caller, scope: Scope, *, now: int) -> Grant:
    """Leave to do this in the caller's open emergency. What is looked at is written down first."""
    ledger = register.ledger
    ledger.time(now)
    register.require(by, "breakglass.start", now)
    check_scope(scope)
    open_now = [
        emergency
        for emergency in _every(register)
        if emergency.person == by.person and emergency.started <= now < emergency.ends
    ]
    event = Event(scope.action, by.person, now, about=scope.domain)
    if not open_now or open_now[0].domain != scope.domain:
        ledger.refuse(event, "no emergency of yours is open in this domain; start one")
    emergency = open_now[0]
    details = {"emergency": emergency.id, "subjects": str(len(scope.subjects) or scope.digest)}
    ledger.tell(structs.replace(event, why=emergency.reason, details=details))
    ledger.add(ledger.row(USES, ledger.random(16), Used(emergency.id, scope, now)))
    return Grant(emergency.id, by.person, scope)


def unreviewed(
    register: Register, by: Caller, now: int
) -> Iterator[tuple[Emergency, tuple[Used, ...]]]:
    """Every emergency that nobody has reviewed yet, open ones too, and what was looked at."""
    register.require(by, "breakglass.list", now)
    used = [use for _, use in register.ledger.every(USES, Used)]
    for emergency in _every(register):
        if not register.ledger.read(REVIEWS, emergency.id.encode(), Review):
            yield emergency, tuple(use for use in used if use.emergency == emergency.id)


def review(register: Register, by: Caller, id: str, *, justified: bool, now: int) -> None:
    """Somebody else's judgement, once it is over. It takes the emergency off the list."""
    ledger = register.ledger
    ledger.time(now)
    register.require(by, "breakglass.review", now)
    found = [emergency for emergency in _every(register) if emergency.id == id]
    if not found:
        raise AccessError(f"there is no emergency '{id}'; see the list")
    details = {"person": found[0].person, "justified": "yes" if justified else "no"}
    event = Event("breakglass.review", by.person, now, about=id, details=details)
    if found[0].person == by.person:
        ledger.refuse(event, "nobody reviews their own emergency; somebody else must")
    if now < found[0].ends:
        ledger.refuse(event, "the emergency is still open; review it when it is over")
    ledger.tell(event)
    if not ledger.add(ledger.row(REVIEWS, id.encode(), Review(by.person, justified, now))):
        ledger.refuse(event, "it was reviewed already; there is nothing to do")


_OPEN = "you have an open emergency, and none is extended; use it, or wait until it is over"


def _every(register: Register) -> list[Emergency]:
    found = [emergency for _, emergency in register.ledger.every(SPACE, Emergency)]
    return sorted(found, key=lambda emergency: (emergency.started, emergency.id))


def _notices(register: Register, emergency: Emergency) -> Iterator[str]:
    """What to show and send. The reason is not in it: it may name a patient."""
    until = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(emergency.ends))
    yield (
        f"EMERGENCY ACCESS: '{emergency.person}' has opened '{emergency.domain}' until {until}."
        " Everything that is looked at is logged and will be reviewed by somebody else."
    )
    people = register.people().values()
    may = [
        person.name
        for person in people
        if allowed(person.roles, "breakglass.review") and person.name != emergency.person
    ]
    yield f"To review emergency {emergency.id} when it is over: {', '.join(may) or 'nobody can'}."
