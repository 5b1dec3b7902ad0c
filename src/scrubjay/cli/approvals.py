"""`scrubjay approvals`: two other people agree before anybody is named again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from scrubjay.cli import options, restore, vaults
from scrubjay.errors import InputError, OutputError, UsageError

_path = click.Path(path_type=Path)
_domain = click.option("--domain", required=True, metavar="TENANT/DOMAIN", help="Whose tokens.")
_reason = click.option("--reason", required=True, help="Why, for those who approve and review.")


@click.group()
def command() -> None:
    """Ask for, sign and review what names people again.

    restore and reveal take two signatures of people with the role review, or an emergency.
    """


@command.command()
@click.argument("file", type=_path)
def key(file: Path) -> None:
    """Make your signing key and write it to FILE, under a passphrase.

    Somebody else vouches for it: scrubjay people signer NAME FILE. Who asks to restore from a
    two-person domain needs one too.
    """
    from scrubjay import home
    from scrubjay.access import signing

    if file.exists():
        raise UsageError(f"{file} is there already: name another file")
    words = vaults.secret("signing passphrase", "SCRUBJAY_SIGNING_PASSPHRASE", twice=True)
    made = signing.lock(signing.Signer.new(), words)
    try:
        home.write(file, made)
    except OSError as problem:
        raise OutputError(f"{file}: {problem.strerror}; nothing was written") from None
    click.echo(f"{file} is made; it and its passphrase are yours alone")


@command.command()
@options.inputs
@_domain
@_reason
@click.option("--code", "codes", multiple=True, help="Reveal this code, instead of INPUTS.")
@restore.chosen
@click.option("--hours", default=24, show_default=True, type=click.IntRange(1, 168))
def ask(
    inputs: tuple[Path, ...], domain: str, reason: str, codes: tuple[str, ...], hours: int,
    **whose: Any,
) -> None:  # fmt: skip
    """Ask to restore INPUTS, or to reveal codes. Prints the request's id."""
    from scrubjay.access import approvals, holders

    trust = vaults.trusted("approvals.request")
    records = restore.Whose.asked(**whose)
    scope = restore.scope_of(inputs, codes, trust.domain(domain), domain, records)
    now, lasts = int(time.time()), hours * 3600
    register = trust.register
    if restore.two_person(trust, scope):
        holders.receiver(register, trust.caller.person)
    click.echo(approvals.ask(register, trust.caller, scope, reason, lasts=lasts, now=now))


@command.command("list")
def list_() -> None:
    """Print requests that can still be signed or used."""
    from scrubjay.access import approvals

    trust = vaults.trusted("approvals.list")
    for request, signers in approvals.pending(trust.register, trust.caller, int(time.time())):
        what = ", ".join(request.scope.subjects) or f"tokens {request.scope.digest[:12]}"
        click.echo(f"{approvals.identify(request)}\n  {request.requester}: {request.reason}")
        click.echo(f"  {request.scope.action} in {request.scope.domain}: {what}")
        click.echo(f"  signed by {', '.join(signers) or 'nobody yet'}")


@command.command()
@click.argument("request")
@click.option("--key", "file", required=True, type=_path, help="Your signing key's file.")
def sign(request: str, file: Path) -> None:
    """Approve a REQUEST, by its id.

    For a two-person domain this gives your part of its key too, to the requester and for this
    request alone.
    """
    from scrubjay.access import approvals, holders

    trust = vaults.trusted("approvals.sign")
    register, who = trust.register, trust.caller
    found = approvals.find(register, request)
    signer = restore.signer(file)
    place = restore.two_person(trust, found.scope)
    parts = holders.give(register, signer, who.person, found, place) if place else None
    made = approvals.sign(signer, found, who.person)
    approvals.approve(register, who, request, made, parts=parts, now=int(time.time()))
    click.echo(f"approved: {found.scope.action} in {found.scope.domain} for {found.requester}")


@command.command("sign-file")
@click.argument("file", type=_path)
@click.option("--key", "own", required=True, type=_path, help="Your signing key's file.")
@click.option("--as", "name", required=True, metavar="NAME", help="Who you are in the vault.")
def sign_file(file: Path, own: Path, name: str) -> None:
    """Sign a request that a service gave you as a FILE.

    It needs no vault: this may be your own machine, where your key is. What you sign is shown, then
    your passphrase is asked for. The signature is printed; bring it to the service's page.
    """
    import msgspec

    from scrubjay.access import brought

    try:
        request = brought.read(file.read_bytes())
    except OSError as problem:
        raise InputError(f"{file}: {problem.strerror}") from None
    click.echo(brought.shown(request), err=True)
    made = brought.sign(restore.signer(own), request, name)
    click.echo(msgspec.json.encode(made))


@command.command()
@click.argument("name")
@_domain
@click.option("--key", "file", required=True, type=_path, help="Your signing key's file.")
def admit(name: str, domain: str, file: Path) -> None:
    """Give NAME a share of a two-person domain's key: a new approver, or one with a new key.

    It takes two who hold one, one after the other.
    """
    from scrubjay.access import holders

    trust = vaults.trusted("approvals.admit")
    place, signer, now = trust.domain(domain), restore.signer(file), int(time.time())
    done = holders.admit(trust.register, signer, trust.caller, name, place, now=now)
    click.echo(f"{name} holds a share" if done else f"another holder must admit {name} too")


@command.command()
@_domain
@_reason
@click.option("--minutes", default=15, show_default=True, type=click.IntRange(15, 60))
def emergency(domain: str, reason: str, minutes: int) -> None:
    """Break the glass: restore and reveal alone for some minutes. Somebody else reviews it.

    No emergency opens a two-person domain.
    """
    from scrubjay.access import breakglass

    trust = vaults.trusted("breakglass.start")
    restore.check_emergency(trust.domain(domain))
    opened = breakglass.start(
        trust.register, trust.caller, domain, reason, minutes=minutes, now=int(time.time())
    )
    for notice in opened.notices:
        click.echo(notice, err=True)
    click.echo(opened.emergency.id)


@command.command()
def emergencies() -> None:
    """Print emergencies that nobody has reviewed."""
    from scrubjay.access import breakglass

    trust = vaults.trusted("breakglass.list")
    for one, uses in breakglass.unreviewed(trust.register, trust.caller, int(time.time())):
        click.echo(f"{one.id}  {one.person} in {one.domain}, {len(uses)} uses: {one.reason}")


@command.command()
@click.argument("emergency")
@click.option("--justified/--unjustified", required=True)
def review(emergency: str, justified: bool) -> None:
    """Judge an EMERGENCY that is over, by its id."""
    from scrubjay.access import breakglass

    trust = vaults.trusted("breakglass.review")
    now = int(time.time())
    breakglass.review(trust.register, trust.caller, emergency, justified=justified, now=now)
    click.echo("reviewed")
