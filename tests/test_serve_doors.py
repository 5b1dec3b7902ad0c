"""Side doors of the service: each of these was open once, or is one that attackers try first."""

import fcntl
import logging
import os
import socket
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage"):
    pytest.importorskip(needed)

from serving import NOTE, running, service  # noqa: E402
from starlette.applications import Starlette  # noqa: E402
from starlette.responses import Response  # noqa: E402
from starlette.routing import Route  # noqa: E402
from starlette.testclient import TestClient  # noqa: E402

from scrubjay import cli  # noqa: E402
from scrubjay.access.people import Caller  # noqa: E402
from scrubjay.errors import InputError, MissingError, OutputError  # noqa: E402
from scrubjay.serve import clerk, joblist, jobrun, server, wordless  # noqa: E402
from scrubjay.serve.app import application  # noqa: E402
from scrubjay.serve.files import Named  # noqa: E402
from scrubjay.serve.joblist import Job, Progress  # noqa: E402
from scrubjay.serve.model import reply  # noqa: E402
from scrubjay.serve.model.gateway import Upstream  # noqa: E402
from scrubjay.serve.people import EmergencyRow  # noqa: E402
from scrubjay.serve.spool import Spool  # noqa: E402
from scrubjay.serve.types import Clean, Text  # noqa: E402

CHAT = {"model": "m", "messages": [{"role": "user", "content": NOTE}]}
DEEP = b"[" * 900 + b"]" * 900


class Model:
    """An upstream that answers one thing to all."""

    def __init__(self):
        self.status, self.head, self.asked = 200, {}, 0
        everything = Route("/{rest:path}", self._answer, methods=["GET", "POST"])
        self.app = Starlette(routes=[everything])

    async def _answer(self, _):
        self.asked += 1
        return Response(b"{}", self.status, self.head, "application/json")


@pytest.fixture(scope="module")
def model():
    return Model()


@pytest.fixture(scope="module")
def served(tmp_path_factory, model):
    with pytest.MonkeyPatch.context() as monkeypatch, running(model.app) as behind:
        upstreams = {"openai": Upstream(f"{behind}/v1", "the service's own")}
        folder = tmp_path_factory.mktemp("served")
        with service(monkeypatch, folder, upstreams=upstreams) as one:
            one.client.follow_redirects = False
            yield one


def key(served, who):
    return {"Authorization": f"Bearer {served.keys[who]}"}


# In front of a language model


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_client_of_a_model_is_sent_elsewhere_with_its_names(served, model, status):
    model.status, model.head = status, {"Location": "http://elsewhere.example/v1/chat/completions"}
    answer = served.client.post("/openai/v1/chat/completions", json=CHAT)
    assert answer.status_code == 502 and "location" not in answer.headers
    assert "elsewhere" not in answer.text


def test_a_model_says_nothing_of_where_to_ask_and_who_may_read(served, model):
    model.status, model.head = 200, {
        "Alt-Svc": 'h3="elsewhere.example:443"', "Access-Control-Allow-Origin": "*",
        "Set-Cookie": "a=b", "Refresh": "0;url=//elsewhere.example", "X-Request-Id": "r-1",
    }  # fmt: skip
    told = served.client.post("/openai/v1/chat/completions", json=CHAT).headers
    assert told["x-request-id"] == "r-1"
    assert not {"alt-svc", "access-control-allow-origin", "set-cookie", "refresh"} & told.keys()


def test_the_service_s_key_of_a_model_serves_only_who_may_clean(served, model):
    before = model.asked
    answer = served.client.get("/openai/v1/models", headers=key(served, "auditor"))
    assert answer.status_code == 403 and model.asked == before


def test_a_host_that_is_made_up_leads_to_no_other_path(served, model):
    for host in ("x/v1/files?", "[", "a\\b", "x#"):
        answer = served.client.post("/v1/nothing", headers={"Host": host})
        assert answer.json()["error"]["where"] == "/v1/nothing"


