"""A keyed one-way code: equal values agree, and only the key holder can make one.

Under Safe Harbor this is still derived from the individual's data (45 CFR 164.514(c)); never
without a key, as short identifiers are found again by trying them all.
"""

from __future__ import annotations

import base64
import unicodedata
from typing import Annotated, Literal

from msgspec import Meta

from scrubjay import plugins
from scrubjay.operators import Scene
from scrubjay.types import Finding


def hash_value(
    *,
    length: Annotated[int, Meta(ge=8, le=52)] = 16,
    prefix: str = "",
    alphabet: Literal["hex", "base32"] = "hex",
) -> plugins.Operator:
    """`prefix` and `length` characters of HMAC-SHA256 over label and value. Values that differ in
    case, width or spacing alone agree."""

    def operate(value: str, finding: Finding, scene: Scene) -> str:
        digest = scene.key.derive("hash.v1", finding.label, normal(value))
        code = digest.hex() if alphabet == "hex" else base64.b32encode(digest).decode().lower()
        return prefix + code[:length]

    return operate


def normal(value: str) -> str:
    """One spelling of a value: compatible characters (NFKC), no case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())
