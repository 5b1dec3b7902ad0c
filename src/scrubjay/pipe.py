"""Lines in, clean lines out, as they come: what `scrubjay pipe` does between two programs.

As many lines as came, in their order. One that cannot be cleaned is refused by itself, and never
passed on. Nothing is read or written here.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any, NamedTuple, Self

import msgspec

from scrubjay import formats
from scrubjay.engine import Engine
from scrubjay.errors import InputError, UsageError
from scrubjay.formats import json, slots
from scrubjay.formats.work import Work
from scrubjay.types import Anonymized, Document

LONGEST = 1 << 20  # bytes of a line; a longer one is refused, and never held
REFUSED = "[LINE REFUSED]"
JOURNAL = b'"__REALTIME_TIMESTAMP"'
NUMBERS = re.compile(rb"\[\s*[0-9]")
REFUSED_UNDER = "message"  # the name that it has in a record


class Seen(NamedTuple):
    """How many of which label were replaced, and of which kind were left out."""

    found: Counter[str]
    left_out: Counter[str]

    @classmethod
    def nothing(cls) -> Self:
        """Of no line yet."""
        return cls(Counter(), Counter())


Clean = Callable[[Sequence[bytes], Seen], list[bytes]]


class Lines:
    """Cuts what comes into lines without their ends. None: one that was too long."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._left = bytearray()
        self._skipping = False

    def more(self, data: bytes) -> list[bytes | None]:
        """The lines that end in this."""
        *ended, left = data.split(b"\n")
        lines: list[bytes | None] = []
        for part in ended:
            self._add(part)
            lines.append(self._taken())
        self._add(left)
        return lines

    def rest(self) -> list[bytes | None]:
        """The last line, if it has no end."""
        return [self._taken()] if self._left or self._skipping else []

    def _add(self, part: bytes) -> None:
        if self._skipping or len(self._left) + len(part) > self._longest:
            self._skipping = True
            self._left.clear()
        else:
            self._left += part

    def _taken(self) -> bytes | None:
        line = None if self._skipping else bytes(self._left)
        self._left.clear()
        self._skipping = False
        return line


class Cleaner:
    """`refused` stands for a line that cannot be cleaned."""

    def __init__(self, clean: Clean, refused: str) -> None:
        self._clean, self._refused = clean, refused.encode()
        self.seen = Seen.nothing()
        self.lines = self.refused = 0

    def __call__(self, lines: Sequence[bytes | None]) -> list[bytes]:
        """As many lines, in their order."""
        whole = [line for line in lines if line is not None]
        told = iter(self._tried(whole))
        self.lines += len(lines)
        self.refused += len(lines) - len(whole)
        return [self._refused if line is None else next(told) for line in lines]

    def _tried(self, lines: Sequence[bytes]) -> list[bytes]:
        """All of them at once, or each alone, so that one bad line spoils no other."""
        seen = Seen.nothing()
        try:
            clean = self._clean(lines, seen) if lines else []
        except UsageError:  # the policy or the vault: no line will ever do
            raise
        except Exception:  # noqa: BLE001 - whatever it was: the line stays here, and the next comes
            if len(lines) > 1:
                return [one for line in lines for one in self._tried([line])]
            self.refused += 1
            return [self._refused]
        self.seen.found.update(seen.found)
        self.seen.left_out.update(seen.left_out)
        return clean


def texts(engine: Engine, encoding: str) -> Cleaner:
    """Each line is a text."""
    if "\n".encode(encoding) != b"\n":
        raise UsageError(f"lines in {encoding} do not end in one byte: convert them before")

    def clean(lines: Sequence[bytes], seen: Seen) -> list[bytes]:
        documents = (Document(formats.decode(line, encoding)) for line in lines)
        # a substitute of several lines would put the reader out of step
        told = (each.text.replace("\n", " ") for each in _counted(engine, seen, documents))
        return [text.encode(encoding) for text in told]

    return Cleaner(clean, REFUSED)


def records(engine: Engine, fields: Iterable[str] = ()) -> Cleaner:
    """Each line is JSON: all of it is cleaned, or what stands under these names at its top."""
    names = tuple(fields)

    def clean(lines: Sequence[bytes], seen: Seen) -> list[bytes]:
        lines = [_readable(line) for line in lines]
        target = io.BytesIO()
        stream = partial(_counted, engine, seen)
        work = Work(stream, left_out=seen.left_out, rule=engine.operator, key=engine.key)
        if names:
            slots.write(_lines(lines, names, work), target, work.clean, "utf-8")
        else:
            formats.make("jsonl.v1").convert(io.BytesIO(b"\n".join(lines)), target, work)
        told = target.getvalue().split(b"\n")
        if len(told) != len(lines):
            raise InputError(f"{len(lines)} lines became {len(told)}")
        return told

    under = names[0] if names else REFUSED_UNDER
    return Cleaner(clean, msgspec.json.encode({under: REFUSED}).decode())


def _readable(line: bytes) -> bytes:
    """A record of journald with its texts: one that is not all UTF-8 it tells as a list of bytes,
    in which nothing would be found."""
    if JOURNAL not in line or not NUMBERS.search(line):
        return line
    record = msgspec.json.decode(line)
    if not isinstance(record, dict):
        return line
    return msgspec.json.encode({name: _text(value) for name, value in record.items()})


def _text(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    if value and all(type(one) is int and 0 <= one < 256 for one in value):
        return bytes(value).decode("utf-8", "replace")
    return [_text(one) for one in value]  # a field that stands twice


def _counted(engine: Engine, seen: Seen, documents: Iterable[Document]) -> Iterator[Anonymized]:
    for result in engine.stream(documents):
        seen.found.update(result.report.counts)
        yield result


def _lines(lines: Sequence[bytes], names: Sequence[str], work: Work) -> Iterator[slots.Part]:
    each = (_record(formats.decode(line, "utf-8"), names, json.Reader(work)) for line in lines)
    first = next(each, iter(()))
    return chain(first, *(chain(["\n"], record) for record in each))


def _record(text: str, names: Sequence[str], reader: json.Reader) -> Iterator[slots.Part]:
    """A record, of which some is cleaned. Of a name that stands twice the last value is kept."""
    if not text.strip():
        yield text
        return
    try:
        record = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        raise InputError("not a JSON object") from None
    yield "{"
    for number, (name, value) in enumerate(record.items()):
        yield f"{',' * (number > 0)}{msgspec.json.encode(name).decode()}:"
        raw = bytes(value).decode()
        yield from reader.parts(raw, name) if name in names else [raw]
    yield "}"
