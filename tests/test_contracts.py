"""Our own plug-ins pass the suite that third parties get; third parties' are found."""

import json
from importlib.metadata import EntryPoint

import pytest

import scrubjay
from scrubjay import Policy, Rule, formats, operators, plugins
from scrubjay.detectors import patterns
from scrubjay.detectors.known import Deny
from scrubjay.formats.work import Work
from scrubjay.report import unchanged
from scrubjay.testing import FakeDetector, check_detector, check_format, check_operator

SAMPLES = {
    "text.v1": b"\xef\xbb\xbfone line\r\nanother\n\nno end",
    "lines.v1": b"one line\r\nanother\n\nno end",
    "jsonl.v1": b'{"a": "some text", "b": [1, 2.5, {"c": "more text"}], "d": null}\n\n"text"\n17\n',
}


@pytest.mark.parametrize(
    "detector",
    [patterns.shipped(), Deny({"PERSON": ["Ann Lee"]}), FakeDetector({"Ann": "PERSON"})],
    ids=lambda d: d.name,
)
def test_detectors(detector):
    check_detector(detector)


@pytest.mark.parametrize("name", operators.KNOWN)
def test_operators(name):
    check_operator(lambda: operators.make(name, {}))


@pytest.mark.parametrize("name", SAMPLES)
def test_formats(name):
    check_format(formats.make(name), SAMPLES[name])


def test_json_lines_keep_what_is_not_replaced():
    import io

    record = {"n": 1, "f": 1.5, "t": True, "z": None, "s": "plain", "l": [{"x": "y"}]}
    sink = io.BytesIO()
    source = io.BytesIO(json.dumps(record).encode())
    formats.make("jsonl.v1").convert(source, sink, Work(lambda docs: map(unchanged, docs)))
    assert json.loads(sink.getvalue()) == record


def test_json_keys_are_data_too():
    import io

    engine = scrubjay.load("everything", profile="patterns")
    record = {"jane@example.org": 1, "joe@example.org": {"2024-03-14": "x"}, "plain": True}
    sink = io.BytesIO()
    source = io.BytesIO((json.dumps(record) + "\n").encode() * 2)
    formats.make("jsonl.v1").convert(source, sink, Work(engine.stream))
    lines = [json.loads(line) for line in sink.getvalue().splitlines()]
    assert lines == [{"[EMAIL]": 1, "[EMAIL] 2": {"[DATE]": "x"}, "plain": True}] * 2


def shout(*, mark: str = "!"):
    """A third party's operator."""
    return lambda value, finding, scene: finding.label + mark


def test_a_third_partys_operator_is_found_by_entry_point(monkeypatch):
    entry = EntryPoint("shout.v1", f"{__name__}:shout", "scrubjay.operators")
    installed = {"operators": {entry.name: entry}}
    monkeypatch.setattr(plugins, "_entries", lambda group: installed.get(group, {}))
    engine = scrubjay.load(Policy("p", default=Rule("shout.v1", options={"mark": "?"})))
    assert engine.anonymize("SSN 536-90-4399").text == "SSN SSN?"
