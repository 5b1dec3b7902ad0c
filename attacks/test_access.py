"""Getting at names without leave: with the store in hand, with guesses, with a second account, with
an old approval, from inside an open session."""

import hmac
import itertools
from contextlib import contextmanager

import pytest

pytest.importorskip("cryptography")

from click.testing import CliRunner
from msgspec import structs

from scrubjay import errors
from scrubjay.access import approvals, attempts, breakglass, entry, people, sessions
from scrubjay.access.ledger import Ledger
from scrubjay.access.people import Caller, Register
from scrubjay.access.signing import Signer
from scrubjay.access.testing import ADMIN, NOW, REASON, SCOPE, World, fixed
from scrubjay.vault.store import Memory, Row


@pytest.fixture
def world():
    return World()


def rows(store):
    return [
        (space, key, value) for space, held in store._rows.items() for key, value in held.items()
    ]


def busy(world):
    """Something in every space."""
    world.use(world.approved())
    id = world.approved()
    breakglass.start(world.register, Caller("cy"), "study-7", REASON, minutes=15, now=NOW)
    breakglass.use(world.register, Caller("cy"), SCOPE, now=NOW)
    attempts.failed(world.ledger, ["source 10.0.0.1"], NOW)
    sessions.begin(world.register, Caller("ana"), NOW)
    return id


# A stolen store


def test_a_stolen_store_names_nobody_and_opens_nothing(world):
    shown = world.key("robot", ("detect.run",), NOW + 100)
    token = sessions.begin(world.register, Caller("ana"), NOW)
    busy(world)
    raw = b"".join(part for _, key, value in rows(world.store) for part in (key, value))
    told = ("ana", "robot", "P-0001", "study-7", REASON, shown[4:20], shown[21:], token, "10.0.0.1")
    assert [word for word in told if len(word) > 3 and word.encode() in raw] == []
    assert bytes.fromhex(token) not in raw
    with pytest.raises(errors.VaultError, match="another key, or the store was changed"):
        Register(Ledger(world.store, b"x" * 32, tell=print))


def test_the_store_and_its_key_do_not_hold_an_api_key_or_a_signature_key(world):
    """Who has both can read who is who, and still cannot sign for anybody or use anybody's key."""
    shown = world.key("robot", (), NOW + 100)
    kept = repr(structs.asdict(world.register.people()["robot"])).encode()
    assert shown[21:].encode() not in kept
    seeds = [signer._seed for signer in world.signers.values()]
    assert not any(seed[:32] in value for seed in seeds for _, _, value in rows(world.store))


# An edited store


def test_a_row_with_any_byte_changed_or_cut_off_is_refused(world):
    busy(world)
    for space, key, value in rows(world.store):
        for at in range(len(value)):
            changed = value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]
            for raw in (changed, value[:at]):
                world.store.change([Row(space, key, raw)])
                with pytest.raises(errors.VaultError):
                    world.ledger.read(space, key, approvals.Use)
        world.store.change([Row(space, key, value)])


def test_a_row_that_is_put_in_anothers_place_is_refused(world):
    """Somebody else's signature, a better role's version, a fresh session under an old token."""
    busy(world)
    for (space, key, value), (other, place, _) in itertools.permutations(rows(world.store), 2):
        copy = Memory()
        copy.change([Row(other, place, value)])
        with pytest.raises(errors.VaultError, match=f"a row of {other} does not open"):
            list(Ledger(copy, world.secret, tell=print).every(other, approvals.Use))
        assert (space, key) != (other, place)


def test_an_old_register_is_noticed(world):
    """An administrator of the machine puts back a copy from when somebody had more roles."""
    old = rows(world.store)
    world.roles("ana", ("detect",))
    logged = world.events[-1].details["register"]
    new = Memory()
    new.change([Row(*row) for row in old])
    with pytest.raises(errors.VaultError, match="an old store was put back"):
        Register(Ledger(new, world.secret, tell=print), least=int(logged))
    world.store._rows = new._rows
    with pytest.raises(errors.AccessError):
        world.register.require(Caller("ana"), "reveal.run", NOW)


def test_the_last_change_to_the_register_cannot_be_cut_off(world):
    last = world.ledger.keys(people.SPACE)[-1]
    world.store.change([], [(people.SPACE, last)])
    with pytest.raises(errors.VaultError, match="register of people is not whole"):
        Register(world.ledger)


# Approvals


