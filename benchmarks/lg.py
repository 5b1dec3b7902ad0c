"""spaCy's en_core_web_lg by its published sizes: vectors of 342,918 words, convolutions of width 96
and depth 4, twice: for tagger and parser, and for names. Its weights are not here.

Runs in an environment with spaCy.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import spacy

WORDS, WIDTH, VECTOR = 342_918, 96, 300
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


def add_names(nlp: Any, labels: Iterable[str]) -> None:
    """What finds names, untrained, with convolutions of its own."""
    part = nlp.add_pipe("ner", config={"model": _transitions("ner", CONVOLUTIONS)})
    for label in labels:
        part.add_label(label)


def add_grammar(nlp: Any, *, lemmas: bool) -> None:
    """Tagger and parser, untrained: they cost what trained ones cost. They come last, for no name
    reaches over the end of a sentence, and this parser ends sentences anywhere. Lemmas are looked
    up (spacy-lookups-data), where the original has rules that need a trained tagger."""
    nlp.add_pipe("tok2vec", config={"model": CONVOLUTIONS})
    tagger = nlp.add_pipe("tagger", config={"model": {"tok2vec": LISTENS}})
    parser = nlp.add_pipe("parser", config={"model": _transitions("parser", LISTENS)})
    for label in (f"T{number}" for number in range(50)):
        tagger.add_label(label)
    for label in ("ROOT", *(f"d{number}" for number in range(44))):
        parser.add_label(label)
    new = ["tok2vec", "tagger", "parser"]
    if lemmas:
        nlp.add_pipe("lemmatizer", config={"mode": "lookup"})
        new.append("lemmatizer")
    with nlp.select_pipes(enable=new):
        nlp.initialize()


def _transitions(kind: str, tok2vec: dict[str, Any]) -> dict[str, Any]:
    return {
        "@architectures": "spacy.TransitionBasedParser.v2", "state_type": kind,
        "extra_state_tokens": False, "hidden_width": 64, "maxout_pieces": 2, "use_upper": True,
        "tok2vec": tok2vec,
    }  # fmt: skip


def blank(vectors: Any) -> Any:
    """English without parts, with vectors."""
    nlp = spacy.blank("en")
    nlp.vocab.vectors = vectors
    return nlp
