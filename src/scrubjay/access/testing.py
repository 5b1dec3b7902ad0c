"""A small hospital for tests: people, their keys, a store, a log in memory, the same bytes at each
run. Nothing here is for real use.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable

from scrubjay.access import approvals, attempts, entry, people
from scrubjay.access.ledger import Event, Ledger
from scrubjay.access.people import Caller, Register
from scrubjay.access.signing import Signer
from scrubjay.vault.store import Memory

NOW = 1_800_000_000
ADMIN = Caller("root")
SCOPE = approvals.Scope("reveal.run", "study-7", ("P-0001", "P-0002"))
REASON = "critical laboratory value"
ROLES = {
    "ana": ("re-identify",),
    "bo": ("review",),
    "cy": ("review", "de-identify"),
    "di": ("review", "re-identify"),
    "eli": ("audit",),
}


def fixed(seed: str = "seed") -> Callable[[int], bytes]:
    """Bytes that are the same at each run."""
    count = itertools.count()

    def random(size: int) -> bytes:
        return hashlib.shake_256(f"{seed} {next(count)}".encode()).digest(size)

    return random


class World:
    """`root` administers, `bo`, `cy` and `di` may approve, `ana` and `di` may ask."""

    secret = b"k" * 32

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.store = Memory()
        self.ledger = Ledger(self.store, self.secret, tell=self.events.append, random=fixed())
        self.register = Register(self.ledger)
        people.found(self.register, "root", NOW)
        self.signers: dict[str, Signer] = {}
        for name, roles in ROLES.items():
            self.add(name, roles)
            if "review" in roles:
                self.signers[name] = Signer.new(fixed(name))
                self.sign_with(name, self.signers[name])
        people.add(
            self.register, ADMIN, "robot", roles=("detect", "de-identify"), service=True, now=NOW
        )
        self.rates = attempts.Rates()

    def add(self, name: str, roles: tuple[str, ...] = ("detect",)) -> None:
        """Somebody new."""
        people.add(self.register, ADMIN, name, roles=roles, now=NOW)

    def roles(self, name: str, roles: tuple[str, ...]) -> None:
        """Other roles."""
        people.set_roles(self.register, ADMIN, name, roles, now=NOW)

    def sign_with(self, name: str, signer: Signer | None) -> None:
        """Another signing key."""
        public = signer.public if signer else None
        people.set_approver(self.register, ADMIN, name, public, now=NOW)

    def key(self, name: str, scope: tuple[str, ...], expires: int) -> str:
        """An API key of a service."""
        return entry.issue(self.register, ADMIN, name, entry.Terms(scope, expires), now=NOW)

    def enter(self, shown: str, source: str = "10.0.0.1", now: int = NOW) -> Caller:
        """Come in with an API key."""
        return entry.by_key(self.register, shown, source, rates=self.rates, now=now)

    def ask(self, who: str = "ana", scope: approvals.Scope = SCOPE, now: int = NOW) -> str:
        """A request that lasts an hour."""
        return approvals.ask(self.register, Caller(who), scope, REASON, lasts=3600, now=now)

    def approve(self, id: str, name: str, now: int = NOW) -> None:
        """A signature under it."""
        request = approvals.find(self.register, id)
        signature = approvals.sign(self.signers[name], request, name)
        approvals.approve(self.register, Caller(name), id, signature, now=now)

    def approved(self, who: str = "ana", by: tuple[str, ...] = ("bo", "cy")) -> str:
        """A request with signatures."""
        id = self.ask(who)
        for name in by:
            self.approve(id, name)
        return id

    def use(
        self, id: str, who: str = "ana", scope: approvals.Scope = SCOPE, now: int = NOW
    ) -> approvals.Grant:
        """Use it."""
        return approvals.use(self.register, Caller(who), id, scope, now=now)
