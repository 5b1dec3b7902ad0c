"""Who may read the log over HTTP reads it, and whether it is whole; who may be told who stands
behind a token is told. Nobody else."""

import time

import pytest

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage"):
    pytest.importorskip(needed)

from serving import NOTE, logged, service  # noqa: E402

from scrubjay import restore  # noqa: E402
from scrubjay.access import approvals, breakglass, entry, people  # noqa: E402
from scrubjay.access.people import Caller  # noqa: E402
from scrubjay.access.signing import Signer  # noqa: E402
from scrubjay.audit.entry import Entry  # noqa: E402
from scrubjay.engine import load  # noqa: E402
from scrubjay.serve import audit  # noqa: E402
from scrubjay.types import Document, Policy, Rule  # noqa: E402


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        service(monkeypatch, tmp_path_factory.mktemp("audit")) as one,
    ):
        yield one


def get(one, path, who="auditor"):
    return one.client.get(path, headers={"Authorization": f"Bearer {one.keys[who]}"})


def administrator(opened):
    found = opened.register.people().values()
    return next(Caller(one.name) for one in found if "administer" in one.roles and not one.service)


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


def test_a_rare_entry_is_looked_for_in_parts_and_what_is_left_is_told(served, monkeypatch):
    monkeypatch.setattr(audit, "LOOKED", 5)
    [first] = logged(served)[:1]
    found, before, asked = [], 0, 0
    while not found:
        answer = get(served, f"/v1/audit?action={first.action}&before={before}")
        found, asked = answer.json(), asked + 1
        before = int(answer.headers.get(audit.OLDER, 0))
        assert found or before
    assert asked > 1 and found[-1]["number"] == 0
    newest = get(served, "/v1/audit?count=2")
    assert newest.headers[audit.OLDER] == str(newest.json()[-1]["number"])


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
    told = Entry("", "", "", "done", subject="P-1", recipient="court", about="codes")
    opened.tell_of(Caller("desk"), "disclose", "", [told])
    opened.close()
    opened.vault.close()
    [row] = get(served, "/v1/audit/disclosures?subject=P-1").json()
    assert row["recipient"] == "court" and row["description"] == "codes"
    assert get(served, "/v1/audit/disclosures").status_code == 400


def test_emergencies_and_ages_of_keys_without_a_secret(served):
    opened = served.place.open()
    root, now = administrator(opened), int(time.time())
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


def test_tokens_codes_and_surrogates_come_back_once_two_others_agree(served):
    opened = served.place.open()
    root, now = administrator(opened), int(time.time())
    opened.vault.add_tenant("hospital").add_domain("study")
    register, domain = opened.register, opened.domain("hospital/study")
    clean = {
        name: load(Policy(name, default=Rule(f"{name}.v1")), profile="patterns", domain=domain)
        .anonymize(Document("SSN 536-90-4399", group="p7"))
        .text
        for name in ("token", "code", "surrogate")
    }
    signers = {name: Signer.new() for name in ("bo", "cy")}
    for name, signer in signers.items():
        people.add(register, root, name, roles=("review",), now=now)
        people.set_approver(register, root, name, signer.public, now=now)
    people.add(register, root, "eva", roles=("re-identify",), service=True, now=now)
    scope = ("restore.run", "reveal.run", "approvals.request")
    key = entry.issue(register, root, "eva", entry.Terms(scope, now + 3600), now=now)
    code = clean["code"].removeprefix("SSN ")

    def approved(scope):
        id = approvals.ask(register, Caller("eva"), scope, "a critical value", now=now)
        for name, signer in signers.items():
            signature = approvals.sign(signer, approvals.find(register, id), name)
            approvals.approve(register, Caller(name), id, signature, now=now)
        return id

    tokens = restore.tokens([Document(clean["token"])])
    others = {"text": clean["surrogate"], "surrogates_of": ["p7"]}
    rows = [
        ("restore", {"text": clean["token"]}, restore.scope(tokens, "hospital/study")),
        ("restore", others,
         restore.scope(set(restore.surrogates_of(domain, ["p7"])), "hospital/study")),
        ("reveal", {"codes": [code]}, approvals.Scope("reveal.run", "hospital/study", (code,))),
    ]  # fmt: skip
    headers = {"Authorization": f"Bearer {key}"}
    for path, body, scope in rows:
        asked = body | {"domain": "hospital/study", "approval": "0" * 64}
        assert served.client.post(f"/v1/{path}", json=asked, headers=headers).status_code == 403
        asked["approval"] = approved(scope)
        assert served.client.post(f"/v1/{path}", json=asked).status_code == 403  # not the desk's
        answer = served.client.post(f"/v1/{path}", json=asked, headers=headers)
        assert "536-90-4399" in answer.text, answer.text
        again = served.client.post(f"/v1/{path}", json=asked, headers=headers)
        assert (again.status_code, "was used" in again.text) == (403, True)
        last = logged(served, path)[-1]
        assert (last.who, last.outcome) == ("eva", "done") and "4399" not in repr(last.about)
    asked = others | {"domain": "hospital/study", "approval": "0" * 64, "surrogates_of": ["p8"]}
    assert served.client.post("/v1/restore", json=asked, headers=headers).status_code == 409
    assert logged(served, "restore")[-1].outcome == "failed"  # who asks around is seen
    nobody = approvals.Scope("reveal.run", "hospital/study", ("P-0001",))
    asked = {"codes": ["P-0001"], "domain": "hospital/study", "approval": approved(nobody)}
    assert served.client.post("/v1/reveal", json=asked, headers=headers).status_code == 400
    assert logged(served, "reveal")[-1].outcome == "failed"
    opened.close()
    opened.vault.close()


@pytest.mark.parametrize("path", ["audit", "audit/state", "audit/disclosures?subject=a", "keys"])
def test_who_cleans_does_not_watch(served, path):
    answer = served.client.get(f"/v1/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "access")
