"""Every pattern finds its yes vectors, exactly, and nothing in its no vectors."""

import re

import pytest

from scrubjay.detectors import checks, patterns, scan
from scrubjay.types import Document

CATALOGUE = patterns.catalogue()
MARK = re.compile(r"\[\[(.*?)\]\]", re.S)


@pytest.fixture(scope="module")
def detector():
    return patterns.Patterns(CATALOGUE)


def unmark(vector):
    """The text and the spans marked [[so]] in it; the whole text if nothing is marked."""
    spans, text, last = [], "", 0
    for mark in MARK.finditer(vector):
        text += vector[last : mark.start()]
        spans.append((len(text), len(text) + len(mark[1])))
        text += mark[1]
        last = mark.end()
    text += vector[last:]
    return text, spans or [(0, len(text))]


def found(detector, text, name):
    findings = detector.detect([Document(text)])[0]
    rule = f"patterns.v1:{name}"
    return sorted((f.start, f.end) for f in findings if f.detector == rule and f.score >= 0.5)


@pytest.mark.parametrize("pattern", CATALOGUE, ids=lambda p: p.name)
def test_vectors(detector, pattern):
    assert len(pattern.yes) >= 3 and len(pattern.no) >= 3, "3 yes and 3 no vectors at least"
    for vector in pattern.yes:
        text, spans = unmark(vector)
        assert found(detector, text, pattern.name) == spans, vector
    for vector in pattern.no:
        assert found(detector, vector, pattern.name) == [], vector


def test_names_are_unique():
    names = [pattern.name for pattern in CATALOGUE]
    assert len(names) == len(set(names))


def test_both_engines_agree():
    """On every vector, and on all of them run together."""
    texts = [unmark(v)[0] for p in CATALOGUE for v in (*p.yes, *p.no)]
    texts += ["\n".join(texts), "".join(texts)]
    fast = scan.hyperscan_scanner(patterns.expressions(CATALOGUE))
    slow = scan.re2_scanner(patterns.expressions(CATALOGUE))
    for text in texts:
        data = text.encode()
        assert sorted(fast(data)) == sorted(slow(data)), text[:200]


def test_every_check_exists():
    for name in {pattern.check for pattern in CATALOGUE if pattern.check}:
        checks.verify(name)
