"""Another valid UID for a UID: 2.25 and 128 bits of an HMAC, ISO/IEC 9834-8, PS3.5 B.2.

The same for the same value wherever the key is: a study's files still refer to each other.
"""

from __future__ import annotations

from scrubjay import plugins
from scrubjay.operators import Scene
from scrubjay.types import Finding


def uid() -> plugins.Operator:
    """Needs nothing but the run's key."""

    def operate(value: str, finding: Finding, scene: Scene) -> str:
        digest = scene.key.derive("uid.v1", value)
        return f"2.25.{int.from_bytes(digest[:16], 'big')}"

    return operate
