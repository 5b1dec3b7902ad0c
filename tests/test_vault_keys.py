"""The vault as docs/spec/vault.md has it: who opens it, and what its keys give."""

import os
import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("cryptography")
pytest.importorskip("apsw")
pytest.importorskip("pyrage")

import pyrage
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from vault_world import FILE, OTHER, WORDS, clock, domain_of, folder, opened, tools  # noqa: F401

from scrubjay.errors import UsageError, VaultError
from scrubjay.vault import backup, seal, shares, slots, symbols
from scrubjay.vault.domain import Backup
from scrubjay.vault.vault import Vault

# Who opens it


def test_a_vault_is_never_made_over_another(folder, tools):
    with pytest.raises(VaultError, match="never made over another"):
        Vault.init(folder, OTHER, tools)


def test_another_passphrase_is_told(opened):
    with pytest.raises(VaultError, match=r"opens no slot .*passphrase.*: it is mistyped"):
        opened(OTHER)


def test_slots_come_and_go_and_the_last_one_stays(opened):
    vault = opened()
    vault.add_slot("machine", FILE)
    opened(FILE).remove_slot("passphrase")
    with pytest.raises(VaultError, match="opens no slot"):
        opened(WORDS)
    with pytest.raises(UsageError, match="the last slot stays"):
        opened(FILE).remove_slot("machine")


def test_two_who_change_slots_at_once_lose_nothing(opened):
    one, other = opened(), opened()
    one.add_slot("machine", FILE)
    with pytest.raises(VaultError, match="run it again"):
        other.add_slot("other", OTHER)
    assert [slot.name for slot in opened().slots] == ["passphrase", "machine"]


def test_what_the_environment_opens_with(tmp_path, monkeypatch):
    raw = bytes(range(100, 132))
    (tmp_path / "raw").write_bytes(raw)
    (tmp_path / "hex").write_text(raw.hex() + "\n")
    for name in ("raw", "hex"):
        assert slots.told({"SCRUBJAY_KEY_FILE": str(tmp_path / name)}).value == raw
    assert slots.told({"SCRUBJAY_KEY_COMMAND": f"cat '{tmp_path / 'hex'}'"}).value == raw
    assert slots.told({"SCRUBJAY_PASSPHRASE": "e\u0301"}) == slots.passphrase("\u00e9")
    assert slots.told({}) is None
    (tmp_path / "raw").write_bytes(raw[:31])
    for wrong in ({"SCRUBJAY_KEY_FILE": str(tmp_path / "raw")}, {"SCRUBJAY_KEY_FILE": "/no/file"}):
        with pytest.raises(UsageError, match="key file"):
            slots.told(wrong)


@pytest.mark.parametrize(
    "line", ["false", "no-such-command", "echo secret-of-ours", "", "sh -c 'a"]
)
def test_a_key_command_that_fails_is_told_without_what_it_said(line):
    with pytest.raises(UsageError, match="key command") as caught:
        slots.command(line)
    assert "secret-of-ours" not in "".join(traceback.format_exception(caught.value))


def test_a_new_passphrase_is_not_short():
    with pytest.raises(UsageError, match="take 12 or more"):
        slots.passphrase("elevenchars", new=True)


# Two of three


@settings(max_examples=30)
@given(st.binary(min_size=32, max_size=32), st.randoms(use_true_random=False))
def test_any_two_parts_give_the_secret_back(secret, dice):
    parts = shares.split(secret, dice.randbytes)
    for first in range(3):
        for second in {0, 1, 2} - {first}:
            assert shares.join(parts[first].lower(), parts[second].replace(" ", "-")) == secret


def test_one_part_says_nothing():
    """For every byte of a part, every secret is as likely: one slope leads to each."""
    for x in shares.PARTS:
        for y in (0, 1, 0x53, 0xFF):
            assert {y ^ shares._times(slope, x) for slope in range(256)} == set(range(256))


def test_a_field_is_a_field():
    for a in range(1, 256):
        assert shares._times(a, shares._inverse(a)) == 1
    assert shares._times(0x57, 0x83) == 0xC1, "the example of FIPS 197"


def test_wrong_parts_are_told_apart():
    parts = shares.split(bytes(32), os.urandom)
    foreign = shares.split(bytes(32), os.urandom)[1]
    for at in range(0, 64 + 15, 7):
        if parts[1][at] != " ":
            bent = parts[1][:at] + ("0" if parts[1][at] != "0" else "1") + parts[1][at + 1 :]
            with pytest.raises(VaultError, match="second part is mistyped"):
                shares.join(parts[0], bent)
    with pytest.raises(VaultError, match="two different splittings"):
        shares.join(parts[0], foreign)
    with pytest.raises(VaultError, match="part 1 twice"):
        shares.join(parts[0], parts[0])
    with pytest.raises(VaultError, match="first part is mistyped"):
        shares.join("", parts[0])


