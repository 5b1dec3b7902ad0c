"""Scrubjay, Presidio and spaCy side by side: the same texts, the same cores, the same measure.

    python benchmarks/rivals_train.py DATA MODEL --keep-clear-of FILE...
    python benchmarks/rivals.py --rival-python OTHER/bin/python --model MODEL \\
        --data FILE.jsonl.gz ... --data benchmarks/field --json benchmarks/results/rivals.json
    python benchmarks/rivals.py ... --only fast balanced accurate

    presidio        its analyzer with its default recognizers for English, over a pipeline of the
                    parts and sizes of en_core_web_lg
    presidio-names  the same without the parts that find no names: tagger, parser, lemmas
    spacy           what that pipeline finds alone, without those parts
    patterns, fast, balanced, accurate    Scrubjay's profiles, policy `everything`, finding only

The weights of en_core_web_lg are not here, so the net was trained on what our taggers are trained
on, with our classes (rivals_train.py). Tagger and parser are untrained and come after it: they
cost the same, and nothing that is found depends on them; lemmas are looked up.

Speed: a process of its own for each, on one core; then two at once, each on a core of its own, with
all of the texts each, and their words added up. Words a second of processor time, best of
`--rounds`, one text at a time and many at once; findings are made, nothing is replaced. Peak memory
is the kernel's mark (VmHWM) after loading and timing; loading time is the clock's, imports
included, the shortest of three processes. Accuracy: `scrubjay.evaluate`, labels aside, the code
that measures us; where findings of one system overlap, their union counts
(docs/spec/evaluation.md). `--only` renews some systems in the JSON that is there. On a busy machine
put `chrt -r 1` before the command.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import harness
import texts

from scrubjay import evaluate, labels
from scrubjay.cli.evaluate import sources
from scrubjay.evaluate import mapping
from scrubjay.evaluate.result import System
from scrubjay.types import Finding

RIVALS = ("presidio", "presidio-names", "spacy")
OURS = ("patterns", "fast", "balanced", "accurate")
WORKER = Path(__file__).with_name("rivals_worker.py")
Place = list[Any]  # start, end, label, score


def disjoint(places: list[Place]) -> Iterator[Finding]:
    """The same characters, each in one finding: that of the highest score, then the longest."""
    owner: dict[int, int] = {}
    for number in sorted(range(len(places)), key=lambda n: (places[n][3], _length(places[n]))):
        owner.update(dict.fromkeys(range(*places[number][:2]), number))
    cut = sorted(owner.items())
    for _, run in groupby(enumerate(cut), lambda at: (at[1][1], at[1][0] - at[0])):
        whole = [place for _, place in run]
        _, _, label, score = places[whole[0][1]]
        yield Finding(whole[0][0], whole[-1][0] + 1, ours(label), score, "rival")


def _length(place: Place) -> int:
    return place[1] - place[0]


def ours(label: str) -> str:
    """What a rival's label means with us."""
    return label if label in labels.table() else mapping.shipped()[label][0]


def accuracy(corpus: evaluate.Corpus, places: list[list[Place]]) -> dict[str, Any]:
    """Recall and precision of characters, labels aside."""
    found = (list(disjoint(each)) for each in places)
    result = evaluate.evaluate(corpus, lambda _: found, System("", "", "", "", ()), resamples=10)
    leak, right = result.leak.characters, result.precision
    recall = 1 - leak.value if leak else 0.0
    precision = right.value if right else 0.0
    f2 = 5 * precision * recall / (4 * precision + recall) if recall and precision else 0.0
    told = {"recall": recall, "precision": precision, "f2": f2}
    return {name: round(value, 4) for name, value in told.items()}


