"""Scrubjay's patterns and Presidio's own pattern recognizers, side by side on the same texts.

    python benchmarks/patterns.py --presidio-python OTHER/bin/python \\
        --json benchmarks/results/patterns.json
    python benchmarks/patterns.py --data FILE.jsonl.gz ...

Each side runs in processes of its own, pinned to one core; the sides take turns, so that a slow
minute of the machine falls on both. Times are processor seconds of that one thread (on a quiet
machine the same as the clock on the wall), without loading. Texts go in as strings.

Presidio runs its 17 default recognizers for English, without a model, in three ways, and the
fastest one counts:
    recognizers    each recognizer called directly: no context words, no thresholds, no merging
    engine         AnalyzerEngine over NoOpNlpEngine: no context words from the text
    engine+context AnalyzerEngine over a blank spaCy pipeline: tokens, hence context words
A fourth, `without phone`, leaves out its slowest recognizer, which is not a regex but a search by
libphonenumber in several regions: not the same job, but it tells how much hangs on that one.
Scrubjay runs its whole catalogue, several times as many rules, in two ways:
    patterns       the scan, checks and context words, in batches as the engine's stream makes them
    detect         the same through the engine, a text at a time: overlaps resolved, values found
                   everywhere
The counts of findings tell that both did work; they are no measure of accuracy (accuracy.py).
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness
import texts

MODES = {
    "scrubjay": ("patterns", "detect"),
    "presidio": ("recognizers", "engine", "engine+context", "without phone"),
}
WHOLE = ("recognizers", "engine", "engine+context")  # Presidio's ways that do all of the job
COLD_ENOUGH = 5.0  # seconds
Detect = Callable[[list[str]], int]  # texts in, number of findings out


# --- inside a worker: one side, one mode


def scrubjay(mode: str) -> Detect:
    """The catalogue alone, or through the engine."""
    from scrubjay import engine, policies
    from scrubjay.detectors import patterns
    from scrubjay.types import Document

    detector = patterns.shipped()
    if mode == "patterns":
        return lambda texts: sum(
            len(findings)
            for batch in engine.batches(map(Document, texts))
            for findings in detector.detect(batch)
        )
    whole = engine.Engine(policies.load("everything"), [detector])
    return lambda batch: sum(len(whole.detect(text)) for text in batch)


def presidio(mode: str) -> Detect:
    """Presidio without a model and without the network."""
    import tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.recognizer_registry import RecognizerRegistryProvider

    # its list of top-level domains as packaged: the download would only cost it time
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    provider = RecognizerRegistryProvider(registry_configuration={"supported_languages": ["en"]})
    registry = provider.create_recognizer_registry()
    if mode in {"recognizers", "without phone"}:
        each = [
            (recognizer, recognizer.supported_entities)
            for recognizer in registry.recognizers
            if mode == "recognizers" or recognizer.name != "PhoneRecognizer"
        ]
        return lambda batch: sum(
            len(recognizer.analyze(text, entities, None) or ())
            for text in batch
            for recognizer, entities in each
        )
    nlp = _no_op() if mode == "engine" else _blank()
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=nlp)
    return lambda batch: sum(len(analyzer.analyze(text, language="en")) for text in batch)


def _no_op() -> Any:
    from presidio_analyzer.nlp_engine import NoOpNlpEngine

    return NoOpNlpEngine([{"lang_code": "en", "model_name": ""}])


def _blank() -> Any:
    import spacy
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    class Blank(SpacyNlpEngine):
        """spaCy's tokenizer and nothing else."""

        def load(self) -> None:
            self.nlp = {"en": spacy.blank("en")}

    return Blank()


def facts(side: str) -> dict[str, Any]:
    """Versions and number of rules."""
    if side == "scrubjay":
        return harness.scrubjay_facts()
    from presidio_analyzer.recognizer_registry import RecognizerRegistryProvider

    provider = RecognizerRegistryProvider(registry_configuration={"supported_languages": ["en"]})
    recognizers = provider.create_recognizer_registry().recognizers
    rules = sum(len(getattr(recognizer, "patterns", ())) for recognizer in recognizers)
    packages = ("presidio-analyzer", "spacy", "regex", "phonenumbers", "tldextract")
    return {"recognizers": len(recognizers), "patterns": rules, **harness.versions(*packages)}


def work(side: str, mode: str) -> None:
    """Answer the parent's requests, a JSON line each, until it closes the pipe."""
    harness.pin()
    start = time.process_time()
    detect = scrubjay(mode) if side == "scrubjay" else presidio(mode)
    detect(["warm up: 555-010-7788"])
    load = harness.significant(time.process_time() - start)
    _answer({"load_s": load, **facts(side)})
    for line in sys.stdin:
        batch = json.loads(Path(json.loads(line)).read_text("utf-8"))
        counted: list[int] = []
        first = harness.once(lambda b=batch, c=counted: c.append(detect(b)))
        # a first pass that takes this long owes little to cold caches: it is the measurement
        seconds = first if first > COLD_ENOUGH else harness.steady(lambda b=batch: detect(b))
        _answer({"findings": counted[0], "seconds": seconds})


def _answer(value: object) -> None:
    print(json.dumps(value), flush=True)


# --- the parent


