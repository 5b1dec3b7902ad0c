"""Tenants and domains as they are kept: a name, random keys with versions, sealed by the parent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from scrubjay.errors import UsageError, VaultError
from scrubjay.vault import seal
from scrubjay.vault.seal import LENGTH, Secret, Site
from scrubjay.vault.store import Row

LONGEST = 100  # characters of a name
CHANGED = "another process changed the vault meanwhile; nothing was changed: run it again"


class Version(Secret, frozen=True):
    """One key of a row of them. `until`: from then on it is neither used nor kept; "" is never."""

    number: int
    created: str
    key: bytes
    until: str = ""


class Node(Secret, frozen=True):
    """A tenant or a domain. `index` places what is below it and `rows` seals that."""

    name: str
    id: str
    created: str
    index: bytes
    rows: bytes
    versions: tuple[Version, ...]
    bits: int = 0


class About(Struct, frozen=True):
    """What may be shown of a node."""

    name: str
    created: str
    versions: tuple[tuple[int, str, str], ...]  # number, created, until


class Level(NamedTuple):
    """Where nodes of one parent are kept: `places` finds them, `parent` opens them."""

    site: Site
    space: str
    places: bytes
    parent: bytes

    def __repr__(self) -> str:
        return f"Level({self.space!r})"


class Held(NamedTuple):
    """A node and the row that it was read from."""

    row: Row
    node: Node


def add(level: Level, name: str, bits: int = 0) -> Held:
    """A new node with new keys."""
    if not name or len(name) > LONGEST or "/" in name or not name.isprintable():
        raise UsageError(f"a name has 1 to {LONGEST} printable characters and no '/'")
    random, now = level.site.random, seal.day(level.site.clock())
    first = Version(1, now, random(LENGTH))
    node = Node(name, random(8).hex(), now, random(LENGTH), random(LENGTH), (first,), bits)
    held = Held(row(level, node), node)
    if not level.site.store.add([held.row]):
        raise VaultError(f"'{name}' is there already: take another name")
    return held


def find(level: Level, name: str, what: str) -> Held:
    """The node of that name."""
    at = seal.place(level.places, name)
    value = level.site.store.get(level.space, [at])[0]
    if value is None:
        raise VaultError(
            f"no {what} of that name: scrubjay keys show lists them, keys add makes one"
        )
    return _opened(level, at, value)


def every(level: Level) -> Iterator[Held]:
    """All nodes of a parent."""
    for at, value in level.site.store.items(level.space):
        yield _opened(level, at, value)


def row(level: Level, node: Node) -> Row:
    """A node as it is kept: sealed to vault, parent and place."""
    at = seal.place(level.places, node.name)
    bound = (level.site.vault, level.space, at)
    plain = msgspec.msgpack.encode(node)
    return Row(level.space, at, seal.seal(level.parent, plain, level.site.random, *bound))


def put(level: Level, held: Held, node: Node) -> Held:
    """A node instead of what was read; `VaultError` if that is no longer there."""
    new = Held(row(level, node), node)
    if not level.site.store.change([new.row], expect=[held.row]):
        raise VaultError(CHANGED)
    return new


def unchanged(level: Level, held: Held) -> None:
    """`VaultError` if a node is no longer as it was read."""
    if level.site.store.get(level.space, [held.row.key]) != [held.row.value]:
        raise VaultError(CHANGED)


def newer(node: Node, site: Site, until: str = "") -> Node:
    """With one version more. Older ones end at `until` if they had no end yet; those that have
    ended are gone for good."""
    now = seal.day(site.clock())
    old = (replace(version, until=version.until or until) for version in node.versions)
    kept = tuple(version for version in old if not version.until or version.until > now)
    return replace(
        node, versions=(*kept, Version(node.versions[-1].number + 1, now, site.random(LENGTH)))
    )


def about(node: Node) -> About:
    """Without its keys."""
    told = ((version.number, version.created, version.until) for version in node.versions)
    return About(node.name, node.created, tuple(told))


def _opened(level: Level, at: bytes, value: bytes) -> Held:
    plain = seal.unseal(level.parent, value, level.site.vault, level.space, at)
    return Held(Row(level.space, at, value), msgspec.msgpack.decode(plain, type=Node))
