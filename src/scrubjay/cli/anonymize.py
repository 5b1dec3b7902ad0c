"""`scrubjay anonymize`: files and standard input, whole or not at all; folders, file by file."""

from __future__ import annotations

import codecs
import datetime
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click
import msgspec
from msgspec import Struct

import scrubjay
from scrubjay import formats, manifest, processes, sealing
from scrubjay.cli import files, folders, options, vaults
from scrubjay.cli.progress import Progress
from scrubjay.engine import Engine, load
from scrubjay.errors import UsageError
from scrubjay.formats.subjects import Near, alone
from scrubjay.formats.work import Work
from scrubjay.keys import Key
from scrubjay.run.people import People
from scrubjay.run.walk import single
from scrubjay.run.worker import MEMORY
from scrubjay.types import Anonymized, Document

if TYPE_CHECKING:
    from scrubjay.audit.entry import Entry
    from scrubjay.trust import Trust


class Asked(Struct, frozen=True):
    """The command's options."""

    inputs: tuple[Path, ...]
    output: Path | None
    policy: str
    profile: str
    recall: str
    in_place: bool
    backup: str
    format_: str | None
    encoding: str
    group: str
    key_file: Path | None
    domain: str
    report: Path | None
    encrypt_to: tuple[str, ...]
    manifest: bool
    only: tuple[str, ...]
    skip: tuple[str, ...]
    jobs: int
    dry_run: bool
    restart: bool
    quiet: bool

    @property
    def folders(self) -> bool:
        """Whether this is a run over folders, file by file."""
        return not self.in_place and any(path.is_dir() for path in self.inputs)

    def check(self) -> None:
        """Refuse what does not go together."""
        if files.STDIO in self.inputs and len(self.inputs) > 1:
            raise UsageError("standard input goes alone, not among several inputs")
        if self.in_place and (self.encrypt_to or self.manifest):
            raise UsageError("--encrypt-to and --manifest go with --output, not --in-place")
        if self.manifest and self.output in (None, files.STDIO):
            raise UsageError("--manifest needs --output: it lies beside what it tells of")
        if self.in_place != bool(self.backup):
            raise UsageError("--in-place replaces originals: say --backup SUFFIX to keep them")
        if self.key_file and self.domain:
            raise UsageError("--key-file or --domain, not both")
        for path in self.inputs if self.folders else ():
            if not path.exists():
                raise UsageError(f"{path}: no such file or folder")
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            raise UsageError(f"unknown encoding '{self.encoding}'") from None
        if not self.folders and (self.only or self.skip or self.dry_run or self.restart):
            raise UsageError("--only, --skip, --dry-run and --restart are for folders")
        if self.folders and self.report:
            raise UsageError("--report tells of every document: a folder has scrubjay-report.json")


