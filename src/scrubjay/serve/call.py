"""A path of the service with all that is told of it: routes are made of calls, and so is what
/openapi.json says, so that nothing can be asked that is not described.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from scrubjay.errors import (
    AccessError,
    BusyError,
    EntryError,
    InputError,
    LimitError,
    ScrubjayError,
)  # fmt: skip
from scrubjay.serve.problems import Told

JSON = "application/json"
NDJSON = "application/x-ndjson"
BYTES = "application/octet-stream"
KEYED = (EntryError, AccessError, LimitError, BusyError)  # of whatever wants a key

Handler = Callable[..., Any]


class Content(Struct, frozen=True):
    """What a body is. `kind`: a type that msgspec knows; of NDJSON, a line's; of other media, none.
    `example` is shown, and tried in the tests."""

    kind: Any = None
    media: str = JSON
    example: Any = None


class Call(Struct, frozen=True):
    """What can be asked at a path. `takes`, `gives`: a body, or one of several; `query`: a struct
    whose fields are the parameters, as `asked.query` reads them; `hears`, `sends`: headers of
    request and answer with what they mean; `fails`: errors beside those that come with a key
    (`KEYED`) or with a body; `problem`: the body of an error, where it is not the service's own;
    `also`: other statuses of errors. `status` 0: any, as somebody else says it."""

    method: str
    path: str
    handler: Handler
    summary: str
    takes: Content | tuple[Content, ...] = ()
    gives: Content | tuple[Content, ...] = ()
    status: int = 200
    query: type[Struct] | None = None
    hears: Mapping[str, str] = {}
    sends: Mapping[str, str] = {}
    fails: tuple[type[ScrubjayError], ...] = ()
    key: bool = True
    problem: type[Struct] = Told
    also: Mapping[int, str] = {}

    def errors(self) -> list[type[ScrubjayError]]:
        """All that can go wrong, by kind."""
        with_key = KEYED if self.key else ()
        with_body = (InputError,) if self.takes or self.query else ()
        return [ScrubjayError, *with_key, *with_body, *self.fails]


def every(told: Content | tuple[Content, ...]) -> tuple[Content, ...]:
    """One or several, as several."""
    return (told,) if isinstance(told, Content) else told


def routes(calls: Iterable[Call]) -> list[BaseRoute]:
    """Calls as the router has them."""
    paths: dict[str, dict[str, Handler]] = {}
    for one in calls:
        paths.setdefault(one.path, {})[one.method] = one.handler
    return [Route(path, _of(by), methods=list(by)) for path, by in paths.items()]


def _of(by: dict[str, Handler]) -> Handler:
    """One handler for all methods of a path, so that the router can say which there are."""
    if len(by) == 1:
        return next(iter(by.values()))

    async def handler(request: Request) -> Response:
        answer: Response = await by["GET" if request.method == "HEAD" else request.method](request)
        return answer

    return handler
