"""LiteLLM's Presidio guardrail, from PyPI, with nothing but its addresses changed: what it masks,
what it puts back, its options, and what becomes of a request when the service is not there."""

import json
import os
import subprocess
from pathlib import Path

import pytest

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage"):
    pytest.importorskip(needed)

from serving import logged, running, service  # noqa: E402

from scrubjay.serve import store  # noqa: E402
from scrubjay.serve.app import application  # noqa: E402

PYTHON = os.environ.get("SCRUBJAY_LITELLM", "")
CLIENT = Path(__file__).parent / "presidio/litellm_client.py"
NOTE = "Mr. Quentin Quarles, SSN 536-90-4399, mail ann@example.org, badge ACME-20177"
MASKED = "Mr. <PERSON>, SSN <US_SSN>, mail <EMAIL_ADDRESS>, badge ACME-20177"
BADGE = {
    "name": "Badges", "supported_language": "en", "supported_entity": "BADGE",
    "patterns": [{"name": "badge", "regex": "ACME-\\d{5}", "score": 0.6}],
}  # fmt: skip

pytestmark = pytest.mark.skipif(
    not PYTHON, reason="SCRUBJAY_LITELLM names no Python that has LiteLLM: .ci/run makes one"
)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What came of each case: all in one process, which takes seconds to start."""
    folder = tmp_path_factory.mktemp("litellm")
    own = folder / "recognizers.json"
    own.write_text(json.dumps([BADGE]))
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        service(monkeypatch, folder, open_presidio=True) as served,
        running(application(served.state)) as address,
    ):
        store.let_in(served.place)
        names, cases = zip(*_cases(address, str(own)), strict=True)
        done = subprocess.run(
            [PYTHON, CLIENT], input=json.dumps(cases), capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        yield dict(zip(names, json.loads(done.stdout), strict=True)) | {"log": logged(served)}


def _cases(address, own):
    def case(name, text=NOTE, answer="{last}", at=address, **options):
        bases = dict.fromkeys(("presidio_analyzer_api_base", "presidio_anonymizer_api_base"), at)
        messages = [{"role": "user", "content": text}]
        return name, {"options": bases | options, "messages": messages, "answer": answer}

    yield case("mask")
    yield case("parts", [{"type": "text", "text": NOTE}])
    yield case("unmask", answer="I read: {last}", output_parse_pii=True)
    yield case("ad hoc", presidio_ad_hoc_recognizers=own)
    chosen = {"BADGE": "MASK", "US_SSN": "MASK"}
    yield case("chosen", presidio_ad_hoc_recognizers=own, pii_entities_config=chosen)
    yield case("threshold", presidio_score_thresholds={"EMAIL_ADDRESS": 1.1, "ALL": 0.1})
    yield case("denied", presidio_entities_deny_list=["EMAIL_ADDRESS"])
    yield case("block", pii_entities_config={"US_SSN": "BLOCK"})
    yield case("nobody there", at="http://127.0.0.1:9")
    yield case("refused", at=f"{address}/nothing", output_parse_pii=True)


def test_what_is_found_is_masked_in_texts_and_parts(told):
    assert told["mask"]["sent"] == [MASKED]
    assert told["parts"]["sent"] == [[{"type": "text", "text": MASKED}]]


def test_what_was_masked_comes_back_in_the_answer(told):
    [sent] = told["unmask"]["sent"]
    assert not [one for one in ("Quarles", "536-90-4399", "ann@") if one in sent]
    assert told["unmask"]["told"] == f"I read: {NOTE}"


def test_recognizers_of_its_own_are_sent_along(told):
    assert told["ad hoc"]["sent"] == [MASKED.replace("ACME-20177", "<BADGE>")]
    [sent] = told["chosen"]["sent"]
    assert "<BADGE>" in sent and "<US_SSN>" in sent and "ann@example.org" in sent


def test_scores_and_names_are_those_that_its_options_speak_of(told):
    for name in ("threshold", "denied"):
        assert told[name]["sent"] == [MASKED.replace("<EMAIL_ADDRESS>", "ann@example.org")]
    assert "BlockedPiiEntityError" in told["block"]["error"]


@pytest.mark.parametrize("name", ["nobody there", "refused"])
def test_an_outage_sends_nothing_and_says_no_word_of_the_text(told, name):
    assert set(told[name]) == {"error"} and "Quarles" not in told[name]["error"]


def test_all_of_it_is_the_guest_s_in_the_log(told):
    mine = [one for one in told["log"] if one.who == "presidio"]
    assert {one.action for one in mine} == {"detect", "anonymize"}
