"""Re-identification: two other people's signatures, once, for exactly that; or an emergency."""

import json
import threading
from itertools import count
from pathlib import Path

import pytest

pytest.importorskip("cryptography")

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from scrubjay import errors
from scrubjay.access import approvals, breakglass, people, signing
from scrubjay.access.approvals import Request, Scope
from scrubjay.access.people import Caller, Register
from scrubjay.access.signing import Cost, Signer
from scrubjay.access.testing import ADMIN, NOW, REASON, SCOPE, World, fixed

CASE = json.loads((Path(__file__).parent.parent / "vectors/access/approval.json").read_text())
CHEAP = Cost(memory=8, passes=1, lanes=1)


@pytest.fixture
def world():
    return World()


# What is signed


def test_requests_are_written_and_signed_as_the_spec_says():
    told = json.loads(CASE["canonical"])
    scope = Scope(told["action"], told["domain"], tuple(told["subjects"]), told["digest"])
    names = ("requester", "reason", "issued", "expires", "nonce")
    request = Request(scope=scope, **{name: told[name] for name in names})
    assert approvals.canonical(request).decode() == CASE["canonical"]
    assert approvals.identify(request) == CASE["id"]
    signer = Signer(bytes.fromhex(CASE["seed"]))
    assert approvals.sign(signer, request, CASE["approver"]).hex() == CASE["signature"]
    assert approvals.digest(CASE["digest_of"]) == CASE["digest"]
    assert request.reason not in repr(request)


@pytest.mark.parametrize(
    ("scope", "refused"),
    [
        (Scope("detect.run", "d", ("a",)), "takes no approval; these do: restore.run, reveal.run"),
        (Scope("reveal.run", "D 7", ("a",)), "a domain has"),
        (Scope("reveal.run", "d"), "either"),
        (Scope("reveal.run", "d", ("a",), "0" * 64), "either"),
        (Scope("reveal.run", "d", digest="0" * 63), "SHA-256"),
        (Scope("reveal.run", "d", ("b", "a")), "sorted"),
        (Scope("reveal.run", "d", ("a", "a")), "sorted"),
        (Scope("reveal.run", "d", ("", "a")), "sorted"),
        (Scope("reveal.run", "d", ("\ud800",)), "cannot be shown"),
        (Scope("reveal.run", "d", ("a\x1b[2K",)), "cannot be shown"),
        (Scope("reveal.run", "d", tuple(f"{n:05}" for n in range(1001))), "at most 1000"),
    ],
)
def test_a_scope_has_one_way_to_be_written(scope, refused):
    with pytest.raises(errors.UsageError, match=refused):
        approvals.check_scope(scope)


def test_a_reason_is_needed_and_a_time_within_bounds(world):
    for reason, lasts in (
        ("because", 3600),
        (REASON, 59),
        (REASON, 8 * 86_400),
        ("x" * 1001, 60),
        (f"{REASON}\u202e", 60),
    ):
        with pytest.raises(errors.UsageError):
            approvals.ask(world.register, Caller("ana"), SCOPE, reason, lasts=lasts, now=NOW)


# How it is used


def test_two_others_approve_and_it_is_used_once(world):
    id = world.approved()
    grant = world.use(id)
    assert (grant.who, grant.scope, grant.by) == ("ana", SCOPE, ("bo", "cy"))
    done = world.events[-1]
    assert done.action == "reveal.run" and done.why == REASON and not done.refused
    assert done.details["approvers"] == "bo cy" and "P-0001" not in str(structs.asdict(done))
    with pytest.raises(errors.AccessError, match="was used; ask for another"):
        world.use(id)


def test_one_signature_twice_is_one(world):
    id = world.approved(by=("bo", "bo"))
    with pytest.raises(errors.AccessError, match="1 of 2 people have approved"):
        world.use(id)


def test_the_list_shows_what_is_open_and_who_signed(world):
    first, second, _ = world.approved(), world.approved(by=("bo",)), world.use(world.approved())
    listed = {
        approvals.identify(r): by for r, by in approvals.pending(world.register, Caller("eli"), NOW)
    }
    assert listed == {first: ("bo", "cy"), second: ("bo",)}
    assert not list(approvals.pending(world.register, Caller("eli"), NOW + 3600))


