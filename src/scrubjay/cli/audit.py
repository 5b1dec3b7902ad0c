"""`scrubjay audit`: whether the log is what was written, and what it says."""

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
from scrubjay.errors import UsageError

if TYPE_CHECKING:
    from scrubjay.audit.query import Item
    from scrubjay.trust import Trust

_path = click.Path(path_type=Path)
_day = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"])
SEEN = "audit-seen"


@click.group()
def command() -> None:
    """Check the log of what was done with a vault, and read it."""


@command.command()
@click.argument("folder", type=_path, required=False)
@click.option("--log-key", help="The log's public key, where the vault is not: scrubjay audit key.")
@click.option("--identity", type=_path, help="A file with the auditor's AGE-SECRET-KEY-1...")
@click.option("--first", type=_path, help="The auditor's own copy of first.age.")
@click.option("--seen", type=_path, help="A file that keeps the newest head that was found whole.")
@click.option("--paper", multiple=True, help="A head that was noted elsewhere. Repeatable.")
@click.option("--processes", default=1, show_default=True, type=click.IntRange(1))
def verify(
    folder: Path | None, log_key: str | None, identity: Path | None, first: Path | None,
    seen: Path | None, paper: tuple[str, ...], processes: int,
) -> None:  # fmt: skip
    """Read all of a log and name the first entry that is not as it was written.

    With --identity it also finds what somebody who took over the machine wrote anew.
    """
    vaults.module()
    from scrubjay.audit import note, verify

    folder = folder or home.home() / "audit"
    seen = seen or home.home() / SEEN
    key = note.verifier(log_key) if log_key else vaults.trusted("audit.verify").key
    secret = _first(first or folder / "first.age", identity) if identity else b""
    trusted = verify.Trusted(key, first=secret)
    heads = [*verify.remembered(seen), *map(note.read_paper, paper)]
    found = verify.verify(folder, trusted, heads, processes=processes)
    verify.remember(seen, found.head)
    click.echo(f"whole: {found.head.size} entries; note this head: {note.paper(found.head)}")
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

    items = _items(vaults.trusted("audit.query"))
    asked = {name: value for name, value in wanted.items() if value}
    for number, entry in select(items, _utc(since), _utc(until), **asked):
        told = {"number": number, **msgspec.to_builtins(entry)}
        click.echo(msgspec.json.encode(told))


@command.command()
@click.argument("subject")
def disclosures(subject: str) -> None:
    """Print what was disclosed of a SUBJECT's code in six years (45 CFR 164.528)."""
    from scrubjay.audit import query

    items = _items(vaults.trusted("audit.query"))
    for one in query.disclosures(items, subject, datetime.now(UTC)):
        click.echo(msgspec.json.encode(one._asdict()))


@command.command()
@click.option("--fhir", is_flag=True, required=True, help="As FHIR R4 AuditEvent resources.")
def export(fhir: bool) -> None:
    """Print all entries in a form that others read, one a line."""
    from scrubjay.audit import query

    trust = vaults.trusted("audit.export")
    for number, entry in query.select(_items(trust)):
        click.echo(msgspec.json.encode(query.fhir(number, entry, trust.key.name)))


@command.command()
def register() -> None:
    """Print what the log knows of processing (GDPR Art 30), one line for each purpose."""
    from scrubjay.audit import query

    for one in query.register(_items(vaults.trusted("audit.query"))):
        click.echo(msgspec.json.encode(one._asdict()))


@command.command()
def reviews() -> None:
    """Print what somebody has to look at (45 CFR 164.308(a)(1)(ii)(D))."""
    from scrubjay.audit import query

    items = _items(vaults.trusted("audit.query"))
    for one in query.reviews(items, datetime.now(UTC)):
        click.echo(one.why)


def _items(trust: Trust) -> list[Item]:
    return list(trust.entries())


def _utc(day: datetime | None) -> datetime | None:
    return day.replace(tzinfo=UTC) if day else None


def _first(sealed: Path, identity: Path) -> bytes:
    """The ratchet's first key."""
    from scrubjay import sealing
    from scrubjay.audit.verify import first_key

    try:
        return first_key(sealed.read_bytes(), sealing.opened(identity))
    except OSError as problem:
        raise UsageError(f"{problem.filename}: {os.strerror(problem.errno or 0)}") from None
