"""What readers know of their formats, as data: the `.toml` files beside them."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any


@cache
def read(name: str) -> dict[str, Any]:
    """`fhir` -> what fhir.toml says. All callers share it: it is not to be changed."""
    source = resources.files("scrubjay.formats").joinpath(f"{name}.toml")
    return tomllib.loads(source.read_text("utf-8"))
