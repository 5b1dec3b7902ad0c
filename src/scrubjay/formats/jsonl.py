"""JSON Lines: every string and number at every depth is a document, its key the `field`.

Keys stay. A number stays a number unless something in it was replaced.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from scrubjay import formats, plugins
from scrubjay.errors import InputError
from scrubjay.types import Document

LONGEST = 1 << 26  # bytes in one line
Slot = tuple[Any, Any, str]  # the container, the key or index in it, the text that stood there


class _Line(Struct):
    record: Any
    slots: list[Slot]
    filled: int = 0


class JsonLines:
    """`jsonl.v1`. `group` names the top-level field that tells whose record a line is."""

    name = "jsonl.v1"
    suffixes: tuple[str, ...] = (".jsonl", ".ndjson")

    def __init__(self, encoding: str, group: str) -> None:
        self._encoding = encoding
        self._group = group

    def convert(self, source: BinaryIO, target: BinaryIO, clean: plugins.Clean) -> None:
        """Lines are written as soon as their last text is clean."""
        waiting: deque[_Line] = deque()
        for text in clean(self._documents(source, waiting)):
            self._write_finished(waiting, target)
            line = waiting[0]
            container, key, before = line.slots[line.filled]
            if text != before:
                container[key] = text
            line.filled += 1
        self._write_finished(waiting, target)

    def _write_finished(self, waiting: deque[_Line], target: BinaryIO) -> None:
        while waiting and waiting[0].filled == len(waiting[0].slots):
            line = msgspec.json.encode(waiting.popleft().record[0]) + b"\n"
            if self._encoding.lower() not in {"utf-8", "utf8", "utf-8-sig", "ascii"}:
                line = line.decode("utf-8").encode(self._encoding, "backslashreplace")
            target.write(line)

    def _documents(self, source: BinaryIO, waiting: deque[_Line]) -> Iterator[Document]:
        for number, data in enumerate(iter(lambda: source.readline(LONGEST + 1), b""), 1):
            if len(data) > LONGEST:
                raise InputError(f"line {number}: more than {LONGEST >> 20} MiB in one record")
            if not data.strip():
                continue
            record = [self._parse(data, number)]
            group = self._group_of(record[0], number)
            line = _Line(record, [])
            waiting.append(line)
            for container, key, field, value in _values(record, 0, ""):
                text = value if isinstance(value, str) else str(value)
                line.slots.append((container, key, text))
                yield Document(text, id=f"line {number}", group=group, field=field)

    def _parse(self, data: bytes, number: int) -> Any:
        text = formats.decode(data, self._encoding, where=f"line {number}: ")
        try:
            return msgspec.json.decode(text.lstrip("\ufeff"))
        except (msgspec.DecodeError, RecursionError) as problem:
            reason = "nested too deeply" if isinstance(problem, RecursionError) else problem
            raise InputError(f"line {number}: not JSON: {reason}") from None

    def _group_of(self, record: Any, number: int) -> str:
        if not self._group:
            return ""
        if not isinstance(record, dict) or self._group not in record:
            raise InputError(f"line {number}: no field '{self._group}' to group by")
        return str(record[self._group])


def _values(container: Any, key: Any, field: str) -> Iterator[tuple[Any, Any, str, Any]]:
    """Every string and number below, with where it stands and the nearest key above it."""
    value = container[key]
    if isinstance(value, dict):
        for inner in value:
            yield from _values(value, inner, inner)
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from _values(value, index, field)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield container, key, field, value


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`jsonl.v1`."""
    return JsonLines(encoding, group)
