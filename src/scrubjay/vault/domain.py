"""One study or release: its keys, its subjects' codes and pseudonyms, and their erasure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from scrubjay.errors import UsageError, VaultError
from scrubjay.keys import Key
from scrubjay.vault import nodes, seal, symbols
from scrubjay.vault.nodes import About, Deal, Held, Level, Pair
from scrubjay.vault.pseudonyms import RECENT, Drawer, Pseudonyms, Surrogate
from scrubjay.vault.seal import Site
from scrubjay.vault.store import Row
from scrubjay.vault.subjects import Erased, Subject, Subjects, living

BITS = 80
MOST_BITS = 5 * symbols.LONGEST
MOVED = "a row of the vault was moved: put the newest backup in its place"


class Backup(msgspec.Struct, frozen=True):
    """A backup that was made: from when to when it was read, under which name, its digest."""

    began: str
    ended: str
    name: str
    sha256: str


class Erasure(NamedTuple):
    """What was erased when, and which backups still hold it."""

    at: str
    backups: tuple[Backup, ...]


class Links(NamedTuple):
    """What a domain needs of the vault to erase."""

    note: Callable[[str, bytes], None]
    backups: Callable[[], Iterable[Backup]]


class Domain:
    """Opened by `Tenant.domain`. It reads its keys once: open it anew after they were rotated."""

    __slots__ = ("_held", "_level", "_links", "_subjects")

    def __init__(self, level: Level, held: Held, links: Links) -> None:
        self._level, self._held, self._links = level, held, links
        self._subjects = Subjects(level.site, held.node)

    @property
    def id(self) -> str:
        """What its rows are kept under; says nothing."""
        return self._held.node.id

    @property
    def version(self) -> int:
        """The version in use."""
        return self._held.node.versions[-1].number

    @property
    def versions(self) -> tuple[int, ...]:
        """All that can be used."""
        now = seal.day(self._site.clock())
        return tuple(v.number for v in self._held.node.versions if not v.until or v.until > now)

    def about(self) -> About:
        """Name, versions, ages."""
        return nodes.about(self._held.node)

    def derive(self, purpose: str, *parts: str, version: int | None = None) -> bytes:
        """32 bytes that only this domain, version, purpose and these parts give. `VaultError` where
        the version's cut-off has passed."""
        number = self.version if version is None else version
        found = next((v for v in self._held.node.versions if v.number == number), None)
        if found is None or (found.until and found.until <= seal.day(self._site.clock())):
            known = ", ".join(map(str, self.versions))
            raise VaultError(f"key version {number} has ended, or never was; in use: {known}")
        return seal.derive(found.key, "derive", purpose, *parts)

    def secret(self, purpose: str, version: int) -> Key:
        """What `derive` gives, as a key that derives further and never shows itself."""
        return Key(self.derive("secret", purpose, version=version))

    def lasting(self, purpose: str) -> Key:
        """A key for what must agree for years, such as date shifts: rotation leaves it."""
        return Key(seal.derive(self._held.node.rows, "lasting", purpose))

    @property
    def pairs(self) -> dict[int, Pair]:
        """Of a two-person domain: the keys of each version that can be used. Else nothing."""
        usable = self.versions
        return {v.number: v.pair for v in self._held.node.versions if v.pair and v.number in usable}

    @property
    def publics(self) -> dict[int, bytes]:
        """Of a two-person domain: what tokens of each version are sealed to. Else nothing."""
        return {number: pair.public for number, pair in self.pairs.items()}

    def keep_pairs(self, pairs: Mapping[int, Pair]) -> None:
        """Other holders of the same keys."""
        node = self._held.node
        kept = (replace(v, pair=pairs.get(v.number, v.pair)) for v in node.versions)
        self._held = nodes.put(self._level, self._held, replace(node, versions=tuple(kept)))

    def rotate(self, until: str = "", deal: Deal | None = None) -> int:
        """A new version for all that is derived from now on; older ones are readable until `until`
        (a UTC time such as 2030-01-01T00:00:00Z; "" is for good). Its number. A two-person domain
        stays one, and needs `deal`."""
        if bool(self.pairs) != bool(deal):
            raise UsageError("a two-person domain needs new shares for its new version, no other")
        node = nodes.newer(self._held.node, self._site, until, deal)
        self._held = nodes.put(self._level, self._held, node)
        return self.version

    def code(self, subject: str) -> str:
        """The subject's code: random, minted at the first call, the same ever after."""
        return self.codes([subject])[0]

    def codes(self, subjects: Sequence[str]) -> list[str]:
        """The code of each. `VaultError` if one was erased: nobody comes back unasked."""
        return [record.code for record in self._ensured(subjects)]

    def key(self, subject: str) -> bytes:
        """The subject's own key: what is sealed under it goes when the subject is erased."""
        return self._ensured([subject])[0].key

    def reveal(self, code: str) -> str:
        """Whose code it is. Who may ask is decided before this is called."""
        code = symbols.normal(code)
        if not symbols.whole(code):
            raise UsageError("this is no code: a character is wrong or missing")
        kept = self._subjects
        at = self._site.store.get(kept.codes, [kept.place_of(code)])[0]
        if at is None:
            raise VaultError("no such code in this domain: it may be another domain's")
        record = kept.read([at])[0]
        if isinstance(record, Erased):
            raise VaultError("this code's subject was erased")
        if record is None or record.code != code:
            raise VaultError(MOVED)
        return record.subject

    def state(self, subject: str) -> Literal["known", "erased", "unknown"]:
        """Whether there are keys for it, were, or never were."""
        record = self._subjects.read([self._subjects.place(subject)])[0]
        if record is None:
            return "unknown"
        return "known" if isinstance(record, Subject) else "erased"

    def pseudonyms(self, recent: int = RECENT) -> Pseudonyms:
        """For one engine: mints surrogates and codes in batches, and remembers some `recent`."""
        return Pseudonyms(self._subjects, self._shared, recent)

    def surrogates(self, group: str = "") -> Iterator[Surrogate]:
        """What was put into the texts of a subject, or of nobody in particular, and for what.
        `VaultError` if the subject was erased. Who may ask is decided before this is called."""
        record = self._subjects.read([self._subjects.place(group)])[0] if group else None
        if group and record is None:
            return iter(())
        return (Drawer.of(living(record).key) if group else self._shared).told(self._site)

    def erase(self, subject: str) -> Erasure:
        """Destroy the subject's key, code, name and pseudonyms. Backups that were made since the
        subject came hold them still: they are told."""
        at = self._subjects.place(subject)
        record = self._subjects.read([at])[0]
        if record is None:
            raise VaultError("nothing is known of this subject: there is nothing to erase")
        if isinstance(record, Subject):
            self._links.note(self.id, at)
            return self.destroy(at)
        return self._erasure(record)

    def destroy(self, at: bytes) -> Erasure:
        """Erase what is kept at a place, if it is still there: the second half of `erase`."""
        kept, store = self._subjects, self._site.store
        old = store.get(kept.space, [at])[0]
        record = kept.opened(at, old)
        if old is None or not isinstance(record, Subject):
            raise VaultError(nodes.CHANGED)
        gone = Erased(record.created, seal.day(self._site.clock()))
        spaces = Drawer.of(record.key).spaces()
        rest = [(space, key) for space in spaces for key, _ in store.items(space)]
        if not store.change([kept.tombstone(at, gone)], rest, expect=[Row(kept.space, at, old)]):
            raise VaultError(nodes.CHANGED)
        return self._erasure(gone)

    @property
    def _site(self) -> Site:
        return self._level.site

    @property
    def _shared(self) -> Drawer:
        """Where lies what belongs to no subject."""
        node = self._held.node
        return Drawer(node.id, node.index, node.rows)

    def _ensured(self, subjects: Sequence[str]) -> list[Subject]:
        """Each subject's record; those that are missing are made, once, whoever else makes them."""
        kept = self._subjects
        places = [kept.place(subject) for subject in subjects]
        names = dict(zip(places, subjects, strict=True))
        records = dict(zip(names, kept.read(list(names)), strict=True))
        while missing := [at for at, record in records.items() if record is None]:
            new = {at: kept.new(names[at]) for at in missing}
            if self._site.store.add([row for at in new for row in kept.rows(at, new[at])]):
                records.update(new)
            else:  # somebody was faster, or has one of these codes
                records.update(zip(missing, kept.read(missing), strict=True))
        return [living(records[at]) for at in places]

    def _erasure(self, gone: Erased) -> Erasure:
        """Rather one backup too many: times are to the second, and reading takes a while."""
        made = self._links.backups()
        holding = (each for each in made if each.began <= gone.at and gone.created <= each.ended)
        return Erasure(gone.at, tuple(holding))

    def __repr__(self) -> str:
        return f"Domain({self._held.node.name!r}, version={self.version})"
