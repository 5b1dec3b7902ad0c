"""What `scrubjay evaluate` measures on a corpus, for the record: without places, with the machine.

    python benchmarks/accuracy.py --data FILE.jsonl.gz --json benchmarks/results/accuracy-NAME.json

What the numbers mean: docs/spec/evaluation.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import harness
import msgspec

from scrubjay import engine, evaluate
from scrubjay.cli.evaluate import sources, summary


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--policy", default="everything")
    parser.add_argument("--profile", help="of the tagger")
    parser.add_argument("--labels", type=Path, help="a map of gold labels")
    parser.add_argument("--json", type=Path, dest="output")
    return parser.parse_args()


def main() -> None:
    """Measure, show, write."""
    harness.pin()
    options = parse()
    asked: dict[str, Any] = {"profile": options.profile} if options.profile else {}
    built = engine.load(options.policy, **asked)
    corpus = evaluate.read(sources(options.data), options.labels)
    system = evaluate.system_of(built, options.profile or "")
    result = evaluate.evaluate(corpus, built.find, system)
    print("\n".join(summary(result)))
    told = msgspec.to_builtins(result)
    del told["leaks"], told["false"]
    head = {"machine": harness.machine(), **harness.scrubjay_facts()}
    harness.write(options.output, {**head, **told})


if __name__ == "__main__":
    main()