def test_a_signature_serves_no_other_request_and_no_other_name(world):
    first, second = world.ask(), world.ask()
    signature = approvals.sign(world.signers["bo"], approvals.find(world.register, first), "bo")
    for id, name in ((second, "bo"), (first, "cy")):
        with pytest.raises(
            errors.AccessError, match="is not of this request by your registered key"
        ):
            approvals.approve(world.register, Caller(name), id, signature, now=NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"requester": "di"},
        {"scope": structs.replace(SCOPE, subjects=("P-0001", "P-0002", "P-0003"))},
        {"reason": "another reason"},
        {"expires": NOW + 9_999_999},
        {"nonce": "0" * 32},
    ],
)
def test_a_request_that_is_altered_after_signing_is_none(world, change):
    """By somebody with the ledger's key, even."""
    id = world.approved()
    altered = structs.replace(approvals.find(world.register, id), **change)
    for place in (id, approvals.identify(altered)):
        world.ledger.change([world.ledger.row(approvals.REQUESTS, bytes.fromhex(place), altered)])
        with pytest.raises(errors.AccessError, match=r"no such request|0 of 2|another person"):
            world.use(place, scope=altered.scope)


def test_one_key_cannot_be_two_people(world):
    with pytest.raises(errors.AccessError, match="two people would have the same signing key"):
        world.sign_with("cy", world.signers["bo"])


def test_one_key_in_two_accounts_counts_once_even_if_the_register_has_it(world, monkeypatch):
    monkeypatch.setattr(people, "_problems", lambda people: iter(()))
    world.sign_with("cy", world.signers["bo"])
    world.signers["cy"] = world.signers["bo"]
    with pytest.raises(errors.AccessError, match="1 of 2 people"):
        world.use(world.approved())
    world.sign_with("di", world.signers["bo"])
    id = world.ask("di")
    with pytest.raises(errors.AccessError, match="nobody approves their own request"):
        world.approve(id, "bo")


def test_an_administrator_cannot_become_who_may_see_names(world):
    for roles in (("administer", "re-identify"), ("re-identify",)):
        with pytest.raises(errors.AccessError):
            world.roles("root", roles)
    for act in (
        lambda: world.ask("root"),
        lambda: world.use(world.approved(), "root"),
        lambda: breakglass.start(world.register, ADMIN, "d", REASON, minutes=15, now=NOW),
    ):
        with pytest.raises(errors.AccessError, match="may not"):
            act()


@pytest.mark.parametrize("action", ["approvals.sign", "breakglass.start", "breakglass.review"])
def test_a_stolen_api_key_of_an_approver_is_not_the_approver(world, action):
    with pytest.raises(errors.AccessError, match="no service and no API key may"):
        world.register.require(Caller("bo", "key x", (action,)), action, NOW)


# Guessing


def guess(world, id, source, now):
    """Whether the guess was looked at."""
    try:
        world.enter(f"sjk_{id}_{'a' * 52}", source, now)
    except errors.AccessError as problem:
        return "too many" not in str(problem)
    raise AssertionError("a guess got in")


@pytest.mark.parametrize("spread", ["one source", "many sources", "many keys"])
def test_guesses_are_few(world, spread):
    """A guess each 10 seconds for an hour: 360 are made, few are looked at."""
    id = world.key("robot", (), NOW + 100_000)[4:20]
    looked = 0
    for number in range(360):
        source = f"10.0.0.{number}" if spread == "many sources" else "10.0.0.1"
        key = entry._word(world.ledger, 10) if spread == "many keys" else id
        looked += guess(world, key, source, NOW + 10 * number)
    assert looked < 20


def test_guesses_side_by_side_all_count(world):
    """Each has read that nobody has failed yet."""
    blind = world.store.get
    world.store.get = lambda space, keys: [None] * len(keys)
    for _ in range(9):
        attempts.failed(world.ledger, ["key k"], NOW)
    world.store.get = blind
    assert len(attempts._times(world.ledger, "key k")) == 9


