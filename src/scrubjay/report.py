"""What was done, without saying to whom: counts, places, rules, versions."""

from __future__ import annotations

from collections import Counter

import scrubjay
from scrubjay.types import Anonymized, Document, Policy, Replacement, Report


def unchanged(document: Document) -> Anonymized:
    """The document as it is, for who only looks."""
    return Anonymized(document.text, Report(document.id, "", "", scrubjay.__version__, {}, ()))


def anonymized(
    text: str,
    document: Document,
    replacements: list[Replacement],
    policy: Policy,
    digest: str,
    detectors: tuple[str, ...],
) -> Anonymized:
    """The clean text with its report."""
    counts = Counter(replacement.label for replacement in replacements)
    return Anonymized(
        text,
        Report(
            document=document.id,
            policy=policy.name,
            policy_digest=digest,
            version=scrubjay.__version__,
            counts=dict(sorted(counts.items())),
            replacements=tuple(replacements),
            detectors=detectors,
        ),
    )
