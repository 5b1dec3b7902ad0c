"""What a command may do where there is a vault, and the log that hears of it before anything is
released. Without a vault there is nothing of this, and nothing to set up.

A vault in which nobody is registered belongs to who opens it, and everything is logged in the name
of their account. As soon as somebody is, who is not registered, by account, API key or token, may
nothing.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct
from msgspec.structs import replace

from scrubjay import manifest
from scrubjay.access import attempts, entry
from scrubjay.access.approvals import Grant
from scrubjay.access.ledger import Event, Ledger
from scrubjay.access.matrix import approved
from scrubjay.access.people import Caller, Register
from scrubjay.access.seen import Seen
from scrubjay.audit import log as logs
from scrubjay.audit import note, query
from scrubjay.audit.entry import Entry, digest
from scrubjay.audit.note import Signer, Verifier
from scrubjay.audit.secrets import EntryKeys, Secrets
from scrubjay.audit.tiles import CHECKPOINT
from scrubjay.audit.tree import WIDTH, Head
from scrubjay.errors import AccessError, AuditError, UsageError
from scrubjay.manifest import Manifest
from scrubjay.vault.domain import Domain
from scrubjay.vault.vault import Vault

LOG, STATE = "audit", "audit-state"
SEEN = "audit-seen"  # the newest head that `audit verify` found whole
AUDITORS = "audit.auditors"
HOLDS = "audit.holds"


class Auditors(Struct, frozen=True):
    """The age keys that what only auditors may read is sealed to, and which log it is: of a vault's
    first, nothing; of a later one, what no other has, not one that a backup knows nothing of."""

    keys: tuple[str, ...]
    log: str = ""


class Hold(Struct, frozen=True):
    """A subject whose entries must be kept, whatever their age."""

    subject: str
    reason: str
    since: int


def begin(home: Path, vault: Vault, auditors: Iterable[str]) -> None:
    """A log for a new vault. Its first key is sealed to the auditors."""
    known = Auditors(tuple(auditors))
    ledger = _ledger(vault)
    _create(home, vault, known, Entry(account(), "administer", "keys.init", "done"))
    ledger.add(ledger.row(AUDITORS, ledger.derive(AUDITORS), known))
    _seen(home, vault).note(0)


def renew(home: Path, vault: Vault, why: str) -> None:
    """Another log, under the next name, where the one before is gone or cannot be gone on with.
    What is left of that stays beside it; the first entry says what is known of it."""
    ledger = _ledger(vault)
    known = ledger.read(AUDITORS, ledger.derive(AUDITORS), Auditors) or _no_log()
    seen = _seen(home, vault)
    register = Register(ledger, least=seen.least(accept=True) if seen.exists() else 0)
    if register.people():
        register.require(Caller(account()), "audit.renew", int(time.time()))
    if _whole(home, vault, known):
        raise UsageError("the log is whole and can be gone on with: nothing was done")
    before = _secrets(vault, known).signer.verifier
    about = f"after {before.name}, {_last(home, before)}; {why}"
    new = replace(known, log=os.urandom(4).hex())
    ledger.change([ledger.row(AUDITORS, ledger.derive(AUDITORS), new)])
    for name in (LOG, STATE, SEEN):
        if (home / name).exists():
            (home / name).rename(home / f"{name}-before-{new.log}")
    _create(home, vault, new, Entry(account(), "administer", "audit.renew", "done", about=about))
    seen.note(register.version, accept=True)


def came_back(home: Path, vault: Vault, backup: str) -> str:
    """Go on with the log of a vault that was put back from a backup, or begin another if it is
    gone: in either, the first entry says so. What the vault's people must know, for them."""
    if not any(path.exists() for path in (home / LOG / CHECKPOINT, home / STATE / logs.JOURNAL)):
        renew(home, vault, f"vault put back from backup {backup}")
        return "its log was gone; another begins: take audit/first.age and the log's key away again"
    try:
        trust = Trust(home, vault, accept=True)
    except AuditError as problem:
        raise AuditError(
            f"the vault is back, but its log cannot be gone on with: {problem}."
            f" Put the newest {LOG} and {STATE} there, or: scrubjay audit renew"
        ) from None
    gap = trust.gap()
    about = f"vault put back from backup {backup}; {gap}"
    trust.tell("keys.import", "administer", [Entry("", "", "", "done", about=about)])
    trust.accepted()
    trust.close()
    return f"its log goes on; {gap}"


def log_key(vault: Vault) -> Verifier:
    """The public key of a log that need not open: for who finds out what is wrong with it."""
    ledger = _ledger(vault)
    known = ledger.read(AUDITORS, ledger.derive(AUDITORS), Auditors) or _no_log()
    return _secrets(vault, known).signer.verifier


