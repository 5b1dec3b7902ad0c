"""Who is calling: an API key, a client certificate or a token becomes a caller, or is refused.

Both are logged: who came in how, and who was refused why; never what was shown.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from hashlib import sha256

from msgspec import Struct, structs

from scrubjay.access import attempts, oidc
from scrubjay.access.ledger import Event, Ledger
from scrubjay.access.matrix import matrix
from scrubjay.access.people import ApiKey, Caller, Person, Provider, Register, drop_key, keep_key
from scrubjay.errors import AccessError, UsageError

FORM = re.compile(r"sjk_([a-z2-7]{16})_([a-z2-7]{52})", re.ASCII)
YEAR = 366 * 86_400
SHORTEST = 24  # characters of an API key that somebody chose


class Terms(Struct, frozen=True):
    """What an API key is for: some actions, until a time, so many requests a minute."""

    scope: tuple[str, ...]
    expires: int
    per_minute: int = 600


def issue(register: Register, by: Caller, name: str, terms: Terms, *, now: int) -> str:
    """An API key, shown this once. A person makes their own, so that nobody else has seen it; an
    administrator makes those of services."""
    person = register.people().get(name)
    own = by.person == name or person is None or not person.service
    action = "people.own" if own else "people.issue"
    register.require(by, action, now)
    event = Event(action, by.person, now, about=name)
    if own and by.person != name:
        register.ledger.refuse(event, "people make their own API keys; only services get theirs")
    if by.scope is not None:  # else a narrow key could make a wide one
        register.ledger.refuse(event, "an API key makes no API keys; sign in yourself")
    _check(terms, now)
    made = f"sjk_{_word(register.ledger, 10)}_{_word(register.ledger, 32)}"
    _keep(register, event, made, terms)
    return made


def preset(
    register: Register, by: Caller, name: str, shown: str, *, terms: Terms, now: int
) -> None:
    """A service's API key that somebody chose, who must see to it that it cannot be guessed."""
    register.require(by, "people.issue", now)
    check_preset(shown)
    _check(terms, now)
    _keep(register, Event("people.issue", by.person, now, about=name), shown, terms)


def check_preset(shown: str) -> None:
    """Refuse a key that is guessed."""
    if len(shown) < SHORTEST:
        raise UsageError(f"an API key of {len(shown)} characters is guessed: take {SHORTEST}")


def _keep(register: Register, event: Event, shown: str, terms: Terms) -> None:
    id, secret = _parts(register.ledger, shown)
    digest = _digest(register.ledger, id, secret)
    kept = ApiKey(id, digest, terms.scope, terms.expires, terms.per_minute)
    details = {"key": id, "scope": " ".join(terms.scope)}
    keep_key(register, structs.replace(event, details=details), kept)


def _parts(ledger: Ledger, shown: str) -> tuple[str, str]:
    """An API key's public and secret part. One that somebody chose has no public part of its own,
    and what is made of it tells nobody whether a guess is right."""
    if match := FORM.fullmatch(shown):
        return match[1], match[2]
    return _letters(ledger.derive("access preset", shown)[:10]), shown


def revoke(register: Register, by: Caller, name: str, id: str, *, now: int) -> None:
    """An API key no longer opens anything. Its id is the part after `sjk_`."""
    action = "people.own" if by.person == name else "people.issue"
    register.require(by, action, now)
    event = Event(action, by.person, now, about=name, details={"key": id, "revoked": "yes"})
    drop_key(register, event, id)


def by_key(
    register: Register, shown: str, source: str, *, rates: attempts.Rates, now: int
) -> Caller:
    """The caller behind an API key. `source` is where the call comes from: an address, or for IPv6
    its first 64 bits. One that does not exist takes the same steps as one with a wrong secret."""
    ledger = register.ledger
    ledger.time(now)
    id, secret = _parts(ledger, shown)
    names = (f"source {source}", f"key {id}")
    attempts.check(ledger, names, now)
    owner, key = _keys(register.people()).get(id, _NOBODY)
    same = hmac.compare_digest(_digest(ledger, id, secret), key.digest)
    event = Event("entry.key", owner, now, details={"key": id, "source": source})
    if not same or now >= key.expires:
        attempts.failed(ledger, names, now)
        event.details["why"] = "expired" if same else "wrong" if owner else "unknown"
        ledger.refuse(event, "this API key is unknown, wrong or expired; ask for another")
    attempts.passed(ledger, names[1])
    if rates.take(id, key.per_minute, now):
        ledger.tell(event)
    return Caller(owner, f"key {id}", key.scope)


