"""A run over a folder: how well it uses the cores, and how much memory it takes.

    python benchmarks/run.py --files 100000 --large 2000 --json benchmarks/results/run.json

`files`: so many notes of about 600 characters in folders of a hundred; `large`: one CSV or JSON
Lines file of so many megabytes. Each is done by one process and by all; efficiency is the time of
one over the time of all, by their number. Memory is the sum of the proportional set sizes (PSS) of
the command and its workers at its highest, looked at every second: looking takes time, too.

CPU seconds tell why: `parent_s` of the command itself, which shares the cores with its workers, and
`workers_s` of them all. Were no process ever to wait, the time of all would be the sum of both over
their number: `implied` is the efficiency that this gives. What the measured one lacks of it is
waiting; what workers take more together than alone is the machine's memory, or what else it does.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness
import texts

from scrubjay.detectors import built


def main() -> None:
    """Make, measure, show, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--large", type=int, default=50, help="megabytes")
    parser.add_argument("--kind", default="jsonl", choices=("jsonl", "csv"))
    parser.add_argument("--profile", default="balanced")
    parser.add_argument("--folder", type=Path, help="on the disk that is to be measured")
    parser.add_argument("--json", type=Path, dest="output")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        told = measure(Path(name), asked)
    head = ("", *next(iter(told.values())))
    harness.table([head, *((what, *row.values()) for what, row in told.items())])
    about = {"machine": harness.machine(), "profile": asked.profile}
    harness.write(asked.output, {**about, **told})


def measure(place: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Small files, then a large one; with one process, then with all."""
    cores = len(os.sched_getaffinity(0))
    told: dict[str, Any] = {}
    for what, make in (
        (f"{asked.files} files", lambda at: small(at, asked.files)),
        (f"{asked.large} MB of {asked.kind}", lambda at: large(at, asked.large, asked.kind)),
    ):
        alone, together = (once(place, make, jobs, asked.profile) for jobs in (1, cores))
        told[f"{what}, 1 process"], told[f"{what}, {cores} processes"] = alone, together
        ratio = alone["seconds"] / together["seconds"] / cores
        alone["efficiency"], together["efficiency"] = 1.0, round(ratio, 3)
        implied = alone["workers_s"] / (together["workers_s"] + together["parent_s"])
        alone["implied"], together["implied"] = 1.0, round(implied, 3)
    return told


def once(place: Path, make: Callable[[Path], None], jobs: int, profile: str) -> dict[str, Any]:
    """One run, from the outside."""
    source, out = place / "in", place / "out"
    if not source.exists():
        source.mkdir()
        make(source)
    (place / f"home{jobs}").mkdir(exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (place / f"home{jobs}/cache").symlink_to(built.cache_folder())
    home = {**os.environ, "SCRUBJAY_HOME": str(place / f"home{jobs}")}
    command = [
        sys.executable, "-m", "scrubjay", "anonymize", str(source), "-o", str(out),
        "-j", str(jobs), "--profile", profile, "-q",
    ]  # fmt: skip
    started = time.perf_counter()
    process = subprocess.Popen(command, env=home)
    most = 0
    while not ended(process.pid, 1.0):
        most = max(most, memory(process.pid))
    seconds = time.perf_counter() - started
    parent, workers = spent(process.pid)
    if process.wait():
        raise SystemExit(process.returncode)
    report = json.loads((out / "scrubjay-report.json").read_text())
    shutil.rmtree(out)
    shutil.rmtree(place / f"home{jobs}")  # it knows of what was done
    if jobs > 1:
        shutil.rmtree(source)
    return {
        "seconds": harness.significant(seconds),
        "MB_per_s": harness.significant(report["bytes"] / seconds / 1e6),
        "identifiers": sum(report["labels"].values()),
        "memory_MB": round(most / 1e6),
        "parent_s": parent,
        "parent_ms_per_file": harness.significant(1e3 * parent / report["files"], 3),
        "workers_s": workers,
    }


def ended(pid: int, patience: float) -> bool:
    """Whether a process ends within so many seconds. What it spent can be asked for still."""
    until = time.perf_counter() + patience
    asked = os.WEXITED | os.WNOWAIT | os.WNOHANG
    while time.perf_counter() < until:
        if os.waitid(os.P_PID, pid, asked):
            return True
        time.sleep(0.02)
    return False


def spent(pid: int) -> tuple[float, float]:
    """CPU seconds of a process that ended, and of its children."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own, children = (sum(map(int, told[at : at + 2])) for at in (11, 13))
    ticks = os.sysconf("SC_CLK_TCK")
    return own / ticks, children / ticks


def memory(pid: int) -> int:
    """Bytes of a process and its children; what they share counts once."""
    total = 0
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for each in (str(pid), *children):
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
    except OSError:
        return 0
    return total


def small(folder: Path, count: int) -> None:
    """Notes, a hundred a folder."""
    pieces = texts.notes(500, size=600)
    for number in range(count):
        place = folder / f"{number // 100:05}"
        place.mkdir(exist_ok=True)
        (place / f"{number:07}.txt").write_text(random.choice(pieces))


def large(folder: Path, megabytes: int, kind: str) -> None:
    """One file of records."""
    rows = [note.replace("\n", " ") for note in texts.notes(1000, size=300)]
    written = number = 0
    with (folder / f"large.{kind}").open("w") as stream:
        if kind == "csv":
            stream.write("id,note\n")
        while written < megabytes * 1_000_000:
            note = random.choice(rows)
            told = {"id": number, "note": note}
            quoted = note.replace('"', '""')
            line = f'{number},"{quoted}"' if kind == "csv" else json.dumps(told)
            written += stream.write(line + "\n")
            number += 1


if __name__ == "__main__":
    main()
