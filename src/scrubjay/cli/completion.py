"""`scrubjay completion`: what a shell needs to complete commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script for SHELL: `eval "$(scrubjay completion bash)"`."""
    from scrubjay.cli import group

    kind = get_completion_class(shell)
    if kind:
        click.echo(kind(group, {}, "scrubjay", "_SCRUBJAY_COMPLETE").source())
