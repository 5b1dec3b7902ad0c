"""The matrix, people, ways in, sessions: deny by default, and what a store may know."""

import itertools
import json
import re
from pathlib import Path

import pytest

pytest.importorskip("cryptography")

from scrubjay import errors
from scrubjay.access import attempts, entry, people, sessions
from scrubjay.access.ledger import Event, Ledger, Mark
from scrubjay.access.matrix import allowed, matrix, pairs, read, table
from scrubjay.access.people import Caller, Register
from scrubjay.access.testing import ADMIN, NOW, World
from scrubjay.vault.store import Memory

ROOT = Path(__file__).parent.parent
YEAR = 365 * 86_400
KEEPS = {"audit.review", "audit.witness", "audit.hold"}  # what auditors do to the log alone
LOOKS = re.compile(r"\.(list|show|query|verify|export|own)$")
ACTS = {action for action in matrix().actions if not LOOKS.search(action)} - KEEPS


@pytest.fixture
def world():
    return World()


# The matrix


def test_everybody_may_do_only_what_the_matrix_says():
    assert all(may == (role in matrix().actions[action]) for role, action, may in pairs())
    assert not allowed([], "detect.run") and not allowed(["detect"], "detect.walk")
    assert not allowed(["detect", "nobody"], "detect.run"), "an unknown role spoils the rest"


def test_no_set_of_roles_lets_an_administrator_re_identify_or_an_auditor_act():
    sets = [c for n in range(1, 7) for c in itertools.combinations(matrix().roles, n)]
    for roles in sets:
        if "administer" in roles:
            assert not any(allowed(roles, action) for action in matrix().rules.approved)
            assert not allowed(roles, "approvals.sign") and not allowed(roles, "breakglass.start")
        if "audit" in roles:
            assert not any(allowed(roles, action) for action in ACTS)


@pytest.mark.parametrize(
    ("old", "new", "refused"),
    [
        ('["administer"]', '["root"]', "unknown roles root"),
        ('approved = ["restore.run"', 'approved = ["restore.walk"', "unknown actions restore.walk"),
        ('["audit", "detect"]', '["audit", "all"]', "unknown roles all"),
        ("[rules]", "[rules]\nmore = 1", "unknown field"),
        ("[roles]", "[roles", "matrix.toml"),
    ],
)
def test_a_matrix_with_an_unknown_name_is_refused(old, new, refused):
    raw = (ROOT / "src/scrubjay/access/matrix.toml").read_text("utf-8")
    assert old in raw
    with pytest.raises(errors.CatalogueError, match=refused):
        read(raw.replace(old, new, 1).encode())


def test_the_page_shows_the_matrix_that_ships():
    page = (ROOT / "docs/access.md").read_text("utf-8")
    assert table() in page, "paste scrubjay.access.matrix.table() into docs/access.md"
    assert all(f"`{role}`: {meaning}" in page for role, meaning in matrix().roles.items())


# People


def test_a_refusal_says_what_to_do_and_is_logged(world):
    with pytest.raises(errors.AccessError, match=r"'ana' may not keys\.rotate: it takes the role"):
        world.register.require(Caller("ana"), "keys.rotate", NOW)
    assert world.events[-1].refused and world.events[-1].who == "ana"
    assert errors.AccessError.exit_status == 3


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (lambda w: w.roles("ana", ("re-identify", "administer")), "both roles"),
        (lambda w: w.roles("ana", ("boss",)), "unknown role 'boss'; known: detect"),
        (lambda w: w.roles("root", ("re-identify",)), "nobody sets their own"),
        (lambda w: people.remove(w.register, ADMIN, "root", now=NOW), "somebody must administer"),
        (lambda w: w.add("ana"), "'ana' is taken"),
        (lambda w: w.add("Ana"), "a name has"),
        (lambda w: w.add("аna"), "a name has"),
        (lambda w: w.roles("nemo", ("detect",)), "not known here"),
        (lambda w: people.found(w.register, "eve", NOW), "people already"),
    ],
)
def test_people_cannot_be_changed_into_this(world, change, refused):
    before = dict(world.register.people())
    with pytest.raises(errors.AccessError, match=refused):
        change(world)
    assert world.register.people() == before


