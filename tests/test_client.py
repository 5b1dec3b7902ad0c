"""The client says what the service says, asks again where that does no harm, and hides its key."""

import socket
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage"):
    pytest.importorskip(needed)

from serving import KEY, NOTE, running, service  # noqa: E402

from scrubjay.client import Client, Job, Patience, Text  # noqa: E402
from scrubjay.errors import (  # noqa: E402
    AccessError,
    EntryError,
    InputError,
    LimitError,
    PolicyError,
    ScrubjayError,
    UpstreamError,
    UsageError,
)
from scrubjay.serve.app import application, calls  # noqa: E402

PATHS = {call.path for call in calls()}
CLEAN = "Mr. [PERSON 1], SSN [SSN 1], seen 2024"
BUSY = b'{"error": {"code": "busy", "what": "too much", "where": "/v1/me", "todo": "later"}}'


def needs(path):
    """For what the service of this version may not have."""
    return pytest.mark.skipif(path not in PATHS, reason=f"no {path} here")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        service(monkeypatch, tmp_path_factory.mktemp("served")) as one,
        running(application(one.state)) as url,
    ):
        yield url, one.keys


@pytest.fixture
def client(address):
    with Client(address[0], KEY) as one:
        yield one


@pytest.fixture
def stub():
    """What answers as it is told, and what it was asked: faults that a real service seldom has."""
    answers, asked = [], []

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append((self.path, body))
            status, headers, body = answers.pop(0)
            if status == 0:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            if "Content-Length" in headers:
                self.close_connection = True

        do_POST = do_GET

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", answers, asked
    server.shutdown()
    server.server_close()


def patient(url, waits=None, tries=4):
    slept = waits if waits is not None else []
    return Client(url, KEY, patience=Patience(tries, sleep=slept.append, dice=lambda: 0.5))


def test_texts_come_back_clean_and_typed(client):
    told = client.anonymize(NOTE)
    assert (told.text, told.counts["SSN"], told.replacements[0].label) == (CLEAN, 1, "PERSON")
    found = client.detect(Text(NOTE, id="n1"))
    assert found.id == "n1" and {one.label for one in found.findings} == {"PERSON", "SSN", "DATE"}
    known = client.anonymize(Text("saw quarles, q.", known={"PERSON": ("Quentin Quarles",)}))
    assert "quarles" not in known.text
    assert client.anonymize(NOTE, policy="everything").policy == "everything"


def test_what_can_be_named_is_listed(client):
    assert {"hipaa-safe-harbor", "everything"} <= {one.name for one in client.policies()}
    assert "SSN" in {one.name for one in client.labels()}


def test_a_batch_is_any_number_in_order_and_a_bad_text_spoils_no_other(client):
    def texts():
        for number in range(1500):
            yield f"{number} SSN 536-90-{number:04}" if number != 700 else "Quarles \0"
        yield "long " * 40_000

    told = client.batch(texts())
    first = next(told)
    assert first.text.startswith("0 SSN")
    rest = list(told)
    assert isinstance(rest[699], InputError) and "Quarles" not in str(rest[699])
    assert [one.text.split()[0] for at, one in enumerate(rest) if at != 699] == [
        *(str(number) for number in range(1, 1500) if number != 700), "long"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        (PolicyError, lambda one, _: one.anonymize("a", policy="../Quarles")),
        (EntryError, lambda one, _: Client(str(one)[8:-2], "sjk_wrong").policies()),
        (AccessError, lambda one, keys: Client(str(one)[8:-2], keys["auditor"]).anonymize("a")),
        (InputError, lambda one, _: one.anonymize("Quarles \0")),
        (UsageError, lambda one, _: one.anonymize("Quarles \ud800")),
        (UsageError, lambda one, _: one.anonymize("a" * (9 << 20))),
    ],
)
def test_an_error_is_the_one_of_the_library(address, client, kind, call):
    with pytest.raises(kind) as told:
        call(client, address[1])
    assert type(told.value) is kind and "Quarles" not in str(told.value)
    assert client.anonymize("fine").text == "fine"


def test_the_key_shows_nowhere(monkeypatch):
    monkeypatch.setenv("SCRUBJAY_URL", "http://localhost:1/below")
    monkeypatch.setenv("SCRUBJAY_API_KEY", KEY)
    client = Client(patience=Patience(1))
    assert repr(client) == "Client('http://localhost:1/below')"
    with pytest.raises(UpstreamError) as told:
        client.me()
    assert KEY not in str(told.value) + repr(vars(client.jobs))


@pytest.mark.parametrize("url", ["http://203.0.113.7:8600", "ftp://localhost", "nothing"])
def test_texts_go_nowhere_in_clear(url):
    with pytest.raises(UsageError):
        Client(url, KEY)
    with pytest.raises(UsageError, match="no key"):
        Client("https://203.0.113.7")


@pytest.mark.parametrize("url", ["http://localhost:99999", "http://[", "http://localhost:x"])
def test_an_address_that_is_none_is_refused_without_a_fault(url):
    with pytest.raises(UsageError, match="no http"):
        Client(url, KEY)


