"""What the audit log costs: entries a second, verifying, one proof.

    python benchmarks/audit.py --json benchmarks/results/audit.json
    python benchmarks/audit.py --verify 10000000 --short --json benchmarks/results/audit-large.json

The log lies in a temporary folder, or below `--folder`: the disk matters. `--short` appends in
batches, verifies with two processes, proves, and does no more. `syncs_per_s` is what the
disk allows at most: 400 bytes written into a file of fixed length and synced, one after the other.
`processor` seconds are those of this process and its children; `wall` seconds are those of a clock,
on a machine that may do other things too. An entry is that of one note: about 400 bytes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import harness
import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scrubjay.audit import log, note, query, verify
from scrubjay.audit.disk import FILES
from scrubjay.audit.entry import Entry
from scrubjay.audit.secrets import EntryKeys, Secrets
from scrubjay.keys import Key
from scrubjay.vault.store import Memory

ENTRY = Entry(
    who="service:intake",
    role="de-identify",
    action="anonymize",
    outcome="done",
    reason="release 2026-11 of study 17",
    subject="P-4711-0815",
    policy="5f" * 32,
    model="a7" * 32,
    counts={"PERSON": 7, "DATE": 12, "MRN": 1},
    input="1c" * 32,
    output="d3" * 32,
)
WAYS = (
    ("verify, tree", False, 1),
    ("verify, tree and tags", True, 1),
    ("verify, tree and tags, 2 processes", True, 2),
)
AUDITOR = pyrage.x25519.Identity.generate()


def rate(count: int, work: Callable[[], object]) -> dict[str, Any]:
    """How fast so many things were done."""
    wall, processor = time.perf_counter(), sum(os.times()[:4])
    work()
    wall, processor = time.perf_counter() - wall, sum(os.times()[:4]) - processor
    return {
        "entries": count,
        "wall_per_s": harness.significant(count / wall),
        "processor_per_s": harness.significant(count / processor),
        "wall_s": harness.significant(wall),
    }


def syncs(folder: Path) -> float:
    """Small synced writes a second."""
    path = folder / "sync"
    FILES.write(path, bytes(1 << 20))
    FILES.sync([path])
    start = time.perf_counter()
    for at in range(500):
        FILES.write(path, b"x" * 400, at * 400)
        FILES.sync([path])
    return harness.significant(500 / (time.perf_counter() - start))


def measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """All of it, on one log."""
    signer = note.Signer("benchmark.example/log", Ed25519PrivateKey.generate())
    secrets = Secrets(signer, Key.random(), Memory(), [str(AUDITOR.to_public())])
    place = log.Place(folder / "log", folder / "state")
    told: dict[str, Any] = {"syncs_per_s": syncs(folder)}
    with log.create(place, secrets, now) as made:
        if not options.short:
            told["one by one"] = rate(options.single, lambda: singles([made], options.single))
            both = [made, log.Log.open(place, secrets, now)]
            told["one by one, two in turn"] = rate(
                options.single, lambda: singles(both, options.single)
            )
        told["in batches of 1000"] = rate(options.verify, lambda: batches(made, options.verify))
    total = made.head.size
    first = verify.first_key((place.folder / log.FIRST).read_bytes(), AUDITOR)
    for what, chained, processes in WAYS[-1:] if options.short else WAYS:
        trusted = verify.Trusted(signer.verifier, (), first if chained else b"")
        work = partial(verify.verify, place.folder, trusted, processes=processes)
        told[what] = rate(total, work)
    if not options.short:
        keys = EntryKeys(signer.name, secrets.secret, secrets.store, os.urandom)
        every = query.read(place.folder, signer.verifier, keys)
        told["read"] = rate(total, lambda: sum(1 for _ in every))
    numbers = range(0, total, total // 100)
    proofs = rate(len(numbers), lambda: [verify.prove(place.folder, n) for n in numbers])
    told["prove, ms"] = harness.significant(1000 / proofs["processor_per_s"])
    size = sum(path.stat().st_size for path in place.folder.rglob("*") if path.is_file())
    return {**told, "bytes_per_entry": round(size / total)}


def singles(logs: list[log.Log], count: int) -> None:
    """A sync each, of each log in turn."""
    for at in range(count):
        logs[at % len(logs)].append([ENTRY])


def batches(made: log.Log, count: int) -> None:
    """A sync for many."""
    for _ in range(count // 1000):
        made.append([ENTRY] * 1000)


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--verify", type=int, default=1_000_000, help="entries of the log")
    parser.add_argument("--single", type=int, default=3000, help="entries appended one by one")
    parser.add_argument("--short", action="store_true", help="of a large log, only what matters")
    parser.add_argument("--folder", type=Path, help="on the disk that is to be measured")
    parser.add_argument("--json", type=Path, dest="output")
    return parser.parse_args()


def main() -> None:
    """Measure, show, write."""
    options = parse()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        told = measure(Path(folder), options)
    for what, row in told.items():
        print(f"{what}: {row}", file=sys.stdout)
    facts = {**harness.machine(), **harness.versions("cryptography", "pyrage", "msgspec")}
    harness.write(options.output, {**facts, **told})


if __name__ == "__main__":
    main()
