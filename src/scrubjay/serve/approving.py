"""`/v1/approvals`: what waits for two people's signatures. They sign where their keys are, which no
service is sent, and bring what they signed.
"""

from __future__ import annotations

import time

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from scrubjay.access import approvals, brought
from scrubjay.access.brought import Signed
from scrubjay.access.people import Caller
from scrubjay.errors import AccessError, UsageError, VaultError
from scrubjay.serve.asked import caller, read, shown
from scrubjay.serve.back import errand
from scrubjay.serve.call import Call, Content
from scrubjay.trust import Trust


def calls() -> list[Call]:
    """What there is."""
    rows = Content(list[ApprovalRow])
    return [
        Call("GET", "/v1/approvals", _list, "Requests that can be signed or used.", gives=rows),
        Call("GET", "/v1/approvals/{id}", _show, "A request, as its approvers sign it.",
             gives=Content(media="application/json"),
             sends={"Content-Disposition": "A name for it."}),
        Call("POST", "/v1/signatures", _bring, "An approver's signature, made where their key is.",
             takes=Content(Signed), gives=rows, fails=(UsageError, VaultError)),
    ]  # fmt: skip


class ApprovalRow(Struct, frozen=True):
    """A request that can still be signed or used. `digest`: of a list of tokens."""

    id: str
    requester: str
    reason: str
    action: str
    domain: str
    subjects: tuple[str, ...]
    digest: str
    issued: int
    expires: int
    signed: tuple[str, ...]

    def __repr__(self) -> str:
        return f"ApprovalRow(id={self.id!r}, action={self.action!r})"


async def _list(request: Request) -> Response:
    who = await caller(request)
    return shown(await errand(request, lambda trust: _rows(trust, who)))


def _rows(trust: Trust, who: Caller) -> list[ApprovalRow]:
    pending = approvals.pending(trust.register, who, int(time.time()))
    return [
        ApprovalRow(
            approvals.identify(one), one.requester, one.reason, one.scope.action, one.scope.domain,
            one.scope.subjects, one.scope.digest, one.issued, one.expires, signed,
        )
        for one, signed in pending
    ]  # fmt: skip


async def _show(request: Request) -> Response:
    who, id = await caller(request), request.path_params["id"]

    def found(trust: Trust) -> bytes:
        trust.require_of(who, "approvals.list")
        return approvals.canonical(approvals.find(trust.register, id))

    data = await errand(request, found)
    headers = {"Content-Disposition": f'attachment; filename="request-{id[:12]}.json"'}
    return Response(data, headers=headers, media_type="application/json")


async def _bring(request: Request) -> Response:
    who, given = await caller(request), await read(request, Signed)
    return shown(await errand(request, lambda trust: _brought(trust, who, given)))


def _brought(trust: Trust, who: Caller, given: Signed) -> list[ApprovalRow]:
    trust.require_of(who, "approvals.list")
    scope = approvals.find(trust.register, given.request).scope
    if scope.action == "restore.run" and trust.domain(scope.domain).pairs:
        raise AccessError(
            "a two-person domain takes a part of its key with your signature, which no service is"
            " sent: scrubjay approvals sign"
        )
    brought.bring(trust.register, who, given, now=int(time.time()))
    return _rows(trust, who)
