"""Other digits and letters in the places of the value's own: `123-45-6789` becomes `907-11-2230`
(NIST SP 800-38G, FF1; ISO/IEC 20889: format-preserving encryption). Who holds the domain's key can
undo it.
"""

from __future__ import annotations

from scrubjay import plugins
from scrubjay.operators import Scene, domain_of
from scrubjay.types import Finding


def fpe() -> plugins.Operator:
    """What has fewer than a million forms, such as an age or a ZIP, is refused: it would be found
    again by trying them all. Needs a domain of a vault."""

    def operate(value: str, finding: Finding, scene: Scene) -> str:
        from scrubjay.vault import fpe as ff1  # cryptography: only where there is a vault
        from scrubjay.vault.token import Context

        made = scene.memory.setdefault("fpe.v1", {})
        if finding.label not in made:
            domain = domain_of(scene, "fpe.v1")
            context = Context("", domain.id, finding.label)
            made[finding.label] = ff1.secret(domain.lasting("fpe"), context)
        return ff1.shaped(made[finding.label], [value])[0]

    return operate
