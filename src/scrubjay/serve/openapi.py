"""What can be asked, as OpenAPI 3.1 has it: made of the calls that the routes are made of, and of
the types that requests are read by.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

import scrubjay
from scrubjay.errors import EntryError, LimitError, ScrubjayError
from scrubjay.serve.call import JSON, NDJSON, Call, Content, every

PLACED = "#/components/schemas/{name}"
PLACE = re.compile(r"{(\w+)(?::\w+)?}")
KEYS = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
WAIT = {"Retry-After": "Seconds after which to ask again."}
SHOW = {"WWW-Authenticate": "How a key is shown."}
TOO_LARGE = "The body is too large."

Schemas = Mapping[Any, Any]


def described(calls: Sequence[Call]) -> dict[str, Any]:
    """The document."""
    kinds = _kinds(calls)
    found, components = msgspec.json.schema_components(kinds, ref_template=PLACED)
    schemas = dict(zip(map(_named, kinds), found, strict=True))
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for call in calls:
        paths[PLACE.sub(r"{\1}", call.path)][call.method.lower()] = _operation(call, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Scrubjay", "version": scrubjay.__version__,
                 "description": "Finds personal data and takes it out, on this machine alone."},
        "paths": dict(paths),
        "components": {"schemas": components, "securitySchemes": KEYS},
    }  # fmt: skip


def _kinds(calls: Sequence[Call]) -> list[Any]:
    bodies = (one for call in calls for one in (*every(call.takes), *every(call.gives)))
    return [*(call.problem for call in calls), *(one.kind for one in bodies if one.kind)]


def _named(kind: Any) -> str:
    return repr(kind)  # of types some have no hash


def _operation(call: Call, schemas: Schemas) -> dict[str, Any]:
    told: dict[str, Any] = {
        "summary": call.summary,
        "operationId": f"{call.method.lower()}_{re.sub(r'[^a-z0-9]+', '_', call.path.lower())}",
        "responses": _responses(call, schemas),
        "security": [{name: []} for name in KEYS] if call.key else [],
    }
    if parameters := [*_in_path(call), *_in_query(call), *_in_headers(call)]:
        told["parameters"] = parameters
    if call.takes:
        bodies = every(call.takes)
        must = all(one.kind for one in bodies) and bodies[0].media != NDJSON  # no lines: a body
        told["requestBody"] = {"required": must, "content": _content(bodies, schemas)}
    return told


def _in_path(call: Call) -> list[dict[str, Any]]:
    names = PLACE.findall(call.path)
    text = {"type": "string", "minLength": 1}
    return [{"name": name, "in": "path", "required": True, "schema": text} for name in names]


def _in_query(call: Call) -> list[dict[str, Any]]:
    if call.query is None:
        return []
    _, components = msgspec.json.schema_components([call.query])
    whole = components[call.query.__name__]
    must = whole.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in must, "schema": one}
        for name, one in whole["properties"].items()
    ]


def _in_headers(call: Call) -> list[dict[str, Any]]:
    text = {"type": "string"}
    return [
        {"name": name, "in": "header", "description": meaning, "schema": text}
        for name, meaning in call.hears.items()
    ]


def _responses(call: Call, schemas: Schemas) -> dict[str, Any]:
    done: dict[str, Any] = {"description": call.summary, **_headers(call.sends)}
    if call.gives:
        done["content"] = _content(every(call.gives), schemas)
    told = {str(call.status) if call.status else "default": done}
    meanings: dict[int, list[type[ScrubjayError]]] = defaultdict(list)
    for error in call.errors():
        meanings[error.http_status].append(error)
    for status, errors in sorted(meanings.items()):
        told[str(status)] = _failure(" ".join(dict.fromkeys(map(_first, errors))), errors[0], call)
    for status, meaning in call.also.items():
        told[str(status)] = _failure(meaning, ScrubjayError, call)
    if call.takes:
        told["413"] = _failure(TOO_LARGE, ScrubjayError, call)
    return told


def _first(error: type[ScrubjayError]) -> str:
    if error is ScrubjayError:
        return "The service failed: nothing was released."
    return (error.__doc__ or "").split("\n\n")[0].replace("\n    ", " ")


def _failure(meaning: str, error: type[ScrubjayError], call: Call) -> dict[str, Any]:
    headers = WAIT if error.http_status in (LimitError.http_status, 503) else {}
    headers = SHOW if error is EntryError else headers
    ours = {"$ref": PLACED.format(name=call.problem.__name__)}
    return {"description": meaning, "content": {JSON: {"schema": ours}}, **_headers(headers)}


def _headers(meant: Mapping[str, str]) -> dict[str, Any]:
    text = {"type": "string"}
    rows = {name: {"description": meaning, "schema": text} for name, meaning in meant.items()}
    return {"headers": rows} if rows else {}


def _content(bodies: Iterable[Content], schemas: Schemas) -> dict[str, Any]:
    return {one.media: _body(one, schemas) for one in bodies}


def _body(content: Content, schemas: Schemas) -> dict[str, Any]:
    schema = schemas[_named(content.kind)] if content.kind else {}
    if content.media == NDJSON:  # OpenAPI 3.1 has no word for a line
        name = str(schema["$ref"]).rpartition("/")[2]
        schema = {"type": "string", "description": f"A line each: {name}, as JSON."}
    told: dict[str, Any] = {"schema": schema}
    if content.example is not None:
        told["example"] = content.example
    return told


class Described(Struct, frozen=True):
    """An OpenAPI document."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]
    components: dict[str, Any]
