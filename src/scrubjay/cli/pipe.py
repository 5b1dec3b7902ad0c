"""`scrubjay pipe`: between two programs, line by line."""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from scrubjay import pipe
from scrubjay.cli import options, vaults
from scrubjay.engine import load
from scrubjay.errors import QuarantineError, UsageError
from scrubjay.keys import Key

if TYPE_CHECKING:
    from scrubjay.trust import Trust

BATCH = 1 << 14  # bytes that are read at once: what waits is cleaned together
WAITING = 1 << 20  # bytes that are still read after a signal: more than a pipe holds
OFTEN = 60.0  # seconds between entries in the log


@click.command()
@options.policy
@options.profile_of("fast")
@click.option("--json", "as_json", is_flag=True, help="Each line is a record in JSON.")
@click.option(
    "--field", "fields", multiple=True, metavar="NAME",
    help="Of records, clean this field alone; all else goes through AS IT IS. Repeatable.",
)  # fmt: skip
@options.encoding
@options.key_file
@options.domain
@click.option("-q", "--quiet", is_flag=True, help="No summary on standard error.")
def command(**told: Any) -> int:
    """Clean lines as they come, from standard input to standard output.

    Each line that comes goes out at once. One that cannot be cleaned goes out as [LINE REFUSED];
    then the exit status is 4.
    """
    trust = vaults.trusted("anonymize.run") if told["domain"] or vaults.exists() else None
    cleaner, policy, digest = _cleaner(trust, **told)
    tell = _Told(trust, cleaner, digest, told["domain"])
    with _stop() as stop:
        _run(cleaner, tell, _blocks(sys.stdin.fileno(), stop))
    if not told["quiet"]:
        click.echo(_summary(cleaner, policy), err=True)
    return QuarantineError.exit_status if cleaner.refused else 0


def _cleaner(trust: Trust | None, **told: Any) -> tuple[pipe.Cleaner, str, str]:
    """With the policy's name and digest."""
    if told["key_file"] and told["domain"]:
        raise UsageError("--key-file or --domain, not both")
    if told["fields"] and not told["as_json"]:
        raise UsageError("--field goes with --json: lines have no fields")
    key = Key.read(told["key_file"]) if told["key_file"] else None
    domain = trust.domain(told["domain"]) if trust and told["domain"] else None
    engine = load(told["policy"], profile=told["profile"], key=key, domain=domain).endless()
    gc.collect()
    gc.freeze()  # what stays for good is not looked through again while a line waits
    if told["as_json"]:
        cleaner = pipe.records(engine, told["fields"])
    else:
        cleaner = pipe.texts(engine, told["encoding"])
    return cleaner, engine.policy.name, engine.digest


def _run(cleaner: pipe.Cleaner, tell: _Told, blocks: Iterator[bytes]) -> None:
    """Until there is no more, or nobody reads any more."""
    lines = pipe.Lines()
    with contextlib.suppress(BrokenPipeError):
        for data in blocks:
            if whole := lines.more(data):
                clean = cleaner(whole)
                tell.before()
                _write(b"".join(line + b"\n" for line in clean))
        if last := cleaner(lines.rest()):
            tell.before()
            _write(b"".join(last))
    tell.rest()


def _blocks(source: int, stop: int) -> Iterator[bytes]:
    """What comes, as it comes; after a signal, what waits already, and no more."""
    while stop not in select.select([source, stop], [], [])[0]:
        if not (data := os.read(source, BATCH)):
            return
        yield data
    left = WAITING
    while left > 0 and select.select([source], [], [], 0)[0]:
        if not (data := os.read(source, BATCH)):
            return
        left -= len(data)
        yield data


def _write(data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(sys.stdout.fileno(), left) :]


@contextlib.contextmanager
def _stop() -> Iterator[int]:
    """Something to read from once a signal came. The same signal again ends it at once."""
    reading, writing = os.pipe()

    def asked(number: int, _: Any) -> None:
        os.write(writing, b".")
        signal.signal(number, signal.default_int_handler)

    before = {one: signal.signal(one, asked) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield reading
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        os.close(reading)
        os.close(writing)


class _Told:
    """What the log hears: before the first line goes out, then each minute, and at the end. Who may
    no longer do this gets no more."""

    def __init__(self, trust: Trust | None, cleaner: pipe.Cleaner, digest: str, about: str) -> None:
        self._trust, self._cleaner = trust, cleaner
        self._digest, self._about = digest, about
        self._told: Counter[str] = Counter()
        self._lines, self._next = -1, 0.0

    def before(self) -> None:
        """Before something goes out."""
        if self._trust and time.monotonic() >= self._next:
            self._tell(self._trust)

    def rest(self) -> None:
        """What it has not heard."""
        if self._trust and self._cleaner.lines != self._lines:
            self._tell(self._trust)

    def _tell(self, trust: Trust) -> None:
        from scrubjay.audit.entry import Entry

        lines, counts = self._cleaner.lines, self._cleaner.seen.found.copy()
        what = f"{lines:,} lines, {self._cleaner.refused:,} refused, since it began"
        new = dict(counts - self._told)
        entry = Entry(
            "", "", "", "done", policy=self._digest, about=self._about, counts=new, details=what
        )
        trust.tell("anonymize", "de-identify", [entry])
        self._told, self._lines, self._next = counts, lines, time.monotonic() + OFTEN


def _summary(cleaner: pipe.Cleaner, policy: str) -> str:
    told = f"{cleaner.lines:,} lines, {cleaner.refused:,} refused, policy {policy}"
    for before, counts in ((": ", cleaner.seen.found), ("; left out: ", cleaner.seen.left_out)):
        if counts:
            told += before + ", ".join(f"{what} {n:,}" for what, n in counts.most_common())
    return f"scrubjay: {told}"
