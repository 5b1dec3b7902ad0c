"""Leak probes: invented identifiers that the service sends through its own engines, and then looks
for in what comes out. What is found there would have been found in a caller's answer, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from random import Random
from secrets import randbelow
from typing import Any, NamedTuple

from scrubjay.audit.entry import Entry
from scrubjay.engine import Engine
from scrubjay.errors import BusyError
from scrubjay.trust import Trust
from scrubjay.types import Document

PROBE = "probe"  # the kind of what is asked at the desk
EVERY = 60.0  # seconds
POOL = 64  # different ones: a domain of a vault keeps a pseudonym for each value
SURE = 0.8  # patterns find each of these with this certainty or more


class Planted(NamedTuple):
    """A sentence that holds an identifier, and the parts of that which must not come out."""

    label: str
    text: str
    secrets: tuple[str, ...]


_WRITTEN: dict[str, tuple[str, Callable[[Random], tuple[str, ...]]]] = {
    "PERSON": ("Mr. {} was seen again.", lambda r: (_word(r).title(), _word(r).title())),
    "SSN": ("SSN {}.", lambda r: (f"{r.randint(1, 665):03}-{r.randint(1, 99):02}-{_four(r)}",)),
    "PHONE": ("Phone: {}.", lambda r: (f"(212) 555-{r.randint(100, 199):04}",)),
    "EMAIL": ("Mail to {}.", lambda r: (f"{_word(r)}.{_word(r)}@example.org",)),
    "IP": ("Seen from {}.", lambda r: (f"203.0.113.{r.randint(2, 254)}",)),
    "MRN": ("MRN: {}.", lambda r: (f"{r.randint(10**7, 10**8 - 1)}",)),
    "DATE": ("Admitted on {}.", lambda r: (f"{r.randint(1, 28)} May {r.randint(1990, 2020)}",)),
}
LABELS = tuple(_WRITTEN)


def planted(seed: int) -> list[Planted]:
    """One of each label; the same for the same seed."""
    random = Random(seed)  # noqa: S311 - values to be found, none to be guessed
    made = {label: make(random) for label, (_, make) in _WRITTEN.items()}
    return [
        Planted(label, _WRITTEN[label][0].format(" ".join(secrets)), secrets)
        for label, secrets in made.items()
    ]


def came_through(engine: Engine, seed: int) -> dict[str, bool]:
    """By label, whether an identifier that the policy wants hidden came out. What it keeps, or
    wants found with more certainty than a pattern has, is not tried."""
    due = [one for one in planted(seed) if _hidden(engine, one.label)]
    clean = engine.stream(Document(one.text) for one in due)
    return {
        one.label: any(secret in done.text for secret in one.secrets)
        for one, done in zip(due, clean, strict=True)
    }


class Probes:
    """At the desk. What begins to come through, and when it ends, is in the log."""

    def __init__(self, trust: Trust, running: Callable[[], Iterable[Engine]]) -> None:
        self._trust, self._running = trust, running
        self._leaking: dict[str, frozenset[str]] = {}

    def look(self, seed: int) -> dict[str, bool]:
        """By label, whether one came through any of the engines that run."""
        told: dict[str, bool] = {}
        for engine in self._running():
            found = came_through(engine, seed)
            self._tell(engine, frozenset(label for label, came in found.items() if came))
            told |= {label: came or told.get(label, False) for label, came in found.items()}
        return told

    def _tell(self, engine: Engine, leaking: frozenset[str]) -> None:
        if leaking == self._leaking.get(engine.digest, frozenset()):
            return
        outcome = "failed" if leaking else "done"
        counts = dict.fromkeys(sorted(leaking), 1)
        models = " ".join(engine.models.values())
        one = Entry("", "", "", outcome, policy=engine.digest, model=models, counts=counts)
        self._trust.tell("serve.probe", "", [one])
        self._leaking[engine.digest] = leaking


async def look(state: Any) -> None:
    """One probe, and its numbers. Where too much waits, the next will tell."""
    try:
        told: dict[str, bool | None] = await state.desk.ask(PROBE, randbelow(POOL), 1)
    except BusyError:
        return
    except Exception:  # noqa: BLE001 - what fails lets nothing out, and the numbers say that it did
        told = dict.fromkeys(LABELS)
    state.metrics.probed(told)


async def watch(state: Any) -> None:
    """A probe every so often, for ever."""
    while True:
        await asyncio.sleep(EVERY)
        await look(state)


def _hidden(engine: Engine, label: str) -> bool:
    by_pattern = "patterns.v1" in engine.policy.detectors
    return by_pattern and not engine.keeps(label) and engine.policy.rule(label).threshold <= SURE


def _word(random: Random) -> str:
    return "".join(random.choice("bdfgklmnrtv") + random.choice("aeiou") for _ in range(3)) + "x"


def _four(random: Random) -> str:
    return f"{random.randint(1, 9999):04}"
