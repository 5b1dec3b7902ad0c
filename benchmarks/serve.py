"""`scrubjay serve` under load, beside Presidio's own service on the same texts.

    python benchmarks/serve.py --json benchmarks/results/serve.json
    python benchmarks/serve.py --presidio-python OTHER/bin/python ...

Texts of 100 words, no two alike, over kept connections, one service after the other, each with as
many processes. Latency is measured at a steady rate from when each request was due, so that one
slow answer counts for all that it held up; requests a second with 32 callers who ask again at once.
Ours cleans the text and logs that it did; theirs finds places (`/analyze`) and nothing more, and is
asked 5 times a second. The first answer of ours includes making a store. Memory is what all
processes hold (Pss), after each 10,000 requests; `processor_ms_each` is what they spend on one. The
load's own process shares the cores with both. OTHER has presidio-analyzer, flask and gunicorn.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import harness
import load
import texts

WORDS = 100
PORT = 18_600
PATIENCE = 120  # seconds until a first answer


class Service(NamedTuple):
    """One that runs: its requests, and what it took to start."""

    address: str
    pid: int
    requests: list[bytes]
    start_s: float


def asked(count: int) -> list[str]:
    """Texts of so many words."""
    cut = re.compile(rf"\s*(?:\S+\s+){{{WORDS - 1}}}\S+")
    found = (cut.match(note) for note in texts.notes(count, size=1200))
    return [one.group() for one in found if one]


@contextlib.contextmanager
def scrubjay(notes: list[str], profile: str, processes: int) -> Iterator[Service]:
    """Ours, from nothing; compiled patterns are as a wheel has them."""
    from scrubjay.detectors import built

    address, key = f"http://127.0.0.1:{PORT}", secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "cache").symlink_to(built.cache_folder())
        environment = os.environ | {"SCRUBJAY_HOME": home, "SCRUBJAY_API_KEY": key}
        arguments = ["--port", PORT, "--profile", profile, "--processes", processes]
        command = [sys.executable, "-m", "scrubjay", "serve", *map(str, arguments)]
        headers = {"Authorization": f"Bearer {key}"}
        sent = [load.request(address, "/v1/anonymize", {"text": one}, headers) for one in notes]
        with _started(command, environment, address, sent) as service:
            yield service


@contextlib.contextmanager
def presidio(notes: list[str], python: Path, processes: int) -> Iterator[Service]:
    """Theirs, run as its image runs it."""
    address = f"http://127.0.0.1:{PORT + 1}"
    where = ["-w", str(processes), "-b", f"127.0.0.1:{PORT + 1}", "--timeout", "120"]
    command = [str(python), "-m", "gunicorn", *where, "presidio_service:create_app()"]
    environment = os.environ | {"PYTHONPATH": str(harness.HERE), "OMP_NUM_THREADS": "1"}
    bodies = ({"text": one, "language": "en"} for one in notes)
    sent = [load.request(address, "/analyze", body, {}) for body in bodies]
    with _started(command, environment, address, sent) as service:
        yield service


@contextlib.contextmanager
def _started(
    command: list[str], environment: dict[str, str], address: str, sent: list[bytes]
) -> Iterator[Service]:
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    try:
        asyncio.run(_answered(address, sent[0], process))
        yield Service(address, process.pid, sent, round(time.perf_counter() - began, 2))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


async def _answered(address: str, sent: bytes, process: subprocess.Popen[bytes]) -> None:
    end = time.perf_counter() + PATIENCE
    while time.perf_counter() < end and process.poll() is None:
        with contextlib.suppress(OSError, EOFError):
            line = load.Line(address)
            status, _ = await line.ask(sent)
            line.close()
            if status == 200:
                return
        await asyncio.sleep(0.01)
    raise SystemExit(f"no answer from {address}")


def measured(service: Service, rate: float, seconds: float, *, warm: float = 5) -> dict[str, Any]:
    """Start, latency, saturation, memory."""
    with asyncio.Runner(loop_factory=_loop()) as runner:
        runner.run(load.steady(service.address, service.requests, rate, warm))
        calm = runner.run(load.steady(service.address, service.requests, rate, seconds))
        full = load.saturated(service.address, service.requests, seconds, service.pid)
        return {"first_answer_s": service.start_s, "steady": calm, "saturated": runner.run(full)}


def _loop() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="of each of the two loads")
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--profile", action="append", help="default: balanced and fast")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--texts", type=int, default=5000)
    parser.add_argument("--presidio-python", type=Path)
    parser.add_argument("--json", type=Path)
    told = parser.parse_args()
    notes = asked(told.texts)
    result: dict[str, Any] = {
        "machine": harness.machine(), "versions": harness.scrubjay_facts(),
        "words": WORDS, "processes": told.processes,
    }  # fmt: skip
    for profile in told.profile or ["balanced", "fast"]:
        with scrubjay(notes, profile, told.processes) as service:
            result[profile] = measured(service, told.rate, told.seconds)
        print(profile, result[profile], file=sys.stderr)
    if told.presidio_python:
        with presidio(notes, told.presidio_python, told.processes) as service:
            theirs = measured(service, min(told.rate, 5), told.seconds)
        result["presidio"] = theirs
        print("presidio", theirs, file=sys.stderr)
    harness.write(told.json, result)


if __name__ == "__main__":
    main()
