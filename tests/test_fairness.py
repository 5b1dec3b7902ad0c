"""Names of all cultures are found about equally: benchmarks/fairness.py, small."""

import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
import fairness
import fairness_page
import fillings

from scrubjay.train import seeds
from scrubjay.train.split import Clear
from scrubjay.types import Finding

FRAMES = fillings.carriers()


def test_every_carrier_meets_every_culture_equally_in_every_case_and_gender():
    designs = set()
    for group in fillings.cultures(1)[::13]:
        met = Counter(
            (filling.document.name, facts["case"], facts["gender"])
            for filling in fillings.fillings(group, FRAMES, 12)
            for _, _, facts in filling.mentions[:1]
        )
        designs.add(frozenset(met.items()))
    [design] = designs
    counts = {(case, count) for (_, case, _), count in design}
    assert len(design) == len(FRAMES) * 4 * 2
    assert counts == {(case, fillings.CASES.count(case)) for case in fillings.CASES}


def test_carriers_are_unlike_what_training_reads():
    clear = Clear(seeds.shipped())
    for carrier in FRAMES:
        frame = carrier.texts["male"]
        assert not clear.near(frame.text, [span[:2] for span in frame.spans]), frame.name


def test_names_stand_where_they_are_said_to():
    [group] = [group for group in fillings.cultures(1) if group.name == "vietnamese"]
    for filling in fillings.fillings(group, FRAMES, 1):
        female, male, family = group.people[filling.person[1]]
        for start, end, facts in filling.mentions:
            if facts["form"] == "given, family" and facts["accents"] != "left out":
                told = filling.document.text[start:end]
                assert told in (f"{female} {family}", f"{male} {family}")


def test_a_name_is_found_when_every_letter_is_covered():
    finding = Finding(4, 7, "PERSON", 1.0, "test")
    text = "Dr. Ann O'Neil"
    marks = fairness.covered(text, [finding])
    assert fairness.letters(text, marks, 4, 7) == 1
    assert fairness.letters(text, marks, 4, 14) == pytest.approx(3 / 8)
    assert fairness.letters(text, marks, 8, 14) == 0


def test_no_culture_is_left_behind():
    people = fillings.cultures(2)[::2]
    told = fairness.result(*fairness.measure("fast", people, FRAMES[::2], 1))
    assert told["all"]["value"] > 0.93
    assert told["gap"]["cultures"]["gap"] < 0.2  # of some 40 mentions each
    assert told["falsely"]["nobody, lower, as a person"] < 0.05
    lines = list(fairness_page.chart({"fast": told}))
    assert lines[-1] == "</svg>" and len(lines) > len(people) * 3