def test_who_left_stays_out_and_the_name_stays_taken(world):
    people.remove(world.register, ADMIN, "ana", now=NOW)
    with pytest.raises(errors.AccessError, match="not known"):
        world.register.require(Caller("ana"), "detect.run", NOW)
    with pytest.raises(errors.AccessError, match="or was once"):
        world.add("ana")


def test_what_cannot_be_logged_does_not_happen(world):
    def broken(event):
        raise errors.AuditError("no log")

    world.ledger.tell = broken
    with pytest.raises(errors.AuditError):
        world.roles("ana", ("detect",))
    assert world.register.people()["ana"].roles == ("re-identify",)


def test_two_registers_change_side_by_side_and_lose_nothing(world):
    other = Register(world.ledger)
    for number in range(6):
        register = (world.register, other)[number % 2]
        people.add(register, ADMIN, f"p{number}", roles=("detect",), now=NOW)
    assert {f"p{number}" for number in range(6)} <= world.register.people().keys()
    assert other.people() == world.register.people() and other.version == world.register.version


def test_a_change_that_comes_late_goes_on_top(world):
    """Another process gets in between reading and writing, and has blanked its version already."""
    other = Register(world.ledger)
    tell, late = world.ledger.tell, ["in between"]

    def between(event):
        tell(event)
        if late:
            late.clear()
            for name in ("second", "third"):
                people.add(other, ADMIN, name, roles=("detect",), now=NOW)

    world.ledger.tell = between
    world.add("first")
    assert {"first", "second", "third"} <= Register(world.ledger).people().keys()


# API keys


def test_an_api_key_opens_what_it_is_for_until_it_ends(world):
    shown = world.key("robot", ("detect.run",), NOW + 100)
    caller = world.enter(shown)
    assert caller.person == "robot"
    world.register.require(caller, "detect.run", NOW)
    with pytest.raises(errors.AccessError, match=r"is not for anonymize\.run"):
        world.register.require(caller, "anonymize.run", NOW)
    with pytest.raises(errors.AccessError, match="unknown, wrong or expired"):
        world.enter(shown, now=NOW + 100)
    entry.revoke(world.register, ADMIN, "robot", shown[4:20], now=NOW)
    with pytest.raises(errors.AccessError, match="unknown, wrong or expired"):
        world.enter(shown)


def test_nobody_makes_keys_for_another_person_and_no_key_makes_keys(world):
    terms = entry.Terms(("detect.run",), NOW + 100)
    with pytest.raises(errors.AccessError, match="make their own API keys"):
        entry.issue(world.register, ADMIN, "ana", terms, now=NOW)
    assert entry.issue(world.register, Caller("ana"), "ana", terms, now=NOW)
    own = entry.Terms(("people.own",), NOW + 100)
    narrow = world.enter(entry.issue(world.register, Caller("ana"), "ana", own, now=NOW))
    with pytest.raises(errors.AccessError, match="makes no API keys"):
        entry.issue(world.register, narrow, "ana", terms, now=NOW)


@pytest.mark.parametrize(
    "terms",
    [
        entry.Terms(("fly.run",), NOW + 1),
        entry.Terms((), NOW),
        entry.Terms((), NOW + 2 * YEAR),
        entry.Terms((), NOW + 1, 0),
    ],
)
def test_terms_have_bounds(world, terms):
    with pytest.raises(errors.UsageError):
        entry.issue(world.register, ADMIN, "robot", terms, now=NOW)


def test_a_key_has_so_many_requests_a_minute():
    rates = attempts.Rates()
    for _ in range(3):
        rates.take("k", 3, NOW)
    with pytest.raises(errors.AccessError, match=r"more than 3 .* try again in 20 s"):
        rates.take("k", 3, NOW)
    rates.take("k", 3, NOW + 20)
    with pytest.raises(errors.AccessError):
        rates.take("k", 3, NOW + 20)


def test_failures_lock_for_longer_and_longer_and_are_forgotten(world):
    names, now, waits = ("source x",), NOW, []
    for _ in range(attempts.MOST + 3):
        attempts.failed(world.ledger, names, now)
        try:
            attempts.check(world.ledger, names, now)
        except errors.AccessError as problem:
            waits.append(int(re.search(r"in (\d+) s", str(problem))[1]))
            now += waits[-1]
        attempts.check(world.ledger, names, now)
    assert waits == sorted(waits) and waits[0] == 1 and waits[-1] == attempts.LONGEST
    attempts.sweep(world.ledger, now + attempts.FORGOTTEN + 1)
    assert not list(world.store.items(attempts.SPACE))


