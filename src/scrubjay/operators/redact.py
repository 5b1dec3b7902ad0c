"""Take the value out and say only what kind it was: `[SSN]` (ISO/IEC 20889: suppression)."""

from __future__ import annotations

from scrubjay import plugins
from scrubjay.operators import Scene
from scrubjay.types import Finding


def redact(*, text: str = "[{label}]") -> plugins.Operator:
    """`text` may hold `{label}`."""

    def operate(value: str, finding: Finding, scene: Scene) -> str:
        return text.replace("{label}", finding.label)

    return operate
