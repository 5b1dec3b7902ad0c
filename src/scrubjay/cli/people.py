"""`scrubjay people`: who may use a vault, in which roles, with which keys."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scrubjay.access.matrix import matrix
from scrubjay.cli import vaults
from scrubjay.errors import InputError

if TYPE_CHECKING:
    from scrubjay.access.people import Person

_roles = click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice(list(matrix().roles)),
    help="What they may do: docs/access.md. Repeatable.",
)  # fmt: skip
DAY = 86_400


@click.group()
def command() -> None:
    """Say who may use the vault, and for what.

    People are named after their accounts on this machine, or come with SCRUBJAY_API_KEY. Until
    somebody is registered, the vault is its owner's alone.
    """


@command.command()
@click.argument("name")
def first(name: str) -> None:
    """Register the first administrator. From then on everybody else needs a name and roles."""
    from scrubjay.access import people

    people.found(vaults.trusted("people.add").register, name, _now())
    click.echo(f"{name} administers")


@command.command()
@click.argument("name")
@_roles
@click.option("--service", is_flag=True, help="A program, not a person: it never approves.")
def add(name: str, roles: tuple[str, ...], service: bool) -> None:
    """Register somebody."""
    from scrubjay.access import people

    trust = vaults.trusted("people.add")
    people.add(trust.register, trust.caller, name, roles=roles, service=service, now=_now())
    click.echo(f"{name}: {', '.join(roles)}")


@command.command()
@click.argument("name")
@_roles
def roles(name: str, roles: tuple[str, ...]) -> None:
    """Give somebody these roles and no others, at once."""
    from scrubjay.access import people

    trust = vaults.trusted("people.change")
    people.set_roles(trust.register, trust.caller, name, roles, now=_now())
    click.echo(f"{name}: {', '.join(roles)}")


@command.command()
@click.argument("name")
def remove(name: str) -> None:
    """Take roles, keys and ways in away, for good."""
    from scrubjay.access import people

    trust = vaults.trusted("people.remove")
    people.remove(trust.register, trust.caller, name, now=_now())
    click.echo(f"{name} is gone")


@command.command("list")
def list_() -> None:
    """Print everybody, with roles and keys."""
    for person in vaults.trusted("people.list").register.people().values():
        click.echo(_told(person))


@command.command()
@click.argument("name")
@click.option("--scope", multiple=True, help="An action that the key is for. Repeatable.")
@click.option("--days", default=90, show_default=True, type=click.IntRange(1, 366))
def key(name: str, scope: tuple[str, ...], days: int) -> None:
    """Make an API key and print it, once. People make their own; administrators those of services.

    Without --scope it is for all that its owner's roles allow.
    """
    from scrubjay.access import entry, matrix

    trust = vaults.trusted("people.own")
    held = trust.register.people()
    mine = held[name].roles if name in held else ()
    scope = scope or tuple(a for a in matrix.matrix().actions if matrix.allowed(mine, a))
    terms = entry.Terms(scope, _now() + days * DAY)
    click.echo(entry.issue(trust.register, trust.caller, name, terms, now=_now()))


@command.command()
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
def signer(name: str, file: Path) -> None:
    """Vouch for the key that somebody signs approvals with: FILE is what approvals key wrote."""
    from scrubjay.access import people, signing

    trust = vaults.trusted("people.signer")
    try:
        public = signing.public_of(file.read_bytes())
    except OSError as problem:
        raise InputError(f"{file}: {problem.strerror}") from None
    people.set_approver(trust.register, trust.caller, name, public, now=_now())
    click.echo(f"{name} signs with {public.verify.hex()[:16]}")


def _told(person: Person) -> str:
    if person.left:
        return f"{person.name}: gone"
    what = ", ".join(person.roles) or "no role"
    extra = [f"{len(person.keys)} keys"] if person.keys else []
    extra += ["signs"] if person.approver else []
    extra += ["a service"] if person.service else []
    return f"{person.name}: {what}{' (' + ', '.join(extra) + ')' if extra else ''}"


def _now() -> int:
    return int(time.time())
