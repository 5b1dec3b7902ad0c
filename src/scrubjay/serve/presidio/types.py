"""What Presidio's clients send, as far as it has a fixed shape, and what they are answered."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from scrubjay.serve.presidio.recognizers import Recognizer
from scrubjay.serve.presidio.regexes import FLAGS


class Analyze(Struct, frozen=True):
    """A text, or several, to look at. Fields that are not known here count for nothing."""

    text: str | list[str] | None = None
    language: str | None = None
    entities: list[str] | None = None
    correlation_id: str | None = None
    score_threshold: float | None = None
    return_decision_process: bool | None = None
    ad_hoc_recognizers: list[Recognizer] | None = None
    context: list[str] | None = None
    allow_list: list[str] | None = None
    allow_list_match: str = "exact"
    regex_flags: int = FLAGS

    def __repr__(self) -> str:
        return "Analyze()"


class Explanation(Struct, frozen=True):
    """Why something was found: by which rule, and never the text."""

    recognizer: str
    pattern_name: str | None
    pattern: str | None
    original_score: float
    score: float
    textual_explanation: str
    score_context_improvement: float = 0
    supportive_context_word: str = ""
    validation_result: bool | None = None
    regex_flags: int | None = None


class Recognized(Struct, frozen=True):
    """An identifier's place."""

    analysis_explanation: Explanation | None
    end: int
    entity_type: str
    score: float
    start: int


class Anonymize(Struct, frozen=True):
    """A text, where identifiers are in it, and what to put there."""

    text: str = ""
    anonymizers: dict[str, dict[str, Any]] | None = None
    analyzer_results: list[dict[str, Any]] | None = None

    def __repr__(self) -> str:
        return "Anonymize()"


class Deanonymize(Struct, frozen=True):
    """A text, where encrypted values are in it, and their keys."""

    text: str = ""
    deanonymizers: dict[str, dict[str, Any]] | None = None
    anonymizer_results: list[dict[str, Any]] | None = None

    def __repr__(self) -> str:
        return "Deanonymize()"


class Wrong(Struct, frozen=True):
    """The body of an answer that is an error."""

    error: str
