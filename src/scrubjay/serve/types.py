"""What goes over the wire. OpenAPI is made of these, and requests are read by them: they cannot
disagree.
"""

from __future__ import annotations

from msgspec import Struct

from scrubjay.types import Document, Finding, Replacement


class Text(Struct, frozen=True, forbid_unknown_fields=True):
    """A text to look at. `group`: whose it is; `field`: the name that it stands under; `known`: by
    label, what is known of its subject; `policy`: another than the service's own."""

    text: str
    id: str = ""
    group: str = ""
    field: str = ""
    language: str = "und"
    known: dict[str, tuple[str, ...]] = {}
    policy: str = ""

    def document(self) -> Document:
        """As the engine has it."""
        return Document(self.text, self.id, self.language, self.group, self.field, known=self.known)


class Found(Struct, frozen=True):
    """What would be replaced in a text."""

    id: str
    findings: list[Finding]
    counts: dict[str, int]
    policy: str
    policy_digest: str


class Clean(Struct, frozen=True):
    """A text without what identifies."""

    id: str
    text: str
    counts: dict[str, int]
    replacements: tuple[Replacement, ...]
    policy: str
    policy_digest: str


class PolicyRow(Struct, frozen=True):
    """A policy that can be asked for."""

    name: str
    description: str
    digest: str


class LabelRow(Struct, frozen=True):
    """A kind of identifier."""

    name: str
    meaning: str
    parent: str
    hipaa: str
    gdpr: str


class Health(Struct, frozen=True):
    """That the process is alive, or ready."""

    status: str
    version: str
    waiting: int = 0
