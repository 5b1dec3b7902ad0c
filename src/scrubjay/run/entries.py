"""What the log hears of a run. Only where there is a vault."""

from __future__ import annotations

from collections.abc import Iterable

from scrubjay.audit.entry import Entry
from scrubjay.engine import Engine
from scrubjay.run.folder import Released
from scrubjay.trust import Trust


def entries(trust: Trust, engine: Engine, about: str, some: Iterable[Released]) -> list[Entry]:
    """An entry for each file that is about to be released."""
    model = " ".join(engine.models.values())
    return [
        Entry(
            "", "", "", "done", policy=engine.digest, model=model, counts=one.done.counts,
            about=about, input=trust.keyed(one.done.read_sha256),
            output=trust.keyed(one.done.sha256),
        )
        for one in some
    ]  # fmt: skip
