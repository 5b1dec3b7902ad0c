"""Values that are known beforehand: what a policy denies, what was found once, and a document's
own `known` fields in all their forms (`known.v1`).
"""

from __future__ import annotations

from scrubjay.detectors.known.detector import NAME, UNSURE, Known
from scrubjay.detectors.known.values import FEW, GAP, WORD, Deny, Values, Words, fold, words

__all__ = [
    "FEW",
    "GAP",
    "NAME",
    "UNSURE",
    "WORD",
    "Deny",
    "Known",
    "Values",
    "Words",
    "fold",
    "words",
]
