"""A code that gives the value back to who holds the domain's key, and to nobody else (ISO/IEC
20889: deterministic encryption). Equal values agree inside a domain and label, and nowhere else.

Under Safe Harbor a token is derived from the value (45 CFR 164.514(c)); `code` is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from scrubjay import plugins
from scrubjay.operators import Scene, domain_of
from scrubjay.types import Finding

if TYPE_CHECKING:
    from scrubjay.vault.token import Mint
    from scrubjay.vault.twoperson import Sealed


def token(*, step: Annotated[int, Meta(ge=5, le=100, multiple_of=5)] = 10) -> plugins.Operator:
    """A token of docs/spec/token.md. A longer `step` hides more of the value's length. Needs a
    domain of a vault."""

    def operate(value: str, finding: Finding, scene: Scene) -> str:
        made = scene.memory.setdefault("token.v1", {})
        mint = made.get((finding.label, step))
        if mint is None:
            mint = made[finding.label, step] = _mint(scene, finding.label, step)
        told: str = mint.tokens([value])[0]
        return told

    return operate


def _mint(scene: Scene, label: str, step: int) -> Mint | Sealed:
    from scrubjay.vault import twoperson  # cryptography: only where there is a vault

    return twoperson.mint(domain_of(scene, "token.v1"), label, step=step)
