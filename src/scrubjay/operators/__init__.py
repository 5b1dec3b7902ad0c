"""What is done to a value. `make("mask.v1", {"keep_last": 4})` gives a ready operator; a name
without a version means the newest one.

A factory's keyword parameters are the operator's options, checked against their annotations.
"""

from __future__ import annotations

import datetime
import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Struct

from scrubjay import plugins
from scrubjay.errors import OperatorError, PolicyError
from scrubjay.keys import Key
from scrubjay.types import Document, Finding

# Versioned name -> the function of scrubjay.operators.<module> that makes it. Old versions stay.
KNOWN = {
    "redact.v1": "redact.redact",
    "label.v1": "label.label",
    "mask.v1": "mask.mask",
    "keep.v1": "keep.keep",
    "hash.v1": "hash.hash_value",
    "generalize.v1": "generalize.generalize",
    "shift.v1": "dates.shift",
    "surrogate.v1": "surrogate.surrogate",
    "code.v1": "code.code",
    "token.v1": "token.token",
    "fpe.v1": "fpe.fpe",
    "uid.v1": "uid.uid",
}


T = TypeVar("T")


class Ledger(Protocol):
    """Who was given what. `group` is the document's; with "" it belongs to nobody in particular."""

    def get(self, group: str, *place: str) -> str | None:
        """What was put there, in this run or before."""

    def put(self, value: str, group: str, *place: str) -> None:
        """Keep it there, where nothing is."""

    def tell(self, group: str, kind: str, surrogate: str, value: str) -> None:
        """Keep what stands in a text now, and for what."""

    def notes(self, what: Any) -> dict[str, Any]:
        """Room for what follows from that and the ledger: what was noted there last, or nothing."""


class Pseudonyms(Ledger, Protocol):
    """A ledger in a vault: `vault.pseudonyms.Pseudonyms`."""

    def key(self, group: str) -> Key | None:
        """The subject's own key, which goes when the subject is erased."""

    def code(self, subject: str) -> str:
        """The subject's random code, the same each time."""

    def kept(self, groups: Iterable[str], work: Callable[[], Iterable[T]]) -> list[T]:
        """What `work` gives for documents of these groups, when all that it minted is in the vault.
        It may run several times. `VaultError` if one of the groups was erased."""


class Domain(Protocol):
    """What operators need of a vault's domain: `vault.domain.Domain` has it."""

    @property
    def id(self) -> str:
        """What tells it from others."""

    @property
    def version(self) -> int:
        """Of its key, for what is new."""

    @property
    def versions(self) -> Sequence[int]:
        """Those of its keys that can be used."""

    def secret(self, purpose: str, version: int) -> Key:
        """The key of one version for a purpose."""

    @property
    def publics(self) -> Mapping[int, bytes]:
        """The public keys that two-person tokens are sealed to, by version; of others nothing."""

    def lasting(self, purpose: str) -> Key:
        """The key for a purpose, whatever the version."""

    def pseudonyms(self) -> Pseudonyms:
        """What a run mints in it."""


class Scene(Struct):
    """What an operator may look at besides the value. `memory` lasts for the run: an operator keeps
    what must agree across documents under its own name in it. `notes` are of this document."""

    document: Document
    findings: list[Finding]
    key: Key
    memory: dict[str, Any]
    today: datetime.date
    domain: Domain | None = None
    pseudonyms: Pseudonyms | None = None
    notes: dict[str, Any] = {}


def own_key(scene: Scene) -> Key:
    """What is drawn for the document's subject is drawn from its own key, where a vault keeps one:
    who erases the key erases the way back."""
    kept = scene.pseudonyms.key(scene.document.group) if scene.pseudonyms else None
    return kept or scene.key


def domain_of(scene: Scene, name: str) -> Domain:
    """The domain, which an operator of that name needs."""
    if scene.domain is None:
        raise OperatorError(f"operator {name} needs a vault: say --domain TENANT/DOMAIN")
    return scene.domain


def pseudonyms_of(scene: Scene, name: str) -> Pseudonyms:
    """What is minted in the domain, which an operator of that name needs."""
    if scene.pseudonyms is None:
        raise OperatorError(f"operator {name} needs a vault: say --domain TENANT/DOMAIN")
    return scene.pseudonyms


def full_name(name: str) -> str:
    """`mask` -> `mask.v1`; unknown names are refused with the known ones."""
    if name in KNOWN or plugins.registered("operators", name):
        return name
    versions = [known for known in KNOWN if known.rpartition(".")[0] == name]
    if not versions:
        raise PolicyError(f"unknown operator '{name}'; known: {', '.join(sorted(KNOWN))}")
    return versions[-1]


def make(name: str, options: dict[str, Any]) -> plugins.Operator:
    """The operator of that name with these options."""
    name = full_name(name)
    factory = _factory(name) if name in KNOWN else plugins.registered("operators", name)
    return factory(**_checked(name, factory, options))  # type: ignore[misc, no-any-return]


@cache
def _factory(name: str) -> Any:
    module, function = KNOWN[name].split(".")
    return getattr(importlib.import_module(f"{__name__}.{module}"), function)


def _checked(name: str, factory: Any, options: dict[str, Any]) -> dict[str, Any]:
    accepted = inspect.signature(factory, eval_str=True).parameters
    for option, value in options.items():
        if option not in accepted:
            known = ", ".join(accepted) or "none"
            raise PolicyError(f"operator {name} has no option '{option}'; options: {known}")
        try:
            msgspec.convert(value, accepted[option].annotation, strict=True)
        except msgspec.ValidationError as problem:
            raise PolicyError(f"operator {name}, option '{option}': {problem}") from None
    return options