@pytest.mark.parametrize(
    ("scope", "who", "now", "refused"),
    [
        (structs.replace(SCOPE, subjects=("P-0001",)), "ana", NOW, "something else"),
        (structs.replace(SCOPE, domain="study-8"), "ana", NOW, "something else"),
        (structs.replace(SCOPE, action="restore.run"), "ana", NOW, "something else"),
        (SCOPE, "di", NOW, "another person's"),
        (SCOPE, "bo", NOW, "takes the role re-identify"),
        (SCOPE, "ana", NOW + 3600, "expired"),
        (SCOPE, "ana", NOW - 61, "from the future"),
        (SCOPE, "ana", NOW - 400, "the clock is 400 s behind"),
    ],
)
def test_an_approval_is_for_that_person_thing_and_time(world, scope, who, now, refused):
    id = world.approved()
    with pytest.raises(errors.AccessError, match=refused):
        world.use(id, who, scope, now)
    people.set_time(world.register, ADMIN, NOW)
    assert world.use(id), "a refusal does not use it up"


@pytest.mark.parametrize(
    "lose",
    [
        lambda w: people.remove(w.register, ADMIN, "bo", now=NOW),
        lambda w: w.roles("bo", ("detect",)),
        lambda w: w.sign_with("bo", None),
        lambda w: w.sign_with("bo", Signer.new(fixed("new"))),
    ],
)
def test_who_may_no_longer_approve_has_not_approved(world, lose):
    id = world.approved()
    lose(world)
    with pytest.raises(errors.AccessError, match="1 of 2 people have approved"):
        world.use(id)
    world.approve(id, "di")
    assert world.use(id).by == ("cy", "di")


def test_nobody_approves_their_own_request(world):
    id = world.ask("di")
    with pytest.raises(errors.AccessError, match="nobody approves their own"):
        world.approve(id, "di")


def test_nobody_registers_their_own_key(world):
    world.add("root2", ("administer",))
    with pytest.raises(errors.AccessError, match="nobody sets their own"):
        public = Signer.new(fixed()).public
        people.set_approver(world.register, Caller("root2"), "root2", public, now=NOW)


