"""Word lists that ship as text, one entry a line, `#` starting a comment."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def read(name: str) -> frozenset[str]:
    """The entries of `name`.txt."""
    lines = (Path(__file__).parent / f"{name}.txt").read_text("utf-8").splitlines()
    entries = (line.partition("#")[0].strip() for line in lines)
    return frozenset(entry for entry in entries if entry)
