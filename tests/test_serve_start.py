"""A service's processes are made of one that has loaded what all need, and nothing that is not to
be shared."""

import os
import random
import secrets
import time
from pathlib import Path

import pytest

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage"):
    pytest.importorskip(needed)

import httpx  # noqa: E402
from serving import KEY, NOTE, children, started, until  # noqa: E402

from scrubjay import processes, sealing  # noqa: E402
from scrubjay.access import entry  # noqa: E402
from scrubjay.access.people import Caller  # noqa: E402
from scrubjay.errors import UsageError  # noqa: E402
from scrubjay.keys import Key  # noqa: E402
from scrubjay.serve import store  # noqa: E402

ANSWERS = 24  # connections: that one of two processes has them all happens never
ALONE = httpx.Limits(max_keepalive_connections=0)  # a connection for each request


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    home = tmp_path_factory.mktemp("two")
    with started("--profile", "fast", "--processes", "2", home=home) as (client, process):
        assert until(lambda: client.get("/readyz").json()["status"] == "ready")
        yield client, process, home


def test_the_first_process_has_one_thread_and_nothing_of_the_vault_open(two):
    _, process, home = two
    own = Path(f"/proc/{process.pid}")
    assert len(list((own / "task").iterdir())) == 1
    assert not [one for one in opened(process.pid) if one.startswith(str(home))]
    assert len(children(process.pid)) == 2


def test_no_process_has_what_another_opened(two):
    _, process, home = two
    listens = f"{two[0].base_url.port:04X}"
    inodes = [line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines()
              if f":{listens} " in line.split("rem")[0] and " 0A " in line]  # fmt: skip
    first, second = map(opened, children(process.pid))
    assert len({f"socket:[{one}]" for one in inodes} & first) == 1
    for kind in ("socket:", "pipe:", "anon_inode:[timerfd"):
        assert not {one for one in first & second if one.startswith(kind)} - opened(process.pid)
    assert any(one.startswith(str(home)) for one in first)


def opened(pid):
    """What a process has open."""
    found = set()
    for one in Path(f"/proc/{pid}/fd").iterdir():
        if one.is_symlink():
            found.add(str(one.readlink()))
    return found


def test_what_processes_draw_differs():
    def drawn():
        return (random.random(), secrets.token_hex(), str(sealing.identity()), os.getpid(),
                Key.random().derive("x"))  # fmt: skip

    drawn()  # whatever keeps a state has one to share
    several = [processes.apart(drawn)() for _ in range(3)]
    assert all(len(set(each)) == 3 for each in zip(*several, strict=True))


def test_an_error_comes_from_a_process_apart_as_it_was():
    def fails():
        raise UsageError("told apart")

    with pytest.raises(UsageError, match="told apart"):
        processes.apart(fails)()


def test_a_policy_that_one_process_saved_counts_in_all_at_once(two):
    client, process, _ = two
    told = [process.stderr.readline().split() for _ in range(2)]
    admin = {"X-API-Key": next(words[-1] for words in told if "'admin'," in words)}
    for operator in ("redact.v1", "mask.v1"):
        told = f'extends = "hipaa-safe-harbor"\nrules.SSN.operator = "{operator}"\n'
        assert client.put("/v1/policies/own", content=told, headers=admin).is_success
        with httpx.Client(
            base_url=client.base_url, headers={"X-API-Key": KEY}, limits=ALONE
        ) as new:
            asked = {"text": NOTE, "policy": "own"}
            texts = {new.post("/v1/anonymize", json=asked).json()["text"] for _ in range(ANSWERS)}
        assert len(texts) == 1 and ("[SSN" in texts.pop()) == (operator != "mask.v1")


def test_a_key_s_requests_a_minute_are_those_of_all_processes(two, monkeypatch):
    client, _, home = two
    monkeypatch.setenv("SCRUBJAY_HOME", str(home))
    headers = {"X-API-Key": slow_key(per_minute=20)}
    with httpx.Client(base_url=client.base_url, headers=headers, limits=ALONE) as new:
        answers = [new.post("/v1/detect", json={"text": NOTE}) for _ in range(80)]
    passed = [one for one in answers if one.status_code == 200]
    refused = [one for one in answers if one.status_code == 429]
    assert len(passed) + len(refused) == 80 and all(one.headers["Retry-After"] for one in refused)
    assert len(passed) <= 30  # buckets fill meanwhile, and each process lets one in first


def slow_key(per_minute):
    """A new key of 'desk'."""
    place, _ = store.made()
    trust = place.open()
    people = trust.register.people().values()
    root = next(Caller(one.name) for one in people if not one.service)
    terms = entry.Terms(("detect.run",), int(time.time()) + 600, per_minute)
    key = entry.issue(trust.register, root, "desk", terms, now=int(time.time()))
    trust.close()
    trust.vault.close()
    return key
