"""The command line. One small file per command group; each is imported only when it is called.

Exit status: 0 done, 1 the call is wrong, 2 could not be anonymized and nothing was written, 3 not
allowed, 4 some files of a folder could not be anonymized and the others are done.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import click

import scrubjay
from scrubjay.errors import ScrubjayError

COMMANDS = {
    "anonymize": "Take personal data out of files, folders or standard input.",
    "pipe": "Clean lines as they come, between two programs.",
    "detect": "Show where personal data is, without changing anything.",
    "people": "Say who may use the vault, and for what.",
    "approvals": "Ask for, sign and review what names people again.",
    "restore": "Put values back for tokens, once two others have agreed.",
    "reveal": "Print whose codes these are, once two others have agreed.",
    "erase": "Destroy what the vault knows of somebody.",
    "audit": "Check the log of what was done with a vault, and read it.",
    "review": "Read a sample of outputs, and bound what is left in all of them.",
    "verify": "Say whether outputs are what a run wrote.",
    "evaluate": "Measure what is found in texts that people have marked.",
    "train": "Make a tagger of your own from marked texts.",
    "keys": "Make, open, rotate and save the keys of a vault.",
    "serve": "Answer over HTTP: an API, a page, gateways.",
    "mcp": "Offer tools to an agent that speaks MCP.",
    "policy": "List, show, check policies, and what each covers.",
    "labels": "List what can be found, and what each label means.",
    "doctor": "Say what is installed here and what it can do.",
    "completion": "Print the completion script for a shell.",
}


HERE = Path(scrubjay.__file__).parent
TRUST = frozenset({"apsw", "cryptography", "pyrage"})  # modules of the extra


class Lazy(click.Group):
    """Lists every command, imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"scrubjay.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Help texts come from the table, so that --help imports nothing."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(scrubjay.__version__, prog_name="scrubjay")
def group() -> None:
    """Find personal data in text and take it out: offline, on an ordinary CPU."""


def main(arguments: list[str] | None = None) -> Any:
    """Run a command and exit with its status."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy starts one a core, and we need none
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # tidied up as after Ctrl-C
    try:
        status = group.main(args=arguments, prog_name="scrubjay", standalone_mode=False)
        sys.stdout.flush()
    except ScrubjayError as problem:
        click.echo(f"scrubjay: {problem}", err=True)
        status = problem.exit_status
    except ModuleNotFoundError as problem:
        missing = (problem.name or "").partition(".")[0]
        if missing not in TRUST:
            raise
        click.echo(f"scrubjay: needs {missing}: pip install 'scrubjay[trust]'", err=True)
        status = 1
    except click.ClickException as problem:
        problem.show()
        status = 1
    except (click.Abort, KeyboardInterrupt):
        click.echo("scrubjay: interrupted; nothing was written", err=True)
        status = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 2
    except MemoryError:
        click.echo("scrubjay: not enough memory; nothing was written", err=True)
        status = 2
    except Exception as problem:  # noqa: BLE001 - what it says may be words of a document
        what = f"{type(problem).__name__} at {_place(problem)}"
        click.echo(f"scrubjay: a fault in it: {what}; please report that line", err=True)
        status = 2
    sys.exit(status if isinstance(status, int) else 0)


def _place(problem: BaseException) -> str:
    """The last of our own lines that it went through."""
    ours = [
        f"{file.relative_to(HERE)}:{line}"
        for frame, line in traceback.walk_tb(problem.__traceback__)
        if (file := Path(frame.f_code.co_filename)).is_relative_to(HERE)
    ]
    return ours[-1] if ours else "its start"
