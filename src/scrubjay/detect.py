"""The detectors that a policy asks for, and how one is run: all of a text, or an error."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from types import FunctionType
from typing import Any

from scrubjay import plugins
from scrubjay.detectors import patterns, tagger
from scrubjay.detectors.known import Deny
from scrubjay.errors import DetectorError, InputError, PolicyError, ScrubjayError
from scrubjay.types import Document, Finding, Policy


def detectors(policy: Policy, profile: str, recall: str = "") -> list[plugins.Detector]:
    """Those that the policy names, then its own patterns and deny lists. `profile` says which
    tagger, and how sure of its recall; the profile `patterns` leaves it out."""
    names = [name for name in policy.detectors if (name, profile) != (tagger.NAME, tagger.NONE)]
    chosen: list[plugins.Detector] = [
        tagger.Tagger(profile, recall=recall) if name == tagger.NAME else _named(name)
        for name in names
    ]
    if policy.patterns:
        shared = patterns.parts()
        own = [patterns.parse(row, shared, policy.name) for row in policy.patterns]
        chosen.append(patterns.Patterns(own))
    if policy.deny:
        chosen.append(Deny(policy.deny))
    return chosen


def _named(name: str) -> plugins.Detector:
    """The catalogue, or a third party's: its entry point is a detector or makes one."""
    if name == patterns.NAME:
        return _catalogue()
    found = plugins.registered("detectors", name)
    if found is None:
        raise PolicyError(f"unknown detector '{name}'")
    made: Any = found() if isinstance(found, type | FunctionType) else found
    detector: plugins.Detector = made
    return detector


@cache
def _catalogue() -> patterns.Patterns:
    return patterns.shipped()


def run(
    detector: plugins.Detector,
    batch: list[Document],
    settled: Sequence[Sequence[Finding]] = (),
) -> list[list[Finding]]:
    """The detector's findings, each checked to lie inside its text. `settled` is for those that
    are `plugins.Informed`."""
    for document in batch:
        check_text(document)
    try:
        if settled and isinstance(detector, plugins.Informed):
            found = list(detector.detect_beside(batch, settled))
        else:
            found = list(detector.detect(batch))
    except ScrubjayError:
        raise
    except Exception as problem:  # noqa: BLE001 - the border to foreign code
        raise DetectorError(f"detector {detector.name} failed: {type(problem).__name__}") from None
    if len(found) != len(batch):
        raise DetectorError(
            f"detector {detector.name} answered for {len(found)} of {len(batch)} documents"
        )
    for document, findings in zip(batch, found, strict=True):
        for finding in findings:
            if not 0 <= finding.start < finding.end <= len(document.text):
                raise DetectorError(
                    f"detector {detector.name} gave the span {finding.start}-{finding.end} "
                    f"for a text of {len(document.text)} characters"
                )
    return found


def check_text(document: Document) -> None:
    """Refuse what cannot be text, with its place."""
    text = document.text
    if "\x00" in text:
        place = text.index("\x00")
        raise InputError(f"{_where(document)}: NUL character at {place}: this is not text")
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as problem:
            place = problem.start
            raise InputError(f"{_where(document)}: lone surrogate at {place}") from None


def _where(document: Document) -> str:
    return f"document '{document.id}'" if document.id else "document"
