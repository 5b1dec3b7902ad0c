"""Leave the value as it is: for labels that a policy looks for and means to release."""

from __future__ import annotations

from scrubjay import plugins
from scrubjay.operators import Scene
from scrubjay.types import Finding


def keep() -> plugins.Operator:
    """The one operator that returns the value."""

    def operate(value: str, finding: Finding, scene: Scene) -> str:
        return value

    return operate
