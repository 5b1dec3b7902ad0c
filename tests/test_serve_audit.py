"""Who may read the log over HTTP reads it, and whether it is whole; nobody else does."""

import time

import pytest

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage"):
    pytest.importorskip(needed)

from serving import NOTE, service  # noqa: E402

from scrubjay import trust as trusts  # noqa: E402
from scrubjay.access import breakglass, people  # noqa: E402
from scrubjay.access.people import Caller  # noqa: E402
from scrubjay.audit.entry import Entry  # noqa: E402
from scrubjay.serve import audit  # noqa: E402


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        service(monkeypatch, tmp_path_factory.mktemp("audit")) as one,
    ):
        yield one


def get(one, path, who="auditor"):
    return one.client.get(path, headers={"Authorization": f"Bearer {one.keys[who]}"})


def test_the_newest_entries_come_first_and_say_no_word_of_a_text(served):
    for _ in range(3):
        served.client.post("/v1/anonymize", json={"text": NOTE})
    told = get(served, "/v1/audit?action=anonymize&who=desk&count=2").json()
    assert [row["action"] for row in told] == ["anonymize"] * 2
    assert told[0]["number"] > told[1]["number"] and told[0]["counts"]["SSN"] == 1
    own = get(served, "/v1/audit?action=audit.query").json()
    assert own[0]["who"] == "auditor"  # that it was read is in it


def test_entries_of_a_time(served):
    assert get(served, "/v1/audit?since=2020-01-01&until=2020-01-02").json() == []
    assert get(served, "/v1/audit?since=2020-01-01T00:00:00Z").json()
    for wrong in ("since=yesterday", "count=0", "count=x"):
        assert get(served, f"/v1/audit?{wrong}").status_code == 400


def test_the_log_is_whole_until_somebody_changes_it(tmp_path, monkeypatch):
    monkeypatch.setattr(audit, "AGAIN", 0.0)
    with service(monkeypatch, tmp_path) as one:
        told = get(one, "/v1/audit/state").json()
        assert told["whole"] and told["size"] > 0 and len(told["root"]) == 64
        assert abs(told["checked"] - time.time()) < 120
        tiles = (one.place.home / "audit/tile/entries").glob("000.p/*")
        tile = max(tiles, key=lambda path: int(path.name))
        data = tile.read_bytes()
        tile.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        told = get(one, "/v1/audit/state").json()
        assert not told["whole"] and "entry" in told["problem"]
        assert one.client.post("/v1/anonymize", json={"text": NOTE}).status_code == 500
        tile.write_bytes(data)


def test_disclosures_of_a_subject(served):
    opened = served.place.open()
    entry = Entry("", "", "", "done", subject="P-1", recipient="court", about="codes")
    opened.tell_of(Caller("desk"), "disclose", "", [entry])
    opened.close()
    opened.vault.close()
    [row] = get(served, "/v1/audit/disclosures?subject=P-1").json()
    assert row["recipient"] == "court" and row["description"] == "codes"
    assert get(served, "/v1/audit/disclosures").status_code == 400


def test_emergencies_and_ages_of_keys_without_a_secret(served):
    opened = served.place.open()
    root, now = Caller(trusts.account()), int(time.time())
    if root.person not in opened.register.people():
        root = Caller("owner")
    people.add(opened.register, root, "ana", roles=("re-identify",), now=now)
    breakglass.start(
        opened.register, Caller("ana"), "a/b", "unconscious, no papers", minutes=15, now=now
    )
    opened.close()
    opened.vault.close()
    [row] = get(served, "/v1/emergencies").json()
    assert (row["person"], row["uses"]) == ("ana", 0)
    told = get(served, "/v1/keys", "admin").json()
    assert {row["person"] for row in told["api_keys"]} == {"desk", "auditor", "admin"}
    assert told["slots"][0]["created"] and "digest" not in str(told)
    assert get(served, "/v1/approvals").json() == []


@pytest.mark.parametrize("path", ["audit", "audit/state", "audit/disclosures?subject=a", "keys"])
def test_who_cleans_does_not_watch(served, path):
    answer = served.client.get(f"/v1/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "access")
