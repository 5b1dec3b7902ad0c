"""`scrubjay restore` and `reveal`: whose tokens and codes these are, once two others agree."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import structs

from scrubjay import formats, labels
from scrubjay.cli import files, options, vaults
from scrubjay.errors import InputError, UsageError
from scrubjay.formats.work import Work
from scrubjay.report import unchanged
from scrubjay.types import Anonymized, Document

if TYPE_CHECKING:
    from scrubjay.access.approvals import Grant, Scope
    from scrubjay.trust import Trust
    from scrubjay.vault.domain import Domain

_domain = click.option("--domain", required=True, metavar="TENANT/DOMAIN", help="Whose tokens.")
_approval = click.option("--approval", default="", help="The id of a request that was approved.")
_emergency = click.option("--emergency", is_flag=True, help="In an emergency that you opened.")


@click.command()
@options.inputs
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, allow_dash=True),
    help="The file to write, or the folder for several inputs.",
)  # fmt: skip
@_domain
@_approval
@_emergency
def command(
    inputs: tuple[Path, ...], output: Path, domain: str, approval: str, emergency: bool
) -> None:
    """Put values back for the tokens in INPUTS: text, JSON Lines.

    It takes an approval for these very tokens (scrubjay approvals ask), or an emergency.
    """
    from scrubjay.cli.anonymize import plan

    if not inputs or files.STDIO in inputs:
        raise UsageError("name files: they are read twice, to see what was approved")
    trust = vaults.trusted("restore.run")
    place = trust.domain(domain)
    scope = scope_of(inputs, (), domain)
    grant = _granted(trust, scope, approval, emergency)
    put_back = _reader(place)
    with files.Outputs() as outputs:
        for source, target in plan(inputs, output, in_place=False):
            with outputs.open(target) as sink:
                _each(source, sink, put_back)
        trust.tell_disclosed("restore", grant, [path for _, path in outputs.ready()])


@click.command()
@click.argument("codes", nargs=-1, required=True)
@_domain
@_approval
@_emergency
def reveal(codes: tuple[str, ...], domain: str, approval: str, emergency: bool) -> None:
    """Print whose CODES these are."""
    trust = vaults.trusted("reveal.run")
    place = trust.domain(domain)
    grant = _granted(trust, scope_of((), codes, domain), approval, emergency)
    told = [place.reveal(code) for code in codes]
    trust.tell_disclosed("reveal", grant, [])
    for code, subject in zip(codes, told, strict=True):
        click.echo(f"{code}\t{subject}")


def scope_of(inputs: tuple[Path, ...], codes: tuple[str, ...], domain: str) -> Scope:
    """What is asked for: these codes, or the tokens in these files."""
    from scrubjay.access import approvals
    from scrubjay.vault import token

    if bool(inputs) == bool(codes):
        raise UsageError("name files whose tokens shall be read, or codes, not both")
    if codes:
        return approvals.Scope("reveal.run", domain, subjects=tuple(sorted(set(codes))))
    found: set[str] = set()

    def look(text: str) -> str:
        found.update(text[place.start : place.end] for place in token.find(text))
        return text

    for path in inputs:
        for source in files.expand(path):
            _each(source, io.BytesIO(), look)
    if not found:
        raise InputError("no token in there: nothing to restore")
    return approvals.Scope("restore.run", domain, digest=approvals.digest(found))


def _granted(trust: Trust, scope: Scope, approval: str, emergency: bool) -> Grant:
    from scrubjay.access import approvals, breakglass

    if bool(approval) == emergency:
        raise UsageError("--approval ID, or --emergency: see scrubjay approvals --help")
    now = int(time.time())
    if emergency:
        return breakglass.use(trust.register, trust.caller, scope, now=now)
    return approvals.use(trust.register, trust.caller, approval, scope, now=now)


def _reader(domain: Domain) -> Callable[[str], str]:
    """What puts values back into a text. A token that cannot be read is an error with its place."""
    from scrubjay.vault import token

    keys = {version: domain.secret("tokens", version) for version in domain.versions}
    mints = [token.Mint(keys, token.Context("", domain.id, label)) for label in labels.table()]

    def put_back(text: str) -> str:
        parts: list[str] = []
        last = 0
        for place in token.find(text):
            if not place.whole:
                raise InputError(f"a damaged token at {place.start}: nothing was written")
            [value] = token.read([text[place.start : place.end]], mints)
            parts += text[last : place.start], value
            last = place.end
        return "".join([*parts, text[last:]])

    return put_back


def _each(source: Path, sink: Any, change: Callable[[str], str]) -> None:
    """Every text of a file through `change`."""

    def clean(documents: Iterable[Document]) -> Iterator[Anonymized]:
        for document in documents:
            yield structs.replace(unchanged(document), text=change(document.text))

    with files.naming(source), files.reading(source) as stream:
        formats.make(files.format_of(source, None, stream)).convert(stream, sink, Work(clean))
