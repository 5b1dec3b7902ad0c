"""People and services, their roles and their ways in: a register that is one sealed row.

Every change writes the whole register under the next version number. Of two who change it at once
one wins and the other tries again on top; a single person's row cannot be put back to an older one;
and who remembers the newest version that was seen notices an older store (`least`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct, field, structs

from scrubjay.access.ledger import Event, Ledger
from scrubjay.access.matrix import allowed, clashes, matrix
from scrubjay.access.signing import Public, check_public
from scrubjay.errors import AccessError, VaultError

SPACE = "access.people"
NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}", re.ASCII)
TRIES = 20


class ApiKey(Struct, frozen=True):
    """What is kept of an API key: never the key. `scope`: the only actions that it may be used
    for."""

    id: str
    digest: bytes
    scope: tuple[str, ...]
    expires: int
    per_minute: int

    def __repr__(self) -> str:
        return f"ApiKey({self.id!r}, scope={self.scope!r}, expires={self.expires})"


class Approver(Struct, frozen=True):
    """A person's public keys, and who says that they are theirs."""

    public: Public
    by: str
    at: int


class Person(Struct, frozen=True):
    """A person, or a service. Names are never used again: who is gone stays, with `left`."""

    name: str
    roles: tuple[str, ...]
    by: str
    since: int
    service: bool = False
    left: int = 0
    approver: Approver | None = None
    certificates: tuple[str, ...] = ()  # "sha256:<hex>", or "email:", "dns:", "uri:" and a name
    subjects: tuple[str, ...] = ()  # "<issuer> <sub>" of a token
    keys: dict[str, ApiKey] = field(default_factory=dict)
    logged_off: int = 0  # sessions that began before are over


class Provider(Struct, frozen=True):
    """An identity provider whose tokens are taken: for whom they must be, the claim that says who
    it is, and its key set as it was read last."""

    audience: str
    claim: str
    keys: str
    at: int


class Caller(Struct, frozen=True):
    """Who makes this one call. Roles are not in it: they are looked up when they are needed."""

    person: str
    via: str = "local"
    scope: tuple[str, ...] | None = None


class _Version(Struct, frozen=True):
    """Everybody, None once there is a later version; and whose tokens are taken."""

    people: dict[str, Person] | None
    issuers: dict[str, Provider] = field(default_factory=dict)


_Seen = tuple[int, dict[str, Person], dict[str, Provider]]


