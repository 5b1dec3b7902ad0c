"""What a model answers, with values in place of placeholders: whole, or as events that come one by
one, where a placeholder may be cut by any.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from scrubjay.errors import InputError
from scrubjay.serve.model.table import Restorer, Table, moved, quoted

SEALED = frozenset({"signature", "encrypted_content", "id", "model"})
FRAGMENTS = frozenset({
    "content", "refusal", "reasoning", "reasoning_content", "arguments", "text", "partial_json",
    "thinking", "delta",
})  # fmt: skip
IN_JSON = frozenset({"arguments", "partial_json"})
PLACES = ("index", "output_index", "content_index", "summary_index", "item_id")
WITHIN = frozenset({"delta", "annotation"})  # of an event: what is added to what came before
INDICES = frozenset({"start_index", "end_index"})  # of an annotation, in the text that it is of
TEXTS = ("text", "content")
ONCE = frozenset({"id", "name", "role"})  # of a delta, what readers would put together twice
ENDS = ("_stop", ".done", ".completed", ".incomplete", ".failed")
LONGEST = 1 << 24  # bytes of an event

Place = tuple[tuple[str, Any], ...]  # which text of a stream a fragment is of


class Change(NamedTuple):
    """What becomes of an event: of a fragment, by its place and key; of other strings, by key; of
    an annotation's place in a text; of an object that has a text and its annotations."""

    put: Callable[[Place, str, str], str]
    whole: Callable[[str, str], str]
    move: Callable[[Place, int], int]
    placed: Callable[[dict[str, Any]], dict[str, Any]]


def whole(body: bytes, table: Table) -> bytes:
    """A body that came at once. What is no JSON stays as it is."""
    if not table.values:
        return body
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return body
    return msgspec.json.encode(restored(value, table))


def restored(value: Any, table: Table, key: str = "") -> Any:
    """All strings of it. One that holds JSON stays JSON."""
    if isinstance(value, dict):
        told = placed(value, table)
        return {table.restored(k): restored(v, table, k) for k, v in told.items()}
    if isinstance(value, list):
        return [restored(one, table, key) for one in value]
    if not isinstance(value, str) or key in SEALED:
        return value
    return table.restored(value, quoted if _json(value) else str)


def placed(value: dict[str, Any], table: Table) -> dict[str, Any]:
    """The same, with its annotations where they are in the text that it will have."""
    text = next((value[key] for key in TEXTS if isinstance(value.get(key), str)), None)
    if text is None or not value.get("annotations"):
        return value
    edits = table.edits(text, quoted if _json(text) else str)
    return value | {"annotations": _moved(value["annotations"], lambda at: moved(edits, at))}


def _moved(value: Any, move: Callable[[int], int], key: str = "") -> Any:
    if isinstance(value, dict):
        return {k: _moved(v, move, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_moved(one, move) for one in value]
    return move(value) if key in INDICES and isinstance(value, int) else value


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
        self._texts: dict[Place, Restorer] = {}  # all that there were
        self._event = Event([])  # that is being told
        self._change = Change(
            self._put, self._whole, self._move, lambda value: placed(value, table)
        )

    def feed(self, event: Event) -> Iterator[bytes]:
        """What is sent for an event."""
        if event.data is None:
            yield from self.rest()
        for place in _ended(event.data):
            yield from self._told(place)
        if event.data is not None:
            self._event = event
            event.data = _mapped(event.data, self._change)
        yield event.written()

    def rest(self) -> Iterator[bytes]:
        """What is still held back."""
        yield from self._told(())

    def _put(self, place: Place, key: str, text: str) -> str:
        fresh = Restorer(self._table, quoted if key in IN_JSON else str)
        known, _ = self._open.get(place, (fresh, self._event))
        self._open[place] = known, self._event
        self._texts[place] = known
        return known.feed(text)

    def _whole(self, key: str, text: str) -> str:
        told: str = restored(text, self._table, key)
        return told

    def _move(self, place: Place, at: int) -> int:
        """An annotation's place, in the text that has come so far where the annotation is."""
        for (*known, (_, key)), text in self._texts.items():
            if set(known) <= set(place) and key in ("content", "delta"):
                return text.moved(at)
        return at

    def _told(self, ended: Place) -> Iterator[bytes]:
        for place in [one for one in self._open if set(ended) <= set(one)]:
            known, event = self._open.pop(place)
            if left := known.rest():
                yield Event(event.lines, _alone(event.data, place, left)).written()


def _alone(data: Any, place: Place, left: str) -> Any:
    """An event like this one that says nothing but the rest of one text."""

    def put(other: Place, _key: str, _text: str) -> str:
        return left if other == place else ""

    same = Change(put, lambda _, text: text, lambda _, at: at, lambda value: value)
    return _once(_mapped(data, same))


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
    value: Any, change: Change, key: str = "", place: Place = (), *, within: bool = False
) -> Any:
    """The same with other strings: fragments of texts lie in a `delta`, or are one."""
    if isinstance(value, dict):
        at = place + _place(value, key)
        told = value if within else change.placed(value)
        return {k: _mapped(v, change, k, at, within=within or k in WITHIN) for k, v in told.items()}
    if isinstance(value, list):
        return [_mapped(one, change, key, place, within=within) for one in value]
    if within and key in INDICES and isinstance(value, int):
        return change.move(place, value)
    if not isinstance(value, str):
        return value
    fragment = within and key in FRAGMENTS
    return change.put((*place, ("", key)), key, value) if fragment else change.whole(key, value)


def _place(value: dict[str, Any], name: str) -> Place:
    return tuple((f"{name}.{key}", value[key]) for key in PLACES if key in value)
