"""`scrubjay serve`: an API, a page and gateways, on this machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from scrubjay import home, processes
from scrubjay.cli import options, vaults
from scrubjay.errors import ExtraError, UsageError

if TYPE_CHECKING:
    from scrubjay.serve.store import Place
    from scrubjay.vault.slots import Opener

NEEDS = ("starlette", "uvicorn", "uvloop", "httptools")
_path = click.Path(path_type=Path)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port", default=8600, show_default=True, type=click.IntRange(0, 65535),
    help="0: any that is free.",
)  # fmt: skip
@options.policy
@options.profile
@click.option(
    "--domain", default="", metavar="TENANT/DOMAIN",
    help="Whose keys and pseudonyms: a domain of the vault.",
)  # fmt: skip
@click.option(
    "--largest", default=1024, show_default=True, metavar="MIB", type=click.IntRange(1),
    help="Of a file that somebody sends.",
)  # fmt: skip
@click.option(
    "--jobs-in", "jobs_in", multiple=True, metavar="FOLDER",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Jobs may read and write below it. Repeatable; without one they are uploads alone.",
)  # fmt: skip
@click.option("--processes", default=0, metavar="N", help="Default: one a core.")
@click.option("--certificate", type=_path, help="A TLS certificate's file, with its chain.")
@click.option("--key", type=_path, help="The certificate's key.")
@click.option(
    "--name", "names", multiple=True, metavar="HOST",
    help="What it is called by callers of a proxy before it. Repeatable.",
)  # fmt: skip
@click.option("--openai", default="", metavar="URL", help="A model's service behind /openai.")
@click.option("--anthropic", default="", metavar="URL", help="The same, behind /anthropic.")
@click.option(
    "--open-presidio", is_flag=True,
    help="Programs of this machine may use Presidio's paths without a key.",
)  # fmt: skip
def command(openai: str, anthropic: str, **told: Any) -> None:
    """Answer over HTTP until Ctrl-C.

    The vault of this home says who may call. Where there is none, the service makes a store of its
    own and prints a first key, once; SCRUBJAY_API_KEY presets it.
    """
    if missing := [name for name in NEEDS if find_spec(name) is None]:
        raise ExtraError(f"serving needs {', '.join(missing)}: pip install 'scrubjay[serve]'")
    vaults.module()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's: its threads would do nothing
    from scrubjay.serve import server

    behind = {"openai": openai, "anthropic": anthropic}
    upstreams = {kind: _upstream(kind, url) for kind, url in behind.items() if url}
    told |= {"processes": told["processes"] or _cores(), "largest": told["largest"] << 20}
    settings = server.Settings(**told, upstreams=upstreams)
    opener = vaults.opener() if vaults.exists() else None
    store = partial(_opened, opener, guest=settings.open_presidio)
    known = processes.apart(store)() if opener else None  # who may not start it hears no more
    server.check(settings)
    sockets = server.bound(settings)  # before keys are made: they are told once
    opened = processes.apart(store) if known is None else lambda: known
    try:
        server.prepare(settings)
    finally:  # keys that were made are told, whatever else fails
        place, keys = opened()
        _greet(settings, sockets, keys)
    keys.clear()
    server.serve(settings, place, sockets)


def _upstream(kind: str, address: str) -> Any:
    """Its key, too, where the service has it and callers need not."""
    from scrubjay.serve.model.gateway import Upstream

    told, variable = urlsplit(address), f"SCRUBJAY_{kind.upper()}_KEY"
    if told.scheme not in ("http", "https") or not told.hostname or told.query or told.fragment:
        raise UsageError(f"--{kind}: say http:// or https://, a host, and the path up to /v1")
    if told.username is not None:
        raise UsageError(f"--{kind}: all can see what a command is called with; set {variable}")
    return Upstream(address, os.environ.get(variable, ""))


def _opened(opener: Opener | None, *, guest: bool) -> tuple[Place, dict[str, str]]:
    """The store, and what is told of it once. In a process apart: no vault's keys, files and locks
    are in the one of which others are made."""
    from scrubjay.serve import store

    preset = os.environ.get("SCRUBJAY_API_KEY", "")
    place, keys = (_checked(opener), {}) if opener else store.made(preset)
    if guest:
        store.let_in(place)
    return place, keys


def _checked(opener: Opener) -> Place:
    from scrubjay.serve import store

    try:
        trust = vaults.trusted("serve.run", opener)
        if not trust.register.people():
            raise UsageError(
                "nobody is registered in this vault, so nobody could call: scrubjay people first"
            )
    finally:
        click.get_current_context().close()
    return store.Place.of(home.home(), opener, vaults.tools())


def _greet(settings: Any, sockets: Sequence[socket.socket], keys: dict[str, str]) -> None:
    from scrubjay.serve import traces

    scheme = "https" if settings.certificate else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    if sockets:
        port, policy = sockets[0].getsockname()[1], Path(settings.policy).name
        click.echo(f"scrubjay: {scheme}://{host}:{port}  policy {policy}", err=True)
    if taker := traces.host():
        click.echo(f"scrubjay: traces go to {taker}", err=True)
    for name, key in keys.items():
        click.echo(f"scrubjay: key of '{name}', shown this once: {key}", err=True)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
