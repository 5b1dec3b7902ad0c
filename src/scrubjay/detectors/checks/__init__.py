"""Checksums and other tests that a pattern names by `check`. A check sees the matched value and
answers True (keep), False (drop), a score of its own, or the start and end of the part to keep.

`general.luhn` is the function `luhn` of the module `general` in this folder; `stdnum.us.ssn` is
python-stdnum's module of that name. Either is imported when first asked.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache

from scrubjay.errors import CatalogueError

Check = Callable[[str], "bool | float | tuple[int, int]"]


@cache
def named(name: str) -> Check:
    """The check of that name."""
    return _library(name) if name.startswith("stdnum.") else _own(name)


def verify(name: str) -> None:
    """Raise unless there is such a check."""
    named(name)


def _own(name: str) -> Check:
    module, _, function = name.rpartition(".")
    try:
        own: Check = getattr(importlib.import_module(f"{__name__}.{module}"), function)
    except (ImportError, AttributeError, ValueError):
        raise CatalogueError(
            f"unknown check '{name}'; write module.function of detectors/checks, or stdnum.*"
        ) from None
    return own


def _library(name: str) -> Check:
    """python-stdnum's `is_valid`, which some modules give only for the bare number."""
    try:
        is_valid = importlib.import_module(name).is_valid
    except (ImportError, AttributeError):
        raise CatalogueError(f"unknown check '{name}': python-stdnum has no such module") from None
    return lambda value: bool(is_valid(value) or is_valid("".join(filter(str.isalnum, value))))
