"""What a service does when things go wrong around it: nothing is lost, nothing leaks, and its log
is whole afterwards. benchmarks/soak.py does the same for as long as one likes.
"""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage"):
    pytest.importorskip(needed)

import httpx  # noqa: E402
from serving import KEY, NOTE, children, service, started, until  # noqa: E402

from scrubjay.serve import store, wire  # noqa: E402

SECRET = "536-90-4399"
CLEAN = "Mr. [PERSON 1], SSN [SSN 1], seen 2024"
HEAD = f"Host: localhost\r\nX-API-Key: {KEY}\r\n"


class Load:
    """Callers who ask again at once, in threads, and what came of it."""

    def __init__(self, address, callers=4):
        self.told, self.cut, self.others = [], 0, []
        self._address, self._open = address, True
        self._threads = [threading.Thread(target=self._ask) for _ in range(callers)]

    def __enter__(self):
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_):
        self._open = False
        for one in self._threads:
            one.join(40)

    def _ask(self):
        with httpx.Client(base_url=self._address, headers={"X-API-Key": KEY}, timeout=30) as client:
            while self._open:
                try:
                    answer = client.post("/v1/anonymize", json={"text": NOTE})
                except httpx.TransportError:
                    self.cut += 1
                    time.sleep(0.01)
                    continue
                (self.told if answer.status_code == 200 else self.others).append(answer)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("soak")


@pytest.fixture(scope="module")
def two(home):
    with started("--profile", "patterns", "--processes", "2", home=home) as (client, process):
        assert until(lambda: client.post("/v1/anonymize", json={"text": NOTE}).status_code == 200)
        yield client, process


def stream(client, head=""):
    """A connection on which a batch has begun."""
    made = socket.create_connection((client.base_url.host, client.base_url.port))
    made.settimeout(20)
    made.sendall(f"POST /v1/batch HTTP/1.1\r\n{head}{HEAD}".encode())
    return made


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def test_a_worker_that_is_killed_costs_no_wrong_answer(two):
    client, process = two
    with Load(str(client.base_url)) as load:
        until(lambda: len(load.told) > 20)
        before = children(process.pid)
        os.kill(before[0], signal.SIGKILL)
        until(lambda: before[0] not in (now := children(process.pid)) and len(now) == len(before))
        seen = len(load.told)
        until(lambda: len(load.told) > seen + 20)
    assert {one.json()["text"] for one in load.told} == {CLEAN} and not load.others
    assert load.cut <= 8  # those that were being asked, and those that connected to it


def test_who_goes_in_the_middle_of_a_batch_is_missed_by_nobody(two, home, monkeypatch):
    client, process = two
    monkeypatch.setenv("SCRUBJAY_HOME", str(home))
    before, others, read = logged(store.made()[0]), connections(process), 0
    for _ in range(10):
        made = stream(client, "Transfer-Encoding: chunked\r\n")
        made.sendall(b"\r\n" + chunk(json.dumps({"text": NOTE}).encode() + b"\n") * 50)
        told = b""
        while CLEAN.encode() not in told:
            more = made.recv(1 << 12)
            assert more, told
            told += more
        read += told.count(CLEAN.encode())
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # no farewell
        made.close()
    assert client.post("/v1/anonymize", json={"text": NOTE}).json()["text"] == CLEAN
    until(lambda: connections(process) <= others + 1)  # the one that `client` has kept
    assert logged(store.made()[0]) - before > read


def connections(process):
    """Sockets that a service's processes have open."""
    every = [path for one in children(process.pid) for path in Path(f"/proc/{one}/fd").iterdir()]
    return sum(str(path.readlink()).startswith("socket:") for path in every if path.is_symlink())


def test_who_reads_nothing_is_sent_no_more_and_costs_no_memory(two):
    client, process = two
    made = stream(client, "Transfer-Encoding: chunked\r\n")
    made.sendall(b"\r\n")
    made.settimeout(1)
    before, lines = held(process), chunk((json.dumps({"text": NOTE}).encode() + b"\n") * 100)
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < 1 << 27:
            sent += made.send(lines)
    made.close()
    assert held(process) - before < 64 << 20 and sent < 1 << 27


def held(process):
    """Bytes that a service's processes hold."""
    every = [process.pid, *children(process.pid)]
    told = [Path(f"/proc/{one}/statm").read_text().split()[1] for one in every]
    return sum(map(int, told)) * resource.getpagesize()


