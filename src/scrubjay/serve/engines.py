"""Engines by the names that requests give policies, in any process of the service."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from scrubjay.engine import Engine, load
from scrubjay.keys import Key
from scrubjay.serve import saved
from scrubjay.trust import Trust
from scrubjay.vault.domain import Domain


class Use(NamedTuple):
    """How a service looks at everything: the policy where a request names none, the tagger's
    profile, and whose keys and pseudonyms, TENANT/DOMAIN, or the service's own."""

    policy: str
    profile: str
    domain: str


class Engines:
    """`engines[""]` has the service's own policy. Other names are those of policies that ship or
    were saved here: a request can name no file of the machine. One that was saved anew counts.
    `endless`: for requests without end, and not for one run over files."""

    def __init__(self, use: Use, trust: Trust, *, endless: bool = True) -> None:
        self._profile, self._endless = use.profile, endless
        self._domain: Domain | None = trust.domain(use.domain) if use.domain else None
        self._key: Key | None = None if self._domain else trust.vault.key("serve operators")
        self._own = self._load(use.policy)
        self._known: dict[str, tuple[object, Engine]] = {}

    def __getitem__(self, name: str) -> Engine:
        if not name or (name == self._own.policy.name and not saved.is_saved(name)):
            return self._own
        path, version = saved.found(name)
        known = self._known.get(name)
        if known is None or known[0] != version:
            known = self._known[name] = version, self._load(path)
        return known[1]

    def running(self) -> list[Engine]:
        """Those that have been made."""
        return [self._own, *(engine for _, engine in self._known.values())]

    def _load(self, policy: str | Path) -> Engine:
        engine = load(policy, profile=self._profile, key=self._key, domain=self._domain)
        return engine.endless() if self._endless else engine
