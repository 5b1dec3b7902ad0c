"""Memory of processes that run the same tagger, and what units a call cost.

    python benchmarks/sharing.py --json benchmarks/results/sharing.json
    python benchmarks/sharing.py --bundle FOLDER --bundle OTHER ...

As many processes as `--processes` load a bundle and tag eight notes on one thread each; then the
kernel says (/proc/PID/smaps_rollup, Linux only) what the last one holds: `rss`, all of it; `pss`,
shared pages divided among those that share them; `private`, what each further process costs. `peak`
is its own mark (VmHWM). `libraries` is the same with numpy and ONNX Runtime alone. Each number of
units a call is tried in a process of its own, with its speed.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import harness
import texts

from scrubjay.model import bundle

CHILD = """
import sys, time
from pathlib import Path
import numpy, onnxruntime
from scrubjay.model import tagger
folder, units, source = sys.argv[1:]
best = 0
if folder:
    tagger.UNITS_A_CALL = int(units) or tagger.UNITS_A_CALL
    net = tagger.Tagger(Path(folder), threads=1)
    notes = Path(source).read_text("utf-8").split("\\x1e")
    words = sum(len(note.split()) for note in notes)
    for _ in range(3):
        start = time.process_time()
        net.spans(notes)
        best = max(best, words / (time.process_time() - start))
print(round(best), flush=True)
sys.stdin.readline()
"""
FIELDS = {"rss_mb": "Rss", "pss_mb": "Pss", "private_mb": "Private_Dirty"}


def held(process: int) -> dict[str, float]:
    """What the kernel says of a process."""
    folder = Path(f"/proc/{process}")
    told = dict(re.findall(r"(\w+):\s+(\d+) kB", folder.joinpath("smaps_rollup").read_text()))
    told |= dict(re.findall(r"(VmHWM):\s+(\d+) kB", folder.joinpath("status").read_text()))
    fields = {**FIELDS, "peak_mb": "VmHWM"}
    return {key: round(int(told[name]) * 1024 / 1e6, 1) for key, name in fields.items()}


def together(count: int, folder: Path | None, source: Path, units: int = 0) -> dict[str, Any]:
    """So many processes at a time."""
    command = [sys.executable, "-c", CHILD, str(folder or ""), str(units), str(source)]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    try:
        speeds = [int(child.stdout.readline()) for child in children if child.stdout]
        return {**held(children[-1].pid), "words_per_s": max(speeds)}
    finally:
        for child in children:
            child.communicate("\n")


def measure(folder: Path, options: argparse.Namespace, source: Path) -> dict[str, Any]:
    """One bundle, alone and with others, and by units a call."""
    files = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    return {
        "kind": bundle.read(folder).kind,
        "bytes": files,
        "processes": {n: together(n, folder, source) for n in options.processes},
        "units_a_call": {n: together(1, folder, source, n) for n in options.units},
    }


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bundle", action="append", help="a folder or profile; default: both")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--units", type=int, nargs="+", default=[256, 512, 1024, 4096])
    parser.add_argument("--json", type=Path, dest="output")
    return parser.parse_args()


def show(bundles: dict[str, Any]) -> None:
    """The table for people."""
    rows: list[tuple[object, ...]] = [("what", *FIELDS, "peak_mb", "words_per_s")]
    for name, told in bundles.items():
        for what in ("processes", "units_a_call"):
            rows += [(f"{name}, {what} {n}", *row.values()) for n, row in told[what].items()]
    harness.table(rows)


def main() -> None:
    """Measure, show, write."""
    options = parse()
    dice = random.Random(texts.SEED)
    folders = [bundle.folder(name) for name in options.bundle or ("fast", "accurate")]
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write("\x1e".join(texts.note(dice)[0] for _ in range(8)))
        file.flush()
        source = Path(file.name)
        bundles = {folder.name: measure(folder, options, source) for folder in folders}
        libraries = together(2, None, source)
    show(bundles)
    facts = {**harness.machine(), **harness.versions("onnxruntime", "numpy")}
    harness.write(options.output, {**facts, "libraries": libraries, "bundles": bundles})


if __name__ == "__main__":
    main()
