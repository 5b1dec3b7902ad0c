"""`POST /v1/files`: a file of any format that is known comes back clean. Nothing of it is sent
before all of it is clean and in the log; nothing of it stays here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple
from urllib.parse import quote

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from scrubjay import formats
from scrubjay.access.people import Caller
from scrubjay.audit.entry import Entry
from scrubjay.errors import PolicyError, RefusedError
from scrubjay.run.folder import RATE, SECONDS
from scrubjay.run.walk import Source
from scrubjay.run.worker import Done, Recipe, Task, Worker
from scrubjay.serve import spool
from scrubjay.serve.asked import caller, query, unless_gone
from scrubjay.serve.back import errand
from scrubjay.serve.call import BYTES, Call, Content
from scrubjay.serve.engines import Engines
from scrubjay.trust import Trust

BLOCK = 1 << 18


def calls() -> list[Call]:
    """What there is."""
    sends = {
        "Scrubjay-Report": "Format, counts, what was left out, policy: JSON.",
        "Content-Disposition": "The clean file's name.",
    }
    return [
        Call("POST", "/v1/files", _files, "A file of any format that is known comes back clean.",
             takes=Content(media=BYTES), gives=Content(media=BYTES), query=Named, sends=sends,
             fails=(PolicyError, RefusedError)),
    ]  # fmt: skip


class Named(Struct, frozen=True):
    """What is said of a file beside it. `format`: where the name does not tell it."""

    name: str = ""
    policy: str = ""
    format: str = ""

    def __repr__(self) -> str:
        return f"Named(policy={self.policy!r}, format={self.format!r})"


class Asked(NamedTuple):
    """A file that is to be cleaned, where it is, and where it goes to."""

    name: str
    policy: str
    format: str
    source: Path
    target: Path

    def __repr__(self) -> str:
        return f"Asked(policy={self.policy!r}, format={self.format!r})"


class Cleaned(NamedTuple):
    """What became of it."""

    done: Done
    policy: str
    digest: str
    model: str


async def _files(request: Request) -> Response:
    who = await caller(request)
    state = request.app.state.all
    told = query(request, Named)
    kind = formats.named(told.format) if told.format else ""
    name = PurePosixPath(told.name.replace("\\", "/")).name or "file"
    await errand(request, lambda trust: trust.require_of(who, "anonymize.run"))
    state.back.readers.check()
    with (
        state.metrics.timed("files"),
        state.back.spool.file() as source, state.back.spool.file() as target,
    ):  # fmt: skip
        read = await spool.kept(request.stream(), source, state.back.settings.largest)
        asked = Asked(name, told.policy, kind, source, target)
        patience = SECONDS + source.stat().st_size / RATE
        work = state.back.readers.ask(partial(_cleaned, asked), patience)
        cleaned: Cleaned = await unless_gone(request, work)
        await errand(request, lambda trust: _log(trust, who, cleaned, read))
        state.metrics.counted(cleaned.done.counts, 0, cleaned.policy)
        return _sent(
            cleaned, target.open("rb")
        )  # its name goes, its bytes stay while they are read


def _cleaned(asked: Asked, engines: Engines) -> Cleaned:
    """In a reader. What is wrong with the file is an error, and nothing is there."""
    engine = engines[asked.policy]
    facts = asked.source.stat()
    source = Source(str(asked.source), asked.name, facts.st_size, facts.st_mtime_ns)
    done = Worker(Recipe(lambda: engine, format_=asked.format))(
        Task(source, str(asked.target), facts.st_size)
    )
    if done.problem:
        raise RefusedError(done.problem)
    return Cleaned(done, engine.policy.name, engine.digest, " ".join(engine.models.values()))


def _log(trust: Trust, who: Caller, cleaned: Cleaned, read: str) -> None:
    """Who asked may still have it, and the log has it before they do."""
    trust.require_of(who, "anonymize.run")
    done = cleaned.done
    entry = Entry(
        "", "", "", "done", policy=cleaned.digest, model=cleaned.model, counts=done.counts,
        input=trust.keyed(read), output=trust.keyed(done.sha256), about="a file",
    )  # fmt: skip
    trust.tell_of(who, "anonymize", "de-identify", [entry])


def _sent(cleaned: Cleaned, file: BinaryIO) -> Response:
    done = cleaned.done
    report = {
        "format": done.kind, "counts": done.counts, "left_out": done.dropped,
        "policy": cleaned.policy,
    }  # fmt: skip
    headers = {
        "Content-Length": str(done.written),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(done.name, safe='')}",
        "Scrubjay-Report": json.dumps(report, separators=(",", ":")),
    }
    return StreamingResponse(blocks(file), headers=headers, media_type=BYTES)


async def blocks(file: BinaryIO) -> AsyncIterator[bytes]:
    """All of a file, as fast as it is taken."""
    with file:
        while block := await asyncio.to_thread(file.read, BLOCK):
            yield block
