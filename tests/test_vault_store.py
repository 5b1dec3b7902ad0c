"""One contract for every store: in memory, in an encrypted file, in PostgreSQL."""

import contextlib
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("cryptography")
pytest.importorskip("apsw")

from scrubjay.errors import VaultError
from scrubjay.vault import slots
from scrubjay.vault.sqlite import SQLite
from scrubjay.vault.store import Memory, Row
from scrubjay.vault.vault import Cost, Tools, Vault

KEY = bytes(range(32))
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
CHEAP = Cost(memory=64, passes=1, lanes=4)
OPENER = slots.passphrase("four plain words here")
every_byte = 1 if os.environ.get("SCRUBJAY_EVERY_BYTE") else 41  # 1: a minute


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL of our own, run by somebody who is not root, behind a socket of its own."""
    pytest.importorskip("psycopg")
    initdb = shutil.which("initdb") or (BINARIES and BINARIES[-1])
    if not initdb:
        pytest.skip("no PostgreSQL server is installed")
    folder = Path(tempfile.mkdtemp(prefix="scrubjay-pg-"))
    who = {}
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    run = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **who}
    data, control = folder / "data", Path(initdb).with_name("pg_ctl")
    make = [initdb, "-D", data, "-U", "test", "-A", "trust", "--no-sync"]
    begin = ["-o", f"-k {folder} -c listen_addresses='' -c fsync=off", "-w", "start"]
    try:
        subprocess.run([*make, "-E", "UTF8", "--locale=C"], check=True, timeout=120, **run)
        subprocess.run([control, "-D", data, *begin], check=True, timeout=60, **run)
        yield f"host={folder} user=test dbname=postgres"
    finally:
        subprocess.run([control, "-D", data, "-m", "immediate", "stop"], timeout=60, **run)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def make(request, tmp_path):
    """Opens the same store, again and again."""
    if request.param == "memory":
        memory = Memory()
        return lambda: memory
    if request.param == "sqlite":
        SQLite(tmp_path / "a.db", KEY, create=True).close()
        return lambda: SQLite(tmp_path / "a.db", KEY)
    return postgres(request.getfixturevalue("server"))


def postgres(address):
    """An empty one."""
    import psycopg

    from scrubjay.vault.postgres import Postgres

    with psycopg.connect(address, autocommit=True) as db:
        db.execute("DROP TABLE IF EXISTS scrubjay_rows, scrubjay_state")
    Postgres(address, create=True).close()
    return lambda: Postgres(address)


def test_what_was_added_is_there_for_others(make):
    one, other = make(), make()
    assert one.add([Row("a", b"2", b"x"), Row("a", b"1", b""), Row("b", b"1", b"\0z")])
    assert other.get("a", [b"1", b"2", b"3", b"1"]) == [b"", b"x", None, b""]
    assert list(other.items("a")) == [(b"1", b""), (b"2", b"x")] and list(other.items("c")) == []
    assert sorted(other.rows()) == [("a", b"1", b""), ("a", b"2", b"x"), ("b", b"1", b"\0z")]
    assert other.get("a", []) == []


def test_all_rows_are_added_or_none(make):
    store = make()
    assert store.add([Row("a", b"1", b"x")])
    assert not store.add([Row("a", b"0", b"y"), Row("a", b"1", b"y"), Row("a", b"2", b"y")])
    assert list(store.items("a")) == [(b"1", b"x")]


def test_a_change_writes_over_and_takes_out(make):
    store = make()
    store.add([Row("a", b"1", b"x"), Row("a", b"2", b"x")])
    assert store.change([Row("a", b"1", b"y"), Row("b", b"1", b"z")], [("a", b"2"), ("a", b"9")])
    assert sorted(store.rows()) == [("a", b"1", b"y"), ("b", b"1", b"z")]


@pytest.mark.parametrize(
    "wrong", [Row("a", b"1", b"y"), Row("a", b"2", b"x"), Row("b", b"1", b"x")]
)
def test_a_change_happens_only_where_all_is_as_expected(make, wrong):
    store, right = make(), Row("a", b"1", b"x")
    store.add([right])
    assert not store.change([Row("c", b"1", b"")], [("a", b"1")], expect=[right, wrong])
    assert list(store.rows()) == [right]
    assert store.change([], [("a", b"1")], expect=[right]) and list(store.rows()) == []


def test_writes_are_counted_and_failed_ones_are_not(make):
    store = make()
    before = store.writes()
    store.add([Row("a", b"1", b"x")])
    store.add([Row("a", b"1", b"x")])
    store.change([Row("a", b"1", b"y")])
    store.change([], [("a", b"1")], expect=[Row("a", b"1", b"x")])
    assert store.writes() == before + 2 == make().writes()


def test_more_rows_than_a_page(make):
    store = make()
    rows = [Row("a", n.to_bytes(2, "big") if n else b"", b"v%d" % n) for n in range(2500)]
    assert store.add(rows)
    assert [Row("a", *item) for item in store.items("a")] == rows
    assert store.get("a", [row.key for row in rows]) == [row.value for row in rows]


def test_of_threads_that_add_the_same_one_wins(make):
    stores, won = [make() for _ in range(4)], []

    def race(store):
        for n in range(40):
            if store.add([Row("a", b"%d" % n, b""), Row("b", b"%d" % n, b"")]):
                won.append(n)

    threads = [threading.Thread(target=race, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == list(range(40)) and len(list(stores[0].rows())) == 80


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.sampled_from("acx"), st.integers(0, 3), st.integers(0, 3)), max_size=20)
)
def test_every_history_ends_as_in_memory(make, history):
    store, model = make(), Memory()
    store.change([], [(row.space, row.key) for row in list(store.rows())])
    for kind, key, value in history:
        row = Row("a", b"%d" % key, b"%d" % value)
        for each in (store, model):
            if kind == "a":
                each.add([row, Row("b", b"%d" % value, b"")])
            else:
                each.change([row], [("b", row.key)], expect=[row] if kind == "x" else ())
    assert sorted(store.rows()) == sorted(model.rows())


# Many processes


MINT = """
import json, sys
from pathlib import Path
from scrubjay.vault import slots
from scrubjay.vault.vault import Tools, Vault

