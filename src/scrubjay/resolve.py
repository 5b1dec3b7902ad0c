"""From what detectors found to what will be replaced: one finding per place, one number per person.

Overlaps become their union under the stronger label; what was found once is found everywhere;
different spellings of one name become one entity. Pure: text and findings in, findings out.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from scrubjay import labels
from scrubjay.detectors import lists
from scrubjay.detectors.known import WORD, Values, Words, words
from scrubjay.people import link
from scrubjay.types import Finding

EVERYWHERE = "resolve.v1:everywhere"
SHORTEST = 4  # characters of a value that is looked for everywhere; names may be shorter
PLACEHOLDER = re.compile(r"\[([A-Z_]{2,})(?: \d+)?\]")


def resolve(text: str, findings: Iterable[Finding], allow: frozenset[Words]) -> list[Finding]:
    """The final findings, in order, without overlaps, each with its entity's number."""
    kept = merge(f for f in _outside_placeholders(text, findings) if not _allowed(text, f, allow))
    again = _outside_placeholders(text, everywhere(text, kept))
    kept = merge([*kept, *(f for f in again if not _allowed(text, f, allow))])
    return number(text, kept)


def _allowed(text: str, finding: Finding, allow: frozenset[Words]) -> bool:
    return bool(allow) and words(text[finding.start : finding.end]) in allow


def _outside_placeholders(text: str, findings: Iterable[Finding]) -> Iterable[Finding]:
    """Without findings inside `[SSN]` or `[PERSON 2]`: a second run changes nothing."""
    taken = [m.span() for m in PLACEHOLDER.finditer(text) if m[1] in labels.table()]
    if not taken:
        return findings
    starts = [start for start, _ in taken]

    def outside(finding: Finding) -> bool:
        nearest = bisect_right(starts, finding.start) - 1
        return nearest < 0 or taken[nearest][1] < finding.end

    return filter(outside, findings)


def merge(findings: Iterable[Finding]) -> list[Finding]:
    """Overlapping findings as one: their union, under the label of the stronger."""
    merged: list[Finding] = []
    for finding in sorted(findings):
        if merged and finding.start < merged[-1].end:
            merged[-1] = _union(merged[-1], finding)
        else:
            merged.append(finding)
    return merged


def _union(one: Finding, other: Finding) -> Finding:
    stronger = max(one, other, key=lambda f: (f.score, f.end - f.start))
    start, end = min(one.start, other.start), max(one.end, other.end)
    return replace(stronger, start=start, end=end)


def everywhere(text: str, findings: list[Finding]) -> Iterator[Finding]:
    """Other places of values already found."""
    seeds: dict[Words, Finding] = {}
    for finding in findings:
        for value in _seeds(text, finding):
            seeds.setdefault(value, finding)
    if not seeds:
        return
    for start, end, seed in Values(seeds).occurrences(text):
        if seed.label != "PERSON" or _is_name(text, start, end, seed):
            yield Finding(start, end, seed.label, seed.score, EVERYWHERE)


def _seeds(text: str, finding: Finding) -> list[Words]:
    label = labels.table().get(finding.label)
    if not label or not label.everywhere:
        return []
    value = words(text[finding.start : finding.end])
    if finding.label == "PERSON":
        parts: list[Words] = [(word,) for word in value if len(word) > 1]
        return [value, *parts] if len(value) > 1 else parts
    return [value] if sum(map(len, value)) >= SHORTEST else []


def _is_name(text: str, start: int, end: int, seed: Finding) -> bool:
    """Whether a part of a known name is a name here too, not a word or an eponym."""
    found = text[start:end]
    following = WORD.search(text, end, end + 24)
    if following and following[0].casefold() in lists.read("eponym_tails"):
        return False
    if " " in found:
        return True
    if not found[0].isupper():
        return text[seed.start : seed.end].islower() and not _common(found)
    if not _common(found):
        return True
    before = text[max(0, start - 20) : start].rstrip(" \t\"'(")[-1:]
    return bool(before) and before not in ".!?:;\n\r-*"  # a capital that starts no sentence


def _common(word: str) -> bool:
    return word.casefold() in lists.read("common_words")


def number(text: str, findings: list[Finding]) -> list[Finding]:
    """Entities per label, numbered as they appear."""
    mentions = [text[f.start : f.end] for f in findings if f.label == "PERSON"]
    people = iter(link(mentions))
    numbers: dict[str, dict[object, int]] = {}
    numbered = []
    for f in findings:
        identity = next(people) if f.label == "PERSON" else words(text[f.start : f.end])
        known = numbers.setdefault(f.label, {})
        entity = known.setdefault(identity, len(known) + 1)
        numbered.append(Finding(f.start, f.end, f.label, f.score, f.detector, entity))
    return numbered