class Register:
    """Everybody, as of now: what another process has changed counts at the next call."""

    def __init__(self, ledger: Ledger, *, least: int = 0) -> None:
        self.ledger = ledger
        self._seen: _Seen = (0, {}, {})
        if self.version < least:
            raise VaultError(
                f"the register of people is version {self.version}, but {least} was seen:"
                " an old store was put back; restore the latest backup"
            )

    @property
    def version(self) -> int:
        """How often it has changed. Remember it, and give it back as `least`."""
        return self._refresh()[0]

    def people(self) -> Mapping[str, Person]:
        """Everybody by name, those who left too."""
        return self._refresh()[1]

    def issuers(self) -> Mapping[str, Provider]:
        """Whose tokens are taken."""
        return self._refresh()[2]

    def require(self, caller: Caller, action: str, now: int) -> Person:
        """Who calls, if they may do this now; else it is logged and refused."""
        person = self.people().get(caller.person)
        event = Event(action, caller.person, now, details={"via": caller.via})
        if person is None or person.left:
            self.ledger.refuse(event, f"'{caller.person}' is not known here; ask an administrator")
        if not allowed(person.roles, action):
            may = " or ".join(matrix().actions.get(action, ()))
            why = f"it takes the role {may}" if may else "no role may"
            self.ledger.refuse(event, f"'{person.name}' may not {action}: {why}")
        if caller.scope is not None and action not in caller.scope:
            self.ledger.refuse(event, f"this API key is not for {action}; use one whose scope is")
        if action in matrix().rules.personal and (person.service or caller.scope is not None):
            self.ledger.refuse(event, f"no service and no API key may {action}; sign in yourself")
        key = person.keys.get(caller.via.removeprefix("key "))
        if caller.scope is not None and (key is None or now >= key.expires):
            self.ledger.refuse(
                event, "this API key was revoked or expired meanwhile; ask for another"
            )
        return person

    def change(
        self,
        event: Event,
        edit: Callable[[dict[str, Person]], dict[str, Person]],
        issuers: Callable[[dict[str, Provider]], dict[str, Provider]] = dict,
    ) -> None:
        """Log, then write what `edit` makes of everybody, on top of every change before it."""
        for _ in range(TRIES):
            last, now, known = self._refresh()
            new = _Version(edit(dict(now)), issuers(dict(known)))
            if problem := next(_problems(new.people or {}), ""):
                self.ledger.refuse(event, problem)
            details = event.details | {"register": str(last + 1)}
            self.ledger.tell(structs.replace(event, details=details))
            if self.ledger.add(self.ledger.row(SPACE, _number(last + 1), new)):
                if last:  # its number stays taken: a late writer must not find it free
                    self.ledger.change([self.ledger.row(SPACE, _number(last), _Version(None))])
                self._refresh()
                return
        raise AccessError("the register of people is changed by others all the time; try again")

    def _refresh(self) -> _Seen:
        number, people, issuers = self._seen
        newest = _Version(people, issuers)
        if not number and (taken := self.ledger.keys(SPACE)):
            number = int.from_bytes(taken[-1], "big") - 1
        while later := self._at(number + 1):
            number, newest = number + 1, later
        if newest.people is None:  # a version is blanked only after the next is there
            raise VaultError("the register of people is not whole; restore the latest backup")
        self._seen = (number, newest.people, newest.issuers)
        return self._seen

    def _at(self, version: int) -> _Version | None:
        return self.ledger.read(SPACE, _number(version), _Version)


def found(register: Register, name: str, now: int) -> None:
    """The first administrator, of a register that is empty."""

    def edit(people: dict[str, Person]) -> dict[str, Person]:
        if people:
            raise AccessError("there are people already; an administrator adds others")
        return {name: Person(name, ("administer",), by=name, since=now)}

    register.change(Event("people.add", name, now, about=name), edit)


def add(
    register: Register,
    by: Caller,
    name: str,
    *,
    roles: tuple[str, ...],
    service: bool = False,
    now: int,
) -> None:
    """Somebody new."""
    register.require(by, "people.add", now)

    def edit(people: dict[str, Person]) -> dict[str, Person]:
        if name in people:
            raise AccessError(f"'{name}' is taken, or was once; choose another name")
        return people | {name: Person(name, roles, by=by.person, since=now, service=service)}

    details = {"roles": " ".join(roles)}
    register.change(Event("people.add", by.person, now, about=name, details=details), edit)


def set_roles(
    register: Register, by: Caller, name: str, roles: tuple[str, ...], *, now: int
) -> None:
    """Give and take roles. It counts at once, in open sessions too."""
    register.require(by, "people.change", now)
    event = Event("people.change", by.person, now, about=name, details={"roles": " ".join(roles)})
    _not_oneself(register, event)
    _amend(register, event, lambda person: structs.replace(person, roles=roles))


def remove(register: Register, by: Caller, name: str, *, now: int) -> None:
    """Take away roles, keys and ways in, for good."""
    register.require(by, "people.remove", now)
    event = Event("people.remove", by.person, now, about=name)
    _amend(
        register,
        event,
        lambda person: structs.replace(
            person, roles=(), left=now, approver=None, certificates=(), subjects=(), keys={}
        ),
    )


def link(
    register: Register,
    by: Caller,
    name: str,
    *,
    certificates: tuple[str, ...] | None = None,
    subjects: tuple[str, ...] | None = None,
    now: int,
) -> None:
    """This person's certificates (`certificates.names`) and tokens' subjects ("<issuer> <sub>"),
    instead of those before; None leaves them. Open sessions end."""
    register.require(by, "people.change", now)
    given = {"certificates": certificates, "subjects": subjects}
    ways = {what: held for what, held in given.items() if held is not None}
    details = {what: " ".join(held) for what, held in ways.items()}
    event = Event("people.change", by.person, now, about=name, details=details)
    _not_oneself(register, event)
    _amend(register, event, lambda person: structs.replace(person, **ways, logged_off=now))


