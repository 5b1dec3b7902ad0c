"""Names of files and folders are data: `Smith_John_4711.pdf` says who, so it goes through the
engine as a text would, and keeps its suffix.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath

from scrubjay.formats.pieces import Pieces
from scrubjay.types import Anonymized, Document

SIGNS = re.compile(r"[_.+-]")  # read as blanks: a name's words stand apart for who looks
UNFIT = re.compile(r'[\x00-\x1f/\\:*?"<>|]+')
LONGEST = 200
FIELD = "file name"


def clean(name: str, clean: Callable[[Iterable[Document]], Iterator[Anonymized]]) -> str:
    """One component of a path, without what identifies."""
    suffix = "".join(PurePath(name).suffixes[-1:])
    stem = name.removesuffix(suffix)
    pieces = Pieces([stem])
    [result] = clean([Document(SIGNS.sub(" ", stem), field=FIELD)])
    [new] = pieces.changed(result)
    told = UNFIT.sub("_", new).strip(" .")[:LONGEST]
    return (told or "file") + suffix
