"""The service answers who has a key, logs it first, and never says a word of a text."""

import asyncio
import json
import os
import signal
import threading

import pytest

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage"):
    pytest.importorskip(needed)

from serving import KEY, NOTE, children, logged, service, started, until  # noqa: E402

from scrubjay.audit import log as logs  # noqa: E402, F401
from scrubjay.errors import BusyError, InputError, UsageError  # noqa: E402
from scrubjay.serve import server, store  # noqa: E402
from scrubjay.serve.desk import Desk, Limits  # noqa: E402


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        service(monkeypatch, tmp_path_factory.mktemp("served")) as one,
    ):
        yield one


def test_clean_text_and_its_line_in_the_log(served):
    before = len(logged(served))
    told = served.client.post("/v1/anonymize", json={"text": NOTE, "id": "n1"}).json()
    assert told["text"] == "Mr. [PERSON 1], SSN [SSN 1], seen 2024"
    assert told["counts"]["SSN"] == 1 and told["id"] == "n1"
    [*_, last] = logged(served)[before:]
    assert (last.who, last.action, last.counts["SSN"]) == ("desk", "anonymize", 1)


def test_detect_tells_places_and_changes_nothing(served):
    told = served.client.post("/v1/detect", json={"text": NOTE}).json()
    found = {one["label"]: NOTE[one["start"] : one["end"]] for one in told["findings"]}
    assert found["SSN"] == "536-90-4399" and "text" not in told


def test_what_is_known_of_a_subject_is_found_in_every_form(served):
    asked = {"text": "saw quarles, q. today", "known": {"PERSON": ["Quentin Quarles"]}}
    assert "quarles" not in served.client.post("/v1/anonymize", json=asked).json()["text"]


@pytest.mark.parametrize("key", ["", "nobody's", "sjk_" + "a" * 16 + "_" + "b" * 52])
def test_nobody_calls_without_a_key(served, key):
    headers = {"Authorization": f"Bearer {key}"}
    answer = served.client.post("/v1/anonymize", json={"text": NOTE}, headers=headers)
    assert (answer.status_code in (401, 429) and "WWW-Authenticate" in answer.headers) or key
    assert answer.json()["error"]["code"] in ("entry", "limit")


def test_a_key_does_what_its_owner_may(served):
    headers = {"Authorization": f"Bearer {served.keys['auditor']}"}
    answer = served.client.post("/v1/anonymize", json={"text": NOTE}, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "access")
    assert logged(served)[-1].outcome == "refused"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'"\xff"', 400),
        (b'{"text": 3}', 400),
        (b'{"text": "a", "Quarles": 1}', 400),
        (b'{"text": "a", "policy": "../Quarles"}', 422),
        (b"[" * 100_000, 400),
    ],
)
def test_what_is_wrong_is_told_in_one_shape_and_no_words_of_it(served, body, status):
    answer = served.client.post("/v1/anonymize", content=body)
    assert answer.status_code == status and "Quarles" not in answer.text
    assert set(answer.json()["error"]) == {"code", "what", "where", "todo"}


def test_a_body_without_end_is_refused(served):
    answer = served.client.post("/v1/anonymize", content=(b"a" * (1 << 20) for _ in range(9)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_a_batch_comes_back_in_order_with_each_line_s_own_problem(served):
    lines = [json.dumps({"text": f"SSN 536-90-{n:04}", "id": str(n)}) for n in range(1000, 1600)]
    lines[300] = '{"text": 3, "id": "Quarles"}'
    answer = served.client.post("/v1/batch", content="\n".join(lines).encode())
    told = [json.loads(line) for line in answer.text.splitlines()]
    assert [one["id"] for one in told if "id" in one] == [
        str(n) for n in range(1000, 1600) if n != 1300
    ]
    assert told[300]["error"]["where"] == "line 301" and "Quarles" not in answer.text
    assert "536-90" not in answer.text


def test_numbers_for_prometheus(served):
    served.client.post("/v1/anonymize", json={"text": NOTE})
    text = served.client.get("/metrics").text
    assert 'scrubjay_requests_total{what="anonymize",how="done"}' in text
    assert 'scrubjay_identifiers_total{label="SSN"}' in text and "Quarles" not in text


def test_a_store_is_made_once_and_one_cut_short_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path))
    first, keys = store.made()
    assert set(keys) == {"desk", "auditor", "admin"} and KEY not in repr(first)
    assert store.made() == (first, {})
    (store.own() / "whole").unlink()
    with pytest.raises(UsageError, match="cut short"):
        store.made()


