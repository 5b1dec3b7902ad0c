"""Two engines, one answer: on everything that the patterns' vectors can be mixed into."""

import re
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrubjay import Document
from scrubjay.detectors import patterns, scan
from scrubjay.detectors.bytewise import bytewise
from scrubjay.detectors.triggers import Expression, trigger

CATALOGUE = patterns.catalogue()
EXPRESSIONS = patterns.expressions(CATALOGUE)
PIECES = sorted({re.sub(r"\[\[|\]\]", "", v) for p in CATALOGUE for v in (*p.yes, *p.no)})
JOINTS = ["", " ", "\n", ", ", "-", ".", "@", "é", "\u00a0", "/", ":", "Dr. ", "no. ", "\U0001f600"]


@pytest.fixture(scope="module")
def engines():
    return scan.hyperscan_scanner(EXPRESSIONS), scan.re2_scanner(EXPRESSIONS)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(JOINTS)), min_size=1, max_size=12)
)
def test_both_engines_agree_on_mixtures(engines, parts):
    data = "".join(piece + joint for piece, joint in parts).encode()
    fast, slow = (sorted(engine(data)) for engine in engines)
    assert fast == slow


@settings(max_examples=60)
@given(st.lists(st.sampled_from([*PIECES, "", "\n", "Dr.", "Patient:", "é"]), max_size=12))
def test_texts_of_a_batch_do_not_see_each_other(engines, texts):
    data = [text.encode() for text in texts]
    alone = [sorted(engines[0](text)) for text in data]
    for engine in engines:
        together = sorted(engine(scan.BORDER.join(data)))
        starts = [0, *accumulate(len(text) + 1 for text in data)]
        parts = zip(starts, alone, strict=False)
        assert together == sorted(
            (index, start + begin, start + end)
            for start, hits in parts
            for index, begin, end in hits
        )


@pytest.mark.parametrize(
    "regex", [r"\Aab", r"ab\z", "^ab", "ab$", r"\bab", r"ab\b", "ab[^x]*", "ab.?"]
)
def test_every_text_of_a_batch_has_its_own_ends(regex):
    for engine in (scan.hyperscan_scanner, scan.re2_scanner):
        hits = sorted(engine([Expression(regex)])(scan.BORDER.join([b"ab", b"ab", b"", b"ab"])))
        assert hits == [(0, 0, 2), (0, 3, 5), (0, 7, 9)]


def test_both_engines_agree_on_the_example(engines):
    text = (Path(__file__).parent.parent / "examples" / "discharge.txt").read_text()
    found = [patterns.Patterns(CATALOGUE, engine).detect([Document(text)])[0] for engine in engines]
    assert sorted(found[0]) == sorted(found[1]) and len(found[0]) > 30


@pytest.mark.parametrize(
    ("regex", "kind"),
    [
        (r"\b(?:passport|visa)[ :]*([A-Z0-9]+)\b", "head"),
        (r"\b[a-z]+@[a-z]+\b", "late"),
    ],
)
def test_kinds_of_trigger(regex, kind):
    assert trigger(Expression(regex)).kind == kind


@pytest.mark.parametrize(
    ("regex", "text"),
    [("é", "É"), ("[à-ü]x", "éx"), (r"\D{2}", "日本"), ("[^a]b", "éb"), (r"\x{e9}+", "ééé"),
     (".", "日"), (r"[\x{4e00}-\x{9fff}]{2}", "日本"), (r"a\Wb", "a—b")],
)  # fmt: skip
def test_a_byte_regex_matches_what_the_regex_matches(regex, text):
    byte_regex, _ = bytewise(regex, ignore_case=True)
    assert re.fullmatch(byte_regex.encode("ascii"), text.encode())


def test_a_damaged_or_foreign_automaton_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path))
    expressions = [Expression(r"\bzz\d{3}\b")]
    scan.hyperscan_scanner(expressions)
    for kept in (tmp_path / "cache").iterdir():
        kept.write_bytes(kept.read_bytes()[:100])
    assert scan.hyperscan_scanner(expressions)(b"a zz123 b") == [(0, 2, 7)]
