"""`scrubjay mcp`: tools for agents, over the Model Context Protocol."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

import scrubjay
from scrubjay.agents import Folders, Told, Toolbox
from scrubjay.cli import options, vaults
from scrubjay.engine import load
from scrubjay.errors import ExtraError, ScrubjayError, UsageError
from scrubjay.keys import Key

ABOUT = (
    "Finds personal data and takes it out, on this machine. Values that were found are not told."
)
_folder = click.Path(path_type=Path, file_okay=False)


@click.command()
@options.policy
@options.profile
@click.option("--in", "source", type=_folder, help="The folder whose files may be read.")
@click.option("--out", "target", type=_folder, help="The folder that clean files go to.")
@options.key_file
@options.domain
def command(
    policy: str, profile: str, source: Path | None, target: Path | None,
    key_file: Path | None, domain: str,
) -> None:  # fmt: skip
    """Offer tools to an agent, over standard input and output, until it goes.

    detect_text, anonymize_text, anonymize_file, restore_text, list_policies. Where there is a
    vault, each call takes its role and is in the log.
    """
    trust = vaults.trusted("policy.show") if domain or vaults.exists() else None
    folders = _folders(source, target)
    if find_spec("mcp") is None:
        raise ExtraError("this needs mcp: pip install 'scrubjay[mcp]'")
    if key_file and domain:
        raise UsageError("--key-file or --domain, not both")
    key = Key.read(key_file) if key_file else None
    place = trust.domain(domain) if trust and domain else None
    engine = load(policy, profile=profile, key=key, domain=place)
    engine.anonymize("warm")
    serve(Toolbox(engine, folders, trust, domain=domain))


def serve(tools: Toolbox) -> None:
    """Until who asks has gone."""
    from mcp.server import MCPServer

    server = MCPServer(
        "scrubjay", instructions=ABOUT, version=scrubjay.__version__, log_level="CRITICAL"
    )
    for tool in (
        tools.detect_text, tools.anonymize_text, tools.anonymize_file, tools.restore_text,
        tools.list_policies,
    ):  # fmt: skip
        server.add_tool(_told(tool, tools.failed))
    server.run("stdio")


def _told(
    tool: Callable[..., Awaitable[Told]], failed: Callable[[Exception], None]
) -> Callable[..., Awaitable[Told]]:
    """With errors as an agent may see them: never a word of a document."""
    from mcp.server.mcpserver.exceptions import ToolError

    @functools.wraps(tool)
    async def told(*given: Any, **named: Any) -> Told:
        try:
            return await tool(*given, **named)
        except ScrubjayError as problem:
            failed(problem)
            what = f"{problem.code}: {problem}"
        except Exception as problem:  # noqa: BLE001 - what it says may be words of a document
            failed(problem)
            what = f"error: a fault in it: {type(problem).__name__}"
        raise ToolError(what)

    return told


def _folders(source: Path | None, target: Path | None) -> Folders:
    if (source is None) != (target is None):
        raise UsageError("--in and --out go together")
    if source is None or target is None:
        return Folders()
    for folder in (source, target):
        if not folder.is_dir():
            raise UsageError(f"{folder}: no such folder")
    inside, outside = source.resolve(), target.resolve()
    if inside.is_relative_to(outside) or outside.is_relative_to(inside):
        raise UsageError("--in and --out: neither may lie in the other")
    return Folders(inside, outside)
