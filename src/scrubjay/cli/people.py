"""`scrubjay people`: who may use a vault, in which roles, with which keys."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scrubjay.access.matrix import matrix
from scrubjay.cli import vaults
from scrubjay.errors import InputError, UsageError

if TYPE_CHECKING:
    from scrubjay.access.people import Person

_path = click.Path(path_type=Path)
_roles = click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice(list(matrix().roles)),
    help="What they may do: docs/access.md. Repeatable.",
)  # fmt: skip
DAY = 86_400


@click.group()
def command() -> None:
    """Say who may use the vault, and for what.

    People are named after their accounts on this machine, or come with SCRUBJAY_API_KEY or
    SCRUBJAY_ID_TOKEN. Until somebody is registered, the vault is its owner's alone.
    """


@command.command()
@click.argument("name")
def first(name: str) -> None:
    """Register the first administrator. From then on everybody else needs a name and roles."""
    from scrubjay.access import people

    people.found(vaults.trusted("people.first").register, name, _now())
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
    """Print everybody, with roles and keys, and whose tokens are taken."""
    register = vaults.trusted("people.list").register
    for person in register.people().values():
        click.echo(_told(person))
    for name, provider in register.issuers().items():
        read = time.strftime("%Y-%m-%d", time.gmtime(provider.at))
        click.echo(f"issuer {name} for {provider.audience}, by {provider.claim}, keys of {read}")


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
@click.argument("id")
def revoke(name: str, id: str) -> None:
    """Take an API key away: its ID is the part after sjk_."""
    from scrubjay.access import entry

    trust = vaults.trusted("people.own")
    entry.revoke(trust.register, trust.caller, name, id, now=_now())
    click.echo(f"{id} opens nothing any more")


@command.command()
@click.argument("name")
@click.option("--audience", help="For whom its tokens must be: our client ID there.")
@click.option("--keys", type=_path, help="Its key set (JWKS), a file that you have fetched.")
@click.option(
    "--claim", default="sub", show_default=True, type=click.Choice(["sub", "oid"]),
    help="What says in a token who it is. oid: Entra ID.",
)  # fmt: skip
@click.option("--remove", is_flag=True, help="Take its tokens no longer.")
def issuer(name: str, audience: str | None, keys: Path | None, claim: str, remove: bool) -> None:
    """Take SCRUBJAY_ID_TOKENs of an identity provider: NAME is their iss, https://...

    Nothing is fetched: when the provider changes its keys, fetch them and call it again.
    """
    from scrubjay.access import entry
    from scrubjay.access.people import Provider

    trust = vaults.trusted("people.issuer")
    if remove == bool(audience and keys):
        raise UsageError("say --audience and --keys, or --remove")
    now, provider = _now(), None
    if audience and keys:
        try:
            known = _read(keys).decode("utf-8")
        except UnicodeDecodeError:
            raise UsageError(f"{keys}: this is no JWKS document; fetch it again") from None
        provider = Provider(audience, claim, known, now)
    entry.set_issuer(trust.register, trust.caller, name, provider, now=now)
    click.echo(f"{name}: {'no longer' if remove else 'its tokens are taken'}")


@command.command()
@click.argument("name")
@click.argument("subjects", nargs=-1)
@click.option("--issuer", required=True, help="The provider that names them so.")
def subject(name: str, subjects: tuple[str, ...], issuer: str) -> None:
    """Say whose tokens are somebody's: SUBJECTS of an issuer, and no others; none: no token."""
    from scrubjay.access import people

    trust = vaults.trusted("people.change")
    if subjects and issuer not in trust.register.issuers():
        raise UsageError(f"no issuer '{issuer}': scrubjay people issuer registers it")
    ways = tuple(f"{issuer} {one}" for one in subjects)
    people.link(trust.register, trust.caller, name, subjects=ways, now=_now())
    click.echo(f"{name}: {_counted(len(ways), 'token subject')}")


@command.command()
@click.argument("name")
@click.argument("files", nargs=-1, type=_path)
@click.option(
    "--by-name", "by_name", multiple=True, metavar="KIND:NAME",
    help="Every certificate with this alternative name: email:, dns: or uri:. Repeatable.",
)  # fmt: skip
def certificate(name: str, files: tuple[Path, ...], by_name: tuple[str, ...]) -> None:
    """Say which client certificates are somebody's: FILES (PEM, DER), and no others."""
    from scrubjay.access import certificates, people

    trust = vaults.trusted("people.change")
    kinds = tuple(f"{kind}:" for kind in certificates.KINDS.values())
    if wrong := [one for one in by_name if not one.startswith(kinds)]:
        raise UsageError(f"'{wrong[0]}': a name begins with {', '.join(kinds)}")
    ways = tuple(certificates.names(_read(file))[0] for file in files) + by_name
    people.link(trust.register, trust.caller, name, certificates=ways, now=_now())
    click.echo(f"{name}: {_counted(len(ways), 'certificate')}")


@command.command()
def clock() -> None:
    """Accept the time that the clock shows, when it had run ahead and is right again."""
    from scrubjay.access import people

    trust = vaults.trusted("people.clock")
    people.set_time(trust.register, trust.caller, _now())
    click.echo("accepted")


@command.command()
@click.argument("name")
@click.argument("file", type=_path)
def signer(name: str, file: Path) -> None:
    """Vouch for the key that somebody signs approvals with: FILE is what approvals key wrote."""
    from scrubjay.access import people, signing

    trust = vaults.trusted("people.signer")
    public = signing.public_of(_read(file))
    people.set_approver(trust.register, trust.caller, name, public, now=_now())
    click.echo(f"{name} signs with {public.verify.hex()[:16]}")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise InputError(f"{file}: {problem.strerror}") from None


def _told(person: Person) -> str:
    if person.left:
        return f"{person.name}: gone"
    ways = {
        "key": person.keys,
        "token subject": person.subjects,
        "certificate": person.certificates,
    }
    extra = [_counted(len(held), what) for what, held in ways.items() if held]
    extra += ["signs"] if person.approver else []
    extra += ["a service"] if person.service else []
    what = ", ".join(person.roles) or "no role"
    return f"{person.name}: {what}{' (' + ', '.join(extra) + ')' if extra else ''}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _now() -> int:
    return int(time.time())
