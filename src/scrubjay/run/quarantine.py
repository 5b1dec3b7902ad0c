"""What a run could not read, by its real names: for who runs it, never for who gets the outputs."""

from __future__ import annotations

import os
from pathlib import Path

from scrubjay.run.walk import Source

SHOWN = 5  # files that a terminal names


class Left:
    """The list, in a file of its owner's. The first few are kept to be shown. Names are one line
    each, and move no cursor."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.first: list[str] = []

    def __enter__(self) -> Left:
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._stream = open(handle, "w", encoding="utf-8")  # noqa: PTH123 - a handle
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def add(self, source: Source, why: str) -> None:
        """One more."""
        name = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in source.name)
        self._stream.write(f"{name}\t{why}\n")
        if len(self.first) < SHOWN:
            self.first.append(f"{name}: {why}")