@click.command()
@options.inputs
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, allow_dash=True),
    help="The file to write, or the folder for several inputs. Default: standard output.",
)  # fmt: skip
@options.policy
@options.profile
@options.recall
@click.option("--in-place", is_flag=True, help="Replace each input; needs --backup.")
@click.option(
    "--backup", default="", metavar="SUFFIX", help="Keep each original under its name + SUFFIX."
)
@options.format_
@options.encoding
@options.group
@options.key_file
@options.domain
@click.option(
    "--report", type=click.Path(path_type=Path), help="Write what was done, a JSON line a document."
)
@click.option(
    "--encrypt-to", "encrypt_to", multiple=True, metavar="KEY",
    help="Encrypt outputs and report to this age public key, or those in a file. Repeatable.",
)  # fmt: skip
@click.option(
    "--manifest", is_flag=True,
    help="Write beside the output what it is and how it came to be: see scrubjay verify.",
)  # fmt: skip
@click.option("--only", multiple=True, metavar="PATTERN", help="Of a folder, only such names.")
@click.option("--skip", multiple=True, metavar="PATTERN", help="Of a folder, no such names.")
@click.option(
    "-j", "--jobs", default=0, metavar="N", help="Processes for a folder. Default: one a core."
)
@click.option("--dry-run", is_flag=True, help="Read a folder and tell; write nothing.")
@click.option("--restart", is_flag=True, help="Do all of a folder again, as if it were new.")
@click.option("-q", "--quiet", is_flag=True, help="No summary on standard error.")
def command(**told: Any) -> None:
    """Take personal data out of INPUTS: files, folders, or `-` for standard input.

    Files are written all or none: if one cannot be anonymized, the exit status is 2. A folder is
    mirrored under the output folder, with clean names; what cannot be read is on a list, and the
    exit status is 4. A run that was stopped goes on where it was, and a second one does nothing.
    """
    asked = Asked(**told | {"inputs": told["inputs"] or standard_input()})
    asked.check()
    if asked.folders:
        folders.anonymize(asked)
        return
    jobs = plan(asked.inputs, asked.output, asked.in_place)
    trust = vaults.trusted("anonymize.run") if asked.domain or vaults.exists() else None
    run = _Run(asked, _engine(asked, trust), trust)
    run.convert(jobs)
    if not asked.quiet:
        click.echo(_summary(run.counts, len(jobs), run.engine.policy.name), err=True)
        if run.left_out:
            click.echo(f"scrubjay: left out: {_told(run.left_out)}", err=True)


def standard_input() -> tuple[Path, ...]:
    """What no argument means: standard input, unless a person sits there."""
    if sys.stdin.isatty():
        raise UsageError("name a file or folder, or pipe text in; see scrubjay --help")
    return (files.STDIO,)


def plan(inputs: tuple[Path, ...], output: Path | None, in_place: bool) -> list[tuple[Path, Path]]:
    """Every source file with its target."""
    if in_place:
        if output or files.STDIO in inputs:
            raise UsageError("--in-place takes files or folders, and no --output")
        sources = [file for path in inputs for file in files.expand(path)]
        return [(source, source) for source in sources]
    if len(inputs) == 1 and not inputs[0].is_dir():
        target = output or files.STDIO
        if target.is_dir():
            target = target / inputs[0].name
        return [(inputs[0], target)]
    if output is None or output == files.STDIO:
        raise UsageError("several inputs, or a folder, need --output FOLDER")
    jobs = []
    for path in inputs:
        base = path if path.is_dir() else path.parent
        jobs += [(file, output / file.relative_to(base)) for file in files.expand(path)]
    targets = [target for _, target in jobs]
    if len(set(targets)) < len(targets):
        raise UsageError("two inputs have the same name in the output folder")
    return jobs


def _engine(asked: Asked, trust: Trust | None) -> Engine:
    """Keyed as was asked for."""
    key = Key.read(asked.key_file) if asked.key_file else None
    domain = trust.domain(asked.domain) if trust and asked.domain else None
    return load(asked.policy, profile=asked.profile, recall=asked.recall, key=key, domain=domain)


def _people(asked: Asked, sources: list[Path]) -> Near:
    """Of whom the files tell each other."""
    kind = formats.named(asked.format_) if asked.format_ else ""
    found = [single(source) for source in sources if source != files.STDIO]
    return People(asked.encoding, kind).add(found).near


