"""Presidio's analyzer behind Flask, for serve.py: run by gunicorn, as its own image does.

    gunicorn -w 2 -b 127.0.0.1:5002 "presidio_service:create_app()"

`/analyze` does what the service's own `app.py` does, which the package leaves out. Its pipeline has
the parts and sizes of en_core_web_lg (lg.py), but weights that nobody trained, and no lemmas.
"""

from __future__ import annotations

import json
from typing import Any

import lg
import numpy as np
from flask import Flask, Response, jsonify, request
from presidio_analyzer import AnalyzerEngine, AnalyzerRequest, BatchAnalyzerEngine
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from spacy.vectors import Vectors

NAMES = "CARDINAL DATE EVENT FAC GPE LANGUAGE LAW LOC MONEY NORP ORDINAL ORG PERCENT PERSON PRODUCT"
NAMES += " QUANTITY TIME WORK_OF_ART"


def pipeline() -> Any:
    """Parts of the same sizes."""
    dice = np.random.default_rng(0)
    data = dice.standard_normal((lg.WORDS, lg.VECTOR), dtype=np.float32)
    nlp = lg.blank(Vectors(data=data, keys=np.arange(1, lg.WORDS + 1, dtype=np.uint64)))
    lg.add_names(nlp, NAMES.split())
    nlp.initialize()
    lg.add_grammar(nlp, lemmas=False)
    return nlp


class Sized(SpacyNlpEngine):
    """That pipeline, as Presidio uses one."""

    def load(self) -> None:
        """Made here: there is nothing to download."""
        self.nlp = {"en": pipeline()}


def create_app() -> Flask:
    """The service."""
    engine = AnalyzerEngine(nlp_engine=Sized(), supported_languages=["en"])
    batches = BatchAnalyzerEngine(engine)
    app = Flask(__name__)

    @app.route("/health")
    def health() -> str:
        return "up"

    @app.route("/analyze", methods=["POST"])
    def analyze() -> Response:
        asked = AnalyzerRequest(request.get_json())
        if not asked.text or not asked.language:
            return jsonify(error="no text or no language")
        found = batches.analyze_iterator(
            texts=[asked.text], language=asked.language, batch_size=1,
            score_threshold=asked.score_threshold, entities=asked.entities, n_process=1,
        )  # fmt: skip
        told = [_shown(one) for one in next(iter(found))]
        return Response(json.dumps(told, sort_keys=True), content_type="application/json")

    return app


def _shown(result: Any) -> dict[str, Any]:
    shown = dict(result.to_dict())
    shown.pop("recognition_metadata", None)
    return shown
