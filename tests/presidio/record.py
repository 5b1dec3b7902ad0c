"""Writes recorded.json: what Presidio's two REST services answer to the requests below.

    pip install flask presidio-analyzer presidio-anonymizer
    python tests/presidio/record.py

The services' own `app.py` is in Presidio's repository and not in its packages, so their handlers
are written down here as they are there; all they call is the packages' own. No language model is
loaded: names are found by a deny list.
"""

import json
from pathlib import Path

from flask import Flask, Response, jsonify, request
from presidio_analyzer import AnalyzerEngine, AnalyzerRequest, BatchAnalyzerEngine
from presidio_analyzer.nlp_engine import NoOpNlpEngine
from presidio_anonymizer import AnonymizerEngine, DeanonymizeEngine
from presidio_anonymizer.entities import InvalidParamError
from presidio_anonymizer.services.app_entities_convertor import AppEntitiesConvertor
from werkzeug.exceptions import BadRequest, HTTPException

NOTE = "Mr. Quentin Quarles, SSN 536-90-4399, mail ann@example.org, from 192.0.2.17"
NAMES = {
    "name": "Names", "supported_language": "en", "supported_entity": "PERSON",
    "deny_list": ["Quentin Quarles"],
}  # fmt: skip
BADGES = {
    "name": "Badges", "supported_language": "en", "supported_entity": "BADGE", "context": ["badge"],
    "patterns": [{"name": "badge", "regex": "ACME-\\d{5}", "score": 0.3}],
}  # fmt: skip
ASKED = {"text": NOTE, "language": "en"}
FOUND = [
    {"start": 4, "end": 11, "score": 0.8, "entity_type": "PERSON"},
    {"start": 12, "end": 19, "score": 0.7, "entity_type": "PERSON"},
    {"start": 25, "end": 36, "score": 0.85, "entity_type": "US_SSN"},
    {"start": 25, "end": 36, "score": 0.4, "entity_type": "PHONE_NUMBER"},
    {"start": 43, "end": 58, "score": 1.0, "entity_type": "EMAIL_ADDRESS"},
    {"start": 47, "end": 58, "score": 0.5, "entity_type": "URL"},
    {"start": 53, "end": 75, "score": 0.5, "entity_type": "IP_ADDRESS"},
]
KEY, SALT = "WmZq4t7w!z%C&F)J", "sixteen bytes or more"
MASK = {"type": "mask", "masking_char": "*", "chars_to_mask": 6, "from_end": True}


def places(text, **anonymizers):
    """A request to replace."""
    return {"text": text, "analyzer_results": FOUND, "anonymizers": anonymizers}