def set_issuer(
    register: Register, by: Caller, name: str, provider: Provider | None, *, now: int
) -> None:
    """Take tokens of an identity provider, by this key set and no other; None: no longer. Open
    sessions of people whom its tokens name end."""
    register.require(by, "people.issuer", now)
    details = {"removed": "yes"}
    if provider:
        oidc.issuer(name, provider.audience, provider.keys.encode(), provider.claim)
        digest = sha256(provider.keys.encode()).hexdigest()
        details = {"audience": provider.audience, "claim": provider.claim, "keys": digest}

    def logged_off(people: dict[str, Person]) -> dict[str, Person]:
        named = [who for who in people.values() if any(_of(name, way) for way in who.subjects)]
        return people | {who.name: structs.replace(who, logged_off=now) for who in named}

    def listed(issuers: dict[str, Provider]) -> dict[str, Provider]:
        if not provider and name not in issuers:
            raise AccessError(f"no issuer '{name}' is known here; see scrubjay people list")
        others = {other: known for other, known in issuers.items() if other != name}
        return others | {name: provider} if provider else others

    event = Event("people.issuer", by.person, now, about=name, details=details)
    register.change(event, logged_off, listed)


def by_token(register: Register, token: str, source: str, *, now: int) -> Caller:
    """The caller behind a token of an identity provider that is registered. Who sends forged ones
    has to wait like who guesses keys; who sends an old one of their own has not."""
    ledger = register.ledger
    ledger.time(now)
    names = (f"source {source}",)
    attempts.check(ledger, names, now)
    event = Event("entry.token", "", now, details={"source": source})
    try:
        issuer = _issuer(register, oidc.claimed(token))
        claims = oidc.read(token, issuer)
    except AccessError as problem:
        attempts.failed(ledger, names, now)
        ledger.refuse(event, str(problem))
    subject = f"{claims.iss} {getattr(claims, issuer.claim)}"
    event.details["subject"] = subject
    try:
        oidc.check(claims, issuer, now)
    except AccessError as problem:
        ledger.refuse(event, str(problem))
    return linked(register, "subjects", (subject,), event)


def linked(register: Register, field: str, shown: tuple[str, ...], event: Event) -> Caller:
    """Whose one of these ways is, logged; nobody, if they lead to two."""
    people = _by(register.people(), field)
    found = {people[way] for way in shown if way in people}
    if len(found) != 1:
        what = event.action.removeprefix("entry.")
        register.ledger.refuse(event, f"this {what} is nobody's here; ask an administrator")
    [name] = found
    register.ledger.tell(structs.replace(event, who=name))
    return Caller(name, event.action.removeprefix("entry."))


def _issuer(register: Register, name: str) -> oidc.Issuer:
    provider = register.issuers().get(name)
    if provider is None:
        raise AccessError("the token's issuer is not known here; ask an administrator")
    return oidc.issuer(name, provider.audience, provider.keys.encode(), provider.claim)


def _of(issuer: str, subject: str) -> bool:
    return subject.partition(" ")[0] == issuer


_NOBODY = ("", ApiKey("", bytes(32), (), 0, 1))


def _keys(people: Mapping[str, Person]) -> dict[str, tuple[str, ApiKey]]:
    return {id: (name, key) for name, who in people.items() for id, key in who.keys.items()}


def _by(people: Mapping[str, Person], field: str) -> dict[str, str]:
    return {way: name for name, person in people.items() for way in getattr(person, field)}


def _word(ledger: Ledger, size: int) -> str:
    return _letters(ledger.random(size))


def _letters(data: bytes) -> str:
    return base64.b32encode(data).decode("ascii").rstrip("=").lower()


def _digest(ledger: Ledger, id: str, secret: str) -> bytes:
    """Keyed, so that a stolen store does not even let one check a guess (KEY-3)."""
    return ledger.derive("access api key", id, secret)


def _check(terms: Terms, now: int) -> None:
    known = matrix().actions
    if unknown := [action for action in terms.scope if action not in known]:
        raise UsageError(f"unknown action '{unknown[0]}' in the scope; known: {', '.join(known)}")
    if not now < terms.expires <= now + YEAR:
        raise UsageError("an API key expires within a year; give a time in it")
    if terms.per_minute < 1:
        raise UsageError("an API key needs at least one request a minute")
