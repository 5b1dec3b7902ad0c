"""Names of files and folders are data: `Smith_John_4711.pdf` says who, so it goes through the
engine as a text would, and keeps its suffix.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath

from scrubjay.formats import kinds
from scrubjay.formats.pieces import Pieces
from scrubjay.types import Anonymized, Document

Clean = Callable[[Iterable[Document]], Iterator[Anonymized]]
SIGNS = re.compile(r"[_.+-](?![^\[]*\])")  # a name's words stand apart for who looks
UNFIT = re.compile(r'[\x00-\x1f/\\:*?"<>|]+')
LONGEST = 200


def clean(name: str, clean: Clean) -> str:
    """One component of a path, without what identifies: as it is first, for addresses and dates,
    then with blanks for signs, for people."""
    suffix = PurePath(name).suffix
    if suffix.lower() not in kinds.SUFFIXES:  # it may be a name like any other
        suffix = ""
    [known] = clean([Document(name.removesuffix(suffix))])
    [result] = clean([Document(SIGNS.sub(" ", known.text))])
    [new] = Pieces([known.text]).changed(result)
    told = UNFIT.sub("_", new).strip(" .")[:LONGEST]
    return (told or "file") + suffix
