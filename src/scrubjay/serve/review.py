"""`/v1/review`: people read a sample of a job's outputs, and so bound what is left in them.

The sample is drawn by a seed that nobody chooses, and stays as soon as something was said of it, so
that nobody draws until they like what they see. Marks hold no text.
"""

from __future__ import annotations

import os
import random
import secrets
import time
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from scrubjay import home
from scrubjay.access.people import Caller
from scrubjay.audit.entry import Entry
from scrubjay.errors import MissingError, RefusedError, UsageError
from scrubjay.run.folder import SECONDS
from scrubjay.run.sample import Bound, Mark, Passage, bounded, sampled
from scrubjay.serve import joblist
from scrubjay.serve.asked import caller, query, read, shown, unless_gone
from scrubjay.serve.back import errand
from scrubjay.serve.call import Call, Content
from scrubjay.serve.engines import Engines
from scrubjay.serve.joblist import Job
from scrubjay.serve.jobs import job_of
from scrubjay.trust import Trust

COUNT, MOST = 50, 1000  # passages: where nobody says, and at most
REVIEW = "review.run"


def calls() -> list[Call]:
    """What there is."""
    one, fails = "/v1/review/{id}", (MissingError, UsageError, RefusedError)
    return [
        Call("GET", one, _show, "Passages of a job's outputs, to be read again.",
             gives=Content(Queue), query=Wanted, fails=fails),
        Call("POST", f"{one}/marks", _mark, "Say how much was missed in a passage.",
             takes=Content(Marked), gives=Content(Reviewed), fails=fails),
    ]  # fmt: skip


class Wanted(Struct, frozen=True):
    """How many passages."""

    count: Annotated[int, Meta(ge=1, le=MOST)] = COUNT


class Sample(Struct, frozen=True):
    """What was drawn of a job's outputs: how, and the words of each passage."""

    seed: str
    count: int
    items: dict[str, int] = {}


class Marked(Struct, frozen=True, forbid_unknown_fields=True):
    """How many identifiers somebody saw in a passage; none at all takes a mark back."""

    item: str
    missed: int | None


class Kept(Struct, frozen=True):
    """A mark as it is kept: the last one of an item counts."""

    item: str
    missed: int | None
    who: str
    at: int


class Item(Struct, frozen=True):
    """A passage to be read, and what was said of it."""

    item: str
    file: str
    text: str
    words: int
    missed: int | None

    def __repr__(self) -> str:
        return f"Item(<{len(self.text)} characters>)"


class Reviewed(Struct, frozen=True):
    """What marks say of all outputs, with 95 % confidence: nothing, where there are none."""

    left: int
    looked: int
    words: int
    bound_per_10000_words: float | None
    bound_passages: float | None


class Queue(Struct, frozen=True):
    """A sample, and what was said of it."""

    items: list[Item]
    reviewed: Reviewed


async def _show(request: Request) -> Response:
    who, job = await caller(request), await job_of(request, REVIEW)
    if joblist.standing(job).state not in (joblist.DONE, joblist.STOPPED):
        raise UsageError("it has no outputs to review before it is done or stopped")
    sample = _sample(job, query(request, Wanted).count)
    task = partial(_drawn, job.out, sample)
    work = request.app.state.all.back.readers.ask(task, SECONDS)
    passages: list[Passage] = await unless_gone(request, work)
    items = {_name(one): one.words for one in passages}
    _keep(job, Sample(sample.seed, sample.count, items))
    await errand(request, lambda trust: _tell(trust, who, job, len(passages)))
    marks = _marks(job)
    shows = [
        Item(_name(one), one.file, one.text, one.words, marks.get(_name(one))) for one in passages
    ]
    return shown(Queue(shows, _reviewed(items, marks)))


async def _mark(request: Request) -> Response:
    who, job = await caller(request), await job_of(request, REVIEW)
    asked, sample = await read(request, Marked), _sample(job, COUNT)
    if asked.item not in sample.items:
        raise UsageError("this passage is not in the sample: GET /v1/review/ID draws it")
    if asked.missed is not None and not 0 <= asked.missed <= sample.items[asked.item]:
        raise UsageError(f"missed is a number from 0 to {sample.items[asked.item]}")
    kept = Kept(asked.item, asked.missed, who.person, int(time.time()))
    handle = os.open(job.folder / "marks.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(kept) + b"\n")
    return shown(_reviewed(sample.items, _marks(job)))


def _drawn(folder: Path, sample: Sample, engines: Engines) -> list[Passage]:
    """In a reader: what reads a format reads outputs, too."""
    return sampled(folder, sample.count, random.Random(sample.seed))  # noqa: S311 - the same again


def _tell(trust: Trust, who: Caller, job: Job, count: int) -> None:
    trust.require_of(who, REVIEW)
    entry = Entry("", "", "", "done", about=f"job {job.id}, {count} passages")
    trust.tell_of(who, "review", "review", [entry])


def _name(passage: Passage) -> str:
    return f"{passage.file}#{passage.number}"


def _sample(job: Job, count: int) -> Sample:
    """The one that was drawn, or another as long as nothing was said of it."""
    try:
        known = msgspec.json.decode((job.folder / "sample.json").read_bytes(), type=Sample)
    except FileNotFoundError:
        return Sample(secrets.token_hex(16), count)
    return known if known.count == count or _marks(job) else Sample(known.seed, count)


def _keep(job: Job, sample: Sample) -> None:
    home.write(job.folder / "sample.json", msgspec.json.encode(sample))


def _marks(job: Job) -> dict[str, int]:
    """The last of each item."""
    try:
        lines = (job.folder / "marks.jsonl").read_bytes().splitlines()
    except FileNotFoundError:
        return {}
    kept = (msgspec.json.decode(line, type=Kept) for line in lines)
    last = {one.item: one.missed for one in kept}
    return {item: missed for item, missed in last.items() if missed is not None}


def _reviewed(items: dict[str, int], marks: dict[str, int]) -> Reviewed:
    seen = [Mark("", 0, items[item], missed) for item, missed in marks.items() if item in items]
    told: Bound | None = bounded(seen)
    if told is None:
        return Reviewed(0, 0, 0, None, None)
    return Reviewed(
        told.left, told.looked, told.words, round(told.bound_per_10000_words, 2),
        round(told.bound_passages, 4),
    )  # fmt: skip