folder, address, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
tools = Tools()
if address:
    from scrubjay.vault.postgres import Postgres
    tools = Tools(store=lambda _folder, _key, create: Postgres(address, create=create))
vault = Vault.open(folder, slots.passphrase("four plain words here"), tools)
domain = vault.tenant("t").domain("d")
names = [f"patient {n * (number + 1) % 31}" for n in range(1, 31)]
codes = dict(zip(names[:10], domain.codes(names[:10])))
print(json.dumps(codes | {name: domain.code(name) for name in names[10:]}))
"""  # each mints in its own order, some one by one


def opening(address):
    from scrubjay.vault.postgres import Postgres

    return lambda _folder, _key, create: Postgres(address, create=create)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_processes_that_mint_for_the_same_subjects_agree(kind, request, tmp_path):
    address = request.getfixturevalue("server") if kind == "postgres" else ""
    tools = Tools(cost=CHEAP)
    if address:
        postgres(address)
        tools = tools._replace(store=opening(address))
    vault = Vault.init(tmp_path / "vault", OPENER, tools)
    domain = vault.add_tenant("t").add_domain("d")
    command = [sys.executable, "-c", MINT, tmp_path / "vault", address]
    processes = [
        subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE) for number in range(3)
    ]
    told = [json.loads(process.communicate(timeout=60)[0]) for process in processes]
    assert told[0] == told[1] == told[2] and len(set(told[0].values())) == 30
    assert all(domain.code(name) == code for name, code in told[0].items())
    assert all(domain.reveal(code) == name for name, code in told[0].items())
    rows = list(vault.store.rows())
    assert len([row for row in rows if row.space.startswith("code:")]) == 30, "no code too many"
    vault.close()


FOREVER = """
import sys
from pathlib import Path
from scrubjay.vault import slots
from scrubjay.vault.vault import Vault

opener = slots.passphrase("four plain words here")
domain = Vault.open(Path(sys.argv[1]), opener).tenant("t").domain("d")
for number in range(int(sys.argv[2]), 10**9):
    print(number, domain.code(f"patient {number}"), flush=True)
