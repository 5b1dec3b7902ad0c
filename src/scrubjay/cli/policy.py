"""`scrubjay policy`: what the policies say."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from scrubjay import coverage, policies
from scrubjay.cli import vaults


@click.group()
def command() -> None:
    """List, show and check policies, and what each covers."""


@command.command("list")
def list_() -> None:
    """The policies that ship."""
    vaults.asked("policy.show")
    for name in policies.names():
        click.echo(f"{name:24} {policies.load(name).description}")


@command.command()
@click.argument("policy")
def show(policy: str) -> None:
    """A policy with everything it extends, as JSON, and its digest."""
    vaults.asked("policy.show")
    loaded = policies.load(policy)
    told = {"digest": policies.digest(loaded), **msgspec.to_builtins(loaded)}
    click.echo(msgspec.json.format(msgspec.json.encode(told), indent=1))


@command.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(paths: tuple[Path, ...]) -> None:
    """Refuse a wrong policy with file, line and what is allowed."""
    vaults.asked("policy.check")
    for path in paths:
        click.echo(f"{path}: good, digest {policies.digest(policies.load(path))}")


@command.command("coverage")
@click.argument("policy", default="hipaa-safe-harbor")
def coverage_(policy: str) -> None:
    """Safe Harbor's letters: which labels, what is done to each, what is not covered."""
    vaults.asked("policy.show")
    for row in coverage.table(policies.load(policy)):
        click.echo(f"{row.letter}  {row.what}")
        by_operator: dict[str, list[str]] = {}
        for label, operator in row.labels.items():
            by_operator.setdefault(operator, []).append(label)
        for operator, names in by_operator.items():
            click.echo(f"   {operator:14} {', '.join(names)}")
        if row.unseen:
            click.echo(f"   not covered    {row.unseen}")