def test_a_key_that_does_not_exist_takes_the_same_steps_as_a_wrong_secret(world, monkeypatch):
    id = world.key("robot", (), NOW + 100)[4:20]
    world.ledger.time(NOW)
    steps = []
    compare, derive, get = hmac.compare_digest, world.ledger.derive, world.store.get
    monkeypatch.setattr(
        hmac,
        "compare_digest",
        lambda a, b: steps.append(("compare", len(a), len(b))) or compare(a, b),
    )
    monkeypatch.setattr(
        world.ledger,
        "derive",
        lambda *parts: steps.append([len(p) for p in parts]) or derive(*parts),
    )
    monkeypatch.setattr(
        world.store, "get", lambda space, keys: steps.append((space, len(keys))) or get(space, keys)
    )
    seen = []
    for number, key in enumerate((id, "a" * 16)):
        steps.clear()
        guess(world, key, f"source {number}", NOW)
        seen.append(list(steps))
    assert seen[0] == seen[1] and ("compare", 32, 32) in seen[0]


# From inside


def test_a_role_that_is_taken_is_gone_from_an_open_session(world):
    token = sessions.begin(world.register, Caller("ana"), NOW)
    other = Register(world.ledger)  # another process, where the administrator works
    world.register.require(sessions.resume(world.register, token, NOW), "reveal.run", NOW)
    people.set_roles(other, ADMIN, "ana", ("detect",), now=NOW)
    with pytest.raises(errors.AccessError, match="'ana' may not"):
        world.register.require(sessions.resume(world.register, token, NOW), "reveal.run", NOW)


def test_an_api_key_is_as_strong_as_its_owner_is_now(world):
    caller = world.enter(world.key("robot", ("anonymize.run",), NOW + 100))
    world.roles("robot", ("detect",))
    with pytest.raises(errors.AccessError, match="'robot' may not"):
        world.register.require(caller, "anonymize.run", NOW)


def test_an_api_key_that_is_revoked_during_a_run_is_none(world):
    shown = world.key("robot", ("anonymize.run",), NOW + 100)
    caller = world.enter(shown)
    world.register.require(caller, "anonymize.run", NOW)
    entry.revoke(Register(world.ledger), ADMIN, "robot", shown[4:20], now=NOW)
    with pytest.raises(errors.AccessError, match="was revoked"):
        world.register.require(caller, "anonymize.run", NOW)


def test_an_emergency_opens_no_other_door(world):
    breakglass.start(world.register, Caller("cy"), "study-7", REASON, minutes=15, now=NOW)
    for act in (lambda: world.use(world.approved(), "cy"), lambda: world.ask("cy")):
        with pytest.raises(errors.AccessError, match="takes the role re-identify"):
            act()
    world.roles("cy", ("detect",))
    with pytest.raises(errors.AccessError, match=r"may not breakglass\.start"):
        breakglass.use(world.register, Caller("cy"), SCOPE, now=NOW)


def test_an_emergency_cannot_be_prolonged_by_the_clock(world):
    breakglass.start(world.register, Caller("cy"), "study-7", REASON, minutes=15, now=NOW)
    with pytest.raises(errors.AccessError):
        breakglass.use(world.register, Caller("cy"), SCOPE, now=NOW + 900)
    with pytest.raises(errors.AccessError, match="behind the latest time seen here"):
        breakglass.use(world.register, Caller("cy"), SCOPE, now=NOW + 100)


# Killed on the way


class Killed(Exception):
    """The machine stops here."""


class Dying(Memory):
    """Stops at its n-th write: just before it, or just after."""

    left, after = -1, False

    def add(self, rows):
        return self._dying(lambda: super(Dying, self).add(rows))

    def change(self, put, drop=()):
        return self._dying(lambda: super(Dying, self).change(put, drop))

    def _dying(self, write):
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Killed
        done = write()
        if self.left == 0:
            raise Killed
        return done


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_write_nothing_is_granted_twice_and_all_stays_readable(after):
    for write in range(1, 20):
        world = World()
        store = Dying()
        store._rows, store.after, store.left = world.store._rows, after, write
        world.ledger._store = store
        done = []
        try:
            id = world.approved()
            world.roles("bo", ("detect", "review"))
            done.append(world.use(id))
            world.roles("ana", ("detect",))
            store.left = -1
        except Killed:
            pass
        again = Register(Ledger(store, world.secret, tell=world.events.append))
        assert "ana" in again.people()
        spent = [request for request, _ in approvals.pending(again, Caller("eli"), NOW)]
        assert not (done and spent), "what was granted is no longer open"
        people.set_roles(again, ADMIN, "di", ("detect",), now=NOW)
    assert done, "the last round lives"


