"""What the service plants and sends through its own engines is held, or everybody is told."""

import pytest

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage"):
    pytest.importorskip(needed)

from serving import logged, service, until  # noqa: E402

from scrubjay import policies  # noqa: E402
from scrubjay.engine import load  # noqa: E402
from scrubjay.serve import probes  # noqa: E402
from scrubjay.types import Policy, Rule  # noqa: E402


@pytest.mark.parametrize("policy", policies.names())
def test_every_probe_is_held_by_patterns_alone_under_every_policy(policy):
    engine = load(policy, profile="patterns")
    for seed in range(0, probes.POOL, 4):
        assert not any(probes.came_through(engine, seed).values()), seed


def test_what_a_policy_keeps_or_wants_surer_is_not_tried():
    rules = {"SSN": Rule("keep.v1"), "EMAIL": Rule(threshold=0.99)}
    told = probes.came_through(load(Policy("some", rules=rules), profile="patterns"), 1)
    assert told.keys() == set(probes.LABELS) - {"SSN", "EMAIL"}


def numbers(one):
    lines = (line for line in one.client.get("/metrics").text.splitlines() if line[0] != "#")
    return {name: float(n) for name, _, n in (line.rpartition(" ") for line in lines)}


def test_a_probe_that_comes_through_is_told_until_none_does(tmp_path, monkeypatch):
    monkeypatch.setattr(probes, "EVERY", 0.05)
    with service(monkeypatch, tmp_path) as one:
        before = numbers(one)  # the first was sent before anybody was answered
        assert before['scrubjay_probes_total{label="SSN",how="held"}'] >= 1
        assert one.client.get("/readyz").status_code == 200
        make = probes._WRITTEN["SSN"][1]
        monkeypatch.setitem(probes._WRITTEN, "SSN", ("It is {}.", lambda r: (f"zz{make(r)[0]}zz",)))
        told = until(lambda: (found := one.client.get("/readyz")).status_code == 503 and found)
        assert told.json()["error"]["code"] == "leaking" and "SSN" in told.json()["error"]["what"]
        assert numbers(one)['scrubjay_leaking{label="SSN"}'] == 1
        monkeypatch.setitem(probes._WRITTEN, "SSN", ("SSN {}.", make))
        until(lambda: one.client.get("/readyz").status_code == 200)
        first, last = logged(one, "serve.probe")
        assert (first.outcome, first.counts, last.outcome) == ("failed", {"SSN": 1}, "done")