def test_two_parts_set_a_new_passphrase(opened, folder, tools):
    code = domain_of(opened()).code("ann")
    old, parts = opened().split(), opened().split()
    vault = Vault.recover(folder, (parts[2], parts[0]), OTHER, tools)
    assert domain_of(vault).code("ann") == code
    vault.close()
    with pytest.raises(VaultError, match="opens no slot"):
        opened(WORDS)
    assert domain_of(opened(OTHER)).code("ann") == code
    with pytest.raises(VaultError, match="opens no slot"):
        Vault.recover(folder, old[:2], WORDS, tools)


# Keys


def test_derived_keys_are_hkdf_and_part_by_everything(opened):
    vault = opened()
    domain, other = domain_of(vault), vault.tenant("t").add_domain("e")
    told = [
        each.derive(*parts)
        for each in (domain, other)
        for parts in (("p",), ("p", "a"), ("q", "a"), ("p", "a", "b"), ("p", "ab"), ("pa", "b"))
    ]
    assert len(set(told)) == 12 and {len(each) for each in told} == {32}
    assert domain.derive("p", "a") == domain_of(opened()).derive("p", "a")
    info, key = seal.pack("p", "a"), bytes(range(32))
    assert seal.derive(key, "p", "a") == HKDFExpand(SHA256(), 32, info).derive(key)


def test_older_versions_are_read_until_their_cut_off(opened, clock):
    domain = domain_of(opened())
    first = domain.derive("p")
    assert domain.rotate(seal.day(clock.now + 100)) == 2
    assert domain.derive("p", version=1) == first != domain.derive("p")
    clock.now += 100
    for each in (domain, domain_of(opened())):
        assert each.versions == (2,)
        with pytest.raises(VaultError, match="version 1 has ended, or never was; in use: 2"):
            each.derive("p", version=1)
    domain.rotate()
    numbers = [version.number for version in domain._held.node.versions]
    assert numbers == [2, 3], "an ended key is gone for good"


@pytest.mark.parametrize("level", ["root", "tenant", "domain"])
def test_rotation_wraps_again_and_reads_no_data(level, opened):
    vault = opened()
    vault.add_slot("machine", FILE)
    vault.add_slot("second", OTHER)
    code, key = domain_of(vault).code("ann"), domain_of(vault).derive("p")
    data = [row for row in vault.store.rows() if row.space.partition(":")[0] in ("subject", "code")]
    if level == "root":
        assert vault.rotate([WORDS, FILE]) == ("second",)
        assert [slot.name for slot in opened(FILE).slots] == ["passphrase", "machine"]
        for rotate in (lambda: opened(OTHER), lambda: vault.rotate([OTHER])):
            with pytest.raises((VaultError, UsageError), match=r"opens (no|a) slot"):
                rotate()
    else:
        (vault.tenant("t") if level == "tenant" else domain_of(vault)).rotate()
    after = opened()
    assert set(data) <= set(after.store.rows()), "rows of subjects are what they were"
    assert domain_of(after).code("ann") == code
    assert domain_of(after).derive("p", version=1) == key


def test_of_two_rotations_at_once_one_is_told(opened):
    for level in (lambda vault: vault.tenant("t"), domain_of):
        one, other = level(opened()), level(opened())
        one.rotate()
        with pytest.raises(VaultError, match="run it again"):
            other.rotate()


def test_unknown_names_and_wrong_ones(opened):
    vault = opened()
    for ask in (lambda: vault.tenant("x"), lambda: vault.tenant("t").domain("x")):
        with pytest.raises(VaultError, match="of that name"):
            ask()
    for name in ("", "a/b", "a\nb", "a" * 101):
        with pytest.raises(UsageError, match="a name has"):
            vault.add_tenant(name)
    with pytest.raises(VaultError, match="is there already"):
        vault.add_tenant("t")
    with pytest.raises(UsageError, match="take 80 to 150"):
        vault.tenant("t").add_domain("short", bits=79)


# Codes


def test_a_code_is_random_and_stays(opened):
    vault = opened()
    domain, other = domain_of(vault), vault.tenant("t").add_domain("long", bits=150)
    code = domain.code("ann")
    assert code == domain_of(opened()).code("ann") and domain.reveal(code.lower()) == "ann"
    assert len(code) == 17 and set(code) <= set(symbols.ALPHABET)
    assert len(other.code("ann")) == 31 and other.code("ann")[:16] != code[:16]
    many = domain.codes([str(n) for n in range(300)] * 2)
    assert len(set(many)) == 300 and many[:300] == many[300:]


