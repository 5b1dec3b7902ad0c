"""What was done, without saying to whom: counts, places, rules, versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec.structs import replace

import scrubjay
from scrubjay.types import Anonymized, Document, Finding, Policy, Replacement, Report

Edit = tuple[int, int, str]  # start, end, the text that goes there


def unchanged(document: Document, findings: Iterable[Finding] = ()) -> Anonymized:
    """The document as it is, for who only looks, and how much was found in it."""
    counts = Counter(finding.label for finding in findings)
    report = Report(document.id, "", "", scrubjay.__version__, dict(counts), ())
    return Anonymized(document.text, report)


def edited(document: Document, edits: Iterable[Edit]) -> Anonymized:
    """The document with other texts in some places, told in order, for who writes it again."""
    parts: list[str] = []
    places: list[Replacement] = []
    last = length = 0
    for start, end, new in edits:
        parts += document.text[last:start], new
        begin = length + start - last
        length, last = begin + len(new), end
        places.append(Replacement(start, end, begin, length, "", 0, 1.0, "", ""))
    told = unchanged(document).report
    text = "".join([*parts, document.text[last:]])
    return Anonymized(text, replace(told, replacements=tuple(places)))


def anonymized(
    text: str,
    document: Document,
    replacements: list[Replacement],
    policy: Policy,
    digest: str,
    detectors: tuple[str, ...],
) -> Anonymized:
    """The clean text with its report."""
    counts: dict[str, int] = {}
    for label in sorted([replacement.label for replacement in replacements]):
        counts[label] = counts.get(label, 0) + 1
    return Anonymized(
        text,
        Report(
            document=document.id,
            policy=policy.name,
            policy_digest=digest,
            version=scrubjay.__version__,
            counts=counts,
            replacements=tuple(replacements),
            detectors=detectors,
        ),
    )
