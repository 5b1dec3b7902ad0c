"""The vault of this home, for commands: where it is, what opens it."""

from __future__ import annotations

import contextlib
import os
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scrubjay import home
from scrubjay.errors import AuditError, ExtraError, UsageError

if TYPE_CHECKING:
    from scrubjay.engine import Engine
    from scrubjay.trust import Trust
    from scrubjay.vault.domain import Domain
    from scrubjay.vault.slots import Opener
    from scrubjay.vault.vault import Tools, Vault

NEEDS = {"apsw": "apsw-sqlite3mc", "cryptography": "cryptography", "pyrage": "pyrage"}


def exists() -> bool:
    """Whether there is one. One that cannot be seen, or of which the log alone is left, is one:
    else who hides it would be asked nothing, and its runs would not be logged."""
    try:
        return (home.home() / "audit-state").exists() or any(folder().iterdir())
    except FileNotFoundError:
        return False
    except OSError as problem:
        raise UsageError(f"{folder()}: {problem.strerror}; ask its owner") from None


def asked(action: str) -> Trust | None:
    """Refuse who may not do this with the vault of this home. Where there is none, nobody is asked
    and nothing of it is loaded."""
    return trusted(action) if exists() else None


def trusted(action: str, opener_: Opener | None = None, *, needs: str = "") -> Trust:
    """The vault of this home, opened for an action, with its log. Closed when the command ends.
    `needs`: the action that must be allowed, if it is another."""
    if not exists():
        raise UsageError(f"no vault in {folder()}: scrubjay keys init makes one")
    return _trust(opened(opener_), action, needs)


def opened(opener_: Opener | None = None) -> Vault:
    """The vault alone, closed when the command ends. Nobody was asked, nothing is logged."""
    vault: Vault = module().Vault.open(folder(), opener_ or opener(), tools())
    click.get_current_context().call_on_close(vault.close)
    return vault


def looked(trust: Trust, action: str, engine: Engine, *, show_text: bool) -> None:
    """Log that somebody looks at what an engine finds."""
    from scrubjay.audit.entry import Entry

    model, told = " ".join(engine.models.values()), "values are shown" if show_text else ""
    entry = Entry("", "", "", "done", policy=engine.digest, model=model, details=told)
    trust.tell(action, "detect", [entry])


def domain(opener_: Opener, path: str) -> Domain:
    """A domain in a process of its own, for who was allowed to use it. TENANT/DOMAIN."""
    tenant, _, name = path.partition("/")
    opened: Domain = module().Vault.open(folder(), opener_, tools()).tenant(tenant).domain(name)
    return opened


def allowed(vault: Vault, action: str) -> Trust:
    """Refuse what may not be done with a vault; log what is about to be done."""
    from scrubjay.audit.entry import Entry

    trust = _trust(vault, action)
    trust.tell(action, "administer", [Entry("", "", "", "done")])
    return trust


def _trust(vault: Vault, action: str, needs: str = "") -> Trust:
    from scrubjay.trust import Trust

    told = os.environ.get
    trust = Trust(
        home.home(), vault, api_key=told("SCRUBJAY_API_KEY", ""),
        id_token=told("SCRUBJAY_ID_TOKEN", ""), accept=action == "keys.accept",
    )  # fmt: skip
    before = sys.exc_info()[1]  # of who called
    click.get_current_context().call_on_close(lambda: _end(trust, action, before))
    trust.require(needs or action)
    return trust


def _end(trust: Trust, action: str, before: BaseException | None) -> None:
    """A command that did not come to its end is in the log: what it announced was not done."""
    problem = sys.exc_info()[1]
    if problem and problem is not before and not isinstance(problem, click.exceptions.Exit):
        with contextlib.suppress(AuditError):  # of the two, who called hears of the first
            trust.tell_failed(action.removesuffix(".run"), problem)
    trust.close()


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

    return tools._replace(store=partial(_database, address))


def _database(address: str, _folder: Path, _key: bytes, create: bool) -> Any:
    from scrubjay.vault.postgres import Postgres

    return Postgres(address, create=create)


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
