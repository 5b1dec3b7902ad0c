"""Real notes as seeds: who is in them is marked, and what may be somebody teaches nothing."""

import json
import random
from gzip import open as zipped

from scrubjay.train import carrier, lists, synth

NOTE = (
    "Ms. Peterson is a 43-year-old female who came to the clinic on 3/4/2021. The patient denies "
    "fever; she met Young from HR, case 20417-9. BP 120/80. The patient was sent home by Dr. Lee."
)


def spans(marked):
    return {marked.text[start:end]: label for start, end, label in marked.spans}


def test_what_is_surely_somebody_is_marked_and_what_may_be_is_unknown():
    found = spans(carrier.named("n", NOTE, random.Random(1)))
    wanted = {"Peterson": "PERSON", "43": "AGE", "3/4/2021": "DATE", "Lee": "PERSON",
              "Young": "UNKNOWN", "20417-9": "UNKNOWN"}  # fmt: skip
    assert wanted.items() <= found.items()
    assert not {"fever", "female", "Ms", "120"} & {*found}


def test_the_patient_gets_one_name_at_some_mentions():
    found = {carrier.named("n", NOTE, random.Random(seed)).text for seed in range(20)}
    assert any("patient" not in text for text in found)
    assert all("denies" in text and "was sent home" in text for text in found)


def test_an_unknown_stretch_may_be_anything(tmp_path):
    (tmp_path / "text").mkdir()
    with zipped(tmp_path / "text/aci_bench.note.jsonl.gz", "wt") as file:
        file.write(json.dumps({"id": "1", "text": "She met Young, case 20417-9, and went home."}))
    [example] = carrier.examples(tmp_path, lists.shipped(), 5, random.Random(2))
    assert [classes for _, _, classes in example.spans] == [frozenset()] * len(example.spans) != []
    assert example.covered == synth.COVERED


def test_what_stands_for_a_value_that_is_gone_is_nobody():
    seed = carrier.named("n", NOTE, random.Random(1))
    for number in range(50):
        made = synth.cleaned(seed, random.Random(number))
        left = spans(made)
        assert left.items() <= spans(seed).items()
        for start, end, label in made.spans:
            assert made.text[start:end] in NOTE or label in {"PERSON", "HOSPITAL"}
