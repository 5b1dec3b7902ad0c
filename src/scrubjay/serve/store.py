"""The vault and log that a service works with: those of this home, or, where there are none, its
own, made at its first start. Nobody can use a service without a key, and nothing is released that
its log does not know of.
"""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import NamedTuple, Self

from scrubjay import home, sealing, trust
from scrubjay.access import entry, people
from scrubjay.access.matrix import matrix
from scrubjay.access.people import Caller
from scrubjay.errors import UsageError
from scrubjay.trust import Trust
from scrubjay.vault import slots
from scrubjay.vault.slots import Kind, Opener
from scrubjay.vault.vault import Tools, Vault

OWN = "serve"  # the folder of a service's own store
LASTS = 365 * 86_400  # seconds
OFTEN = 1_000_000  # requests a minute: whoever starts a service is not held back
GUEST = "presidio"  # as whom calls come in that need no key
FIRST = {
    "desk": ("detect", "de-identify", "review"),
    "auditor": ("audit",),
    "admin": ("administer",),
}


class Place(NamedTuple):
    """Where a store is and what opens it: enough for another process to open it too."""

    home: Path
    kind: Kind
    secret: bytes
    tools: Tools

    @classmethod
    def of(cls, home: Path, opener: Opener, tools: Tools) -> Self:
        """What a process tells its children through a pipe: an `Opener` itself goes nowhere."""
        return cls(home, opener.kind, opener.value, tools)

    def vault(self) -> Vault:
        """The vault alone."""
        return Vault.open(self.home / "vault", Opener(self.kind, self.secret), self.tools)

    def open(self) -> Trust:
        """The vault and its log. In each thread or process its own."""
        return Trust(self.home, self.vault())

    def __repr__(self) -> str:
        return f"Place({str(self.home)!r})"


def own() -> Path:
    """Where a service keeps what it has of its own."""
    return home.folder(OWN)


def made(preset: str = "") -> tuple[Place, dict[str, str]]:
    """A store of one's own, and what is told of it once: keys by who has them. The second time,
    only the store. `preset`: the first key, where somebody chose it."""
    if preset:
        entry.check_preset(preset)  # before half a store is there
    folder = own()
    file = folder / "key"
    if not file.exists():
        home.write(file, secrets.token_bytes(32).hex().encode())
    opener = slots.key_file(file)
    place = Place.of(folder, opener, Tools())
    if (folder / "whole").exists():
        return place, {}
    if (folder / "vault").exists():
        raise UsageError(f"{folder}: its making was cut short; take it away and start again")
    told = _begun(place, opener, preset)
    home.write(folder / "whole", b"")
    return place, told


def _begun(place: Place, opener: Opener, preset: str) -> dict[str, str]:
    vault = Vault.init(place.home / "vault", opener, place.tools)
    identity = sealing.identity()
    trust.begin(place.home, vault, [str(identity.to_public())])
    home.write(place.home / "auditor.age", f"{identity}\n".encode())
    opened = Trust(place.home, vault)
    keys = _first(opened, preset)
    opened.close()
    vault.close()
    return keys


def _first(opened: Trust, preset: str) -> dict[str, str]:
    """An administrator, who is the account that starts the service, and those who may use it."""
    register, now = opened.register, int(time.time())
    account = trust.account()
    fit = people.NAME.fullmatch(account) and account not in FIRST  # a container's has no name
    root = account if fit else "owner"
    people.found(register, root, now)
    keys = {}
    for name, roles in FIRST.items():
        people.add(register, Caller(root), name, roles=roles, service=True, now=now)
        terms = entry.Terms(_scope(roles), now + LASTS, OFTEN)
        if name == "desk" and preset:
            entry.preset(register, Caller(root), name, preset, terms=terms, now=now)
        else:
            keys[name] = entry.issue(register, Caller(root), name, terms, now=now)
    return keys


def let_in(place: Place) -> None:
    """Have the service person as whom programs call that show no key. Only in a store of its own
    does the service name people itself."""
    trust = place.open()
    try:
        register = trust.register
        known = register.people().get(GUEST)
        if known and known.service and not known.left:
            return
        if known or place.home != own():
            raise UsageError(
                f"no service '{GUEST}' is registered in this vault: scrubjay people add {GUEST} "
                "--service --role detect --role de-identify"
            )
        root = next(p.name for p in register.people().values() if "administer" in p.roles)
        roles = ("detect", "de-identify")
        people.add(register, Caller(root), GUEST, roles=roles, service=True, now=int(time.time()))
    finally:
        trust.close()
        trust.vault.close()


def _scope(roles: tuple[str, ...]) -> tuple[str, ...]:
    """All that these roles may do without being a person."""
    rules = matrix().rules
    may = (action for action, by in matrix().actions.items() if set(by) & set(roles))
    return tuple(action for action in may if action not in rules.personal)
