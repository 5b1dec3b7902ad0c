"""What a command may do where there is a vault, and the log that hears of it before anything is
released. Without a vault there is nothing of this, and nothing to set up.

A vault in which nobody is registered belongs to who opens it, and everything is logged in the name
of their account. As soon as somebody is, who is not registered, by account or API key, may nothing.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct
from msgspec.structs import replace

from scrubjay.access import attempts, entry
from scrubjay.access.approvals import Grant
from scrubjay.access.ledger import Event, Ledger
from scrubjay.access.matrix import approved
from scrubjay.access.people import Caller, Register
from scrubjay.audit import log as logs
from scrubjay.audit import query
from scrubjay.audit.entry import Entry, digest
from scrubjay.audit.note import Signer, Verifier
from scrubjay.audit.secrets import EntryKeys, Secrets
from scrubjay.errors import AccessError, AuditError, UsageError
from scrubjay.vault.domain import Domain
from scrubjay.vault.vault import Vault

LOG, STATE = "audit", "audit-state"
AUDITORS = "audit.auditors"


class Auditors(Struct, frozen=True):
    """The age keys that what only auditors may read is sealed to."""

    keys: tuple[str, ...]


def begin(home: Path, vault: Vault, auditors: Iterable[str]) -> None:
    """A log for a new vault. Its first key is sealed to the auditors."""
    known = Auditors(tuple(auditors))
    logs.create(_place(home), _secrets(vault, known), _now)
    ledger = Ledger(vault.store, vault.derive("access"), tell=_nobody)
    ledger.add(ledger.row(AUDITORS, ledger.derive(AUDITORS), known))


class Trust:
    """An open vault, its log, and who is asking."""

    def __init__(self, home: Path, vault: Vault, *, api_key: str = "") -> None:
        self.vault = vault
        ledger = Ledger(vault.store, vault.derive("access"), tell=self._heard)
        known = ledger.read(AUDITORS, ledger.derive(AUDITORS), Auditors)
        if known is None:
            raise AuditError("this vault has no log: it was not made to its end; make another")
        self._secrets = _secrets(vault, known)
        self._place = _place(home)
        self._log = logs.Log.open(self._place, self._secrets, _now)
        self._digests = vault.key("audit digests")
        self.register = Register(ledger)
        self.caller = self._came_in(api_key)

    def _came_in(self, api_key: str) -> Caller:
        if not api_key:
            return Caller(account())
        now = int(time.time())
        return entry.by_key(self.register, api_key, "local", rates=attempts.Rates(), now=now)

    def require(self, action: str) -> None:
        """Refuse what this caller may not do, and log that it was refused."""
        if self.register.people():
            self.register.require(self.caller, action, int(time.time()))
        elif approved(action):
            raise AccessError(f"{action} takes two other people's approval: register them first")

    def domain(self, path: str) -> Domain:
        """TENANT/DOMAIN."""
        tenant, slash, name = path.partition("/")
        if not slash:
            raise UsageError(f"domain '{path}': say TENANT/DOMAIN; scrubjay keys show lists them")
        return self.vault.tenant(tenant).domain(name)

    def tell(self, action: str, role: str, entries: Iterable[Entry]) -> None:
        """Log what is about to be released. If it cannot be logged it raises: release nothing."""
        who = self.caller.person
        self._log.append([replace(one, who=who, action=action, role=role) for one in entries])

    def tell_disclosed(self, action: str, grant: Grant, outputs: Iterable[Path]) -> None:
        """Log that people are named again: what was written, or that it is shown."""
        one = Entry("", "", "", "done", subject=" ".join(grant.scope.subjects),
                    about=grant.scope.domain, details=f"by {grant.id}")  # fmt: skip
        entries = [replace(one, output=self.digest(path)) for path in outputs] or [one]
        self.tell(action, "re-identify", entries)

    @property
    def key(self) -> Verifier:
        """The log's public key."""
        return self._secrets.signer.verifier

    def entries(self) -> Iterator[query.Item]:
        """All that was logged, in order."""
        secrets = self._secrets
        keys = EntryKeys(secrets.signer.name, secrets.secret, secrets.store, os.urandom)
        return query.read(self._place.folder, self.key, keys)

    def digest(self, path: Path) -> str:
        """A keyed digest of a file: who holds the key can find it again, nobody else."""
        with path.open("rb") as stream:
            return self.keyed(hashlib.file_digest(stream, "sha256").hexdigest())

    def keyed(self, sha256: str) -> str:
        """The same, of a file whose SHA-256 is known."""
        return digest(self._digests, bytes.fromhex(sha256)) if sha256 else ""

    def close(self) -> None:
        """Everything is where readers of the log look; the vault stays open."""
        self._log.publish()

    def _heard(self, event: Event) -> None:
        self._log.append([logged(event)])


def account() -> str:
    """The account on this machine, as the system has it: the environment could say anything."""
    try:
        import pwd
    except ImportError:
        return getpass.getuser()
    return pwd.getpwuid(os.getuid()).pw_name


def logged(event: Event) -> Entry:
    """What happened to people, keys and approvals, as the log has it."""
    details = "; ".join(f"{name}={value}" for name, value in sorted(event.details.items()))
    return Entry(
        who=event.who, role="", action=event.action, reason=event.why, about=event.about,
        outcome="refused" if event.refused else "done", details=details,
    )  # fmt: skip


def _nobody(event: Event) -> None:
    """Nothing happens to people before there is a log."""


def _secrets(vault: Vault, auditors: Auditors) -> Secrets:
    seed = vault.derive("log signer")
    signer = Signer(f"scrubjay/{vault.id[:16]}", Ed25519PrivateKey.from_private_bytes(seed))
    return Secrets(signer, vault.key("log"), vault.store, auditors.keys)


def _place(home: Path) -> logs.Place:
    return logs.Place(home / LOG, home / STATE)


def _now() -> datetime:
    return datetime.now(UTC)
