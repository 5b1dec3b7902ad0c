"""`/v1/jobs`: folders and archives, done one after the other. What was accepted is done, whatever
is killed meanwhile; who may start jobs may have their outputs, who administers sees how they stand.
"""

from __future__ import annotations

import asyncio
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct, structs
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from scrubjay.access.people import Caller
from scrubjay.audit.entry import Entry
from scrubjay.errors import BusyError, MissingError, PolicyError, UsageError
from scrubjay.run import page, places
from scrubjay.run.folder import ASIDE
from scrubjay.run.summary import Summary
from scrubjay.serve import joblist, saved, spool
from scrubjay.serve.asked import caller, query, read, shown
from scrubjay.serve.back import errand
from scrubjay.serve.call import Call, Content
from scrubjay.serve.clerk import POLICIES
from scrubjay.serve.files import blocks
from scrubjay.serve.joblist import Job, JobRow
from scrubjay.trust import Trust

ZIP = "application/zip"
MOST = 1000  # jobs that are not over
START, SHOW, STOP = "jobs.start", "jobs.show", "jobs.stop"
ROLES = {START: "de-identify", SHOW: "", STOP: ""}
OVER = (joblist.DONE, joblist.STOPPED, joblist.FAILED)


def calls() -> list[Call]:
    """What there is."""
    one, row = "/v1/jobs/{id}", Content(JobRow)
    fails = (MissingError, UsageError)
    return [
        Call("POST", "/v1/jobs", _start, "Clean a folder, or an archive that is sent.",
             takes=(Content(Wanted), Content(media=ZIP)), gives=Content(Made), status=202,
             query=Upload, fails=(PolicyError,)),
        Call("GET", "/v1/jobs", _list, "All jobs, the newest first.", gives=Content(list[JobRow])),
        Call("GET", one, _show, "How a job stands.", gives=row, fails=fails),
        Call("DELETE", one, _forget, "Let nothing of it stay here.", gives=Content(Made),
             fails=fails),
        Call("POST", f"{one}/stop", _stop, "Stop a job.", gives=row, fails=fails),
        Call("POST", f"{one}/resume", _resume, "Let it go on.", gives=row, fails=fails),
        Call("GET", f"{one}/report", _report, "What was done, as JSON or as a page.",
             gives=(Content(Summary), Content(media="text/html")), query=Form, fails=fails),
        Call("GET", f"{one}/quarantine", _quarantine, "Files that were not cleaned, and why.",
             gives=Content(media="text/tab-separated-values"), fails=fails),
        Call("GET", f"{one}/output", _output, "The clean files of an archive.",
             gives=Content(media=ZIP), fails=fails,
             sends={"Content-Disposition": "A name for it."}),
    ]  # fmt: skip


class Upload(Struct, frozen=True):
    """What is said of an archive beside it."""

    policy: str = ""


class Form(Struct, frozen=True):
    """How a report is shown: `page=1` as HTML."""

    page: str = ""


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """A folder that is to be cleaned, and where to. `only` and `skip` are patterns of names."""

    input: str
    output: str
    policy: str = ""
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()


class Made(Struct, frozen=True):
    """The job that was made."""

    id: str


async def _start(request: Request) -> Response:
    who = await may(request, START)
    if sum(joblist.standing(job).state not in OVER for job in joblist.every()) >= MOST:
        raise BusyError("too many jobs wait already; come again later")
    job = Job(joblist.new_id(), who, int(time.time()))
    if "zip" in request.headers.get("content-type", ""):
        await _uploaded(request, job)
    else:
        await _named(request, job)
    answer = shown(Made(job.id))
    answer.status_code = 202
    return answer


async def _uploaded(request: Request, job: Job) -> None:
    """Keep a job whose input is the body."""
    job = structs.replace(job, policy=query(request, Upload).policy)
    await _check_policy(request, job.policy)
    back = request.app.state.all.back
    with back.spool.file() as path:
        await spool.kept(request.stream(), path, back.settings.largest)
        await _tell(request, job.who, START, job.id)
        await asyncio.to_thread(joblist.add, job, path)


async def _named(request: Request, job: Job) -> None:
    """Keep a job whose folders are named."""
    wanted = await read(request, Wanted)
    source, out = _within(request, wanted.input), _within(request, wanted.output)
    if not source.is_dir():
        raise UsageError(f"{source} is no folder")
    places.check(source, out)
    await _check_policy(request, wanted.policy)
    told = structs.asdict(wanted) | {"input": str(source), "output": str(out)}
    await _tell(request, job.who, START, job.id)
    await asyncio.to_thread(joblist.add, structs.replace(job, **told))