def test_a_short_preset_key_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="is guessed"):
        store.made("short")


def test_clear_text_is_for_this_machine_alone():
    with pytest.raises(UsageError, match="--certificate"):
        server.check(server.Settings(host="0.0.0.0"))


# The desk


def asked(desk, *given):
    async def all_of_them():
        return await asyncio.gather(
            *(desk.ask("k", one, 1) for one in given), return_exceptions=True
        )

    return asyncio.run(all_of_them())


def test_one_that_fails_spoils_no_other_of_its_batch():
    def work(_, batch):
        if 3 in batch:
            raise InputError("three")
        return [one * 2 for one in batch]

    desk = Desk(lambda: work, lambda: None, Limits())
    told = asked(desk, *range(6))
    assert told[:3] + told[4:] == [0, 2, 4, 8, 10] and isinstance(told[3], InputError)
    desk.close()


def test_what_is_too_much_is_refused_and_what_was_taken_is_answered():
    go = threading.Event()

    def work(_, batch):
        go.wait(10)
        return batch

    desk = Desk(lambda: work, lambda: None, Limits(jobs=3))
    threading.Timer(0.2, go.set).start()
    told = asked(desk, *range(10))
    refused = [one for one in told if isinstance(one, BusyError)]
    assert len(refused) >= 6 and [one for one in told if one not in refused] == list(
        range(10 - len(refused))
    )
    desk.close()
    assert isinstance(asked(desk, 1)[0], BusyError)


def test_who_has_gone_is_not_worked_for():
    seen, go = [], threading.Event()

    def work(_, batch):
        go.wait(10)
        seen.extend(batch)
        return batch

    async def run():
        first, second = (asyncio.create_task(desk.ask("k", n, 1)) for n in (1, 2))
        await asyncio.sleep(0.1)
        second.cancel()
        await asyncio.sleep(0)
        go.set()
        assert await first == 1

    desk = Desk(lambda: work, lambda: None, Limits())
    asyncio.run(run())
    desk.close()
    assert seen in ([1], [1, 2])


# As people start it


def test_from_nothing_with_two_processes_of_which_one_is_killed(tmp_path):
    with started("--profile", "patterns", "--processes", "2", home=tmp_path) as (client, process):
        assert until(lambda: client.post("/v1/anonymize", json={"text": NOTE}).status_code == 200)
        [child, *_] = children(process.pid)
        os.kill(child, signal.SIGKILL)
        for _ in range(10):
            with pytest.MonkeyPatch.context():
                assert answered(client)
        until(lambda: len(children(process.pid)) >= 2 and child not in children(process.pid))
        process.terminate()
        assert process.wait(40) == 0
    assert not (tmp_path / "vault").exists() and (tmp_path / "serve/whole").exists()


def answered(client):
    """A connection that died with its process is made anew, as every client does."""
    import httpx

    for _ in range(3):
        try:
            return client.post("/v1/anonymize", json={"text": NOTE}).status_code == 200
        except httpx.TransportError:
            continue
    return False


def test_a_port_that_is_taken_and_a_policy_that_is_not_there_are_told(tmp_path):
    with started("--profile", "patterns", "--policy", "nobody", home=tmp_path) as (_, process):
        assert process.wait(30) == 1
