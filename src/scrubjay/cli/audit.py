"""`scrubjay audit`: whether the log is what was written, what it says, how long it is kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from scrubjay import home
from scrubjay.cli import vaults
from scrubjay.errors import AuditError, UsageError

if TYPE_CHECKING:
    from scrubjay.audit.note import Verifier
    from scrubjay.audit.query import Item
    from scrubjay.trust import Trust

_path = click.Path(path_type=Path)
_day = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"])


def _shown(_context: click.Context, _option: click.Parameter, words: str) -> str:
    """What others are to read, and what must be found again."""
    if not words.strip() or not words.isprintable():
        raise UsageError("a reason, a subject or a recipient is one line that can be read: type it")
    return words


_reason = click.option(
    "--reason", required=True, callback=_shown, help="Why, for those who read the log."
)
_subject = click.argument("subject", callback=_shown)
_witness = click.option(
    "--witness", "witnesses", multiple=True, metavar="KEY",
    help="A witness's public key, name+id+base64. Repeatable.",
)  # fmt: skip


@click.group()
def command() -> None:
    """Check the log of what was done with a vault, read it, and keep it."""


@command.command()
@click.argument("folder", type=_path, required=False)
@click.option("--log-key", help="The log's public key, where the vault is not: scrubjay audit key.")
@click.option("--identity", type=_path, help="A file with the auditor's AGE-SECRET-KEY-1...")
@click.option("--first", type=_path, help="The auditor's own copy of first.age.")
@click.option("--seen", type=_path, help="A file that keeps the newest head that was found whole.")
@click.option("--paper", multiple=True, help="A head that was noted elsewhere. Repeatable.")
@_witness
@click.option("--processes", default=1, show_default=True, type=click.IntRange(1))
def verify(
    folder: Path | None, log_key: str | None, identity: Path | None, first: Path | None,
    seen: Path | None, paper: tuple[str, ...], witnesses: tuple[str, ...], processes: int,
) -> None:  # fmt: skip
    """Read all of a log and name the first entry that is not as it was written.

    With --identity it also finds what somebody who took over the machine wrote anew.
    """
    vaults.module()
    from scrubjay.audit import note, verify

    own, folder = home.home() / "audit", folder or home.home() / "audit"
    key, problem = (note.verifier(log_key), None) if log_key else _key()
    seen = seen or home.home() / ("audit-seen" if folder == own else f"audit-seen-{key.id.hex()}")
    secret = _first(first or folder / "first.age", identity) if identity else b""
    trusted = verify.Trusted(key, tuple(map(note.verifier, witnesses)), secret)
    heads = [*verify.remembered(seen), *map(note.read_paper, paper)]
    found = verify.verify(folder, trusted, heads, processes=processes)
    if problem and folder == own:
        raise problem  # what others read is whole, what writes it is not
    verify.remember(seen, found.head)
    click.echo(f"whole: {found.head.size} entries; note this head: {note.paper(found.head)}")
    if witnesses:
        click.echo(f"witnessed: the first {found.witnessed} of them")
    if not found.chained:
        click.echo("not checked: the chain of keys, which takes the auditor's --identity")


@command.command()
def key() -> None:
    """Print the log's public key."""
    click.echo(vaults.trusted("audit.verify").key)


def _wanted(function: Callable[..., Any]) -> Callable[..., Any]:
    """Which entries."""
    for name in ("subject", "action", "who"):
        function = click.option(f"--{name}", default="", help=f"Entries of this {name}.")(function)
    since = click.option("--since", type=_day, help="From this day on, UTC.")
    return since(click.option("--until", type=_day, help="Before this day, UTC.")(function))


@command.command()
@_wanted
def query(since: datetime | None, until: datetime | None, **wanted: str) -> None:
    """Print entries, a JSON line each."""
    from scrubjay.audit.query import select

    items = _items("audit.query")
    asked = {name: value for name, value in wanted.items() if value}
    for number, entry in select(items, _utc(since), _utc(until), **asked):
        told = {"number": number, **msgspec.to_builtins(entry)}
        click.echo(msgspec.json.encode(told))


@command.command()
@click.argument("subject")
def disclosures(subject: str) -> None:
    """Print what was disclosed of a SUBJECT's code in six years (45 CFR 164.528)."""
    from scrubjay.audit import query

    items = _items("audit.query")
    for one in query.disclosures(items, subject, datetime.now(UTC)):
        click.echo(msgspec.json.encode(one._asdict()))


@command.command()
@click.option("--fhir", is_flag=True, required=True, help="As FHIR R4 AuditEvent resources.")
def export(fhir: bool) -> None:
    """Print all entries in a form that others read, one a line."""
    from scrubjay.audit import query

    trust = vaults.trusted("audit.export")
    for number, entry in query.select(_read(trust, "audit.export")):
        click.echo(msgspec.json.encode(query.fhir(number, entry, trust.key.name)))


