"""JSON Lines: every string and number at every depth is a document, its key the `field`; so is
every key. A number stays a number unless something in it was replaced.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from scrubjay import formats, plugins
from scrubjay.errors import InputError
from scrubjay.formats import cut, fields
from scrubjay.formats.work import Part, Work
from scrubjay.types import Anonymized, Document

LONGEST = 1 << 26  # bytes in one line
REMEMBERED = 10_000  # keys known to hold nothing


class _Slot(Struct):
    """Where a text stood: the value of a key or index, or the key itself."""

    container: Any
    key: Any
    text: str
    field: str = ""
    is_key: bool = False


class _Line(Struct):
    record: list[Any]  # the one record, in a list so that it has a place too
    slots: list[_Slot]
    filled: int = 0
    renamed: list[tuple[dict[str, Any], str, str]] = []


class JsonLines:
    """`jsonl.v1`. `group` names the top-level field that tells whose record a line is."""

    name = "jsonl.v1"
    suffixes: tuple[str, ...] = (".jsonl", ".ndjson")

    def __init__(self, encoding: str, group: str) -> None:
        self._encoding = encoding
        self._group = group

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """Lines are written as soon as their last text is clean."""
        self._convert(source, target, work, 1)

    def parts(self, source: BinaryIO, size: int) -> Iterator[Part]:
        """Runs of whole lines, with the number of the first."""
        number = 1
        for data in cut.lines(source, size, LONGEST):
            yield Part(data, number)
            number += data.count(b"\n")

    def convert_part(self, part: Part, target: BinaryIO, work: Work) -> None:
        """As `convert`."""
        self._convert(io.BytesIO(part.data), target, work, part.before)

    def _convert(self, source: BinaryIO, target: BinaryIO, work: Work, first: int) -> None:
        waiting: deque[_Line] = deque()
        plain_keys: set[str] = set()
        for result in work.clean(self._documents(source, first, waiting, plain_keys)):
            self._write_finished(waiting, target)
            line = waiting[0]
            _fill(line, line.slots[line.filled], result, plain_keys)
            line.filled += 1
        self._write_finished(waiting, target)

    def _write_finished(self, waiting: deque[_Line], target: BinaryIO) -> None:
        while waiting and waiting[0].filled == len(waiting[0].slots):
            line = waiting.popleft()
            for container, old, new in line.renamed:
                _rename(container, old, new)
            data = msgspec.json.encode(line.record[0]) + b"\n"
            if self._encoding.lower() not in {"utf-8", "utf8", "utf-8-sig", "ascii"}:
                data = data.decode("utf-8").encode(self._encoding, "backslashreplace")
            target.write(data)

    def _documents(
        self, source: BinaryIO, first: int, waiting: deque[_Line], plain_keys: set[str]
    ) -> Iterator[Document]:
        for number, data in enumerate(iter(lambda: source.readline(LONGEST + 1), b""), first):
            if len(data) > LONGEST:
                raise InputError(f"line {number}: more than {LONGEST >> 20} MiB in one record")
            if not data.strip():
                continue
            record = [self._parse(data, number)]
            group = self._group_of(record[0], number)
            line = _Line(record, list(_slots(record, 0, "", plain_keys)))
            waiting.append(line)
            for slot in line.slots:
                label = "" if slot.is_key else fields.label(slot.field)
                yield Document(slot.text, f"line {number}", "und", group, slot.field, label)

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


def _fill(line: _Line, slot: _Slot, result: Anonymized, plain_keys: set[str]) -> None:
    text = result.text
    if slot.is_key and text == slot.text:
        if len(plain_keys) < REMEMBERED and not result.report.counts:
            plain_keys.add(text)
    elif slot.is_key:
        line.renamed.append((slot.container, slot.text, text))
    elif text != slot.text:
        slot.container[slot.key] = text


def _slots(container: Any, key: Any, field: str, plain_keys: set[str]) -> Iterator[_Slot]:
    """Every string and number below, and every key not yet known to be plain."""
    value = container[key]
    if isinstance(value, dict):
        for inner in value:
            if inner not in plain_keys:
                yield _Slot(value, inner, inner, is_key=True)
            yield from _slots(value, inner, inner, plain_keys)
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from _slots(value, index, field, plain_keys)
    elif isinstance(value, str):
        yield _Slot(container, key, value, field)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield _Slot(container, key, str(value), field)


def _rename(container: dict[str, Any], old: str, new: str) -> None:
    """In place, keeping the order; a name that is taken gets a number."""
    taken = container.keys() - {old}
    unique, count = new, 1
    while unique in taken:
        count += 1
        unique = f"{new} {count}"
    items = [(unique if key == old else key, value) for key, value in container.items()]
    container.clear()
    container.update(items)


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`jsonl.v1`."""
    return JsonLines(encoding, group)
