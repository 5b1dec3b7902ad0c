"""What /openapi.json says is what there is, and all there is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage"):
    pytest.importorskip(needed)

from serving import KEY, running, service  # noqa: E402

from scrubjay.serve import app, openapi  # noqa: E402
from scrubjay.serve.app import application  # noqa: E402
from scrubjay.serve.call import every  # noqa: E402

SCHEMATHESIS = (sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml")
# What is behind them is not ours to describe; Presidio says 500 where others say 400.
GATEWAYS = "^/(openai|anthropic|presidio)/|^/(analyze|anonymize|deanonymize)$"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        service(monkeypatch, tmp_path_factory.mktemp("served")) as one,
    ):
        yield one


def test_every_path_is_described_and_every_described_path_is_there(served):
    told = served.client.get("/openapi.json").json()
    described = {(path, how.upper()) for path, by in told["paths"].items() for how in by}
    there = {
        (openapi.PLACE.sub(r"{\1}", one.path), how)
        for one in served.client.app.routes
        for how in one.methods - {"HEAD"}
    }
    assert described == there == {(one.path, one.method) for one in app.calls()}


def test_examples_are_answered_as_they_are_described(served):
    tried = [(call, one.example) for call in app.calls() for one in every(call.takes)]
    assert any(example for _, example in tried)
    for call, example in tried:
        if example:
            answer = served.client.request(call.method, call.path, json=example)
            assert answer.status_code == call.status, call.path


def test_nothing_that_wants_a_key_is_answered_without_one(served):
    for call in app.calls():
        if call.key and call.status:  # the gateways, first of all, want a model behind them
            answer = served.client.request(call.method, call.path, headers={"Authorization": ""})
            assert answer.status_code == 401 and "www-authenticate" in answer.headers


@pytest.mark.parametrize(
    ("who", "paths"), [("desk", "^/"), ("auditor", "^/v1/audit"), ("admin", "^/v1/(keys|polic)")]
)
def test_schemathesis_finds_no_lie(served, who, paths):
    """Of every field the edges; more by hand, as docs/serve.md says."""
    pytest.importorskip("schemathesis")
    key = served.keys.get(who, KEY)
    with running(application(served.state)) as address:
        which = ["--include-path-regex", paths, "--exclude-path-regex", GATEWAYS]
        asked = ["run", f"{address}/openapi.json", "--phases", "examples,coverage", *which]
        told = subprocess.run(
            [*SCHEMATHESIS, *asked],
            env=os.environ | {"SCRUBJAY_API_KEY": key, "PYTHONPATH": "."},
            cwd=Path(__file__).parent, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert told.returncode == 0, told.stdout