class Worker:
    """One side in one mode, in its own process."""

    def __init__(self, side: str, mode: str, python: str) -> None:
        self.side, self.mode = side, mode
        command = [python, __file__, "--worker", f"{side}:{mode}"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        self.facts = self._read()

    def measure(self, path: Path) -> dict[str, Any]:
        """Warm up, then time one pass over the texts in a file."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(str(path)) + "\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.side} {self.mode}: the process ended")
        return json.loads(line)


def corpora(options: argparse.Namespace) -> dict[str, list[str]]:
    """The texts by name."""
    count = max(options.characters // 3000, 1)
    made = {
        "clinical notes, 3 KB": texts.notes(count),
        "clinical notes, few identifiers": texts.notes(count, density=texts.SPARSE),
        "clinical notes, typographic signs": [*map(texts.typographic, texts.notes(count))],
        "short texts, 100-200 characters": texts.shorts(max(options.characters // 300, 1)),
        "one text of 1 MB": [texts.prose(1_000_000)],
    }
    for path in options.data:
        made[path.name] = _from_file(path, options.characters)
    return made


def _from_file(path: Path, characters: int) -> list[str]:
    """Texts from the start of a file until there are enough characters."""
    taken: list[str] = []
    size = 0
    for record in harness.records(path):
        taken.append(record["text"])
        size += len(record["text"])
        if size >= characters:
            break
    return taken


def compare(name: str, batch: list[str], workers: list[Worker], options: Any) -> dict[str, Any]:
    """All workers on one set of texts, in turns; one that has used up its time sits out."""
    times: dict[tuple[str, str], list[float]] = {}
    findings: dict[tuple[str, str], int] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.json"
        path.write_text(json.dumps(batch), "utf-8")
        for _ in range(options.rounds):
            for worker in workers:
                key = worker.side, worker.mode
                spent = times.setdefault(key, [])
                if sum(spent) < options.seconds:
                    answer = worker.measure(path)
                    spent.append(answer["seconds"])
                    findings[key] = answer["findings"]
    size = sum(len(text.encode()) for text in batch)
    return {
        "texts": name,
        "count": len(batch),
        "bytes": size,
        "sides": {
            side: {
                mode: _row(size, times[side, mode], findings[side, mode])
                for mode in MODES[side]
                if (side, mode) in times
            }
            for side in MODES
        },
    }


def _row(size: int, seconds: list[float], findings: int) -> dict[str, Any]:
    timing = harness.summary(seconds)
    return {
        "mb_per_s_best": harness.significant(size / timing["best_s"] / 1e6),
        "mb_per_s_median": harness.significant(size / timing["median_s"] / 1e6),
        "findings": findings,
        **timing,
    }


def ratios(sides: dict[str, Any]) -> dict[str, float]:
    """How many times as fast: best against best of Presidio's fastest way, and like for like."""
    theirs = sides.get("presidio")
    if not theirs:
        return {}
    ours, whole = sides["scrubjay"]["patterns"], sides["scrubjay"]["detect"]
    best = max(theirs[mode]["mb_per_s_best"] for mode in WHOLE)
    middle = max(theirs[mode]["mb_per_s_median"] for mode in WHOLE)
    pairs = {
        "patterns_to_fastest_best": (ours["mb_per_s_best"], best),
        "patterns_to_fastest_median": (ours["mb_per_s_median"], middle),
        "patterns_to_without_phone_best": (
            ours["mb_per_s_best"],
            theirs["without phone"]["mb_per_s_best"],
        ),
        "detect_to_fastest_best": (whole["mb_per_s_best"], best),
        "detect_to_engine_with_context_best": (
            whole["mb_per_s_best"],
            theirs["engine+context"]["mb_per_s_best"],
        ),
    }
    return {name: round(one / other, 1) for name, (one, other) in pairs.items()}


def show(results: list[dict[str, Any]]) -> None:
    """The table for people."""
    rows: list[tuple[object, ...]] = [("texts", "side", "best MB/s", "median", "findings", "runs")]
    for result in results:
        for side, modes in result["sides"].items():
            for mode, row in modes.items():
                speeds = f"{row['mb_per_s_best']:.3f}", f"{row['mb_per_s_median']:.3f}"
                told = (*speeds, row["findings"], row["runs"])
                rows.append((result["texts"], f"{side} {mode}", *told))
    harness.table(rows)
    for result in results:
        if result["ratios"]:
            print(f"{result['texts']}: {result['ratios']['patterns_to_fastest_best']} times")


def start(options: argparse.Namespace) -> list[Worker]:
    """Scrubjay here; Presidio in the Python that was named, or here if it is installed."""
    workers = [Worker("scrubjay", mode, sys.executable) for mode in MODES["scrubjay"]]
    python = options.presidio_python
    if not python and harness.versions("presidio-analyzer"):
        python = sys.executable
    if not python:
        print("Presidio is not installed here; name --presidio-python", file=sys.stderr)
        return workers
    return workers + [Worker("presidio", mode, python) for mode in MODES["presidio"]]


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--presidio-python", help="Python of an environment that has Presidio")
    parser.add_argument("--data", type=Path, action="append", default=[], help="more texts")
    parser.add_argument("--characters", type=int, default=180_000, help="of each set of texts")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=12, help="for one side on one set")
    parser.add_argument("--json", type=Path, dest="output")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measure, show, write."""
    options = parse()
    if options.worker:
        work(*options.worker.split(":"))
        return
    workers = start(options)
    results = []
    for name, batch in corpora(options).items():
        result = compare(name, batch, workers, options)
        results.append({**result, "ratios": ratios(result["sides"])})
    show(results)
    loaded = {f"{w.side} {w.mode}": w.facts for w in workers}
    harness.write(options.output, {**harness.machine(), "sides": loaded, "results": results})
    for worker in workers:
        worker.close()


if __name__ == "__main__":
    main()
