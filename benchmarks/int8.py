"""What int8 costs: recall and precision of an fp32 bundle and of the int8 bundle made of it.

    python benchmarks/int8.py FP32 INT8 --json benchmarks/results/int8-NAME.json

Texts: the shipped seeds that neither train nor calibrate. The tagger alone, without patterns, at
the same temperature and threshold. Characters, label-blind.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import harness
import msgspec

import scrubjay
from scrubjay import evaluate, policies
from scrubjay.evaluate import mapping
from scrubjay.evaluate.gold import Gold, Record
from scrubjay.marked import Marked
from scrubjay.model import bundle as bundles
from scrubjay.train import calibrate, seeds, synth


def main() -> None:
    """Measure both, show, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("fp32", type=Path)
    parser.add_argument("int8", type=Path)
    parser.add_argument("--json", type=Path, dest="output")
    asked = parser.parse_args()
    held = [seed for seed in seeds.shipped() if synth.part(seed) == "test"]
    corpus = corpus_of(held)
    with tempfile.TemporaryDirectory() as folder:
        alike = Path(folder, "fp32")  # read as the other is
        shutil.copytree(asked.fp32, alike)
        calibrate.settle(alike, bundles.read(asked.int8).calibration)
        told = {"fp32": figures(alike, corpus), "int8": figures(asked.int8, corpus)}
    print(told)
    head = {"machine": harness.machine(), **harness.scrubjay_facts()}
    harness.write(asked.output, {**head, "documents": len(held), **told})


def corpus_of(held: list[Marked]) -> evaluate.Corpus:
    """The seeds as evaluation reads texts."""
    records = tuple(
        Record(seed.name, seed.text, tuple(Gold(*span) for span in seed.spans)) for seed in held
    )
    counts = Counter(span.label for record in records for span in record.spans)
    return evaluate.Corpus(records, mapping.for_corpus(counts, {}, marked=True), (), counts)


def figures(bundle: Path, corpus: evaluate.Corpus) -> dict[str, Any]:
    """Recall and precision of one bundle."""
    policy = msgspec.structs.replace(policies.load("everything"), detectors=("tagger.v1",))
    engine = scrubjay.load(policy, profile=str(bundle))
    result = evaluate.evaluate(corpus, engine.find, evaluate.system_of(engine), resamples=200)
    return {
        "recall": round(1 - result.leak.characters.value, 4),
        "precision": round(result.precision.value, 4),
    }


if __name__ == "__main__":
    main()
