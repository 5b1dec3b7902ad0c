"""What the desk's thread does for the gateway: looks at texts, and replaces what it is told to. All
of it is in the log before anything is answered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from scrubjay.access.people import Caller
from scrubjay.audit.entry import Entry
from scrubjay.engine import Engine
from scrubjay.errors import AccessError
from scrubjay.recent import Recent
from scrubjay.serve.presidio import anonymizer, entities
from scrubjay.serve.presidio.anonymizer import Done, Operators, Result
from scrubjay.serve.presidio.recognizers import AdHoc
from scrubjay.trust import Trust
from scrubjay.types import Document, Finding, Policy, Rule

LOOK, REPLACE = "presidio look", "presidio replace"  # kinds of what is asked
NEVER = 2.0  # a threshold that nothing reaches
ENGINES = 64  # that are kept, of one threshold and one choice of entities each


class Wanted(NamedTuple):
    """What counts: findings of at least this score, and of these entities if any are named."""

    threshold: float
    entities: frozenset[str]


class Look(NamedTuple):
    """Texts to look at."""

    caller: Caller
    documents: Sequence[Document]
    wanted: Wanted
    own: AdHoc | None = None


class Replace(NamedTuple):
    """A text in which these places are replaced. They come from an analyzer, and may overlap; or
    what was there before comes back: `restores`."""

    caller: Caller
    text: str
    results: Sequence[Result]
    operators: Operators
    restores: bool = False

    def __repr__(self) -> str:
        return f"Replace(<{len(self.text)} characters>)"


class Presidio:
    """Uses log and engine, so in the one thread that has them. `base`: an engine of the policy
    `everything`, whose detectors all others share."""

    def __init__(self, trust: Trust, base: Callable[[], Engine]) -> None:
        self._trust, self._base = trust, base
        self._engines: Recent[Wanted, Engine] = Recent(ENGINES)

    def work(self, kind: str, batch: Sequence[Look | Replace]) -> Iterable[object]:
        """Answers, one for each, in order."""
        if kind == REPLACE:
            return [self._replaced(one) for one in batch if isinstance(one, Replace)]
        return self._looked([one for one in batch if isinstance(one, Look)])

    def _looked(self, batch: Sequence[Look]) -> list[object]:
        """Who wants the same is looked at together, and has one line in the log."""
        answers: list[object] = [None] * len(batch)
        for (caller, wanted, own), places in _alike(batch).items():
            documents = [one for at in places for one in batch[at].documents]
            try:
                found = iter(self._found(caller, wanted, own, documents))
            except AccessError as problem:
                answers = [problem if at in places else a for at, a in enumerate(answers)]
                continue
            for at in places:
                answers[at] = [next(found) for _ in batch[at].documents]
        return answers

    def _found(
        self, caller: Caller, wanted: Wanted, own: AdHoc | None, documents: Sequence[Document]
    ) -> list[list[Finding]]:
        self._trust.require_of(caller, "detect.run")
        engine = self._engine(wanted, own)
        found = list(engine.find(documents))
        counts = Counter(entities.label(one.label) for every in found for one in every)
        entry = Entry(
            "", "", "", "done", policy=engine.digest, model=" ".join(engine.models.values()),
            counts=dict(counts), about=f"presidio {len(documents)} texts",
        )  # fmt: skip
        self._trust.tell_of(caller, "detect", "detect", [entry])
        return found

    def _engine(self, wanted: Wanted, own: AdHoc | None) -> Engine:
        known = None if own else self._engines.get(wanted)
        if known:
            return known
        base = self._base()
        made = Engine(_policy(base, wanted), [*base.detectors, *([own] if own else [])])
        if not own:
            self._engines.put(wanted, made)
        return made

    def _replaced(self, asked: Replace) -> Done | AccessError:
        action, role = (
            ("restore", "re-identify") if asked.restores else ("anonymize", "de-identify")
        )
        try:
            self._trust.require_of(asked.caller, f"{action}.run")
        except AccessError as problem:
            return problem
        results = asked.results
        if not asked.restores:
            results = anonymizer.settled(asked.text, results)
        done = anonymizer.operated(asked.text, results, asked.operators)
        how = Counter(one.operator for one in done.items)
        about = ", ".join(f"{name} {count}" for name, count in sorted(how.items()))
        counts = Counter(entities.label(one.entity_type) for one in done.items)
        entry = Entry("", "", "", "done", counts=dict(counts), about=f"presidio: {about}")
        self._trust.tell_of(asked.caller, action, role, [entry])
        return done


def _policy(base: Engine, wanted: Wanted) -> Policy:
    sure = Rule(threshold=wanted.threshold)
    if not wanted.entities:
        return replace(base.policy, default=sure, rules={})
    rules = dict.fromkeys(entities.asked(wanted.entities), sure)
    return replace(base.policy, default=Rule(threshold=NEVER), rules=rules)


def _alike(batch: Sequence[Look]) -> Mapping[tuple[Caller, Wanted, AdHoc | None], list[int]]:
    parts: dict[tuple[Caller, Wanted, AdHoc | None], list[int]] = {}
    for at, one in enumerate(batch):
        parts.setdefault((one.caller, one.wanted, one.own), []).append(at)
    return parts
