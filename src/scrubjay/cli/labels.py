"""`scrubjay labels`: what can be found."""

from __future__ import annotations

import click
import msgspec

from scrubjay import labels


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(as_json: bool) -> None:
    """List the labels: HIPAA letter, how each identifies under the GDPR, and its meaning."""
    rows = list(labels.table().values())
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(rows), indent=1))
        return
    for label in rows:
        click.echo(f"{label.name:18} {label.hipaa or '-':2} {label.gdpr:8} {label.meaning}")
