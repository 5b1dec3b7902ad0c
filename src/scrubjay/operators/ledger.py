"""Which surrogate stands for which value in this run: the same for the same, never one for two.

A surrogate is drawn with dice that the key, the kind, the document's group and the value load, so
that another run with the same key draws the same. Only where two values would draw alike, or one
draws what stands in the document, does the order of the documents decide.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct, field

from scrubjay.operators import Scene

TRIES = 96


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


class Ledger(Struct):
    """What was given for what, and to whom it belongs. Lives as long as the run."""

    given: dict[tuple[str, str, str], str] = field(default_factory=dict)
    owner: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)


class Real(Struct, frozen=True):
    """What one document holds of real values: no surrogate may look like one of them."""

    values: frozenset[str]
    words: frozenset[str]


def fold(value: str) -> str:
    """Letters and digits alone, without case, accents and width: how values are compared."""
    spread = unicodedata.normalize("NFKD", value).casefold()
    return "".join(c for c in spread if c.isalnum()) or value


def pick(
    scene: Scene,
    kind: str,
    value: str,
    draw: Draw,
    *,
    scope: str = "",
    compare: Callable[[str], str] = fold,
) -> str:
    """The surrogate of a value, from `draw(dice, attempt)`; empty if every attempt was taken.
    Values and draws are the same if they `compare` so; in a `scope` no two values share one."""
    ledger = _ledger(scene)
    asked = (kind, scene.document.group, compare(value))
    real = facts(scene).real
    known = ledger.given.get(asked)
    if known is not None and _fresh(known, real):
        return known
    for attempt in range(TRIES):
        drawn = draw(Dice(scene.key.derive("surrogate.v1", *asked, str(attempt))), attempt)
        owned = (f"{kind}\0{scope}", compare(drawn))
        mine = ledger.owner.get(owned, asked[1:]) == asked[1:]
        if mine and owned[1] != asked[2] and _fresh(drawn, real):
            ledger.given[asked] = drawn
            ledger.owner[owned] = asked[1:]
            return drawn
    return ""


def dice(scene: Scene, kind: str, *parts: str) -> Dice:
    """Dice for a choice that nobody else may not share."""
    return Dice(scene.key.derive("surrogate.v1", kind, scene.document.group, *parts))


def _fresh(drawn: str, real: Real) -> bool:
    folded = fold(drawn)
    return folded not in real.values and folded not in real.words


def _ledger(scene: Scene) -> Ledger:
    ledger: Ledger = scene.memory.setdefault("surrogate.ledger", Ledger())
    return ledger


class Facts(Struct):
    """What surrogates know of the document in hand: `notes` is for those who read it once."""

    findings: Any
    document: Any
    real: Real
    notes: dict[str, Any] = field(default_factory=dict)


def facts(scene: Scene) -> Facts:
    """Of the last document only: findings of one document come together."""
    last: Facts | None = scene.memory.get("surrogate.facts")
    if last is None or last.findings is not scene.findings or last.document is not scene.document:
        last = Facts(scene.findings, scene.document, _real(scene))
        scene.memory["surrogate.facts"] = last
    return last


def _real(scene: Scene) -> Real:
    values = [scene.document.text[f.start : f.end] for f in scene.findings]
    words = (fold(word) for value in values for word in re.findall(r"[^\W_]{2,}", value))
    return Real(frozenset(map(fold, values)), frozenset(words))
