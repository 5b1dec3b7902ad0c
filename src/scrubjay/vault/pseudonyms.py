"""What a run mints in a domain: surrogates, whose they are, what they stand for, codes, subjects.

Everything is read through a cache of bounded size. What a batch of documents mints is written in
one step before the batch is released; if another writer was faster the batch is done again, with
what they wrote. What belongs to a subject lies and is sealed under the subject's own key, so that
it is lost with the key (docs/spec/vault.md, VLT-70).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache, cached_property
from typing import Any, NamedTuple, TypeVar

import msgspec

from scrubjay.errors import VaultError
from scrubjay.keys import Key
from scrubjay.recent import LONGEST, Recent
from scrubjay.report import Edit, edited
from scrubjay.types import Document
from scrubjay.vault import seal
from scrubjay.vault.seal import Secret, Site
from scrubjay.vault.store import Row
from scrubjay.vault.subjects import Subject, Subjects, living

SPACES = ("drawn", "taken", "told")
RECENT = 1 << 15  # rows that a process remembers
NOTES = 1 << 11  # documents
TRIES = 100  # each one that fails is a batch of somebody else's that did not
STEP = 32  # bytes: what is sealed tells its length no better than so
PAD = b"\xff"  # is in no UTF-8
SPACED = r"[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"  # letters of scripts with spaces

Place = tuple[str, ...]  # group, space, parts
T = TypeVar("T")


class Surrogate(NamedTuple):
    """What a text has now, and what it had."""

    kind: str
    surrogate: str
    value: str

    def __repr__(self) -> str:
        return f"Surrogate({self.kind!r})"


def places(known: Iterable[Surrogate]) -> Callable[[str], Iterator[Edit]]:
    """Where surrogates stand in a text, and for what. One that stands for several values is left,
    such as E. for two people's initials; one that the text says by itself is taken for one."""
    values: dict[str, set[str]] = defaultdict(set)
    for each in known:
        values[each.surrogate].add(each.value)
    lengths = sorted({len(surrogate) for surrogate in values}, reverse=True)
    edge = _edge()

    def look(text: str) -> Iterator[Edit]:
        last = 0
        for start in (match.start() for match in edge.finditer(text)) if lengths else ():
            whole = (text[start : start + n] for n in lengths if edge.match(text, start + n))
            found = next((piece for piece in whole if piece in values), "") if start >= last else ""
            if found:
                last = start + len(found)
                if len(values[found]) == 1:
                    yield start, last, next(iter(values[found]))

    return look


@cache
def _edge() -> re.Pattern[str]:
    """Where a surrogate can begin or end. It takes 30 ms to compile: only who restores pays."""
    return re.compile(rf"(?<!{SPACED})|(?!{SPACED})")


def put_back(text: str, known: Iterable[Surrogate]) -> str:
    """A text with values for their surrogates."""
    return edited(Document(text), places(known)(text)).text


class Drawer(Secret, frozen=True):
    """Where rows of one subject lie, or those of nobody in particular, and what seals them."""

    id: str
    index: bytes
    rows: bytes

    @classmethod
    def of(cls, key: bytes) -> Drawer:
        """A subject's."""
        name = seal.derive(key, "pseudonyms")[:8].hex()
        return cls(name, seal.derive(key, "index"), seal.derive(key, "rows"))

    def spaces(self) -> tuple[str, ...]:
        """All that it has."""
        return tuple(f"{space}:{self.id}" for space in SPACES)

    def row(self, place: Place, value: bytes = b"") -> Row:
        """A row without a value, or with a sealed one. `place`: space, parts."""
        return Row(f"{place[0]}:{self.id}", seal.place(self.index, *place), value)

    def sealed(self, row: Row, value: str, site: Site) -> Row:
        """The row with this in it."""
        plain = value.encode()
        plain += PAD * (-len(plain) % STEP)
        bound = (site.vault, row.space, row.key)
        return row._replace(value=seal.seal(self.rows, plain, site.random, *bound))

    def opened(self, row: Row, site: Site) -> str:
        """What is in a row."""
        plain = seal.unseal(self.rows, row.value, site.vault, row.space, row.key)
        return plain.rstrip(PAD).decode()

    def told(self, site: Site) -> Iterator[Surrogate]:
        """Every surrogate in here that was written into a text, with what it stands for."""
        space = f"told:{self.id}"
        for item in site.store.items(space):
            plain = self.opened(Row(space, *item), site)
            yield msgspec.json.decode(plain, type=Surrogate)


class _Known:
    """A subject as it was read: `value` is its row's, empty until that is written."""

    def __init__(self, at: bytes, subject: Subject, value: bytes = b"") -> None:
        self.at, self.subject, self.value = at, subject, value

    @cached_property
    def drawer(self) -> Drawer:
        return Drawer.of(self.subject.key)

    @cached_property
    def key(self) -> Key:
        return Key(seal.derive(self.subject.key, "operators"))