"""


def test_a_killed_process_loses_nothing_that_it_told(tmp_path):
    vault = Vault.init(tmp_path / "vault", OPENER, Tools(cost=CHEAP))
    vault.add_tenant("t").add_domain("d")
    vault.close()
    told = {}
    for start in (0, 10**6):
        command = [sys.executable, "-c", FOREVER, tmp_path / "vault", str(start)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            told.update(process.stdout.readline().split() for _ in range(30))
            process.kill()
        vault = Vault.open(tmp_path / "vault", OPENER)
        domain = vault.tenant("t").domain("d")
        assert all(domain.code(f"patient {number}") == code for number, code in told.items())
        assert all(domain.reveal(code) == f"patient {number}" for number, code in told.items())
        vault.close()


# Damage of the encrypted file


@pytest.fixture
def file(tmp_path):
    store = SQLite(tmp_path / "a.db", KEY, create=True)
    store.add([Row("a", bytes([n]), bytes(40)) for n in range(20)])
    store.close()
    return tmp_path / "a.db"


def everything(path, key=KEY):
    with contextlib.closing(SQLite(path, key)) as store:
        return store.writes(), list(store.rows())


def test_every_byte_of_the_file_counts(file):
    raw = file.read_bytes()
    for at in range(0, len(raw), every_byte):
        file.write_bytes(raw[:at] + bytes([raw[at] ^ 1 << at % 8]) + raw[at + 1 :])
        with pytest.raises(VaultError, match="newest backup"):
            everything(file)


def test_a_file_that_was_cut_is_refused(file):
    raw = file.read_bytes()
    for length in (0, 1, 100, 4095, 4096, len(raw) - 4096, len(raw) - 1):
        file.write_bytes(raw[:length])
        with pytest.raises(VaultError, match="newest backup"):
            everything(file)


def test_another_key_is_told(file):
    with pytest.raises(VaultError, match="not a store under this key"):
        everything(file, bytes(32))
    assert everything(file)[0] == 1, "and the file is as it was"


def test_a_missing_file_is_not_made_anew(file):
    file.unlink()
    with pytest.raises(VaultError, match="is not there"):
        everything(file)
    assert not file.exists()


def test_nothing_is_readable_in_the_file_or_beside_it(tmp_path):
    store = SQLite(tmp_path / "a.db", KEY, create=True)
    store.add([Row("space-name", b"key-of-row", b"value-of-row")])
    for path in tmp_path.iterdir():
        raw = path.read_bytes()
        assert not any(word in raw for word in (b"space", b"key-of", b"value-of", b"SQLite"))
        assert path.stat().st_mode & 0o077 == 0, f"{path.name} is for its owner alone"


def test_a_reader_in_the_middle_does_not_stop_writers(file):
    with (
        contextlib.closing(SQLite(file, KEY)) as store,
        contextlib.closing(SQLite(file, KEY)) as other,
    ):
        reading = other.rows()
        next(reading)
        assert store.add([Row("b", b"1", b"")]) and store.change([Row("a", b"\0", b"new")])
        assert len(list(reading)) == 19, "as of the moment when it began"


def test_what_was_taken_out_is_overwritten(tmp_path):
    """Read with the key, page by page: not in the free pages, not in the log."""
    import apsw

    store = SQLite(tmp_path / "a.db", KEY, create=True)
    store.add([Row("a", bytes([n]), b"erase me" * 50) for n in range(100)])
    store.change([Row("a", b"\0", b"")], [("a", bytes([n])) for n in range(1, 100)])
    assert (tmp_path / "a.db-wal").stat().st_size == 0
    store.close()
    plain = apsw.Connection(str(tmp_path / "a.db"))
    key = f"key = \"x'{KEY.hex()}'\""
    for setting in ("cipher = 'chacha20'", key, "journal_mode = DELETE", "rekey = ''"):
        plain.execute(f"PRAGMA {setting}")
    plain.close()
    assert b"erase me" not in (tmp_path / "a.db").read_bytes()
