"""A random code for a value, or for the subject, the same in all of a domain: the
re-identification code that Safe Harbor allows, for it is not derived from anything (45 CFR
164.514(c)). Only the vault knows whose it is.
"""

from __future__ import annotations

from typing import Literal

from scrubjay import plugins
from scrubjay.errors import OperatorError
from scrubjay.operators import Scene, pseudonyms_of
from scrubjay.operators.hash import normal
from scrubjay.types import Finding


def code(*, text: str = "{code}", of: Literal["value", "subject"] = "value") -> plugins.Operator:
    """`text` may hold `{code}` and `{label}`. `of` the value: those that differ in case, width or
    spacing alone share a code. `of` the subject: whatever the value, the code is that of the
    document's group. Needs a domain of a vault."""

    def operate(value: str, finding: Finding, scene: Scene) -> str:
        whose = _group(scene) if of == "subject" else f"{finding.label}: {normal(value)}"
        made = pseudonyms_of(scene, "code.v1").code(whose)
        return text.replace("{code}", made).replace("{label}", finding.label)

    return operate


def _group(scene: Scene) -> str:
    if not scene.document.group:
        raise OperatorError(
            "operator code.v1 of the subject needs to know whose the document is: say --group "
            "FIELD, or give documents a group"
        )
    return scene.document.group