def requests():
    """Each with its path."""
    analyze = [
        ASKED,
        ASKED | {"ad_hoc_recognizers": [NAMES]},
        ASKED | {"text": [NOTE, "nothing here", "SSN 536-90-4399"], "entities": ["US_SSN"]},
        ASKED | {"entities": ["EMAIL_ADDRESS", "US_SSN"], "score_threshold": 0.4},
        ASKED | {"entities": ["EMAIL_ADDRESS"], "return_decision_process": True},
        ASKED | {"entities": ["EMAIL_ADDRESS"], "correlation_id": "1", "trace": True},
        ASKED | {"entities": ["IP_ADDRESS"], "allow_list": ["192.0.2.17"]},
        ASKED | {"entities": ["EMAIL_ADDRESS"], "allow_list": ["ann"]},
        ASKED | {"entities": ["US_SSN"], "allow_list": ["-90-"], "allow_list_match": "regex"},
        ASKED | {"allow_list": ["ann"], "allow_list_match": "near"},
        ASKED | {"entities": ["BADGE"], "ad_hoc_recognizers": [BADGES],
                 "text": "ACME-20177", "context": ["badge"]},
        ASKED | {"entities": ["BADGE"], "ad_hoc_recognizers": [BADGES], "text": "ACME-20177"},
        ASKED | {"ad_hoc_recognizers": [{"supported_entity": "BADGE", "name": "none"}]},
        ASKED | {"entities": ["NO_SUCH"]},
        {"text": NOTE},
        {"language": "en"},
        {},
        {"text": "", "language": "en"},
        {"text": [], "language": "en"},
    ]  # fmt: skip
    anonymize = [
        places(NOTE),
        places(NOTE, DEFAULT={"type": "replace", "new_value": "ANON"}, US_SSN={"type": "redact"}),
        places(NOTE, US_SSN=MASK, PERSON=MASK | {"from_end": False, "chars_to_mask": 50}),
        places(NOTE, DEFAULT={"type": "hash", "salt": SALT}, US_SSN={"type": "keep"}),
        places(NOTE, DEFAULT={"type": "hash", "hash_type": "sha512", "salt": SALT}),
        places(NOTE, DEFAULT={"type": "hash"}),
        places(NOTE, DEFAULT={"type": "encrypt", "key": KEY}),
        places(NOTE, DEFAULT={"type": "hash", "salt": "short"}),
        places(NOTE, DEFAULT={"type": "hash", "hash_type": "md5"}),
        places(NOTE, DEFAULT={"type": "encrypt", "key": "short"}),
        places(NOTE, DEFAULT={"type": "encrypt"}),
        places(NOTE, US_SSN={"type": "mask", "masking_char": "**"}),
        places(NOTE, US_SSN={"type": "mask", "masking_char": "*", "chars_to_mask": "6"}),
        places(NOTE, DEFAULT={"type": "custom"}),
        places(NOTE, DEFAULT={"type": "no_such"}),
        places(NOTE, DEFAULT={"new_value": "ANON"}),
        places("short"),
        {"text": NOTE},
        {"text": NOTE, "analyzer_results": []},
        {"text": NOTE, "analyzer_results": [{"start": 1, "end": 2, "score": 1}]},
        {"text": NOTE, "analyzer_results": [{"start": 1, "end": 2, "entity_type": "A"}]},
        {"text": NOTE, "analyzer_results": [FOUND[0] | {"start": "4"}]},
        {"text": NOTE, "analyzer_results": [FOUND[0] | {"start": -4}]},
        {"text": NOTE, "analyzer_results": [FOUND[0] | {"start": 14}]},
        {"text": "a  b\nc", "analyzer_results": [
            {"start": n, "end": n + 1, "score": 1, "entity_type": "A"} for n in (0, 3, 5)]},
        {},
    ]  # fmt: skip
    yield from (("/analyze", body) for body in analyze)
    yield from (("/anonymize", body) for body in anonymize)
    yield from ((path, None) for path in ("/recognizers", "/supportedentities?language=en",
                                          "/anonymizers", "/deanonymizers", "/health"))  # fmt: skip


def decryptions(client):
    """Requests made of an answer: its values decrypted, with the key and with others."""
    made = client.post(
        "/anonymize", json=places(NOTE, DEFAULT={"type": "encrypt", "key": KEY})
    ).json
    for by in (
        {"DEFAULT": {"type": "decrypt", "key": KEY}},
        {"DEFAULT": {"type": "deanonymize_keep"}, "US_SSN": {"type": "decrypt", "key": KEY}},
        {"DEFAULT": {"type": "decrypt", "key": "short"}},
        {"DEFAULT": {"type": "encrypt", "key": KEY}},
    ):
        yield "/deanonymize", {
            "text": made["text"], "anonymizer_results": made["items"], "deanonymizers": by,
        }  # fmt: skip
    yield "/deanonymize", {}


