"""A job's run, in a process of its own: as `scrubjay anonymize FOLDER`, for who asked for it."""

from __future__ import annotations

import contextlib
import datetime
import errno
import hashlib
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import msgspec
from msgspec import structs

import scrubjay
from scrubjay import home, processes
from scrubjay.engine import Engine, load
from scrubjay.errors import InputError, ScrubjayError, UsageError
from scrubjay.formats.archives import Zip
from scrubjay.formats.work import Work
from scrubjay.model import bundle
from scrubjay.report import unchanged
from scrubjay.run import folder as runs
from scrubjay.run import places, state
from scrubjay.run.entries import entries
from scrubjay.run.folder import Order, Released
from scrubjay.run.people import People
from scrubjay.run.quarantine import Left
from scrubjay.run.state import State
from scrubjay.run.summary import Summary, summary
from scrubjay.run.walk import Source, Wanted, walk
from scrubjay.run.worker import Recipe
from scrubjay.serve import joblist
from scrubjay.serve.engines import Engines
from scrubjay.serve.foreman import Crew
from scrubjay.serve.joblist import Job, Progress

NICE = 10  # requests come first
OFTEN = 0.5  # seconds between two notes of how far it is


def run(crew: Crew, id: str) -> None:
    """Do a job, or say why not. Ends with the service."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stopped)  # by the foreman: what is aside is tidied up
    processes.end_with_parent(crew.parent)
    os.nice(NICE)
    job = joblist.read(id)
    why = ""
    try:
        _Run(crew, job).run()
    except ScrubjayError as problem:
        why = str(problem)
    except (OSError, sqlite3.Error) as problem:
        why = f"{getattr(problem, 'strerror', '') or type(problem).__name__}; it can be resumed"
    except Exception as problem:  # noqa: BLE001 - its words may quote a document
        why = f"it failed: {type(problem).__name__}"
    if why:
        joblist.stand(job, joblist.FAILED, why=why)
        sys.exit(1)


def _stopped(*_: Any) -> NoReturn:
    sys.exit(143)


class _Run:
    """One job's."""

    def __init__(self, crew: Crew, job: Job) -> None:
        self._crew, self._job = crew, job
        self._trust = crew.place.open()
        self._trust.require_of(job.who, "jobs.start")
        self._engine = Engines(crew.use, self._trust, endless=False)[job.policy]
        self._wanted = Wanted(job.only, job.skip)

    def run(self) -> None:
        """All that is not done yet, and the report."""
        job = self._job
        source, out = _folders(job)
        files = [one.size for one in walk(source, self._wanted)]
        far = _Far(job, Progress(files=len(files), bytes=sum(files)))
        with (
            contextlib.closing(self._trust),
            contextlib.closing(State(_state(job, out), out, self._recipe())) as kept,
            Left(job.folder / "quarantine.tsv") as left,
        ):
            started = time.monotonic()
            order = self._order(source, out, far, left)
            now = runs.run(walk(source, self._wanted), order, kept)
            told = self._told(kept, now, time.monotonic() - started)
        home.write(job.folder / "report.json", msgspec.json.encode(told))
        far.note()
        if not (job.input or told.quarantined):
            shutil.rmtree(source)

    def _order(self, source: Path, out: Path, far: _Far, left: Left) -> Order:
        """What the run is to do, and whom it tells how far it is."""
        engine = self._engine

        def refused(one: Source, why: str) -> None:
            left.add(one, why)
            far.add(quarantined=1, done=1)

        def log(some: Sequence[Released]) -> None:
            self._log(some)
            far.add(done=len(some))

        recipe = Recipe(
            _engine_of(self._crew, self._job, engine),
            second=lambda: load(engine.policy, profile=bundle.ALONE),
        )
        return Order(
            out, recipe, self._crew.processes, log=log, refused=refused,
            seen=lambda size: far.add(read=size, now=size),
            before=lambda size: far.add(read=size, done=1),
            people=lambda: People().add(walk(source, self._wanted)).near,
        )  # fmt: skip

    def _recipe(self) -> str:
        """What must be the same when it goes on."""
        engine = self._engine
        told = [scrubjay.__version__, engine.digest, engine.models, self._crew.use.domain, "serve"]
        return hashlib.sha256(msgspec.json.encode(told)).hexdigest()

    def _log(self, some: Sequence[Released]) -> None:
        """What is about to be released, if who asked for it still may have it."""
        self._trust.require_of(self._job.who, "jobs.start")
        told = entries(self._trust, self._engine, f"job {self._job.id}", some)
        if told:
            self._trust.tell_of(self._job.who, "anonymize", "de-identify", told)

    def _told(self, kept: State, now: int, seconds: float) -> Summary:
        engine = self._engine
        return summary(
            kept.done(), created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            policy=engine.policy.name, policy_digest=engine.digest, profile=self._crew.use.profile,
            models=engine.models, jobs=self._crew.processes, now=now, gone=kept.gone(),
            seconds=round(seconds, 3),
        )  # fmt: skip


class _Far:
    """How far a run is, noted now and then."""

    def __init__(self, job: Job, first: Progress) -> None:
        self._job, self._now = job, first
        self._began = self._noted = time.monotonic()
        joblist.note(job, first)

    def add(self, **more: int) -> None:
        """So much more."""
        sums = {name: getattr(self._now, name) + count for name, count in more.items()}
        self._now = structs.replace(self._now, **sums)
        if time.monotonic() - self._noted > OFTEN:
            self.note()

    def note(self) -> None:
        """Note it now."""
        self._noted = time.monotonic()
        seconds = round(self._noted - self._began, 3)
        joblist.note(self._job, structs.replace(self._now, seconds=seconds))


def _engine_of(crew: Crew, job: Job, engine: Engine) -> Callable[[], Engine]:
    """The engine of one process: a vault's files are open in one alone."""
    if crew.use.domain:
        return lambda: Engines(crew.use, crew.place.open(), endless=False)[job.policy]
    return lambda: engine


def _state(job: Job, out: Path) -> Path:
    """Where the run's state is: of a folder that was named, what other runs into it know, too."""
    if job.input:
        return state.folder(out)
    place = job.folder / "state"
    place.mkdir(mode=0o700, exist_ok=True)
    return place


def _folders(job: Job) -> tuple[Path, Path]:
    """Input and output. Links may have been put there since they were looked at."""
    if job.input:
        source, out = Path(job.input), Path(job.output)
        if source.resolve() != source or out.resolve() != out:
            raise UsageError("a folder of this job has become a link: name it as it is now")
        places.check(source, out)
        return source, out
    source, packed = job.folder / "in", job.folder / "in.zip"
    if packed.exists():
        shutil.rmtree(source, ignore_errors=True)
        unpack(packed, source)
        packed.unlink()
    return source, job.folder / "out"


def unpack(packed: Path, folder: Path) -> None:
    """All files of an archive, within the limits that archives have everywhere."""
    work = Work(lambda documents: map(unchanged, documents))
    folder.mkdir(mode=0o700)
    with packed.open("rb") as source:
        for name, plain in Zip().members(source, work, lambda name: True):
            try:
                _put(plain, folder / name)
            except (FileExistsError, IsADirectoryError, NotADirectoryError):
                raise InputError("two members of the archive have one name: pack it anew") from None
            except OSError as problem:
                if problem.errno == errno.ENAMETOOLONG:
                    raise InputError("a member's name is too long for this disk") from None
                raise


def _put(plain: BinaryIO, path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with plain, path.open("xb") as file:
        shutil.copyfileobj(plain, file, 1 << 20)