def test_a_key_that_no_header_can_hold_is_told_without_it(monkeypatch, address):
    monkeypatch.setenv("SCRUBJAY_API_KEY", f"{KEY}\n")  # as files have it
    with Client(address[0]) as one:
        assert one.me().person
    with pytest.raises(UsageError) as told:
        Client(address[0], f"{KEY}\nX-Evil: 1")
    assert KEY not in str(told.value)


def test_what_is_refused_for_now_is_sent_again_when_it_says(stub):
    url, answers, asked = stub
    answers += [(503, {"Retry-After": "7"}, BUSY), (429, {}, BUSY), (200, {}, b'{"text": "a"}')]
    waits = []
    assert patient(url, waits).restore("b", domain="c/d", approval="e") == "a"
    assert waits == [7.0, 0.4] and len(asked) == 3


@pytest.mark.parametrize("headers", [None, {"Content-Length": "99"}])
def test_what_is_cut_off_is_sent_again_where_that_does_no_harm(stub, headers):
    url, answers, asked = stub
    cut = (200, headers, b"[") if headers else (0, {}, b"")
    answers += [cut, cut, (200, {}, b"[]")]
    assert patient(url).policies() == [] and len(asked) == 3
    answers[:] = [cut]
    with pytest.raises(UpstreamError, match="may have been done"):
        patient(url).restore("b", domain="c/d", approval="e")
    assert len(asked) == 4


@pytest.mark.parametrize(
    ("status", "body", "kind", "tries"),
    [
        (503, BUSY, UsageError, 4),
        (500, BUSY.replace(b"busy", b"new"), ScrubjayError, 1),
        (429, BUSY.replace(b"busy", b"limit"), LimitError, 4),
        (502, b"<html>", UpstreamError, 1),
        (307, b"", UpstreamError, 1),
        (200, b"<html>", UpstreamError, 1),
    ],
)  # fmt: skip
def test_what_it_answers_at_last_is_raised(stub, status, body, kind, tries):
    url, answers, asked = stub
    answers += [(status, {"Retry-After": "3"}, body)] * tries
    with pytest.raises(kind) as told:
        patient(url).policies()
    assert len(asked) == tries and getattr(told.value, "wait", 3) == 3


def test_a_file_is_written_whole_or_not_at_all(stub, tmp_path):
    url, answers, _ = stub
    source, target = tmp_path / "a.txt", tmp_path / "out"
    source.write_text(NOTE)
    target.mkdir()
    named = {"Content-Disposition": "attachment; filename*=UTF-8''..%2Fb%C3%A9.txt"}
    report = {"Scrubjay-Report": '{"format": "text.v1", "counts": {"SSN": 1}, "policy": "p"}'}
    answers += [(200, {**named, "Content-Length": "99"}, b"cut"), (200, named | report, b"clean")]
    done = patient(url).file(source, target)
    assert done.path.name == "bé.txt" and done.path.read_bytes() == b"clean"
    assert (done.counts, done.policy, len([*target.iterdir()])) == ({"SSN": 1}, "p", 1)
    answers += [(200, {**named, "Content-Length": "99"}, b"cut")]
    with pytest.raises(UpstreamError):
        patient(url, tries=1).file(source, tmp_path / "c.txt")
    assert not (tmp_path / "c.txt").exists() and len([*tmp_path.iterdir()]) == 2


@needs("/v1/files")
def test_a_file_comes_back_clean(client, tmp_path):
    source = tmp_path / "note.txt"
    source.write_text(NOTE)
    done = client.file(source, tmp_path / "clean.txt")
    assert done.path.read_text() == CLEAN and done.counts["SSN"] == 1
    with pytest.raises(ScrubjayError):
        client.file(source, tmp_path / "no.txt", format="nothing")


@needs("/v1/jobs")
def test_an_archive_is_a_job(client, tmp_path):
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as packed:
        packed.writestr("a.txt", NOTE)
    id = client.jobs.upload(tmp_path / "in.zip")
    job = client.jobs.wait(id, every=0.05)
    assert isinstance(job, Job) and job.state == "done" and client.jobs.list()[0].id == id
    client.jobs.output(id, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as packed:
        assert CLEAN.encode() in b"".join(packed.read(name) for name in packed.namelist())
    assert client.jobs.report(id) and client.jobs.quarantine(id) is not None
    client.jobs.forget(id)
    assert client.jobs.list() == []


@needs("/v1/me")
def test_whose_key_it_is(client):
    assert client.me().person == "desk" and "anonymize.run" in client.me().actions


@needs("/v1/policies/{name}")
def test_a_policy_is_saved_and_read_as_it_is_written(client, address):
    assert "[" in client.policy("hipaa-safe-harbor")
    ours = '[default]\noperator = "redact.v1"\n'
    with pytest.raises(AccessError):
        client.save_policy("ours", ours)
    with Client(address[0], address[1]["admin"]) as admin:
        admin.save_policy("ours", ours)
        assert admin.policy("ours") == ours
    assert client.anonymize("SSN 536-90-4399", policy="ours").text == "SSN [SSN]"