def test_of_many_who_use_it_at_once_one_wins(world):
    id, got = world.approved(), []
    start = threading.Barrier(8)

    def go():
        register = Register(world.ledger)  # as another process has it
        start.wait()
        try:
            got.append(approvals.use(register, Caller("ana"), id, SCOPE, now=NOW))
        except errors.AccessError as problem:
            got.append(str(problem))

    threads = [threading.Thread(target=go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(one, approvals.Grant) for one in got) == 1
    assert got.count("this approval was used; ask for another") == 7


STEPS = st.sampled_from(
    ["bo", "cy", "di", "use", "use again", "drop bo", "back bo", "late", "rekey cy"]
)


@settings(max_examples=60)
@given(st.lists(STEPS, max_size=12))
@example(["bo", "rekey cy", "cy", "rekey cy", "rekey cy", "use"])
def test_whatever_happens_in_whatever_order(steps):
    """It is granted once at most, and only while two who may approve have signed with their key."""
    world = World()
    id, now, signed, grants, fresh = world.ask("ana"), NOW, set(), 0, count()
    for step in steps:
        if step in world.signers:
            if attempt(lambda step=step: world.approve(id, step, now)):
                signed.add(step)
        elif step == "late":
            now += 1200
        elif step == "drop bo":
            world.roles("bo", ("detect",))
        elif step == "back bo":
            world.roles("bo", ("review",))
        elif step == "rekey cy":
            world.signers["cy"] = Signer.new(fixed(f"key {next(fresh)}"))
            world.sign_with("cy", world.signers["cy"])
            signed.discard("cy")
        else:
            may = {n for n in signed if "review" in world.register.people()[n].roles}
            won = attempt(lambda: world.use(id, now=now))
            assert won == (len(may) >= 2 and not grants and now < NOW + 3600)
            grants += won
    assert grants <= 1


def attempt(act):
    try:
        act()
    except errors.AccessError:
        return False
    return True


# A person's own keys


def test_a_key_file_opens_with_its_passphrase_alone():
    signer = Signer.new(fixed())
    raw = signing.lock(signer, "caf\u00e9 au lait", random=fixed("file"), cost=CHEAP)
    assert signing.unlock(raw, "cafe\u0301 au lait").public == signer.public
    assert signer._seed.hex() not in raw.hex() and repr(signer) == "Signer(<secret>)"
    with pytest.raises(errors.VaultError, match="wrong passphrase"):
        signing.unlock(raw, "cafe au lait")
    with pytest.raises(errors.UsageError, match="protects nothing"):
        signing.lock(signer, "")


def test_a_key_file_with_any_byte_changed_does_not_open():
    signer = Signer.new(fixed())
    raw = signing.lock(signer, "pass", random=fixed("file"), cost=CHEAP)
    opened = 0
    for at in range(len(raw) - 1):
        other = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        try:
            opened += signing.unlock(other, "pass").public != signer.public
        except errors.VaultError:
            continue
        opened += 1
    assert not opened
    for end in range(0, len(raw) - 1, 7):
        with pytest.raises(errors.VaultError):
            signing.unlock(raw[:end], "pass")


def test_a_key_file_cannot_ask_for_all_the_memory():
    raw = signing.lock(Signer.new(fixed()), "pass", random=fixed("file"), cost=CHEAP)
    with pytest.raises(errors.VaultError, match="more work than any"):
        signing.unlock(raw.replace(b'"memory":8', b'"memory":99999999'), "pass")


def test_a_secret_sealed_to_a_person_opens_for_them_alone():
    one, other = Signer.new(fixed("one")), Signer.new(fixed("other"))
    sealed = signing.wrap_to(one.public, b"half a key", about="study-7", random=fixed())
    assert signing.unwrap(one, sealed, about="study-7") == b"half a key"
    assert b"half a key" not in sealed
    for signer, about in ((other, "study-7"), (one, "study-8")):
        with pytest.raises(errors.VaultError, match="does not open"):
            signing.unwrap(signer, sealed, about=about)
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        for raw in (changed, sealed[:at]):
            with pytest.raises(errors.VaultError, match="does not open"):
                signing.unwrap(one, raw, about="study-7")


# Emergencies


def begin(world, who="cy", domain="study-7", minutes=30, now=NOW):
    return breakglass.start(world.register, Caller(who), domain, REASON, minutes=minutes, now=now)


def test_an_emergency_is_open_at_once_loud_and_short(world):
    opened = begin(world)
    assert (
        "EMERGENCY ACCESS: 'cy' has opened 'study-7' until 2027-01-15 08:30 UTC"
        in opened.notices[0]
    )
    assert opened.notices[1].endswith("when it is over: bo, di.")
    assert world.events[-1].why == REASON and REASON not in repr(opened)
    grant = breakglass.use(world.register, Caller("cy"), SCOPE, now=NOW + 1799)
    assert grant.who == "cy" and world.events[-1].details["subjects"] == "2"
    with pytest.raises(errors.AccessError, match="no emergency of yours is open"):
        breakglass.use(world.register, Caller("cy"), SCOPE, now=NOW + 1800)


def test_an_emergency_is_one_persons_in_one_domain(world):
    begin(world)
    for who, scope in (("bo", SCOPE), ("cy", structs.replace(SCOPE, domain="study-8"))):
        with pytest.raises(errors.AccessError, match="no emergency of yours"):
            breakglass.use(world.register, Caller(who), scope, now=NOW)


@pytest.mark.parametrize("minutes", [0, 14, 61, -15])
def test_an_emergency_has_its_length(world, minutes):
    with pytest.raises(errors.UsageError, match="15 to 60 minutes"):
        begin(world, minutes=minutes)


def test_an_emergency_is_never_extended(world):
    begin(world)
    with pytest.raises(errors.AccessError, match="none is extended"):
        begin(world, domain="other", now=NOW + 1799)
    assert begin(world, now=NOW + 1800).emergency.number == 2


def test_two_emergencies_begun_in_one_moment_are_one(world):
    tell, late = world.ledger.tell, [Register(world.ledger)]

    def between(event):
        tell(event)
        if late and event.action == "breakglass.start":
            breakglass.start(late.pop(), Caller("cy"), "b", REASON, minutes=15, now=NOW)

    world.ledger.tell = between
    with pytest.raises(errors.AccessError, match="none is extended"):
        begin(world)
    listed = list(breakglass.unreviewed(world.register, Caller("bo"), NOW))
    assert [emergency.domain for emergency, _ in listed] == ["b"]


def test_an_emergency_is_listed_with_what_was_seen_until_somebody_else_has_reviewed_it(world):
    id = begin(world).emergency.id
    breakglass.use(world.register, Caller("cy"), SCOPE, now=NOW + 1)
    ((emergency, used),) = breakglass.unreviewed(world.register, Caller("eli"), NOW + 9_999_999)
    assert emergency.id == id and [one.scope for one in used] == [SCOPE]
    for who, now, refused in (
        ("cy", NOW + 1800, "nobody reviews their own"),
        ("bo", NOW + 1799, "still open"),
        ("eli", NOW + 1800, "takes the role review"),
    ):
        with pytest.raises(errors.AccessError, match=refused):
            breakglass.review(world.register, Caller(who), id, justified=True, now=now)
    breakglass.review(world.register, Caller("bo"), id, justified=False, now=NOW + 1800)
    assert world.events[-1].details == {"person": "cy", "justified": "no"}
    assert not list(breakglass.unreviewed(world.register, Caller("bo"), NOW))
    with pytest.raises(errors.AccessError, match="reviewed already"):
        breakglass.review(world.register, Caller("di"), id, justified=True, now=NOW + 1801)


@pytest.mark.parametrize("who", ["root", "eli", "robot"])
def test_who_may_never_break_the_glass(world, who):
    with pytest.raises(errors.AccessError):
        begin(world, who)
