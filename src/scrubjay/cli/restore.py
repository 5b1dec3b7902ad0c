"""`scrubjay restore` and `reveal`: whose tokens and codes these are, once two others agree."""

from __future__ import annotations

import io
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from msgspec import structs

from scrubjay import formats, labels
from scrubjay.cli import files, options, vaults
from scrubjay.errors import AccessError, InputError, UsageError, VaultError
from scrubjay.formats.work import Work
from scrubjay.report import unchanged
from scrubjay.types import Anonymized, Document

if TYPE_CHECKING:
    from scrubjay.access.approvals import Grant, Scope
    from scrubjay.access.signing import Signer
    from scrubjay.trust import Trust
    from scrubjay.vault.domain import Domain
    from scrubjay.vault.token import Readers

Put = Callable[[list[Document]], list[str]]
Told = tuple[int, int, str | VaultError]  # a token's start, end, and value
DAMAGED = VaultError("a damaged token")

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
    return options.group(subject(function))


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
    inputs: tuple[Path, ...], output: Path, domain: str, subject: str, group: str, approval: str,
    emergency: bool, file: Path | None,
) -> None:  # fmt: skip
    """Put values back for the tokens in INPUTS: text, JSON Lines.

    It takes an approval for these very tokens (scrubjay approvals ask), or an emergency. Codes
    stay: reveal tells whose they are.
    """
    from scrubjay.cli.anonymize import plan

    if not inputs or files.STDIO in inputs:
        raise UsageError("name files: they are read twice, to see what was approved")
    trust = vaults.trusted("restore.run")
    place = trust.domain(domain)
    whose = Whose.asked(subject, group)
    scope = scope_of(inputs, (), domain, whose)
    own = None if emergency else _own(trust, place, file)
    grant = _granted(trust, scope, approval, emergency)
    put_back = putting_back(_readers(place, own, grant))
    with files.Outputs() as outputs:
        for source, target in plan(inputs, output, in_place=False):
            with outputs.open(target) as sink:
                _each(source, sink, put_back, whose)
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
    grant = _granted(trust, scope_of((), codes, domain, Whose("", "")), approval, emergency)
    told = [place.reveal(code) for code in codes]
    trust.tell_disclosed("reveal", grant, [])
    for code, subject in zip(codes, told, strict=True):
        click.echo(f"{code}\t{subject}")


class Whose(NamedTuple):
    """Whose records: all, or those of one subject, which a field of theirs tells."""

    subject: str
    group: str

    @classmethod
    def asked(cls, subject: str, group: str) -> Whose:
        """As the options say."""
        if subject and not group:
            raise UsageError("--subject needs --group FIELD: what tells whose record a line is")
        return cls(subject, group)

    def has(self, document: Document) -> bool:
        """Whether this is one of them."""
        return not self.subject or document.group == self.subject


def scope_of(inputs: tuple[Path, ...], codes: tuple[str, ...], domain: str, whose: Whose) -> Scope:
    """What is asked for: these codes, or the tokens in these files."""
    from scrubjay.access import approvals
    from scrubjay.vault import packets

    if bool(inputs) == bool(codes):
        raise UsageError("name files whose tokens shall be read, or codes, not both")
    if codes:
        return approvals.Scope("reveal.run", domain, subjects=tuple(sorted(set(codes))))
    found: set[str] = set()

    def look(documents: list[Document]) -> list[str]:
        joined = packets.APART.join(document.text for document in documents)
        found.update(joined[start:end] for start, end, _ in packets.find(joined))
        return [document.text for document in documents]

    for path in inputs:
        for source in files.expand(path):
            _each(source, io.BytesIO(), look, whose)
    if not found:
        raise InputError("no token in there: nothing to restore")
    return approvals.Scope("restore.run", domain, digest=approvals.digest(found))


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


def _readers(place: Domain, own: Signer | None, grant: Grant) -> Readers:
    """Of every label, with the private keys of a two-person domain."""
    from scrubjay.access import holders
    from scrubjay.vault import token, twoperson

    privates = holders.take(own, place, grant) if own else {}
    return token.Readers(twoperson.readers(place, labels.table(), privates))


def putting_back(readers: Readers) -> Put:
    """What puts values back into texts. A token that cannot be read is an error with its place."""
    from scrubjay.vault import packets

    def put_back(documents: list[Document]) -> list[str]:
        joined = packets.APART.join(document.text for document in documents)
        starts, ends, groups = packets.scan(joined)
        opened = readers.values(groups)
        values = [opened.get(at, DAMAGED) for at in range(len(starts))]
        begin, last, texts = 0, 0, []
        for document in documents:
            end = begin + len(document.text)
            first, last = last, bisect_left(starts, end, last)
            told = zip(starts[first:last], ends[first:last], values[first:last], strict=True)
            texts.append(_filled(document, begin, told))
            begin = end + len(packets.APART)
        return texts

    return put_back


def _filled(document: Document, begin: int, told: Iterable[Told]) -> str:
    """A text, which begins there in its batch, with the values of its tokens."""
    text, last = document.text, begin
    parts: list[str] = []
    for start, end, value in told:
        if not isinstance(value, str):
            where = f"{document.id}: " if document.id else ""
            raise InputError(f"{where}at {start - begin}: {value}: nothing was written")
        parts.append(text[last - begin : start - begin])
        parts.append(value)
        last = end
    return "".join([*parts, text[last - begin :]])


def _each(source: Path, sink: Any, change: Put, whose: Whose) -> None:
    """Every text of a file, in batches, through `change`: those of one subject, if one is told."""
    from scrubjay.engine import batches

    def clean(documents: Iterable[Document]) -> Iterator[Anonymized]:
        for batch in batches(documents):
            changed = iter(change([one for one in batch if whose.has(one)]))
            for one in batch:
                text = next(changed) if whose.has(one) else one.text
                yield structs.replace(unchanged(one), text=text)

    with files.naming(source), files.reading(source) as stream:
        made = formats.make(files.format_of(source, None, stream), group=whose.group)
        made.convert(stream, sink, Work(clean))
