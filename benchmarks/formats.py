"""What each format costs on one core: bytes of the file a second, and of the text in it.

    python benchmarks/formats.py --presidio-python OTHER/bin/python \\
        --json benchmarks/results/formats.json

A format is measured if a tests/format_*.py has a maker of samples for it, in SAMPLES: name ->
function of a size in bytes. Processor seconds, the best of several rounds:
    walk    read and written again, every text looked at by nobody
    clean   the policy `everything` with the profile `patterns`
    text    the same, counted in the characters that were looked at: some files are compressed
    cut     into parts for other cores, for formats that can be cut
Beside it Presidio's module for tables, if an environment has presidio-structured: the same CSV,
read by pandas, its columns named by a sample of their cells (no model, blank tokenizer), then
replaced. It replaces whole cells of columns that it knows and leaves the others; ours looks into
every cell.
"""

from __future__ import annotations

import argparse
import io
import json
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness

ROUNDS = 2
TESTS = harness.HERE.parent / "tests"
Make = Callable[[int], bytes]


def makers() -> dict[str, Make]:
    """Every format that has a maker of samples."""
    sys.path.append(str(TESTS))  # they share what they are made of
    found: dict[str, Make] = {}
    for path in sorted(TESTS.glob("format_*.py")):
        found |= runpy.run_path(str(path)).get("SAMPLES", {})
    return found


def measure(name: str, make: Make, size: int) -> dict[str, Any]:
    """Walk, clean and cut one sample."""
    import scrubjay
    from scrubjay import formats
    from scrubjay.formats.work import Work
    from scrubjay.report import unchanged

    data, text = make(size), 0
    engine = scrubjay.load("everything", profile="patterns")

    def look(documents: Any) -> Any:
        nonlocal text
        for document in documents:
            text += len(document.text)
            yield unchanged(document)

    def convert(clean: Any) -> None:
        formats.make(name).convert(io.BytesIO(data), io.BytesIO(), Work(clean))

    convert(look)
    seen = text
    convert(engine.stream)
    told = {"bytes": len(data), "characters": seen}
    told |= _rates("walk", lambda: convert(look), len(data))
    told |= _rates("clean", lambda: convert(engine.stream), len(data))
    told["text_mb_per_s"] = harness.significant(told["clean_mb_per_s"] * seen / len(data))
    form: Any = formats.make(name)
    if hasattr(form, "parts"):
        big = make(max(size * 10, 10_000_000))
        told |= _rates(
            "cut", lambda: sum(1 for _ in form.parts(io.BytesIO(big), 1 << 23)), len(big)
        )
    return told


def _rates(what: str, work: Callable[[], object], size: int) -> dict[str, float]:
    best = min(harness.steady(work) for _ in range(ROUNDS))
    return {f"{what}_mb_per_s": harness.significant(size / best / 1e6)}


def presidio(path: Path) -> None:
    """In another environment: print what its module for tables takes for the same CSV."""
    import pandas
    import spacy
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import SpacyNlpEngine
    from presidio_structured import PandasAnalysisBuilder, StructuredEngine

    class Blank(SpacyNlpEngine):
        """spaCy's tokenizer and nothing else."""

        def load(self) -> None:
            self.nlp = {"en": spacy.blank("en")}

    analyzer = AnalyzerEngine(nlp_engine=Blank())

    def run() -> dict[str, str]:
        table = pandas.read_csv(path, dtype=str)
        found = PandasAnalysisBuilder(analyzer).generate_analysis(table, n=100)
        StructuredEngine().anonymize(table, found).to_csv(io.StringIO())
        return dict(found.entity_mapping)

    columns = run()
    best = min(harness.steady(run) for _ in range(ROUNDS))
    rate = harness.significant(path.stat().st_size / best / 1e6)
    facts = harness.versions("presidio-structured", "presidio-analyzer", "pandas")
    print(json.dumps({"clean_mb_per_s": rate, "columns": columns, **facts}))


def beside(python: str, data: bytes) -> dict[str, Any]:
    """What `presidio` says."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.csv"
        path.write_bytes(data)
        words = [python, __file__, "--presidio-work", str(path)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def main() -> None:
    """Measure, show, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=int, default=200_000)
    parser.add_argument("--only", default="", help="formats, with commas between")
    parser.add_argument("--presidio-python", help="Python of an environment with its module")
    parser.add_argument("--presidio-work", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, dest="output")
    options = parser.parse_args()
    harness.pin()
    if options.presidio_work:
        presidio(options.presidio_work)
        return
    wanted = options.only.split(",") if options.only else []
    chosen = {n: m for n, m in makers().items() if not wanted or n.partition(".")[0] in wanted}
    result: dict[str, Any] = {n: measure(n, make, options.size) for n, make in chosen.items()}
    if options.presidio_python and "csv.v1" in chosen:
        result["presidio-structured"] = beside(
            options.presidio_python, chosen["csv.v1"](options.size)
        )
    kinds = ("walk", "clean", "text", "cut")
    table: list[tuple[object, ...]] = [("MB/s", *kinds)]
    table += [
        (n, *(row.get(f"{kind}_mb_per_s", "") for kind in kinds)) for n, row in result.items()
    ]
    harness.table(table)
    facts = {**harness.machine(), **harness.scrubjay_facts(), **harness.versions("pyarrow", "lxml")}
    harness.write(options.output, {**facts, **result})


if __name__ == "__main__":
    sys.exit(main())
