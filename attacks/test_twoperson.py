"""A two-person domain in the hands of thieves, of one approver, and of who asks for much."""

import pytest

for needed in ("cryptography", "apsw"):
    pytest.importorskip(needed)

from msgspec import msgpack  # noqa: E402

from scrubjay.access import approvals, holders, people, signing  # noqa: E402
from scrubjay.access.ledger import Ledger  # noqa: E402
from scrubjay.access.people import Caller, Register  # noqa: E402
from scrubjay.access.signing import Signer  # noqa: E402
from scrubjay.errors import AccessError, UsageError, VaultError  # noqa: E402
from scrubjay.vault import shares, slots, token, twoperson  # noqa: E402
from scrubjay.vault.slots import Cost  # noqa: E402
from scrubjay.vault.vault import TOOLS, Vault  # noqa: E402

NOW = 1_800_000_000
ROLES = {"ana": "re-identify", "bo": "review", "cy": "review", "flo": "review"}
OPEN = slots.passphrase("eleven quiet herons at dawn", new=True)
TOOL = TOOLS._replace(cost=Cost(8, 1, 1))


class World:
    """A vault, its people with their keys, and a token of its two-person domain."""

    def __init__(self, folder):
        self.vault = Vault.init(folder, OPEN, TOOL)
        ledger = Ledger(self.vault.store, self.vault.derive("access"), tell=lambda _: None)
        self.register = Register(ledger)
        self.keys = {name: Signer.new() for name in ROLES}
        people.found(self.register, "root", NOW)
        root = Caller("root")
        for name, role in ROLES.items():
            people.add(self.register, root, name, roles=(role,), now=NOW)
            people.set_approver(self.register, root, name, self.keys[name].public, now=NOW)
        tenant = self.vault.add_tenant("hospital")
        self.domain = tenant.add_domain("two", deal=holders.dealer(self.register))
        self.token = twoperson.mint(self.domain, "PERSON").tokens(["Maria Gonzalez"])[0]
        self.scope = approvals.Scope(
            "restore.run", "hospital/two", digest=approvals.digest([self.token])
        )

    def ask(self, who="ana"):
        return approvals.ask(self.register, Caller(who), self.scope, "a critical value", now=NOW)

    def sign(self, id, *names):
        for name in names:
            request = approvals.find(self.register, id)
            parts = holders.give(self.register, self.keys[name], name, request, self.domain)
            made = approvals.sign(self.keys[name], request, name)
            who = Caller(name)
            approvals.approve(self.register, who, id, made, parts=parts, now=NOW)

    def given(self, id):
        """What lies in the store for a request, without any check."""
        rows = self.register.ledger.every(approvals.SIGNATURES, approvals.Signature)
        ours = {approvals._place(self.register, id, name): name for name in self.keys}
        return {ours[key]: row.parts for key, row in rows if key in ours}

    def unchecked(self, id, who="ana"):
        """The private keys as code would take them that leaves out every check."""
        grant = approvals.Grant(id, who, self.scope, (), self.given(id))
        return holders.take(self.keys[who], self.domain, grant)

    def read(self, privates):
        return token.read([self.token], twoperson.readers(self.domain, ["PERSON"], privates))

    @property
    def pair(self):
        return self.domain.pairs[1]

    def opens(self, second):
        """Whether this is the approvers' half."""
        try:
            twoperson.join(self.pair.half, second, self.pair.public)
        except VaultError:
            return False
        return True


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path / "vault")
    yield made
    made.vault.close()


def test_two_who_sign_open_it_and_nothing_is_left(world):
    id = world.ask()
    world.sign(id, "bo", "flo")
    grant = approvals.use(world.register, Caller("ana"), id, world.scope, now=NOW)
    privates = holders.take(world.keys["ana"], world.domain, grant)
    assert world.read(privates) == ["Maria Gonzalez"]
    assert world.given(id) == {"bo": {}, "flo": {}}, "what they gave is taken out"


def test_a_stolen_vault_with_all_its_keys_does_not_read(world):
    """Every row, unsealed, while an approved request lies there: no 32 bytes of it are the half."""
    id = world.ask()
    world.sign(id, "bo", "cy", "flo")
    loot = msgpack.encode([world.domain._held.node, world.given(id)])
    assert world.pair.half in loot and world.pair.public in loot
    for at in range(len(loot) - 31):
        assert not world.opens(loot[at : at + 32])
    stolen = [sealed for holder in world.pair.holders for sealed in holder.sealed]
    stolen += [t for parts in world.given(id).values() for t in parts[1].values()]
    about = holders.Where(world.domain.id, 1).about("request", id)
    for sealed in stolen:
        with pytest.raises(VaultError, match="does not open"):
            signing.unwrap(Signer.new(), sealed, about=about)
    with pytest.raises(VaultError, match="key version 1"):
        world.read({})


def test_one_approver_with_the_whole_vault_does_not_read(world):
    """Bo's point, Bo's terms, and what Cy gave for a request that both have signed."""
    id = world.ask()
    world.sign(id, "bo", "cy")
    place = holders.Where(world.domain.id, 1)
    hand = holders.hands_of(world.keys["bo"], "bo", world.domain)[0]
    about = place.about("request", id)
    terms = [hand.term(other, 0, about) for other in hand.others("")]
    point = signing.unwrap(
        world.keys["bo"], hand.holder.sealed[0], about=place.about("share", str(hand.holder.at))
    )
    known = [point, *terms, *(shares.term(hand.holder.at, point, at) for at in (2, 3))]
    assert not any(map(world.opens, known))
    assert not any(world.opens(shares.xor(a, b)) for a in known for b in known)
    for sealed in world.given(id)["cy"][1].values():
        with pytest.raises(VaultError, match="does not open"):
            signing.unwrap(world.keys["bo"], sealed, about=about)


