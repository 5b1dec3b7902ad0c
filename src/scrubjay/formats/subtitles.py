"""Subtitles (`srt.v1`): SubRip and WebVTT. Numbers and times of cues stay as they are; what lies
between is read as HTML is, as a name may stand in two tags, and who speaks in one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from scrubjay import plugins
from scrubjay.formats import slots
from scrubjay.formats.html import Page
from scrubjay.formats.work import Work

TIME = r"(?:\d{1,2}:)?\d{1,2}:\d\d[.,]\d{3}"
HEAD = re.compile(
    rf"^(?:WEBVTT[ \t]*$|(?:\d{{1,5}}[ \t]*\r?\n)?{TIME} --> {TIME}"
    r"(?: (?:line|position|align|size|vertical):[a-z0-9.,%-]{1,20})*[ \t]*\r?$)",
    re.M | re.A,
)


class Subtitles:
    """`srt.v1`."""

    name = "srt.v1"
    suffixes: tuple[str, ...] = (".srt", ".vtt")

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """Cue after cue."""
        text = work.text(source, self._encoding)
        slots.write(_parts(text, work), target, work.clean, self._encoding)


def _parts(text: str, work: Work) -> Iterator[slots.Part]:
    page, at = Page(work), 0
    for head in HEAD.finditer(text):
        yield from page.parts(text[at : head.start()])
        yield head[0]
        at = head.end()
    yield from page.parts(text[at:])


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`srt.v1`."""
    return Subtitles(encoding)