async def may(request: Request, action: str) -> Caller:
    """Who asks, if they may do this."""
    who = await caller(request)
    await errand(request, lambda trust: trust.require_of(who, action))
    return who


async def _tell(request: Request, who: Caller, action: str, id: str, *, said: str = "") -> None:
    """In the log before it is done. `said`: what it is called there, where not as its action."""

    def tell(trust: Trust) -> None:
        trust.require_of(who, action)
        entry = Entry("", "", "", "done", about=f"job {id}")
        trust.tell_of(who, said or action, ROLES[action], [entry])

    await errand(request, tell)


async def _check_policy(request: Request, policy: str) -> None:
    known = await request.app.state.all.desk.ask(POLICIES, None, 1)
    if policy and policy not in {row.name for row in known if not row.problem}:
        raise PolicyError(saved.NONE)


def _within(request: Request, told: str) -> Path:
    """A folder that a job may use, wherever links lead."""
    folders: Sequence[Path] = request.app.state.all.back.settings.jobs_in
    path = Path(told)
    if "\0" in told or not path.is_absolute():
        raise UsageError("name folders by their whole paths")
    if not any(places.within(path, folder) for folder in folders):
        raise UsageError("this folder is none for jobs: see scrubjay serve --jobs-in")
    return path.resolve()


async def _list(request: Request) -> Response:
    """The newest first."""
    await may(request, SHOW)
    return shown([joblist.told(job) for job in reversed(joblist.every())])


async def _show(request: Request) -> Response:
    return shown(joblist.told(await job_of(request, SHOW)))


async def job_of(request: Request, action: str) -> Job:
    """The job that is asked about, for who may do this with it."""
    await may(request, action)
    return joblist.read(request.path_params["id"])


async def _stop(request: Request) -> Response:
    who, job = await caller(request), await job_of(request, STOP)
    await _tell(request, who, STOP, job.id)
    if joblist.standing(job).state not in OVER:
        job.stops.touch(mode=0o600)
    return shown(joblist.told(job))


async def _resume(request: Request) -> Response:
    """It goes on for who says so."""
    who, job = await caller(request), await job_of(request, START)
    if joblist.standing(job).state == joblist.RUNNING:
        raise UsageError("it runs, or is about to stop: ask again when it has")
    await _tell(request, who, START, job.id)
    joblist.write(structs.replace(job, who=who))
    job.stops.unlink(missing_ok=True)
    if joblist.standing(job).state in OVER:  # the foreman may have stopped it just now
        joblist.stand(job, joblist.WAITING)
    return shown(joblist.told(job))


async def _forget(request: Request) -> Response:
    """Nothing of it stays here; folders that somebody named stay as they are."""
    who, job = await caller(request), await job_of(request, START)
    if joblist.standing(job).state not in OVER:
        raise UsageError("it is not over: stop it first")
    await _tell(request, who, START, job.id, said="jobs.forget")
    await asyncio.to_thread(joblist.forget, job)
    return shown(Made(job.id))


async def _report(request: Request) -> Response:
    job = await job_of(request, SHOW)
    data = await asyncio.to_thread(_written, job, "report.json")
    if query(request, Form).page in ("", "0"):
        return Response(data, media_type="application/json")
    told = msgspec.json.decode(data, type=Summary)
    headers = {"Content-Security-Policy": f"{page.POLICY}; frame-ancestors 'none'"}
    return Response(page.render(told), 200, headers, "text/html; charset=utf-8")


async def _quarantine(request: Request) -> Response:
    """By real names: for who started it, or could have."""
    who, job = await caller(request), await job_of(request, START)
    data = await asyncio.to_thread(_written, job, "quarantine.tsv")
    await _tell(request, who, START, job.id, said="jobs.quarantine")
    return Response(data, media_type="text/tab-separated-values; charset=utf-8")


def _written(job: Job, name: str) -> bytes:
    try:
        return (job.folder / name).read_bytes()
    except FileNotFoundError:
        raise MissingError("there is none before the job was done") from None


async def _output(request: Request) -> Response:
    who, job = await caller(request), await job_of(request, START)
    if job.input:
        raise UsageError("its output is in the folder that was named")
    if joblist.standing(job).state != joblist.DONE:
        raise UsageError("it is not done yet")
    with request.app.state.all.back.spool.file() as path:
        await asyncio.to_thread(_packed, job.out, path)
        await _tell(request, who, START, job.id, said="jobs.output")
        file = path.open("rb")
    headers = {
        "Content-Disposition": f'attachment; filename="job-{job.id}.zip"',
        "Content-Length": str(file.seek(0, 2)),
    }
    file.seek(0)
    return StreamingResponse(blocks(file), headers=headers, media_type=ZIP)


def _packed(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and ASIDE not in file.parts:
                packed.write(file, file.relative_to(folder))
