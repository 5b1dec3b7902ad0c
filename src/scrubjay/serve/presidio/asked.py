"""What a request of Presidio's means, or why it means nothing. Messages name fields, never what the
caller wrote in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scrubjay.access.people import Caller
from scrubjay.errors import RefusedError, ScrubjayError, UsageError
from scrubjay.serve.presidio import entities
from scrubjay.serve.presidio.anonymizer import Result
from scrubjay.serve.presidio.operators import Operator, typed
from scrubjay.serve.presidio.recognizers import MOST, AdHoc
from scrubjay.serve.presidio.regexes import Regex
from scrubjay.serve.presidio.types import Analyze
from scrubjay.serve.presidio.work import Look, Wanted
from scrubjay.types import Document

MOST_TEXTS = 10_000
MOST_BESIDE = 1000
Allowed = Callable[[str], bool]


def look(who: Caller, told: Analyze) -> tuple[Look, Allowed]:
    """What is looked at, and which values of what is found nobody wants to hear of. What is missing
    is told with the status that Presidio has for it, 500."""
    if not told.text:
        raise ScrubjayError("No text provided")
    if not told.language:
        raise ScrubjayError("No language provided")
    texts = [told.text] if isinstance(told.text, str) else told.text
    context = told.context or []
    beside = " ".join(context)
    if len(texts) > MOST_TEXTS or len(beside) > MOST_BESIDE:
        raise UsageError(f"more than {MOST_TEXTS} texts, or {MOST_BESIDE} characters of context")
    documents = [Document(text, language=told.language, field=beside) for text in texts]
    adhoc = AdHoc(told.ad_hoc_recognizers, context) if told.ad_hoc_recognizers else None
    return Look(who, documents, _wanted(told), adhoc), _allowed(told)


def _wanted(told: Analyze) -> Wanted:
    """Of the entities, those that anything here finds: Presidio passes over the others, too."""
    own = (one.entity for one in told.ad_hoc_recognizers or ())
    wanted = frozenset(told.entities or ()) & {*entities.known(), *own}
    if told.entities and not wanted:
        raise ScrubjayError("No matching recognizers were found to serve the request.")
    return Wanted(told.score_threshold or 0.0, wanted)


def _allowed(told: Analyze) -> Allowed:
    listed = [term for term in told.allow_list or () if term]
    if told.allow_list_match not in ("exact", "regex"):
        raise ScrubjayError("allow_list_match must either be set to 'exact' or 'regex'.")
    if told.allow_list_match == "exact":
        return frozenset(listed).__contains__
    if len(listed) > MOST:
        raise UsageError(f"allow_list: more than {MOST} regexes; join some with |")
    regexes = [Regex(term, told.regex_flags) for term in listed]
    return lambda value: any(regex.allows(value) for regex in regexes)


def operators(
    told: Mapping[str, Mapping[str, Any]] | None, known: Mapping[str, Operator]
) -> dict[str, tuple[str, Operator, Mapping[str, Any]]]:
    """By entity, what is done with its values."""
    return {entity: _operator(params, known) for entity, params in (told or {}).items()}


def _operator(
    params: Mapping[str, Any], known: Mapping[str, Operator]
) -> tuple[str, Operator, Mapping[str, Any]]:
    name = params.get("type")
    if not name:
        raise RefusedError("Invalid input, operator config must contain operator_name")
    if name == "custom":
        raise UsageError("Custom type anonymizer is not supported")
    if name not in known:
        raise RefusedError(f"Invalid operator class; known: {', '.join(known)}")
    return name, known[name], params


def places(told: Sequence[Mapping[str, Any]] | None, *, scored: bool) -> list[Result]:
    """Places in a text, as `/analyze` or `/anonymize` told them."""
    if told is None:
        raise RefusedError("Invalid input, request must contain analyzer results")
    return [_place(one, scored) for one in told]


def _place(told: Mapping[str, Any], scored: bool) -> Result:
    start, end = (_number(told, name) for name in ("start", "end"))
    entity, score = told.get("entity_type"), told.get("score")
    if not entity:
        raise RefusedError("Invalid input, result must contain entity_type")
    if start < 0 or end < 0:
        raise RefusedError("Invalid input, result start and end must be positive")
    if start > end:
        raise RefusedError(
            f"Invalid input, start index '{start}' must be smaller than end index '{end}'"
        )
    if scored and score is None:
        raise RefusedError("Invalid input, analyzer result must contain score")
    if score is not None and not isinstance(score, int):
        typed(score, "score", float)
    return Result(start, end, typed(entity, "entity_type", str), score)


def _number(told: Mapping[str, Any], name: str) -> int:
    value = told.get(name)
    if value is None:
        raise RefusedError(f"Invalid input, result must contain {name}")
    return typed(value, name, int)
