"""A file comes back clean, or not at all; nothing of it stays with the service."""

import asyncio
import io
import json
import multiprocessing
import time
import zipfile
from functools import partial

import pytest

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage"):
    pytest.importorskip(needed)

from serving import NOTE, logged, service  # noqa: E402

from scrubjay.errors import RefusedError  # noqa: E402
from scrubjay.serve import saved, store  # noqa: E402
from scrubjay.serve.readers import Readers  # noqa: E402
from scrubjay.serve.spool import Spool  # noqa: E402


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        service(monkeypatch, tmp_path_factory.mktemp("files"), largest=1 << 20) as one,
    ):
        yield one


def as_admin(one, who="admin"):
    return {"Authorization": f"Bearer {one.keys[who]}"}


def left(one):
    return [path for path in (store.own() / "spool").rglob("*") if path.is_file()]


def test_a_table_comes_back_clean_under_a_clean_name_and_nothing_of_it_stays(served):
    table = f'name,note\nQuentin Quarles,"{NOTE}"\n'
    answer = served.client.post("/v1/files?name=SSN 536-90-4399.csv", content=table.encode())
    assert answer.status_code == 200, answer.text
    assert "4399" not in answer.text and answer.text.startswith("name,note\n")
    report = json.loads(answer.headers["Scrubjay-Report"])
    assert report["format"] == "csv.v1" and report["counts"]["SSN"] == 1
    assert report["policy"] == "hipaa-safe-harbor"
    assert "SSN%20%5BSSN%201%5D.csv" in answer.headers["Content-Disposition"]
    last = logged(served)[-1]
    assert (last.who, last.action, last.counts["SSN"]) == ("desk", "anonymize", 1)
    assert len(last.input) == len(last.output) == 64 and last.input != last.output
    assert left(served) == []


def test_an_archive_goes_through_and_a_damaged_one_does_not(served):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", NOTE)
    whole = packed.getvalue()
    answer = served.client.post("/v1/files?name=a.zip", content=whole)
    assert b"4399" not in zipfile.ZipFile(io.BytesIO(answer.content)).read("a.txt")
    answer = served.client.post("/v1/files?name=a.zip", content=whole[:60])
    told = answer.json()["error"]
    assert (answer.status_code, told["code"]) == (422, "refused") and "Quarles" not in answer.text
    assert left(served) == []


@pytest.mark.parametrize(
    ("query", "body", "status", "code"),
    [
        ("", b"a" * ((1 << 20) + 1), 413, "too_large"),
        ("?format=nothing", b"a", 400, "usage"),
        ("?policy=../../Quarles", b"a", 422, "policy"),
        ("?name=a.txt", b"\xff\xfe\x00", 422, "refused"),
    ],
)
def test_what_cannot_be_cleaned_is_refused_in_the_one_shape(served, query, body, status, code):
    answer = served.client.post(f"/v1/files{query}", content=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert left(served) == [] and "Quarles" not in answer.text


def test_who_may_not_clean_sends_nothing(served):
    answer = served.client.post("/v1/files", content=b"a", headers=as_admin(served))
    assert answer.status_code == 403


def test_what_a_killed_process_left_is_cleared_by_the_next(served):
    old = store.own() / "spool" / "gone"
    old.mkdir()
    (old / "a").write_text(NOTE)
    Spool().close()
    assert not old.exists() and len(list((store.own() / "spool").iterdir())) == 1


# Policies


def test_a_saved_policy_counts_at_once_and_in_the_readers_too(served):
    for operator, clean in (("mask.v1", "***"), ("redact.v1", "[SSN].")):
        policy = {"extends": "hipaa-safe-harbor", "rules": {"SSN": {"operator": operator}}}
        answer = served.client.put("/v1/policies/mine", json=policy, headers=as_admin(served))
        assert answer.status_code == 200, answer.text
        asked = {"text": "SSN 536-90-4399.", "policy": "mine"}
        text = served.client.post("/v1/anonymize", json=asked).json()["text"]
        assert "4399" not in text and clean in text
        file = served.client.post("/v1/files?name=a.txt&policy=mine", content=b"SSN 536-90-4399.")
        assert file.text == text
    assert logged(served, "policy.change")[-1].who == "admin"
    assert "mine" in {row["name"] for row in served.client.get("/v1/policies").json()}
    assert 'extends = "hipaa-safe-harbor"' in served.client.get("/v1/policies/mine").text
    full = served.client.get("/v1/policies/mine", headers={"Accept": "application/json"}).json()
    assert full["rules"]["SSN"]["operator"] == "redact.v1" and len(full["rules"]) > 10


def test_a_policy_whose_base_was_broken_is_listed_with_its_problem(served):
    for name, policy in (("base", {"extends": "everything"}), ("upon", {"extends": "base.toml"})):
        told = served.client.put(f"/v1/policies/{name}", json=policy, headers=as_admin(served))
        assert told.status_code == 200
    (saved.folder() / "base.toml").write_text("rules = 3")
    rows = {row["name"]: row for row in served.client.get("/v1/policies").json()}
    assert rows["upon"]["problem"] == rows["base"]["problem"] != "" == rows["everything"]["problem"]
    assert str(saved.folder()) not in rows["upon"]["problem"]
    asked = {"text": NOTE, "policy": "upon"}
    assert served.client.post("/v1/anonymize", json=asked).json()["error"]["code"] == "policy"
    for name in ("base", "upon"):
        (saved.folder() / f"{name}.toml").unlink()


@pytest.mark.parametrize(
    ("name", "policy", "told"),
    [
        ("wrong", '[rules.NOTHING]\noperator = "mask.v1"\n', "wrong.toml:1: unknown label"),
        ("wrong", 'extends = "/etc/passwd"\n', "extends what is not here"),
        ("wrong", 'name = "everything"\n', "calls itself"),
        ("everything", "", "none that ships"),
        ("..", "", ""),
    ],
)
def test_a_wrong_policy_is_refused_and_not_saved(served, name, policy, told):
    headers = as_admin(served)
    answer = served.client.put(f"/v1/policies/{name}", content=policy, headers=headers)
    assert answer.status_code in (422, 405, 404) and told in answer.text
    assert not saved.is_saved(name) and str(store.own()) not in answer.text


def test_a_policy_is_changed_by_who_administers(served):
    assert served.client.put("/v1/policies/mine", json={}).status_code == 403


def test_what_a_key_may(served):
    told = served.client.get("/v1/me").json()
    assert told["person"] == "desk" and "anonymize.run" in told["actions"]
    assert "approvals.sign" not in told["actions"] and "audit.query" not in told["actions"]
    assert (
        "policy.change" in served.client.get("/v1/me", headers=as_admin(served)).json()["actions"]
    )


def test_a_reader_that_takes_too_long_or_that_nobody_waits_for_is_ended(served):
    async def run():
        readers = Readers(served.place, served.state.back.settings.use, size=1)
        with pytest.raises(RefusedError, match="longer than"):
            await readers.ask(partial(_sleep, 60), 0.1)
        assert await readers.ask(partial(_sleep, 0), 60) == "slept"
        before = len(multiprocessing.active_children())
        task = asyncio.create_task(readers.ask(partial(_sleep, 60), 60))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(multiprocessing.active_children()) == before - 1
        readers.close()

    asyncio.run(run())


def _sleep(seconds, engines):
    time.sleep(seconds)
    return "slept"
