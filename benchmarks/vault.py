"""What a domain with many subjects costs: to open, to answer, to mint in.

    python benchmarks/vault.py --subjects 1000000 --json benchmarks/results/vault.json

The subjects are filled in beneath the vault, in the order of their keys and with rows as long as it
would write, for minting many takes long; a thousand among them are minted by the vault
itself, and those are asked for. `cold`: in a new process, the file in the page cache as far as it
fits. Questions are timed by the clock, other figures by the processor.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import harness

from scrubjay.vault import slots
from scrubjay.vault.store import Row
from scrubjay.vault.vault import Vault

OPENER = slots.Opener("file", b"benchmark key of 32 bytes, known")
ASKED = 1000
BATCH = 20_000
OPEN = """
import sys, time
from pathlib import Path
from scrubjay.vault import slots
from scrubjay.vault.vault import Vault
opener = slots.Opener("file", b"benchmark key of 32 bytes, known")
start = time.perf_counter()
domain = Vault.open(Path(sys.argv[1]), opener).tenant("t").domain("d")
opened = time.perf_counter()
domain.code("asked 1")
print(opened - start, time.perf_counter() - opened)
"""


def fill(vault: Vault, id_: str, subjects: int) -> None:
    """Rows as long as real ones, by key, in the spaces that the domain reads."""
    for space, size in ((f"code:{id_}", 16), (f"subject:{id_}", 112)):
        for start in range(0, subjects, BATCH):
            numbers = range(start, min(start + BATCH, subjects))
            vault.store.add([Row(space, key, os.urandom(size)) for key in keys(numbers, subjects)])


def keys(numbers: range, subjects: int) -> Iterator[bytes]:
    """Evenly over all keys, ascending."""
    step = 2**64 // subjects
    for number in numbers:
        yield (number * step).to_bytes(8, "big") + os.urandom(8)


def cold(folder: Path, runs: int) -> dict[str, Any]:
    """Open and ask once, each time in a new process."""
    command = [sys.executable, "-c", OPEN, str(folder)]
    told = [subprocess.run(command, check=True, capture_output=True).stdout for _ in range(runs)]
    opened, first = zip(*(map(float, line.split()) for line in told), strict=True)
    return {"open": harness.summary(list(opened)), "first answer": harness.summary(list(first))}


def clocked(work: Callable[[int], object]) -> dict[str, float]:
    """Milliseconds of each of many calls: median and the slowest of a hundred."""
    times = []
    for number in range(ASKED):
        start = time.perf_counter()
        work(number)
        times.append((time.perf_counter() - start) * 1e3)
    last = statistics.quantiles(times, n=100)[98]
    return {"median_ms": round(statistics.median(times), 4), "p99_ms": round(last, 4)}


def measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """All of it."""
    vault = Vault.init(folder, OPENER)
    domain = vault.add_tenant("t").add_domain("d")
    seconds = harness.once(lambda: fill(vault, domain.id, options.subjects))
    asked = [f"asked {number}" for number in range(ASKED)]
    codes = domain.codes(asked)
    result: dict[str, Any] = {
        "subjects": options.subjects,
        "fill_s": harness.significant(seconds),
        "code of a known subject": clocked(lambda number: domain.code(asked[number])),
        "subject of a code": clocked(lambda number: domain.reveal(codes[number])),
        "mint, one a write": clocked(lambda number: domain.code(f"single {number}")),
    }
    batch = [f"batch {number}" for number in range(10 * ASKED)]
    result["mint, 10,000 a write, per_s"] = round(
        len(batch) / harness.once(lambda: domain.codes(batch))
    )
    each = harness.steady(lambda: domain.derive("surrogate", "NAME", "value"))
    result["derive, per_s"] = round(1 / each)
    vault.close()
    result["cold"] = cold(folder, options.runs)
    result["bytes per subject"] = round((folder / "vault.db").stat().st_size / options.subjects)
    return result


def main() -> None:
    """Measure, show, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--subjects", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="a disk to measure on; default: the system's")
    parser.add_argument("--json", type=Path, dest="output")
    options = parser.parse_args()
    harness.pin()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        result = measure(Path(name) / "vault", options)
    harness.table([(what, told) for what, told in result.items()])
    packages = harness.versions("apsw-sqlite3mc", "cryptography")
    harness.write(options.output, {**harness.machine(), **packages, **result})


if __name__ == "__main__":
    main()
