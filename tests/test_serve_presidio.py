"""Who calls Presidio's services may call this one: same shapes, same statuses, same rules of order;
and what Presidio found is found. The answers compared with are recorded (tests/presidio)."""

import json
import time
from functools import partial
from pathlib import Path

import pytest

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage"):
    pytest.importorskip(needed)

from serving import NOTE, logged, service  # noqa: E402

from scrubjay.access import entry, people  # noqa: E402
from scrubjay.access.people import Caller  # noqa: E402
from scrubjay.errors import OperatorError, UsageError  # noqa: E402
from scrubjay.serve import server, store  # noqa: E402
from scrubjay.serve.presidio import entities  # noqa: E402
from scrubjay.serve.presidio.operators import ANONYMIZERS, DEANONYMIZERS  # noqa: E402
from scrubjay.serve.presidio.regexes import Regex  # noqa: E402

FOLDER = Path(__file__).parent / "presidio"
RECORDED = json.loads((FOLDER / "recorded.json").read_text("utf-8"))
LITELLM = json.loads((FOLDER / "litellm.json").read_text("utf-8"))
HERE = "http://127.0.0.1:8600"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """With Presidio's paths open."""
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        service(monkeypatch, tmp_path_factory.mktemp("served"), open_presidio=True) as one,
    ):
        store.let_in(one.place)
        one.keys["reader"] = reader(one.place.open())
        del one.client.headers["Authorization"]
        one.client.base_url = HERE
        yield one


def reader(trust):
    """The key of a service that may read what was encrypted."""
    register, now = trust.register, int(time.time())
    found = register.people().values()
    root = next(Caller(p.name) for p in found if "administer" in p.roles and not p.service)
    people.add(register, root, "reader", roles=("re-identify",), service=True, now=now)
    key = entry.issue(register, root, "reader", entry.Terms(("restore.run",), now + 3600), now=now)
    trust.close()
    trust.vault.close()
    return key


def asked(served, path, body):
    keyed = {"X-API-Key": served.keys["reader"]} if path == "/deanonymize" else {}
    post = partial(served.client.post, path, json=body, headers=keyed)
    answer = served.client.get(path) if body is None else post()
    return answer, answer.json() if path != "/health" else answer.text


def rows(path, status=None):
    mine = [row for row in RECORDED if row["path"] == path]
    return [row for row in mine if status is None or row["status"] == status]


def shape(told):
    """What a value is made of. Numbers are numbers; an empty list says nothing of its rows."""
    if isinstance(told, dict):
        return {name: shape(value) for name, value in told.items()}
    if isinstance(told, list):
        return [shape(told[0])] if told else []
    return float if isinstance(told, int | float) else type(told)


# What Presidio answered


@pytest.mark.parametrize("row", [r for r in RECORDED if r["status"] != 200])
def test_what_presidio_refuses_is_refused_alike_but_never_with_the_caller_s_words(served, row):
    answer, told = asked(served, row["path"], row["body"])
    assert answer.status_code == row["status"]
    assert answer.headers["content-type"] == "application/json"
    if "md5" not in row["answer"]["error"] and "class" not in row["answer"]["error"]:
        assert told == row["answer"]
    assert set(told) == {"error"} and "md5" not in told["error"] and "no_such" not in told["error"]


@pytest.mark.parametrize("row", rows("/analyze", 200))
def test_what_presidio_finds_is_found_and_told_in_its_shape_and_order(served, row):
    answer, told = asked(served, "/analyze", row["body"])
    assert answer.status_code == 200
    several = isinstance(row["body"]["text"], list)
    mine, theirs = (told, row["answer"]) if several else ([told], [row["answer"]])
    assert len(mine) == len(theirs)
    for found, wanted in zip(mine, theirs, strict=True):
        for one in wanted:
            assert any(f["start"] <= one["start"] and one["end"] <= f["end"] for f in found)
        if not row["body"].get("return_decision_process"):
            assert not wanted or shape(found) == shape(wanted)
        assert found == sorted(found, key=lambda f: (-f["score"], f["start"], -f["end"]))
        assert bool(found) == bool(wanted)


def test_an_explanation_has_presidio_s_fields_and_no_text(served):
    row = next(r for r in rows("/analyze", 200) if r["body"].get("return_decision_process"))
    [found], [theirs] = asked(served, "/analyze", row["body"])[1], row["answer"]
    why = found["analysis_explanation"]
    assert set(why) == set(theirs["analysis_explanation"]) and why["pattern_name"] == "email"
    assert "ann@" not in json.dumps(why)