def test_who_sends_slowly_holds_up_nobody(two):
    client, _ = two
    body = json.dumps({"text": NOTE}).encode()
    made = stream(client, f"Content-Length: {len(body)}\r\n")
    made.sendall(b"\r\n")
    for at in range(0, len(body), 8):
        made.sendall(body[at : at + 8])
        assert client.post("/v1/anonymize", json={"text": NOTE}).status_code == 200
    told = b""
    while CLEAN.encode() not in told:
        told += made.recv(1 << 16)
    made.close()


def test_thousands_who_connect_and_say_nothing_hold_up_nobody(two):
    client, process = two
    before = held(process)
    many = [socket.create_connection((client.base_url.host, client.base_url.port))
            for _ in range(2000)]  # fmt: skip
    for one in many[::2]:
        one.sendall(b"POST /v1/anonymize HTTP/1.1\r\n")
    assert client.post("/v1/anonymize", json={"text": NOTE}).json()["text"] == CLEAN
    assert held(process) - before < 64 << 20
    for one in many:
        one.close()


def test_a_head_without_end_is_refused_in_our_shape(two):
    client, _ = two
    made = stream(client)
    made.sendall(b"X-Quarles: " + b"a" * (wire.SHORT + 1024))
    told = made.recv(4096)
    made.close()
    assert b" 431 " in told and b'"code":"input"' in told and b"Quarles" not in told


def test_what_is_no_request_is_refused_in_our_shape(two):
    client, _ = two
    with socket.create_connection((client.base_url.host, client.base_url.port)) as made:
        made.sendall(b"Quentin Quarles\r\n\r\n")
        told = made.recv(4096)
    assert b" 400 " in told and b'"code":"input"' in told and b"Quarles" not in told


def test_who_is_told_to_stop_answers_what_was_taken_and_the_log_has_all(two, home, monkeypatch):
    client, process = two
    monkeypatch.setenv("SCRUBJAY_HOME", str(home))
    before = logged(store.made()[0])
    with Load(str(client.base_url), 8) as load:
        until(lambda: len(load.told) > 50)
        process.terminate()
        assert process.wait(40) == 0
        load._open = False
    assert {one.json()["text"] for one in load.told} == {CLEAN}
    assert {one.status_code for one in load.others} <= {503}
    assert logged(store.made()[0]) - before >= len(load.told)
    verified(home)


def logged(place):
    """How many texts the log knows of."""
    trust = place.open()
    every = [one.entry.about for one in trust.entries() if one.entry.about.endswith(" texts")]
    trust.close()
    trust.vault.close()
    return sum(int(one.split()[0]) for one in every)


def verified(home):
    """`scrubjay audit verify`, as people do it."""
    store = home / "serve"
    environment = os.environ | {"SCRUBJAY_HOME": str(store)}
    command = [sys.executable, "-m", "scrubjay", "audit", "verify"]
    opener = {"SCRUBJAY_KEY_FILE": str(store / "key")}
    told = subprocess.run(command, env=environment | opener, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert SECRET not in told.stdout + told.stderr


def test_nothing_leaves_while_the_log_has_no_room(tmp_path):
    with started("--profile", "patterns", "--processes", "1", home=tmp_path) as (client, process):
        assert client.post("/v1/anonymize", json={"text": NOTE}).status_code == 200
        full = (64, resource.RLIM_INFINITY)  # bytes that a file may have
        before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE, full)
        for path in ("/v1/anonymize", "/v1/detect", "/v1/batch"):
            answer = client.post(path, json={"text": NOTE})
            told = answer.json()["error"]
            assert path == "/v1/batch" or answer.status_code == 500
            assert told["code"] == "audit" and "Quarles" not in answer.text
            assert "SSN" not in answer.text and "findings" not in answer.text
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)
        assert client.post("/v1/anonymize", json={"text": NOTE}).json()["text"] == CLEAN
    verified(tmp_path)


def test_a_clock_that_went_back_lets_nobody_in_until_it_is_right(tmp_path, monkeypatch):
    with service(monkeypatch, tmp_path) as one:
        real = time.time
        for late, status in ((0, 200), (-86_400, 401), (1, 200)):
            for place, name in ((time, "time"), (one.state.gate, "_clock")):
                monkeypatch.setattr(place, name, lambda late=late: real() + late)
            answer = one.client.post("/v1/anonymize", json={"text": NOTE})
            assert answer.status_code == status
            assert status == 200 or "the clock is" in answer.json()["error"]["what"]
