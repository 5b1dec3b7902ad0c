"""The benchmark beside Presidio and spaCy: what it counts, and what its chart says."""

import json
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    return lambda name: runpy.run_path(str(BENCHMARKS / f"{name}.py"))


def test_findings_that_overlap_cover_their_union_and_the_surest_keeps_its_label(script):
    places = [[4, 20, "URL", 0.5], [0, 10, "EMAIL_ADDRESS", 1.0], [20, 22, "PERSON", 0.85]]
    found = [(f.start, f.end, f.label) for f in script("rivals")["disjoint"](places)]
    assert found == [(0, 10, "EMAIL"), (10, 20, "URL"), (20, 22, "PERSON")]


def test_a_finding_that_another_splits_counts_on_both_sides(script):
    places = [[0, 9, "LOCATION", 0.4], [3, 5, "US_SSN", 0.9]]
    found = [(f.start, f.end, f.label) for f in script("rivals")["disjoint"](places)]
    assert found == [(0, 3, "LOCATION"), (3, 5, "SSN"), (5, 9, "LOCATION")]


def test_the_chart_is_drawn_from_the_result(script):
    result = json.loads((BENCHMARKS / "results/rivals.json").read_text("utf-8"))
    drawn = "\n".join(script("chart")["drawn"](result)) + "\n"
    assert (ROOT / "docs/race.svg").read_text("utf-8") == drawn, "run python benchmarks/chart.py"
