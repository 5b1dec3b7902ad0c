"""A service under load for as long as one likes, while things go wrong around it.

    python benchmarks/soak.py --requests 1000000 --json benchmarks/results/soak.json

Callers ask without pause, each time for another text: to clean it, with surrogates, or to look at
it. Every few seconds, in turn: a process is killed; the log's disk is full; a caller goes in the
middle of a batch; one reads nothing; one reads a little at a time; one sends a byte at a time;
thousands connect and say nothing; the clock jumps. At the end it is told to stop under load.

It is right if every answer is the clean text or an error that holds none of it, if every text that
was answered is in the log, and if `scrubjay audit verify` finds the log whole. `memory` has the
megabytes of each process (Pss) after each 50,000 requests, between two faults; `kb_per_1000` is
what it grows by for 1,000 requests of the service, by least squares after the first fifth. The
process that is killed is the youngest, so that the others tell of the whole time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import mmap
import os
import resource
import secrets
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from itertools import count, cycle
from pathlib import Path
from typing import Any, NamedTuple

import harness
import load

PORT = 18_610
ADDRESS = f"http://127.0.0.1:{PORT}"
NOTE = "Mr. Quentin Quarles, SSN 536-90-{}, mail quarles{}@example.org, seen 2024-03-04"
HIDDEN = (b"Quentin", b"Quarles", b"quarles", b"536-90")
CLEAN = b'Mr. [PERSON 1], SSN [SSN 1], mail [EMAIL 1], seen 2024"'
OTHER = 'default.operator = "surrogate.v1"\n'
SILENT = 10_000  # connections that say nothing, if the system allows so many
EVERY = 50_000  # requests between a look at the memory and the next
WARM = 0.2  # of the requests: caches fill
AHEAD, BACK = 200, -86_400  # seconds: as far as a clock may be wrong, and further


class Kind(NamedTuple):
    """What is asked, and what stands in the answer."""

    path: str
    policy: str
    told: bytes


CLEANED = Kind("/v1/anonymize", "", CLEAN)
KINDS = (
    *[CLEANED] * 18, Kind("/v1/anonymize", "other", b"Mr. "), Kind("/v1/detect", "", b'"SSN"')
)  # fmt: skip


class Soak:
    """One service, its callers, and what came of it. `clock`: by how much theirs is wrong."""

    def __init__(self, key: str, pid: int, clock: mmap.mmap, pause: float) -> None:
        self.key, self.pid, self.pause = key, pid, pause
        self.told: Counter[str] = Counter()
        self.memory: list[dict[str, Any]] = []
        self.open = True
        self._clock, self._numbers = clock, count()
        self._began = time.monotonic()

    @property
    def done(self) -> int:
        """Texts that were answered."""
        return self.told["200"]

    async def ask(self) -> None:
        """One caller."""
        line = load.Line(ADDRESS)
        while self.open:
            number = next(self._numbers)
            kind = KINDS[number % len(KINDS)]
            try:
                status, body = await asyncio.wait_for(line.ask(self._request(kind, number)), 60)
            except (OSError, EOFError):
                self.told["cut off"] += 1
                status, body = 0, b""
            if status:
                right = kind.told in body if status == 200 else b'"error"' in body
                leaked = any(word in body for word in HIDDEN)
                self.told["leaked" if leaked else str(status) if right else "wrong"] += 1
            if status != 200:
                await asyncio.sleep(0.02)

    def _request(self, kind: Kind, number: int) -> bytes:
        body = {"text": note(number), "policy": kind.policy}
        return load.request(ADDRESS, kind.path, body, {"X-API-Key": self.key})

    def looked(self) -> None:
        """Write down what the processes hold."""
        held = {str(pid): load.held(pid) for pid in (self.pid, *_workers(self.pid))}
        seconds = round(time.monotonic() - self._began)
        self.memory.append({"requests": self.done, "seconds": seconds, "mb": held})

    def late(self, seconds: float) -> None:
        """Set the clock of all its processes wrong."""
        self._clock[:] = struct.pack("d", seconds)

    def head(self, length: str) -> bytes:
        """Of a batch that begins."""
        told = f"Host: localhost\r\nX-API-Key: {self.key}\r\n{length}\r\n"
        return f"POST /v1/batch HTTP/1.1\r\n{told}".encode()


async def killed(soak: Soak) -> None:
    """One process is gone at once."""
    os.kill(_workers(soak.pid)[-1], signal.SIGKILL)
    await asyncio.sleep(3)


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


async def sipping(soak: Soak) -> None:
    """A caller who reads a little at a time: all of it comes."""
    reader, writer = await _batch(soak)
    writer.write(b"0\r\n\r\n")
    told = b""
    with contextlib.suppress(OSError):
        while not told.endswith(b"\r\n0\r\n\r\n") and (more := await reader.read(512)):
            told += more
            await asyncio.sleep(0.01)
    right = told.count(CLEAN) == LINES and not any(word in told for word in HIDDEN)
    soak.told["read slowly" if right else "wrong"] += 1
    writer.close()


async def slow(soak: Soak) -> None:
    """A caller who sends a byte at a time."""
    body = json.dumps({"text": note(0)}).encode()
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
    await asyncio.sleep(3)
    for one in many:
        one.close()


async def clock(soak: Soak) -> None:
    """The clock goes ahead a little, then back a day: nobody is let in until it is right."""
    for late in (AHEAD, BACK, 0):
        soak.late(late)
        await asyncio.sleep(1)


FAULTS: tuple[Callable[[Soak], Awaitable[None]], ...] = (
    killed, full, gone, deaf, sipping, slow, silent, clock,
)  # fmt: skip
LINES = 50


def note(number: int) -> str:
    """A text that nobody had before."""
    return NOTE.format(1000 + number % 9000, number)


async def _batch(soak: Soak) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(soak.head("Transfer-Encoding: chunked\r\n") + _chunk(LINES))
    return reader, writer


def _chunk(lines: int) -> bytes:
    data = b"".join(json.dumps({"text": note(at)}).encode() + b"\n" for at in range(lines))
    return b"%x\r\n%s\r\n" % (len(data), data)


def _workers(pid: int) -> list[int]:
    """Its processes, the oldest first."""
    every = [one for one in load.family(pid) if one != pid and b"\0serve\0" in _command(one)]
    return sorted(every, key=_started)


def _started(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return 0


def _command(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


@contextlib.contextmanager
def serving(home: Path, key: str, processes: int) -> Iterator[subprocess.Popen[bytes]]:
    """`scrubjay serve`, from nothing, with a clock that can be set."""
    from scrubjay.detectors import built

    (home / "cache").symlink_to(built.cache_folder())
    late = Path(__file__).parent / "late"
    path = os.pathsep.join([str(late), os.environ.get("PYTHONPATH", "")])
    own = {"SCRUBJAY_HOME": str(home), "SCRUBJAY_API_KEY": key, "PYTHONPATH": path}
    arguments = ["--port", str(PORT), "--profile", "patterns", "--processes", str(processes)]
    command = [sys.executable, "-m", "scrubjay", "serve", *arguments]
    told = os.environ | own | {"SOAK_CLOCK": str(home / "clock")}
    process = subprocess.Popen(command, env=told, stderr=(home / "messages").open("wb"))
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)
        sys.stderr.write((home / "messages").read_text()[-4000:])


async def soaked(soak: Soak, seconds: float, requests: int, callers: int) -> None:
    """Load and faults, then the end: when time is over, or all was asked."""
    asking = [asyncio.create_task(soak.ask()) for _ in range(callers)]
    async with asyncio.timeout(60):
        while soak.done < callers:
            await asyncio.sleep(0.1)
    end, marks = time.monotonic() + seconds, count(0, EVERY)
    mark = next(marks)
    for fault in cycle(FAULTS):
        if time.monotonic() > end or soak.done >= requests:
            break
        before = soak.told["cut off"]
        await fault(soak)
        await asyncio.sleep(soak.pause)
        soak.told[fault.__name__] += 1
        soak.told[f"cut off, {fault.__name__}"] += soak.told["cut off"] - before
        if soak.done >= mark:
            soak.looked()
            mark = next(at for at in marks if at > soak.done)
            print(json.dumps(soak.memory[-1]), file=sys.stderr, flush=True)
    soak.looked()
    os.kill(soak.pid, signal.SIGTERM)
    await asyncio.sleep(1)
    soak.open = False
    await asyncio.gather(*asking)


def growth(memory: list[dict[str, Any]]) -> dict[str, float]:
    """Kilobytes for 1,000 requests, of each process that was there from the first fifth on."""
    after = [one for one in memory if one["requests"] >= memory[-1]["requests"] * WARM]
    lasting = [pid for pid in after[0]["mb"] if all(pid in one["mb"] for one in after)]
    if len(after) < 3:
        return {}
    across = [one["requests"] / 1000 for one in after]
    return {
        pid: round(statistics.linear_regression(across, _of(pid, after)).slope * 1024, 3)
        for pid in lasting
    }


def _of(pid: str, memory: list[dict[str, Any]]) -> list[float]:
    return [one["mb"][pid] for one in memory]


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
    parser.add_argument("--minutes", type=float, default=0, help="default: until all was asked")
    parser.add_argument("--requests", type=int, default=0, help="default: until time is over")
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--pause", type=float, default=3, help="seconds between faults")
    parser.add_argument("--json", type=Path)
    told = parser.parse_args()
    if not (told.minutes or told.requests):
        parser.error("say --minutes, --requests or both")
    with tempfile.TemporaryDirectory() as folder:
        result = run(Path(folder), told)
    print(json.dumps(result, indent=1))
    harness.write(told.json, result)
    return 0 if right(result) else 1


def run(home: Path, told: argparse.Namespace) -> dict[str, Any]:
    """One soak, from nothing."""
    key, started = secrets.token_hex(16), time.monotonic()
    late = clocked(home)
    (home / "serve").mkdir(mode=0o700)
    (home / "serve" / "policies").mkdir(mode=0o700)
    (home / "serve" / "policies" / "other.toml").write_text(OTHER)
    with serving(home, key, told.processes) as process:
        soak = Soak(key, process.pid, late, told.pause)
        seconds = told.minutes * 60 or math.inf
        asyncio.run(soaked(soak, seconds, told.requests or sys.maxsize, told.callers))
        ended = process.wait(60)
    return {
        "machine": harness.machine(), "scrubjay": harness.scrubjay_facts(),
        "minutes": round((time.monotonic() - started) / 60, 1), **soak.told,
        "logged": logged(home), "whole": verified(home), "exit": ended,
        "kb_per_1000": growth(soak.memory), "memory": soak.memory,
    }  # fmt: skip


def clocked(home: Path) -> mmap.mmap:
    """By how much the service's clock is wrong, in a file that its processes share."""
    place = home / "clock"
    place.write_bytes(bytes(8))
    with place.open("r+b") as file:
        return mmap.mmap(file.fileno(), 8)


def right(told: dict[str, Any]) -> bool:
    """Whether nothing was lost, nothing leaked, and the log is whole."""
    bad = told.get("leaked") or told.get("wrong") or told["exit"] or not told["whole"]
    return not bad and told["logged"] >= told["200"]


if __name__ == "__main__":
    sys.exit(main())
