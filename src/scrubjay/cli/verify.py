"""`scrubjay verify`: whether outputs are what a run wrote."""

from __future__ import annotations

from pathlib import Path

import click

from scrubjay import manifest
from scrubjay.cli import vaults
from scrubjay.errors import InputError


@click.command()
@click.argument("output", type=click.Path(path_type=Path))
@click.option(
    "--log-key", help="Who must have signed: a log's public key, as scrubjay audit key prints it."
)
def command(output: Path, log_key: str | None) -> None:
    """Compare OUTPUT, a file or a folder, with its manifest.

    anonymize --manifest writes one. It finds what was cut off, edited, swapped, or added since.
    Who changed both is found by --log-key alone: where there is a vault, its log's key signs.
    """
    path = manifest.name_of(output, output.is_dir())
    told = manifest.read(path)
    found = list(manifest.problems(path, told))
    if found:
        raise InputError("\n  ".join([f"{output}: not what was written:", *found]))
    by = _by(path, told, log_key)
    files = "1 file" if len(told.files) == 1 else f"{len(told.files)} files"
    models = ", ".join(f"{name} {digest[:12]}" for name, digest in told.models.items())
    click.echo(f"as written: {files}, {told.created}, scrubjay {told.scrubjay}")
    click.echo(f"policy {told.policy} {told.policy_digest[:12]}")
    click.echo(f"detectors {', '.join(told.detectors)}{'; models ' + models if models else ''}")
    click.echo("identifiers " + (", ".join(f"{k} {n}" for k, n in told.counts.items()) or "none"))
    click.echo(by)


def _by(path: Path, told: manifest.Manifest, log_key: str | None) -> str:
    """Who wrote it."""
    if not log_key:
        return "signed, not checked: say --log-key" if told.signature else "not signed"
    vaults.module()
    from scrubjay.audit import note

    key = note.verifier(log_key)
    head = manifest.check(path, told, key)
    return f"signed by {key.name}, entry {told.entry} of its log, whose head was: {head}"
