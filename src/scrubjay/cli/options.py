"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

inputs: Decorator = click.argument(
    "inputs", nargs=-1, type=click.Path(path_type=Path, allow_dash=True)
)


def policy_of(default: str) -> Decorator:
    """Which policy, where none is named."""
    return click.option(
        "-p", "--policy", default=default, show_default=True,
        help="A policy's name, or the path of a TOML file.",
    )  # fmt: skip


policy = policy_of("hipaa-safe-harbor")


def profile_of(default: str) -> Decorator:
    """Which tagger, where none is named."""
    return click.option(
        "--profile", default=default, show_default=True, metavar="NAME",
        help="The tagger: fast, balanced, accurate, a bundle's folder, or patterns for none.",
    )  # fmt: skip


profile = profile_of("balanced")
recall: Decorator = click.option(
    "--recall", default="", metavar="SHARE",
    help="The tagger's threshold that reached this recall on its calibration data, such as 0.99.",
)  # fmt: skip
format_: Decorator = click.option(
    "--format", "format_", metavar="NAME",
    help="Read as text, lines, jsonl, csv ..., whatever the suffix says.",
)  # fmt: skip
encoding: Decorator = click.option(
    "--encoding", default="utf-8", show_default=True, help="How the bytes are text."
)
group: Decorator = click.option(
    "--group", default="", metavar="FIELD",
    help="The field or column that says whose record it is; dates shift alike within it.",
)  # fmt: skip
key_file: Decorator = click.option(
    "--key-file", type=click.Path(path_type=Path),
    help="The secret of hash, shift and surrogate. Without it they agree within one run only.",
)  # fmt: skip
domain: Decorator = click.option(
    "--domain", default="", metavar="TENANT/DOMAIN",
    help="Whose keys and pseudonyms: a domain of the vault. Instead of --key-file.",
)  # fmt: skip
