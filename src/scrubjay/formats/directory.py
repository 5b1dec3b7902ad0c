"""The directory of a zip file: looked at before a library makes objects of its entries."""

from __future__ import annotations

import zipfile
from typing import BinaryIO

from scrubjay.errors import InputError

MOST = 100_000  # entries
LONGEST = 1 << 26  # bytes of all of them
ENTRY = b"PK\1\2"
SIZE, LOCATION = 5, 9  # of the directory, and of what is behind it
ZIP64, BEHIND = b"PK\6\6", 76  # bytes that such a file has in between


def check(source: BinaryIO, most: int = MOST) -> None:
    """Refuse more entries than there may be. What is no zip file is for its reader to tell."""
    # The library's own way to find it: by another way, another directory could be found.
    end = zipfile._EndRecData(source)  # type: ignore[attr-defined]
    if not end:
        return
    if end[SIZE] > LONGEST:
        raise InputError(f"a zip directory of more than {LONGEST >> 20} MiB")
    source.seek(max(0, end[LOCATION] - end[SIZE] - (BEHIND if end[0] == ZIP64 else 0)))
    if source.read(end[SIZE]).count(ENTRY) > most:
        raise InputError(f"more than {most:,} members in one file")
    source.seek(0)
