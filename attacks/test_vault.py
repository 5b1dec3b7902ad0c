"""A vault in wrong hands: its files without what opens them, its rows moved, its slots weakened."""

import json
import os
import shutil

import msgspec
import pytest

pytest.importorskip("cryptography")
pytest.importorskip("apsw")

from msgspec.structs import replace

from scrubjay.errors import ScrubjayError, VaultError
from scrubjay.testing import CANARY, canary
from scrubjay.vault import root, slots
from scrubjay.vault.slots import Cost
from scrubjay.vault.sqlite import SQLite
from scrubjay.vault.store import Memory, Row
from scrubjay.vault.vault import Tools, Vault

WORDS = slots.passphrase("four plain words here")
CHEAP = Cost(memory=64, passes=1, lanes=4)


@pytest.fixture
def memory():
    return Memory()


@pytest.fixture
def tools(memory):
    return Tools(store=lambda _folder, _key, _create: memory, cost=CHEAP)


@pytest.fixture
def vault(tmp_path, tools):
    made = Vault.init(tmp_path / "vault", WORDS, tools)
    for tenant in ("t", "u"):
        for domain in ("d", "e"):
            made.add_tenant(tenant) if domain == "d" else None
            made.tenant(tenant).add_domain(domain).codes([CANARY, "bob"])
    return made


def swapped(memory, one, other):
    """Each value at the other's place."""
    memory.change([one._replace(value=other.value), other._replace(value=one.value)])


def rows(memory, kind):
    return [row for row in memory.rows() if row.space.partition(":")[0] == kind]


# Stolen


def test_a_stolen_store_says_nothing(vault, memory):
    """Not even the rows without the encrypted file around them, as PostgreSQL holds them."""
    names = [b"bob", CANARY.encode(), vault.tenant("t").domain("d").code("bob").encode()]
    names += [b"passphrase", vault.tenant("t").domain("d").derive("p")]
    dump = b"".join(row.space.encode() + row.key + row.value for row in memory.rows())
    assert not any(name in dump for name in names)


def test_a_stolen_file_opens_under_no_other_key(tmp_path):
    Vault.init(tmp_path / "vault", WORDS, Tools(cost=CHEAP)).close()
    for key in (bytes(32), os.urandom(32), b"four plain words here".ljust(32, b"\0")):
        with pytest.raises(VaultError, match="not a store under this key"):
            SQLite(tmp_path / "vault" / "vault.db", key)


def test_a_guess_at_a_stolen_root_json_costs_what_argon2id_costs(tmp_path, memory):
    """The slot of a vault that was made without saying how: OWASP asks for 19 MiB and two passes,
    or 46 MiB and one."""
    Vault.init(tmp_path / "vault", WORDS, Tools(store=lambda *_: memory))
    slot = root.read(tmp_path / "vault").slots[0]
    assert slot.kind == "passphrase" and len(slot.salt) == 16
    assert slot.memory >= 64 * 1024 and slot.passes >= 3


def test_a_stolen_root_json_does_not_check_guesses_for_less(vault, tmp_path):
    """Nothing in it but the slots is made from a passphrase, and no slot opens with weaker work."""
    known = root.read(tmp_path / "vault")
    slot = known.slots[0]
    for weaker in (
        replace(slot, memory=32), replace(slot, lanes=1), replace(slot, kind="file"),
        replace(slot, memory=0, passes=0, lanes=0, kind="command"),
    ):  # fmt: skip
        opener = slots.Opener(weaker.kind, WORDS.value)
        assert slots.unwrap(weaker, opener, known.bound) is None


@pytest.mark.parametrize(
    "work", [(0, 1, 1), (64, 0, 4), (64, 1, 0), (2**40, 1, 1), (64, 2**40, 1), (64, 1, 2**30)]
)
def test_a_slot_cannot_ask_for_no_work_or_for_all_of_the_memory(vault, tmp_path, work):
    known = root.read(tmp_path / "vault")
    memory, passes, lanes = work
    slot = replace(known.slots[0], memory=memory, passes=passes, lanes=lanes)
    with pytest.raises(VaultError, match=r"root\.json was changed"):
        slots.unwrap(slot, WORDS, known.bound)


# Changed


def test_a_slot_from_elsewhere_or_from_before_opens_nothing(vault, tmp_path, tools):
    """A slot that an attacker made for a vault of their own; one of before the last rotation."""
    path = tmp_path / "vault" / "root.json"
    other = Vault.init(tmp_path / "other", WORDS, tools._replace(store=lambda *_: Memory()))
    before = path.read_bytes()
    vault.rotate([WORDS])
    told = json.loads(path.read_bytes())
    for foreign in (
        json.loads(before)["slots"],
        json.loads((tmp_path / "other/root.json").read_bytes())["slots"],
    ):
        bent = msgspec.json.format(msgspec.json.encode({**told, "slots": foreign}), indent=1)
        path.write_bytes(bent + b"\n")
        with pytest.raises(VaultError, match="opens no slot"):
            Vault.open(tmp_path / "vault", WORDS, tools)
    other.close()