# Sessions


def test_a_session_ends_when_idle_when_long_and_when_told(world):
    token = sessions.begin(world.register, Caller("ana"), NOW)
    for now in (NOW, NOW + 500, NOW + 1300):
        assert sessions.resume(world.register, token, now).person == "ana"
    with pytest.raises(errors.AccessError, match="sign in again"):
        sessions.resume(world.register, token, NOW + 1300 + sessions.IDLE)
    first = NOW + 9000
    token = sessions.begin(world.register, Caller("ana"), first)
    for now in range(first, first + sessions.LONGEST, 600):
        sessions.resume(world.register, token, now)
    with pytest.raises(errors.AccessError):
        sessions.resume(world.register, token, first + sessions.LONGEST)


@pytest.mark.parametrize(
    "stop",
    [
        lambda w, token: sessions.end(w.register, token, NOW),
        lambda w, token: people.log_off(w.register, Caller("ana"), "ana", now=NOW + 1),
        lambda w, token: people.link(w.register, ADMIN, "ana", now=NOW + 1),
        lambda w, token: people.remove(w.register, ADMIN, "ana", now=NOW + 1),
    ],
)
def test_a_session_that_was_ended_is_over(world, stop):
    token = sessions.begin(world.register, Caller("ana"), NOW)
    stop(world, token)
    with pytest.raises(errors.AccessError, match="sign in again"):
        sessions.resume(world.register, token, NOW + 2)
    sessions.sweep(world.register, NOW + sessions.LONGEST)
    assert not list(world.store.items(sessions.SPACE))


def test_a_session_that_ends_while_it_is_used_stays_ended(world):
    token = sessions.begin(world.register, Caller("ana"), NOW)
    change = world.store.change

    def between(put, drop=()):
        world.store.change = change
        sessions.end(world.register, token, NOW + 90)
        change(put, drop)

    world.store.change = between
    world.ledger.time = lambda now: now  # so that the first write is the session's
    sessions.resume(world.register, token, NOW + 90)
    with pytest.raises(errors.AccessError):
        sessions.resume(world.register, token, NOW + 91)


def test_an_api_key_opens_no_session(world):
    caller = world.enter(world.key("robot", ("people.own",), NOW + 100))
    with pytest.raises(errors.AccessError, match="no session"):
        sessions.begin(world.register, caller, NOW)


# Rows and time


def test_a_row_and_an_api_key_are_kept_as_the_spec_says():
    case = json.loads((ROOT / "vectors/access/row.json").read_text())
    ledger = Ledger(
        Memory(), bytes.fromhex(case["key"]), tell=print, random=lambda n: bytes(range(n))
    )
    row = ledger.row(case["space"], bytes.fromhex(case["place"]), Mark(1_800_000_000))
    assert row.value.hex() == case["sealed"]
    id, secret = entry.FORM.fullmatch(case["api_key"]).groups()
    assert entry._digest(ledger, id, secret).hex() == case["api_key_digest"]


def test_a_clock_that_goes_back_is_refused_until_somebody_says_it_is_right(world):
    world.ledger.time(NOW + 10_000)
    with pytest.raises(errors.AccessError, match="10000 s behind the latest time seen here"):
        Ledger(world.store, world.secret, tell=print).time(NOW)
    people.set_time(world.register, ADMIN, NOW)
    assert world.ledger.time(NOW) == NOW and world.ledger.time(NOW - 300) == NOW - 300


def test_no_repr_tells_a_reason_or_a_key(world):
    event = Event("reveal.run", "ana", NOW, why="Maria Gonzalez is here")
    assert "Maria" not in repr(event)
    shown = world.key("robot", (), NOW + 100)
    kept = world.register.people()["robot"].keys[shown[4:20]]
    assert kept.digest.hex()[:8] not in repr(kept) and str(kept.digest) not in repr(kept)
    assert shown[21:] not in repr(world.register.people())
