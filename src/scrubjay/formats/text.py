"""Plain text: `text.v1` is one document a file, `lines.v1` one a line (logs), any length of file.

Line ends, byte-order marks and a missing last newline stay as they are.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

from scrubjay import formats, plugins
from scrubjay.errors import InputError
from scrubjay.formats import cut, drawn, logged, slots
from scrubjay.formats.work import Part, Work
from scrubjay.types import Document

LARGEST = 1 << 28  # bytes in one document; what is longer should be read as lines


class Text:
    """A whole file, or each of its lines."""

    suffixes: tuple[str, ...] = (".txt", ".md", ".log")

    def __init__(self, name: str, encoding: str, group: str) -> None:
        self.name = name
        self._encoding = encoding
        self._group = group

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """In the same encoding."""
        self._convert(source, target, work, (1, 0))

    def parts(self, source: BinaryIO, size: int) -> Iterator[Part]:
        """Runs of whole lines, with number and offset of the first; one text is one part."""
        number, offset = 1, 0
        lines = self.name == "lines.v1"
        for data in cut.lines(source, size, LARGEST) if lines else [source.read(LARGEST + 1)]:
            yield Part(data, (number, offset))
            number += data.count(b"\n")
            offset += len(data)

    def convert_part(self, part: Part, target: BinaryIO, work: Work) -> None:
        """As `convert`."""
        self._convert(io.BytesIO(part.data), target, work, part.before)

    def _convert(
        self, source: BinaryIO, target: BinaryIO, work: Work, before: tuple[int, int]
    ) -> None:
        """`before`: the first line's number, and its offset."""
        lines = self.name == "lines.v1"
        parts = self._lines(source, *before, work) if lines else self._whole(source, work)
        slots.write(parts, target, work.clean, self._encoding)

    def _whole(self, source: BinaryIO, work: Work) -> Iterator[slots.Part]:
        data = source.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise InputError(f"more than {LARGEST >> 20} MiB in one document: say --format lines")
        yield drawn.clean(formats.decode(data, self._encoding), work)

    def _lines(self, source: BinaryIO, first: int, offset: int, work: Work) -> Iterator[slots.Part]:
        for number, line in enumerate(iter(lambda: source.readline(LARGEST), b""), first):
            text = formats.decode(line, self._encoding, offset, f"line {number}: ")
            yield logged.line(Document(text, id=f"line {number}", group=self._group), work)
            offset += len(line)


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`text.v1` or `lines.v1`."""
    return Text(name, encoding, group)