def test_a_slot_that_was_taken_out_or_renamed_is_missed(vault, tmp_path, tools):
    vault.add_slot("machine", slots.Opener("file", bytes(range(32))))
    path = tmp_path / "vault" / "root.json"
    told = json.loads(path.read_bytes())
    for bent in (told["slots"][:1], [told["slots"][0], {**told["slots"][1], "name": "x"}]):
        raw = msgspec.json.format(msgspec.json.encode({**told, "slots": bent}), indent=1)
        path.write_bytes(raw + b"\n")
        with pytest.raises(VaultError, match=r"root\.json was changed"):
            Vault.open(tmp_path / "vault", WORDS, tools)


@pytest.mark.parametrize("kind", ["tenant", "domain", "subject"])
def test_rows_that_were_swapped_open_nothing(vault, memory, tmp_path, tools, kind):
    """Between subjects, domains, tenants: every pair."""
    every = rows(memory, kind)
    for one, other in zip(every, every[1:], strict=False):
        swapped(memory, one, other)
        again = Vault.open(tmp_path / "vault", WORDS, tools)
        with pytest.raises(VaultError, match="changed, moved or sealed under another key"):
            for tenant in again.tenants():
                for domain in tenant.domains():
                    domain.codes([CANARY, "bob"])
        swapped(memory, one, other)


def test_a_code_that_points_to_somebody_else_is_told(vault, memory):
    domain = vault.tenant("t").domain("d")
    code = domain.code("bob")
    one, other = (row for row in rows(memory, "code") if row.space == f"code:{domain.id}")
    swapped(memory, one, other)
    with pytest.raises(VaultError, match="was moved"):
        domain.reveal(code)


def test_a_live_row_cannot_be_made_a_tombstone_nor_brought_back(vault, memory):
    domain = vault.tenant("t").domain("d")
    at = Row(f"subject:{domain.id}", domain._subjects.place("bob"), b"")
    live = memory.get(at.space, [at.key])[0]
    memory.change([at._replace(value=b"\0" + live[1:])])
    with pytest.raises(VaultError, match="was changed"):
        domain.state("bob")
    memory.change([at._replace(value=live)])
    domain.erase("bob")
    gone = memory.get(at.space, [at.key])[0]
    memory.change([at._replace(value=b"\1" + gone[1:])])
    with pytest.raises(VaultError, match="was changed"):
        domain.code("bob")


def test_who_puts_an_erased_row_back_by_hand_sees_it_erased_again(vault, memory, tmp_path, tools):
    domain = vault.tenant("t").domain("d")
    at = Row(f"subject:{domain.id}", domain._subjects.place("bob"), b"")
    live = memory.get(at.space, [at.key])[0]
    domain.erase("bob")
    memory.change([at._replace(value=live)])
    again = Vault.open(tmp_path / "vault", WORDS, tools)
    assert again.tenant("t").domain("d").state("bob") == "erased"


# Told


def test_no_error_names_a_subject(vault, memory, tmp_path, tools):
    domain = vault.tenant("t").domain("d")
    code = domain.code(CANARY)
    domain.erase(CANARY)
    acts = [
        lambda: domain.code(CANARY), lambda: domain.key(CANARY), lambda: domain.reveal(code),
        lambda: domain.reveal(CANARY), lambda: domain.erase(f"{CANARY} x"),
        lambda: vault.tenant(CANARY), lambda: vault.tenant("t").domain(CANARY),
        lambda: vault.add_tenant(f"{CANARY}/"), lambda: vault.remove_slot(CANARY),
        lambda: Vault.open(tmp_path / "vault", slots.passphrase(CANARY), tools),
        lambda: slots.command(f"sh -c 'echo {CANARY} >&2; exit 3'"),
    ]  # fmt: skip
    for act in acts:
        with pytest.raises(ScrubjayError) as caught:
            canary(act)
        assert CANARY not in str(caught.value)


def test_a_copied_folder_is_another_vaults_problem_only_with_its_key(vault, tmp_path, tools):
    """root.json of one vault over the store of another."""
    other = Tools(store=lambda *_: Memory(), cost=CHEAP)
    Vault.init(tmp_path / "mine", WORDS, other)
    shutil.copy(tmp_path / "mine" / "root.json", tmp_path / "vault" / "root.json")
    with pytest.raises(VaultError, match="mark was changed"):
        Vault.open(tmp_path / "vault", WORDS, tools)
