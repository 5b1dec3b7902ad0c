"""Peak memory and time of `scrubjay anonymize` on a long stream of JSON Lines.

    python benchmarks/memory.py --json benchmarks/results/memory.json

The stream is made on the fly in a temporary folder: a clinical note of about 3 KB a line. Three
lengths (one line, a tenth, all of `--megabytes`) tell what starting costs and whether memory grows
with the stream. The peak is the kernel's own mark for that process (VmHWM; where there is no
/proc, ru_maxrss), the time is the clock's, process start included.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import harness
import texts

# the command line as it is, then the mark
CHILD = """
import pathlib, re, resource, sys
from scrubjay.cli import main
try:
    main(sys.argv[2:])
finally:
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        peak = int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]) * 1024
    else:
        unit = 1 if sys.platform == "darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    pathlib.Path(sys.argv[1]).write_text(str(peak))
"""


def generate(path: Path, size: int) -> int:
    """Write lines until there are `size` bytes; how many lines."""
    dice = random.Random(texts.SEED)
    written = lines = 0
    with path.open("wb") as file:
        while written < size:
            record = {"id": lines, "note": texts.note(dice)[0]}
            data = json.dumps(record, ensure_ascii=False).encode() + b"\n"
            file.write(data)
            written += len(data)
            lines += 1
    return lines


def measure(size: int, options: argparse.Namespace) -> dict[str, Any]:
    """One run of the command on a new file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, target, mark = folder / "in.jsonl", folder / "out.jsonl", folder / "peak"
        lines = generate(source, size)
        command = [sys.executable, "-c", CHILD, str(mark), "anonymize", str(source)]
        command += ["-o", str(target), "-p", options.policy, "--quiet"]
        command += ["--profile", options.profile]
        start = time.perf_counter()
        subprocess.run(command, check=True)
        seconds = time.perf_counter() - start
        if sum(1 for _ in target.open("rb")) != lines:
            raise SystemExit("the output does not have as many lines as the input")
        size = source.stat().st_size
        peak = int(mark.read_text())
    return {
        "bytes": size,
        "lines": lines,
        "seconds": harness.significant(seconds),
        "mb_per_s": harness.significant(size / seconds / 1e6),
        "peak_mb": round(peak / 1e6, 1),
    }


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--policy", default="hipaa-safe-harbor")
    parser.add_argument("--profile", default="patterns", help="the tagger")
    parser.add_argument("--json", type=Path, dest="output")
    return parser.parse_args()


def main() -> None:
    """Measure, show, write."""
    options = parse()
    harness.pin()
    whole = int(options.megabytes * 1e6)
    measure(1, options)  # the first run may have to build and keep the automaton
    rows = [measure(size, options) for size in (1, whole // 10, whole)]
    columns = ("bytes", "lines", "seconds", "mb_per_s", "peak_mb")
    harness.table([columns, *([row[column] for column in columns] for row in rows)])
    head = {**harness.machine(), **harness.scrubjay_facts(), "policy": options.policy}
    growth = round(rows[-1]["peak_mb"] - rows[0]["peak_mb"], 1)
    harness.write(options.output, {**head, "growth_mb": growth, "runs": rows})


if __name__ == "__main__":
    main()
