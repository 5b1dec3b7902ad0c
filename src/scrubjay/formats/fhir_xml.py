"""FHIR in XML: read as the same objects as JSON, and written again in the order of the schema.

`value` attributes are values, other elements objects; `id` of elements and `url` of extensions are
attributes; resources stand in an element of their type, narratives as they are.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from scrubjay.errors import InputError
from scrubjay.formats import xmltree
from scrubjay.formats.xmltree import Node

FHIR = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"
_LISTS = """identifier name telecom address contact extension modifierExtension entry contained
    coding given line security link"""
LISTS = frozenset(_LISTS.split())  # of which there may be one only
_NUMBERS = re.compile(
    r"(value|onset|abatement|occurrence|age)?(Decimal|Integer|PositiveInt|UnsignedInt)$"
)
_PLACES = frozenset({"latitude", "longitude", "altitude"})
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
MEASURE = frozenset({"unit", "comparator"})


def read(data: bytes, left_out: list[str]) -> dict[str, Any]:
    """The resource, as JSON would have it, but for numbers and truth values that are strings."""
    root = xmltree.parse(data, left_out)
    if root.attributes.get("xmlns") != FHIR:
        raise InputError(f"no FHIR: its root is not of {FHIR}")
    return _resource(root)


def _resource(node: Node) -> dict[str, Any]:
    return {"resourceType": node.name, **_object(node)}


def _object(node: Node) -> dict[str, Any]:
    told: dict[str, Any] = {k: v for k, v in node.attributes.items() if k in ("id", "url")}
    if any(isinstance(inner, str) and inner.strip() for inner in node.content):
        raise InputError("no FHIR: text between elements")
    rows: dict[str, list[Node]] = {}
    for inner in node.children():
        rows.setdefault(inner.name, []).append(inner)
    measured = bool(MEASURE & rows.keys()) or {"system", "code", "value"} <= rows.keys()
    for name, nodes in rows.items():
        _add(told, name, nodes, measured)
    return told


def _add(told: dict[str, Any], name: str, nodes: list[Node], measured: bool) -> None:
    values = [_value(each, measured) for each in nodes]
    beside = [_beside(each) for each in nodes]
    several = len(nodes) > 1 or (name in LISTS and isinstance(values[0], dict | str))
    if name == "name" and isinstance(values[0], str):
        several = len(nodes) > 1
    if any(value is not None for value in values):
        told[name] = values if several else values[0]
    if any(each is not None for each in beside):
        told[f"_{name}"] = beside if several else beside[0]


def _value(node: Node, measured: bool) -> Any:
    """A primitive, an object, or what stands for one."""
    if node.name == "div":
        return _narrative(node)
    if "value" in node.attributes:
        value = node.attributes["value"]
        numeric = (node.name == "value" and measured) or _is_number(node.name)
        return Decimal(value) if numeric and NUMBER.fullmatch(value) else value
    inner = list(node.children())
    if len(inner) == 1 and inner[0].name[:1].isupper():
        return _resource(inner[0])
    if inner and all(each.name == "extension" for each in inner) and node.name != "extension":
        return None  # a primitive without a value
    return _object(node)


def _narrative(node: Node) -> str:
    """On its own: a prefix may have been declared far above."""
    for each in node.every():
        each.tag = each.name
        each.attributes = {k: v for k, v in each.attributes.items() if not k.startswith("xmlns")}
    node.attributes = {"xmlns": XHTML, **node.attributes}
    return xmltree.write(node)


def _is_number(name: str) -> bool:
    return name in _PLACES or _NUMBERS.match(name) is not None


def _beside(node: Node) -> dict[str, Any] | None:
    """What a primitive has besides its value: JSON's `_name`."""
    only = all(each.name == "extension" for each in node.children())
    if "value" not in node.attributes and not (only and any(node.children())):
        return None
    if node.name in ("extension", "div"):
        return None
    return _object(node) or None


def write(resource: dict[str, Any]) -> bytes:
    """A document of the resource."""
    root = _written(resource)
    root.attributes = {"xmlns": FHIR, **root.attributes}
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + xmltree.write(root).encode() + b"\n"


def _written(resource: dict[str, Any]) -> Node:
    node = Node(str(resource["resourceType"]))
    _fill(node, {k: v for k, v in resource.items() if k != "resourceType"}, whole=True)
    return node


def _fill(node: Node, value: dict[str, Any], *, whole: bool = False) -> None:
    done: set[str] = set()
    for key in value:
        name = key.removeprefix("_")
        if name in done:
            continue
        done.add(name)
        if (name == "id" and not whole) or (name == "url" and node.name.endswith("xtension")):
            node.attributes[name] = str(value.get(name, ""))
            continue
        _fill_element(node, name, value.get(name), value.get(f"_{name}"))


def _fill_element(node: Node, name: str, value: Any, beside: Any) -> None:
    values = value if isinstance(value, list) else [value]
    besides = beside if isinstance(beside, list) else [beside]
    for index in range(max(len(values), len(besides))):
        each = values[index] if index < len(values) else None
        more = besides[index] if index < len(besides) else None
        node.content.append(_element(name, each, more))


def _element(name: str, value: Any, beside: Any) -> Node:
    node = Node(name)
    if isinstance(value, dict) and "resourceType" in value:
        node.content = [_written(value)]
    elif isinstance(value, dict):
        _fill(node, value)
    elif name == "div" and isinstance(value, str):
        return xmltree.parse(value)
    elif value is not None:
        told = {True: "true", False: "false"}.get(value) if isinstance(value, bool) else str(value)
        node.attributes["value"] = told or ""
    if isinstance(beside, dict):
        _fill(node, beside)
    return node
