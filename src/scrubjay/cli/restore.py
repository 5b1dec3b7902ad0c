"""`scrubjay restore` and `reveal`: whose tokens and codes these are, once two others agree."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from scrubjay import formats
from scrubjay.cli import files, options, vaults
from scrubjay.errors import AccessError, InputError, UsageError
from scrubjay.formats import subjects
from scrubjay.formats.work import Work
from scrubjay.report import unchanged
from scrubjay.types import Anonymized, Document

if TYPE_CHECKING:
    from scrubjay.access.approvals import Grant, Scope
    from scrubjay.access.signing import Signer
    from scrubjay.restore import Put
    from scrubjay.trust import Trust
    from scrubjay.vault.domain import Domain

_path = click.Path(path_type=Path)
_domain = click.option("--domain", required=True, metavar="TENANT/DOMAIN", help="Whose tokens.")
_approval = click.option("--approval", default="", help="The id of a request that was approved.")
_emergency = click.option("--emergency", is_flag=True, help="In an emergency that you opened.")


def chosen(function: Callable[..., Any]) -> Callable[..., Any]:
    """Whose records of the inputs."""
    subject = click.option(
        "--subject", default="", metavar="VALUE",
        help="Only the records whose FIELD of --group is this, as it stands in the file.",
    )  # fmt: skip
    surrogates = click.option(
        "--surrogates-of", multiple=True, metavar="SUBJECT",
        help="Surrogates of this subject, too: what its records were grouped by. Repeatable.",
    )  # fmt: skip
    return options.group(subject(surrogates(function)))


@click.command()
@options.inputs
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, allow_dash=True),
    help="The file to write, or the folder for several inputs.",
)  # fmt: skip
@_domain
@chosen
@_approval
@_emergency
@click.option("--key", "file", type=_path, help="Your signing key's file: for two-person domains.")
def command(
    inputs: tuple[Path, ...], output: Path, domain: str, approval: str, emergency: bool,
    file: Path | None, **whose: Any,
) -> None:  # fmt: skip
    """Put values back for the tokens in INPUTS, and for the surrogates of some subjects.

    It takes an approval for these very tokens (scrubjay approvals ask), or an emergency. Codes
    stay: reveal tells whose they are.
    """
    from scrubjay import restore as restoring
    from scrubjay.access import holders
    from scrubjay.cli.anonymize import plan
    from scrubjay.trust import disclosed

    if not inputs or files.STDIO in inputs:
        raise UsageError("name files: they are read twice, to see what was approved")
    trust = vaults.trusted("restore.run", needs=_needs(emergency))
    place = trust.domain(domain)
    records = Whose.asked(**whose)
    tokens = _tokens(inputs, records)
    scope = _restoring(tokens, place, domain, records)
    own = None if emergency else _own(trust, place, file)
    grant = _granted(trust, scope, approval, emergency)
    readers = restoring.readers(place, holders.take(own, place, grant) if own else {})
    put_back = restoring.putting_back(readers, tokens, restoring.surrogates(place, records.told))
    with files.Outputs() as outputs:
        for source, target in plan(inputs, output, in_place=False):
            with outputs.open(target) as sink:
                _each(source, sink, put_back, records)
        digests = [trust.digest(path) for _, path in outputs.ready()]
        trust.tell("restore", "re-identify", disclosed(grant, digests))


@click.command()
@click.argument("codes", nargs=-1, required=True)
@_domain
@_approval
@_emergency
def reveal(codes: tuple[str, ...], domain: str, approval: str, emergency: bool) -> None:
    """Print whose CODES these are."""
    from scrubjay.trust import disclosed

    trust = vaults.trusted("reveal.run", needs=_needs(emergency))
    place = trust.domain(domain)
    scope = scope_of((), codes, place, domain, Whose())
    grant = _granted(trust, scope, approval, emergency)
    told = [place.reveal(code) for code in codes]
    trust.tell("reveal", "re-identify", disclosed(grant, []))
    for code, subject in zip(codes, told, strict=True):
        click.echo(f"{code}\t{subject}")


class Whose(NamedTuple):
    """Whose records: all, or those of one subject, which a field of theirs tells. `told`: whose
    surrogates in them."""

    subject: str = ""
    group: str = ""
    told: tuple[str, ...] = ()

    @classmethod
    def asked(cls, subject: str, group: str, surrogates_of: tuple[str, ...]) -> Whose:
        """As the options say."""
        if subject and not group:
            raise UsageError("--subject needs --group FIELD: what tells whose record a line is")
        return cls(subject, group, tuple(sorted(set(surrogates_of))))

    def has(self, document: Document) -> bool:
        """Whether this is one of them."""
        return not self.subject or document.group == subjects.number(self.subject)


def scope_of(
    inputs: tuple[Path, ...], codes: tuple[str, ...], place: Domain, domain: str, whose: Whose
) -> Scope:
    """What is asked for: these codes, or the tokens in these files and subjects' surrogates."""
    from scrubjay.access import approvals

    if bool(inputs) == bool(codes):
        raise UsageError("name files whose tokens shall be read, or codes, not both")
    if codes:
        return approvals.Scope("reveal.run", domain, subjects=tuple(sorted(set(codes))))
    return _restoring(_tokens(inputs, whose), place, domain, whose)


