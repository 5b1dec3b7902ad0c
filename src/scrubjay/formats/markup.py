"""What XML and HTML share: how a text stands in them, and how one is known for HTML in a string."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from scrubjay.detectors import lists
from scrubjay.formats import slots
from scrubjay.formats.work import Work
from scrubjay.types import Anonymized

SPECIAL = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
QUOTED = SPECIAL | str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})
WORDS = re.compile(r"[_.+:/#?=&-]+")  # what stands between the words of a name or address
NUMBER = re.compile(r"\d[\d-]{6,}\d")
UNSURE = ("tagger.", "resolve.")  # resolving tells what a tagger found once and is everywhere
CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_A-Za-z]+")
NAMESPACE = re.compile(r"(?:https?://|urn:|[a-z]{2,12}:)?[\w./:#?=~-]*", re.A)
HTML = re.compile(
    r"</?(?:a|abbr|b|big|blockquote|body|br|code|dd|div|dl|dt|em|font|h[1-6]|head|hr|html|i|img|li|"
    r"meta|ol|p|pre|s|script|small|span|strong|style|sub|sup|table|tbody|td|th|thead|tr|tt|u|ul)"
    r"(?:[\s/][^<>]*+)?>|&(?:#\d{2,6}|#x[0-9a-f]{2,6}|[a-z]{2,8}[0-9]?);",
    re.I,
)
ENCODINGS = re.compile(
    r"utf-?8|(?:us-)?ascii|iso-?8859-\d{1,2}|latin-?1|(?:windows-|cp)(?:125\d|874)|koi8-[ru]|gbk|"
    r"gb2312|gb18030|big5|euc-(?:jp|kr)|shift_jis|macintosh|tis-620",
    re.I,
)


def escape(text: str, table: dict[int, str] = SPECIAL) -> str:
    """As it may stand in a file."""
    return text.translate(table)


def words(name: str) -> str:
    """A name of an element as words, for who looks; one with a long number as it is written."""
    return name if NUMBER.search(name) else WORDS.sub(" ", name)


def says_who(name: str, result: Anonymized) -> bool:
    """Whether a name of an element, read as words, is somebody's. A tagger alone is not believed of
    ordinary words, nor of one word without a given name in it: it reads schemas badly."""
    done = result.report.replacements
    if not done or not all(one.detector.startswith(UNSURE) for one in done):
        return bool(done)
    parts = [part.lower() for part in CAMEL.findall(name)]
    if all(part in ordinary() for part in parts):
        return False
    if any(part in lists.read("given_names") for part in parts):
        return True
    return len(words(name.rpartition(":")[2]).split()) > 1


@cache
def ordinary() -> frozenset[str]:
    """Words that schemas are made of."""
    return frozenset().union(*map(lists.read, ["ordinary_words", "common_words", "not_names"]))


def opened(text: str, work: Work, depth: int, write: Callable[[str], str]) -> slots.Slot | None:
    """A string that is HTML, read as such; nothing if it is a text like others."""
    if not HTML.search(text):
        return None
    from scrubjay.formats.html import Page  # it reads strings too

    return slots.together(Page(work, depth + 1).parts(text), write)
