"""Which surrogate stands for which value: the same for the same, never one for two.

A surrogate is drawn with dice that the key, the kind, the document's group and the value load, so
that another run with the same key draws the same. Only where two values would draw alike, or one
draws what stands in the document, does the order of the documents decide. In a vault that is kept;
without one it is for the run, and of a run that has no end for the last `ENDLESS` rows of it.
"""

from __future__ import annotations

import hashlib
import re
import sys
import unicodedata
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from msgspec import Struct

from scrubjay.keys import Key
from scrubjay.operators import Ledger, Scene, own_key
from scrubjay.operators.names import STROKES
from scrubjay.recent import Recent, remembered

TRIES = 96
ENDLESS = 1 << 16  # rows, two to six for a value: some 20 MB
NOTES = 1 << 11  # documents whose facts are remembered, if they have
FEW = 32  # findings at most, of
SHORT = 2000  # characters
EXACT = ("EMAIL", "USERNAME", "URL")  # kinds where a full stop makes another one
SEED = "surrogate.v1"


class Dice:
    """Numbers without end from 32 secret bytes."""

    __slots__ = ("_left", "_seed")

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._left = int.from_bytes(seed, "big")

    def below(self, bound: int) -> int:
        """0 <= n < bound; the bias is under 2^-64 for bounds of practice."""
        if self._left < bound << 64:
            self._seed = hashlib.sha256(self._seed).digest()
            self._left = int.from_bytes(self._seed, "big")
        self._left, number = divmod(self._left, bound)
        return number

    def one(self, items: Sequence[str]) -> str:
        """Any of the items."""
        return items[self.below(len(items))]


Draw = Callable[[Dice, int], str]
Free = Callable[[str], bool]


class Run:
    """The ledger of a run without a vault. `most` rows are remembered, or all."""

    def __init__(self) -> None:
        self.most = sys.maxsize
        self._rows: dict[tuple[str, ...], str] = {}
        self._notes: Recent[Any, dict[str, Any]] = Recent(NOTES)

    def begin(self) -> None:
        """A document begins: in the middle of one nothing is forgotten."""
        if len(self._rows) >= self.most:
            self._rows, self._notes = {}, Recent(NOTES)

    def get(self, group: str, *place: str) -> str | None:
        """As the protocol says."""
        return self._rows.get((group, *place))

    def put(self, value: str, group: str, *place: str) -> None:
        """As the protocol says."""
        self._rows[group, *place] = value

    def tell(self, group: str, kind: str, surrogate: str, value: str) -> None:
        """Nobody finds anything back without a vault."""

    def notes(self, what: Any) -> dict[str, Any]:
        """As the protocol says."""
        found = self._notes.get(what)
        if found is None:
            self._notes.put(what, found := {})
        return found


class Real(Struct, frozen=True):
    """What one document holds of real values: no surrogate may look like one of them."""

    values: frozenset[str]
    words: frozenset[str]


@remembered
def fold(value: str) -> str:
    """Letters and digits alone, without case, accents and width: how values are compared."""
    spread = unicodedata.normalize("NFKD", value.translate(STROKES)).casefold()
    return "".join(filter(str.isalnum, spread)) or value


def pick(
    scene: Scene,
    kind: str,
    value: str,
    draw: Draw,
    *,
    within_group: bool = False,
    free: Free | None = None,
) -> str:
    """The surrogate of a value, from `draw(dice, attempt)`; empty if every attempt was taken. No
    two values share one: in the domain or run, or `within_group` alone. It is the first of the
    value's that is `free` and no real value of this document; if there is none, one more is drawn.
    """
    compare = str.casefold if kind in EXACT else fold
    group, told = scene.document.group, compare(value)
    ledger, known = ledger_of(scene), facts(scene)

    def fits(drawn: str) -> bool:
        return _fresh(drawn, known.real) and (free is None or free(drawn))

    number = 0
    while (given := ledger.get(group, "drawn", kind, told, str(number))) is not None:
        if fits(given):
            return given
        number += 1
    mine, owners = mark(scene, kind, told), group if within_group else ""
    for attempt in range(TRIES):
        drawn = draw(Dice(known.key.derive(SEED, kind, group, told, str(attempt))), attempt)
        if compare(drawn) == told or not fits(drawn):
            continue
        owner = ledger.get(owners, "taken", kind, compare(drawn))
        if owner in (None, mine):
            ledger.put(drawn, group, "drawn", kind, told, str(number))
            if owner is None:
                ledger.put(mine, owners, "taken", kind, compare(drawn))
            return drawn
    return ""


def mark(scene: Scene, *parts: str) -> str:
    """Says that something belongs to the document's subject, to nobody without its key."""
    return facts(scene).key.derive("mine", scene.document.group, *parts).hex()[:32]


def dice(scene: Scene, kind: str, *parts: str) -> Dice:
    """Dice for a choice that nobody else may not share."""
    return Dice(facts(scene).key.derive(SEED, kind, scene.document.group, *parts))


def _fresh(drawn: str, real: Real) -> bool:
    folded = fold(drawn)
    return folded not in real.values and folded not in real.words


def ledger_of(scene: Scene) -> Ledger:
    """The vault's, or the run's own."""
    return _run(scene.memory) if scene.pseudonyms is None else scene.pseudonyms


def endless(memory: dict[str, Any]) -> None:
    """The run whose memory this is has no end."""
    _run(memory).most = ENDLESS


def _run(memory: dict[str, Any]) -> Run:
    if "surrogate.ledger" not in memory:
        memory["surrogate.ledger"] = Run()
    run: Run = memory["surrogate.ledger"]
    return run


class Facts(Struct):
    """What surrogates know of a document: `notes` is for those who read it once."""

    real: Real
    key: Key
    notes: dict[str, Any] = {}


def facts(scene: Scene) -> Facts:
    """Those of the scene's document. One with the same findings of the same subject, such as the
    next row of a table, has the same."""
    known: Facts | None = scene.notes.get("surrogate")
    if known is None:
        known = scene.notes["surrogate"] = _facts(scene)
    return known


def _facts(scene: Scene) -> Facts:
    document, key = scene.document, own_key(scene)  # which refuses who was erased
    if scene.pseudonyms is None:
        _run(scene.memory).begin()
    values = [document.text[f.start : f.end] for f in scene.findings]
    if len(values) > FEW or sum(map(len, values)) > SHORT:
        return Facts(_real(values), key)
    found = ((f.label, f.entity, value) for f, value in zip(scene.findings, values, strict=True))
    notes = ledger_of(scene).notes((document.group, document.language, *found))
    if "facts" not in notes:
        notes["facts"] = Facts(_real(values), key)
    return notes["facts"]  # type: ignore[no-any-return]


def _real(values: list[str]) -> Real:
    words = chain.from_iterable(map(_words, values))
    return Real(frozenset(map(fold, values)), frozenset(words))


@remembered
def _words(value: str) -> tuple[str, ...]:
    return tuple(map(fold, re.findall(r"[^\W_]{2,}", value)))
