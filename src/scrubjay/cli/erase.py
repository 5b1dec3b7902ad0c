"""`scrubjay erase`: nobody finds a subject's code again, the vault neither."""

from __future__ import annotations

import click

from scrubjay.cli import vaults


@click.command()
@click.argument("subject")
@click.option("--domain", required=True, metavar="TENANT/DOMAIN", help="Where it is erased.")
def command(subject: str, domain: str) -> None:
    """Destroy a SUBJECT's key, name, code, surrogates and days of shift in a domain (GDPR Art 17).

    SUBJECT is what records were grouped by, or what reveal prints: `MRN: 4711`. The log goes on as
    it is. Backups that still hold the subject are named: destroy them or let them run out.
    """
    from scrubjay import restore
    from scrubjay.audit.entry import Entry

    trust = vaults.trusted("erase.run")
    place = trust.domain(domain)
    trust.tell("erase", "administer", [Entry("", "", "", "done", about=domain)])
    erased = place.erase(restore.subject(place, subject))
    click.echo(f"erased, {erased.at}")
    for backup in erased.backups:
        click.echo(f"still in backup {backup.name}, made {backup.ended}: {backup.sha256[:12]}")
