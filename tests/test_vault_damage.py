"""What old copies, damage and a kill at any write leave: a vault that opens, or a refusal."""

import copy
import os
import pathlib
import pickle
import resource
import shutil
import sys

import msgspec
import pytest

pytest.importorskip("cryptography")
pytest.importorskip("apsw")
pytest.importorskip("pyrage")

from vault_world import FILE, WORDS, clock, domain_of, folder, opened, tools  # noqa: F401

from scrubjay.errors import VaultError
from scrubjay.vault import nodes, root
from scrubjay.vault.mark import Mark
from scrubjay.vault.vault import Vault, in_file

# Old copies


def accepted(opened, *opener):
    vault = opened(*opener, older=True)
    vault.accept()
    return vault


def copied(folder):
    shutil.copytree(folder, folder.with_name("old"))
    return folder.with_name("old")


def test_an_old_store_is_refused_and_nobody_comes_back_with_it(folder, opened):
    old = copied(folder)
    vault = opened()
    domain_of(vault).erase("ann")
    vault.close()
    shutil.copy(old / "vault.db", folder / "vault.db")
    with pytest.raises(VaultError, match=r"older than what was here.*keys accept"):
        opened()
    assert domain_of(accepted(opened)).state("ann") == "erased", "erased again"


def test_an_old_root_json_is_refused(folder, opened):
    opened().add_slot("machine", FILE)
    old = copied(folder)
    opened().remove_slot("machine")
    shutil.copy(old / "root.json", folder / "root.json")
    with pytest.raises(VaultError, match=r"root\.json is older"):
        opened(FILE)
    assert accepted(opened, FILE).slots


def test_a_whole_old_folder_is_told_by_a_number_kept_elsewhere(folder, opened):
    old = copied(folder)
    vault = opened()
    domain_of(vault).code("eve")
    noted = vault.writes()
    vault.close()
    shutil.rmtree(folder)
    shutil.copytree(old, folder)
    with pytest.raises(VaultError, match=f"but {noted} were seen"):
        opened(least=noted)


@pytest.mark.parametrize("name", ["mark", "erased", "vault.db", "root.json"])
def test_a_missing_file_is_told(name, folder, opened):
    domain_of(opened()).erase("ann")
    (folder / name).unlink()
    with pytest.raises(VaultError, match=name):
        opened()


# Damage


def flips(raw, step=1):
    for at in range(0, len(raw), step):
        yield raw[:at] + bytes([raw[at] ^ 1 << at % 7]) + raw[at + 1 :]


def test_every_byte_of_root_json_counts(folder, opened):
    raw = (folder / "root.json").read_bytes()
    for bad in (*flips(raw), *(raw[:length] for length in range(0, len(raw), 50)), raw + b" "):
        (folder / "root.json").write_bytes(bad)
        with pytest.raises(VaultError):
            root.unlock(root.read(folder), WORDS)


@pytest.mark.parametrize("name", ["mark", "erased"])
def test_every_byte_of_what_is_remembered_counts(name, folder, opened):
    vault = opened()
    for subject in ("ann", "bob"):
        domain_of(vault).erase(subject)
    mark = Mark(folder, vault._ring.tenants)
    raw = (folder / name).read_bytes()
    for bad in (*flips(raw), *(raw[:length] for length in range(len(raw)))):
        (folder / name).write_bytes(bad)
        with pytest.raises(VaultError, match=name):
            mark.erased()


def test_a_bent_write_ahead_log_is_refused_or_harmless(folder, opened, tmp_path, tools):
    vault = opened()
    code = domain_of(vault).code("eve")
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    log = files["vault.db-wal"]
    assert log, "what was written last lies there"
    heard = set()
    for number, bad in enumerate((*flips(log, step=401), log[:-1], log[:5000], b"")):
        there = tmp_path / f"bent-{number}"
        there.mkdir()
        for name, raw in {**files, "vault.db-wal": bad}.items():
            if name != "vault.db-shm":
                (there / name).write_bytes(raw)
        try:
            bent = Vault.open(there, WORDS, tools)
        except VaultError as problem:
            heard.add(str(problem).partition(": ")[2][:24] or "older")
        else:
            assert domain_of(bent).code("eve") == code, "nothing is lost in silence"
            bent.close()
    assert heard