class _Run:
    """Some files, released together."""

    def __init__(self, asked: Asked, engine: Engine, trust: Trust | None) -> None:
        self.asked, self.engine, self.trust = asked, engine, trust
        self.counts: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.inputs: list[str] = []  # keyed digests, in the order of the outputs
        self.people: Near = alone

    def convert(self, jobs: list[tuple[Path, Path]]) -> None:
        """All of it, or nothing is written."""
        processes.bound(MEMORY)
        progress = Progress(files.size(source for source, _ in jobs))
        keys = sealing.recipients(self.asked.encrypt_to)
        if len(jobs) > 1:
            self.people = _people(self.asked, [source for source, _ in jobs])
        with files.Outputs(self.asked.backup, keys) as outputs:
            with outputs.log(self.asked.report) as log:
                for source, target in jobs:
                    self._file(source, target, outputs, progress, log)
            told = range(0)
            if self.trust:
                entries = self._entries(self.trust, outputs)
                told = self.trust.tell("anonymize", "de-identify", entries)
            if self.asked.manifest:
                whole = len(jobs) > 1 or self.asked.inputs[0].is_dir()
                self._manifest(outputs, told, whole=whole)
        progress.close()

    def _file(
        self, source: Path, target: Path, outputs: files.Outputs, progress: Progress,
        log: BinaryIO | None,
    ) -> None:  # fmt: skip
        asked = self.asked

        def clean(documents: Iterable[Document]) -> Iterator[Anonymized]:
            return self._counted(self.engine.stream(documents), str(source), log)

        with files.naming(source), files.reading(source) as stream, outputs.open(target) as sink:
            kind = files.format_of(source, asked.format_, stream)
            reader = formats.make(kind, encoding=asked.encoding, group=asked.group)
            work = Work(
                clean, asked.encoding, asked.group, called=source.name, folder=source.parent,
                near=self.people, rule=self.engine.operator, key=self.engine.key,
            )  # fmt: skip
            digested = files.Digested(stream) if self.trust else None
            read = digested.stream if digested else stream
            reader.convert(progress.watch(read), sink, work)
            self.left_out += work.left_out
            if self.trust and digested:
                self.inputs.append(self.trust.keyed(digested.hexdigest()))

    def _counted(
        self, results: Iterable[Anonymized], source: str, log: BinaryIO | None
    ) -> Iterator[Anonymized]:
        for result in results:
            self.counts.update(result.report.counts)
            if log:
                place = f"{source}: {result.report.document}" if result.report.document else source
                report = msgspec.structs.replace(result.report, document=place)
                log.write(msgspec.json.encode(report) + b"\n")
            yield result

    def _entries(self, trust: Trust, outputs: files.Outputs) -> Iterator[Entry]:
        """One for each output; the first counts the identifiers of them all."""
        from scrubjay.audit.entry import Entry

        engine, counts = self.engine, dict(self.counts)
        inputs = chain(self.inputs, repeat(""))  # a report has none
        for (_, temporary), read in zip(outputs.ready(), inputs, strict=False):
            yield Entry(
                "", "", "", "done", policy=engine.digest, model=" ".join(engine.models.values()),
                counts=counts, about=self.asked.domain, input=read, output=trust.digest(temporary),
            )  # fmt: skip
            counts = {}

    def _manifest(self, outputs: files.Outputs, entries: range, *, whole: bool) -> None:
        """Of the folder, or of the one file there is. Written last, released with what it tells
        of."""
        folder = self.asked.output.resolve() if whole and self.asked.output else None
        first, _ = next(outputs.ready())
        target = manifest.name_of(folder or first, folder is not None)
        engine = self.engine
        told = manifest.Manifest(
            manifest.FORMAT,
            datetime.datetime.now(tz=datetime.UTC).isoformat(timespec="seconds"),
            scrubjay.__version__,
            engine.policy.name,
            engine.digest,
            tuple(detector.name for detector in engine.detectors),
            engine.models,
            dict(self.counts.most_common()),
            {
                path.relative_to(target.parent).as_posix(): manifest.file(temporary)
                for path, temporary in outputs.ready()
                if path.is_relative_to(target.parent)
            },
        )
        if self.trust:
            told = self.trust.vouch(told, entries)
        with outputs.open(target, plain=True) as stream:
            stream.write(manifest.written(told))


def _summary(counts: Counter[str], sources: int, policy: str) -> str:
    where = "1 file" if sources == 1 else f"{sources} files"
    found = "1 identifier" if counts.total() == 1 else f"{counts.total():,} identifiers"
    told = f"{found} in {where}, policy {policy}"
    return f"scrubjay: {told}{': ' + _told(counts) if counts else ''}"


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{what} {count:,}" for what, count in counts.most_common())
