"""A document's way through, in order: detect, resolve, replace, report.

Batch first: `stream` is the one implementation, and `anonymize` is a batch of one.
"""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Self

from scrubjay import detect, operators, plugins, policies, report
from scrubjay.detectors.known import Known, words
from scrubjay.errors import OperatorError, PolicyError
from scrubjay.keys import Key
from scrubjay.replace import replace
from scrubjay.resolve import resolve, whole
from scrubjay.types import Anonymized, Document, Finding, Policy, Replacement

BATCH_CHARACTERS = 1 << 18  # a batch ends when it holds this much, or
BATCH_DOCUMENTS = 256  # different ones
BATCH_LONGEST = 1 << 13  # documents, equal ones included
WARM = (
    "Mr. Quentin Quarles of Bristol, 212 555 0142, q@example.org from 203.0.113.7, MRN 4711-0815,"
    " SSN 536-90-4399, 4 May 2024, Nov 22 03:18:27; USER=root"
)
WHOLE = frozenset(  # operators that leave nothing of a value; of strangers' nobody knows
    f"{name}.v1"
    for name in ("code", "fpe", "hash", "label", "redact", "shift", "surrogate", "token", "uid")
)
PLACE = "place.v1"  # the detector that a format's own knowledge of a text counts as


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
        self._known = Known()
        self._names = tuple(detector.name for detector in detectors)
        self._names_with_known = (*self._names, self._known.name)
        self._key = key or (domain.lasting("operators") if domain else Key.random())
        self._domain = domain
        self._pseudonyms = domain.pseudonyms() if domain else None
        self._today = today
        self.digest = policies.digest(policy)
        self._allow = frozenset(words(value) for value in policy.allow)
        self._thresholds: dict[str, float] = {}
        self._settling: dict[str, bool] = {}
        self._operators: dict[str, tuple[str, plugins.Operator]] = {}
        self._memory: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        """What keyed operators derive from, and formats that write codes in place of ids."""
        return self._key

    @property
    def models(self) -> dict[str, str]:
        """Digests of what finds by more than rules, by detector."""
        told = ((detector.name, getattr(detector, "digest", "")) for detector in self.detectors)
        return {name: digest for name, digest in told if digest}

    def endless(self) -> Self:
        """For what has no end, as a pipe or a service. All that it needs is at hand before the
        first document; of the surrogates that it gives without a domain it remembers the last
        ones, and not all."""
        from scrubjay.operators import ledger

        ledger.endless(self._memory)
        for detector in self.detectors:
            if isinstance(detector, plugins.Prepared):
                detector.ready()
        nobody = Engine(self.policy, self.detectors)
        with contextlib.suppress(OperatorError):  # nothing of this is minted in a vault
            nobody.anonymize(WARM)
        return self

    def detect(self, document: Document | str) -> list[Finding]:
        """What would be replaced."""
        return next(self.find([document]))

    def anonymize(self, document: Document | str) -> Anonymized:
        """The clean text and its report."""
        return next(self.stream([document]))

    def stream(self, documents: Iterable[Document | str]) -> Iterator[Anonymized]:
        """Any number of documents, in order. One that cannot be anonymized ends the stream."""
        with self._known.run():
            for batch in batches(map(_document, documents)):
                today = self._today or datetime.datetime.now(tz=datetime.UTC).date()
                anonymize = partial(self._anonymize, today)
                replaced = partial(map, anonymize, batch, self._find(batch))
                if self._pseudonyms is None:
                    yield from replaced()
                else:
                    yield from self._pseudonyms.kept((each.group for each in batch), replaced)

    def find(self, documents: Iterable[Document | str]) -> Iterator[list[Finding]]:
        """What would be replaced, of any number of documents, in order."""
        with self._known.run():
            for batch in batches(map(_document, documents)):
                yield from self._find(batch)

    def again(
        self, documents: Sequence[Document], found: Sequence[list[Finding]]
    ) -> list[list[Finding]]:
        """What was found in documents, with what is `known` now and was not when they were looked
        at: no other detector looks again."""
        known = detect.run(self._known, list(documents))
        return [
            resolve(one.text, [*before, *filter(self._counts, more)], self._allow, self.keeps)
            if more else before
            for one, before, more in zip(documents, found, known, strict=True)
        ]  # fmt: skip

    def _find(self, batch: list[Document]) -> list[list[Finding]]:
        """Equal texts under equal names are looked at once: a table's column repeats itself."""
        looks = list(map(_looks, batch))
        different = dict(zip(looks, batch, strict=True))
        found = dict(zip(different, self._look(different.values()), strict=True))
        return [found[look] for look in looks]

    def _look(self, batch: Collection[Document]) -> list[list[Finding]]:
        told = list(map(self._told, batch))
        found = iter(self._detected([d for d, t in zip(batch, told, strict=True) if t is None]))
        return [
            self._resolved(document, next(found)) if known is None else known
            for document, known in zip(batch, told, strict=True)
        ]

    def _told(self, document: Document) -> list[Finding] | None:
        """The findings of a text whose place alone says that all of it goes: then nobody need look
        at it."""
        label = document.label
        if not label or not document.text:
            return None
        if label not in self._settling:
            self._settling[label] = self._counts(_place(document)) and not self.keeps(label)
        return (
            whole(document.text, _place(document), self._allow) if self._settling[label] else None
        )

    def _resolved(self, document: Document, found: list[Finding]) -> list[Finding]:
        """What a place keeps, "White" as a race, stays, whatever a net takes all of it for."""
        if document.label and document.text and self._counts(place := _place(document)):
            found = [place, *(one for one in found if not _guessed(one, document.text))]
        return resolve(document.text, found, self._allow, self.keeps) if found else []

    def _detected(self, batch: list[Document]) -> list[list[Finding]]:
        """What detectors find, as far as it is certain enough."""
        if not batch:
            return []
        detectors = self.detectors
        if any(document.known for document in batch):
            detectors += (self._known,)
        found: list[list[Finding]] = [[] for _ in batch]
        for detector in detectors:
            settled = [list(filter(self._settles, every)) for every in found]
            for every, more in zip(found, detect.run(detector, batch, settled), strict=True):
                every += filter(self._counts, more)
        return found

    def _anonymize(
        self, today: datetime.date, document: Document, findings: list[Finding]
    ) -> Anonymized:
        text = document.text
        replacements: list[Replacement] = []
        if findings:
            scene = operators.Scene(
                document, findings, self._key, self._memory, today, self._domain, self._pseudonyms
            )
            text, replacements = replace(scene, self._operator)
        names = self._names_with_known if document.known else self._names
        return report.anonymized(text, document, replacements, self.policy, self.digest, names)

    def _counts(self, finding: Finding) -> bool:
        """Whether a finding is certain enough for its label's rule."""
        label = finding.label
        if label not in self._thresholds:
            self._thresholds[label] = self.policy.rule(label).threshold
        return finding.score >= self._thresholds[label]

    def _settles(self, finding: Finding) -> bool:
        """Whether all of it goes, whatever else is found there."""
        return not self._allow and self.operator(finding.label) in WHOLE

    def keeps(self, label: str) -> bool:
        """Whether the policy leaves this label in the text."""
        return self.operator(label) == "keep.v1"

    def operator(self, label: str) -> str:
        """The full name of what the policy does with a label: `shift.v1`."""
        return self._operator(label)[0]

    def _operator(self, label: str) -> tuple[str, plugins.Operator]:
        if label not in self._operators:
            rule = self.policy.rule(label)
            name = operators.full_name(rule.operator)
            self._operators[label] = name, operators.make(name, rule.options)
        return self._operators[label]


def _place(document: Document) -> Finding:
    """What the place of a text says of it."""
    return Finding(0, len(document.text), document.label, 1.0, PLACE)


def _guessed(finding: Finding, text: str) -> bool:
    """Whether it is a net's word for all of a text."""
    return (
        finding.detector.startswith("tagger.")
        and not text[: finding.start].strip()
        and not text[finding.end :].strip()
    )


def _looks(document: Document) -> tuple[object, ...]:
    """What detectors see of a document."""
    known = id(document.known) if document.known else 0
    return document.text, document.field, document.label, document.language, known


def _document(document: Document | str) -> Document:
    return Document(document) if isinstance(document, str) else document


def batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Documents in lists that are worth one call of a detector, and fit in memory."""
    batch: list[Document] = []
    different: set[tuple[object, ...]] = set()
    size = 0
    for document in documents:
        batch.append(document)
        count = len(different)
        different.add(_looks(document))
        if len(different) > count:
            size += len(document.text)
        full = len(different) >= BATCH_DOCUMENTS or len(batch) >= BATCH_LONGEST
        if full or size >= BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
            different.clear()
    if batch:
        yield batch
