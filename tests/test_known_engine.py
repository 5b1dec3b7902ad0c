"""Known values on the whole way: reports, errors, what is kept, and time for hostile texts."""

import gc
import time
from types import FunctionType, ModuleType

import pytest

import scrubjay
from scrubjay import Document, Policy, Rule, errors
from scrubjay.detectors.known import NAME, Known
from scrubjay.testing import CANARY, canary

KNOWN = Known()
MARIA = {"PERSON": ("Maria de la Cruz Gonzalez",)}
ADDRESS = {"STREET_ADDRESS": ("12 Main Street, Apartment 4B, Springfield, IL 62704",)}


def test_through_the_engine():
    engine = scrubjay.load("everything")
    document = Document("called maria; GONZALEZ, M. left. Tel 555 010 7788", known={
        "PERSON": ("Maria Gonzalez",), "PHONE": ("+15550107788",),
    })  # fmt: skip
    result = engine.anonymize(document)
    assert result.text == "called [PERSON]; [PERSON] left. Tel [PHONE]"
    assert NAME in result.report.detectors
    assert NAME not in engine.anonymize("nothing known").report.detectors


def test_whatever_the_policys_detectors_are():
    class Blind:
        name = "blind.v1"

        def detect(self, documents):
            return [[] for _ in documents]

    policy = Policy("none", default=Rule("redact.v1"), detectors=())
    engine = scrubjay.load(policy, detectors=[Blind()])
    assert engine.anonymize(Document("saw Maria", known=MARIA)).text == "saw [PERSON]"


def test_initials_are_no_seed():
    engine = scrubjay.load("everything")
    text = engine.anonymize(Document("Pt MG got 500 MG", known=MARIA)).text
    assert text == "Pt [PERSON] got 500 MG"


def test_unknown_labels_are_named_and_values_are_not():
    engine = scrubjay.load("everything")
    bad = [{"PRESON": (CANARY,)}, {"PERSON": CANARY}, {"PERSON": (CANARY, 17)}]
    for known in bad:
        with pytest.raises(errors.UsageError, match=r"PRESON|PERSON") as caught:
            canary(lambda known=known: engine.anonymize(Document("some text", known=known)))
        assert CANARY not in str(caught.value)


def test_values_are_never_told():
    engine = scrubjay.load("everything")
    known = dict.fromkeys(("PERSON", "MRN", "CITY", "EMAIL", "DATE"), (CANARY, f"{CANARY} 12"))
    document = Document(f"a {CANARY} b", known=known)
    result = canary(lambda: engine.anonymize(document))
    assert "Zyxquora" not in result.text
    for shown in (repr(document), repr(result), repr(result.report)):
        assert "Zyxquora" not in shown and "7731" not in shown


def test_nothing_outlives_the_call():
    import gc

    value = "Zyxquora Quasimodo 77312"
    KNOWN.detect([Document("Zyxquora came", known={"PERSON": (value,), "MRN": ("A" + value,)})])
    del value
    gc.collect()
    kept = [
        held
        for held in gc.get_objects()
        if isinstance(held, dict | set | list | tuple)
        and any(isinstance(item, str) and "quasimodo" in item.lower() for item in held)
    ]
    ours = [held for held in kept if "quasimodo" in held]
    assert ours == []


HOSTILE = {
    "name again and again": ("maria gonzalez ", MARIA),
    "initials": ("M. G. ", MARIA),
    "one word": ("gonzalez", MARIA),
    "letters and digits": ("a1", {"PERSON": ("a b",), "MRN": ("a1a1a1a1",)}),
    "digits": ("12 ", {"SSN": ("121212121",), "PHONE": ("1212121212",)}),
    "months": ("march 4 ", {"DATE": ("1950-03-04",)}),
    "cues": ("Dr. A.", MARIA),
    "places": ("main st ", ADDRESS),
    "script without spaces": ("山田太郎", {"PERSON": ("山田 太郎",)}),
    "a long name": ("anna ", {"PERSON": ("anna " * 2000 + "zoe",)}),
    "a long word": ("a", {"PERSON": ("a" * 10_000,)}),
    "many names": ("name17 ", {"PERSON": ("na me " * 1600,)}),
    "at signs": ("maria@", MARIA),
}


@pytest.mark.parametrize("family", HOSTILE)
def test_time_is_linear(family):
    piece, known = HOSTILE[family]

    def seconds(size):
        text = (piece * (size // len(piece) + 1))[:size]
        times = []
        for _ in range(3):
            start = time.process_time()
            KNOWN.detect([Document(text, known=known)])
            times.append(time.process_time() - start)
        return min(times)

    size = 60_000 if seconds(8_000) < 0.05 else 8_000  # what is slow shows its growth sooner
    small, large = seconds(size), seconds(8 * size)
    assert large < 8 * 2.2 * max(small, 0.005), (small, large)


def strings_in(thing):
    """All that can be reached from an object, but for types, functions and modules."""
    found, seen, waiting = set(), set(), [thing]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | FunctionType | ModuleType):
            continue
        seen.add(id(one))
        if isinstance(one, str):
            found.add(one)
        waiting += gc.get_referents(one)
    return found


def test_a_subjects_forms_are_kept_for_a_run_and_no_longer():
    known = Known()
    documents = [Document("saw Maria", known=MARIA)]
    known.detect(documents)
    assert "gonzalez" not in strings_in(known)
    with known.run():
        first = known.detect(documents)
        assert "gonzalez" in strings_in(known)
        assert known.detect(documents) == first
    assert "gonzalez" not in strings_in(known)