# Kills


class Killed(BaseException):
    """What no handler of ours catches."""


class Fuse:
    """Lets so many effects on the disk happen, then kills in the middle of the next."""

    def __init__(self, patch):
        self.left = None
        for owner, name in (
            (os, "pwrite"), (os, "fsync"), (os, "ftruncate"),
            (pathlib.Path, "replace"), (pathlib.Path, "rename"),
        ):  # fmt: skip
            patch.setattr(owner, name, self.wrap(getattr(owner, name)))

    def wrap(self, effect):
        def burning(*arguments, **options):
            self.burn()
            done = effect(*arguments, **options)
            self.burn()
            return done

        return burning

    def burn(self):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Killed

    def store(self, folder, key, create):
        made = in_file(folder, key, create)
        made.add, made.change = self.wrap(made.add), self.wrap(made.change)
        return made


STEPS = {
    "init": lambda vault: None,
    "slot": lambda vault: vault.add_slot("machine", FILE),
    "root": lambda vault: vault.rotate([WORDS]),
    "tenant": lambda vault: vault.tenant("t").rotate(),
    "domain": lambda vault: domain_of(vault).rotate(),
    "mint": lambda vault: domain_of(vault).codes(["eve", "zoe"]),
    "erase": lambda vault: domain_of(vault).erase("ann"),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_write_leaves_a_vault_that_opens(step, folder, tmp_path, tools, monkeypatch):
    fuse = Fuse(monkeypatch)
    burning = tools._replace(store=fuse.store)
    for count in range(200):
        there = tmp_path / f"{step}-{count}"
        if step != "init":
            shutil.copytree(folder, there)
        fuse.left, killed = count, False
        try:
            vault = Vault.init(there, WORDS, burning) if step == "init" else None
            vault = vault or Vault.open(there, WORDS, burning)
            STEPS[step](vault)
        except Killed:
            killed = True
        fuse.left = None
        if step == "init" and not there.exists():
            Vault.init(there, WORDS, tools).close()
        again = Vault.open(there, WORDS, tools)
        if step != "init":
            survived(again, step, killed)
        again.close()
        if not killed:
            break
    assert not killed and count > 3


def survived(vault, step, killed):
    """What was acknowledged is there, and the step can be done, or done again."""
    domain = domain_of(vault)
    assert domain.reveal(domain.code("bob")) == "bob"
    if step == "erase":
        if not killed or domain.state("ann") == "erased":
            assert domain.state("ann") == "erased"
        domain.erase("ann")
        assert domain.state("ann") == "erased"
    elif step == "slot":
        names = [slot.name for slot in vault.slots]
        assert killed or "machine" in names
        vault.add_slot("again", FILE)
    else:
        assert domain.code("ann") == domain_of(vault).code("ann")
        STEPS[step](vault)


# Hygiene


def test_no_repr_shows_a_key_and_nothing_with_keys_is_pickled(opened):
    vault = opened()
    vault.add_slot("machine", FILE)
    tenant, domain = vault.tenant("t"), domain_of(vault)
    domain.code("ann")
    version = domain._held.node.versions[0]
    record = domain._subjects.read([domain._subjects.place("ann")])[0]
    keys = [vault._key, *msgspec.structs.astuple(vault._ring), version.key, record.key, WORDS.value]
    keys += [domain._held.node.rows, domain._held.node.index, tenant._held.node.versions[0].key]
    things = (vault, vault.store, vault._ring, vault._mark, tenant, domain, WORDS, record, version)
    for thing in (*things, domain._held.node, domain._level, tenant._held, vault.slots, nodes):
        told = f"{thing!r} {thing!s}"
        assert not any(repr(key)[2:-1] in told or key.hex() in told for key in keys)
    for thing in (vault, domain, tenant, vault._ring, WORDS, record, version, domain._level):
        for travel in (pickle.dumps, copy.deepcopy):
            with pytest.raises(TypeError):
                travel(thing)


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
def test_an_open_vault_leaves_no_core_dump(opened):
    opened()
    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
