"""The vault of this home, for commands: where it is, what opens it."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scrubjay import home
from scrubjay.errors import ExtraError, UsageError

if TYPE_CHECKING:
    from scrubjay.trust import Trust
    from scrubjay.vault.domain import Domain
    from scrubjay.vault.slots import Opener
    from scrubjay.vault.vault import Tools, Vault

NEEDS = {"apsw": "apsw-sqlite3mc", "cryptography": "cryptography", "pyrage": "pyrage"}


def exists() -> bool:
    """Whether there is one."""
    return (folder() / "root.json").exists()


def trusted(action: str, opener_: Opener | None = None) -> Trust:
    """The vault of this home, opened for an action, with its log. Closed when the command ends."""
    if not exists():
        raise UsageError(f"no vault in {folder()}: scrubjay keys init makes one")
    vault = module().Vault.open(folder(), opener_ or opener(), tools())
    click.get_current_context().call_on_close(vault.close)
    return _trust(vault, action)


def domain(opener_: Opener, path: str) -> Domain:
    """A domain in a process of its own, for who was allowed to use it. TENANT/DOMAIN."""
    tenant, _, name = path.partition("/")
    opened: Domain = module().Vault.open(folder(), opener_, tools()).tenant(tenant).domain(name)
    return opened


def allowed(vault: Vault, action: str) -> None:
    """Refuse what may not be done with a vault; log what is about to be done."""
    from scrubjay.audit.entry import Entry

    _trust(vault, action).tell(action, "administer", [Entry("", "", "", "done")])


def _trust(vault: Vault, action: str) -> Trust:
    from scrubjay.trust import Trust

    trust = Trust(home.home(), vault, api_key=os.environ.get("SCRUBJAY_API_KEY", ""))
    click.get_current_context().call_on_close(trust.close)
    trust.require(action)
    return trust


def module() -> Any:
    """The vault, or how to get what it needs."""
    if missing := [package for name, package in NEEDS.items() if find_spec(name) is None]:
        raise ExtraError(f"keys need {', '.join(missing)}: pip install 'scrubjay[trust]'")
    from scrubjay.vault import vault

    return vault


def folder() -> Path:
    return home.home() / "vault"


def tools() -> Tools:
    """Where rows are kept."""
    tools: Tools = module().Tools()
    if not (address := os.environ.get("SCRUBJAY_DATABASE")):
        return tools
    if find_spec("psycopg") is None:
        raise ExtraError("PostgreSQL needs psycopg: pip install 'scrubjay[postgres]'")
    from scrubjay.vault.postgres import Postgres

    return tools._replace(store=lambda _folder, _key, create: Postgres(address, create=create))


def opener() -> Opener:
    """From the environment, or asked for: only here."""
    slots = module().slots
    opener: Opener = slots.told(os.environ) or slots.passphrase(hidden("passphrase"))
    return opener


def secret(what: str, variable: str, *, twice: bool = False) -> str:
    """From the environment, or asked for."""
    return os.environ.get(variable) or hidden(what, twice=twice)


def hidden(what: str, *, twice: bool = False) -> str:
    """From a terminal: a pipe has no prompt, and a passphrase there would be a guess."""
    if not sys.stdin.isatty():
        raise UsageError(
            f"no terminal to ask for the {what}: set SCRUBJAY_PASSPHRASE, SCRUBJAY_KEY_FILE "
            "or SCRUBJAY_KEY_COMMAND (SCRUBJAY_NEW_PASSPHRASE for a new one)"
        )
    words: str = click.prompt(what, hide_input=True, confirmation_prompt=twice, err=True)
    return words
