"""`scrubjay keys`: a vault's keys, slots and backups. It shows names and days, never a key."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scrubjay.cli import vaults
from scrubjay.errors import UsageError

if TYPE_CHECKING:
    from scrubjay.trust import Trust
    from scrubjay.vault.nodes import About, Deal
    from scrubjay.vault.slots import Opener
    from scrubjay.vault.vault import Vault

_path = click.Path(path_type=Path)


@click.group()
def command() -> None:
    """Make, open, rotate and save the keys of a vault.

    The vault lies in SCRUBJAY_HOME, its rows too unless SCRUBJAY_DATABASE names a PostgreSQL
    database. SCRUBJAY_KEY_FILE (a file), SCRUBJAY_KEY_COMMAND (a command that prints the key) or
    SCRUBJAY_PASSPHRASE opens it; else the passphrase is asked for.
    """


def _new(function: Callable[..., Any]) -> Callable[..., Any]:
    """What a slot is made for."""
    file = click.option("--key-file", type=_path, help="A file with 32 random bytes or more.")
    line = click.option("--key-command", help="A command that prints them, such as a KMS's.")
    return file(line(function))


@command.command()
@click.option(
    "--auditor", "auditors", multiple=True, metavar="KEY",
    help="An age1... public key: who checks the log. Repeatable; without one, a key is made.",
)  # fmt: skip
def init(auditors: tuple[str, ...]) -> None:
    """Make a vault, and the log of what is done with it.

    What opens vaults in the environment opens this one too; else a new passphrase is asked for.
    """
    module = vaults.module()
    opener = module.slots.told(os.environ, new=True) or _asked_new()
    from scrubjay import home, sealing, trust

    sealing.recipients(auditors)
    made = module.Vault.init(vaults.folder(), opener, vaults.tools())
    identity = sealing.identity()
    trust.begin(home.home(), made, auditors or (str(identity.to_public()),))
    made.close()
    click.echo(f"vault {made.id[:8]} is made; back up {home.home()}")
    if not auditors:
        click.echo(f"auditor's key, shown once; take it and audit/first.age away:\n{identity}")


@command.command()
@click.option(
    "--least", default=0, type=click.IntRange(0),
    help="A count of writes that was noted elsewhere: fail if the vault has had fewer.",
)  # fmt: skip
def show(least: int) -> None:
    """Tell slots, tenants, domains, versions, backups."""
    vault = _opened(least=least)
    click.echo(f"vault   {vault.id[:8]}, made {vault.created}, {vault.writes()} writes")
    click.echo(f"root    version {vault.generation}")
    for slot in vault.slots:
        click.echo(f"slot    {slot.name}: {slot.kind}, made {slot.created}")
    for tenant in vault.tenants():
        click.echo(f"tenant  {tenant.name}: {_versions(tenant.about())}")
        for domain in tenant.domains():
            about = domain.about()
            click.echo(f"domain  {tenant.name}/{about.name}: {_versions(about)}{_held(about)}")
    for made in vault.backups():
        click.echo(f"backup  {made.name}: made {made.ended}, sha256 {made.sha256}")


@command.command()
@click.argument("name")
@click.option(
    "--bits", default=80, show_default=True, type=click.IntRange(80, 150),
    help="Random bits of a code of this domain.",
)  # fmt: skip
@click.option("--two-person", is_flag=True, help="A domain whose tokens two approvers open.")
def add(name: str, bits: int, two_person: bool) -> None:
    """Make a tenant (NAME) or a domain (TENANT/NAME).

    The key of a two-person domain's tokens is shared out to those who can sign approvals now.
    """
    from scrubjay.access import approvals

    trust = _trusted()
    tenant, slash, domain = name.partition("/")
    if two_person and not slash:
        raise UsageError("--two-person is for domains: say TENANT/NAME")
    if not approvals.DOMAIN.fullmatch(name):  # else no approval could name what is in it
        raise UsageError("a tenant's or domain's name has 1 to 128 of A-Z, a-z, 0-9 and . _ -")
    if name == "root":
        raise UsageError("root is the vault's own key, which rotate names so: take another name")
    if not slash:
        trust.vault.add_tenant(tenant)
        click.echo(f"{name} is made")
        return
    deal = _dealer(trust) if two_person else None
    made = trust.vault.tenant(tenant).add_domain(domain, bits=bits, deal=deal)
    click.echo(f"{name} is made{_held(made.about())}")


@command.command()
@click.argument("name")
@click.option(
    "--until", default=None, type=click.DateTime(["%Y-%m-%d"]),
    help="A domain's older versions are readable until this day (UTC); without it, for good.",
)  # fmt: skip
def rotate(name: str, until: Any) -> None:
    """Give a new key to root, a TENANT or a TENANT/DOMAIN.

    What is below is wrapped again; no data are read. root: only slots stay that what
    opens it now opens too. A two-person domain: those who can sign approvals now hold it.
    """
    tenant, slash, domain = name.partition("/")
    if until and not slash:
        raise UsageError("--until is for domains: tenants' and root's older keys read nothing")
    opener = vaults.opener()
    trust = _trusted(opener)
    vault = trust.vault
    if name == "root":
        gone = vault.rotate([opener])
        click.echo(f"root version {vault.generation}; slots gone: {', '.join(gone) or 'none'}")
    elif slash:
        end = until.strftime("%Y-%m-%dT%H:%M:%SZ") if until else ""
        place = vault.tenant(tenant).domain(domain)
        number = place.rotate(end, _dealer(trust) if place.pairs else None)
        click.echo(f"{name} version {number}{_held(place.about())}")
    else:
        click.echo(f"{name} version {vault.tenant(tenant).rotate()}")


@command.command()
def split() -> None:
    """Print three recovery parts, of which two open the vault.

    They are shown once. Give each to somebody else, on paper. Earlier parts stop working.
    """
    for number, part in enumerate(_opened().split(), start=1):
        click.echo(f"part {number}\n  {part[:39]}\n  {part[40:]}")


@command.command()
def recover() -> None:
    """Open with two recovery parts and set a new passphrase.

    Parts are asked for, or read from standard input, one a line; the new passphrase too, or it
    is SCRUBJAY_NEW_PASSPHRASE. The old passphrase stops working.
    """
    first, second = (click.prompt(f"{which} part", err=True) for which in ("first", "second"))
    module = vaults.module()
    _trusted(module.slots.parts(module.shares.join(first, second)))
    module.Vault.recover(vaults.folder(), (first, second), _asked_new(), vaults.tools()).close()
    click.echo("the new passphrase opens the vault")


@command.command()
@click.argument("name")
@_new
def add_slot(name: str, key_file: Path | None, key_command: str | None) -> None:
    """Add a way to open the vault: a passphrase, or what an option says."""
    vault = _opened()
    vault.add_slot(name, _chosen(key_file, key_command))
    click.echo(f"slot {name} is made")


@command.command()
@click.argument("name")
def remove_slot(name: str) -> None:
    """Take a way to open the vault away.

    Older copies of root.json still open with it: rotate root where it may be in wrong hands.
    """
    _opened().remove_slot(name)
    click.echo(f"slot {name} is gone")


@command.command()
@click.option("-o", "--output", required=True, type=_path, help="The file to write.")
@click.option(
    "-r", "--recipient", "recipients", multiple=True, required=True,
    help="Who can open it: an age1... public key. Repeatable.",
)  # fmt: skip
def export(output: Path, recipients: tuple[str, ...]) -> None:
    """Write a backup as an age file, and record it.

    To use it takes an age identity and what opens a slot.
    """
    vault = _opened()
    from scrubjay.vault import backup

    made = backup.export(vault, output, recipients)
    click.echo(f"{output}: sha256 {made.sha256}")


@command.command("import")
@click.argument("file", type=_path)
@click.option(
    "-i", "--identity", required=True, type=_path, help="A file with an AGE-SECRET-KEY-1..."
)
def import_(file: Path, identity: Path) -> None:
    """Make the vault again from a backup, where there is none.

    It goes on with the log in SCRUBJAY_HOME, or begins another where that is gone.
    """
    vaults.module()
    from scrubjay import home, trust
    from scrubjay.vault import backup

    try:
        lines = identity.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        raise UsageError(f"{identity} cannot be read as text") from None
    key = next((line for line in lines if line and not line.startswith("#")), "")
    vault = backup.restore(vaults.folder(), file, key, vaults.opener(), vaults.tools())
    click.get_current_context().call_on_close(vault.close)
    click.echo(f"vault {vault.id[:8]} is back, as of this backup")
    click.echo(trust.came_back(home.home(), vault, backup.digest(file)))


@command.command()
@click.argument("sha256")
def forget(sha256: str) -> None:
    """Note that the backup with this digest was destroyed."""
    _opened().forget(sha256)
    click.echo("noted")


@command.command()
def accept() -> None:
    """Take an older store or root.json as the newest there is.

    For after a loss. Who was erased since is erased again, as far as the list beside
    root.json tells.
    """
    vault = _opened(older=True)
    vault.accept()
    click.echo(f"accepted, with {vault.writes()} writes")


def _opened(**how: Any) -> Vault:
    """The vault, once who asks may do this and the log has heard of it."""
    return _trusted(**how).vault


def _trusted(opener: Opener | None = None, **how: Any) -> Trust:
    """The same with its people and its log."""
    context = click.get_current_context()
    vault: Vault = vaults.module().Vault.open(
        vaults.folder(), opener or vaults.opener(), vaults.tools(), **how
    )
    context.call_on_close(vault.close)
    return vaults.allowed(vault, f"keys.{context.info_name}")


def _dealer(trust: Trust) -> Deal:
    """What makes a two-person domain's keys."""
    from scrubjay.access import holders

    return holders.dealer(trust.register)


def _held(about: About) -> str:
    """Who holds shares, where there are any."""
    return f"; its tokens take two of {', '.join(about.holders)}" if about.holders else ""


def _chosen(key_file: Path | None, key_command: str | None) -> Opener:
    """What a new slot is for."""
    slots = vaults.module().slots
    if key_file and key_command:
        raise UsageError("--key-file or --key-command, not both")
    opener: Opener = (
        slots.key_file(key_file) if key_file
        else slots.command(key_command) if key_command
        else _asked_new()
    )  # fmt: skip
    return opener


def _asked_new() -> Opener:
    """A new passphrase."""
    words = os.environ.get("SCRUBJAY_NEW_PASSPHRASE") or vaults.hidden("new passphrase", twice=True)
    opener: Opener = vaults.module().slots.passphrase(words, new=True)
    return opener


def _versions(about: About) -> str:
    """Versions with their days."""
    return "; ".join(
        f"version {number} made {created}" + (f" until {until}" if until else "")
        for number, created, until in about.versions
    )