@command.command()
def register() -> None:
    """Print what the log knows of processing (GDPR Art 30), one line for each purpose."""
    from scrubjay.audit import query

    for one in query.register(_items("audit.query")):
        click.echo(msgspec.json.encode(one._asdict()))


@command.command()
def reviews() -> None:
    """Print what somebody has to look at (45 CFR 164.308(a)(1)(ii)(D))."""
    from scrubjay.audit import query

    for one in query.reviews(_items("audit.query"), datetime.now(UTC)):
        click.echo(one.why)


@command.command()
@click.option("--entry", default=-1, help="An emergency's entry; without it, the log itself.")
@_reason
def reviewed(entry: int, reason: str) -> None:
    """Note that somebody looked at it: reviews asks for it no more."""
    from scrubjay.audit.query import REVIEW

    subject = f"{entry}" if entry >= 0 else ""
    _note(vaults.trusted("audit.review"), REVIEW, "audit", subject=subject, reason=reason)


@command.command()
@_subject
@click.option(
    "--recipient", required=True, callback=_shown, help="Who was given something, their address."
)
@click.option(
    "--about", required=True, callback=_shown, help="What was given: no value, a description."
)
@_reason
def disclose(subject: str, recipient: str, about: str, reason: str) -> None:
    """Note what was disclosed of a SUBJECT's code, for its accounting (45 CFR 164.528)."""
    from scrubjay.audit.query import DISCLOSE

    trust = vaults.trusted("audit.disclose")
    told = {"subject": subject, "recipient": recipient, "about": about, "reason": reason}
    _note(trust, DISCLOSE, "", **told)


# Witnesses


@command.command()
def checkpoint() -> None:
    """Print the log's newest checkpoint, for witnesses to cosign (C2SP tlog-cosignature)."""
    click.echo(vaults.trusted("audit.witness").checkpoint(), nl=False)


@command.command()
@click.argument("file", type=_path)
@_witness
def witness(file: Path, witnesses: tuple[str, ...]) -> None:
    """Keep a checkpoint that came back in FILE with witnesses' cosignatures."""
    trust = vaults.trusted("audit.witness")
    from scrubjay.audit import note

    trust.witnessed(_bytes(file), list(map(note.verifier, witnesses)))
    click.echo("kept; verify --witness checks it")


# Keeping and forgetting


@command.command()
@_subject
@_reason
def hold(subject: str, reason: str) -> None:
    """Keep all entries of a SUBJECT's code, however old: a legal hold."""
    vaults.trusted("audit.hold").hold(subject, reason)
    click.echo("held")


@command.command()
@click.argument("subject")
@_reason
def release(subject: str, reason: str) -> None:
    """End the hold of a SUBJECT's code."""
    vaults.trusted("audit.hold").release(subject, reason)
    click.echo("released")


@command.command()
def holds() -> None:
    """Print what is held, since when and why."""
    for one in vaults.trusted("audit.hold").holds():
        since = datetime.fromtimestamp(one.since, UTC)
        click.echo(f"{one.subject}  since {since:%Y-%m-%d}: {one.reason}")


@command.command()
@click.option("--years", default=6, show_default=True, type=click.IntRange(6), help="Kept so long.")
def forget(years: int) -> None:
    """Make older entries unreadable for ever, but those that are held. The log stays whole.

    Six years are the least (45 CFR 164.316). Backups of the vault still have what opens them.
    """
    click.echo(f"{vaults.trusted('audit.forget').forget(years)} entries forgotten")


@command.command()
@_reason
def renew(reason: str) -> None:
    """Begin another log where the one before cannot be gone on with, after a loss.

    What is left of that stays beside it, and the first entry says what is known of it. Auditors
    take first.age and the log's key away again.
    """
    from scrubjay import trust

    trust.renew(home.home(), vaults.opened(), reason)
    click.echo("another log begins: take audit/first.age and scrubjay audit key away again")


def _key() -> tuple[Verifier, AuditError | None]:
    """The log's key, and why the log does not open, if so: then `verify` names the entry."""
    try:
        return vaults.trusted("audit.verify").key, None
    except AuditError as problem:
        from scrubjay import trust

        return trust.log_key(vaults.opened()), problem


def _items(action: str) -> list[Item]:
    return _read(vaults.trusted(action), action)


def _read(trust: Trust, action: str) -> list[Item]:
    """All entries, once it is logged that somebody reads them."""
    _note(trust, action, "audit")
    return list(trust.entries())


def _note(trust: Trust, action: str, role: str, **told: str) -> None:
    from scrubjay.audit.entry import Entry

    trust.tell(action, role, [Entry("", "", "", "done", **told)])  # type: ignore[arg-type]


def _utc(day: datetime | None) -> datetime | None:
    return day.replace(tzinfo=UTC) if day else None


def _first(sealed: Path, identity: Path) -> bytes:
    """The ratchet's first key."""
    from scrubjay import sealing
    from scrubjay.audit.verify import first_key

    return first_key(_bytes(sealed), sealing.opened(identity))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise UsageError(f"{path}: {os.strerror(problem.errno or 0)}") from None
