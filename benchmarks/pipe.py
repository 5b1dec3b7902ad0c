"""What `scrubjay pipe` adds to a line, and the filter for Python's logging to a record.

    python benchmarks/pipe.py --json benchmarks/results/pipe.json

A line's time is from when it is written to the pipe until it is read behind it, through the real
command, in milliseconds. Lines are sent at a rate, one by one; `cat` in its place tells what
measuring costs. `plain`: lines as services write them, of which one in five names somebody;
`stamped`: the same behind a date, which the policy changes in every line. Where `reached` is below
the rate, lines waited: then their times are those of the queue. `processor_ms` is the processor's
time a line, which tells more where others use the machine: `load` is theirs, too. Linux only.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

import harness

import scrubjay
from scrubjay import logs

RATES = {1: 10, 100: 300, 5000: 5_000}  # lines a second: how many are sent
LINES = (
    "GET /api/orders/8812 200 in 14 ms, cache hit, worker 3",
    "queue drained: 120 jobs done, 0 waiting",
    "login of ann.lee@example.org from 203.0.113.7 accepted",
    "disk /dev/sda1 at 71 percent, no action",
    "retry 2 of 5 for upstream billing, next in 400 ms",
)
STAMP = "Nov 22 03:18:27 web1 app[4711]: "
RECORDS = 2000
TIMES = ("p50_ms", "p99_ms", "processor_ms")


class Seen(NamedTuple):
    """Seconds of each line, lines a second that came out, and processor seconds of all of them."""

    each: list[float]
    reached: float
    processor: float


def spent(process: int) -> float:
    """Processor seconds so far, as Linux tells them."""
    told = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def latencies(command: list[str], rate: int, stamp: str) -> Seen:
    """Lines through a command at a rate."""
    count = RATES[rate]
    sent, read = [0.0] * count, [0.0] * count
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        bufsize=0,
    )  # fmt: skip
    assert process.stdin and process.stdout
    behind = io.BufferedReader(process.stdout)  # type: ignore[type-var]
    process.stdin.write(b"first\n")  # loading is over when it comes out
    behind.readline()

    def reading() -> None:
        for at in range(count):
            behind.readline()
            read[at] = time.perf_counter()

    reader = threading.Thread(target=reading)
    reader.start()
    before, start = spent(process.pid), time.perf_counter()
    for at in range(count):
        while (left := start + at / rate - time.perf_counter()) > 0:
            time.sleep(left)
        line = f"{stamp}{LINES[at % len(LINES)]} #{at}\n".encode()
        sent[at] = time.perf_counter()
        process.stdin.write(line)
    reader.join()
    processor = spent(process.pid) - before
    process.stdin.close()
    process.wait()
    each = [after - before for before, after in zip(sent, read, strict=True)]
    return Seen(each, count / (read[-1] - start), processor)


def row(command: list[str], rate: int, stamp: str) -> dict[str, Any]:
    """Percentiles, in milliseconds."""
    seen = latencies(command, rate, stamp)
    cuts = statistics.quantiles(seen.each, n=100, method="inclusive")
    count = len(seen.each)
    times = (cuts[49] * 1e3, cuts[98] * 1e3, seen.processor / count * 1e3)
    told = dict(zip(TIMES, (harness.significant(value, 3) for value in times), strict=True))
    return {**told, "lines": count, "reached": round(min(seen.reached, rate))}


def records(profile: str, stamp: str) -> dict[str, Any]:
    """Processor milliseconds that the filter takes for a record."""
    one = logs.Filter(scrubjay.load(profile=profile))
    each = []
    for at in range(RECORDS):
        said = stamp + LINES[at % len(LINES)].replace("%", "%%") + " #%d"
        record = logging.LogRecord("app", 20, "app.py", 1, said, (at,), None)
        start = time.process_time()
        one.filter(record)
        each.append((time.process_time() - start) * 1e3)
    cuts = statistics.quantiles(each[10:], n=100, method="inclusive")
    return {"p50_ms": harness.significant(cuts[49], 3), "p99_ms": harness.significant(cuts[98], 3)}


def main() -> None:
    """Measure, show, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, dest="output")
    options = parser.parse_args()
    pipe = [sys.executable, "-m", "scrubjay", "pipe", "-q", "--profile"]
    commands = {"cat": ["cat"], "patterns": [*pipe, "patterns"], "fast": [*pipe, "fast"]}
    shown: list[tuple[object, ...]] = [
        ("what", "lines/s", "p50 ms", "p99 ms", "processor ms", "reached")
    ]
    result: dict[str, Any] = {}
    for kind, stamp in {"plain": "", "stamped": STAMP}.items():
        for name, command in commands.items():
            for rate in RATES:
                told = row(command, rate, stamp)
                result.setdefault(kind, {}).setdefault(name, {})[str(rate)] = told
                times = (told[key] for key in (*TIMES, "reached"))
                shown.append((f"{name}, {kind}", rate, *times))
        for name in ("patterns", "fast"):
            told = records(name, stamp)
            result[kind][f"filter, {name}"] = told
            shown.append((f"filter, {name}, {kind}", "", told["p50_ms"], told["p99_ms"], "", ""))
    harness.table(shown)
    facts = {**harness.machine(), **harness.scrubjay_facts(), "load": round(os.getloadavg()[0], 1)}
    harness.write(options.output, {**facts, **result})


if __name__ == "__main__":
    main()
