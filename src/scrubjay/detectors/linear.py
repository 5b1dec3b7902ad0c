"""RE2, as the patterns need it: leftmost-longest over bytes, and the span of the value.

The `re2` package wraps each answer in two Python objects; a scan asks for millions, so this calls
the compiled part directly (tests/test_scan.py would notice if that part changed).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import re2
from re2 import _re2

from scrubjay.errors import CatalogueError

Span = tuple[int, int]
Spans = list[Span]  # the match, then its groups; (-1, -1) for what took no part
Matcher = Callable[[Any, bytes, int, int], Spans]
START = _re2.RE2.Anchor.ANCHOR_START
ANYWHERE = _re2.RE2.Anchor.UNANCHORED


@cache
def matcher(regex: str, ignore_case: bool, *, bytewise: bool = False) -> Matcher:
    """`matcher(...)(START or ANYWHERE, data, from, to)` gives the spans of one match."""
    options = re2.Options()
    options.longest_match = True
    options.case_sensitive = not ignore_case
    options.log_errors = False
    if bytewise:
        options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = 64 << 20
    try:
        return re2.compile(regex.encode() if bytewise else regex, options)._regexp.Match  # type: ignore[no-any-return]
    except re2.error as problem:
        raise CatalogueError(f"regex {regex!r}: {problem}") from None


def every(match: Matcher, data: bytes, start: int, end: int) -> Iterator[Spans]:
    """Non-overlapping matches from left to right; empty ones are passed over."""
    while start < end:
        spans = match(ANYWHERE, data, start, end)
        found_start, found_end = spans[0]
        if found_start < 0:
            return
        if found_end > found_start:
            yield spans
        start = max(found_end, found_start + 1)


def value(spans: Spans) -> Span:
    """The group that took part, or all of the match where the regex has none."""
    for span in spans[1:]:
        if span[0] >= 0:
            return span
    return spans[0]
