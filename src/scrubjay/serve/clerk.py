"""What the desk's thread does: lets callers in, looks at texts, cleans them, and has it in the log
before anything is released. All of a service's vault and engines are used here alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from scrubjay import policies
from scrubjay.access.people import Caller
from scrubjay.audit.entry import Entry
from scrubjay.engine import Engine
from scrubjay.errors import AccessError, PolicyError, ScrubjayError
from scrubjay.serve import saved
from scrubjay.serve.desk import ENTRY
from scrubjay.serve.engines import Engines, Use
from scrubjay.serve.gate import Gate
from scrubjay.serve.presidio.work import LOOK, REPLACE, Presidio
from scrubjay.serve.probes import PROBE, Probes
from scrubjay.serve.types import Clean, Found, PolicyRow
from scrubjay.trust import Trust
from scrubjay.types import Document, Policy

if TYPE_CHECKING:
    from scrubjay.serve.model.hiding import Apart, Hidden, Hiding, Tell, ToHide

DETECT, ANONYMIZE, POLICIES = "detect", "anonymize", "policies"  # kinds of what is asked
HIDE, TELL, KEEP = "hide", "tell hidden", "keep"
ACTIONS = {DETECT: ("detect.run", "detect"), ANONYMIZE: ("anonymize.run", "de-identify")}


class Shown(NamedTuple):
    """A key that somebody shows, and where they call from."""

    key: str
    source: str

    def __repr__(self) -> str:
        return f"Shown(source={self.source!r})"


class Asked(NamedTuple):
    """A text that somebody wants to have looked at. `policy`: the service's own, if empty."""

    caller: Caller
    document: Document
    policy: str = ""


class Clerk:
    """Lets in, looks at, cleans."""

    def __init__(self, trust: Trust, gate: Gate, use: Use) -> None:
        self._trust, self._gate = trust, gate
        self._about = use.domain
        self._engines = Engines(use, trust)
        self._probes = Probes(trust, self._engines.running)
        self._presidio = Presidio(trust, partial(self._engines.__getitem__, "everything"))

    def work(self, kind: str, batch: Sequence[Any]) -> Iterable[Any]:
        """Answers, one for each, in order. An exception is the answer of whom it concerns."""
        if kind == ENTRY:
            return map(self._enter, batch)
        if kind == POLICIES:
            return [self._policies()] * len(batch)
        if kind == HIDE:
            return map(self._hide, batch)
        if kind == TELL:
            return map(self._tell, batch)
        if kind in (LOOK, REPLACE):
            return self._presidio.work(kind, batch)
        if kind == PROBE:
            return map(self._probes.look, batch)
        if kind == KEEP:
            return map(self._hiding.keep, batch)
        return self._documents(kind, batch)

    @cached_property
    def _hiding(self) -> Hiding:
        """What only requests for models need, made at the first."""
        from scrubjay.serve.model.hiding import Hiding

        made = Hiding(self._trust)
        made.forget()
        return made

    def _enter(self, shown: Shown) -> Caller | ScrubjayError:
        try:
            return self._gate.enter(self._trust.register, shown.key, shown.source)
        except ScrubjayError as problem:
            return problem

    def _hide(self, asked: ToHide) -> Hidden | Apart | ScrubjayError:
        try:
            return self._hiding.hide(self._engines[asked.policy], asked)
        except ScrubjayError as problem:
            return problem

    def _tell(self, asked: Tell) -> Hidden | ScrubjayError:
        try:
            return self._hiding.tell(asked)
        except ScrubjayError as problem:
            return problem

    def _documents(self, kind: str, batch: Sequence[Asked]) -> list[Any]:
        """By caller and policy, so that each has its own line in the log."""
        answers: list[Any] = [None] * len(batch)
        for (caller, policy), places in _parts(batch).items():
            documents = [batch[at].document for at in places]
            try:
                told: list[Any] = list(self._answered(kind, caller, policy, documents))
            except (AccessError, PolicyError) as problem:
                told = [problem] * len(places)
            for at, answer in zip(places, told, strict=True):
                answers[at] = answer
        return answers

    def _answered(
        self, kind: str, caller: Caller, policy: str, documents: Sequence[Document]
    ) -> Sequence[Found | Clean]:
        action, role = ACTIONS[kind]
        self._trust.require_of(caller, action)
        engine = self._engines[policy]
        answered = _found if kind == DETECT else _clean
        told: list[Found | Clean] = list(answered(engine, documents))
        counts: Counter[str] = Counter()
        for one in told:
            counts.update(one.counts)
        entry = Entry(
            "", "", "", "done", policy=engine.digest, model=" ".join(engine.models.values()),
            counts=dict(counts), about=f"{self._about} {len(documents)} texts".strip(),
        )  # fmt: skip
        self._trust.tell_of(caller, action.removesuffix(".run"), role, [entry])
        return told

    def _policies(self) -> list[PolicyRow]:
        """Those that a request can name, the one in force first."""
        own = self._engines[""].policy
        others = sorted({*policies.names(), *saved.names()} - {own.name})
        return [_row(own), *map(_listed, others)]


def _listed(name: str) -> PolicyRow:
    try:
        return _row(policies.load(saved.found(name)[0]))
    except PolicyError as problem:
        return PolicyRow(name, "", "", saved.told(problem))


def _row(policy: Policy) -> PolicyRow:
    return PolicyRow(policy.name, policy.description, policies.digest(policy))


def _parts(batch: Sequence[Asked]) -> dict[tuple[Caller, str], list[int]]:
    parts: dict[tuple[Caller, str], list[int]] = {}
    for at, one in enumerate(batch):
        parts.setdefault((one.caller, one.policy), []).append(at)
    return parts


def _found(engine: Engine, documents: Sequence[Document]) -> Iterator[Found]:
    name, digest = engine.policy.name, engine.digest
    for document, found in zip(documents, engine.find(documents), strict=True):
        counts = Counter(one.label for one in found)
        yield Found(document.id, found, dict(counts), name, digest)


def _clean(engine: Engine, documents: Sequence[Document]) -> Iterator[Clean]:
    name, digest = engine.policy.name, engine.digest
    for one in engine.stream(documents):
        report = one.report
        yield Clean(report.document, one.text, report.counts, report.replacements, name, digest)
