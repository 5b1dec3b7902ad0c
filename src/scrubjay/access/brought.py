"""Signatures that are made elsewhere and brought: on a machine that has the approver's key and no
vault (docs/spec/access.md, APP-11). Who brings one need not be who made it.
"""

from __future__ import annotations

import time

import msgspec
from msgspec import Struct, structs

from scrubjay.access import approvals
from scrubjay.access.approvals import Request, Scope
from scrubjay.access.ledger import Event
from scrubjay.access.people import NAME, Caller, Register
from scrubjay.access.signing import Signer
from scrubjay.errors import InputError


class Signed(Struct, frozen=True, forbid_unknown_fields=True):
    """A signature's file: whose it is, and the id of what it signs."""

    approver: str
    request: str
    signature: bytes


def read(data: bytes) -> Request:
    """A request from its file, which is its canonical form and nothing else: what is signed is all
    that it says."""
    try:
        request = _plain(data)
        same = approvals.canonical(request) == data
    except (ValueError, KeyError):  # what msgspec raises is a ValueError
        same = False
    if not same:
        raise InputError("this is no request as the service gives it: fetch it again")
    approvals.check_scope(request.scope)
    approvals.check_reason(request.reason)
    if not NAME.fullmatch(request.requester):
        raise InputError("the request's asker has a name that nobody can have: do not sign it")
    return request


def _plain(data: bytes) -> Request:
    told = msgspec.json.decode(data, type=dict[str, object])
    scope = {name: told.pop(name) for name in Scope.__struct_fields__}
    return msgspec.convert(told | {"scope": scope}, Request)


def shown(request: Request) -> str:
    """All that a request says, for who is to sign it."""
    until = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(request.expires))
    scope = request.scope
    what = ", ".join(scope.subjects) or f"tokens with the digest {scope.digest}"
    return (
        f"{request.requester} asks for {scope.action} in {scope.domain}, once, until {until}\n"
        f"of: {what}\nbecause: {request.reason}"
    )


def sign(signer: Signer, request: Request, approver: str) -> Signed:
    """An approver's signature, for `bring`."""
    made = approvals.sign(signer, request, approver)
    return Signed(approver, approvals.identify(request), made)


def bring(register: Register, by: Caller, given: Signed, *, now: int) -> None:
    """Keep a signature as its approver's. It is looked at first: nothing is done, or logged, in the
    name of somebody who has not signed."""
    register.require(by, "approvals.list", now)
    request = approvals.find(register, given.request)
    approver = register.people().get(given.approver)
    event = Event("approvals.bring", by.person, now, about=given.request)
    if approver is None or not approvals.made(approver, request, given.signature):
        register.ledger.refuse(event, _NOT_THEIRS)
    register.ledger.tell(structs.replace(event, details={"approver": approver.name}))
    approvals.approve(
        register, Caller(approver.name, "signature"), given.request, given.signature, now=now
    )


_NOT_THEIRS = (
    "the signature is not of this request by the registered key of whom it names; sign it again"
)
