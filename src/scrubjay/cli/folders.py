"""`scrubjay anonymize FOLDER`: from options to a run, and from a run to what people read."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from msgspec import structs

import scrubjay
from scrubjay import formats, manifest, sealing
from scrubjay.cli import files, vaults
from scrubjay.cli.progress import Progress
from scrubjay.engine import Engine, load
from scrubjay.errors import OutputError, QuarantineError, UsageError
from scrubjay.keys import Key
from scrubjay.model import bundle
from scrubjay.run import folder as runs
from scrubjay.run import page, places, state
from scrubjay.run.folder import Order, Released
from scrubjay.run.people import People
from scrubjay.run.quarantine import Left
from scrubjay.run.state import State
from scrubjay.run.summary import Summary, summary
from scrubjay.run.walk import Source, Wanted, single, walk
from scrubjay.run.worker import Recipe

if TYPE_CHECKING:
    from scrubjay.cli.anonymize import Asked
    from scrubjay.trust import Trust
    from scrubjay.vault.slots import Opener

REPORT, PAGE = "scrubjay-report.json", "scrubjay-report.html"
QUARANTINE = "quarantine.tsv"


def anonymize(asked: Asked) -> None:
    """Do what is not done yet, and tell about all of it."""
    opener = vaults.opener() if asked.domain or vaults.exists() else None
    trust = vaults.trusted("anonymize.run", opener) if opener else None
    sealing.recipients(asked.encrypt_to)  # refuses what is none, before anything is done
    with _places(asked) as (out, place), _told(out):
        place.mkdir(parents=True, exist_ok=True)
        engine = _engine(asked, trust)
        kept = State(place, out, _recipe(asked, engine), restart=asked.restart)
        if not (asked.key_file or asked.domain):
            engine = Engine(engine.policy, engine.detectors, key=kept.secret)
        with contextlib.closing(kept), Left(place / QUARANTINE) as left:
            told = _run(asked, engine, kept, (out, left), (trust, opener))
        if not asked.quiet:
            click.echo(_line(told, dry=asked.dry_run), err=True)
        for line in left.first:
            click.echo(f"scrubjay: not anonymized: {line}", err=True)
        if told.quarantined:
            listed = "" if asked.dry_run else f": listed in {place / QUARANTINE}"
            were = "was" if told.quarantined == 1 else "were"
            raise QuarantineError(f"{_of(told.quarantined, 'file')} {were} not anonymized{listed}")


@contextlib.contextmanager
def _places(asked: Asked) -> Iterator[tuple[Path, Path]]:
    """The output folder and that of the run's state; a dry run has others that do not stay."""
    if asked.output in (None, files.STDIO) and not asked.dry_run:
        raise UsageError("several inputs, or a folder, need --output FOLDER")
    if asked.dry_run:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name) / "out", Path(name) / "state"
        return
    out = asked.output or Path()
    for source in asked.inputs:
        places.check(source, out)
    yield out, state.folder(out)


@contextlib.contextmanager
def _told(out: Path) -> Iterator[None]:
    """What is wrong with a disk, or with the run's state, in words."""
    try:
        yield
    except (OSError, sqlite3.Error) as problem:
        why = getattr(problem, "strerror", "") or f"the run's state: {problem}"
        raise OutputError(f"{out}: {why}; the run can go on from here") from None
    except KeyboardInterrupt:
        click.echo("scrubjay: interrupted; the same command goes on from here", err=True)
        raise SystemExit(130) from None


def _engine(asked: Asked, trust: Trust | None) -> Engine:
    key = Key.read(asked.key_file) if asked.key_file else None
    domain = trust.domain(asked.domain) if trust and asked.domain else None
    return load(asked.policy, profile=asked.profile, recall=asked.recall, key=key, domain=domain)


def _recipe(asked: Asked, engine: Engine) -> str:
    """What must be the same when a run goes on."""
    whose = asked.domain or "this run's key"
    if asked.key_file:
        whose = Key.read(asked.key_file).derive("a run over a folder").hex()
    told = [
        scrubjay.__version__, engine.digest, engine.models, asked.recall, asked.encoding,
        asked.group, asked.format_, whose, asked.encrypt_to,
    ]  # fmt: skip
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()


