"""A random code for a value, the same in all of a domain: the re-identification code that Safe
Harbor allows, for it is not derived from anything (45 CFR 164.514(c)). Only the vault knows whose
it is.
"""

from __future__ import annotations

from scrubjay import plugins
from scrubjay.operators import Scene, domain_of
from scrubjay.operators.hash import normal
from scrubjay.types import Finding


def code(*, text: str = "{code}") -> plugins.Operator:
    """`text` may hold `{code}` and `{label}`. Values that differ in case, width or spacing alone
    share a code. Needs a domain of a vault."""

    def operate(value: str, finding: Finding, scene: Scene) -> str:
        made = scene.memory.setdefault("code.v1", {})
        subject = f"{finding.label}: {normal(value)}"
        if subject not in made:
            made[subject] = domain_of(scene, "code.v1").code(subject)
        return text.replace("{code}", made[subject]).replace("{label}", finding.label)

    return operate
