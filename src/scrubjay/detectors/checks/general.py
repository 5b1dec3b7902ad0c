"""Checks that several kinds of number share."""

from __future__ import annotations


def luhn(value: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    digits = [int(c) for c in value if c.isdigit()]
    doubled = (sum(divmod(2 * d, 10)) for d in digits[-2::-2])
    return len(digits) > 1 and (sum(digits[::-2]) + sum(doubled)) % 10 == 0
