"""Identifiers cut in pieces: over a line's end, behind quotes, in fields, under a key."""

import io
import json

import pytest

import scrubjay
from scrubjay import formats
from scrubjay.formats.work import Work


@pytest.fixture(scope="module")
def engine():
    return scrubjay.load("everything", profile="patterns")


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("SSN 536-90-\n4399 end", ["536", "4399"]),
        ("card 4111 1111\n1111 1111 end", ["4111"]),
        ("write to jane.doe@\nexample.org soon", ["jane", "example"]),
        ('"ssn":"536904399"', ["536904399"]),
        ("SSN\t536-90-4399\tx", ["4399"]),
        ("<td>536-90-4399</td>", ["4399"]),
        ("ssn=536-90-4399&x=1", ["4399"]),
        ("'536-90-4399'", ["4399"]),
    ],
)
def test_pieces_are_gone(engine, text, pieces):
    clean = engine.anonymize(text).text
    assert not [piece for piece in pieces if piece in clean], clean


def test_a_bare_number_under_a_telling_key(engine):
    record = {"patientSSN": "536904399", "mrn": 4481923, "phone_number": "5550107788", "n": 12}
    sink = io.BytesIO()
    source = io.BytesIO(json.dumps(record).encode())
    formats.make("jsonl.v1").convert(source, sink, Work(engine.stream))
    left = sink.getvalue().decode()
    assert not [v for v in ("536904399", "4481923", "5550107788") if v in left], left
    assert json.loads(left)["n"] == 12
