"""Whether clean text stays as it is: documents that a second run changes.

    python benchmarks/stability.py --json benchmarks/results/stability.json

Texts: the field set. A second run reads what the first one wrote; ideally it finds nothing more.
Every change is of something that the first run let pass, or of what it put in: both are counted,
by label.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

import harness

import scrubjay
from scrubjay.evaluate import gold

FIELD = Path(__file__).parent / "field"
POLICIES = ("hipaa-safe-harbor", "everything")
PROFILES = ("patterns", "fast", "accurate")


def main() -> None:
    """Measure, show, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, dest="output")
    asked = parser.parse_args()
    texts = [record.text for path in sorted(FIELD.glob("*.txt")) for record in gold.read(path)]
    told = {
        f"{policy}, {profile}": changes(scrubjay.load(policy, profile=profile), texts)
        for policy in POLICIES
        for profile in PROFILES
    }
    for name, row in told.items():
        print(f"{name}: {row}")
    head = {"machine": harness.machine(), **harness.scrubjay_facts()}
    harness.write(asked.output, {**head, "documents": len(texts), "runs": told})


def changes(engine: scrubjay.Engine, texts: list[str]) -> dict[str, Any]:
    """Documents that the second run changes, and what it takes for identifiers."""
    first = [result.text for result in engine.stream(texts)]
    changed = 0
    labels: Counter[str] = Counter()
    for before, after in zip(first, engine.stream(first), strict=True):
        if after.text != before:
            changed += 1
            labels.update(
                r.label
                for r in after.report.replacements
                if before[r.start : r.end] != after.text[r.new_start : r.new_end]
            )
    return {"changed": changed, "labels": dict(labels.most_common())}


if __name__ == "__main__":
    main()
