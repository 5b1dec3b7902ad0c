"""`/v1/policies`: those that requests can name, what they say, and new ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import structs
from starlette.requests import Request
from starlette.responses import Response

from scrubjay import policies
from scrubjay.access.people import Caller
from scrubjay.audit.entry import Entry
from scrubjay.errors import PolicyError
from scrubjay.serve import saved
from scrubjay.serve.asked import body, caller, shown
from scrubjay.serve.back import errand
from scrubjay.serve.call import Call, Content
from scrubjay.serve.clerk import POLICIES
from scrubjay.serve.types import PolicyRow
from scrubjay.trust import Trust
from scrubjay.types import Policy

TOML = "application/toml"


def calls() -> list[Call]:
    """What there is."""
    one = "/v1/policies/{name}"
    written = Content(media=TOML)
    return [
        Call("GET", "/v1/policies", _list, "Policies that a request can name.",
             gives=Content(list[PolicyRow])),
        Call("GET", one, _show, "A policy as it was written; as JSON, all that is in force.",
             gives=(written, Content(InForce)), fails=(PolicyError,)),
        Call("PUT", one, _save, "Save a policy under a name of your own.",
             takes=(written, Content(dict[str, Any])), gives=Content(PolicyRow),
             fails=(PolicyError,)),
    ]  # fmt: skip


class InForce(Policy, frozen=True):
    """A policy with what it extends, and its digest."""

    digest: str = ""


async def _list(request: Request) -> Response:
    who = await caller(request)
    await errand(request, lambda trust: trust.require_of(who, "policy.show"))
    return shown(await request.app.state.all.desk.ask(POLICIES, None, 1))


async def _show(request: Request) -> Response:
    """As it was written; to who takes JSON, all that is in force, with what it extends."""
    who, name = await caller(request), request.path_params["name"]
    await errand(request, lambda trust: trust.require_of(who, "policy.show"))
    path = _path(request, name)
    if "application/json" in request.headers.get("accept", ""):
        loaded = policies.load(path)
        return shown(InForce(**structs.asdict(loaded), digest=policies.digest(loaded)))
    return Response(path.read_bytes(), media_type=TOML)


def _path(request: Request, name: str) -> Path:
    """Its file: the service's own policy may lie anywhere."""
    own = request.app.state.all.back.settings.policy
    is_file = own not in policies.names() and not saved.is_saved(name)
    if is_file and policies.load(own).name == name:
        return Path(own)
    return saved.found(name)[0]


async def _save(request: Request) -> Response:
    who, name = await caller(request), request.path_params["name"]
    await errand(request, lambda trust: trust.require_of(who, "policy.change"))
    data = await body(request, saved.LARGEST)
    is_json = "json" in request.headers.get("content-type", "")
    return shown(
        await errand(request, lambda trust: _saved(trust, who, name, data, is_json=is_json))
    )


def _saved(trust: Trust, who: Caller, name: str, data: bytes, *, is_json: bool) -> PolicyRow:
    trust.require_of(who, "policy.change")
    source, policy = saved.checked(name, data, is_json=is_json)
    digest = policies.digest(policy)
    entry = Entry("", "", "", "done", policy=digest, about=name)
    trust.tell_of(who, "policy.change", "administer", [entry])
    saved.save(name, source)
    return PolicyRow(name, policy.description, digest)
