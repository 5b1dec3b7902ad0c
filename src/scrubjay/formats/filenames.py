"""Names of files and folders are data: `Smith_John_4711.pdf` says who, so it goes through the
engine as a text would, and keeps its suffix.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath

from msgspec import structs

from scrubjay.formats import kinds
from scrubjay.formats.pieces import Pieces
from scrubjay.types import Anonymized, Document

Clean = Callable[[Iterable[Document]], Iterator[Anonymized]]
SIGNS = re.compile(r"[_.+-](?![^\[]*\])")  # a name's words stand apart for who looks
UNFIT = re.compile(r'[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069/\\:*?"<>|]+')
DEVICES = re.compile(r"(?i:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)")  # no file's name on Windows
DIGIT = re.compile(r"\d")
LONGEST = 200  # bytes: a number and a suffix may follow, and 255 is the most


def clean(name: str, clean: Clean) -> str:
    """One component of a path, without what identifies: first with its signs, for addresses and
    dates, then with blanks for signs, for people. An underscore would hide where a date begins; in
    an address it belongs. A suffix that no format has is a word like others."""
    suffix = PurePath(name).suffix
    if suffix.lower() not in kinds.SUFFIXES:
        suffix = ""
    stem = name.removesuffix(suffix)
    [result] = clean([Document(stem if "@" in stem else stem.replace("_", " "))])
    [known] = Pieces([stem]).changed(_told(stem, result))
    [result] = clean([Document(SIGNS.sub(" ", known))])
    [new] = Pieces([known]).changed(_told(known, result))
    told = DEVICES.sub(r"\g<0>_", UNFIT.sub("_", new).strip(" ."), count=1)
    told = told.encode("utf-8", "replace")[:LONGEST].decode("utf-8", "ignore").rstrip(" .")
    return (told or "file") + suffix


def _told(name: str, result: Anonymized) -> Anonymized:
    """Without dates that are words alone: a month's name in a file's says nothing of anybody."""
    told = result.report.replacements
    numbered = tuple(r for r in told if r.label != "DATE" or DIGIT.search(name, r.start, r.end))
    return structs.replace(result, report=structs.replace(result.report, replacements=numbered))
