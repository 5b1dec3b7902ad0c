"""The taxonomy: what each label means, its HIPAA letter, how it identifies, and its parent."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from scrubjay.errors import CatalogueError


class Label(Struct, frozen=True):
    """One row of labels.toml."""

    name: str
    meaning: str
    gdpr: str
    hipaa: str = ""
    parent: str = ""
    everywhere: bool = False
    operator: str = ""


@cache
def table() -> dict[str, Label]:
    """Every label by name."""
    rows = tomllib.loads(files("scrubjay").joinpath("labels.toml").read_text("utf-8"))
    known = {
        name: msgspec.convert({"name": name, **row}, Label, strict=True)
        for name, row in rows.items()
    }
    for label in known.values():
        if label.parent and label.parent not in known:
            raise CatalogueError(f"labels.toml: {label.name}: unknown parent '{label.parent}'")
    return known


@cache
def lineage(name: str) -> tuple[str, ...]:
    """The label, its parent, its parent's parent. An unknown label is its own lineage."""
    label = table().get(name)
    return (name, *lineage(label.parent)) if label and label.parent else (name,)
