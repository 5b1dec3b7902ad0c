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
from scrubjay.serve.call import routes  # noqa: E402

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
    assert described == there and len(described) == len(app.calls()) == len(routes(app.calls()))


def test_examples_are_answered_as_they_are_described(served):
    tried = [call for call in app.calls() if call.takes and call.takes.example]
    assert tried
    for call in tried:
        answer = served.client.request(call.method, call.path, json=call.takes.example)
        assert answer.status_code == call.status, call.path


def test_nothing_that_wants_a_key_is_answered_without_one(served):
    for call in app.calls():
        if call.key and call.status:  # the gateways, first of all, want a model behind them
            answer = served.client.request(call.method, call.path, headers={"Authorization": ""})
            assert answer.status_code == 401 and "www-authenticate" in answer.headers


def test_schemathesis_finds_no_lie(served):
    """A few examples of each; more by hand, as docs/serve.md says."""
    pytest.importorskip("schemathesis")
    with running(application(served.state)) as address:
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml"]
        asked = ["run", f"{address}/openapi.json", "--max-examples", "3", "--exclude-path-regex"]
        environment = os.environ | {"SCRUBJAY_API_KEY": KEY, "PYTHONPATH": "."}
        told = subprocess.run(
            [*command, *asked, GATEWAYS],
            env=environment, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert told.returncode == 0, told.stdout
