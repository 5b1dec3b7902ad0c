"""How time grows with the length of a text: t(2n) / t(n) for prose and for hostile texts.

    python benchmarks/scaling.py --json benchmarks/results/scaling.json
    python benchmarks/scaling.py --largest 1000000 --families "dots,@" --targets patterns

Lengths halve from `--largest` (100 MB) down to about 1 KB. Two targets: `patterns`, the catalogue
alone, and `anonymize`, the whole engine under `--policy`. Each family and target has a process of
its own, pinned to one core. A time is the least of several runs, in processor seconds. Steps that
start below 2 ms are too short to judge. A step whose ratio is above 2.2 is measured again, both
ends, up to three times, and flagged if it stays: linear work doubles. A step may fairly pass 2.2
where a text outgrows the processor's caches, so the exponent over all steps is told as well: the
slope of log time over log length, 1 for linear work. A family that takes longer than `--limit`
seconds for one text goes no further.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import adversarial
import harness

SMALLEST = 750  # characters
FLOOR = 0.002  # seconds: below it the clock and the interpreter are what is measured
ALLOWED = 2.2
AGAIN = 3
TARGETS = ("patterns", "anonymize")
Work = Callable[[str], object]


# --- inside a worker: one family, one target


def target(name: str, policy: str, profile: str) -> Work:
    """What is done with a text."""
    from scrubjay import engine
    from scrubjay.detectors import patterns
    from scrubjay.types import Document

    if name == "patterns":
        detector = patterns.shipped()
        return lambda text: detector.detect([Document(text)])
    return engine.load(policy, profile=profile).anonymize


def least(work: Work, text: str, seconds: float) -> float:
    """The shortest of as many runs as `seconds` allow: 1 at least, 25 at most."""
    times = [harness.once(lambda: work(text))]
    while len(times) < 25 and sum(times) + times[-1] < seconds:
        times.append(harness.once(lambda: work(text)))
    return min(times)


def sizes(largest: int) -> list[int]:
    """Lengths, each twice the one before."""
    steps = max(int(math.log2(largest / SMALLEST)), 0)
    return [largest >> step for step in range(steps, -1, -1)]


def grow(work: Work, whole: str, lengths: list[int], options: Any) -> Iterator[dict[str, Any]]:
    """A measurement per length, until one takes too long."""
    work(whole[: lengths[0]])
    before = 0.0
    for length in lengths:
        text = whole[:length]
        now = least(work, text, options.seconds)
        for _ in range(AGAIN):
            if before < FLOOR or now / before <= ALLOWED or now > options.limit / 4:
                break
            before = min(before, least(work, whole[: length // 2], options.seconds))
            now = min(now, least(work, text, options.seconds))
        yield _step(text, now, before)
        before = now
        if now > options.limit:
            return


def _step(text: str, now: float, before: float) -> dict[str, Any]:
    judged = before >= FLOOR
    size = len(text.encode())
    return {
        "characters": len(text),
        "bytes": size,
        "seconds": harness.significant(now),
        "mb_per_s": harness.significant(size / max(now, 1e-9) / 1e6),
        "ratio": round(now / before, 3) if judged else None,
    }


def work_one(name: str, family: str, options: argparse.Namespace) -> None:
    """Print a JSON line per length."""
    harness.pin()
    lengths = sizes(options.largest)
    work = target(name, options.policy, options.profile)
    whole = adversarial.build(family, lengths[-1])
    for step in grow(work, whole, lengths, options):
        print(json.dumps(step), flush=True)


# --- the parent


def run(name: str, family: str, options: argparse.Namespace) -> dict[str, Any]:
    """One family and target in a fresh process; what it had measured counts if it dies."""
    command = [sys.executable, __file__, "--worker", name, family]
    command += ["--policy", options.policy, "--profile", options.profile]
    for option in ("largest", "limit", "seconds"):
        command += [f"--{option}", str(getattr(options, option))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    return {"target": name, "family": family, **judge(steps, done.returncode, options)}


def judge(steps: list[dict[str, Any]], status: int, options: argparse.Namespace) -> dict[str, Any]:
    """The worst step, the exponent, and why it ended if it ended early."""
    ratios = [step["ratio"] for step in steps if step["ratio"]]
    end = "whole"
    if status:
        end = f"the process ended with status {status}"
    elif steps[-1]["characters"] < sizes(options.largest)[-1]:
        end = f"a text took longer than {options.limit:g} s"
    return {
        "worst": max(ratios, default=None),
        "flagged": sum(ratio > ALLOWED for ratio in ratios),
        "exponent": exponent(steps),
        "end": end,
        "steps": steps,
    }


def exponent(steps: list[dict[str, Any]]) -> float | None:
    """The slope of log time over log length where times can be judged."""
    points = [
        (math.log(step["characters"]), math.log(step["seconds"]))
        for step in steps
        if step["seconds"] >= FLOOR
    ]
    if len(points) < 3:
        return None
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    rise = sum((x - middle_x) * (y - middle_y) for x, y in points)
    return round(rise / sum((x - middle_x) ** 2 for x, _ in points), 3)


def show(results: list[dict[str, Any]]) -> None:
    """A row per family and target, worst first."""
    rows: list[tuple[object, ...]] = [
        ("family", "target", "characters", "seconds", "MB/s", "worst", "flagged", "exponent", "end")
    ]
    for result in sorted(results, key=lambda r: -(r["worst"] or 0)):
        last = result["steps"][-1] if result["steps"] else {}
        told = (last.get("characters"), last.get("seconds"), last.get("mb_per_s"))
        shape = (result["worst"], result["flagged"], result["exponent"], result["end"])
        rows.append((result["family"], result["target"], *told, *shape))
    harness.table(rows)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--largest", type=int, default=100_000_000, help="characters")
    parser.add_argument("--families", help="parts of names, separated by commas; all by default")
    parser.add_argument("--targets", default=",".join(TARGETS))
    parser.add_argument("--policy", default="hipaa-safe-harbor")
    parser.add_argument("--profile", default="patterns", help="the tagger, for anonymize")
    parser.add_argument("--limit", type=float, default=60, help="seconds for one text")
    parser.add_argument("--seconds", type=float, default=1.0, help="of repetition for one length")
    parser.add_argument("--json", type=Path, dest="output")
    parser.add_argument("--worker", nargs=2, metavar=("TARGET", "FAMILY"), help=argparse.SUPPRESS)
    return parser.parse_args()


def chosen(wanted: str | None) -> list[str]:
    """Families whose name holds one of the parts."""
    parts = [part.strip() for part in (wanted or "").split(",")]
    return [family for family in adversarial.FAMILIES if any(part in family for part in parts)]


def main() -> None:
    """Measure, show, write."""
    options = parse()
    if options.worker:
        work_one(*options.worker, options)
        return
    results = []
    for name in options.targets.split(","):
        for family in chosen(options.families):
            results.append(run(name, family, options))
            print(f"{name}: {family}: worst {results[-1]['worst']}", file=sys.stderr)
    show(results)
    worst = max((result["worst"] or 0 for result in results), default=None)
    head = {**harness.machine(), **harness.scrubjay_facts(), "policy": options.policy}
    harness.write(options.output, {**head, "worst": worst, "results": results})


if __name__ == "__main__":
    main()
