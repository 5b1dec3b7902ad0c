"""A string that stands in a file: JSON, a file in base64, a page of HTML, a URL's query, or a text.
Every format reads its strings so.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable, Iterator

from msgspec import structs

from scrubjay.formats import carried, fields, slots
from scrubjay.formats.subjects import Person
from scrubjay.formats.work import Work
from scrubjay.types import Document

NESTED = re.compile(r"\s*+[{\[]")
HTML = re.compile(
    r"</?(?:a|abbr|b|big|blockquote|body|br|button|code|dd|div|dl|dt|em|font|form|h[1-6]|head|hr|html|"
    r"i|iframe|img|input|label|li|link|meta|object|ol|option|p|pre|s|script|select|small|span|strong|"
    r"style|sub|sup|svg|table|tbody|td|textarea|th|thead|title|tr|tt|u|ul|video)"
    r"(?:[\s/][^<>]*+)?>|&(?:#\d{2,6}|#x[0-9a-f]{2,6}|[a-z]{2,8}[0-9]?);",
    re.I,
)
QUERY = re.compile(r"(?:^|[?&;#])(?P<name>[\w.%\[\]-]{1,80})=(?P<value>[^&;#\s]*)")
PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
BLANK = re.compile(r"\s")
SIGNS = re.compile(r"[<&=%{\[]")  # of JSON, HTML, queries and quoted URLs
SAFE = "/:?@!$'()*,~[]"  # stays as it is in a query's value


def opens(text: str) -> bool:
    """Whether a string may be more than a text, at a glance: `part` knows."""
    return bool(SIGNS.search(text)) or (len(text) >= carried.SHORT and " " not in text)


def part(
    document: Document,
    raw: str,
    write: Callable[[str], str],
    work: Work,
    *,
    memory: slots.Memory,
    depth: int = 0,
) -> slots.Part:
    """`raw` as it stands in the file where nothing was found, else what `write` makes of the clean
    string. What it opens lies `depth` deep; the name it stands under holds within, too."""
    text = document.text

    def same(told: str) -> str:
        return raw if told == text else write(told)

    if nested := _json(document, work, depth):
        return slots.together(nested, same)
    short = document.label and len(text) < carried.SHORTEST  # a password, and not a file
    if not short and (file := carried.string(text, work)) is not None:
        return write(file)
    if ("<" in text or "&" in text) and HTML.search(text):
        from scrubjay.formats.html import Page  # it reads strings too

        return slots.together(Page(work, depth + 1, about=document).parts(text), same)
    if parts := query(document):
        return slots.together(parts, same)
    if PERCENT.search(text) and not BLANK.search(text):
        return slots.together([_rest(document, text)], same)
    return memory.kept(document, raw, write)


def _json(document: Document, work: Work, depth: int) -> Iterator[slots.Part] | None:
    from scrubjay.formats import json  # it reads strings too

    text = document.text
    if not NESTED.match(text) or not json.valid(text.encode("utf-8", "replace")):
        return None
    whose = Person(document.group, document.known)
    reader = json.Reader(work, whose=whose, place=document.id, depth=depth)
    return reader.within(text, document.field)


def query(document: Document) -> list[slots.Part]:
    """A URL whose query says what its values are, each by its name. Nothing for other texts."""
    text = document.text
    found = list(QUERY.finditer(text)) if "=" in text and not BLANK.search(text) else []
    if document.label or not any(fields.label(_plain(one["name"])) for one in found):
        return []
    parts: list[slots.Part] = []
    at = 0
    for one in found:
        start, end = one.span("value")
        parts += [_rest(document, text[at:start]), _value(document, one)]
        at = end
    return [*parts, _rest(document, text[at:])]


def _rest(document: Document, text: str) -> slots.Part:
    rest = structs.replace(document, text=unquoted(text))
    return slots.kept(rest, text, lambda told: urllib.parse.quote(told, safe=SAFE + "?&;#=%+"))


def _value(document: Document, found: re.Match[str]) -> slots.Part:
    value = fields.document(_plain(found["value"]), _plain(found["name"]), document)
    return slots.kept(value, found["value"], lambda told: urllib.parse.quote(told, safe=SAFE))


def _plain(text: str) -> str:
    return unquoted(text.replace("+", " "))


def unquoted(text: str) -> str:
    """Without percent signs, once more where they were quoted themselves."""
    for _ in range(3):
        text = urllib.parse.unquote(text)
    return text