class Pseudonyms:
    """Opened by `Domain.pseudonyms`: one for each engine. It is `operators.Pseudonyms`."""

    def __init__(self, subjects: Subjects, shared: Drawer, recent: int = RECENT) -> None:
        self._subjects, self._shared = subjects, shared
        self._site = subjects.site
        self._rows: Recent[Place, str] = Recent(recent)
        self._known: Recent[str, _Known] = Recent(recent)
        self._notes: Recent[Any, dict[str, Any]] = Recent(min(recent, NOTES))
        self._begin()

    def kept(self, groups: Iterable[str], work: Callable[[], Iterable[T]]) -> list[T]:
        """What `work` gives for documents of these groups, when all that it minted is written. It
        is done again where another writer was faster. `VaultError` if one of them was erased."""
        asked = sorted(set(groups) - {""})
        for _ in range(TRIES):
            self._begin()
            self._meet(asked)
            done = list(work())
            if self._written() and self._unchanged():
                return done
        raise VaultError("other processes mint the same all the time: run it again, or fewer")

    def key(self, group: str) -> Key | None:
        """What a subject's pseudonyms are drawn from; none without a subject. `VaultError` if it
        was erased."""
        return self._subject(group).key if group else None

    def code(self, subject: str) -> str:
        """The subject's random code, the same each time."""
        return self._subject(subject).subject.code

    def get(self, group: str, *place: str) -> str | None:
        """What was put there, by whichever process."""
        if group and group not in self._used:
            self._subject(group)
        asked = (group, *place)
        found = self._new.get(asked)
        if found is None:
            found = self._rows.get(asked)
        return self._read(asked) if found is None else found

    def put(self, value: str, group: str, *place: str) -> None:
        """Keep it there, where nothing is: for good, when the batch is kept."""
        self._new[group, *place] = value

    def tell(self, group: str, kind: str, surrogate: str, value: str) -> None:
        """Keep what stands in a text now, and for what."""
        asked = (group, "told", kind, surrogate, value)
        if asked not in self._told and self._rows.get(asked) is None:
            self._told.add(asked)

    def notes(self, what: Any) -> dict[str, Any]:
        """Room for what follows from that; forgotten where it rests on what was not written."""
        found = self._newest.get(what)
        if found is None:
            found = self._newest[what] = self._notes.get(what) or {}
        return found

    def _begin(self) -> None:
        """Forget what was not written."""
        self._newest: dict[Any, dict[str, Any]] = {}
        self._new: dict[Place, str] = {}
        self._told: set[Place] = set()
        self._coming: dict[str, _Known] = {}
        self._used: dict[str, _Known] = {}
        self._strange: set[str] = set()

    def _meet(self, groups: list[str]) -> None:
        """Read these subjects, as far as there are any."""
        known = {name: self._known.get(name) for name in groups}
        unknown = [name for name, found in known.items() if found is None]
        places = [self._subjects.place(name) for name in unknown]
        values = self._site.store.get(self._subjects.space, places)
        for name, at, value in zip(unknown, places, values, strict=True):
            if value is None:
                self._strange.add(name)
            else:
                known[name] = self._met(name, at, value)
        self._used.update((name, found) for name, found in known.items() if found)

    def _met(self, name: str, at: bytes, value: bytes) -> _Known:
        known = _Known(at, living(self._subjects.opened(at, value)), value)
        self._known.put(name, known)
        return known

    def _subject(self, name: str) -> _Known:
        known = self._used.get(name)
        if known is None:
            known = self._known.get(name) or self._found(name)
            self._used[name] = known
        return known

    def _found(self, name: str) -> _Known:
        """As it is kept, or else a new one."""
        at = self._subjects.place(name)
        seen = name in self._strange
        value = None if seen else self._site.store.get(self._subjects.space, [at])[0]
        if value is not None:
            return self._met(name, at, value)
        self._coming[name] = _Known(at, self._subjects.new(name))
        return self._coming[name]

    def _drawer(self, group: str) -> Drawer:
        return self._subject(group).drawer if group else self._shared

    def _read(self, asked: Place) -> str | None:
        group, *place = asked
        if group in self._coming:
            return None
        drawer = self._drawer(group)
        row = drawer.row(tuple(place))
        value = self._site.store.get(row.space, [row.key])[0]
        if value is None:
            return None
        found = drawer.opened(row._replace(value=value), self._site)
        self._remember(asked, found)
        return found

    def _remember(self, asked: Place, value: str) -> None:
        if sum(map(len, asked)) <= 2 * LONGEST:
            self._rows.put(asked, value)

    def _written(self) -> bool:
        """Whether all that is new is in the store, by one write. False: somebody was faster."""
        self._new.update(self._untold())
        rows = [self._row(asked, value) for asked, value in self._new.items()]
        for known in self._coming.values():
            kept = self._subjects.rows(known.at, known.subject)
            known.value = kept[0].value
            rows += kept
        if rows and not self._site.store.add(rows):
            return False
        for asked, value in self._new.items():
            self._remember(asked, value)
        for name, known in self._coming.items():
            self._known.put(name, known)
        for what, notes in self._newest.items():
            self._notes.put(what, notes)
        return True

    def _row(self, asked: Place, value: str) -> Row:
        drawer = self._drawer(asked[0])
        return drawer.sealed(drawer.row(asked[1:]), value, self._site)

    def _untold(self) -> Iterator[tuple[Place, str]]:
        """What this batch tells and no batch before it told."""
        by_group: dict[str, list[Place]] = defaultdict(list)
        for asked in self._told:
            by_group[asked[0]].append(asked)
        for group, told in by_group.items():
            rows = [self._drawer(group).row(asked[1:]) for asked in told]
            held = self._site.store.get(rows[0].space, [row.key for row in rows])
            for asked, value in zip(told, held, strict=True):
                plain = msgspec.json.encode(asked[2:]).decode()
                if value is None:
                    yield asked, plain
                else:
                    self._remember(asked, plain)

    def _unchanged(self) -> bool:
        """Whether everybody in this batch is still as it was read: alive."""
        used = {known.at: name for name, known in self._used.items()}
        values = self._site.store.get(self._subjects.space, list(used))
        gone = [
            name
            for name, value in zip(used.values(), values, strict=True)
            if value != self._used[name].value
        ]
        for name in gone:
            self._known.drop(name)
        return not gone

    def __repr__(self) -> str:
        return f"Pseudonyms({self._shared.id!r})"
