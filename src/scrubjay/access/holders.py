"""Who holds a two-person domain's private key: no machine, and no approver alone.

Half of it lies with the domain's key. The other half is a line's value at 0, and each approver has
a point of that line, so that any two have the half and one has noise (TOK-34 to TOK-38). Nobody
hands a point out. For one request an approver gives, for each other holder, their term of the sum
that is the half, under a mask that only these two people's keys give, for this request: terms given
for two requests do not fit. A new approver gets a point in the same way.
"""

from __future__ import annotations

import itertools
import secrets
from functools import reduce
from typing import NamedTuple

from msgspec.structs import replace

from scrubjay.access import signing
from scrubjay.access.approvals import Grant, Parts, Request, approvers, identify
from scrubjay.access.ledger import Event
from scrubjay.access.people import Caller, Register
from scrubjay.access.signing import Public, Signer
from scrubjay.errors import AccessError, UsageError
from scrubjay.vault import shares, twoperson
from scrubjay.vault.domain import Domain
from scrubjay.vault.nodes import Admission, Deal, Holder, Pair
from scrubjay.vault.seal import Random

LEAST, MOST = 2, 255


def dealer(register: Register, random: Random = secrets.token_bytes) -> Deal:
    """What makes the pair of a new version, and shares it out to all who can sign now. The private
    key is in memory while it does, and never again but for an approved read."""
    keys = {one.name: one.approver.public for one in approvers(register) if one.approver}
    if not LEAST <= len(keys) <= MOST:
        raise UsageError(
            f"{len(keys)} people can sign, and a two-person domain takes {LEAST} to {MOST}: "
            "scrubjay people add NAME --role review, then people signer NAME FILE"
        )

    def deal(domain: str, version: int) -> Pair:
        private, public = twoperson.new(random)
        half, other = twoperson.halves(private, random)
        points = shares.line(other, len(keys), random)
        holders = [
            Holder(name, key.receive, at, (_kept(Where(domain, version), key, at, point),))
            for at, (name, key), point in zip(itertools.count(1), keys.items(), points)
        ]
        return Pair(public, half, tuple(holders))

    return deal


def receiver(register: Register, name: str) -> Public:
    """The registered key of a requester, which what approvers give is sealed to."""
    person = register.people().get(name)
    if person is None or person.approver is None:
        raise AccessError(
            f"'{name}' has no registered key, and reading a two-person domain takes one: "
            "scrubjay approvals key FILE, then an administrator's people signer NAME FILE"
        )
    return person.approver.public


def give(register: Register, signer: Signer, by: str, request: Request, domain: Domain) -> Parts:
    """What an approver gives for this request: terms by version and other holder, sealed to the
    requester. None is for the requester's own share, if there is one: it takes two others."""
    to = receiver(register, request.requester)
    parts: Parts = {}
    for hand in hands_of(signer, by, domain):
        about = hand.place.about("request", identify(request))
        parts[hand.place.version] = {
            other.name: signing.wrap_to(to, hand.term(other, 0, about), about=about)
            for other in hand.others(request.requester)
        }
    return parts


def take(signer: Signer, domain: Domain, grant: Grant) -> dict[int, bytes]:
    """The private keys, by version, for what was approved. Drop them when the read is over."""
    found = {}
    for version, pair in domain.pairs.items():
        about = Where(domain.id, version).about("request", grant.id)
        if terms := _fitting(grant, version):
            opened = (signing.unwrap(signer, term, about=about) for term in terms)
            found[version] = twoperson.join(pair.half, reduce(shares.xor, opened), pair.public)
    if not found:
        raise AccessError("no two who signed hold shares of the same version; others must sign")
    return found


def admit(
    register: Register, signer: Signer, by: Caller, name: str, domain: Domain, *, now: int
) -> bool:
    """Give towards a share for an approver who has none, or has it under an earlier key; whether
    they have one now. It takes two holders, one after the other."""
    register.require(by, "approvals.admit", now)
    key = next((one.approver for one in approvers(register) if one.name == name), None)
    if key is None:
        raise AccessError(f"'{name}' cannot sign, and shares are for who can; see people signer")
    pairs = {
        hand.place.version: hand.admitted(name, key.public)
        for hand in hands_of(signer, by.person, domain)
        if all(holder.receive != key.public.receive for holder in hand.pair.holders)
    }
    if not pairs:
        raise UsageError(f"'{name}' has a share wherever you have one: there is nothing to do")
    details = {"domain": domain.about().name, "versions": " ".join(map(str, pairs))}
    register.ledger.tell(Event("approvals.admit", by.person, now, about=name, details=details))
    domain.keep_pairs(pairs)
    return not any(one.name == name for pair in pairs.values() for one in pair.admissions)


