"""JSON Lines: every line is read as `json.v1` reads a file. Any length of file, in one pass."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from scrubjay import formats, plugins
from scrubjay.errors import InputError
from scrubjay.formats import cut, json, slots, subjects
from scrubjay.formats.work import Part, Work

LONGEST = 1 << 26  # bytes in one line


class JsonLines:
    """`jsonl.v1`. `group` names the top-level field that tells whose record a line is."""

    name = "jsonl.v1"
    suffixes: tuple[str, ...] = (".jsonl", ".ndjson")

    def __init__(self, encoding: str, group: str) -> None:
        self._encoding = encoding
        self._group = group

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """Lines are written as soon as their last text is clean."""
        slots.write(self._lines(source, 1, work), target, work.clean, self._encoding)

    def parts(self, source: BinaryIO, size: int) -> Iterator[Part]:
        """Runs of whole lines, with the number of the first."""
        number = 1
        for data in cut.lines(source, size, LONGEST):
            yield Part(data, number)
            number += data.count(b"\n")

    def convert_part(self, part: Part, target: BinaryIO, work: Work) -> None:
        """As `convert`."""
        lines = self._lines(io.BytesIO(part.data), part.before, work)
        slots.write(lines, target, work.clean, self._encoding)

    def _lines(self, source: BinaryIO, first: int, work: Work) -> Iterator[slots.Part]:
        reader = json.Reader(work, utf=json.utf(self._encoding))
        for number, data in enumerate(iter(lambda: source.readline(LONGEST + 1), b""), first):
            place = f"line {number}: "
            if len(data) > LONGEST:
                raise InputError(f"{place}more than {LONGEST >> 20} MiB in one record")
            text = formats.decode(data, self._encoding, where=place)
            body = text.lstrip("\ufeff")
            yield text[: len(text) - len(body)]
            if not body.strip():
                yield body
                continue
            json.check(body.encode(), place)
            group, place = self._group_of(body, place), place.rstrip(": ")
            yield from msgspec.structs.replace(reader, place=place, group=group).parts(body)

    def _group_of(self, text: str, place: str) -> str:
        if not self._group:
            return ""
        record: Any = msgspec.json.decode(text)
        if not isinstance(record, dict) or self._group not in record:
            raise InputError(f"{place}no field '{self._group}' to group by")
        return subjects.number(str(record[self._group]))


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`jsonl.v1`."""
    return JsonLines(encoding, group)
