"""A service under load for as long as one likes, while things go wrong around it.

    python benchmarks/soak.py --minutes 60 --json benchmarks/results/soak.json

Callers ask without pause. Every few seconds, in turn: a process is killed; the log's disk is full;
a caller goes in the middle of a batch; one reads nothing; one sends a byte at a time; thousands
connect and say nothing. At the end it is told to stop under load. It is right if every answer is
the clean text or an error that holds none of it, if every text that was answered is in the log, if
memory does not grow, and if `scrubjay audit verify` finds the log whole.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import resource
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import harness
import load

PORT = 18_610
ADDRESS = f"http://127.0.0.1:{PORT}"
NOTE = "Mr. Quentin Quarles, SSN 536-90-4399, seen 2024-03-04"
HIDDEN = (b"Quentin", b"Quarles", b"536-90", b"03-04")
CLEAN = b"Mr. [PERSON 1], SSN [SSN 1], seen 2024"
PAUSE = 3  # seconds between faults
SILENT = 10_000  # connections that say nothing, if the system allows so many


class Soak:
    """One service, its callers, and what came of it."""

    def __init__(self, home: Path, key: str, pid: int) -> None:
        self.home, self.key, self.pid = home, key, pid
        self.told: Counter[str] = Counter()
        self.memory: list[float] = []
        self._sent = load.request(ADDRESS, "/v1/anonymize", {"text": NOTE}, {"X-API-Key": key})
        self.open = True

    async def ask(self) -> None:
        """One caller."""
        line = load.Line(ADDRESS)
        while self.open:
            try:
                status, body = await asyncio.wait_for(line.ask(self._sent), 60)
            except (OSError, EOFError):
                self.told["cut off"] += 1
                await asyncio.sleep(0.02)
                continue
            right = CLEAN in body if status == 200 else b'"error"' in body
            leaked = any(word in body for word in HIDDEN)
            self.told["leaked" if leaked else str(status) if right else "wrong"] += 1

    def head(self, length: str) -> bytes:
        """Of a batch that begins."""
        return (
            f"POST /v1/batch HTTP/1.1\r\nHost: a\r\nX-API-Key: {self.key}\r\n{length}\r\n".encode()
        )


async def killed(soak: Soak) -> None:
    """One process is gone at once."""
    os.kill(_workers(soak.pid)[0], signal.SIGKILL)
    await asyncio.sleep(PAUSE)


async def full(soak: Soak) -> None:
    """No process can write to a file that is longer than this."""
    for pid in _workers(soak.pid):
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (64, resource.RLIM_INFINITY))
    await asyncio.sleep(1)
    for pid in _workers(soak.pid):
        most = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, most)


async def gone(soak: Soak) -> None:
    """Callers who go while they are answered."""
    for _ in range(20):
        _, writer = await _batch(soak)
        await asyncio.sleep(0.05)
        writer.transport.abort()


async def deaf(soak: Soak) -> None:
    """A caller who sends and reads nothing."""
    _, writer = await _batch(soak)
    with contextlib.suppress(TimeoutError, OSError):
        while True:
            writer.write(_chunk(400))
            await asyncio.wait_for(writer.drain(), 2)
    writer.transport.abort()


async def slow(soak: Soak) -> None:
    """A caller who sends a byte at a time."""
    body = json.dumps({"text": NOTE}).encode()
    _, writer = await asyncio.open_connection("127.0.0.1", PORT)
    with contextlib.suppress(OSError):
        writer.write(soak.head(f"Content-Length: {len(body)}\r\n"))
        for at in range(len(body)):
            writer.write(body[at : at + 1])
            await asyncio.sleep(0.02)
    writer.close()


async def silent(soak: Soak) -> None:
    """Thousands who connect and say little."""
    many: list[socket.socket] = []
    with contextlib.suppress(OSError):
        for number in range(SILENT):
            many.append(socket.create_connection(("127.0.0.1", PORT)))
            if number % 2:
                many[-1].sendall(b"POST /v1/anonymize HTTP/1.1\r\n")
            if number % 100 == 0:
                await asyncio.sleep(0)
    soak.told["silent connections"] = max(soak.told["silent connections"], len(many))
    await asyncio.sleep(PAUSE)
    for one in many:
        one.close()


FAULTS: tuple[Callable[[Soak], Awaitable[None]], ...] = (killed, full, gone, deaf, slow, silent)


async def _batch(soak: Soak) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(soak.head("Transfer-Encoding: chunked\r\n") + _chunk(50))
    return reader, writer


def _chunk(lines: int) -> bytes:
    data = (json.dumps({"text": NOTE}).encode() + b"\n") * lines
    return b"%x\r\n%s\r\n" % (len(data), data)


def _workers(pid: int) -> list[int]:
    every = [one for one in load.family(pid) if one != pid]
    return [one for one in every if b"\0serve\0" in _command(one)]


def _command(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


@contextlib.contextmanager
def serving(home: Path, key: str) -> Iterator[subprocess.Popen[bytes]]:
    """`scrubjay serve`, from nothing."""
    from scrubjay.detectors import built

    (home / "cache").symlink_to(built.cache_folder())
    environment = os.environ | {"SCRUBJAY_HOME": str(home), "SCRUBJAY_API_KEY": key}
    arguments = ["--port", str(PORT), "--profile", "patterns", "--processes", "2"]
    command = [sys.executable, "-m", "scrubjay", "serve", *arguments]
    process = subprocess.Popen(command, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


async def soaked(soak: Soak, seconds: float, callers: int) -> None:
    """Load and faults, then the end."""
    asking = [asyncio.create_task(soak.ask()) for _ in range(callers)]
    async with asyncio.timeout(60):
        while soak.told["200"] < callers:
            await asyncio.sleep(0.1)
    end = time.monotonic() + seconds
    for fault in cycle(FAULTS):
        if time.monotonic() > end:
            break
        before = soak.told["cut off"]
        await fault(soak)
        await asyncio.sleep(PAUSE)
        soak.told[fault.__name__] += 1
        soak.told[f"cut off, {fault.__name__}"] += soak.told["cut off"] - before
        soak.memory.append(load.resident(soak.pid))
    os.kill(soak.pid, signal.SIGTERM)
    await asyncio.sleep(1)
    soak.open = False
    await asyncio.gather(*asking)


def logged(home: Path) -> int:
    """How many texts the log knows of."""
    os.environ["SCRUBJAY_HOME"] = str(home)
    from scrubjay.serve import store

    trust = store.made()[0].open()
    every = [one.entry for one in trust.entries() if one.entry]
    told = [one.about for one in every if one.action == "anonymize" and one.outcome == "done"]
    return sum(int(about.split()[-2]) for about in told)


def verified(home: Path) -> bool:
    """`scrubjay audit verify`."""
    store = home / "serve"
    told = os.environ | {"SCRUBJAY_HOME": str(store), "SCRUBJAY_KEY_FILE": str(store / "key")}
    command = [sys.executable, "-m", "scrubjay", "audit", "verify"]
    return subprocess.run(command, env=told, stdout=subprocess.DEVNULL).returncode == 0


def main() -> int:
    """From the command line; 1 if something was lost or leaked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--json", type=Path)
    told = parser.parse_args()
    key = secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with serving(home, key) as process:
            soak = Soak(home, key, process.pid)
            asyncio.run(soaked(soak, told.minutes * 60, told.callers))
            ended = process.wait(60)
        known, whole = logged(home), verified(home)
    result: dict[str, Any] = {
        "machine": harness.machine(), "minutes": told.minutes, **soak.told,
        "logged": known, "whole": whole, "exit": ended, "memory_mb": soak.memory,
    }  # fmt: skip
    lost = known < soak.told["200"]
    bad = soak.told["leaked"] or soak.told["wrong"] or lost or ended or not whole
    print(json.dumps(result, indent=1))
    harness.write(told.json, result)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
