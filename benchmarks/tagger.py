"""Words per second and peak memory of the whole engine, by profile, on one core.

    python benchmarks/tagger.py --json benchmarks/results/tagger.json
    python benchmarks/tagger.py --data FILE.jsonl.gz ...

Each profile runs in a process of its own, pinned to one core: `engine.stream` under the policy
`everything`, so patterns, tagger, resolving and replacing are all in it. Times are the processor's,
best of `--rounds`, without loading. Texts: generated clinical notes (texts.py), and files of
`--data`. The peak is the kernel's mark (VmHWM) at the end, texts included. A word is what stands
between blanks.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import harness
import texts

PROFILES = ("patterns", "fast", "balanced", "accurate")


def corpora(data: list[Path], characters: int) -> dict[str, list[str]]:
    """The texts by name."""
    made = {
        "clinical notes, 3 KB": texts.notes(max(characters // 3000, 1)),
        "clinical notes, few identifiers": texts.notes(
            max(characters // 3000, 1), density=texts.SPARSE
        ),
    }
    for path in data:
        taken: list[str] = []
        for record in harness.records(path):
            if sum(map(len, taken)) >= characters:
                break
            taken.append(record["text"])
        made[path.name] = taken
    return made


def work(profile: str, file: str, rounds: int) -> None:
    """One process: measure, and print a JSON object."""
    harness.pin()
    import scrubjay

    engine = scrubjay.load("everything", profile=profile)
    engine.anonymize("Call Dr. Ann Lee at 555-010-7788")
    measured: dict[str, Any] = {}
    for name, batch in json.loads(Path(file).read_text("utf-8")).items():
        words = sum(len(text.split()) for text in batch)
        found: list[int] = []

        def once(batch: list[str] = batch, found: list[int] = found) -> None:
            found.append(sum(sum(r.report.counts.values()) for r in engine.stream(batch)))

        seconds = min(harness.once(once) for _ in range(rounds))
        size = sum(len(text.encode()) for text in batch)
        measured[name] = {
            "words_per_s": round(words / seconds),
            "kB_per_s": harness.significant(size / seconds / 1000),
            "words": words,
            "found": found[0],
        }
    status = Path("/proc/self/status").read_text()
    found_peak = re.search(r"VmHWM:\s+(\d+)", status)
    peak = round(int(found_peak[1]) / 1024, 1) if found_peak else None
    print(json.dumps({"texts": measured, "peak_MB": peak}))


def apart(profile: str, file: Path, rounds: int) -> dict[str, Any]:
    """The same in a process of its own."""
    command = [sys.executable, __file__, "--rounds", str(rounds), "--worker", profile, str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def main() -> None:
    """Run and tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, action="append", default=[])
    parser.add_argument("--characters", type=int, default=150_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(*options.worker, options.rounds)
        return
    file = Path(sys.argv[0]).parent / "results" / ".texts.json"
    file.write_text(json.dumps(corpora(options.data, options.characters)), "utf-8")
    try:
        profiles = {profile: apart(profile, file, options.rounds) for profile in PROFILES}
        result = {**harness.machine(), **harness.scrubjay_facts(), "profiles": profiles}
    finally:
        file.unlink()
    told = json.dumps(result, indent=1, ensure_ascii=False)
    print(told)
    if options.json:
        options.json.write_text(told + "\n", "utf-8")


if __name__ == "__main__":
    main()
