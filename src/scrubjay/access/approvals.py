"""Re-identification takes a reason and two signatures by two other people (docs/spec/access.md).

A request is data; its canonical bytes are what approvers sign and what its id is the digest of.
Everything is checked again when it is used: a person who may no longer approve has not approved.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct, structs

from scrubjay.access.ledger import Event, Ledger
from scrubjay.access.matrix import allowed, approved, matrix
from scrubjay.access.people import Caller, Person, Register
from scrubjay.access.signing import Public, Signer, signed
from scrubjay.errors import AccessError, UsageError

REQUESTS = "access.requests"
SIGNATURES = "access.signatures"
USES = "access.uses"
VERSION = "scrubjay-approval-v1"
NEEDED = 2
SHORTEST, LONGEST = 60, 7 * 86_400
SKEW = 60
MOST = 1000
DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
Parts = dict[int, dict[str, bytes]]  # of a version, for the approver whose part it fits
DOMAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}", re.ASCII)


class Scope(Struct, frozen=True):
    """What is to be done, to whom: either codes of subjects, or the SHA-256 of a list of them."""

    action: str
    domain: str
    subjects: tuple[str, ...] = ()
    digest: str = ""


class Request(Struct, frozen=True):
    """Who asks for it, why, and from when to when. `reason` is in no repr."""

    requester: str
    scope: Scope
    reason: str
    issued: int
    expires: int
    nonce: str

    def __repr__(self) -> str:
        return f"Request(requester={self.requester!r}, scope={self.scope!r})"


class Signature(Struct, frozen=True):
    """One approver's. `parts` are what `holders.give` gave towards a two-person domain's key, kept
    until the request is used or has expired."""

    approver: str
    signature: bytes
    at: int
    parts: Parts = {}
    expires: int = 0


class Use(Struct, frozen=True):
    """That a request was used, and when."""

    at: int


class Grant(Struct, frozen=True):
    """Leave to do it now, once. `by`: the approvers; empty in an emergency. `id`: of the request
    or of the emergency, for the log. `parts`: what each approver gave, for `holders.take`."""

    id: str
    who: str
    scope: Scope
    by: tuple[str, ...] = ()
    parts: dict[str, Parts] = {}

    def __repr__(self) -> str:
        return f"Grant({self.id!r}, who={self.who!r}, scope={self.scope!r}, by={self.by!r})"


def canonical(request: Request) -> bytes:
    """The one way to write a request: RFC 8785 of its members and its scope's (APP-2)."""
    members = structs.asdict(request) | structs.asdict(request.scope)
    del members["scope"]
    members["version"] = VERSION
    return _json(members)


def identify(request: Request) -> str:
    """A request's id (APP-3)."""
    return hashlib.sha256(canonical(request)).hexdigest()


def message(request: Request, approver: str) -> bytes:
    """What an approver signs: it names the approver, so that a signature is nobody else's."""
    return f"{VERSION}\n{approver}\n".encode() + canonical(request)


def sign(signer: Signer, request: Request, approver: str) -> bytes:
    """An approver's signature, made where the private key is, after reading the request."""
    return signer.sign(message(request, approver))


def ask(
    register: Register, by: Caller, scope: Scope, reason: str, *, lasts: int = 86_400, now: int
) -> str:
    """Ask for it; the request's id comes back."""
    register.ledger.time(now)
    register.require(by, "approvals.request", now)
    register.require(by, scope.action, now)
    check_scope(scope)
    if not SHORTEST <= lasts <= LONGEST:
        raise UsageError("an approval lasts from a minute to seven days; choose a time in between")
    nonce = register.ledger.random(16).hex()
    request = Request(by.person, scope, check_reason(reason), now, now + lasts, nonce)
    id = identify(request)
    event = _event("approvals.request", request, by.person, now)
    register.ledger.tell(structs.replace(event, why=request.reason))
    register.ledger.add(register.ledger.row(REQUESTS, bytes.fromhex(id), request))
    _wipe(register.ledger, lambda given: now >= given.expires)
    return id