def services():
    """Both services as one application."""
    app = Flask(__name__)
    engine = AnalyzerEngine(nlp_engine=loaded(), supported_languages=["en"])
    batch = BatchAnalyzerEngine(engine)
    anonymizer, deanonymizer = AnonymizerEngine(), DeanonymizeEngine()
    read = AppEntitiesConvertor

    @app.get("/health")
    def health():
        return "Presidio Analyzer service is up"

    @app.post("/analyze")
    def analyze():
        try:
            asked = AnalyzerRequest(request.get_json())
            check(asked)
            one = isinstance(asked.text, str)
            found = batch.analyze_iterator(
                [asked.text] if one else asked.text,
                language=asked.language,
                correlation_id=asked.correlation_id,
                score_threshold=asked.score_threshold,
                entities=asked.entities,
                return_decision_process=asked.return_decision_process,
                ad_hoc_recognizers=asked.ad_hoc_recognizers,
                context=asked.context,
                allow_list=asked.allow_list,
                allow_list_match=asked.allow_list_match,
                regex_flags=asked.regex_flags,
            )
            for result in (result for every in found for result in every):
                del result.recognition_metadata
            told = json.dumps(
                found[0] if one else found, default=lambda o: o.to_dict(), sort_keys=True
            )
            return Response(told, content_type="application/json")
        except TypeError as problem:
            start = "Failed to parse /analyze request for AnalyzerEngine.analyze(). "
            return jsonify(error=start + problem.args[0]), 400
        except Exception as problem:  # noqa: BLE001 - as it is there
            return jsonify(error=problem.args[0]), 500

    @app.get("/recognizers")
    def recognizers():
        return jsonify([one.name for one in engine.get_recognizers(request.args.get("language"))])

    @app.get("/supportedentities")
    def entities():
        return jsonify(engine.get_supported_entities(request.args.get("language")))

    @app.post("/anonymize")
    def anonymize():
        content = request.get_json()
        if not content:
            raise BadRequest("Invalid request json")
        operators = read.operators_config_from_json(content.get("anonymizers"))
        if read.check_custom_operator(operators):
            raise BadRequest("Custom type anonymizer is not supported")
        results = read.analyzer_results_from_json(content.get("analyzer_results"))
        done = anonymizer.anonymize(
            text=content.get("text", ""), analyzer_results=results, operators=operators
        )
        return Response(done.to_json(), mimetype="application/json")

    @app.post("/deanonymize")
    def deanonymize():
        content = request.get_json()
        if not content:
            raise BadRequest("Invalid request json")
        done = deanonymizer.deanonymize(
            text=content.get("text", ""),
            entities=read.deanonymize_entities_from_json(content),
            operators=read.operators_config_from_json(content.get("deanonymizers")),
        )
        return Response(done.to_json(), mimetype="application/json")

    @app.get("/anonymizers")
    def anonymizers():
        return jsonify(anonymizer.get_anonymizers())

    @app.get("/deanonymizers")
    def deanonymizers():
        return jsonify(deanonymizer.get_deanonymizers())

    @app.errorhandler(InvalidParamError)
    def invalid(problem):
        return jsonify(error=problem.err_msg), 422

    @app.errorhandler(HTTPException)
    def http(problem):
        return jsonify(error=problem.description), problem.code

    @app.errorhandler(Exception)
    def failed(problem):
        return jsonify(error="Internal server error"), 500

    return app


def check(asked):
    """What the service itself looks at."""
    if not asked.text:
        raise ValueError("No text provided")
    if not asked.language:
        raise ValueError("No language provided")


def loaded():
    """An NLP engine without a model."""
    engine = NoOpNlpEngine([{"lang_code": "en", "model_name": "none"}])
    engine.load()
    return engine


def main():
    client = services().test_client()
    rows = []
    for path, body in [*requests(), *decryptions(client)]:
        answer = client.get(path) if body is None else client.post(path, json=body)
        told = answer.json if answer.is_json else answer.text
        if path in ("/recognizers", "/supportedentities?language=en"):
            told = sorted(told)
        rows.append({"path": path, "body": body, "status": answer.status_code, "answer": told})
    file = Path(__file__).with_name("recorded.json")
    file.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