def _restoring(tokens: set[str], place: Domain, domain: str, whose: Whose) -> Scope:
    from scrubjay import restore

    return restore.scope(tokens.union(restore.surrogates_of(place, whose.told)), domain)


def _tokens(inputs: tuple[Path, ...], whose: Whose) -> set[str]:
    """All that are in these files, in the records that are asked for."""
    from scrubjay import restore

    found: set[str] = set()

    def look(documents: list[Document]) -> list[Anonymized]:
        found.update(restore.tokens(documents))
        return [unchanged(document) for document in documents]

    for path in inputs:
        for source in files.expand(path):
            _each(source, io.BytesIO(), look, whose)
    return found


def signer(file: Path) -> Signer:
    """A person's keys."""
    from scrubjay.access import signing

    try:
        raw = file.read_bytes()
    except OSError as problem:
        raise InputError(f"{file}: {problem.strerror}") from None
    return signing.unlock(raw, vaults.secret("signing passphrase", "SCRUBJAY_SIGNING_PASSPHRASE"))


def two_person(trust: Trust, scope: Scope) -> Domain | None:
    """The domain, if approvers must give parts of its key for this."""
    place = trust.domain(scope.domain)
    return place if place.pairs and scope.action == "restore.run" else None


def check_emergency(place: Domain) -> None:
    """Refuse one in a two-person domain: nobody there can read alone."""
    if place.pairs:
        raise AccessError("a two-person domain takes two others: no emergency opens it")


def _needs(emergency: bool) -> str:
    """Which action must be allowed instead: an emergency opens a domain to who started it."""
    return "breakglass.start" if emergency else ""


def _granted(trust: Trust, scope: Scope, approval: str, emergency: bool) -> Grant:
    from scrubjay.access import approvals, breakglass

    if bool(approval) == emergency:
        raise UsageError("--approval ID, or --emergency: see scrubjay approvals --help")
    now = int(time.time())
    if emergency:
        check_emergency(trust.domain(scope.domain))
        return breakglass.use(trust.register, trust.caller, scope, now=now)
    return approvals.use(trust.register, trust.caller, approval, scope, now=now)


def _own(trust: Trust, place: Domain, file: Path | None) -> Signer | None:
    """The requester's key, where it takes one; opened before an approval is used up."""
    from scrubjay.access import holders

    if not place.pairs:
        return None
    if file is None:
        raise UsageError("reading a two-person domain takes your key: --key FILE")
    own = signer(file)
    if own.public != holders.receiver(trust.register, trust.caller.person):
        raise AccessError(f"{file} is not the key that is registered for you; take that one")
    return own


def _each(source: Path, sink: Any, change: Put, whose: Whose) -> None:
    """Every text of a file, in batches, through `change`: those of one subject, if one is told."""
    from scrubjay.engine import batches

    def clean(documents: Iterable[Document]) -> Iterator[Anonymized]:
        for batch in batches(documents):
            changed = iter(change([one for one in batch if whose.has(one)]))
            for one in batch:
                yield next(changed) if whose.has(one) else unchanged(one)

    with files.naming(source), files.reading(source) as stream:
        made = formats.make(files.format_of(source, None, stream), group=whose.group)
        made.convert(stream, sink, Work(clean, rule=lambda label: "keep.v1"))
