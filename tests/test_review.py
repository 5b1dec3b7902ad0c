"""People read a sample: what it bounds."""

from math import comb

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from scrubjay import bound, cli


@given(st.integers(1, 60), st.data())
def test_bounds_cover(of, data):
    hits = data.draw(st.integers(0, of))
    share = data.draw(st.floats(0.001, 0.999))
    exact = sum(comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(hits + 1))
    assert bound.below(hits, of, share) == pytest.approx(exact, abs=1e-9)
    low, high = bound.bounds(hits, of)
    assert low <= hits / of <= high
    if 0 < hits < of:
        assert bound.below(hits, of, high) == pytest.approx(0.025, abs=1e-6)


def test_no_hit_in_300_is_the_rule_of_three():
    assert bound.upper(0, 300) == pytest.approx(1 - 0.05 ** (1 / 300))


def review(*words, answers=""):
    words = ["review", *map(str, words)]
    return CliRunner().invoke(cli.group, words, input=answers, catch_exceptions=False).output


def test_a_review_of_other_encodings(tmp_path):
    (tmp_path / "a.txt").write_bytes("caf\xe9 later".encode("latin-1"))
    assert "caf\xe9 later" in review(tmp_path, "--encoding", "latin-1", answers="\n")


def test_a_review_bounds_what_is_left(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.txt").write_text("word " * 800)
    (tmp_path / "out/b.jsonl").write_text('{"note": "some more"}\n')
    marks = tmp_path / "marks"
    told = review(tmp_path / "out", "--marks", marks, "--seed", 7, answers="\n3\nx\n1\nq\n")
    assert "4 left in " in told and " words of 3 passages" in told
    assert "some more" not in marks.read_text()
    told = review(tmp_path / "out", "--marks", marks, "--seed", 7, answers="\n" * 20)
    most = 1e4 * bound.upper(2, 11) * 2 * 11 / 803  # words of a passage are no lots of their own
    assert most > 1e4 * bound.upper(4, 803)
    assert f"4 left in 803 words of 11 passages: at most {most:.1f} in 10,000" in told