class Bench:
    """The texts, and where what runs."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options, self.folder = options, folder
        self.corpora = {
            path.name.split(".")[0]: evaluate.read(sources((path,)), None) for path in options.data
        }
        count = options.characters // 3000
        self.speed = {"made notes": texts.notes(count)}
        for path in options.notes:
            self.speed["real notes"] = list(_beginning(path, options.characters))

    def measured(self, name: str) -> dict[str, Any]:
        """One system, whole."""
        first, *more = sorted(os.sched_getaffinity(0), reverse=True)
        find = {what: [r.text for r in corpus.records] for what, corpus in self.corpora.items()}
        (alone,) = self._run(name, [first], {"ways": ["one", "many"], "find": find})
        for both in more[:1]:
            pair = self._run(name, [first, both], {"ways": ["many"], "find": {}})
            alone["load_s"] = min(told["load_s"] for told in (alone, *pair))
            for what, told in alone["speed"].items():
                told["two_cores"] = sum(one["speed"][what]["many"] for one in pair)
        found = alone.pop("found")
        alone["accuracy"] = {
            what: accuracy(corpus, found[what]) for what, corpus in self.corpora.items()
        }
        return {**alone, "machine": harness.machine()}

    def _run(self, name: str, cores: list[int], job: dict[str, Any]) -> list[Any]:
        """The same work on each of the cores at once."""
        python = self.options.rival_python if name in RIVALS else sys.executable
        processes = []
        for core in cores:
            whole = {
                **job, "core": core, "rounds": self.options.rounds, "speed": self.speed,
                "model": str(self.options.model),
            }  # fmt: skip
            file = self.folder / f"{core}.json"
            file.write_text(json.dumps(whole), "utf-8")
            command = [str(python), str(WORKER), name, str(file)]
            processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        answers = [process.communicate()[0] for process in processes]
        if any(process.returncode for process in processes):
            raise SystemExit(f"{name}: the process ended with an error; it is told above")
        return [json.loads(answer.splitlines()[-1]) for answer in answers]

    def facts(self) -> dict[str, Any]:
        """What was measured on."""
        return {
            "texts": {name: _facts(batch) for name, batch in self.speed.items()},
            "data": {name: _facts([r.text for r in c.records]) for name, c in self.corpora.items()},
        }


def _facts(batch: list[str]) -> dict[str, Any]:
    words = sum(len(text.split()) for text in batch)
    digest = hashlib.sha256(json.dumps(batch).encode()).hexdigest()
    return {"texts": len(batch), "words": words, "sha256": digest}


def _beginning(path: Path, characters: int) -> Iterator[str]:
    """Texts of a file until there are enough characters."""
    for record in harness.records(path):
        if characters <= 0:
            return
        characters -= len(record["text"])
        yield record["text"]


def earlier(path: Path | None, facts: dict[str, Any], only: list[str]) -> dict[str, Any]:
    """What the file holds of other systems, measured on the same texts."""
    if not only or not path or not path.is_file():
        return {}
    told = json.loads(path.read_text("utf-8"))
    if any(told[key] != facts[key] for key in facts):
        raise SystemExit(f"{path.name}: holds results on other texts; measure all systems anew")
    return told


def show(systems: dict[str, Any]) -> None:
    """The table for people."""
    corpora = next(iter(systems.values()))["accuracy"]
    head = ["system", "one", "many", "two cores", "MB", "load s", *corpora]
    rows: list[list[object]] = [[*head]]
    for name, told in systems.items():
        speed = next(iter(told["speed"].values()))
        speeds = (speed.get(way, "") for way in ("one", "many", "two_cores"))
        scores = (told["accuracy"][corpus] for corpus in corpora)
        shown = (f"{s['recall']:.3f} {s['precision']:.3f} {s['f2']:.3f}" for s in scores)
        rows.append([name, *speeds, round(told["peak_MB"]), told["load_s"], *shown])
    harness.table(rows)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rival-python", help="of an environment with spaCy and Presidio")
    parser.add_argument("--model", type=Path, help="made by rivals_train.py")
    parser.add_argument("--data", type=Path, action="append", default=[], help="marked texts")
    parser.add_argument("--notes", type=Path, action="append", default=[], help="to time, too")
    parser.add_argument("--only", nargs="+", choices=(*RIVALS, *OURS), default=[])
    parser.add_argument("--characters", type=int, default=21_000, help="of the texts to time")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", type=Path, dest="output")
    options = parser.parse_args()
    if set(options.only or RIVALS) & set(RIVALS) and not (options.rival_python and options.model):
        parser.error("rivals need --rival-python and --model; --only names systems")
    return options


def main() -> None:
    """Measure, show, write."""
    options = parse()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, Path(folder))
        facts = bench.facts()
        told = earlier(options.output, facts, options.only)
        systems = told.get("systems", {})
        trained = told.get("trained")
        if options.model:
            trained = json.loads((options.model / "trained.json").read_text("utf-8"))
        for name in options.only or (*RIVALS, *OURS):
            systems[name] = bench.measured(name)
            ordered = {name: systems[name] for name in (*RIVALS, *OURS) if name in systems}
            harness.write(options.output, {**facts, "trained": trained, "systems": ordered})
    show(systems)


if __name__ == "__main__":
    main()