def find(register: Register, id: str) -> Request:
    """A request by its id, and what it says is what its id says."""
    request = None
    if DIGEST.fullmatch(id):
        request = register.ledger.read(REQUESTS, bytes.fromhex(id), Request)
    if request is None or identify(request) != id:
        raise AccessError("there is no such request; ask for one")
    return request


def pending(register: Register, by: Caller, now: int) -> Iterator[tuple[Request, tuple[str, ...]]]:
    """Requests that can still be signed or used, and who has signed."""
    register.require(by, "approvals.list", now)
    ledger = register.ledger
    for key, request in ledger.every(REQUESTS, Request):
        if now < request.expires and not ledger.read(USES, key, Use):
            yield request, tuple(_standing(register, request))


def approve(
    register: Register, by: Caller, id: str, signature: bytes, *, parts: Parts | None = None,
    now: int,
) -> None:  # fmt: skip
    """Keep an approver's signature, and their part of a two-person domain's key."""
    register.ledger.time(now)
    approver = register.require(by, "approvals.sign", now)
    request = find(register, id)
    event = _event("approvals.sign", request, by.person, now)
    if problem := _stale(register.ledger, request, now) or _unfit(register, request, approver):
        register.ledger.refuse(event, problem)
    if not made(approver, request, signature):
        register.ledger.refuse(
            event, "the signature is not of this request by your registered key; sign it again"
        )
    kept = Signature(by.person, signature, now, parts or {}, request.expires)
    register.ledger.tell(event)
    register.ledger.change([register.ledger.row(SIGNATURES, _place(register, id, by.person), kept)])


def use(register: Register, by: Caller, id: str, scope: Scope, *, now: int) -> Grant:
    """Use an approval for exactly what it says. Of several who use it at once one gets it; if that
    cannot be logged, nobody (ACC-15)."""
    register.ledger.time(now)
    register.require(by, scope.action, now)
    request = find(register, id)
    event = _event(scope.action, request, by.person, now)
    problem = _stale(register.ledger, request, now)
    if by.person != request.requester:
        problem = "the approval is another person's; ask for your own"
    if scope != request.scope:
        problem = "the approval is for something else; do exactly that, or ask for another"
    given = _standing(register, request)
    signers = tuple(given)
    if not problem and len(signers) < NEEDED:
        problem = f"{len(signers)} of {NEEDED} people have approved; more must sign"
    if problem:
        register.ledger.refuse(event, problem)
    if not register.ledger.add(register.ledger.row(USES, bytes.fromhex(id), Use(now))):
        register.ledger.refuse(event, _USED)
    details = event.details | {"approvers": " ".join(signers)}
    register.ledger.tell(structs.replace(event, why=request.reason, details=details))
    made = {one.signature for one in given.values()}
    _wipe(register.ledger, lambda kept: kept.signature in made)
    return Grant(id, by.person, scope, signers, {name: one.parts for name, one in given.items()})


def check_scope(scope: Scope) -> None:
    """One way to say it: sorted codes, each once, or a digest, never both and never neither."""
    if not approved(scope.action):
        known = ", ".join(matrix().rules.approved)
        raise UsageError(f"'{scope.action}' takes no approval; these do: {known}")
    if not DOMAIN.fullmatch(scope.domain):
        raise UsageError("a domain has 1 to 128 of A-Z, a-z, 0-9 and . _ / -")
    if bool(scope.subjects) == bool(scope.digest):
        raise UsageError("name either the subjects' codes, or the digest of a list of them")
    if scope.digest and not DIGEST.fullmatch(scope.digest):
        raise UsageError("a scope's digest is a SHA-256 in lower-case hexadecimal")
    if len(scope.subjects) > MOST:
        raise UsageError(f"a request names at most {MOST} codes; give the digest of the list")
    if list(scope.subjects) != sorted({*scope.subjects} - {""}):
        raise UsageError("subjects' codes are sorted, each once, and none is empty")
    _check_shown(*scope.subjects)


