"""Say what was there and which one of its kind: `[PERSON 1]` (ISO/IEC 20889: pseudonymization)."""

from __future__ import annotations

from scrubjay import plugins
from scrubjay.operators import Scene
from scrubjay.types import Finding


def label(*, text: str = "[{label} {n}]") -> plugins.Operator:
    """`text` may hold `{label}` and `{n}`, the number of the person or thing in its document.
    Where it has no number, `{n}` goes with the space before it: `[PERSON]`."""
    bare = text.replace(" {n}", "").replace("{n}", "")

    def operate(value: str, finding: Finding, scene: Scene) -> str:
        form = text.replace("{n}", str(finding.entity)) if finding.entity else bare
        return form.replace("{label}", finding.label)

    return operate
