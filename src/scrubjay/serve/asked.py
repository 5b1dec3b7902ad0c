"""What a request says: who asks, and for what. And how an answer is written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from scrubjay.access.people import Caller
from scrubjay.errors import EntryError, InputError, RefusedError, UsageError
from scrubjay.serve.clerk import Shown
from scrubjay.serve.desk import ENTRY
from scrubjay.serve.gate import source

LARGEST = 1 << 23  # bytes of a body that is read at once
NO_KEY = "no API key was shown"
T = TypeVar("T")


async def caller(request: Request) -> Caller:
    """Who asks: by a key in `Authorization: Bearer`, or in `X-API-Key`."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        key = request.headers.get("x-api-key", "")
    return await admitted(request, key.strip())


async def admitted(request: Request, key: str) -> Caller:
    """Whose key this is."""
    if not key:
        raise EntryError(NO_KEY)
    state = request.app.state.all
    known: Caller | None = state.gate.known(key)
    if known is None:
        where = source(request.client.host if request.client else "")
        known = await state.desk.ask(ENTRY, Shown(key, where), 1)
    return known


async def body(request: Request, most: int = LARGEST) -> bytes:
    """All of the body, or a refusal as soon as it is too long."""
    told = request.headers.get("content-length", "")
    data = bytearray()
    if not (told.isdecimal() and int(told) > most):
        async for chunk in request.stream():
            data += chunk
            if len(data) > most:
                break
        else:
            return bytes(data)
    raise HTTPException(413, f"the body is larger than {most >> 20} MiB")


async def read(request: Request, kind: type[T]) -> T:
    """The body, as what it must be."""
    return decoded(await body(request), kind)


def decoded(data: bytes, kind: type[T]) -> T:
    """JSON, as what it must be. What is wrong is told by its place, never by its words."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as problem:
        raise UsageError(f"the body: {_place(problem)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InputError("the body is no JSON") from None


def query(request: Request, kind: type[T]) -> T:
    """What stands after `?`, as the struct that a call names for it."""
    try:
        return msgspec.convert(dict(request.query_params), kind, strict=False)
    except msgspec.ValidationError as problem:
        raise UsageError(f"after '?': {_place(problem)}") from None


def _place(problem: msgspec.ValidationError) -> str:
    """Its message has types, names of fields that we know, and places; an unknown field's name is
    the caller's own word, and stays with them."""
    message, _, where = str(problem).partition(" - at ")
    if "unknown field" in message:
        message = "an unknown field"
    elif "Invalid enum" in message or "Invalid value" in message:
        message = "a value that is not one of those allowed"
    return f"{message} at {where}" if where else message


async def unless_gone(request: Request, work: Awaitable[T]) -> T:
    """What comes of it; it is given up when who asked has gone. Once the body is read."""
    working = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise RefusedError("who asked has gone")
        return await working
    finally:
        gone.cancel()
        working.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def shown(told: Any) -> Response:
    """An answer as JSON."""
    return Response(msgspec.json.encode(told), media_type="application/json")
