"""The detector `known.v1`: a document's own known values, in every form they are written in.

Scores: 1.0 the value itself or the same day; 0.9 a derived form (another order, a part, a
nickname, a user name, a country code); 0.8 one slip; 0.6 what needs its surroundings to be one (a
capitalised ordinary word, initials, the last four digits, a day without its year).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scrubjay import labels
from scrubjay.errors import UsageError
from scrubjay.types import Document, Finding

NAME = "known.v1"
UNSURE = f"{NAME}:weak"  # findings that say nothing of the same word elsewhere


class Known:
    """Each document is searched for its own values only. Nothing outlives the call."""

    name = NAME

    def detect(self, documents: Sequence[Document]) -> list[list[Finding]]:
        """Places with the form they were found by: `known.v1:typo`."""
        from scrubjay.detectors.known.record import Record  # its lists are read when first needed

        records: dict[int, Record] = {}  # documents of one subject share their dictionary
        found: list[list[Finding]] = []
        for document in documents:
            if not document.known:
                found.append([])
                continue
            subject = id(document.known)
            if subject not in records:
                check(document.known)
                records[subject] = Record(document.known)
            found.append([_named(finding) for finding in records[subject].find(document.text)])
        return found


def check(known: Mapping[str, Sequence[str]]) -> None:
    """Refuse labels that nobody knows and values that are no list, without a word of the values."""
    for label, values in known.items():
        if label not in labels.table():
            raise UsageError(f"known values: unknown label '{label}'; see `scrubjay labels`")
        if isinstance(values, str) or not all(isinstance(value, str) for value in values):
            raise UsageError(f"known values of {label}: not a tuple of strings")


def _named(finding: Finding) -> Finding:
    start, end, label, score = finding.start, finding.end, finding.label, finding.score
    return Finding(start, end, label, score, f"{NAME}:{finding.detector}")
