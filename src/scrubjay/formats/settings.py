"""Settings (`ini.v1`): sections, and keys with values: `.ini`, `.properties`, `.env`. What is no
such line is read as a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from scrubjay import plugins
from scrubjay.formats import fields, naming, slots, strings
from scrubjay.formats.work import Work
from scrubjay.types import Document

LINE = re.compile(
    r"(?P<before>[ \t]*)(?:(?P<mark>[#;!]|//)(?P<comment>.*)|\[(?P<section>.*)\][ \t]*"
    r"|(?P<export>export[ \t]+)?(?P<key>(?:[^\s=:\\]|\\.|[ \t](?![ \t]*[=:]))+)"
    r"(?P<sign>[ \t]*[=:][ \t]*)(?P<value>.*))",
    re.S,
)
LOGICAL = re.compile(r"(?:[^\\\n]|\\.)*(?:\n|\Z|\\\Z)", re.S)  # a line's end may be escaped
JOIN = re.compile(r"\\\r?\n[ \t]*")
SIGN = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([ =:#!]))")
HALF = range(0xD800, 0xE000)


class Reader:
    """One file's lines."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._keys = naming.Keys()
        self._memory = slots.Memory()
        self._key = ""

    def parts(self, text: str) -> Iterator[slots.Part]:
        """Line after line."""
        for found in LOGICAL.finditer(text):
            body = found[0].rstrip("\r\n")
            yield from self._line(body)
            yield found[0][len(body) :]

    def _line(self, raw: str) -> Iterator[slots.Part]:
        found = LINE.fullmatch(raw)
        if not found or (found["before"] and self._key and found["mark"] is None):
            yield self._value(raw, self._key)  # the last value goes on, or nobody knows
            return
        yield found["before"]
        if found["mark"] is not None:
            yield found["mark"]
            yield slots.kept(Document(found["comment"]), found["comment"], _one_line)
        elif found["section"] is not None:
            self._key = ""
            yield from ("[", self._name(found["section"]), raw[raw.rindex("]") :])
        else:
            self._key = _plain(found["key"])
            yield from (found["export"] or "", self._name(found["key"]), found["sign"])
            yield self._value(found["value"], self._key)

    def _name(self, raw: str) -> slots.Part:
        name = _plain(raw)

        def write(told: str) -> str:
            return re.sub(r"[\s=:\[\]]+", "_", self._keys.other(name, told)).strip("_")

        return self._keys.part(Document(name), raw, write)

    def _value(self, raw: str, key: str) -> slots.Part:
        quote = raw[0] if len(raw) > 1 and raw[0] in "\"'" and raw[0] == raw.rstrip()[-1] else ""
        inner = raw.rstrip()[1:-1] if quote else raw
        document = fields.document(_plain(inner), key)

        def write(told: str) -> str:
            return quote + _one_line(told.replace(quote, " ") if quote else told) + quote

        return strings.part(document, raw, write, self._work, memory=self._memory)


def _plain(raw: str) -> str:
    """What a reader of `.properties` reads; other backslashes are signs like others."""

    def one(found: re.Match[str]) -> str:
        if not found[1]:
            return found[2]
        code = int(found[1], 16)
        return "\ufffd" if code in HALF or not code else chr(code)

    return SIGN.sub(one, JOIN.sub("", raw))


def _one_line(told: str) -> str:
    return " ".join(told.splitlines())


class Settings:
    """`ini.v1`."""

    name = "ini.v1"
    suffixes: tuple[str, ...] = (".ini", ".cfg", ".conf", ".properties", ".env")

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """With the same layout."""
        text = work.text(source, self._encoding)
        slots.write(Reader(work).parts(text), target, work.clean, self._encoding)


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`ini.v1`."""
    return Settings(encoding)
