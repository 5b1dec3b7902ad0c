"""What each step on the way to a small tagger gives: accuracy, size and speed of nets that differ
in one step, every training on the same number of units.

    python benchmarks/ablation.py --data DATA --minutes 17 --out FOLDER --measure FILE... \\
        --json benchmarks/results/ablation.json --docs docs

`--minutes` are those of one core that trains on 6,000 units a second, so that a busy machine takes
longer and makes the same nets. 0: nothing is trained, and only what ships is measured. Called again
with the same options, it goes on where it was; what is trained in FOLDER is only measured.

Measured are the files of `--measure`, which training keeps clear of, and the shipped seeds that
neither train nor calibrate: each bundle with the patterns, and alone. Its threshold comes from the
seeds that calibrate. Bundles are small and quickly made, so they are made anew.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import harness
import int8
import msgspec
import pareto
import tagger
import torch

import scrubjay
from scrubjay import evaluate, policies
from scrubjay.cli.evaluate import sources
from scrubjay.evaluate import Corpus
from scrubjay.evaluate.tally import f
from scrubjay.model import bundle as bundles
from scrubjay.train import begin, calibrate, chain, material, run, seeds, synth
from scrubjay.train.chain import Cut, Lesson
from scrubjay.train.material import Material
from scrubjay.train.net import Tagger
from scrubjay.train.run import Run

UNITS = 6000  # that one core trains on in a second
SEED = 1
SMALL = {"layers": 5, "inner": 128}
LARGE = {"layers": 7, "inner": 256}
HALF = Cut(layers=5, neurons=0.5)  # of the large net: as many neurons as the small one has
HELD = "seeds"
CHARACTERS = 60_000  # of notes, to take the time of
ROUNDS = 3


class Row(NamedTuple):
    """How a net is made: a fresh one of a size, or that of another row, whole or cut."""

    name: str
    told: str
    size: dict[str, int] = SMALL
    source: str = ""
    cut: Cut | None = None
    taught: bool = True
    hidden: float = 0.0


ROWS = (
    Row("scratch", "small, from scratch, by marks alone", taught=False),
    Row("distilled", "small, distilled"),
    Row("hidden", "small, distilled, hidden layers too", hidden=0.3),
    Row("again", "small, distilled, and distilled again", source="distilled"),
    Row("large", "large, distilled", LARGE),
    Row("pruned", "large, pruned, distilled again", source="large", cut=HALF),
    Row("vocabulary", "so, and to 16,000 word pieces", source="large",
        cut=msgspec.structs.replace(HALF, vocabulary=16_000)),
    Row("narrow", "so, and to embeddings of 64", source="large",
        cut=msgspec.structs.replace(HALF, embedding=64)),
)  # fmt: skip


def main() -> None:
    """Train, measure, write."""
    asked = parse()
    sets = {path.name: evaluate.read(sources((path,)), None) for path in asked.measure}
    sets[HELD] = int8.corpus_of([seed for seed in seeds.shipped() if synth.part(seed) == "test"])
    result = {
        "machine": harness.machine(), **harness.scrubjay_facts(),
        **harness.versions("torch", "onnxruntime"),
        "units": round(asked.minutes * 60 * UNITS), "small": SMALL, "large": LARGE,
        "teachers": [Path(name).name for name in asked.teacher],
        "sets": {name: len(corpus.records) for name, corpus in sets.items()}, "held_out": HELD,
        "bundles": [*made(asked, sets), *shipped(sets)],
    }  # fmt: skip
    harness.write(asked.output, result)
    if asked.docs:
        pareto.write(result, asked.docs)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="a data folder; without it, what ships")
    parser.add_argument("--minutes", type=float, required=True, help="of each training")
    parser.add_argument("--out", type=Path, required=True, help="where the nets go")
    parser.add_argument("--measure", type=Path, nargs="*", default=[])
    parser.add_argument(
        "--teacher",
        nargs="+",
        default=[bundles.ALONE],
        help=f"{bundles.ALONE}, which ships, or folders of runs or bundles",
    )
    parser.add_argument("--json", type=Path, dest="output")
    parser.add_argument("--docs", type=Path, help="the folder of the page and the plot")
    return parser.parse_args()


def made(asked: argparse.Namespace, sets: dict[str, Corpus]) -> Iterator[dict[str, Any]]:
    """Every row's two bundles, measured."""
    units = round(asked.minutes * 60 * UNITS)
    if not units:
        return
    given = Material(asked.data, (), sources(tuple(asked.measure)), seed=SEED)
    lesson = Lesson([teacher(name) for name in asked.teacher])
    for row in ROWS:
        trained(row, given, lesson, units, asked.out)
    for row in ROWS:
        told = {"name": row.name, "told": row.told, "trained": units * _trainings(row)}
        for form, folder in bundled(asked.out / row.name).items():
            yield {**told, "form": form, **measured(folder, sets)}