def _run(
    asked: Asked, engine: Engine, kept: State, places: tuple[Path, Left],
    trusted: tuple[Trust | None, Opener | None],
) -> Summary:  # fmt: skip
    out, left = places
    trust, opener = trusted
    progress = Progress(sum(source.size for source in _sources(asked)) if Progress.seen() else 0)
    ours = (REPORT, PAGE, manifest.SUFFIX[1:])
    kept.reserve([*ours, *(name + sealing.SUFFIX for name in ours)])
    recipe = Recipe(
        engine=lambda: _own(asked, engine, opener),
        second=lambda: load(asked.policy, profile=bundle.ALONE),
        encoding=asked.encoding, group=asked.group, recipients=asked.encrypt_to,
        format_=formats.named(asked.format_) if asked.format_ else "",
    )  # fmt: skip
    order = Order(
        out, recipe, asked.jobs or _cores(), log=lambda some: _log(trust, engine, asked, some),
        seen=progress.add, before=progress.skip, refused=left.add, dry=asked.dry_run,
        people=lambda: People(recipe.encoding, recipe.format_).add(_sources(asked)).near,
    )  # fmt: skip
    started = time.monotonic()
    try:
        now = runs.run(_sources(asked), order, kept)
    finally:
        progress.close()
    gone = kept.gone()
    told = summary(
        kept.done(), created=_now(), policy=engine.policy.name, policy_digest=engine.digest,
        profile=asked.profile, models=engine.models, jobs=order.jobs, now=now, gone=gone,
        seconds=round(time.monotonic() - started, 3),
    )  # fmt: skip
    if not asked.dry_run:
        _tell(asked, told, kept, out, (engine, trust))
    if not told.quarantined:
        kept.forget_secret()
    return told


def _own(asked: Asked, engine: Engine, opener: Opener | None) -> Engine:
    """The engine of one process: a vault's files are open in one alone."""
    if not (asked.domain and opener):
        return engine
    domain = vaults.domain(opener, asked.domain)
    return Engine(engine.policy, engine.detectors, domain=domain)


def _sources(asked: Asked) -> Iterator[Source]:
    """Everything below the inputs; of several, each under its own name."""
    wanted = Wanted(asked.only, asked.skip)
    if len(asked.inputs) == 1:
        return walk(asked.inputs[0], wanted)
    names = [path.resolve().name for path in asked.inputs]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two inputs are named {name}: do them one after the other")
    return chain.from_iterable(map(_below, asked.inputs, names, repeat(wanted)))


def _below(path: Path, name: str, wanted: Wanted) -> Iterator[Source]:
    if not path.is_dir():
        yield single(path)
        return
    for source in walk(path, wanted):
        yield structs.replace(source, name=f"{name}/{source.name}")


def _log(trust: Trust | None, engine: Engine, asked: Asked, some: Sequence[Released]) -> None:
    """An entry for each file that is about to be released."""
    if trust and some:
        from scrubjay.run.entries import entries

        trust.tell("anonymize", "de-identify", entries(trust, engine, asked.domain, some))


def _tell(
    asked: Asked, told: Summary, kept: State, out: Path, by: tuple[Engine, Trust | None]
) -> None:
    """The report, its page, and a manifest if one was asked for."""
    engine, trust = by
    data = msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n"
    keys = sealing.recipients(asked.encrypt_to)
    with files.Outputs(keys=keys) as outputs:
        for name, content in ((REPORT, data), (PAGE, page.render(told).encode())):
            with outputs.open(out / name) as stream:
                stream.write(content)
        reports = {target.name: manifest.file(path) for target, path in outputs.ready()}
    if not asked.manifest:
        return
    listed = {
        target: manifest.File(done.sha256, done.written)
        for target, _, done in kept.done()
        if not done.problem
    }
    listed |= reports
    made = manifest.Manifest(
        manifest.FORMAT, told.created, scrubjay.__version__, told.policy, told.policy_digest,
        tuple(detector.name for detector in engine.detectors), told.models, told.labels, listed,
    )  # fmt: skip
    if trust:
        made = _vouched(asked, made, trust)
    with files.Outputs() as outputs, outputs.open(out / manifest.SUFFIX[1:]) as stream:
        stream.write(manifest.written(made))


def _vouched(asked: Asked, made: manifest.Manifest, trust: Trust) -> manifest.Manifest:
    """Signed, once the log knows the report."""
    from scrubjay.audit.entry import Entry

    entry = Entry(
        "", "", "", "done", policy=made.policy_digest, about=asked.domain,
        output=trust.keyed(next(f.sha256 for n, f in made.files.items() if n.startswith(REPORT))),
    )  # fmt: skip
    return trust.vouch(made, trust.tell("anonymize", "de-identify", [entry]))


def _line(told: Summary, *, dry: bool) -> str:
    count = sum(told.labels.values())
    what = f"{_of(count, 'identifier')} in {_of(told.files, 'file')}, policy {told.policy}"
    news = f"; {told.now:,} done now in {told.seconds:,.1f} s"
    if told.now >= told.files > 0 and told.seconds:
        news += f", {told.bytes / told.seconds / 1e6:.1f} MB/s"
    if told.gone:
        news += f"; {_of(told.gone, 'output')} of what was not among the inputs this time"
    return f"scrubjay: {'would take ' if dry else ''}{what}{news}"


def _of(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _now() -> str:
    return datetime.datetime.now(tz=datetime.UTC).isoformat(timespec="seconds")
