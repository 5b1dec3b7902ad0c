"""`scrubjay anonymize`: files, folders or standard input, whole or not at all."""

from __future__ import annotations

import datetime
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click
import msgspec

import scrubjay
from scrubjay import formats, manifest, sealing
from scrubjay.cli import files, options, vaults
from scrubjay.cli.progress import Progress
from scrubjay.engine import Engine, load
from scrubjay.errors import UsageError
from scrubjay.formats.work import Work
from scrubjay.keys import Key
from scrubjay.types import Anonymized, Document

if TYPE_CHECKING:
    from scrubjay.audit.entry import Entry
    from scrubjay.trust import Trust


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
@click.option("--backup", metavar="SUFFIX", help="Keep each original under its name + SUFFIX.")
@options.format_
@options.encoding
@options.group
@click.option(
    "--key-file", type=click.Path(path_type=Path),
    help="The secret of hash, shift and surrogate. Without it they agree within one run only.",
)  # fmt: skip
@click.option(
    "--domain", default="", metavar="TENANT/DOMAIN",
    help="Whose keys and pseudonyms: a domain of the vault. Instead of --key-file.",
)  # fmt: skip
@click.option(
    "--report", type=click.Path(path_type=Path), help="Write what was done, a JSON line a document."
)
@click.option(
    "--encrypt-to", "encrypt_to", multiple=True, metavar="KEY",
    help="Encrypt outputs and report to this age public key, or those in a file. Repeatable.",
)  # fmt: skip
@click.option(
    "--manifest",
    "manifested",
    is_flag=True,
    help="Write beside the output what it is and how it came to be: see scrubjay verify.",
)
@click.option("-q", "--quiet", is_flag=True, help="No summary on standard error.")
def command(
    inputs: tuple[Path, ...],
    output: Path | None,
    policy: str,
    profile: str,
    recall: str,
    in_place: bool,
    backup: str | None,
    format_: str | None,
    encoding: str,
    group: str,
    key_file: Path | None,
    domain: str,
    report: Path | None,
    encrypt_to: tuple[str, ...],
    manifested: bool,
    quiet: bool,
) -> None:
    """Take personal data out of INPUTS: files, folders, or `-` for standard input.

    Text and JSON Lines are read. A folder is mirrored under the output folder. If anything cannot
    be anonymized, nothing is written and the exit status is 2.
    """
    inputs = inputs or standard_input()
    if in_place and (encrypt_to or manifested):
        raise UsageError("--encrypt-to and --manifest go with --output, not --in-place")
    if manifested and output in (None, files.STDIO):
        raise UsageError("--manifest needs --output: it lies beside what it tells of")
    if in_place != bool(backup):
        raise UsageError("--in-place replaces originals: say --backup SUFFIX to keep them")
    jobs = plan(inputs, output, in_place)
    read = {"encoding": encoding, "group": group}
    if key_file and domain:
        raise UsageError("--key-file or --domain, not both")
    key = Key.read(key_file) if key_file else None
    trust = vaults.trusted("anonymize.run") if domain or vaults.exists() else None
    place = trust.domain(domain) if trust and domain else None
    engine = load(policy, profile=profile, recall=recall, key=key, domain=place)
    counts: Counter[str] = Counter()
    progress = Progress(files.size(source for source, _ in jobs))
    recipients = sealing.recipients(encrypt_to)
    with files.Outputs(backup or "", recipients) as outputs:
        with outputs.log(report) as log:
            for source, target in jobs:
                clean = partial(_clean, engine, counts, log, str(source))
                with (
                    files.naming(source),
                    files.reading(source) as stream,
                    outputs.open(target) as sink,
                ):
                    reader = formats.make(files.format_of(source, format_, stream), **read)
                    work = Work(clean, encoding, group, called=source.name)
                    reader.convert(progress.watch(stream), sink, work)
        if trust:
            trust.tell(
                "anonymize", "de-identify", _entries(outputs, engine, counts, (trust, domain))
            )
        if manifested:
            whole = output if len(jobs) > 1 or inputs[0].is_dir() else None
            _manifest(outputs, engine, counts, whole)
    progress.close()
    if not quiet:
        click.echo(_summary(counts, len(jobs), engine.policy.name), err=True)


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


def _clean(
    engine: Engine,
    counts: Counter[str],
    log: BinaryIO | None,
    source: str,
    documents: Iterable[Document],
) -> Iterator[Anonymized]:
    for result in engine.stream(documents):
        counts.update(result.report.counts)
        if log:
            place = f"{source}: {result.report.document}" if result.report.document else source
            report = msgspec.structs.replace(result.report, document=place)
            log.write(msgspec.json.encode(report) + b"\n")
        yield result


def _entries(
    outputs: files.Outputs, engine: Engine, counts: Counter[str], told: tuple[Trust, str]
) -> Iterator[Entry]:
    """One for each output; the first counts the identifiers of them all."""
    from scrubjay.audit.entry import Entry

    trust, domain = told
    for number, (_, temporary) in enumerate(outputs.ready()):
        yield Entry(
            "", "", "", "done", policy=engine.digest, model=" ".join(engine.models.values()),
            counts=dict(counts) if number == 0 else {}, about=domain,
            output=trust.digest(temporary),
        )  # fmt: skip


def _manifest(
    outputs: files.Outputs, engine: Engine, counts: Counter[str], folder: Path | None
) -> None:
    """Of a folder, or of the one file there is. Written last, released with what it tells of."""
    first, _ = next(outputs.ready())
    target = manifest.name_of(folder.resolve() if folder else first, folder is not None)
    now = datetime.datetime.now(tz=datetime.UTC).isoformat(timespec="seconds")
    told = manifest.Manifest(
        manifest.FORMAT, now, scrubjay.__version__, engine.policy.name, engine.digest,
        tuple(detector.name for detector in engine.detectors), engine.models,
        dict(counts.most_common()),
        {
            path.relative_to(target.parent).as_posix(): manifest.file(temporary)
            for path, temporary in outputs.ready()
            if path.is_relative_to(target.parent)
        },
    )  # fmt: skip
    with outputs.open(target, plain=True) as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n")


def _summary(counts: Counter[str], sources: int, policy: str) -> str:
    what = ", ".join(f"{label} {count}" for label, count in counts.most_common())
    where = "1 file" if sources == 1 else f"{sources} files"
    found = "1 identifier" if counts.total() == 1 else f"{counts.total():,} identifiers"
    told = f"{found} in {where}, policy {policy}"
    return f"scrubjay: {told}{': ' + what if what else ''}"