class Trust:
    """An open vault, its log, and who is asking. `accept` takes an older register of people as the
    newest there is, but never one of nobody."""

    def __init__(
        self, home: Path, vault: Vault, *, api_key: str = "", id_token: str = "",
        accept: bool = False,
    ) -> None:  # fmt: skip
        self.vault = vault
        self.ledger = ledger = Ledger(vault.store, vault.derive("access"), tell=self._heard)
        known = ledger.read(AUDITORS, ledger.derive(AUDITORS), Auditors) or _no_log()
        self._secrets = _secrets(vault, known)
        self._place = _place(home)
        self._log = logs.Log.open(self._place, self._secrets, _now)
        self._digests = vault.key("audit digests")
        self._refused = False
        self._seen = _seen(home, vault)
        self.register = Register(ledger, least=self._seen.least(accept=accept))
        self.caller = self._came_in(api_key, id_token)
        self._accept, self._asked = accept, ""

    def _came_in(self, api_key: str, id_token: str) -> Caller:
        if api_key and id_token:
            raise UsageError("SCRUBJAY_API_KEY or SCRUBJAY_ID_TOKEN, not both")
        who, now = account(), int(time.time())
        source = f"account {who}"
        if api_key:
            return entry.by_key(self.register, api_key, source, rates=attempts.Rates(), now=now)
        if id_token:
            return entry.by_token(self.register, id_token, source, now=now)
        return Caller(who)

    def require(self, action: str) -> None:
        """Refuse what this caller may not do, and log that it was refused."""
        self._asked = action
        if self.register.people():
            self.register.require(self.caller, action, int(time.time()))
        elif approved(action):
            raise AccessError(f"{action} takes two other people's approval: register them first")
        self.accepted()

    def accepted(self) -> None:
        """The register of now is the newest, if that was asked for."""
        if self._accept:
            self._seen.note(self.register.version, accept=True)

    def domain(self, path: str) -> Domain:
        """TENANT/DOMAIN."""
        tenant, slash, name = path.partition("/")
        if not slash:
            raise UsageError(f"domain '{path}': say TENANT/DOMAIN; scrubjay keys show lists them")
        return self.vault.tenant(tenant).domain(name)

    def tell(self, action: str, role: str, entries: Iterable[Entry]) -> range:
        """Log what is about to be released, if the caller may still do what was asked for: the
        entries' numbers. If it raises: release nothing."""
        if self._asked:  # a run may have been long
            self.require(self._asked)
        return self._told(action, role, entries)

    def _told(self, action: str, role: str, entries: Iterable[Entry]) -> range:
        return self.tell_of(self.caller, action, role, entries)

    def require_of(self, caller: Caller, action: str) -> None:
        """Refuse what a service's caller may not do, and log that it was refused."""
        self.register.require(caller, action, int(time.time()))

    def tell_of(self, caller: Caller, action: str, role: str, entries: Iterable[Entry]) -> range:
        """Log what is about to be released to somebody who was allowed it: a service's caller."""
        who = caller.person
        return self._log.append([replace(e, who=who, action=action, role=role) for e in entries])

    def tell_failed(self, action: str, problem: BaseException) -> None:
        """Log that what was asked for, and perhaps announced, did not come to its end."""
        refused = isinstance(problem, AccessError)
        if not (refused and self._refused):  # who refused has told it
            code = getattr(problem, "code", type(problem).__name__)
            one = Entry("", "", "", "refused" if refused else "failed", about=str(code))
            self._told(action, "", [one])

    def vouch(self, told: Manifest, entries: range) -> Manifest:
        """A manifest with the log's head once it has these entries, signed with the log's key."""
        head = self._log.signed_head().decode()
        known = replace(told, format=manifest.SIGNED, log=head, entry=entries.start)
        return manifest.signed(known, self._secrets.signer)

    @property
    def key(self) -> Verifier:
        """The log's public key."""
        return self._secrets.signer.verifier

    def entries(self, start: int = 0) -> Iterator[query.Item]:
        """All that was logged, in order, from a number on."""
        self._log.publish()
        secrets = self._secrets
        keys = EntryKeys(secrets.signer.name, secrets.secret, secrets.store, os.urandom)
        return query.read(self._place.folder, self.key, keys, start=start)

    @property
    def head(self) -> Head:
        """The log as it is now, all of it where readers look."""
        self._log.publish()
        return self._log.head

    def gap(self) -> str:
        """Where store and log are not of one time, for one of them was put back: what is lost."""
        size, rows = self._log.head.size, self._log.rows()
        if rows * WIDTH < size:
            return f"entries {rows * WIDTH} to {size - 1} came after the backup: none can be read"
        if (rows - 1) * WIDTH > size:
            return f"the vault knows of {(rows - 1) * WIDTH} entries or more, the log has {size}"
        return f"all of its {size} entries can be read"

    def checkpoint(self) -> bytes:
        """The log's newest checkpoint, which the folder has."""
        return self._log.checkpoint()

    def witnessed(self, data: bytes, witnesses: Sequence[Verifier]) -> None:
        """Keep a checkpoint that came back with cosignatures."""
        self._log.witnessed(data, witnesses)

    # Keeping and forgetting

    def holds(self) -> list[Hold]:
        """Subjects whose entries must be kept."""
        every = (hold for _, hold in self.ledger.every(HOLDS, Hold))
        return sorted(every, key=lambda hold: hold.since)

    def hold(self, subject: str, reason: str) -> None:
        """Keep a subject's entries until `release`."""
        self._tell_held("audit.hold", subject, reason)
        key = self.ledger.derive(HOLDS, subject)
        self.ledger.change([self.ledger.row(HOLDS, key, Hold(subject, reason, int(time.time())))])

    def release(self, subject: str, reason: str) -> None:
        """The end of a hold."""
        if subject not in {hold.subject for hold in self.holds()}:
            raise UsageError("no hold of this subject: scrubjay audit holds lists them")
        self._tell_held("audit.release", subject, reason)
        self.ledger.change([], [(HOLDS, self.ledger.derive(HOLDS, subject))])

    def _tell_held(self, action: str, subject: str, reason: str) -> None:
        self.tell(action, "audit", [Entry("", "", "", "done", subject=subject, reason=reason)])

    def forget(self, years: int) -> int:
        """Make entries of so many years ago unreadable for ever, but for those of subjects on
        hold: how many."""
        held = {hold.subject for hold in self.holds()}
        may = query.droppable(self.entries(), _now(), held, years)
        if may:
            one = Entry(self.caller.person, "administer", "audit.forget", "done",
                        counts={"entries": len(may)})  # fmt: skip
            self._log.forget(may, one, held)
        return len(may)

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
        self._seen.note(self.register.version)

    def _heard(self, event: Event) -> None:
        self._refused = self._refused or bool(event.refused)
        self._log.append([logged(event)])


