"""What FHIR resources say of what was done to them: security labels and Provenance."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from typing import Any

import scrubjay
from scrubjay.errors import InputError
from scrubjay.formats import clinical
from scrubjay.keys import Key

TOGETHER = 1000  # resources that one Provenance among lines is about
LABELS = {  # by what was done: v3-ObservationValue
    "redact.v1": "REDACTED",
    "label.v1": "REDACTED",
    "mask.v1": "MASKED",
    "generalize.v1": "ABSTRED",
}
SECURITY = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
# Bundles whose entries are bound to a message or to what a server did; a document may hold
# Provenances of what is in it (FHIR R4 3.3.1)
CLOSED = ("message", "history", "subscription-notification")


class Done:
    """What was done to lines, told in lines of their own."""

    def __init__(self, now: Callable[[], datetime.datetime], key: Key) -> None:
        self._now = now
        self._key = key
        self.targets: list[str] = []

    def add(self, value: dict[str, Any]) -> None:
        """One more resource that was changed."""
        if isinstance(value.get("id"), str):
            self.targets.append(f"{value['resourceType']}/{value['id']}")

    @property
    def full(self) -> bool:
        """Whether a Provenance is about as many as it may be."""
        return len(self.targets) >= TOGETHER

    def provenance(self) -> dict[str, Any]:
        """Of those that none was about yet."""
        targets, self.targets = self.targets, []
        return provenance(targets, self._now(), self._key)


def label(value: dict[str, Any], used: Iterable[str]) -> list[dict[str, Any]]:
    """Label a resource, and those of a Bundle, by the operators that were used; its entries."""
    told = sorted({LABELS.get(operator, "PSEUDED") for operator in used})
    entries = value.get("entry")
    entries = [e for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
    if told:
        within = [e["resource"] for e in entries if isinstance(e.get("resource"), dict)]
        for resource in (value, *within):
            _label(resource, told)
    return entries


def _label(resource: dict[str, Any], told: Iterable[str]) -> None:
    """https://terminology.hl7.org, SecurityAlterationIntegrityObservationValue."""
    meta = resource.setdefault("meta", {})
    if not isinstance(meta, dict):
        raise InputError("meta is no object")
    labels = meta.setdefault("security", [])
    if not isinstance(labels, list):
        raise InputError("meta.security is no list")
    there = {str(each.get("code")) for each in labels if isinstance(each, dict)}
    labels += [{"system": SECURITY, "code": code} for code in told if code not in there]
    _first(meta, "versionId", "lastUpdated", "source", "profile", "security")
    _first(resource, "resourceType", "id", "meta")


def _first(value: dict[str, Any], *names: str) -> None:
    """These before the others, as the schema has them."""
    told = [name for each in names for name in (each, f"_{each}") if name in value]
    items = [(name, value[name]) for name in [*told, *(k for k in value if k not in told)]]
    value.clear()
    value.update(items)


def takes(value: dict[str, Any]) -> bool:
    """Whether a resource is a Bundle that may hold one more resource."""
    return value["resourceType"] == "Bundle" and str(value.get("type")) not in CLOSED


def bundled(
    bundle: dict[str, Any], entries: list[dict[str, Any]], now: datetime.datetime, key: Key
) -> None:
    """One more entry, about all the others that have an address."""
    targets = [each["fullUrl"] for each in entries if isinstance(each.get("fullUrl"), str)]
    if not targets:
        return
    resource = provenance(targets, now, key)
    entry = {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}
    if bundle.get("type") in ("transaction", "batch"):
        entry["request"] = {"method": "POST", "url": "Provenance"}
    elif bundle.get("type") == "searchset":
        entry["search"] = {"mode": "include"}
    bundle["entry"].append(entry)


def provenance(targets: list[str], now: datetime.datetime, key: Key) -> dict[str, Any]:
    """What was done to these, when, and by what."""
    when = now.isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "resourceType": "Provenance",
        "id": clinical.code(" ".join([when, *targets]), key),
        "target": [{"reference": target} for target in targets],
        "recorded": when,
        "activity": {"coding": [{"system": LIFECYCLE, "code": "deidentify"}]},
        "agent": [{"who": {"display": f"Scrubjay {scrubjay.__version__}"}}],
    }
