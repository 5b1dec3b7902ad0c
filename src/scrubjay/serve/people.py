"""`/v1/me`, and what goes on around people: emergencies, the ages of keys. Nothing of it is a
secret; who may see it is said by the matrix.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from scrubjay.access import breakglass
from scrubjay.access.matrix import allowed, matrix
from scrubjay.access.people import Caller
from scrubjay.serve.asked import caller, shown
from scrubjay.serve.back import errand
from scrubjay.serve.call import Call, Content
from scrubjay.trust import Trust
from scrubjay.vault.vault import Vault


def calls() -> list[Call]:
    """What there is."""
    rows: list[tuple[str, Callable[[Trust, Caller], Any], Any, str]] = [
        ("me", _me, Me, "Who has shown this key, and what may be done with it."),
        ("emergencies", _emergencies, list[EmergencyRow], "Emergencies that nobody reviewed."),
        ("keys", _keys, Keys, "How old keys are."),
    ]
    return [
        Call("GET", f"/v1/{path}", _told(do), told, gives=Content(kind))
        for path, do, kind, told in rows
    ]


class Me(Struct, frozen=True):
    """Who has shown a key, and what may be done with it."""

    person: str
    roles: tuple[str, ...]
    actions: list[str]


class EmergencyRow(Struct, frozen=True):
    """An emergency that nobody has reviewed, and how often something was looked at in it."""

    id: str
    person: str
    domain: str
    reason: str
    started: int
    ends: int
    uses: int

    def __repr__(self) -> str:
        return f"EmergencyRow({self.id!r}, person={self.person!r}, domain={self.domain!r})"


class KeyRow(Struct, frozen=True):
    """A key of the vault: since which day, and until which if it has an end."""

    name: str
    version: int
    created: str
    until: str = ""


class SlotRow(Struct, frozen=True):
    """What opens the vault."""

    name: str
    kind: str
    created: str


class ApiKeyRow(Struct, frozen=True):
    """An API key: its id is no secret."""

    person: str
    id: str
    expires: int


class Keys(Struct, frozen=True):
    """All of them."""

    vault: str
    keys: list[KeyRow]
    slots: list[SlotRow]
    api_keys: list[ApiKeyRow]


def _told(do: Callable[[Trust, Caller], Any]) -> Callable[[Request], Any]:
    async def handler(request: Request) -> Response:
        who = await caller(request)
        return shown(await errand(request, lambda trust: do(trust, who)))

    return handler


def _me(trust: Trust, who: Caller) -> Me:
    roles = trust.register.people()[who.person].roles
    rules, scope = matrix().rules, who.scope
    may = [
        action for action in matrix().actions
        if allowed(roles, action) and action not in rules.personal
        and (scope is None or action in scope)
    ]  # fmt: skip
    return Me(who.person, roles, may)


def _emergencies(trust: Trust, who: Caller) -> list[EmergencyRow]:
    found = breakglass.unreviewed(trust.register, who, int(time.time()))
    return [
        EmergencyRow(
            one.id, one.person, one.domain, one.reason, one.started, one.ends, len(uses)
        )
        for one, uses in found
    ]  # fmt: skip


def _keys(trust: Trust, who: Caller) -> Keys:
    trust.require_of(who, "keys.show")
    vault = trust.vault
    slots = [SlotRow(one.name, one.kind, one.created) for one in vault.slots]
    held = [
        ApiKeyRow(person.name, key.id, key.expires)
        for person in trust.register.people().values()
        for key in person.keys.values()
    ]
    return Keys(vault.id[:8], list(_versions(vault)), slots, held)


def _versions(vault: Vault) -> Iterator[KeyRow]:
    for tenant in vault.tenants():
        for version in tenant.about().versions:
            yield KeyRow(tenant.name, *version)
        for domain in tenant.domains():
            about = domain.about()
            for version in about.versions:
                yield KeyRow(f"{tenant.name}/{about.name}", *version)