@pytest.mark.parametrize("row", rows("/anonymize", 200) + rows("/deanonymize", 200))
def test_the_same_results_give_the_same_text_and_the_same_items(served, row):
    told = asked(served, row["path"], row["body"])[1]
    how = (row["body"].get("anonymizers") or {}).get("DEFAULT", {})
    if how.get("type") == "encrypt" or how == {"type": "hash"}:  # new each time
        assert [one | {"text": len(one["text"])} for one in told["items"]] == [
            one | {"text": len(one["text"])} for one in row["answer"]["items"]
        ]
        assert told["text"] != row["answer"]["text"]
        assert len(told["text"]) == len(row["answer"]["text"])
    else:
        assert told == row["answer"]


def test_lists_hold_names_and_what_presidio_supports_is_supported(served):
    for path in ("/recognizers", "/supportedentities", "/anonymizers", "/deanonymizers"):
        told = asked(served, path, None)[1]
        assert told and all(isinstance(one, str) for one in told)
    [row] = rows("/supportedentities?language=en")
    assert set(row["answer"]) <= set(asked(served, row["path"], None)[1])
    [row] = rows("/health")
    assert asked(served, "/health", None)[1] == row["answer"]
    unsaid = {"custom", "surrogate_ahds"}  # code, and a cloud service
    [row] = rows("/anonymizers")
    assert set(row["answer"]) - unsaid == set(asked(served, "/anonymizers", None)[1])


def test_each_entity_of_presidio_has_its_own_name_here(served):
    examples = [
        (name, text)
        for group in entities.groups().values()
        for name, by in group.items()
        for text in by.values()
    ]
    body = {"text": [text for _, text in examples], "language": "en"}
    told = asked(served, "/analyze", body)[1]
    for (_, text), found in zip(examples, told, strict=True):
        wanted = {
            "text": text,
            "language": "en",
            "entities": [name for name, t in examples if t == text],
        }
        if found:
            named = {one["entity_type"] for one in asked(served, "/analyze", wanted)[1]}
            assert named <= set(wanted["entities"])
    first = {name: {one["entity_type"] for one in found}
             for (name, _), found in zip(examples, told, strict=True)}  # fmt: skip
    for name in ("PERSON", "US_SSN", "UK_NHS", "IBAN_CODE", "US_PASSPORT", "US_BANK_NUMBER",
                 "US_ITIN", "US_DRIVER_LICENSE", "MEDICAL_LICENSE", "UUID", "ID"):  # fmt: skip
        assert first[name] == {name}


def test_presidio_decrypts_what_is_encrypted_here_and_the_other_way_round():
    cipher = pytest.importorskip("presidio_anonymizer.operators.aes_cipher").AESCipher
    for key in ("k" * 16, "ключ" * 3, "k" * 32):
        made = ANONYMIZERS["encrypt"]("Quentin Quarlés", "PERSON", {"key": key})
        assert cipher.decrypt(key.encode(), made) == "Quentin Quarlés"
        theirs = cipher.encrypt(key.encode(), "Quentin Quarlés")
        assert DEANONYMIZERS["decrypt"](theirs, "PERSON", {"key": key}) == "Quentin Quarlés"
        with pytest.raises(OperatorError):
            DEANONYMIZERS["decrypt"](theirs[:-4], "PERSON", {"key": key})


def test_a_small_request_for_much_is_refused(served):
    found = [{"start": n, "end": n + 1, "score": 1, "entity_type": "A"} for n in range(0, 9000, 2)]
    long = {"DEFAULT": {"type": "replace", "new_value": "a" * 10_000}}
    body = {"text": "a-" * 4500, "analyzer_results": found, "anonymizers": long}
    assert asked(served, "/anonymize", body)[0].status_code == 422
    body = {"text": ["a"] * 10_001, "language": "en"}
    assert asked(served, "/analyze", body)[0].status_code == 400


# Real clients


@pytest.mark.parametrize("row", LITELLM)
def test_what_litellm_sends_is_answered_as_it_reads_it(served, row):
    """Its guardrail reads lists of places with `entity_type`, and `text` with `items`."""
    answer, told = asked(served, row["path"], row["body"])
    assert answer.status_code == row["status"] == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert shape(told) == shape(row["answer"])


# Ad-hoc recognizers


