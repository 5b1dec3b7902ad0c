"""What a policy does about each of Safe Harbor's eighteen letters, and what it cannot see.

The letters are those of 45 CFR 164.514(b)(2)(i).
"""

from __future__ import annotations

from msgspec import Struct

from scrubjay import labels, operators
from scrubjay.types import Policy

LETTERS = {
    "A": "names",
    "B": "geography below a state",
    "C": "dates but the year; ages over 89",
    "D": "telephone numbers",
    "E": "fax numbers",
    "F": "e-mail addresses",
    "G": "social security numbers",
    "H": "medical record numbers",
    "I": "health plan beneficiary numbers",
    "J": "account numbers",
    "K": "certificate and licence numbers",
    "L": "vehicle identifiers and plates",
    "M": "device identifiers and serials",
    "N": "web addresses",
    "O": "IP addresses",
    "P": "biometric identifiers",
    "Q": "full-face photographs",
    "R": "any other unique number, characteristic or code",
}
UNSEEN = {
    "A": "names that stand without a title, role, field, greeting or signature",
    "B": "places named in passing",
    "P": "biometric data in free text; finger and voice prints are not text",
    "Q": "photographs: text holds none, image formats are not read",
    "R": "characteristics told in words (the mayor of ..., a rare disease)",
}


class Row(Struct, frozen=True):
    """One letter: its labels by operator, and what is not covered."""

    letter: str
    what: str
    labels: dict[str, str]
    unseen: str


def table(policy: Policy) -> list[Row]:
    """A row a letter."""
    rows = []
    for letter, what in LETTERS.items():
        own = [label.name for label in labels.table().values() if label.hipaa == letter]
        done = {name: operators.full_name(policy.rule(name).operator) for name in own}
        rows.append(Row(letter, what, done, UNSEEN.get(letter, "")))
    return rows
