"""What goes over the wire. OpenAPI is made of these, and requests are read by them: they cannot
disagree.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from scrubjay import labels
from scrubjay.errors import UsageError
from scrubjay.types import Document, Finding, Replacement

_LABELS = frozenset(labels.table())
Known = Annotated[
    dict[str, tuple[str, ...]],
    Meta(extra_json_schema={"propertyNames": {"enum": sorted(_LABELS)}}),
]


class Text(Struct, frozen=True, forbid_unknown_fields=True):
    """A text to look at. `group`: whose it is; `field`: the name that it stands under; `known`: by
    label, what is known of its subject; `policy`: another than the service's own."""

    text: str
    id: str = ""
    group: str = ""
    field: str = ""
    language: str = "und"
    known: Known = {}
    policy: str = ""

    def __repr__(self) -> str:
        return f"Text(<{len(self.text)} characters>)"

    def document(self) -> Document:
        """As the engine has it."""
        if not self.known.keys() <= _LABELS:  # the engine's own refusal would say which
            raise UsageError("known: a label that is none; GET /v1/labels lists them")
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

    def __repr__(self) -> str:
        return f"Clean(<{len(self.text)} characters>)"


class PolicyRow(Struct, frozen=True):
    """A policy that can be asked for; or why not, where what it extends was changed."""

    name: str
    description: str
    digest: str
    problem: str = ""


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
