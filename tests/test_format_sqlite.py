"""SQLite databases: everything that can be said in one, and nothing in its pages."""

import contextlib
import io
import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import scrubjay
from scrubjay import formats
from scrubjay.errors import InputError
from scrubjay.formats import kinds
from scrubjay.formats.work import Work
from scrubjay.report import unchanged
from scrubjay.testing import FakeDetector, check_format

ENGINE = scrubjay.load(
    "everything", profile="patterns", detectors=[FakeDetector({"Zora Quillfeather": "PERSON"})]
)


def convert(data, clean=ENGINE.stream, group=""):
    sink, work = io.BytesIO(), Work(clean)
    formats.make("sqlite.v1", group=group).convert(io.BytesIO(data), sink, work)
    return sink.getvalue(), work


def same(documents):
    return map(unchanged, documents)


def made(script):
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.executescript(script)
        return db.serialize()


def opened(data):
    db = sqlite3.connect(":memory:")
    db.deserialize(data)
    return db


PATIENTS = """
PRAGMA user_version = 7;
CREATE TABLE patient (patient_id INTEGER PRIMARY KEY, patient_name TEXT NOT NULL, dob DATE,
  note TEXT, weight REAL, photo BLOB, CHECK (length(note) < 999));
INSERT INTO patient VALUES (4481923, 'Brightwater', '1950-01-02', 'Brightwater came', 71.5, NULL);
INSERT INTO patient VALUES (4481924, 'Vandermolen', '1951-01-02', 'fine', 80, x'ff00');
CREATE UNIQUE INDEX names ON patient (patient_name);
CREATE VIEW heavy AS SELECT * FROM patient WHERE weight > 75 OR note = 'fine';
CREATE TABLE pairs (a, b, PRIMARY KEY (a, b)) WITHOUT ROWID;
INSERT INTO pairs VALUES (1, 'x'), (2, 'y');
CREATE TABLE sums (a INT, b INT GENERATED ALWAYS AS (a * 2) STORED, c INT AS (a + 1));
INSERT INTO sums (a) VALUES (5);
"""


def test_what_does_not_change_stays():
    data = made(
        PATIENTS.replace(", photo BLOB", "").replace(", NULL);", ");").replace(", x'ff00'", "")
    )
    out = convert(data, same)[0]
    assert list(opened(out).iterdump()) == list(opened(data).iterdump())
    assert opened(out).execute("PRAGMA user_version").fetchone() == (7,)


def test_rows_are_cleaned_and_keys_stay_keys():
    out, work = convert(made(PATIENTS))
    db = opened(out)
    rows = db.execute("SELECT * FROM patient").fetchall()
    assert rows[0][1:] == ("[PERSON]", "[BIRTH_DATE]", "[PERSON] came", 71.5, None)
    assert rows[1][1] == "[PERSON] 1" and rows[1][5] is None  # the index wants them different
    assert work.left_out == {"key that is a number": 2, "binary value": 1}
    assert len(db.execute("SELECT * FROM heavy").fetchall()) == 1
    assert db.execute("SELECT * FROM sums").fetchall() == [(5, 10, 6)]
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_nothing_planted_is_left(encoding):
    secrets = [f"plant{n}@example.org" for n in range(30)]
    at = iter(secrets)
    db = sqlite3.connect(":memory:")
    db.executescript(
        f"""
        PRAGMA encoding = '{encoding}'; PRAGMA secure_delete = OFF;
        CREATE TABLE t (a TEXT DEFAULT '{next(at)}', b BLOB, "{next(at)}" INT, -- {next(at)}
          CHECK (a <> '{next(at)}')) /* {next(at)} */;
        CREATE INDEX i ON t (a) WHERE a <> '{next(at)}';
        CREATE INDEX "{next(at)}" ON t (a || '{next(at)}');
        CREATE VIEW v AS SELECT '{next(at)}' AS "{next(at)}" FROM t;
        CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET a = '{next(at)}' WHERE 0; END;
        CREATE TABLE gone (a); INSERT INTO gone VALUES ('{next(at)}'); DELETE FROM gone;
        CREATE VIRTUAL TABLE f USING fts5(a); INSERT INTO f VALUES ('{next(at)}');
        CREATE TABLE "{next(at)}" (x AS (a || 'y'), a);
        INSERT INTO "{secrets[13]}" (a) VALUES ('{next(at)}');
        """
    )
    for value in (next(at), f"x {next(at)} y", next(at).encode(), b"\xff" + next(at).encode()):
        db.execute("INSERT INTO t (a, b) VALUES (?, ?)", (value, value))
    db.execute("INSERT INTO t (a, b) VALUES (?, ?)", ("d", next(at).encode("utf-16-le")))
    db.execute("ANALYZE")
    db.commit()
    out, work = convert(db.serialize())
    for secret in secrets:
        for form in ("utf-8", "utf-16-le", "utf-16-be"):
            assert secret.encode(form) not in out
    assert work.left_out["virtual table"] >= 1 and work.left_out["binary value"] == 3
    new = opened(out)
    assert new.execute("SELECT count(*) FROM t").fetchone() == (5,)
    assert new.execute("SELECT * FROM v").fetchone() == ("[EMAIL]",)
    new.execute("INSERT INTO t (a) VALUES ('z')")


def test_files_in_cells_are_read_as_files():
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE t (a)")
    inner = made("CREATE TABLE u (b); INSERT INTO u VALUES ('jo@example.org')")
    db.execute("INSERT INTO t VALUES (?)", (inner,))
    db.commit()
    [value] = opened(convert(db.serialize())[0]).execute("SELECT a FROM t").fetchone()
    assert opened(value).execute("SELECT b FROM u").fetchone() == ("[EMAIL]",)


def test_kind_and_group():
    data = made(PATIENTS)
    assert kinds.sample(data, "x") == "sqlite.v1"
    found = []

    def look(documents):
        for document in documents:
            found.append(document)
            yield unchanged(document)

    convert(data, look)
    assert {d.group for d in found if d.field == "note"} == {"4481923", "4481924"}
    with pytest.raises(InputError, match="no column 'x'"):
        convert(data, group="x")


@pytest.mark.parametrize(
    "script", ["ATTACH '/tmp/x.db' AS y", "PRAGMA temp_store_directory = '/'", "SELECT 1"]
)
def test_definitions_define_and_nothing_else(script):
    db = sqlite3.connect(":memory:")
    db.executescript("CREATE TABLE a (b); PRAGMA writable_schema = ON")
    db.execute("UPDATE sqlite_schema SET sql = ?", (script,))
    db.commit()
    with pytest.raises(InputError):
        convert(db.serialize())


@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_damaged_databases_are_refused_and_nothing_else(data):
    bad = bytearray(made(PATIENTS))
    for _ in range(data.draw(st.integers(1, 6))):
        bad[data.draw(st.integers(0, len(bad) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(bad)))
    with contextlib.suppress(InputError):
        convert(bytes(bad[:cut] if data.draw(st.booleans()) else bad), same)


def test_contract():
    check_format(
        formats.make("sqlite.v1"),
        made("CREATE TABLE a (b, c); INSERT INTO a VALUES ('some text', 5)"),
    )