@pytest.mark.parametrize(
    ("regex", "text", "found"),
    [
        (r"\bACME-\d{5}\b", "see ACME-20177.", ["ACME-20177"]),
        (r"\bÖmer\b", "bei Ömer, Ömeroğlu", ["Ömer"]),
        (r"\bÖz", "bei Özgür", ["Öz"]),
        (r"\b(?:Ann|Öz)\b", "Jürgen in Annahof, Öz", ["Öz"]),
        (r"(\bÖz|x)", "Özgür", ["Öz"]),
        (r"Frau \w+", "Frau Müßig kam", ["Frau Müßig"]),
        (r"[^\W\d_]{4,}", "Ünal 1234", ["Ünal"]),
        (r"[\w.]+@", "jö.rg@x", ["jö.rg@"]),
        (r"[]\w]+x", "a]öx", ["a]öx"]),
        (r"\d+", "٣٤ and 12", ["٣٤", "12"]),
        (r"^line\b.", "a\nLINE\n", ["LINE\n"]),
    ],
)
def test_a_request_s_regex_means_what_it_means_in_python(regex, text, found):
    assert sorted({text[a:b] for a, b in Regex(regex).spans(text)}) == sorted(found)


@pytest.mark.parametrize(
    "regex", [r"(?<=a)b", r"(a)\1", "(", r"[\Wa]", "a" * 3000, r"[^\Sa]", r"a\Bb"]
)
def test_a_regex_that_re2_cannot_do_is_told_with_the_reason(served, regex):
    own = {"supported_entity": "A", "patterns": [{"name": "p", "regex": regex, "score": 0.5}]}
    body = {"text": "ab", "language": "en", "ad_hoc_recognizers": [own]}
    answer, told = asked(served, "/analyze", body)
    assert answer.status_code == 400 and told["error"].startswith("a regex")
    assert regex not in told["error"]


def test_no_regex_of_a_request_is_slow(served):
    own = {"supported_entity": "A", "patterns": [{"name": "p", "regex": "(a+)+$", "score": 0.5}]}
    body = {"text": "a" * 50_000 + "!", "language": "en", "ad_hoc_recognizers": [own]}
    started = time.monotonic()
    assert asked(served, "/analyze", body)[0].status_code == 200
    assert time.monotonic() - started < 5


# Keys


def test_calls_without_a_key_are_the_guest_s_and_in_the_log(served):
    assert served.client.post("/presidio/analyze", json={"text": NOTE, "language": "en"}).json()
    trust = served.place.open()
    entry = [item.entry for item in trust.entries()][-1]
    trust.close()
    trust.vault.close()
    assert (entry.who, entry.action, entry.counts["SSN"]) == ("presidio", "detect", 1)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "attacker.example"}, 421),
        ({"Authorization": "Bearer nobody's"}, 401),
        ({"Content-Type": "text/plain"}, 415),
    ],
)
def test_an_open_path_is_open_to_programs_of_this_machine_alone(served, headers, status):
    headers = {"Content-Type": "application/json"} | headers
    body = json.dumps({"text": NOTE, "language": "en"})
    answer = served.client.post("/analyze", content=body, headers=headers)
    assert answer.status_code == status and set(answer.json()) == {"error"}


def test_values_come_back_to_who_may_restore_and_not_to_the_guest(served):
    row = next(row for row in rows("/deanonymize", 200))
    answer = served.client.post("/deanonymize", json=row["body"])
    assert answer.status_code == 403 and "re-identify" in answer.json()["error"]
    assert asked(served, "/deanonymize", row["body"])[0].status_code == 200
    last = logged(served)[-1]
    assert (last.who, last.action, last.role) == ("reader", "restore", "re-identify")


def test_other_paths_stay_closed(served):
    assert served.client.post("/v1/detect", json={"text": NOTE}).status_code == 401


def test_without_the_option_a_key_is_wanted(tmp_path, monkeypatch):
    with service(monkeypatch, tmp_path) as one:
        one.client.base_url = HERE
        body = {"text": NOTE, "language": "en"}
        assert one.client.post("/analyze", json=body).status_code == 200
        key = one.client.headers.pop("Authorization")
        assert one.client.post("/analyze", json=body).status_code == 401
        shown = {"X-API-Key": key.removeprefix("Bearer ")}
        assert one.client.post("/analyze", json=body, headers=shown).status_code == 200
        shown = {"X-API-Key": one.keys["auditor"]}
        assert one.client.post("/analyze", json=body, headers=shown).status_code == 403


def test_in_a_vault_of_its_own_people_name_the_guest_themselves(served, tmp_path):
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path))
        store.let_in(served.place)  # is known already
        place, _ = store.made()
        monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path / "elsewhere"))
        with pytest.raises(UsageError, match="people add presidio --service"):
            store.let_in(place)


def test_paths_without_a_key_are_never_open_to_the_network():
    open_ = server.Settings(
        host="0.0.0.0", certificate=Path("c"), key=Path("k"), open_presidio=True
    )
    with pytest.raises(UsageError, match="--open-presidio"):
        server.check(open_)