def digest(subjects: Iterable[str]) -> str:
    """What `Scope.digest` says of a list of codes, in whatever order and however often (APP-5)."""
    told = sorted(set(subjects))
    _check_shown(*told)
    return hashlib.sha256(_json(told)).hexdigest()


def check_reason(reason: str) -> str:
    """A reason in a person's words that a reviewer can judge later."""
    told = reason.strip()
    if not 8 <= len(told) <= 1000:
        raise UsageError("a reason has 8 to 1000 characters; say why it is needed")
    _check_shown(told)
    return told


def _json(value: object) -> bytes:
    """RFC 8785, for what holds strings, whole numbers and ASCII names alone."""
    told = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return told.encode("utf-8")


_USED = "this approval was used; ask for another"


def _check_shown(*words: str) -> None:
    """What approvers see must be what they sign: nothing that moves a cursor or turns a line."""
    if not all(word.isprintable() for word in words):
        raise UsageError("a code or the reason has a character that cannot be shown; take it out")


def _event(action: str, request: Request, who: str, now: int) -> Event:
    details = {"domain": request.scope.domain, "for": request.scope.action}
    return Event(action, who, now, about=identify(request), details=details)


def _stale(ledger: Ledger, request: Request, now: int) -> str:
    """Why this request is of no use at this time, if so."""
    if now >= request.expires:
        return "the approval has expired; ask for another"
    if now < request.issued - SKEW:
        return "the approval is from the future; set this machine's clock right"
    if ledger.read(USES, bytes.fromhex(identify(request)), Use):
        return _USED
    return ""


def _unfit(register: Register, request: Request, approver: Person) -> str:
    """Why this person's signature would not count, if so."""
    if approver.approver is None:
        return "you have no registered signing key; an administrator must register it"
    asking = register.people().get(request.requester)
    if asking is None or approver.name == asking.name or _same_hands(asking, approver):
        return "nobody approves their own request; two other people must"
    return ""


def _same_hands(one: Person, other: Person) -> bool:
    """Whether two accounts share a key. The register refuses that; this does not trust it."""
    keys = [_halves(person) for person in (one, other) if person.approver]
    return len(keys) == 2 and not keys[0].isdisjoint(keys[1])


def _halves(person: Person) -> set[bytes]:
    public = person.approver.public if person.approver else Public(b"", b"")
    return {public.verify, public.receive}


def _standing(register: Register, request: Request) -> dict[str, Signature]:
    """Who has approved, may do so now, and did it with the key that is theirs now."""
    found: dict[bytes, Signature] = {}
    for person, given in _signatures(register, request):
        fit = not _unfit(register, request, person) and made(person, request, given.signature)
        if fit and person.approver:
            found[person.approver.public.verify] = given
    return {one.approver: one for one in sorted(found.values(), key=lambda one: one.approver)}


def made(person: Person, request: Request, signature: bytes) -> bool:
    """Whether this person's registered key signed this request in their name."""
    if person.approver is None:
        return False
    return signed(person.approver.public, message(request, person.name), signature)


def approvers(register: Register) -> list[Person]:
    """Those who may sign now."""
    return [
        person
        for person in register.people().values()
        if not person.left and not person.service and allowed(person.roles, "approvals.sign")
    ]


def _signatures(register: Register, request: Request) -> Iterator[tuple[Person, Signature]]:
    """Those who may sign now, and have."""
    may = approvers(register)
    keys = [_place(register, identify(request), person.name) for person in may]
    for person, row in zip(may, register.ledger.reads(SIGNATURES, keys, Signature), strict=True):
        if row:
            yield person, row


def _wipe(ledger: Ledger, over: Callable[[Signature], bool]) -> None:
    """Take parts out that serve no more (TOK-38). The signatures stay."""
    rows = [
        ledger.row(SIGNATURES, key, structs.replace(given, parts={}))
        for key, given in ledger.every(SIGNATURES, Signature)
        if given.parts and over(given)
    ]
    if rows:
        ledger.change(rows)


def _place(register: Register, id: str, approver: str) -> bytes:
    return register.ledger.derive(SIGNATURES, id, approver)
