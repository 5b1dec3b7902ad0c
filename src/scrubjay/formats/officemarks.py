"""Bookmarks of an office document, which are seldom seen, and say who: they get other names. So do
the ids of those who commented.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from scrubjay.formats.officebare import table
from scrubjay.formats.xmltree import Node

_REFERENCE = re.compile(r"\b(?:PAGE|NOTE)?REF\s+([^\s\\\"]+)")


def mark(roots: Iterable[Node]) -> None:
    """Other names for bookmarks, in fields and links too."""
    nodes = [node for root in roots for node in root.every()]
    _join(nodes)
    places = [
        (node, key) for node in nodes for key in node.attributes if _is(node.name, key, "marks")
    ]
    found = dict.fromkeys(node.attributes[key] for node, key in places)
    for node in nodes:
        told = node.text() if node.name == "instrText" else node.attributes.get("w:instr", "")
        found.update(dict.fromkeys(_REFERENCE.findall(told)))
    new = {name: f"mark_{n}" for n, name in enumerate((x for x in found if not _own(x)), 1)}
    if not new:
        return
    for node, key in places:
        node.attributes[key] = new.get(node.attributes[key], node.attributes[key])
    names = "|".join(map(re.escape, sorted(new, key=len, reverse=True)))
    spoken = re.compile(rf"(?<![\w.])(?:{names})(?![\w.])")
    for node in nodes:
        if node.name in {"instrText", "delInstrText"}:
            node.content = [
                c if isinstance(c, Node) else spoken.sub(lambda m: new[m[0]], c)
                for c in node.content
            ]
        for key, value in node.attributes.items():
            if key.endswith(":instr") or (key.endswith("href") and value.startswith("#")):
                node.attributes[key] = spoken.sub(lambda m: new[m[0]], value)


def renumber(roots: Iterable[Node]) -> None:
    """Other ids for people: programs give a person the same one in many files."""
    new: dict[str, str] = {}
    for node in (node for root in roots for node in root.every()):
        for key, value in node.attributes.items():
            if _is(node.name, key, "ids") and value.startswith("{"):
                told = f"{{00000000-0000-0000-0000-{len(new) + 1:012X}}}"
                node.attributes[key] = new.setdefault(value.upper(), told)
        if node.name in {"person", "author"} and "id" in node.attributes:  # they must be there
            node.attributes |= {"userId": node.attributes["id"], "providerId": "None"}


@lru_cache(1 << 12)
def _is(name: str, key: str, kind: str) -> bool:
    """Whether office.toml has the attribute among those of that kind."""
    return f"{name}@{key.rpartition(':')[2]}" in table()[kind]


def _join(nodes: list[Node]) -> None:
    """A field's instruction in several runs becomes one run's."""
    first: Node | None = None
    for node in nodes:
        if node.name in {"fldChar", "p"}:
            first = None
        elif node.name == "instrText":
            if first is None:
                first = node
            else:
                first.content = [first.text() + node.text()]
                node.content = []


def _own(name: str) -> bool:
    return bool(re.fullmatch(r"_(?:Toc|Ref|Hlk|GoBack)\d{0,12}|mark_\d{1,6}", name))