def test_with_new_keys_old_signatures_are_nothing(world):
    id = world.approved()
    for name in ("bo", "cy"):
        world.sign_with(name, Signer.new(fixed(f"new {name}")))
    with pytest.raises(errors.AccessError, match="0 of 2 people"):
        world.use(id)


# A vault on the machine


class Site:
    """A vault with `ada`, who administers, and `di`, who anonymizes."""

    def __init__(self, home):
        pytest.importorskip("apsw")
        pytest.importorskip("pyrage")
        self.home = home
        home.with_name("machine.key").write_bytes(bytes(range(32)))
        self.call("ada", "keys init")
        self.call("ada", "people first ada")
        self.call("ada", "people add di --role de-identify")

    def call(self, who, words):
        from scrubjay import cli, trust

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(trust, "account", lambda: who)
            patch.setenv("SCRUBJAY_HOME", str(self.home))
            patch.setenv("SCRUBJAY_KEY_FILE", str(self.home.with_name("machine.key")))
            return CliRunner().invoke(cli.group, words.split(), catch_exceptions=False).output

    @contextmanager
    def opened(self):
        from scrubjay.trust import Trust
        from scrubjay.vault import slots
        from scrubjay.vault.vault import Vault

        opener = slots.key_file(self.home.with_name("machine.key"))
        vault = Vault.open(self.home / "vault", opener)
        yield Trust(self.home, vault)
        vault.close()


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path / "home")


def test_a_vault_whose_people_were_taken_out_is_nobodys(site):
    """Who can write to the store makes it look as if nobody were registered: the vault would be
    whoever's opens it."""
    with site.opened() as trust:
        store = trust.vault.store
        store.change([], [(people.SPACE, key) for key, _ in store.items(people.SPACE)])
    for words in ("policy list", "people first mallory", "keys show", "keys accept"):
        with pytest.raises(errors.VaultError, match="an old store was put back"):
            site.call("mallory", words)


def test_an_older_register_is_taken_as_the_newest_by_an_administrator_alone(site):
    with site.opened() as trust:
        old = [Row(people.SPACE, *item) for item in trust.vault.store.items(people.SPACE)]
    site.call("ada", "people roles di --role detect")
    with site.opened() as trust:
        newest = [(people.SPACE, key) for key in trust.register.ledger.keys(people.SPACE)][-1]
        trust.vault.store.change(old, [newest])
    for words in ("policy list", "anonymize a.txt"):
        with pytest.raises(errors.VaultError, match="an old store was put back"):
            site.call("di", words)
    with pytest.raises(errors.AccessError):
        site.call("di", "keys accept")
    with pytest.raises(errors.VaultError, match="an old store was put back"):
        site.call("di", "policy list")
    site.call("ada", "keys accept")
    assert "everything" in site.call("di", "policy list")


@pytest.mark.parametrize("change", [lambda raw: b"", lambda raw: bytes(8) + raw[8:]])
def test_what_was_seen_cannot_be_forged_or_emptied(site, change):
    path = site.home / "audit-state" / "people"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(errors.VaultError, match="is not there, or was changed"):
        site.call("di", "policy list")
    path.unlink()
    with pytest.raises(errors.VaultError, match="is not there, or was changed"):
        site.call("di", "policy list")


@pytest.mark.parametrize("words", ["detect a.txt", "anonymize a.txt", "policy list", "evaluate"])
def test_a_vault_that_has_lost_its_root_is_not_no_vault(site, words, tmp_path):
    (site.home / "vault" / "root.json").rename(site.home / "root.json")
    (tmp_path / "a.txt").write_text("Ann Lee")
    words = words.replace("a.txt", str(tmp_path / "a.txt"))
    words = words.replace("evaluate", f"evaluate --data {tmp_path / 'a.txt'}")
    with pytest.raises(errors.VaultError):
        site.call("mallory", words)


def test_a_role_that_is_taken_during_a_run_releases_nothing(site):
    with site.opened() as trust:
        trust.caller = Caller("di")
        trust.require("anonymize.run")
        people.set_roles(trust.register, Caller("ada"), "di", ("detect",), now=NOW)
        with pytest.raises(errors.AccessError, match="'di' may not"):
            trust.tell("anonymize", "de-identify", [])


def test_the_environment_does_not_say_who_calls(monkeypatch):
    from scrubjay import trust

    before = trust.account()
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "ada")
    assert trust.account() == before != "ada"
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 7)
    assert not people.NAME.fullmatch(trust.account()), "no name that somebody can have"