def _trainings(row: Row) -> int:
    """How many trainings made a net."""
    before = (_trainings(other) for other in ROWS if other.name == row.source)
    return 1 + sum(before)


def shipped(sets: dict[str, Corpus]) -> Iterator[dict[str, Any]]:
    """The bundles of the package, measured."""
    for name in bundles.PROFILES:
        told = {"name": name, "told": f"`{name}`, as it ships", "form": "int8"}
        yield {**told, **measured(bundles.folder(name), sets)}


def teacher(name: str) -> Run:
    """A profile's net, or a folder's."""
    return run.load(bundles.folder(name) if name == bundles.ALONE else Path(name))


def trained(row: Row, given: Material, lesson: Lesson, units: int, out: Path) -> Run:
    """A row's net, trained in a folder of its own, or only read where that is done."""
    folder = out / row.name
    net = run.load(folder) if run.exists(folder) else begun(row, given, lesson, out)
    plan = chain.plan_of(net, minutes=math.inf, units=units, seed=SEED)
    tell(row.told)
    if row.taught:
        said = out / "said" / str(len(net.vocabulary))
        own = lesson._replace(hidden=row.hidden, shared=said)
        chain.distilled(net, own, given, plan, folder=folder, tell=tell)
    else:
        chain.fit(net, given, plan, folder, tell)
    return run.load(folder)


def begun(row: Row, given: Material, lesson: Lesson, out: Path) -> Run:
    """The net that a row's training begins with."""
    if row.source:
        old = run.load(out / row.source)
        return chain.pruned(old, row.cut, given) if row.cut else old
    torch.manual_seed(SEED)
    return Run(begin.conv(**row.size), begin.vocabulary(), lesson.teachers[0].lexicon)


def bundled(folder: Path) -> dict[str, Path]:
    """A run's bundles, by form."""
    found = {form: folder / form for form in ("fp32", "int8")}
    held = material.held_back()
    chain.exported(run.load(folder), found["fp32"])
    chain.quantized(found["fp32"], found["int8"], held)
    for bundle in found.values():
        calibrate.calibrate(bundle, held)
    return found


def measured(folder: Path, sets: dict[str, Corpus]) -> dict[str, Any]:
    """Everything that is told of a bundle."""
    tell(f"measuring {folder.name} of {folder.parent.name}")
    pair = bundles.is_pair(folder)
    nets = bundles.nets(folder, bundles.read_pair(folder)) if pair else [folder]
    return {
        "bytes": sum(file.stat().st_size for file in bundles.files_of(folder)),
        "products": products(run.load(nets[0]).net),  # of a pair, what reads everything
        **speed(folder),
        "accuracy": {name: accuracy(folder, corpus) for name, corpus in sets.items()},
    }


def products(net: Tagger) -> int:
    """Of matrices, for each unit; of an encoder for each piece, its attention aside."""
    matrices = (part for part in net.modules() if isinstance(part, torch.nn.Linear))
    return sum(matrix.in_features * matrix.out_features for matrix in matrices)


def speed(folder: Path) -> dict[str, Any]:
    """Of the whole engine on notes, on one core, in processor time."""
    name, notes = next(iter(tagger.corpora([], CHARACTERS).items()))
    with tempfile.TemporaryDirectory() as place:
        file = Path(place, "notes.json")
        file.write_text(json.dumps({name: notes}), "utf-8")
        told = tagger.apart(str(folder), file, ROUNDS)
    words = told["texts"][name]["words_per_s"]
    return {
        "words_per_s": words, "cpu_s_per_1000_words": harness.significant(1000 / words),
        "peak_MB": told["peak_MB"],
    }  # fmt: skip


def accuracy(folder: Path, corpus: Corpus) -> dict[str, Any]:
    """Of characters, whatever the label: with the patterns, and of the tagger alone."""
    whole = policies.load("everything")
    alone = msgspec.structs.replace(whole, detectors=("tagger.v1",))
    return {
        name: figures(scrubjay.load(policy, profile=str(folder)), corpus)
        for name, policy in (("with_patterns", whole), ("alone", alone))
    }


def figures(engine: scrubjay.Engine, corpus: Corpus) -> dict[str, Any]:
    """Recall and precision, each with its interval, and F2."""
    found = evaluate.evaluate(corpus, engine.find, evaluate.system_of(engine), resamples=200)
    leak, precision = found.leak.characters, found.precision
    recall = [1 - leak.value, 1 - leak.high, 1 - leak.low] if leak else [0.0] * 3
    right = [precision.value, precision.low, precision.high] if precision else [0.0] * 3
    return {
        "recall": rounded(recall), "precision": rounded(right),
        "f2": round(f(2, right[0], recall[0]), 4),
    }  # fmt: skip


def rounded(values: Sequence[float]) -> list[float]:
    """To four places."""
    return [round(value, 4) for value in values]


def tell(line: str) -> None:
    """How far it is."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
