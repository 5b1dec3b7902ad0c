"""Jobs as they lie on the disk, a folder each. What one of them is to do is written before anybody
is told its number; what became of it, by the one foreman that there is.

    job.json       what is to be done, and for whom
    standing.json  where it stands
    progress.json  how far the run is
    stop           somebody wants it to stop
    report.json, quarantine.tsv    of the last run
    in.zip, in, out, state         of an upload
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from scrubjay import home
from scrubjay.access.people import Caller
from scrubjay.errors import MissingError

ID = re.compile(r"[0-9a-f]{16}", re.ASCII)
WAITING, RUNNING, DONE, STOPPED, FAILED = "waiting", "running", "done", "stopped", "failed"
T = TypeVar("T")


class Job(Struct, frozen=True):
    """What is to be done, and for whom: it is done while they may. Without an `input` it is an
    upload."""

    id: str
    who: Caller
    made: int
    policy: str = ""
    input: str = ""
    output: str = ""
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """All that there is of it, but for folders that somebody named."""
        return above() / self.id

    @property
    def out(self) -> Path:
        """Where its outputs are."""
        return Path(self.output) if self.input else self.folder / "out"

    @property
    def stops(self) -> Path:
        """There, if somebody wants it to stop."""
        return self.folder / "stop"


class Standing(Struct, frozen=True):
    """Where a job stands, and why it failed."""

    state: str = WAITING
    started: int = 0
    why: str = ""


class Progress(Struct, frozen=True):
    """Files and bytes that there are, that are through, and that this run did in so many
    seconds."""

    files: int = 0
    done: int = 0
    bytes: int = 0
    read: int = 0
    now: int = 0
    seconds: float = 0.0
    quarantined: int = 0


class JobRow(Struct, frozen=True):
    """A job as it is told. `rate`: bytes a second; `left_seconds`: none while nobody can know."""

    id: str
    state: str
    files: int
    done: int
    bytes: int
    rate: float
    left_seconds: float | None
    quarantined: int
    started: int
    policy: str
    who: str
    upload: bool
    why: str


def new_id() -> str:
    """That no other job has."""
    return secrets.token_hex(8)


def add(job: Job, upload: Path | None = None) -> None:
    """Keep it: from now on it is done, whatever happens. `upload` is moved to it."""
    job.folder.mkdir(mode=0o700)
    if upload:
        home.sync(upload)
        upload.rename(job.folder / "in.zip")
    home.write(job.folder / "standing.json", msgspec.json.encode(Standing()))
    home.sync(job.folder.parent)
    write(job)


def write(job: Job) -> None:
    """What is to be done: without it, a folder is no job."""
    home.write(job.folder / "job.json", msgspec.json.encode(job))


def forget(job: Job) -> None:
    """It is no job any more, then nothing."""
    (job.folder / "job.json").unlink(missing_ok=True)
    shutil.rmtree(job.folder, ignore_errors=True)


def every() -> list[Job]:
    """All of them, the oldest first."""
    files = (folder / "job.json" for folder in above().iterdir())
    found = [job for file in files if (job := _read(file, Job))]  # one may go meanwhile
    return sorted(found, key=lambda job: (job.made, job.id))


def read(id: str) -> Job:
    """A job by its id."""
    told = _read(above() / id / "job.json", Job) if ID.fullmatch(id) else None
    if told is None:
        raise MissingError("no job of that id is here: GET /v1/jobs lists them")
    return told


def standing(job: Job) -> Standing:
    """Where it stands."""
    return _read(job.folder / "standing.json", Standing) or Standing()


def stand(job: Job, state: str, *, started: int | None = None, why: str = "") -> None:
    """Say where it stands."""
    since = standing(job).started if started is None else started
    home.write(job.folder / "standing.json", msgspec.json.encode(Standing(state, since, why)))


def note(job: Job, progress: Progress) -> None:
    """Say how far it is. Whole, but not for ever: a run that was killed counts anew."""
    new = job.folder / "progress.new"
    new.write_bytes(msgspec.json.encode(progress))
    new.replace(job.folder / "progress.json")


def told(job: Job) -> JobRow:
    """All of it in a row."""
    now, far = standing(job), _read(job.folder / "progress.json", Progress) or Progress()
    rate = far.now / far.seconds if far.seconds else 0.0
    left = (far.bytes - far.read) / rate if rate and now.state == RUNNING else None
    stopped = now.state == WAITING and job.stops.exists()
    return JobRow(
        job.id, STOPPED if stopped else now.state, far.files, far.done, far.bytes, round(rate, 1),
        None if left is None else round(max(0.0, left), 1), far.quarantined, now.started,
        job.policy, job.who.person, not job.input, now.why,
    )  # fmt: skip


def waiting() -> Iterator[Job]:
    """Those that are to be done next, the oldest first."""
    for job in every():
        if standing(job).state == WAITING:
            yield job


def again() -> None:
    """What a service left that was killed is waiting, as before."""
    for job in every():
        if standing(job).state == RUNNING:
            stand(job, WAITING)


def looks() -> dict[str, int]:
    """What differs once something has become of a job: when each folder was written to."""
    found = {}
    for folder in above().iterdir():
        with suppress(FileNotFoundError):  # one may go meanwhile
            found[folder.name] = folder.stat().st_mtime_ns
    return found


def above() -> Path:
    """Where they all are."""
    return home.folder("serve/jobs")


def _read(path: Path, kind: type[T]) -> T | None:
    """None, too, of a file that a broken disk or a power cut has damaged: other jobs go on."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