@settings(max_examples=50)
@given(st.text(symbols.ALPHABET, min_size=1, max_size=symbols.LONGEST), st.data())
def test_the_check_character_tells_a_wrong_one_and_a_swap(characters, data):
    code = characters + symbols.check(characters)
    assert symbols.whole(code)
    at, to = (data.draw(st.integers(0, len(code) - 1)) for _ in range(2))
    for character in set(symbols.ALPHABET) - {code[at]}:
        assert not symbols.whole(code[:at] + character + code[at + 1 :])
    swapped = list(code)
    swapped[at], swapped[to] = swapped[to], swapped[at]
    assert symbols.whole("".join(swapped)) == ("".join(swapped) == code)


def test_a_code_that_is_taken_is_not_given_twice(folder, tools):
    """The dice show the same code again, then another."""
    codes = iter([bytes(10), bytes(10), bytes(9) + b"\x07"])
    dice = tools._replace(random=lambda n: next(codes) if n == 10 else os.urandom(n))
    vault = Vault.open(folder, WORDS, dice)
    domain = domain_of(vault)
    assert domain.code("x") == "0" * 17 != domain.code("y")
    vault.close()


def test_what_is_no_code_and_what_is_nobodys(opened):
    domain = domain_of(opened())
    with pytest.raises(UsageError, match=r"no (such )?code"):  # one in 32 passes its check
        domain.reveal(domain.code("ann")[:-1])
    with pytest.raises(VaultError, match="no such code in this domain"):
        domain.reveal("0" * 17)


# Erasure and backups


def test_an_erased_subject_is_gone_and_can_be_told(opened):
    domain = domain_of(opened())
    code, key = domain.code("ann"), domain.key("ann")
    assert key == domain.key("ann") != domain.key("bob") and len(key) == 32
    domain.erase("ann")
    assert [domain.state(name) for name in ("ann", "bob", "eve")] == ["erased", "known", "unknown"]
    for ask in (lambda: domain.code("ann"), lambda: domain.key("ann"), lambda: domain.reveal(code)):
        with pytest.raises(VaultError, match="was erased"):
            ask()
    with pytest.raises(VaultError, match="nothing is known"):
        domain.erase("eve")
    assert domain.erase("ann").backups == () and domain.code("bob")


def test_erasure_tells_the_backups_that_still_hold_it(opened, clock, tmp_path):
    identity = pyrage.x25519.Identity.generate()
    vault = opened()
    made = []
    for name in ("a.age", "b.age"):
        made.append(backup.export(vault, tmp_path / name, [str(identity.to_public())], clock))
        clock.now += 10
        domain_of(vault).code(f"after {name}")
    assert domain_of(vault).erase("ann").backups == tuple(made)
    assert domain_of(vault).erase("after a.age").backups == (made[1],)
    assert domain_of(vault).erase("after a.age").backups == (made[1],), "asked again"
    vault.forget(made[1].sha256)
    assert domain_of(vault).erase("bob").backups == (made[0],)


@pytest.mark.parametrize(
    ("came", "went", "held"), [(0, 5, False), (0, 15, True), (15, 16, True), (25, 30, False)]
)
def test_who_comes_or_goes_while_a_backup_is_read_counts_as_in_it(came, went, held, opened, clock):
    vault, start = opened(), clock.now
    vault.record(Backup(seal.day(start + 10), seal.day(start + 20), "a.age", "digest"))
    clock.now = start + came
    domain_of(vault).code("eve")
    clock.now = start + went
    assert bool(domain_of(vault).erase("eve").backups) == held


def test_a_backup_brings_everything_back_elsewhere(opened, tmp_path, tools):
    identity = pyrage.x25519.Identity.generate()
    vault = opened()
    code = domain_of(vault).code("ann")
    domain_of(vault).erase("bob")
    target = tmp_path / "a.age"
    backup.export(vault, target, [str(identity.to_public())])
    again = backup.restore(tmp_path / "new", target, str(identity), WORDS, tools)
    assert domain_of(again).code("ann") == code and domain_of(again).state("bob") == "erased"
    again.close()
    raw = target.read_bytes()
    for bad in (raw[:-1], raw[:300], raw[:-20] + b"0" + raw[-19:], b""):
        target.write_bytes(bad)
        with pytest.raises(VaultError, match="take another backup"):
            backup.restore(tmp_path / "newer", target, str(identity), WORDS, tools)
    assert not (tmp_path / "newer").exists()
