"""The data that crosses module borders: each idea once, frozen, the same inside and on the wire.

`start` and `end` are code points, half-open. A finding holds places, never values, and no repr
shows document text. None can be part of a cycle: the garbage collector passes them by.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field


class Document(Struct, frozen=True, gc=False):
    """One text. `group` is the patient or subject whose dates shift and pseudonyms agree; `field`
    is the name that the text stands under: a key, a column's header. `label` is what all of the
    text is, where its place says so: a birth date's element. `known` holds, by label, what is known
    of its subject and looked for in every form; it shows nowhere."""

    text: str
    id: str = ""
    language: str = "und"
    group: str = ""
    field: str = ""
    label: str = ""
    known: dict[str, tuple[str, ...]] = {}

    def __repr__(self) -> str:
        return f"Document(<{len(self.text)} characters>, language={self.language!r})"


class Finding(Struct, frozen=True, order=True, gc=False):
    """A place that holds an identifier. `entity` numbers who or what, per document; 0: not yet."""

    start: int
    end: int
    label: str
    score: float
    detector: str
    entity: int = 0


class Rule(Struct, frozen=True):
    """What is done with one label: findings of at least `threshold` go through `operator`."""

    operator: str = "redact.v1"
    threshold: float = 0.5
    options: dict[str, Any] = field(default_factory=dict)


class Policy(Struct, frozen=True):
    """Rules by label. A label without a rule, a new one included, takes `default`."""

    name: str
    rules: dict[str, Rule] = field(default_factory=dict)
    default: Rule = Rule()
    description: str = ""
    allow: tuple[str, ...] = ()
    deny: dict[str, tuple[str, ...]] = field(default_factory=dict)
    patterns: tuple[dict[str, Any], ...] = ()
    detectors: tuple[str, ...] = ("patterns.v1", "tagger.v1")

    def __repr__(self) -> str:  # allow and deny lists may hold real names
        return f"Policy({self.name!r}, {len(self.rules)} rules)"

    def rule(self, label: str) -> Rule:
        """The rule in force for a label: its own, the label's own, its parents', or the default."""
        from scrubjay import labels  # the table is read when first needed

        known = labels.table().get(label)
        if known and known.operator and label not in self.rules:
            return Rule(known.operator, self.default.threshold)
        for name in labels.lineage(label):
            if name in self.rules:
                return self.rules[name]
        return self.default


class Replacement(Struct, frozen=True, gc=False):
    """One change: where it was in the text, where its substitute is in the new text."""

    start: int
    end: int
    new_start: int
    new_end: int
    label: str
    entity: int
    score: float
    detector: str
    operator: str


class Report(Struct, frozen=True, gc=False):
    """What was done to one document: places, labels and rules, never values."""

    document: str
    policy: str
    policy_digest: str
    version: str
    counts: dict[str, int]
    replacements: tuple[Replacement, ...]
    detectors: tuple[str, ...] = ()


class Anonymized(Struct, frozen=True, gc=False):
    """Clean text and the report of how it came to be."""

    text: str
    report: Report

    def __repr__(self) -> str:
        return f"Anonymized(<{len(self.text)} characters>, counts={self.report.counts!r})"
