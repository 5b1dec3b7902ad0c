"""Scrubjay finds personal data in text and takes it out: offline, on an ordinary CPU.

>>> engine = scrubjay.load("hipaa-safe-harbor")
>>> engine.anonymize("Call Dr. Ann Lee at 555-010-7788").text
'Call Dr. [PERSON 1] at [PHONE 1]'
"""

from scrubjay.errors import ScrubjayError
from scrubjay.types import (
    Anonymized,
    Document,
    Finding,
    Policy,
    Replacement,
    Report,
    Rule,
)

__version__ = "0.1.0.dev0"
__all__ = [
    "Anonymized",
    "Document",
    "Engine",
    "Finding",
    "Policy",
    "Replacement",
    "Report",
    "Rule",
    "ScrubjayError",
    "load",
]


def __getattr__(name: str) -> object:
    """`load` and `Engine` bring the engine in when first asked: importing scrubjay stays cheap."""
    if name in {"load", "Engine"}:
        from scrubjay import engine

        return getattr(engine, name)
    raise AttributeError(f"module 'scrubjay' has no attribute '{name}'")
