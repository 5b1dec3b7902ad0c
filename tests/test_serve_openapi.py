"""What /openapi.json says is what there is, and all there is."""

import pytest

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage"):
    pytest.importorskip(needed)

from serving import service  # noqa: E402

from scrubjay.serve import app, openapi  # noqa: E402
from scrubjay.serve.call import routes  # noqa: E402


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
