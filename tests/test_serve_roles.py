"""Every path of the service, asked as everybody, does what the matrix says."""

import json
import time

import pytest

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage"):
    pytest.importorskip(needed)

from serving import service  # noqa: E402

from scrubjay.access import entry, people  # noqa: E402
from scrubjay.access.matrix import allowed, matrix  # noqa: E402
from scrubjay.access.people import Caller  # noqa: E402
from scrubjay.serve import app  # noqa: E402
from scrubjay.serve.model.gateway import Upstream  # noqa: E402

ANYBODY = ""  # who shows a key at all
NOWHERE = "http://127.0.0.1:1/v1"  # where no model answers
TEXT = json.dumps({"text": "Ann Lee"})
TOKENS = {"domain": "hospital/study", "approval": "nothing"}
FOUND = {"start": 0, "end": 3, "score": 0.9, "entity_type": "PERSON"}
JOB = "a" * 16

# What a call takes, as a role's action; and a body that says enough to be asked for it.
PRESIDIO = {
    "POST {}/analyze": ("detect.run", json.dumps({"text": "Ann Lee", "language": "en"})),
    "POST {}/anonymize": (
        "anonymize.run",
        json.dumps({"text": "Ann Lee", "analyzer_results": [FOUND]}),
    ),
    "POST {}/deanonymize": ("restore.run", TEXT),
    "GET {}/recognizers": (ANYBODY, ""),
    "GET {}/supportedentities": (ANYBODY, ""),
    "GET {}/anonymizers": (ANYBODY, ""),
    "GET {}/deanonymizers": (ANYBODY, ""),
}
MODELS = {
    f"{method} /{path}": ("anonymize.run", '{"model": "m"}' if method == "POST" else "")
    for method, path in [
        ("POST", "openai/v1/chat/completions"),
        ("POST", "openai/v1/responses"),
        ("POST", "openai/v1/embeddings"),
        ("GET", "openai/v1/models"),
        ("POST", "anthropic/v1/messages"),
        ("POST", "anthropic/v1/messages/count_tokens"),
        ("GET", "anthropic/v1/models"),
    ]
}
OWN = {
    "POST /v1/detect": ("detect.run", TEXT),
    "POST /v1/anonymize": ("anonymize.run", TEXT),
    "POST /v1/batch": ("anonymize.run", TEXT),
    "POST /v1/files": ("anonymize.run", "\0"),
    "POST /v1/jobs": ("jobs.start", "{}"),
    "GET /v1/jobs": ("jobs.show", ""),
    "GET /v1/jobs/{id}": ("jobs.show", ""),
    "DELETE /v1/jobs/{id}": ("jobs.start", ""),
    "POST /v1/jobs/{id}/stop": ("jobs.stop", ""),
    "POST /v1/jobs/{id}/resume": ("jobs.start", ""),
    "GET /v1/jobs/{id}/report": ("jobs.show", ""),
    "GET /v1/jobs/{id}/quarantine": ("jobs.start", ""),
    "GET /v1/jobs/{id}/output": ("jobs.start", ""),
    "GET /v1/review/{id}": ("review.run", ""),
    "POST /v1/review/{id}/marks": ("review.run", "{}"),
    "GET /v1/policies": ("policy.show", ""),
    "GET /v1/policies/{name}": ("policy.show", ""),
    "PUT /v1/policies/{name}": ("policy.change", "{}"),
    "GET /v1/labels": (ANYBODY, ""),
    "GET /v1/me": (ANYBODY, ""),
    "GET /v1/approvals": ("approvals.list", ""),
    "GET /v1/approvals/{id}": ("approvals.list", ""),
    "POST /v1/signatures": (
        "approvals.list",
        json.dumps({"approver": "bo", "request": "nothing", "signature": ""}),
    ),
    "POST /v1/views": ("anonymize.run", "\0"),
    "GET /v1/emergencies": ("breakglass.list", ""),
    "GET /v1/keys": ("keys.show", ""),
    "GET /v1/audit": ("audit.query", ""),
    "GET /v1/audit/state": ("audit.verify", ""),
    "GET /v1/audit/disclosures": ("audit.query", ""),
    "POST /v1/restore": ("restore.run", json.dumps(TOKENS | {"text": "a"})),
    "POST /v1/reveal": ("reveal.run", json.dumps(TOKENS | {"codes": ["a"]})),
}
TAKES = (
    OWN
    | MODELS
    | {name.format(root): of for root in ("", "/presidio") for name, of in PRESIDIO.items()}
)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """With a person of each role alone, and the key of each."""
    upstreams = {kind: Upstream(NOWHERE) for kind in ("openai", "anthropic")}
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        service(monkeypatch, tmp_path_factory.mktemp("roles"), upstreams=upstreams) as one,
    ):
        del one.client.headers["Authorization"]
        yield one, _keys(one)


def _keys(one):
    trust, now = one.place.open(), int(time.time())
    every = trust.register.people().values()
    root = next(p.name for p in every if "administer" in p.roles and not p.service)
    scope = tuple(action for action in matrix().actions if action not in matrix().rules.personal)
    keys = {}
    for role in matrix().roles:
        name = f"only-{role}"
        people.add(trust.register, Caller(root), name, roles=(role,), service=True, now=now)
        terms = entry.Terms(scope, now + 3600, 100_000)
        keys[role] = entry.issue(trust.register, Caller(root), name, terms, now=now)
    trust.close()
    trust.vault.close()
    return keys


def test_every_call_is_in_the_table():
    keyed = {f"{one.method} {one.path}" for one in app.calls() if one.key}
    assert keyed - TAKES.keys() == set(), "say which action each of these takes"


@pytest.mark.parametrize("call", [one for one in app.calls() if one.key], ids=lambda c: c.path)
def test_a_call_is_for_whose_role_has_its_action_and_for_nobody_else(served, call):
    one, keys = served
    action, body = TAKES[f"{call.method} {call.path}"]
    path = call.path.replace("{id}", JOB).replace("{name}", "nothing")
    for role, key in keys.items():
        headers = {"X-API-Key": key, "X-Scrubjay-Key": key, "Content-Type": "application/json"}
        answer = one.client.request(call.method, f"{path}?subject=a", content=body, headers=headers)
        assert answer.status_code != 401
        refused = f"may not {action}" in answer.text
        assert refused != (action == ANYBODY or allowed([role], action)), (role, answer.text)
