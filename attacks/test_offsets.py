"""Characters that make offsets slip: the finding must lie on the identifier, to the code point."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scrubjay

TROUBLE = [
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "e\u0301", "\u0130\u0131\u1e9e\u00df",
    "\r\n", "\ufeff", "\u05d0\u05d1\u202b", "\u0e01\u0e33", "\U0001d54f", "\u3000",
    "a\u0308\u0323", "\ufb01", "\u2028",
]  # fmt: skip
VALUE = "536-90-4399"


@pytest.fixture(scope="module")
def engine():
    return scrubjay.load("everything", profile="patterns")


@settings(max_examples=150)
@given(
    st.lists(st.sampled_from(TROUBLE), max_size=12), st.lists(st.sampled_from(TROUBLE), max_size=6)
)
def test_the_span_is_exact(engine, before, after):
    head, tail = "".join(before) + " ", " " + "".join(after)
    text = head + VALUE + tail
    spans = [(f.start, f.end) for f in engine.detect(text) if f.label == "SSN"]
    assert spans == [(len(head), len(head) + len(VALUE))]
    assert engine.anonymize(text).text == f"{head}[SSN]{tail}"
