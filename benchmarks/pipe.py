"""What `scrubjay pipe` adds to a line, and the filter for Python's logging to a record.

    python benchmarks/pipe.py --json benchmarks/results/pipe.json

A line's time is from when it is written to the pipe until it is read behind it, through the real
command, in milliseconds. Lines are sent at a rate, one by one; `cat` in its place tells what
measuring costs. `plain`: lines as services write them, of which one in five names somebody;
`journal`: those of a machine, as `journalctl` shows them, with a date that the policy changes in
every line, addresses of its network and people who log in. Where `reached` is below the rate, lines
waited: then their times are those of the queue. `processor_ms` is the processor's time a line, and
`line` and `filter` are processor times, too, taken inside: they tell more where others use the
machine, as `load` says. Linux only.
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
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import harness

import scrubjay
from scrubjay import logs, pipe

RATES = {10: 100, 100: 1_000, 5000: 5_000}  # lines a second: how many are sent
PLAIN = (
    "GET /api/orders/8812 200 in 14 ms, cache hit, worker 3",
    "queue drained: 120 jobs done, 0 waiting",
    "login of ann.lee@example.org from 203.0.113.7 accepted",
    "disk /dev/sda1 at 71 percent, no action",
    "retry 2 of 5 for upstream billing, next in 400 ms",
)
JOURNAL = tuple(
    f"Nov 22 03:18:{27 + at:02} web1 {said}"
    for at, said in enumerate(
        (
            "sshd[4711]: Accepted publickey for ann.lee from 203.0.113.7 port 52114 ssh2: ED25519 "
            "SHA256:3Yt8mVg5cQ0xk0m0b7n4T2hUfLkQp9a6sD1eWzR7uXo",
            "systemd[1]: Started session-8812.scope - Session 8812 of User ann.lee.",
            "CRON[31337]: (root) CMD (   cd / && run-parts --report /etc/cron.hourly)",
            "kernel: [12345.678901] eth0: renamed from veth3a1b2c",
            "postfix/smtpd[2211]: connect from mail.example.org[198.51.100.23]",
            "postfix/qmgr[900]: 4F1B22C0A1: from=<quentin.quarles@example.org>, size=2311, nrcpt=1",
            "sudo[5120]:  qquarles : TTY=pts/0 ; PWD=/home/qquarles ; USER=root ; "
            "COMMAND=/usr/bin/systemctl restart nginx",
            "systemd[1]: nginx.service: Deactivated successfully.",
            "dhclient[611]: DHCPACK of 192.0.2.40 from 192.0.2.1 (xid=0x5a1c3e7f)",
            "app[777]: patient Quentin Quarles, MRN 4711-0815, admitted by Dr. Lee",
        )
    )
)
KINDS = {"plain": PLAIN, "journal": JOURNAL}
PROFILES = ("patterns", "fast", "balanced")
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


def latencies(command: list[str], rate: int, lines: Sequence[str]) -> Seen:
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
        line = f"{lines[at % len(lines)]} #{at}\n".encode()
        sent[at] = time.perf_counter()
        process.stdin.write(line)
    reader.join()
    processor = spent(process.pid) - before
    process.stdin.close()
    process.wait()
    each = [after - before for before, after in zip(sent, read, strict=True)]
    return Seen(each, count / (read[-1] - start), processor)


def row(command: list[str], rate: int, lines: Sequence[str]) -> dict[str, Any]:
    """Percentiles, in milliseconds."""
    seen = latencies(command, rate, lines)
    cuts = statistics.quantiles(seen.each, n=100, method="inclusive")
    count = len(seen.each)
    times = (cuts[49] * 1e3, cuts[98] * 1e3, seen.processor / count * 1e3)
    told = dict(zip(TIMES, (harness.significant(value, 3) for value in times), strict=True))
    return {**told, "lines": count, "reached": round(min(seen.reached, rate))}


def processor(work: Callable[[str], object], lines: Sequence[str]) -> dict[str, Any]:
    """Processor milliseconds that work takes for a line, after the first ones."""
    each = []
    for at in range(RECORDS):
        said = f"{lines[at % len(lines)]} #{at}"
        start = time.process_time()
        work(said)
        each.append((time.process_time() - start) * 1e3)
    cuts = statistics.quantiles(each[len(lines) :], n=100, method="inclusive")
    return {"p50_ms": harness.significant(cuts[49], 3), "p99_ms": harness.significant(cuts[98], 3)}


def inside(profile: str) -> dict[str, Callable[[str], object]]:
    """What the command does for a line, and the filter for a record."""
    engine = scrubjay.load(profile=profile).endless()
    cleaner, one = pipe.texts(engine, "utf-8"), logs.Filter(engine)
    return {
        "line": lambda said: cleaner([said.encode()]),
        "filter": lambda said: one.filter(logging.LogRecord("app", 20, "", 1, said, None, None)),
    }


def main() -> None:
    """Measure, show, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, dest="output")
    options = parser.parse_args()
    command = [sys.executable, "-m", "scrubjay", "pipe", "-q", "--profile"]
    commands = {"cat": ["cat"], **{name: [*command, name] for name in PROFILES}}
    shown: list[tuple[object, ...]] = [
        ("what", "lines/s", "p50 ms", "p99 ms", "processor ms", "reached")
    ]
    result: dict[str, Any] = {}
    for kind, lines in KINDS.items():
        for name, words in commands.items():
            for rate in RATES:
                told = row(words, rate, lines)
                result.setdefault(kind, {}).setdefault(name, {})[str(rate)] = told
                times = (told[key] for key in (*TIMES, "reached"))
                shown.append((f"{name}, {kind}", rate, *times))
        for name in PROFILES:
            for what, work in inside(name).items():
                told = processor(work, lines)
                result[kind][f"{what}, {name}"] = told
                shown.append((f"{what}, {name}, {kind}", "", *told.values(), "", ""))
    harness.table(shown)
    facts = {**harness.machine(), **harness.scrubjay_facts(), "load": round(os.getloadavg()[0], 1)}
    harness.write(options.output, {**facts, **result})


if __name__ == "__main__":
    main()
