"""What is left of a FHIR resource when values were taken out of it: still a FHIR resource.

An object that is `GONE` leaves no trace; where a value was `MASKED`, `data-absent-reason` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

DEEPEST = 60
MASKED = object()
GONE = object()
ABSENT = {
    "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
    "valueCode": "masked",
}


def prune(value: Any) -> Any:
    """Without what was dropped, and without what holds nothing since."""
    if isinstance(value, dict):
        if "url" in value and any(v is MASKED for k, v in value.items() if k.startswith("value")):
            return GONE  # an extension is its value
        for key in list(value):
            if key in value:
                _prune_key(value, key)
    elif isinstance(value, list):
        value[:] = [each for each in map(prune, value) if each is not GONE]
    return GONE if value in ({}, []) else value


def _prune_key(owner: dict[str, Any], key: str) -> None:
    value = owner[key]
    if isinstance(value, list) and any(each is MASKED for each in value):
        beside = owner.get(f"_{key}")
        beside = beside if isinstance(beside, list) else []
        beside += [None] * (len(value) - len(beside))
        for index, each in enumerate(value):
            if each is MASKED:
                value[index], beside[index] = None, _absent(beside[index])
        owner[f"_{key}"] = beside
    if value is MASKED:
        _replace(owner, key, _absent(owner.pop(f"_{key}", None)))
        return
    if value is GONE or prune(value) is GONE:
        del owner[key]


def _replace(owner: dict[str, Any], key: str, beside: dict[str, Any]) -> None:
    """In its place: XML has an order."""
    items = [(f"_{k}", beside) if k == key else (k, v) for k, v in owner.items()]
    owner.clear()
    owner.update(items)


def _absent(beside: Any) -> dict[str, Any]:
    """An element that says why its value is not there."""
    told = beside if isinstance(beside, dict) else {}
    extensions = told.get("extension")
    kept = [each for each in extensions if each is not GONE] if isinstance(extensions, list) else []
    return {**told, "extension": [*kept, dict(ABSENT)]}


def depth(value: Any) -> int:
    """How deep objects and lists lie in each other."""
    level, deepest = [value], 0
    while level:
        deepest += 1
        level = [inner for each in level for inner in _below(each)]
    return deepest


def _below(value: Any) -> Iterator[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (each for each in inner if isinstance(each, dict | list))
