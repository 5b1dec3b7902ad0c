"""Tenants and domains as they are kept: a name, random keys with versions, sealed by the parent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


class Holder(Struct, frozen=True):
    """An approver's share of a private key: the XOR of what is sealed to their `receive` key. `at`
    is its place on the line (TOK-35)."""

    name: str
    receive: bytes
    at: int
    sealed: tuple[bytes, ...]


class Admission(Struct, frozen=True):
    """A share that one approver, `by`, has given towards. It takes another's part, and whoever that
    is, what fits theirs is here."""

    name: str
    receive: bytes
    at: int
    by: str
    parts: dict[str, bytes]


class Pair(Secret, frozen=True):
    """The keys of a version of a two-person domain: one half of the private one, and who holds
    shares of the other (TOK-34)."""

    public: bytes
    half: bytes
    holders: tuple[Holder, ...]
    admissions: tuple[Admission, ...] = ()


class Version(Secret, frozen=True):
    """One key of a row of them. `until`: from then on it is neither used nor kept; "" is never."""

    number: int
    created: str
    key: bytes
    until: str = ""
    pair: Pair | None = None


Deal = Callable[[str, int], Pair]  # of a domain's id and a version


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
    holders: tuple[str, ...] = ()  # of the newest version's private key


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


def check_name(name: str) -> None:
    """Refuse what cannot be shown, and what could be taken for a path."""
    if not name or len(name) > LONGEST or "/" in name or not name.isprintable():
        raise UsageError(f"a name has 1 to {LONGEST} printable characters and no '/'")


def add(level: Level, name: str, bits: int = 0, deal: Deal | None = None) -> Held:
    """A new node with new keys; `deal` makes a pair too, which makes it a two-person domain."""
    check_name(name)
    random, now = level.site.random, seal.day(level.site.clock())
    id_ = random(8).hex()
    first = Version(1, now, random(LENGTH), pair=deal(id_, 1) if deal else None)
    node = Node(name, id_, now, random(LENGTH), random(LENGTH), (first,), bits)
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


def newer(node: Node, site: Site, until: str = "", deal: Deal | None = None) -> Node:
    """With one version more. Older ones end at `until` if they had no end yet; those that have
    ended are gone for good."""
    now = seal.day(site.clock())
    old = (replace(version, until=version.until or until) for version in node.versions)
    kept = tuple(version for version in old if not version.until or version.until > now)
    number = node.versions[-1].number + 1
    pair = deal(node.id, number) if deal else None
    return replace(node, versions=(*kept, Version(number, now, site.random(LENGTH), pair=pair)))


def about(node: Node) -> About:
    """Without its keys."""
    told = ((version.number, version.created, version.until) for version in node.versions)
    pair = node.versions[-1].pair
    holders = tuple(holder.name for holder in pair.holders) if pair else ()
    return About(node.name, node.created, tuple(told), holders)


def _opened(level: Level, at: bytes, value: bytes) -> Held:
    plain = seal.unseal(level.parent, value, level.site.vault, level.space, at)
    return Held(Row(level.space, at, value), msgspec.msgpack.decode(plain, type=Node))