# Between browsers and the service


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8600", "[", "a@b", ""])
def test_a_name_of_somebody_else_s_that_leads_here_is_told_nothing(served, host):
    for path in ("/", "/metrics", "/v1/me"):
        answer = served.client.get(path, headers={"Host": host})
        assert (answer.status_code, answer.json()["error"]["code"]) == (421, "usage")


def test_this_machine_s_own_names_and_those_that_were_given_are_known(served):
    state = served.state
    settings = state.back.settings._replace(names=("Scrub.hospital.example",))
    try:
        state.back.settings = settings
        client = TestClient(application(state), "http://scrub.hospital.example")
        assert client.get("/healthz").status_code == 200
        for host in ("localhost:8600", "[::1]:8600", "127.0.0.1"):
            assert client.get("/healthz", headers={"Host": host}).status_code == 200
    finally:
        state.back.settings = settings._replace(names=())


def test_no_answer_stays_in_a_cache_or_is_shown_in_a_frame(served):
    for path in ("/v1/me", "/v1/nothing", "/metrics", "/"):
        told = served.client.get(path).headers
        assert "frame-ancestors 'none'" in told["content-security-policy"]
        assert told["x-content-type-options"] == "nosniff"
        assert told["cache-control"] == ("no-cache" if path == "/" else "no-store")


def test_nobody_is_sent_to_the_same_path_without_its_slash(served):
    """The address would have the scheme that the last proxy spoke, and the body would go there."""
    answer = served.client.post("/v1/anonymize/", json={"text": NOTE})
    assert answer.status_code == 404 and "location" not in answer.headers


# What is nested too deeply


@pytest.mark.parametrize("kind", ["toml", "json"])
def test_a_policy_that_is_nested_too_deeply_is_refused_as_a_policy(served, kind):
    body = {"toml": b"a = " + b"[" * 5000, "json": b'{"a":' + DEEP + b"}"}[kind]
    headers = key(served, "admin") | {"Content-Type": f"application/{kind}"}
    answer = served.client.put("/v1/policies/deep", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "policy")


def test_a_conversation_that_is_nested_deeply_is_clean_or_refused_and_no_fault(served):
    for deep in (300, 900, 20_000):
        body = b'{"messages":' + b"[" * deep + b"]" * deep + b"}"
        answer = served.client.post("/openai/v1/chat/completions", content=body)
        assert answer.status_code == 200 or answer.json()["error"]["code"] == "input"


# Jobs


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (("../Quarles.txt",), "out of the archive"),
        (("/etc/Quarles.txt",), "out of the archive"),
        (("Quarles", "Quarles/b.txt"), "one name"),
        (("Quarles/b", "Quarles/b/c/d.txt"), "one name"),
        (("Quarles" + "x" * 300 + ".txt",), "too long"),
    ],
)
def test_what_is_wrong_with_an_archive_is_told_and_no_name_in_it(tmp_path, names, why):
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for name in names:
            archive.writestr(name, NOTE)
    with pytest.raises(InputError, match=why) as told:
        jobrun.unpack(tmp_path / "in.zip", tmp_path / "in")
    assert "Quarles" not in str(told.value) and {*tmp_path.iterdir()} == {
        tmp_path / "in.zip", tmp_path / "in",
    }  # fmt: skip


def test_one_damaged_record_stops_no_other_job(tmp_path, monkeypatch):
    monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path))
    first, second = (Job(joblist.new_id(), Caller("desk"), at) for at in (1, 2))
    for one in (first, second):
        joblist.add(one)
        joblist.note(one, Progress(files=3))
    (second.folder / "progress.json").write_bytes(b"")
    assert [joblist.told(one).files for one in joblist.every()] == [3, 0]
    (first.folder / "job.json").write_bytes(b'{"id"')
    assert joblist.every() == [second]
    with pytest.raises(MissingError):
        joblist.read(first.id)


def test_a_process_that_starts_waits_until_another_has_its_folder(tmp_path, monkeypatch):
    """It would clear a folder that is made and not locked yet."""
    monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path))
    Spool().close()
    starts = os.open(tmp_path / "serve/spool", os.O_RDONLY)
    fcntl.flock(starts, fcntl.LOCK_EX)
    with ThreadPoolExecutor(1) as other:
        made = other.submit(Spool)
        with pytest.raises(TimeoutError):
            made.result(0.2)
        os.close(starts)
        made.result(10).close()


# What a service says when it starts, and of faults


def test_keys_that_are_told_once_are_not_made_before_all_is_ready(tmp_path, monkeypatch):
    monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert "in use; say another --port" in refused("--port", port)
    assert "no.pem: No such file" in refused("--certificate", "no.pem", "--key", "no.pem")
    monkeypatch.setenv("SCRUBJAY_API_KEY", "short")
    assert "is guessed" in refused("--port", "0")
    assert not (tmp_path / "serve/key").exists()


def test_two_services_do_not_share_a_port(tmp_path):
    first = server.bound(server.Settings(port=0, processes=2))
    port = first[0].getsockname()[1]
    with pytest.raises(OutputError, match="in use"):
        server.bound(server.Settings(port=port, processes=2))
    for one in first:
        one.close()


@pytest.mark.parametrize("address", ["http://", "ftp://a", "https://a/v1?x=1", "https://k:p@a/v1"])
def test_an_upstream_is_an_address_without_a_secret(address):
    assert (told := refused("--openai", address)).startswith("--openai") and "k:p" not in told


def test_no_library_tells_the_words_of_a_fault(capfd):
    """As uvicorn and asyncio tell it, and as Python does of a thread."""
    handler = logging.StreamHandler()
    loggers = [logging.getLogger(name) for name in wordless.LOGGERS]
    for one in loggers:
        one.addFilter(wordless.wordless)
        one.addHandler(handler)
    for problem in (ValueError(NOTE), raised(ValueError(NOTE))):
        for one in loggers:
            one.error(f"future: {problem!r}", exc_info=problem)
    for one in loggers:
        one.removeFilter(wordless.wordless)
        one.removeHandler(handler)
    told = capfd.readouterr().err
    assert told.count("ValueError") == 4 and "Quarles" not in told


def test_no_text_is_in_the_repr_of_what_carries_one():
    text = Text(NOTE, id="Quarles", known={"PERSON": ("Quarles",)})
    asked = clerk.Asked(Caller("desk"), text.document())
    emergency = EmergencyRow("id", "bo", "study", "Quarles is unconscious", 1, 2, 0)
    clean = Clean("Quarles", NOTE, {}, (), "", "")
    for one in (text, asked, clean, reply.Event([NOTE.encode()], NOTE), Named(NOTE), emergency):
        assert "Quarles" not in repr(one) and "536-90" not in repr([one])


def raised(problem):
    try:
        raise problem
    except ValueError as same:
        return same


def refused(*arguments):
    """Why it does not start."""
    return str(CliRunner().invoke(cli.group, ["serve", *arguments]).exception)
