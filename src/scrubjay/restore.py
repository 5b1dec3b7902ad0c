"""Values back in the place of tokens, once that was approved: for commands and the service."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping

from scrubjay import labels
from scrubjay.access import approvals
from scrubjay.access.approvals import Scope
from scrubjay.errors import InputError, VaultError
from scrubjay.formats import subjects
from scrubjay.report import Edit, edited
from scrubjay.types import Anonymized, Document
from scrubjay.vault import packets, pseudonyms, token, twoperson
from scrubjay.vault.domain import Domain
from scrubjay.vault.pseudonyms import Surrogate
from scrubjay.vault.token import Readers

Put = Callable[[list[Document]], list[Anonymized]]
Told = tuple[int, int, str | VaultError]  # a token's start, end, and value
DAMAGED = VaultError("a damaged token")
OTHER = VaultError("a token that was not there when the file was read first")


def tokens(documents: Iterable[Document]) -> set[str]:
    """All that are in these texts."""
    joined = packets.APART.join(document.text for document in documents)
    return {joined[start:end] for start, end, _ in packets.find(joined)}


def subject(place: Domain, told: str) -> str:
    """As the vault has it: as it was typed, or as formats write a subject's number."""
    return told if place.state(told) != "unknown" else subjects.number(told)


def surrogates(place: Domain, whose: Iterable[str]) -> list[Surrogate]:
    """What stands for what in texts of these subjects."""
    return [one for told in whose for one in place.surrogates(subject(place, told))]


def surrogates_of(place: Domain, whose: Iterable[str]) -> list[str]:
    """What an approval calls their surrogates. Nobody gets a code by being asked for."""
    kept = [subject(place, told) for told in whose]
    if any(place.state(one) != "known" for one in kept):
        raise VaultError("no surrogates of this subject: see what records were grouped by")
    return [f"surrogates of {code}" for code in place.codes(kept)]


def scope(found: set[str], domain: str) -> Scope:
    """What is asked for: to restore these tokens, and surrogates as an approval names them."""
    if not found:
        raise InputError("no token in there: nothing to restore")
    return Scope("restore.run", domain, digest=approvals.digest(found))


def readers(place: Domain, privates: Mapping[int, bytes]) -> Readers:
    """Of every label, with the private keys of a two-person domain."""
    return token.Readers(twoperson.readers(place, labels.table(), privates))


def putting_back(readers: Readers, wanted: set[str], surrogates: Iterable[Surrogate] = ()) -> Put:
    """What puts values back into texts. A token that cannot be read, or is none of `wanted`, is an
    error with its place: the file may have been swapped since it was approved."""
    stand_in = pseudonyms.places(surrogates)

    def put_back(documents: list[Document]) -> list[Anonymized]:
        joined = packets.APART.join(document.text for document in documents)
        starts, ends, groups = packets.scan(joined)
        opened = readers.values(groups)
        values = [
            opened.get(at, DAMAGED) if joined[start:end] in wanted else OTHER
            for at, (start, end) in enumerate(zip(starts, ends, strict=True))
        ]
        begin, last, done = 0, 0, []
        for document in documents:
            end = begin + len(document.text)
            first, last = last, bisect_left(starts, end, last)
            told = zip(starts[first:last], ends[first:last], values[first:last], strict=True)
            put = list(_values(document, begin, told))
            done.append(edited(document, _apart(put, stand_in(document.text))))
            begin = end + len(packets.APART)
        return done

    return put_back


def _values(document: Document, begin: int, told: Iterable[Told]) -> Iterator[Edit]:
    """The values of the tokens in a text, which begins there in its batch."""
    for start, end, value in told:
        if not isinstance(value, str):
            where = f"{document.id}: " if document.id else ""
            raise InputError(f"{where}at {start - begin}: {value}: nothing was written")
        yield start - begin, end - begin, value


def _apart(put: list[Edit], surrogates: Iterable[Edit]) -> list[Edit]:
    """Both, in order: what looks like a surrogate inside a token is none."""
    ends = [end for _, end, _ in put]
    outside = []
    for one in surrogates:
        at = bisect_right(ends, one[0])
        if at == len(put) or one[1] <= put[at][0]:
            outside.append(one)
    return sorted([*put, *outside])
