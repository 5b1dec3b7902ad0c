"""A document's way through, in order: detect, resolve, replace, report.

Batch first: `stream` is the one implementation, and `anonymize` is a batch of one.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any

from scrubjay import detect, operators, plugins, policies, report
from scrubjay.detectors.known import Known, words
from scrubjay.errors import PolicyError
from scrubjay.keys import Key
from scrubjay.replace import replace
from scrubjay.resolve import resolve
from scrubjay.types import Anonymized, Document, Finding, Policy

BATCH_CHARACTERS = 1 << 18  # a batch ends when it holds this much, or
BATCH_DOCUMENTS = 256
PLACE = "place.v1"  # the detector that a format's own knowledge of a text counts as
_KNOWN = Known()


def load(
    policy: str | os.PathLike[str] | Policy = "hipaa-safe-harbor",
    *,
    profile: str = "balanced",
    recall: str = "",
    key: Key | None = None,
    domain: operators.Domain | None = None,
    detectors: Sequence[plugins.Detector] = (),
    today: datetime.date | None = None,
) -> Engine:
    """An engine for a policy by name, path or value. `profile` is the tagger: fast, balanced,
    accurate, a bundle's folder, or `patterns` for none; `recall` asks it for the threshold that
    reached so much on its calibration data. `detectors` join those that the policy asks for.
    Keyed operators agree wherever the `key`, or the `domain` of a vault, is the same; without
    either, within this engine only."""
    if isinstance(policy, Policy):
        policies.verify(policy)
        chosen = policy
    else:
        chosen = policies.load(policy)
    found = [*detect.detectors(chosen, profile, recall), *detectors]
    if not found:
        raise PolicyError(f"policy '{chosen.name}' names no detector: it would find nothing")
    return Engine(chosen, found, key=key, domain=domain, today=today)


class Engine:
    """A policy with everything that it needs at hand."""

    def __init__(
        self,
        policy: Policy,
        detectors: Sequence[plugins.Detector],
        *,
        key: Key | None = None,
        domain: operators.Domain | None = None,
        today: datetime.date | None = None,
    ) -> None:
        self.policy = policy
        self.detectors = tuple(detectors)
        self._key = key or (domain.lasting("operators") if domain else Key.random())
        self._domain = domain
        self._pseudonyms = domain.pseudonyms() if domain else None
        self._today = today
        self.digest = policies.digest(policy)
        self._allow = frozenset(words(value) for value in policy.allow)
        self._thresholds: dict[str, float] = {}
        self._operators: dict[str, tuple[str, plugins.Operator]] = {}
        self._memory: dict[str, Any] = {}

    @property
    def models(self) -> dict[str, str]:
        """Digests of what finds by more than rules, by detector."""
        told = ((detector.name, getattr(detector, "digest", "")) for detector in self.detectors)
        return {name: digest for name, digest in told if digest}

    def detect(self, document: Document | str) -> list[Finding]:
        """What would be replaced."""
        return next(self.find([document]))

    def anonymize(self, document: Document | str) -> Anonymized:
        """The clean text and its report."""
        return next(self.stream([document]))

    def stream(self, documents: Iterable[Document | str]) -> Iterator[Anonymized]:
        """Any number of documents, in order. One that cannot be anonymized ends the stream."""
        for batch in batches(map(_document, documents)):
            replaced = partial(map, self._anonymize, batch, self._find(batch))
            if self._pseudonyms is None:
                yield from replaced()
            else:
                yield from self._pseudonyms.kept((each.group for each in batch), replaced)

    def find(self, documents: Iterable[Document | str]) -> Iterator[list[Finding]]:
        """What would be replaced, of any number of documents, in order."""
        for batch in batches(map(_document, documents)):
            yield from self._find(batch)

    def _find(self, batch: list[Document]) -> list[list[Finding]]:
        detectors = self.detectors
        if any(document.known for document in batch):
            detectors += (_KNOWN,)
        found = [detect.run(detector, batch) for detector in detectors]
        if any(document.label for document in batch):
            found.append(list(map(_placed, batch)))
        return [
            resolve(document.text, filter(self._counts, chain(*every)), self._allow, self._kept)
            for document, *every in zip(batch, *found, strict=True)
        ]

    def _anonymize(self, document: Document, findings: list[Finding]) -> Anonymized:
        today = self._today or datetime.datetime.now(tz=datetime.UTC).date()
        scene = operators.Scene(
            document, findings, self._key, self._memory, today, self._domain, self._pseudonyms
        )
        text, replacements = replace(scene, self._operator)
        detectors = (*self.detectors, _KNOWN) if document.known else self.detectors
        names = tuple(detector.name for detector in detectors)
        return report.anonymized(text, document, replacements, self.policy, self.digest, names)

    def _counts(self, finding: Finding) -> bool:
        """Whether a finding is certain enough for its label's rule."""
        label = finding.label
        if label not in self._thresholds:
            self._thresholds[label] = self.policy.rule(label).threshold
        return finding.score >= self._thresholds[label]

    def _kept(self, label: str) -> bool:
        """Whether the policy leaves this label in the text."""
        return self._operator(label)[0] == "keep.v1"

    def _operator(self, label: str) -> tuple[str, plugins.Operator]:
        if label not in self._operators:
            rule = self.policy.rule(label)
            name = operators.full_name(rule.operator)
            self._operators[label] = name, operators.make(name, rule.options)
        return self._operators[label]


def _placed(document: Document) -> list[Finding]:
    """What the place of a text says of it."""
    if not (document.label and document.text):
        return []
    return [Finding(0, len(document.text), document.label, 1.0, PLACE)]


def _document(document: Document | str) -> Document:
    return Document(document) if isinstance(document, str) else document


def batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Documents in lists that are worth one call of a detector, and fit in memory."""
    batch: list[Document] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document.text)
        if size >= BATCH_CHARACTERS or len(batch) >= BATCH_DOCUMENTS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