class Where(NamedTuple):
    """A version of a domain."""

    domain: str
    version: int

    def about(self, *what: str) -> str:
        """What something here is for. Nothing in it holds a line end."""
        return "\n".join((*what, self.domain, str(self.version)))


class Hand(NamedTuple):
    """A holder with their key, at one version."""

    signer: Signer
    place: Where
    pair: Pair
    holder: Holder

    def others(self, but: str) -> list[Holder]:
        """The other holders, without one more."""
        return [one for one in self.pair.holders if one.name not in (self.holder.name, but)]

    def term(self, other: Holder, at: int, about: str) -> bytes:
        """What this holder's point and that of `other` are the line's value at `at` of (TOK-36):
        the XOR of both terms, for both masks are one."""
        about_share = self.place.about("share", str(self.holder.at))
        sealed = (signing.unwrap(self.signer, s, about=about_share) for s in self.holder.sealed)
        term = shares.term(self.holder.at, reduce(shares.xor, sealed), other.at, at)
        return shares.xor(term, signing.agreed(self.signer, other.receive, about=about))

    def admitted(self, name: str, key: Public) -> Pair:
        """With the first term for a new holder, which waits; or, with the second, the holder."""
        pair, own = self.pair, self.holder.name
        waiting = [one for one in pair.admissions if (one.name, one.receive) == (name, key.receive)]
        # What waits for, from or towards somebody whose key changes would fit no more.
        rest = tuple(one for one in pair.admissions if name not in (one.name, one.by, *one.parts))
        for first in waiting:
            if own in first.parts:
                other = next(one for one in pair.holders if one.name == first.by)
                sealed = (first.parts[own], self._towards(name, key, first.at, other))
                holders = tuple(one for one in pair.holders if one.name != name)
                new = Holder(name, key.receive, first.at, sealed)
                return replace(pair, holders=(*holders, new), admissions=rest)
        at = _free(pair, name)
        parts = {one.name: self._towards(name, key, at, one) for one in self.others(name)}
        first = Admission(name, key.receive, at, own, parts)
        return replace(pair, admissions=(*rest, first))

    def _towards(self, name: str, key: Public, at: int, other: Holder) -> bytes:
        about = self.place.about("admit", name, key.receive.hex(), str(at))
        return _kept(self.place, key, at, self.term(other, at, about))


def hands_of(signer: Signer, by: str, domain: Domain) -> list[Hand]:
    """Every version of which this person holds a share that this key opens."""
    found = [
        Hand(signer, Where(domain.id, version), pair, holder)
        for version, pair in domain.pairs.items()
        for holder in pair.holders
        if holder.name == by and holder.receive == signer.public.receive
    ]
    if not found:
        raise AccessError(
            f"'{by}' holds no share of this domain's key with this key file; "
            "two who do give one: scrubjay approvals admit"
        )
    return found


def _kept(place: Where, key: Public, at: int, share: bytes) -> bytes:
    """A share, or a part of one, as its holder has it."""
    return signing.wrap_to(key, share, about=place.about("share", str(at)))


def _fitting(grant: Grant, version: int) -> tuple[bytes, bytes] | None:
    """Two terms that were given for each other."""
    given = {name: parts.get(version, {}) for name, parts in grant.parts.items()}
    for one, other in itertools.combinations(given, 2):
        if other in given[one] and one in given[other]:
            return given[one][other], given[other][one]
    return None


def _free(pair: Pair, name: str) -> int:
    """A new holder's place on the line: nobody else's, not of one who is gone either."""
    if known := [one.at for one in pair.holders if one.name == name]:
        return known[0]
    taken = [one.at for one in pair.holders] + [one.at for one in pair.admissions]
    at = 1 + max(taken)
    if at > MOST:
        raise UsageError(f"a version has {MOST} shares at most: rotate the domain's key")
    return at
