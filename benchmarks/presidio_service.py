"""Presidio's analyzer behind Flask, for serve.py: run by gunicorn, as its own image does.

    gunicorn -w 2 -b 127.0.0.1:5002 "presidio_service:create_app()"

`/analyze` does what the service's own `app.py` does, which the package leaves out. Its pipeline has
the parts and sizes of en_core_web_lg, but weights that nobody trained: vectors of 342,918 words,
convolutions of width 96 and depth 4 twice, tagger, parser, names. Rules for lemmas are left out.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import spacy
from flask import Flask, Response, jsonify, request
from presidio_analyzer import AnalyzerEngine, AnalyzerRequest, BatchAnalyzerEngine
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from spacy.vectors import Vectors

WORDS, WIDTH, VECTOR = 342_918, 96, 300
NAMES = "CARDINAL DATE EVENT FAC GPE LANGUAGE LAW LOC MONEY NORP ORDINAL ORG PERCENT PERSON PRODUCT"
NAMES += " QUANTITY TIME WORK_OF_ART"
LISTENS = {"@architectures": "spacy.Tok2VecListener.v1", "width": WIDTH, "upstream": "tok2vec"}
CONVOLUTIONS = {
    "@architectures": "spacy.Tok2Vec.v2",
    "embed": {
        "@architectures": "spacy.MultiHashEmbed.v2", "width": WIDTH,
        "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE", "SPACY", "IS_SPACE"],
        "rows": [5000, 1000, 2500, 2500, 50, 50], "include_static_vectors": True,
    },
    "encode": {
        "@architectures": "spacy.MaxoutWindowEncoder.v2", "width": WIDTH, "depth": 4,
        "window_size": 1, "maxout_pieces": 3,
    },
}  # fmt: skip


def pipeline() -> Any:
    """Parts of the same sizes."""
    nlp = spacy.blank("en")
    dice = np.random.default_rng(0)
    data = dice.standard_normal((WORDS, VECTOR), dtype=np.float32)
    nlp.vocab.vectors = Vectors(data=data, keys=np.arange(1, WORDS + 1, dtype=np.uint64))
    nlp.add_pipe("tok2vec", config={"model": CONVOLUTIONS})
    tagger = nlp.add_pipe("tagger", config={"model": {"tok2vec": LISTENS}})
    parser = nlp.add_pipe("parser", config={"model": _transitions("parser", LISTENS)})
    ner = nlp.add_pipe("ner", config={"model": _transitions("ner", CONVOLUTIONS)})
    for part, labels in (
        (tagger, [f"T{n}" for n in range(50)]),
        (parser, ["ROOT", *(f"d{n}" for n in range(44))]),
        (ner, NAMES.split()),
    ):
        for label in labels:
            part.add_label(label)
    nlp.initialize()
    return nlp


def _transitions(kind: str, tok2vec: dict[str, Any]) -> dict[str, Any]:
    return {
        "@architectures": "spacy.TransitionBasedParser.v2", "state_type": kind,
        "extra_state_tokens": False, "hidden_width": 64, "maxout_pieces": 2, "use_upper": True,
        "tok2vec": tok2vec,
    }  # fmt: skip


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
