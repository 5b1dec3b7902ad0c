"""A tenant: its domains, and the key that wraps theirs."""

from __future__ import annotations

from msgspec.structs import replace

from scrubjay.errors import UsageError, VaultError
from scrubjay.vault import nodes
from scrubjay.vault.domain import BITS, MOST_BITS, Domain, Links
from scrubjay.vault.nodes import About, Deal, Held, Level


class Tenant:
    """A hospital, a department, a client: who shares no pseudonym with another."""

    def __init__(self, level: Level, held: Held, links: Links) -> None:
        self._level, self._held, self._links = level, held, links

    @property
    def name(self) -> str:
        """Its name."""
        return self._held.node.name

    def about(self) -> About:
        """Name, versions, ages."""
        return nodes.about(self._held.node)

    def domains(self) -> list[Domain]:
        """All of them, by name."""
        below = self._below()
        every = (Domain(below, held, self._links) for held in nodes.every(below))
        return sorted(every, key=lambda domain: domain.about().name)

    def domain(self, name: str) -> Domain:
        """The one of that name."""
        below = self._below()
        return Domain(below, nodes.find(below, name, "domain"), self._links)

    def add_domain(self, name: str, *, bits: int = BITS, deal: Deal | None = None) -> Domain:
        """A new one, whose codes have `bits` random bits. With `deal` (`access.holders.dealer`) its
        tokens take two approvers to read."""
        if not BITS <= bits <= MOST_BITS:
            raise UsageError(f"codes of {bits} bits: take {BITS} to {MOST_BITS}")
        below = self._below()
        return Domain(below, nodes.add(below, name, bits, deal), self._links)

    def rotate(self) -> int:
        """A new key for the tenant; its domains' keys are wrapped again under it, all as one step.
        Its version's number."""
        old, new = self._below(), nodes.newer(self._held.node, self._level.site)
        newest = replace(new, versions=new.versions[-1:])
        below = old._replace(parent=newest.versions[0].key)
        domains = list(nodes.every(old))
        changed = Held(nodes.row(self._level, newest), newest)
        rows = [changed.row, *(nodes.row(below, held.node) for held in domains)]
        expect = [self._held.row, *(held.row for held in domains)]
        if not self._level.site.store.change(rows, expect=expect):
            raise VaultError(nodes.CHANGED)
        self._held = changed
        return newest.versions[0].number

    def _below(self) -> Level:
        nodes.unchanged(self._level, self._held)  # or its key does not open what is below
        node = self._held.node
        return Level(self._level.site, f"domain:{node.id}", node.index, node.versions[-1].key)

    def __repr__(self) -> str:
        return f"Tenant({self.name!r})"