def disclosed(grant: Grant, outputs: Iterable[str]) -> list[Entry]:
    """That people are named again: digests of what is released, and each subject who is shown."""
    one = Entry("", "", "", "done", about=grant.scope.domain, details=f"by {grant.id}")
    entries = [replace(one, output=digest) for digest in outputs]
    entries += [replace(one, subject=code) for code in grant.scope.subjects]
    return entries or [one]


def account() -> str:
    """The account on this machine, as the system has it: the environment could say anything."""
    try:
        import pwd
    except ImportError:
        return os.getlogin()  # Windows asks the system
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's: no name that anybody can be registered under
        return f"uid:{os.getuid()}"


def logged(event: Event) -> Entry:
    """What happened to people, keys and approvals, as the log has it."""
    told = event.details | ({"refused": event.refused} if event.refused else {})
    details = "; ".join(f"{name}={value}" for name, value in sorted(told.items()))
    return Entry(
        who=event.who, role="", action=event.action, reason=event.why, about=event.about,
        outcome="refused" if event.refused else "done", details=details,
    )  # fmt: skip


def _nobody(event: Event) -> None:
    """Nothing happens to people before there is a log."""


def _no_log() -> NoReturn:
    raise AuditError("this vault has no log: it was not made to its end; make another")


def _create(home: Path, vault: Vault, known: Auditors, first: Entry) -> None:
    with logs.create(_place(home), _secrets(vault, known), _now) as made:
        made.append([first])


def _whole(home: Path, vault: Vault, known: Auditors) -> bool:
    try:
        logs.Log.open(_place(home), _secrets(vault, known), _now)
    except AuditError:
        return False
    return True


def _last(home: Path, key: Verifier) -> str:
    """What is known of how far a log had come."""
    try:
        _, head = note.opened((home / LOG / CHECKPOINT).read_bytes(), key)
        return f"whose last head was {note.paper(head)}"
    except (OSError, AuditError):
        pass
    try:
        return f"of which {(home / SEEN).read_text('ascii').strip()} was seen"
    except (OSError, ValueError):
        return "of which no head is known"


def _ledger(vault: Vault) -> Ledger:
    """What happens to people is told to nobody, where there is no log."""
    return Ledger(vault.store, vault.derive("access"), tell=_nobody)


def _secrets(vault: Vault, auditors: Auditors) -> Secrets:
    name, purpose = f"scrubjay/{vault.id[:16]}", "log signer"
    if auditors.log:
        name, purpose = f"{name}/{auditors.log}", f"{purpose} {auditors.log}"
    signer = Signer(name, Ed25519PrivateKey.from_private_bytes(vault.derive(purpose)))
    return Secrets(signer, vault.key("log"), vault.store, auditors.keys)


def _seen(home: Path, vault: Vault) -> Seen:
    return Seen(home / STATE / "people", vault.derive("people seen"))


def _place(home: Path) -> logs.Place:
    return logs.Place(home / LOG, home / STATE)


def _now() -> datetime:
    return datetime.now(UTC)
