"""Markup of office documents without what nobody understands: unknown elements and attributes, and
names that the formats do not have.

A name, and a value of no text, stays if it is made of numbers and of words of the formats' own:
office_words.txt.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from scrubjay.formats.work import Work
from scrubjay.formats.xmltree import Node

LONGEST = 1 << 16  # characters of a code: the outline of a shape
DIGITS = 10
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NUMBER = re.compile(r"(?<![0-9.])[0-9]+")  # what stands behind a point is precision
_SIGNS = re.compile(r"(?:[A-Za-z0-9 _.,:;#()%+*/=$'|!<>?\[\]{}\\\t\n-]|@(?=[0-9]))*")
_HEX = re.compile(r"#?(?:[0-9A-F]{2}|[0-9A-Fa-f]{6}|[0-9A-F]{8}|[0-9A-F]{20})|0x[0-9a-f]{8}")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}\b")
_RUN = re.compile(r"[0-9][-/][0-9]|[0-9]\.[0-9]+\.[0-9]")  # a number of somebody, or a day
_GUID = re.compile(r"\{?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-[A-Z]{2})?")
_SPACE = re.compile(r"(?:https?://|urn:)[A-Za-z0-9:/._#-]+")
_SESSION = re.compile(r"rsid|gfxdata$|userId$|providerId$|hash|salt|crypt|protection-key|digest")


@cache
def table() -> dict[str, Any]:
    """office.toml, its lists of names as sets."""
    source = resources.files("scrubjay.formats").joinpath("office.toml")
    rows = tomllib.loads(source.read_text("utf-8"))
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
    """Whether a namespace is of the formats' own making."""
    return bool(_SPACE.fullmatch(uri)) and code(uri, 4)


class Bare:
    """One part's tree."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._renamed: dict[str, str] = {}

    def prune(self, root: Node) -> bool:
        """Whether anything stays, with its prefixes as usual."""
        return self._prune(root, {"xml": True})

    def _prune(self, node: Node, outer: dict[str, bool]) -> bool:
        scope = self._scope(node, outer)
        if not self._fits(node.tag, scope):
            self._work.dropped("unknown element")
            return False
        told = table()["gone"].get(node.name)
        if told is not None:
            if told:
                self._work.dropped(told)
            return False
        if node.name == "Choice" and not all(map(scope.get, self._required(node))):
            self._work.dropped("unknown element")
            return False
        node.attributes = {
            self._named(key): self._value(key, value, scope)
            for key, value in node.attributes.items()
            if self._stays(key, value, scope)
        }
        node.tag = self._named(node.tag)
        had = bool(node.content)
        node.content = [c for c in node.content if isinstance(c, str) or self._prune(c, scope)]
        return not (had and not node.content and node.name == "ext")

    def _scope(self, node: Node, outer: dict[str, bool]) -> dict[str, bool]:
        """By prefix, whether its namespace is known."""
        found = {
            key.partition(":")[2]: known_space(uri)
            for key, uri in node.attributes.items()
            if key == "xmlns" or key.startswith("xmlns:")
        }
        return {**outer, **found} if found else outer

    def _fits(self, name: str, scope: dict[str, bool]) -> bool:
        prefix, colon, local = name.rpartition(":")
        return scope.get(prefix, not colon) and code(local, 4)

    def _stays(self, key: str, value: str, scope: dict[str, bool]) -> bool:
        if key == "xmlns" or key.startswith("xmlns:"):
            return known_space(value)
        local = key.rpartition(":")[2]
        if value.startswith("data:"):  # a file in a link
            self._work.dropped("image")
            return False
        if local in {"ProcessContent", "PreserveElements", "PreserveAttributes", "schemaLocation"}:
            return False
        return (
            not _SESSION.match(local)
            and (":" not in key or self._fits(key, scope))
            and code(local, 4)
        )

    def _value(self, key: str, value: str, scope: dict[str, bool]) -> str:
        if key.rpartition(":")[2] not in {"Ignorable", "Requires", "MustUnderstand"}:
            return value
        return " ".join(self._prefix(one) for one in value.split() if scope.get(one))

    def _required(self, node: Node) -> list[str]:
        return node.attributes.get("Requires", "").split()

    def _named(self, name: str) -> str:
        """With a prefix that says nobody's name."""
        if name.startswith("xmlns:"):
            return f"xmlns:{self._prefix(name[6:])}"
        prefix, colon, local = name.rpartition(":")
        return f"{self._prefix(prefix)}:{local}" if colon else name

    def _prefix(self, prefix: str) -> str:
        if code(prefix, 4) and ":" not in prefix:
            return prefix
        return self._renamed.setdefault(prefix, f"ns{len(self._renamed) + 1000}")
