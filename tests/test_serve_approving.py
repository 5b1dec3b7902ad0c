"""Approvers sign on machines of their own, and bring what they signed. Nobody else can sign."""

import json
import time
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage"):
    pytest.importorskip(needed)

from serving import logged, service  # noqa: E402

from scrubjay.access import approvals, people, signing  # noqa: E402
from scrubjay.access.people import Caller  # noqa: E402
from scrubjay.cli import group  # noqa: E402

SCOPE = approvals.Scope("reveal.run", "hospital/study", ("P-0001",))
WORDS = "eleven quiet herons at dawn"


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A service; a request in it; the approvers' keys, in files elsewhere."""
    folder, apart = tmp_path_factory.mktemp("service"), tmp_path_factory.mktemp("apart")
    with pytest.MonkeyPatch.context() as monkeypatch, service(monkeypatch, folder) as one:
        opened, now = one.place.open(), int(time.time())
        register = opened.register
        root = next(p.name for p in register.people().values() if not p.service)
        people.add(register, Caller(root), "eva", roles=("re-identify",), now=now)
        for name in ("bo", "cy"):
            signer = signing.Signer.new()
            cost = signing.Cost(memory=64, passes=1, lanes=1)
            (apart / f"{name}.key").write_bytes(signing.lock(signer, WORDS, cost=cost))
            people.add(register, Caller(root), name, roles=("review",), now=now)
            people.set_approver(register, Caller(root), name, signer.public, now=now)
        id = approvals.ask(register, Caller("eva"), SCOPE, "a critical value", now=now)
        opened.close()
        opened.vault.close()
        monkeypatch.setenv("SCRUBJAY_HOME", str(apart / "home"))  # where there is no vault
        monkeypatch.setenv("SCRUBJAY_SIGNING_PASSPHRASE", WORDS)
        yield SimpleNamespace(one=one, id=id, apart=apart)


def signed(asked, key, name):
    """What `scrubjay approvals sign-file` prints, and what it shows."""
    file = asked.apart / "request.json"
    file.write_bytes(asked.one.client.get(f"/v1/approvals/{asked.id}").content)
    command = ["approvals", "sign-file", str(file), "--key", str(asked.apart / key), "--as", name]
    done = CliRunner().invoke(group, command)
    assert done.exit_code == 0, done.output
    return done


def bring(asked, told):
    return asked.one.client.post("/v1/signatures", content=told)


def test_who_forges_a_signature_is_named_and_the_approver_is_not(asked):
    forged = signed(asked, "cy.key", "bo").stdout
    answer = bring(asked, forged)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "access")
    last = logged(asked.one)[-1]
    assert (last.who, last.action, last.outcome) == ("desk", "approvals.bring", "refused")
    for wrong in ({"approver": "nobody"}, {"request": "0" * 64}):
        assert bring(asked, json.dumps(json.loads(forged) | wrong)).status_code == 403
    assert not [entry for entry in logged(asked.one) if entry.who in ("bo", "cy")]


def test_two_who_sign_elsewhere_have_approved(asked):
    for name in ("bo", "cy"):
        done = signed(asked, f"{name}.key", name)
        for words in ("eva", "reveal.run", "hospital/study", "P-0001", "a critical value"):
            assert words in done.stderr  # what is signed was shown
        answer = bring(asked, done.stdout)
    [row] = answer.json()
    assert row["signed"] == ["bo", "cy"]
    signs = logged(asked.one, "approvals.sign")
    assert [entry.who for entry in signs] == ["bo", "cy"]
    assert {entry.who for entry in logged(asked.one, "approvals.bring")} == {"desk"}
    opened = asked.one.place.open()
    grant = approvals.use(opened.register, Caller("eva"), asked.id, SCOPE, now=int(time.time()))
    assert grant.by == ("bo", "cy")
    opened.close()
    opened.vault.close()


@pytest.mark.parametrize("change", [
    lambda data: data.replace(b"a critical value", "a critical\u202evalue".encode()),
    lambda data: data.replace(b'"P-0001"', b'"P-0001", "P-0002"'),
    lambda data: data[:-1] + b',"x":1}',
    lambda data: b"[]",
])  # fmt: skip
def test_nothing_is_signed_that_says_more_than_is_shown(asked, change):
    data = change(asked.one.client.get(f"/v1/approvals/{asked.id}").content)
    (asked.apart / "other.json").write_bytes(data)
    command = ["approvals", "sign-file", str(asked.apart / "other.json"), "--as", "bo", "--key"]
    done = CliRunner().invoke(group, [*command, str(asked.apart / "bo.key")])
    assert done.exit_code and not done.stdout


def test_who_may_not_see_requests_brings_none(asked):
    for path in (f"/v1/approvals/{asked.id}", "/v1/approvals"):
        headers = {"Authorization": f"Bearer {asked.one.keys['admin']}"}
        assert asked.one.client.get(path, headers=headers).status_code == 403
