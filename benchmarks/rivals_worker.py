"""One system of rivals.py in a process of its own: loads, is timed, finds; prints a JSON object.

    PYTHON rivals_worker.py SYSTEM JOB.json

Runs in the rivals' environment, or in Scrubjay's. A system is two functions from texts to places:
for one text, and for many at once, each the fastest way that it offers.
"""

from __future__ import annotations

import time

STARTED = time.perf_counter()  # before anything is imported

import json  # noqa: E402
import logging  # noqa: E402
import re  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, NamedTuple  # noqa: E402

import harness  # noqa: E402

Place = tuple[int, int, str, float]  # start, end, label, score
GRAMMAR = ["tok2vec", "tagger", "parser", "lemmatizer"]
TOGETHER = 64  # texts that spaCy gets at once
FIRST = "Call Dr. Ann Lee at 555-010-7788"


class System(NamedTuple):
    """What is measured."""

    one: Callable[[str], list[Place]]
    many: Callable[[list[str]], list[list[Place]]]
    versions: dict[str, str]


def scrubjay(profile: str) -> System:
    """Everything that the whole engine finds."""
    from scrubjay import engine

    built = engine.load("everything", profile=profile)

    def many(texts: list[str]) -> list[list[Place]]:
        return [[(f.start, f.end, f.label, f.score) for f in found] for found in built.find(texts)]

    facts = harness.versions("onnxruntime", "hyperscan")
    return System(lambda text: many([text])[0], many, {**harness.scrubjay_facts(), **facts})


def names(model: str) -> System:
    """What the net finds, and nothing that could be left out."""
    import spacy

    nlp = spacy.load(model, exclude=GRAMMAR)

    def many(texts: list[str]) -> list[list[Place]]:
        return [_entities(doc) for doc in nlp.pipe(texts, batch_size=TOGETHER)]

    return System(lambda text: _entities(nlp(text)), many, harness.versions("spacy", "thinc"))


def _entities(doc: Any) -> list[Place]:
    return [(one.start_char, one.end_char, one.label_, 0.85) for one in doc.ents]


def presidio(model: str, without: list[str]) -> System:
    """Presidio with its default recognizers for English, and the net's classes as its entities."""
    import spacy
    import tldextract
    from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine
    from presidio_analyzer.predefined_recognizers import SpacyRecognizer
    from presidio_analyzer.recognizer_registry import RecognizerRegistryProvider

    # its list of top-level domains as packaged: the download would only cost it time
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    nlp = spacy.load(model, exclude=without)
    classes = nlp.get_pipe("ner").labels
    same = NerModelConfiguration(model_to_presidio_entity_mapping={name: name for name in classes})
    engine = SpacyNlpEngine(ner_model_configuration=same)
    engine.nlp = {"en": nlp}
    wanted = {"supported_languages": ["en"]}
    registry = RecognizerRegistryProvider(
        registry_configuration=wanted
    ).create_recognizer_registry()
    registry.remove_recognizer("SpacyRecognizer")
    registry.add_recognizer(SpacyRecognizer(supported_entities=list(classes)))
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])
    batches = BatchAnalyzerEngine(analyzer)

    def many(texts: list[str]) -> list[list[Place]]:
        found = batches.analyze_iterator(texts, language="en", batch_size=TOGETHER)
        return [*map(_results, found)]

    versions = harness.versions("presidio-analyzer", "spacy", "thinc")
    return System(lambda text: _results(analyzer.analyze(text, language="en")), many, versions)


def _results(found: Any) -> list[Place]:
    return [(one.start, one.end, one.entity_type, one.score) for one in found]


def built(name: str, model: str) -> System:
    """A system by name."""
    if name == "presidio":
        return presidio(model, [])
    if name == "presidio-names":
        return presidio(model, GRAMMAR)
    return names(model) if name == "spacy" else scrubjay(name)


def speeds(system: System, texts: list[str], ways: list[str], rounds: int) -> dict[str, int]:
    """Words a processor second, best of some rounds. A first one does not count."""
    words = sum(len(text.split()) for text in texts)
    work = {"one": lambda: [system.one(text) for text in texts], "many": lambda: system.many(texts)}
    found = {}
    for way in ways:
        work[way]()
        found[way] = round(words / min(harness.steady(work[way]) for _ in range(rounds)))
    return found


def peak() -> float:
    """The kernel's mark of this process, in MB."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return round(int(found[1]) / 1024, 1) if found else 0.0


def main() -> None:
    """Do the job."""
    name, file = sys.argv[1:]
    job = json.loads(Path(file).read_text("utf-8"))
    harness.pin(job["core"])
    system = built(name, job["model"])
    system.one(FIRST)
    told: dict[str, Any] = {"load_s": harness.significant(time.perf_counter() - STARTED, 3)}
    told["speed"] = {
        what: speeds(system, texts, job["ways"], job["rounds"])
        for what, texts in job["speed"].items()
    }
    told["peak_MB"] = peak()
    told["found"] = {what: system.many(texts) for what, texts in job["find"].items()}
    print(json.dumps({**told, "versions": system.versions}))


if __name__ == "__main__":
    main()
