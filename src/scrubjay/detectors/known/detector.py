"""The detector `known.v1`: a document's own known values, in every form they are written in.

Scores: 1.0 the value itself or the same day; 0.9 a derived form (another order, a part, a
nickname, a user name, a country code); 0.8 one slip; 0.6 what needs its surroundings to be one (a
capitalised ordinary word, initials, the last four digits, a day without its year).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scrubjay import labels
from scrubjay.errors import UsageError
from scrubjay.recent import Recent
from scrubjay.types import Document, Finding

if TYPE_CHECKING:
    from scrubjay.detectors.known.record import Record

NAME = "known.v1"
SUBJECTS = 256  # whose forms are kept, or twice as many
UNSURE = f"{NAME}:weak"  # findings that say nothing of the same word elsewhere


class Known:
    """Each document is searched for its own values only. Nothing outlives the call, or the run that
    it belongs to."""

    name = NAME

    def __init__(self) -> None:
        self._recent: Recent[Hashable, Record] = Recent(SUBJECTS)
        self._runs: set[object] = set()

    @contextmanager
    def run(self) -> Iterator[None]:
        """While one lasts, the forms of its latest subjects are kept for their next documents."""
        run = object()
        self._runs.add(run)
        try:
            yield
        finally:
            self._runs.discard(run)
            if not self._runs:
                self._recent = Recent(SUBJECTS)

    def detect(self, documents: Sequence[Document]) -> list[list[Finding]]:
        """Places with the form they were found by: `known.v1:typo`."""
        records: dict[int, Record] = {}  # documents of one subject share their dictionary
        found: list[list[Finding]] = []
        for document in documents:
            if not document.known:
                found.append([])
                continue
            subject = id(document.known)
            if subject not in records:
                records[subject] = self._record(document.known)
            found.append([_named(finding) for finding in records[subject].find(document.text)])
        return found

    def _record(self, known: Mapping[str, Sequence[str]]) -> Record:
        from scrubjay.detectors.known.record import Record  # its lists are read when first needed

        check(known)
        told = tuple((label, *values) for label, values in known.items())
        record = self._recent.get(told)
        if record is None:
            record = Record(known)
            if self._runs:
                self._recent.put(told, record)
        return record


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
