"""What takes long to make and can be made again: shipped in the wheel, else kept in the cache.

A name holds a digest of all that went in, so a kept file is never stale. Nothing here is personal.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

SHIPPED = Path(__file__).parent / "patterns" / "_built"  # filled by hatch_build.py
T = TypeVar("T")


def cache_folder() -> Path:
    """Under SCRUBJAY_HOME where it is set, else the user's cache."""
    home = os.environ.get("SCRUBJAY_HOME")
    if home:
        return Path(home) / "cache"
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "scrubjay"


def built(name: str, make: Callable[[], bytes], use: Callable[[bytes], T | None]) -> T:
    """`use` of the kept bytes; where there are none, or `use` gives None for them, of new ones."""
    for folder in (SHIPPED, cache_folder()):
        with contextlib.suppress(OSError):
            used = use((folder / name).read_bytes())
            if used is not None:
                return used
    data = make()
    keep(cache_folder() / name, data)
    used = use(data)
    assert used is not None, f"{name}: what was just made cannot be used"  # noqa: S101
    return used


def keep(path: Path, data: bytes) -> None:
    """Whole or not at all; a read-only home only costs the next start its second."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
        Path(file.name).replace(path)