def set_approver(
    register: Register, by: Caller, name: str, public: Public | None, *, now: int
) -> None:
    """The public keys of a person who signs; somebody else must vouch for them."""
    register.require(by, "people.signer", now)
    if public:
        check_public(public)
    given = Approver(public, by.person, now) if public else None
    details = {"verify": public.verify.hex() if public else ""}
    event = Event("people.signer", by.person, now, about=name, details=details)
    _not_oneself(register, event)
    _amend(register, event, lambda person: structs.replace(person, approver=given))


def log_off(register: Register, by: Caller, name: str, *, now: int) -> None:
    """End all sessions of a person."""
    action = "people.own" if by.person == name else "people.change"
    register.require(by, action, now)
    event = Event(action, by.person, now, about=name, details={"sessions": "ended"})
    _amend(register, event, lambda person: structs.replace(person, logged_off=now))


def set_time(register: Register, by: Caller, now: int) -> None:
    """Accept the time that the clock shows, after it was set back to the right one."""
    register.require(by, "people.clock", now)
    register.ledger.tell(Event("people.clock", by.person, now))
    register.ledger.set_time(now)


def keep_key(register: Register, event: Event, key: ApiKey) -> None:
    """Put an API key to the person that the event is about."""
    _amend(
        register, event, lambda person: structs.replace(person, keys=person.keys | {key.id: key})
    )


def drop_key(register: Register, event: Event, id: str) -> None:
    """Take an API key away from the person that the event is about."""

    def without(person: Person) -> Person:
        if id not in person.keys:
            raise AccessError(f"'{person.name}' has no API key '{id}'")
        return structs.replace(person, keys={k: v for k, v in person.keys.items() if k != id})

    _amend(register, event, without)


def _amend(register: Register, event: Event, change: Callable[[Person], Person]) -> None:
    def edit(people: dict[str, Person]) -> dict[str, Person]:
        person = people.get(event.about)
        if person is None or person.left:
            raise AccessError(f"'{event.about}' is not known here; add them first")
        return people | {event.about: change(person)}

    register.change(event, edit)


def _not_oneself(register: Register, event: Event) -> None:
    if event.who == event.about:
        register.ledger.refuse(
            event, "nobody sets their own roles, ways in or signing key; another administrator must"
        )


def _problems(people: Mapping[str, Person]) -> Iterator[str]:
    """Why the register cannot be like this, if so."""
    for person in people.values():
        if not NAME.fullmatch(person.name):
            yield "a name has 1 to 64 of a-z, 0-9 and . _ @ -, and begins with a letter or digit"
        if unknown := sorted(set(person.roles) - matrix().roles.keys()):
            known = ", ".join(matrix().roles)
            yield f"unknown role '{unknown[0]}'; known: {known}"
        for one, other in clashes(person.roles):
            yield f"nobody has both roles {one} and {other}; give one of them to another person"
    if not any("administer" in person.roles for person in people.values()):
        yield "somebody must administer; name another administrator first"
    for what, held in _unique(people):
        if len(held) != len(set(held)):
            yield f"two people would have the same {what}; each needs their own"


def _unique(people: Mapping[str, Person]) -> Iterator[tuple[str, list[str]]]:
    """What may not occur twice, for then one could act as two (ACC-12)."""
    signers = [person.approver.public for person in people.values() if person.approver]
    yield "signing key", [public.verify.hex() for public in signers]
    yield "receiving key", [public.receive.hex() for public in signers]
    yield "certificate", [held for person in people.values() for held in person.certificates]
    yield "token subject", [held for person in people.values() for held in person.subjects]


def _number(version: int) -> bytes:
    return version.to_bytes(8, "big")
