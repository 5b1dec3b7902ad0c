"""What went wrong, in one shape for every caller: a code for programs; what, where and what to do
for people. Never a word of a document.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from scrubjay.errors import BusyError, EntryError, LimitError, ScrubjayError

TODO = {
    "usage": "compare the request with /openapi.json",
    "policy": "GET /v1/policies lists those that can be used",
    "entry": "send a key that is known here: Authorization: Bearer sjk_...",
    "access": "ask an administrator for a key that may do this",
    "limit": "send it again after the seconds that Retry-After says",
    "upstream": "see that the address behind `scrubjay serve` is right and answers",
    "leaking": "take the service out of use; see what changed: policy, patterns, model",
    "input": "send what the Content-Type says, whole",
    "refused": "mend what is said to be wrong with it, and send it again",
    "busy": "send it again after the seconds that Retry-After says",
    "too_large": "send it in parts, or as a file to /v1/files",
    "not_found": "GET /openapi.json lists what there is",
    "not_allowed": "the Allow header has the methods that can be used here",
}
LOOK = "see the service's own messages: nothing was released"
PHRASES = frozenset(one.phrase for one in HTTPStatus)
_HTTP = {404: "not_found", 405: "not_allowed", 413: "too_large"}


class Problem(Struct, frozen=True):
    """One of these, whatever failed."""

    code: str
    what: str
    where: str
    todo: str


class Told(Struct, frozen=True):
    """The body of an answer that is an error."""

    error: Problem


def answer(status: int, code: str, what: str, where: str, **headers: str) -> Response:
    """An error as it is sent."""
    body = msgspec.json.encode(Told(Problem(code, what, where, TODO.get(code, LOOK))))
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(body, status, named, "application/json")


def refused(request: Request, problem: Exception) -> Response:
    """A `ScrubjayError`, as it came."""
    if not isinstance(problem, ScrubjayError):
        return failed(request, problem)
    headers = {}
    if isinstance(problem, LimitError | BusyError):
        headers["Retry_After"] = str(getattr(problem, "wait", 1))
    if isinstance(problem, EntryError):
        headers["WWW_Authenticate"] = "Bearer"
    return answer(problem.http_status, problem.code, str(problem), _path(request), **headers)


def unknown(request: Request, problem: Exception) -> Response:
    """What the router has no answer for."""
    status = problem.status_code if isinstance(problem, HTTPException) else 500
    told: Any = getattr(problem, "headers", None) or {}
    what = _said(str(getattr(problem, "detail", "")))
    headers = {name.replace("-", "_"): value for name, value in told.items()}
    return answer(status, _HTTP.get(status, "http"), what, _path(request), **headers)


def _said(detail: str) -> str:
    """The router's own phrases begin with capitals."""
    return detail.lower() if detail in PHRASES else detail


def gone(request: Request, problem: Exception) -> Response:
    """For nobody: it only ends the request, and is no fault of ours."""
    return answer(400, "input", "who asked has gone", _path(request))


def failed(request: Request, problem: Exception) -> Response:
    """A fault of ours: its words may quote a document, so only its kind is told."""
    what = f"the service failed: {type(problem).__name__}"
    return answer(500, "error", what, _path(request))


def _path(request: Request) -> str:
    """What was asked for; `request.url` would also read the Host that somebody sent."""
    path: str = request.scope["path"]
    return path
