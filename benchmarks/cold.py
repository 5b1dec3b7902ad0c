"""What a first answer costs: import, loading, and `scrubjay anonymize` in a new process.

    python benchmarks/cold.py --json benchmarks/results/cold.json
    python benchmarks/cold.py --presidio-python OTHER/bin/python ...

Every number is the best and median of `--runs` new processes, by the clock, files already in the
page cache and bytecode compiled; `processor` is the least processor time, for busy machines.
`python` is an interpreter that does nothing: take it off where only the package is of interest.
The first run of the command has an empty SCRUBJAY_HOME, so it may have to compile the patterns;
later runs find what it kept. Presidio, if there is one, loads no model: with one it takes longer.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import harness
import texts

PROFILES = ("patterns", "fast", "accurate")
SHORT = "Call Dr. Ann Lee at 555-010-7788"
COUNT = "\nimport json, sys; print(json.dumps(len(sys.modules)))"
SCRUBJAY = {
    "import scrubjay": "import scrubjay",
    "import the engine": "from scrubjay import load",
    "load a policy": "import scrubjay; scrubjay.load({policy!r})",
    "first result": "import scrubjay; scrubjay.load({policy!r}).anonymize({text!r})",
}
PRESIDIO = {
    "import presidio_analyzer": "import presidio_analyzer",
    "presidio: first result, no model": """
import logging, tldextract
logging.disable()
tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NoOpNlpEngine
from presidio_analyzer.recognizer_registry import RecognizerRegistryProvider
wanted = {{"supported_languages": ["en"]}}
registry = RecognizerRegistryProvider(registry_configuration=wanted).create_recognizer_registry()
nlp = NoOpNlpEngine([{{"lang_code": "en", "model_name": ""}}])
AnalyzerEngine(registry=registry, nlp_engine=nlp).analyze({text!r}, language="en")
""",
}


class Run(NamedTuple):
    """One process: the clock's seconds, the processor's, and what it printed."""

    seconds: float
    processor: float
    printed: str


def timed(command: list[str], **environment: str) -> Run:
    """Run to the end."""
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, **environment}
    )
    seconds, after = time.perf_counter() - start, os.times()
    spent = after.children_user + after.children_system
    return Run(seconds, spent - before.children_user - before.children_system, done.stdout)


def row(runs: list[Run]) -> dict[str, Any]:
    """The summary of several processes."""
    spent = harness.significant(min(run.processor for run in runs), 3)
    return {**harness.summary([run.seconds for run in runs]), "processor_best_s": spent}


def snippet(python: str, code: str, runs: int) -> dict[str, Any]:
    """A piece of code in new processes."""
    command = [python, "-c", code + COUNT]
    timed(command)
    done = [timed(command) for _ in range(runs)]
    return {**row(done), "modules": json.loads(done[-1].printed.splitlines()[-1])}


def snippets(python: str, codes: dict[str, str], options: argparse.Namespace) -> dict[str, Any]:
    """Each, with the interpreter alone first."""
    filled = {name: code.format(policy=options.policy, text=SHORT) for name, code in codes.items()}
    return {
        name: snippet(python, code, options.runs) for name, code in {"python": "", **filled}.items()
    }


def commands(options: argparse.Namespace) -> dict[str, Any]:
    """The command on a file: with an empty home, then again."""
    with tempfile.TemporaryDirectory() as name:
        source, target = options.input or Path(name) / "note.txt", Path(name) / "clean"
        if not options.input:
            source.write_text(texts.note(random.Random(texts.SEED))[0], "utf-8")
        command = [sys.executable, "-m", "scrubjay", "anonymize", str(source)]
        command += ["-o", str(target), "-p", options.policy, "--quiet"]
        homes = [str(Path(name) / f"home{number}") for number in range(3)]
        first = [timed(command, SCRUBJAY_HOME=home) for home in homes]
        result = {"anonymize, empty home": row(first)}
        for profile in PROFILES:
            by = [*command, "--profile", profile]
            later = [timed(by, SCRUBJAY_HOME=homes[0]) for _ in range(options.runs)]
            result[f"anonymize, later, {profile}"] = row(later)
        size = source.stat().st_size
    return {what: {**told, "bytes": size} for what, told in result.items()}


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--presidio-python", help="Python of an environment that has Presidio")
    parser.add_argument("--input", type=Path, help="the file to anonymize; default: a 3 KB note")
    parser.add_argument("--policy", default="hipaa-safe-harbor")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--json", type=Path, dest="output")
    return parser.parse_args()


def show(result: dict[str, Any]) -> None:
    """The table for people, in milliseconds."""
    keys = ("best_s", "median_s", "processor_best_s")
    rows: list[tuple[object, ...]] = [("what, ms", "best", "median", "processor", "modules")]
    for side in result.values():
        for what, told in side.items():
            times = (f"{told[key] * 1e3:.0f}" for key in keys)
            rows.append((what, *times, told.get("modules", "")))
    harness.table(rows)


def main() -> None:
    """Measure, show, write."""
    options = parse()
    harness.pin()
    result = {"scrubjay": {**snippets(sys.executable, SCRUBJAY, options), **commands(options)}}
    python = options.presidio_python
    if not python and harness.versions("presidio-analyzer"):
        python = sys.executable
    if python:
        result["presidio"] = snippets(python, PRESIDIO, options)
    show(result)
    head = {**harness.machine(), **harness.scrubjay_facts(), "policy": options.policy}
    harness.write(options.output, {**head, **result})


if __name__ == "__main__":
    main()
