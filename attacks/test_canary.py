"""Making Scrubjay say what it read: every error there is, and no text in any of it."""

import pytest

import scrubjay
from scrubjay import Document, Policy, Rule, errors
from scrubjay.testing import CANARY, canary

VALUE = "536-90-4399"
REDACT = Policy("test", default=Rule("redact.v1"))


class Detector:
    name = "hostile.v1"

    def __init__(self, act):
        self._act = act

    def detect(self, documents):
        return self._act(documents)


def explode(documents):
    raise RuntimeError(documents[0].text)


def outside(documents):
    return [[scrubjay.Finding(0, 10**9, "SSN", 1.0, documents[0].text)]]


@pytest.mark.parametrize("act", [explode, outside, lambda d: [], lambda d: None])
def test_detectors_that_quote_the_text(act):
    engine = scrubjay.load(REDACT, detectors=[Detector(act)])
    with pytest.raises(errors.DetectorError) as caught:
        canary(lambda: engine.anonymize(f"{CANARY} 536-90-4399"))
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("text", [f"{CANARY}\x00", f"{CANARY}\ud800"])
def test_text_that_is_refused(text):
    with pytest.raises(errors.InputError):
        canary(lambda: scrubjay.load(REDACT).anonymize(Document(text)))


def test_operators_that_quote_the_value(monkeypatch):
    from scrubjay import operators

    def loud():
        def operate(value, finding, scene):
            raise ValueError(value)

        return operate

    monkeypatch.setitem(operators.KNOWN, "loud.v1", "loud.loud")
    monkeypatch.setattr(operators, "_factory", lambda name: loud)
    engine = scrubjay.load(Policy("loud", default=Rule("loud.v1")))
    with pytest.raises(errors.OperatorError):
        canary(lambda: engine.anonymize(f"SSN {VALUE}"), VALUE)


def test_reports_findings_and_reprs():
    engine = scrubjay.load(REDACT)
    text = f"SSN 536-90-4399 {CANARY}"
    result = engine.anonymize(text)
    told = repr((Document(text), result, result.report, engine.detect(text), engine.policy, engine))
    assert CANARY not in told and "4399" not in told


def test_deny_lists_do_not_show_in_a_policy():
    assert CANARY not in repr(Policy("p", deny={"PERSON": (CANARY,)}, allow=(CANARY,)))