def test_who_asks_has_nothing_of_one_signature(world):
    id = world.ask()
    world.sign(id, "bo")
    with pytest.raises(AccessError, match="1 of 2"):
        approvals.use(world.register, Caller("ana"), id, world.scope, now=NOW)
    with pytest.raises(AccessError, match="no two who signed"):
        world.unchecked(id)
    about = holders.Where(world.domain.id, 1).about("request", id)
    for sealed in world.given(id)["bo"][1].values():
        assert not world.opens(signing.unwrap(world.keys["ana"], sealed, about=about))


def test_two_signatures_of_two_requests_do_not_add_up(world):
    """Each approver agreed to something else. Not a check but the masks stop it: they do not
    cancel."""
    first, second = world.ask(), world.ask()
    world.sign(first, "bo")
    world.sign(second, "cy")
    terms = []
    for id, name, other in ((first, "bo", "cy"), (second, "cy", "bo")):
        about = holders.Where(world.domain.id, 1).about("request", id)
        sealed = world.given(id)[name][1][other]
        terms.append(signing.unwrap(world.keys["ana"], sealed, about=about))
    assert not world.opens(shares.xor(*terms))


def test_what_was_given_for_one_request_does_not_open_for_another(world):
    id, other = world.ask(), world.ask()
    world.sign(id, "bo", "cy")
    grant = approvals.Grant(other, "ana", world.scope, ("bo", "cy"), world.given(id))
    with pytest.raises(VaultError, match="does not open"):
        holders.take(world.keys["ana"], world.domain, grant)


def test_a_used_request_is_neither_used_nor_filled_again(world):
    id = world.ask()
    world.sign(id, "bo", "cy")
    before = world.given(id)
    approvals.use(world.register, Caller("ana"), id, world.scope, now=NOW)
    with pytest.raises(AccessError, match="was used"):
        world.sign(id, "flo")
    ledger = world.register.ledger
    for name, parts in before.items():  # an old copy of the rows put back
        key = approvals._place(world.register, id, name)
        row = ledger.read(approvals.SIGNATURES, key, approvals.Signature)
        ledger.change(
            [ledger.row(approvals.SIGNATURES, key, approvals.structs.replace(row, parts=parts))]
        )
    with pytest.raises(AccessError, match="was used"):
        approvals.use(world.register, Caller("ana"), id, world.scope, now=NOW)


def test_who_asks_and_holds_a_share_still_needs_two_others(world):
    """A reviewer who may also ask: their own share makes up for nobody."""
    people.set_roles(world.register, Caller("root"), "flo", ("review", "re-identify"), now=NOW)
    id = world.ask("flo")
    world.sign(id, "bo")
    assert set(world.given(id)["bo"][1]) == {"cy"}, "nothing that fits flo's own share"
    world.sign(id, "cy")
    assert world.read(world.unchecked(id, "flo")) == ["Maria Gonzalez"]


def test_a_key_that_is_registered_after_the_signatures_opens_nothing(world):
    """An administrator who changes the requester's key, and has the store."""
    id = world.ask()
    world.sign(id, "bo", "cy")
    world.keys["ana"] = Signer.new()
    people.set_approver(world.register, Caller("root"), "ana", world.keys["ana"].public, now=NOW)
    with pytest.raises(VaultError, match="does not open"):
        world.unchecked(id)


def test_an_expired_request_leaves_nothing_in_the_store(world):
    id = world.ask()
    world.sign(id, "bo", "cy")
    later = NOW + 8 * 86_400
    approvals.ask(world.register, Caller("ana"), world.scope, "another value", now=later)
    assert world.given(id) == {"bo": {}, "cy": {}}


def test_one_holder_admits_nobody_and_the_newcomer_learns_their_own_share_alone(world):
    dan = world.keys["dan"] = Signer.new()
    people.add(world.register, Caller("root"), "dan", roles=("review",), now=NOW)
    people.set_approver(world.register, Caller("root"), "dan", dan.public, now=NOW)
    admit = lambda name: holders.admit(  # noqa: E731
        world.register, world.keys[name], Caller(name), "dan", world.domain, now=NOW
    )
    assert not admit("bo")
    with pytest.raises(AccessError, match="holds no share"):
        holders.hands_of(dan, "dan", world.domain)
    assert admit("cy")
    hand = holders.hands_of(dan, "dan", world.domain)[0]
    about = hand.place.about("share", str(hand.holder.at))
    seen = [signing.unwrap(dan, sealed, about=about) for sealed in hand.holder.sealed]
    assert not any(map(world.opens, [*seen, shares.xor(*seen)]))
    id = world.ask()
    world.sign(id, "dan", "flo")
    assert world.read(world.unchecked(id)) == ["Maria Gonzalez"]


def test_who_swaps_the_public_key_is_found_out_at_the_next_approved_read(world):
    """Who writes to the vault with its keys reads what is minted from then on, and is seen."""
    _, theirs = twoperson.new()
    changed = approvals.structs.replace(world.pair, public=theirs)
    world.domain.keep_pairs({1: changed})
    id = world.ask()
    world.sign(id, "bo", "cy")
    with pytest.raises(VaultError, match="not the halves"):
        world.unchecked(id)


def test_a_two_person_domain_is_not_rotated_into_an_ordinary_one(world):
    with pytest.raises(UsageError, match="two-person"):
        world.domain.rotate()
