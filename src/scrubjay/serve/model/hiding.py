"""What the desk's thread does for the gateway: hides a request, and keeps its table where the
model's service keeps the conversation, so that a later turn has the same placeholders. A request
with files in it is hidden in a process that reads them, between two calls of the desk.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from scrubjay import processes
from scrubjay.access.ledger import Ledger
from scrubjay.access.people import Caller
from scrubjay.audit.entry import Entry
from scrubjay.engine import Engine
from scrubjay.errors import InputError, UsageError
from scrubjay.formats import slots
from scrubjay.formats.work import Clean, Work
from scrubjay.run.worker import MEMORY
from scrubjay.serve.engines import Engines
from scrubjay.serve.model import body
from scrubjay.serve.model.attached import AtDesk, CarriesFile
from scrubjay.serve.model.table import Table
from scrubjay.serve.model.veil import Parts, Veil
from scrubjay.trust import Trust

SPACE = "serve.conversations"
KEPT = 30 * 86_400  # seconds, as long as such services keep them
BEFORE = ("previous_response_id", "conversation")


class ToHide(NamedTuple):
    """A request that is to go to a model."""

    caller: Caller
    data: bytes
    policy: str
    host: str

    def __repr__(self) -> str:
        return f"ToHide(<{len(self.data)} bytes>)"


class Hidden(NamedTuple):
    """What goes out, and what puts names back. `keep`: the model's service remembers it; `policy`,
    `model`: digests of what looked at it."""

    body: bytes
    table: Table
    counts: Counter[str]
    keep: bool
    policy: str
    model: str

    def __repr__(self) -> str:
        return f"Hidden(<{len(self.body)} bytes>)"


class Apart(NamedTuple):
    """There are files in it: they are read elsewhere. The placeholders of turns before."""

    values: dict[str, str]

    def __repr__(self) -> str:
        return f"Apart(<{len(self.values)} values>)"


class Tell(NamedTuple):
    """What was hidden elsewhere, and for whom."""

    caller: Caller
    host: str
    hidden: Hidden


class Keep(NamedTuple):
    """The table of an answer, by the name that the model's service has for it."""

    caller: Caller
    name: str
    table: Table


class Conversation(Struct, frozen=True):
    """What is kept of one: whose it is, and its table."""

    who: str
    until: int
    values: dict[str, str]

    def __repr__(self) -> str:
        return f"Conversation({len(self.values)} values)"


class Hiding:
    """Uses the vault, so in the one thread that has it open."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._veils: dict[str, Veil] = {}

    def hide(self, engine: Engine, asked: ToHide) -> Hidden | Apart:
        """The request with placeholders, once it is in the log."""
        self._trust.require_of(asked.caller, "anonymize.run")
        request = read(asked.data)
        table = self._table(asked.caller, request)
        veil = self._veils.setdefault(engine.digest, Veil(engine))
        try:
            parts = body.parts(request, AtDesk(engine.stream, rule=engine.operator, key=engine.key))
            done = hidden(veil, request, table, lambda clean: parts)
        except CarriesFile:
            return Apart(table.values)
        except RecursionError:
            raise InputError("the body is nested too deeply: send what it says flatter") from None
        return self.tell(Tell(asked.caller, asked.host, done))

    def tell(self, asked: Tell) -> Hidden:
        """What was hidden, once it is in the log."""
        self._trust.require_of(asked.caller, "anonymize.run")
        entry = Entry(
            "", "", "", "done", policy=asked.hidden.policy, model=asked.hidden.model,
            counts=dict(asked.hidden.counts), recipient=f"model at {asked.host}",
        )  # fmt: skip
        self._trust.tell_of(asked.caller, "anonymize", "de-identify", [entry])
        return asked.hidden

    def keep(self, asked: Keep) -> None:
        """Remember a table, sealed."""
        ledger, until = self._trust.ledger, int(time.time()) + KEPT
        told = Conversation(asked.caller.person, until, asked.table.values)
        ledger.change([ledger.row(SPACE, ledger.derive(SPACE, asked.name), told)])

    def _table(self, caller: Caller, request: dict[str, Any]) -> Table:
        names = [request[key] for key in BEFORE if request.get(key)]
        if not names:
            return Table()
        name = names[0].get("id") if isinstance(names[0], dict) else names[0]
        ledger: Ledger = self._trust.ledger
        key = ledger.derive(SPACE, str(name))
        known = ledger.read(SPACE, key, Conversation) if len(names) == 1 else None
        if known is None or known.who != caller.person or known.until < time.time():
            raise UsageError(
                "what was said before is not known here, so its placeholders could not be told "
                "from new ones; send the whole conversation"
            )
        return Table(known.values)

    def forget(self) -> None:
        """Let go of what nobody can go on with."""
        ledger = self._trust.ledger
        old = [(SPACE, key) for key, one in ledger.every(SPACE, Conversation)
               if one.until < time.time()]  # fmt: skip
        if old:
            ledger.change([], old)


def hidden(veil: Veil, request: dict[str, Any], table: Table, parts: Parts) -> Hidden:
    """The request with placeholders, in no log yet."""
    text, counts = veil.over(parts, table)
    keep = "input" in request and request.get("store") is not False
    engine = veil.engine
    return Hidden(
        text.encode(), table, counts, keep, engine.digest, " ".join(engine.models.values())
    )


def hidden_apart(data: bytes, policy: str, values: dict[str, str], engines: Engines) -> Hidden:
    """In a reader: the same, of a request with files in it."""
    from scrubjay.formats import ocr

    processes.bound(MEMORY)
    request, engine = read(data), engines[policy]

    def parts(clean: Clean) -> list[slots.Part]:
        return body.parts(request, Work(clean, rule=engine.operator, key=engine.key))

    with ocr.remembering():
        return hidden(Veil(engine), request, Table(values), parts)


def read(data: bytes) -> dict[str, Any]:
    """A body, as JSON."""
    try:
        request = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        raise InputError("the body is no JSON") from None
    if not isinstance(request, dict):
        raise InputError("the body is no JSON object")
    return request
