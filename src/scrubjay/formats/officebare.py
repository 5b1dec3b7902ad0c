"""Markup of office documents without what nobody understands: unknown elements and attributes, and
names that the formats do not have.

A name, and a value of no text, stays if it is made of numbers and of words of the formats' own:
office_words.txt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from msgspec import Struct

from scrubjay.formats import tables
from scrubjay.formats.work import Work
from scrubjay.formats.xmltree import Node

LONGEST = 1 << 16  # characters of a code: the outline of a shape
DIGITS = 10
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NUMBER = re.compile(r"(?<![0-9.])[0-9]+")  # what stands behind a point is precision
_SIGNS = re.compile(r"(?:[A-Za-z0-9 _.,:;#()%+*/=$'|!<>?\[\]{}\\\t\n-]|@(?=[0-9]))*")
_HEX = re.compile(r"#?(?:[0-9A-F]{2}|[0-9A-Fa-f]{6}|[0-9A-F]{8}|[0-9A-F]{20})|0x[0-9a-f]{8}")
_RUN = re.compile(r"[0-9][-/][0-9]|[0-9]\.[0-9]+\.[0-9]")  # a number of somebody, or a day
_GUID = re.compile(r"\{?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-[A-Z]{2})?")
_SPACE = re.compile(r"(?:https?://|urn:)[A-Za-z0-9:/._#-]+")
_ISSUED = re.compile(r"/20[0-3][0-9]/(?:0?[1-9]|1[0-2])(?=/)")  # the month of its making
_SESSION = re.compile(r"rsid|gfxdata$|userId$|providerId$|hash|salt|crypt|protection-key|digest")

_GONE = frozenset(["ProcessContent", "PreserveElements", "PreserveAttributes", "schemaLocation"])


@cache
def table() -> dict[str, Any]:
    """office.toml, its lists of names as sets."""
    rows = tables.read("office")
    return {k: frozenset(v.split()) if isinstance(v, str) else v for k, v in rows.items()}


@cache
def _words() -> frozenset[str]:
    source = resources.files("scrubjay.formats").joinpath("office_words.txt")
    return frozenset(source.read_text("utf-8").partition("\n")[2].split())


@lru_cache(1 << 15)
def code(value: str, digits: int = DIGITS) -> bool:
    """Whether it is made of numbers and of words of the formats' own."""
    if len(value) > LONGEST or not _SIGNS.fullmatch(value):
        return len(value) < 2 and not value.isalnum()
    if _HEX.fullmatch(value) or _GUID.fullmatch(value) or _LANGUAGE.fullmatch(value):
        return True
    return (
        not _RUN.search(value)
        and all(len(number) <= digits for number in _NUMBER.findall(value))
        and all(word.lower() in _words() for word in _WORD.findall(value))
    )


@lru_cache(1 << 10)
def known_space(uri: str) -> bool:
    """Whether a namespace, or a kind of relation, is of the formats' own making."""
    return bool(_SPACE.fullmatch(uri)) and code(_ISSUED.sub("", uri), 4)


class _Scope(Struct):
    """By prefix, whether its namespace is known; by name, what becomes of it, or nothing."""

    known: dict[str, bool]
    tags: dict[str, str] = {}
    keys: dict[str, str] = {}


class Bare:
    """One part's tree."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._renamed: dict[str, str] = {}

    def prune(self, root: Node) -> bool:
        """Whether anything stays, with its prefixes as usual."""
        return self._prune(root, _Scope({"xml": True}))

    def _prune(self, node: Node, outer: _Scope) -> bool:
        scope = self._scope(node, outer)
        tag = scope.tags.get(node.tag)
        if tag is None:
            tag = scope.tags[node.tag] = self._fit(node.tag, scope)
        if not tag:
            self._work.dropped("unknown element")
            return False
        told = table()["gone"].get(node.name)
        if told is not None:
            if told and (node.content or node.attributes):
                self._work.dropped(told)
            return False
        if node.name == "Choice" and not all(map(scope.known.get, self._required(node))):
            self._work.dropped("unknown element")
            return False
        if node.attributes:
            node.attributes = dict(self._attributes(node, scope))
        if tag != node.tag:
            node.tag = tag
        had = bool(node.content)
        node.content = [c for c in node.content if isinstance(c, str) or self._prune(c, scope)]
        return not (had and not node.content and node.name == "ext")

    def _scope(self, node: Node, outer: _Scope) -> _Scope:
        found = {
            key.partition(":")[2]: known_space(uri)
            for key, uri in node.attributes.items()
            if key.startswith("xmlns") and key[5:6] in {"", ":"}
        }
        return _Scope({**outer.known, **found}) if found else outer

    def _fit(self, name: str, scope: _Scope) -> str:
        """The name with a prefix that says nobody's; nothing if the formats do not have it."""
        prefix, colon, local = name.rpartition(":")
        if not scope.known.get(prefix, not colon) or not code(local, 4):
            return ""
        return f"{self._prefix(prefix)}:{local}" if colon else name

    def _attributes(self, node: Node, scope: _Scope) -> Iterator[tuple[str, str]]:
        """Those that stay, as they do."""
        for key, value in node.attributes.items():
            name = scope.keys.get(key)
            if name is None:
                name = scope.keys[key] = self._key(key, scope)
            if value.startswith("data:"):  # a file in a link
                self._work.dropped("image")
            elif name.startswith("xmlns"):
                if known_space(value):
                    yield name, value
            elif name.rpartition(":")[2] in {"Ignorable", "Requires", "MustUnderstand"}:
                known = filter(scope.known.get, value.split())
                yield name, " ".join(map(self._prefix, known))
            elif name:
                yield name, value

    def _key(self, key: str, scope: _Scope) -> str:
        """An attribute's name as it stays, or nothing."""
        if key == "xmlns" or key.startswith("xmlns:"):
            return f"xmlns:{self._prefix(key[6:])}" if ":" in key else key
        local = key.rpartition(":")[2]
        if _SESSION.match(local) or local in _GONE:
            return ""
        if ":" in key:
            return self._fit(key, scope)
        return key if code(local, 4) else ""

    def _required(self, node: Node) -> list[str]:
        return node.attributes.get("Requires", "").split()

    def _prefix(self, prefix: str) -> str:
        if code(prefix, 4) and ":" not in prefix:
            return prefix
        return self._renamed.setdefault(prefix, f"ns{len(self._renamed) + 1000}")
