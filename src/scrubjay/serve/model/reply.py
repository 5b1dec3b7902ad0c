"""What a model answers, with values in place of placeholders: whole, or as events that come one by
one, where a placeholder may be cut by any.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import msgspec

from scrubjay.errors import InputError
from scrubjay.serve.model.table import Restorer, Table, quoted

SEALED = frozenset({"signature", "encrypted_content", "id", "model"})
FRAGMENTS = frozenset({
    "content", "refusal", "reasoning", "reasoning_content", "arguments", "text", "partial_json",
    "thinking", "delta",
})  # fmt: skip
IN_JSON = frozenset({"arguments", "partial_json"})
PLACES = frozenset({"index", "output_index", "content_index", "summary_index", "item_id"})
ONCE = frozenset({"id", "name", "role"})  # of a delta, what readers would put together twice
ENDS = ("_stop", ".done", ".completed", ".incomplete", ".failed")
LONGEST = 1 << 24  # bytes of an event

Place = tuple[tuple[str, Any], ...]  # which text of a stream a fragment is of
Put = Callable[[Place, str, str], str]  # of a fragment: its place, its key, its text


def whole(body: bytes, table: Table) -> bytes:
    """A body that came at once. What is no JSON stays as it is."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return body
    return msgspec.json.encode(restored(value, table))


def restored(value: Any, table: Table, key: str = "") -> Any:
    """All strings of it. One that holds JSON stays JSON."""
    if isinstance(value, dict):
        return {table.restored(k): restored(v, table, k) for k, v in value.items()}
    if isinstance(value, list):
        return [restored(one, table, key) for one in value]
    if not isinstance(value, str) or key in SEALED:
        return value
    return table.restored(value, quoted if _json(value) else str)


def _json(text: str) -> bool:
    if not text.startswith(("{", "[")):
        return False
    try:
        msgspec.json.decode(text.encode("utf-8", "replace"), type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


class Event(msgspec.Struct):
    """One of a stream, as lines have it. `data` is what it says, if that is JSON."""

    lines: list[bytes]
    data: Any = None

    def __repr__(self) -> str:
        return f"Event(<{len(self.lines)} lines>)"

    def written(self) -> bytes:
        """As it is sent."""
        if self.data is None:
            return b"\n".join(self.lines) + b"\n\n"
        told = [line for line in self.lines if not line.startswith(b"data:")]
        return b"\n".join([*told, b"data: " + msgspec.json.encode(self.data)]) + b"\n\n"


async def events(chunks: AsyncIterator[bytes]) -> AsyncIterator[Event]:
    """The events of a stream that may be cut anywhere."""
    left = b""
    async for chunk in chunks:
        left = (left + chunk).replace(b"\r\n", b"\n")
        *told, left = left.split(b"\n\n")
        for one in told:
            yield _event(one)
        if len(left) > LONGEST:
            raise InputError("the model's answer has an event without an end")
    if left.strip():
        yield _event(left.rstrip(b"\n"))


def _event(told: bytes) -> Event:
    lines = told.split(b"\n")
    data = b"\n".join(line[5:].strip() for line in lines if line.startswith(b"data:"))
    try:
        return Event(lines, msgspec.json.decode(data) if data else None)
    except msgspec.DecodeError:
        return Event(lines)  # "[DONE]"


class Stream:
    """Events in, events out. What of a text was held back, because it may have been the beginning
    of a placeholder, is told in an event like the text's last, before the one that ends it."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._open: dict[Place, tuple[Restorer, Event]] = {}

    def feed(self, event: Event) -> Iterator[bytes]:
        """What is sent for an event."""
        if event.data is None:
            yield from self.rest()
        for place in _ended(event.data):
            yield from self._told(place)

        def put(place: Place, key: str, text: str) -> str:
            fresh = Restorer(self._table, quoted if key in IN_JSON else str)
            known, _ = self._open.get(place, (fresh, event))
            self._open[place] = known, event
            return known.feed(text)

        if event.data is not None:
            event.data = _mapped(event.data, put, self._whole)
        yield event.written()

    def rest(self) -> Iterator[bytes]:
        """What is still held back."""
        yield from self._told(())

    def _whole(self, key: str, text: str) -> str:
        told: str = restored(text, self._table, key)
        return told

    def _told(self, ended: Place) -> Iterator[bytes]:
        for place in [one for one in self._open if set(ended) <= set(one)]:
            known, event = self._open.pop(place)
            if left := known.rest():
                yield Event(event.lines, _alone(event.data, place, left)).written()


def _alone(data: Any, place: Place, left: str) -> Any:
    """An event like this one that says nothing but the rest of one text."""

    def put(other: Place, _key: str, _text: str) -> str:
        return left if other == place else ""

    return _once(_mapped(data, put, lambda _, text: text))


def _once(value: Any, *, within: bool = False) -> Any:
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if not (within and k in ONCE)}
        return {k: _once(v, within=within or k == "delta") for k, v in kept.items()}
    return [_once(one, within=within) for one in value] if isinstance(value, list) else value


def _ended(data: Any) -> Iterator[Place]:
    """Which texts have come to their end, by what their places have in common."""
    if not isinstance(data, dict):
        return
    if str(data.get("type", "")).endswith(ENDS):
        yield _place(data, "")
    for choice in data.get("choices") or ():
        if isinstance(choice, dict) and choice.get("finish_reason"):
            yield _place(choice, "choices")


def _mapped(
    value: Any, put: Put, whole: Callable[[str, str], str], key: str = "", place: Place = (),
    *, within: bool = False,
) -> Any:  # fmt: skip
    """The same with other strings: fragments of texts lie in a `delta`, or are one."""
    if isinstance(value, dict):
        at = place + _place(value, key)
        return {
            k: _mapped(v, put, whole, k, at, within=within or k == "delta")
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [_mapped(one, put, whole, key, place, within=within) for one in value]
    if not isinstance(value, str):
        return value
    return (
        put((*place, ("", key)), key, value) if within and key in FRAGMENTS else whole(key, value)
    )


def _place(value: dict[str, Any], name: str) -> Place:
    return tuple((f"{name}.{key}", value[key]) for key in PLACES & value.keys())
