"""Changes that OpenDocument keeps beside a text: what was deleted lies in front of it, and a mark
stands where it was; two marks stand around what was inserted.
"""

from __future__ import annotations

from collections.abc import Iterable

from scrubjay.formats.xmltree import Node


class Changes:
    """Of some trees."""

    def __init__(self, roots: Iterable[Node] = ()) -> None:
        self._deleted: dict[str, Node] = {}
        self._inserted: set[str] = set()
        self._open: set[str] = set()
        regions = (one for root in roots for one in root.every() if one.name == "changed-region")
        for region in regions:
            ids = _ids(region, "id")
            self._deleted.update((id_, one) for one in region.children("deletion") for id_ in ids)
            if any(region.children("insertion")):
                self._inserted.update(ids)
        self._apart = {id(node) for node in self._deleted.values()}

    def apart(self, node: Node) -> bool:
        """Whether this is what was deleted, and is read where it was, or at the end."""
        return id(node) in self._apart

    def at(self, node: Node) -> Node | None:
        """What was deleted where this mark stands."""
        if node.name == "change":
            found = [self._deleted[id_] for id_ in _ids(node, "change-id") if id_ in self._deleted]
            return self._taken(found[0]) if found else None
        if node.name == "change-start":
            self._open |= self._inserted.intersection(_ids(node, "change-id"))
        elif node.name == "change-end":
            self._open.difference_update(_ids(node, "change-id"))
        return None

    def inserted(self) -> bool:
        """Whether what stands here was inserted."""
        return bool(self._open)

    def left(self) -> Iterable[Node]:
        """What was deleted, and has no mark."""
        while self._deleted:
            yield self._taken(next(iter(self._deleted.values())))

    def _taken(self, node: Node) -> Node:
        self._deleted = {id_: one for id_, one in self._deleted.items() if one is not node}
        return node


def _ids(node: Node, name: str) -> list[str]:
    return [value for key, value in node.attributes.items() if key.rpartition(":")[2] == name]
