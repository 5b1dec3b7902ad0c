"""`/v1/restore` and `/v1/reveal`: who stands behind tokens and codes, once two others agree."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from scrubjay import restore
from scrubjay.access import approvals
from scrubjay.access.approvals import Scope
from scrubjay.access.people import Caller
from scrubjay.audit.entry import Entry
from scrubjay.errors import (
    AccessError,
    RefusedError,
    ScrubjayError,
    UsageError,
    VaultError,
)  # fmt: skip
from scrubjay.serve.asked import caller, read, shown
from scrubjay.serve.back import errand
from scrubjay.serve.call import Call, Content
from scrubjay.trust import Trust, disclosed
from scrubjay.types import Document


def calls() -> list[Call]:
    """What there is."""
    fails = (UsageError, VaultError, RefusedError)
    return [
        Call("POST", "/v1/restore", _restore, "A text with what its tokens and surrogates hide.",
             takes=Content(Tokens), gives=Content(Restored), fails=fails),
        Call("POST", "/v1/reveal", _reveal, "Whose codes these are.",
             takes=Content(Codes), gives=Content(Revealed), fails=fails),
    ]  # fmt: skip


class Tokens(Struct, frozen=True, forbid_unknown_fields=True):
    """A text with tokens of a domain, TENANT/DOMAIN, and the id of an approval for these.
    `surrogates_of`: subjects whose surrogates are put back, too, as the approval says."""

    text: str
    domain: str
    approval: str
    surrogates_of: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Tokens(domain={self.domain!r}, approval={self.approval!r})"


class Codes(Struct, frozen=True, forbid_unknown_fields=True):
    """Codes of a domain, and the id of an approval for these."""

    codes: tuple[str, ...]
    domain: str
    approval: str


class Restored(Struct, frozen=True):
    """The text as it was."""

    text: str

    def __repr__(self) -> str:
        return f"Restored(<{len(self.text)} characters>)"


class Revealed(Struct, frozen=True):
    """Whose each code is."""

    subjects: dict[str, str]

    def __repr__(self) -> str:
        return f"Revealed(<{len(self.subjects)} subjects>)"


async def _restore(request: Request) -> Response:
    who, asked = await caller(request), await read(request, Tokens)
    with request.app.state.all.metrics.timed("restore"):
        return shown(await errand(request, lambda trust: _restored(trust, who, asked)))


async def _reveal(request: Request) -> Response:
    who, asked = await caller(request), await read(request, Codes)
    with request.app.state.all.metrics.timed("restore"):
        return shown(await errand(request, lambda trust: _revealed(trust, who, asked)))


def _restored(trust: Trust, who: Caller, asked: Tokens) -> Restored:
    trust.require_of(who, "restore.run")
    place, document = trust.domain(asked.domain), Document(asked.text)
    if place.pairs:
        raise AccessError(
            "a two-person domain is read with your own key, which no service is sent:"
            " scrubjay restore --key FILE"
        )
    tokens, whose = restore.tokens([document]), sorted(set(asked.surrogates_of))
    with _failing(trust, who, "restore"):  # nobody finds out unseen of whom there are any
        scope = restore.scope(tokens.union(restore.surrogates_of(place, whose)), asked.domain)
    grant = approvals.use(trust.register, who, asked.approval, scope, now=int(time.time()))
    with _failing(trust, who, "restore"):
        surrogates = restore.surrogates(place, whose)
        put_back = restore.putting_back(restore.readers(place, {}), tokens, surrogates)
        [done] = put_back([document])
    output = trust.keyed(sha256(done.text.encode()).hexdigest())
    trust.tell_of(who, "restore", "re-identify", disclosed(grant, [output]))
    return Restored(done.text)


def _revealed(trust: Trust, who: Caller, asked: Codes) -> Revealed:
    trust.require_of(who, "reveal.run")
    place = trust.domain(asked.domain)
    scope = Scope("reveal.run", asked.domain, subjects=tuple(sorted(set(asked.codes))))
    grant = approvals.use(trust.register, who, asked.approval, scope, now=int(time.time()))
    with _failing(trust, who, "reveal"):
        told = {code: place.reveal(code) for code in scope.subjects}
    trust.tell_of(who, "reveal", "re-identify", disclosed(grant, []))
    return Revealed(told)


@contextmanager
def _failing(trust: Trust, who: Caller, action: str) -> Iterator[None]:
    """That it was tried, and nothing came of it, is in the log, as is an approval that it took."""
    try:
        yield
    except ScrubjayError as problem:
        entry = Entry("", "", "", "failed", about=problem.code)
        trust.tell_of(who, action, "", [entry])
        raise
