"""What is traced goes to who takes it, holds nothing that a caller wrote, and costs no request."""

import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

for needed in (
    "starlette", "uvicorn", "httpx", "apsw", "pyrage", "opentelemetry.sdk",
    "opentelemetry.exporter.otlp.proto.http",
):  # fmt: skip
    pytest.importorskip(needed)

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (  # noqa: E402
    ExportTraceServiceRequest,
)
from serving import KEY, NOTE, service, started, until  # noqa: E402
from starlette.testclient import TestClient  # noqa: E402

from scrubjay.errors import UsageError  # noqa: E402
from scrubjay.serve import traces  # noqa: E402

CANARY = "Quarles"
ABOVE = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@contextmanager
def taker():
    """An OTLP receiver: its address, and the bodies that came."""
    came = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            came.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", came
    server.shutdown()
    thread.join()
    server.server_close()


def spans(came):
    """What came, each span by its name with its attributes."""
    told = [ExportTraceServiceRequest.FromString(body) for body in came]
    for one in (s for t in told for r in t.resource_spans for p in r.scope_spans for s in p.spans):
        values = {pair.key: pair.value for pair in one.attributes}
        shown = {key: getattr(v, v.WhichOneof("value")) for key, v in values.items()}
        yield one, shown


def asked(client):
    """Requests with the canary wherever a caller can write something."""
    above = {
        "traceparent": f"00-{'-'.join(ABOVE)}-01", "tracestate": f"v={CANARY}",
        "baggage": f"who={CANARY}", "User-Agent": CANARY,
    }  # fmt: skip
    text = {"text": NOTE, "id": CANARY, "group": CANARY, "field": CANARY}
    assert client.post("/v1/anonymize", json=text, headers=above).status_code == 200
    lines = b'{"text": "Mr. Quarles, SSN 536-90-4399"}\n' * 3
    assert client.post("/v1/batch", content=lines).text.count("[SSN 1]") == 3
    file = client.post(f"/v1/files?name={CANARY}.txt", content=NOTE.encode())
    assert file.status_code == 200
    rule = {
        "name": CANARY, "supported_language": "en", "supported_entity": CANARY.upper(),
        "patterns": [{"name": CANARY, "regex": "[a-z]{7}", "score": 0.9}],
    }  # fmt: skip
    look = {"text": "a quarles", "language": "en", "ad_hoc_recognizers": [rule]}
    assert CANARY.upper() in client.post("/analyze", json=look).text
    assert client.get(f"/{CANARY}/{CANARY}").status_code == 404
    assert client.get(f"/v1/policies/{CANARY.lower()}?a={CANARY}").status_code in (404, 422)
    assert client.post("/v1/detect", content=CANARY.encode()).status_code == 400
    assert client.post("/v1/detect", json={"text": "a", "policy": CANARY}).status_code == 422
    assert client.request("PROPFIND", "/v1/labels").status_code == 405


def test_a_taker_hears_of_each_request_and_no_word_of_its_caller(tmp_path, monkeypatch):
    with taker() as (address, came):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        with started("--profile", "patterns", "--processes", "1", home=tmp_path) as (client, one):
            asked(client)
            one.terminate()  # what is left is sent at the end
            assert one.wait(40) == 0
        told = {span.name: (span, shown) for span, shown in spans(came)}
    span, shown = told["POST /v1/anonymize"]
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == ABOVE
    assert shown["http.response.status_code"] == 200 and shown["http.route"] == "/v1/anonymize"
    assert (shown["scrubjay.policy"], shown["scrubjay.kind"]) == ("hipaa-safe-harbor", "anonymize")
    assert (shown["scrubjay.found.SSN"], shown["scrubjay.characters"]) == (1, len(NOTE))
    assert shown["http.request.body.size"] > len(NOTE) < shown["http.response.body.size"]
    assert 0 < shown["scrubjay.seconds"] < 60
    assert told["POST /v1/batch"][1]["scrubjay.texts"] == 3
    assert told["POST /v1/files"][1]["scrubjay.found.SSN"] == 1
    assert told["GET"][1]["http.response.status_code"] == 404
    expected = {"POST /v1/detect", "POST /analyze", "GET /v1/policies/{name}", "_OTHER /v1/labels"}
    assert expected <= told.keys()
    everything = b"".join(came).lower()
    assert CANARY.lower().encode() not in everything and b"536-90" not in everything
    assert KEY.encode() not in everything and b"sjk_" not in everything


@pytest.mark.parametrize("listens", [True, False])
def test_a_taker_that_does_not_answer_holds_up_nobody(tmp_path, monkeypatch, listens):
    with socket.create_server(("127.0.0.1", 0)) as deaf, service(monkeypatch, tmp_path) as one:
        monkeypatch.setenv(traces.ADDRESSES[0], f"http://127.0.0.1:{deaf.getsockname()[1]}")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
        monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "16")
        monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "8")
        if not listens:
            deaf.close()
        traced = traces.around(one.client.app)
        client = TestClient(traced, str(one.client.base_url), headers=dict(one.client.headers))
        start = time.monotonic()
        for _ in range(50):  # more than it keeps
            assert client.post("/v1/anonymize", json={"text": NOTE}).status_code == 200
        assert time.monotonic() - start < 5
        start = time.monotonic()
        traced.close()
        assert time.monotonic() - start < traces.LAST + 1


def test_a_caller_who_wants_no_trace_has_none(tmp_path, monkeypatch):
    with taker() as (address, came), service(monkeypatch, tmp_path) as one:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        traced = traces.around(one.client.app)
        client = TestClient(traced, str(one.client.base_url), headers=dict(one.client.headers))
        for flag in ("00", "01"):
            client.get("/v1/labels", headers={"traceparent": f"00-{'-'.join(ABOVE)}-{flag}"})
        traced.close()
        assert len(list(spans(until(lambda: came)))) == 1


def test_nothing_of_it_is_there_where_nobody_wants_it(monkeypatch):
    program = (
        "import sys; from scrubjay.serve import server, traces; traces.check();"
        "app = object(); assert traces.around(app) is app;"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    for name in traces.ADDRESSES:
        monkeypatch.delenv(name, raising=False)
    subprocess.run([sys.executable, "-c", program], check=True)


def test_what_is_not_spoken_is_refused_at_the_start(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
    traces.check()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with pytest.raises(UsageError, match="http/protobuf"):
        traces.check()
