"""`scrubjay verify`: whether outputs are what a run wrote."""

from __future__ import annotations

from pathlib import Path

import click

from scrubjay import manifest
from scrubjay.errors import InputError


@click.command()
@click.argument("output", type=click.Path(path_type=Path))
def command(output: Path) -> None:
    """Compare OUTPUT, a file or a folder, with its manifest.

    anonymize --manifest writes one. It finds what was cut off, edited, swapped, or added since; it
    is not signed, so it does not find who changed both.
    """
    path = manifest.name_of(output, output.is_dir())
    told = manifest.read(path)
    found = list(manifest.problems(path, told))
    if found:
        raise InputError("\n  ".join([f"{output}: not what was written:", *found]))
    files = "1 file" if len(told.files) == 1 else f"{len(told.files)} files"
    models = ", ".join(f"{name} {digest[:12]}" for name, digest in told.models.items())
    click.echo(f"as written: {files}, {told.created}, scrubjay {told.scrubjay}")
    click.echo(f"policy {told.policy} {told.policy_digest[:12]}")
    click.echo(f"detectors {', '.join(told.detectors)}{'; models ' + models if models else ''}")
    click.echo("identifiers " + (", ".join(f"{k} {n}" for k, n in told.counts.items()) or "none"))
