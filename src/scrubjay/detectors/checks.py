"""Checksums and other tests that a pattern names by `check`. A check sees the matched value and
answers True (keep), False (drop) or a score of its own.

`stdnum.us.ssn` in a pattern calls python-stdnum's module of that name; what it lacks stands here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache

from scrubjay.errors import CatalogueError

Check = Callable[[str], "bool | float"]
CHECKS: dict[str, Check] = {}


def check(function: Check) -> Check:
    """Register a check under its function's name."""
    CHECKS[function.__name__] = function
    return function


@cache
def named(name: str) -> Check:
    """The check of that name; a library module is imported when first asked."""
    if name.startswith("stdnum."):
        return _stdnum(name)
    if name not in CHECKS:
        raise CatalogueError(f"unknown check '{name}'; known: {', '.join(sorted(CHECKS))}, stdnum.*")
    return CHECKS[name]


def _stdnum(name: str) -> Check:
    def valid(value: str) -> bool:
        try:
            is_valid = importlib.import_module(name).is_valid
        except (ImportError, AttributeError):
            raise CatalogueError(f"unknown check '{name}': no such python-stdnum module") from None
        bare = "".join(c for c in value if c.isalnum())
        return bool(is_valid(value) or is_valid(bare))

    return valid


@check
def luhn(value: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    digits = [int(c) for c in value if c.isdigit()]
    doubled = (sum(divmod(2 * d, 10)) for d in digits[-2::-2])
    return len(digits) > 1 and (sum(digits[::-2]) + sum(doubled)) % 10 == 0
