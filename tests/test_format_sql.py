"""SQL dumps: values by their columns, and what comes loads again."""

import contextlib
import io
import shutil
import sqlite3
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_vault_store import BINARIES, server  # noqa: F401 - a PostgreSQL of our own

import scrubjay
from scrubjay import formats
from scrubjay.errors import InputError
from scrubjay.formats import sqltext
from scrubjay.formats.work import Work
from scrubjay.report import unchanged
from scrubjay.testing import FakeDetector

ENGINE = scrubjay.load(
    "everything", profile="patterns", detectors=[FakeDetector({"Zora Quillfeather": "PERSON"})]
)


def convert(text, clean=ENGINE.stream, group=""):
    sink, work = io.BytesIO(), Work(clean)
    data = text if isinstance(text, bytes) else text.encode()
    formats.make("sql.v1", group=group).convert(io.BytesIO(data), sink, work)
    return sink.getvalue().decode()


def same(documents):
    return map(unchanged, documents)


LITE = """PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE patient (mrn INTEGER NOT NULL, patient_name TEXT, dob DATE, note TEXT, dose REAL);
INSERT INTO patient VALUES(4481923,'Brightwater','1950-01-02','It''s Brightwater; a
new line',2.5);
INSERT INTO "patient" (patient_name, mrn) VALUES ('Vandermolen', 4481924), ('x', -1.5), (NULL, 17);
CREATE INDEX i ON patient (note) WHERE note <> 'jo@example.org';
COMMIT;
"""


def test_what_does_not_change_stays():
    assert convert(LITE, same) == LITE
    mysql = "-- MySQL dump\nINSERT INTO `t` VALUES (1,'it\\'s \\\\',_binary 'x',0.5);\n"
    assert convert(mysql, same) == mysql.replace("-- MySQL dump", "")


def test_rows_of_inserts_load_again():
    out = convert(LITE)
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.executescript(out)
        rows = db.execute("SELECT * FROM patient").fetchall()
    assert rows[0] == (1, "[PERSON]", None, "It's [PERSON]; a\nnew line", 2.5)
    assert [row[1] for row in rows] == ["[PERSON]", "[PERSON]", "[PERSON]", None]
    assert "[EMAIL]" in out and "4481" not in out


def test_a_literal_goes_by_the_column_that_it_is_set_to_or_compared_with():
    told = convert("UPDATE p SET mrn='Q7', dose=5 WHERE ssn <> 'Q8' AND mrn IN ('Q9', 4711);\n")
    assert told == (
        "UPDATE p SET mrn='[MRN]', dose=5 WHERE ssn <> '[SSN]' AND mrn IN ('[MRN]', '[MRN]');\n"
    )


def test_a_column_to_group_by_must_be_there():
    convert(LITE, group="mrn")
    with pytest.raises(InputError, match="no column 'x'"):
        convert(LITE, group="x")


COPIED = """--
-- Name: patient; Type: TABLE; Owner: plant1@example.org
--
\\restrict plant2@example.org
SET standard_conforming_strings = on;
CREATE TABLE public.patient (
    mrn integer NOT NULL,
    patient_name character varying(6) NOT NULL,
    dob date,
    seen timestamp without time zone DEFAULT '2024-03-14 10:00:00',
    note text DEFAULT 'plant3@example.org'
);
COMMENT ON TABLE public.patient IS 'of plant4@example.org';
COPY public.patient (mrn, patient_name, dob, note) FROM stdin;
4481923\tBrightwater\t1950-01-02\tA tab \\t and Brightwater\\nplant5@example.org
4481924\tVandermolen\t\\N\t\\\\ plant6@example.org \\x6a\\x6f@example.org
\\.

INSERT INTO public.patient VALUES (17, 'Xq', '1950-01-02', NULL, E'it\\'s plant7@example.org');
INSERT INTO public.patient (mrn, patient_name, note) VALUES (18, 'Xq', 'a' || 'plant8@example.org')
  ON CONFLICT DO NOTHING;
CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $x$ SELECT 'plant9@example.org' $x$;
SELECT pg_catalog.setval('s4481923', 4481924, true);
"""


def test_nothing_planted_is_left_in_a_dump_of_postgresql():
    out = convert(COPIED)
    assert "plant" not in out and "Brightwater" not in out and "jo@" not in out
    assert "4481923\t" not in out and "example" not in out
    assert "1\t[PERSO\t\\N\tA tab \\t and [PERSON]\\n[EMAIL]\n" in out
    assert "ON CONFLICT DO NOTHING" in out


def test_what_comes_loads_into_postgresql(server, tmp_path):  # noqa: F811
    psql = shutil.which("psql") or str(BINARIES[-1].with_name("psql"))
    text = COPIED.replace("varying(6)", "varying(40)").replace(
        "\\restrict plant2@example.org\n", ""
    )
    text = text.replace("SELECT pg_catalog.setval('s4481923', 4481924, true);", "")
    (tmp_path / "a.sql").write_text("DROP TABLE IF EXISTS public.patient;\n" + convert(text))
    run = [psql, "-X", "-v", "ON_ERROR_STOP=1", "-q", server, "-f", str(tmp_path / "a.sql")]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    import psycopg

    with psycopg.connect(server) as db:
        rows = db.execute("SELECT * FROM public.patient").fetchall()
    assert len(rows) == 4 and {row[1] for row in rows} == {"[PERSON]"}
    assert rows[0][4] == "A tab \t and [PERSON]\n[EMAIL]"


def test_quotes_of_mysql():
    head = "-- MySQL dump\nINSERT INTO `t` (`name`,`note`) VALUES ("
    out = convert(head + r"'O\'Hara\n','a\\'),('x','jo@example.org\'s');" + "\n")
    assert out.splitlines()[1] == (
        "INSERT INTO `t` (`name`,`note`) VALUES ('[PERSON]','a\\\\'),('[PERSON]','[EMAIL]''s');"
    )


def test_names_that_identify_become_others_everywhere():
    out = convert(
        'CREATE TABLE "jo@example.org" (a int);\nINSERT INTO "jo@example.org" VALUES (1);\n'
    )
    assert "jo@" not in out and out.count('"name_') == 2


@pytest.mark.parametrize(
    "text",
    ["SELECT 'open", "COPY a FROM stdin;\n1\n", 'SELECT "open\n', "/* open", "SELECT $a$ open"],
)
def test_what_is_cut_short_is_refused(text):
    with pytest.raises(InputError):
        convert(text)


def test_long_texts_over_many_lines():
    text = (
        "INSERT INTO t VALUES('" + "it''s a line\n" * 20_000 + "');\nCOPY t FROM stdin;\na'b\n\\.\n"
    )
    assert convert(text, same) == text


@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(st.text("ab '\"`\\;$(),-*/\n", max_size=40), st.integers(0, len(COPIED)))
def test_damaged_dumps_are_refused_and_nothing_else(junk, at):
    with contextlib.suppress(InputError):
        convert(COPIED[:at] + junk + COPIED[at:], same)


@given(st.text("ab'\\$\n\u00e9", max_size=20), st.booleans())
def test_literals_say_what_was_said(text, mysql):
    [token] = sqltext.tokens(sqltext.literal(text, mysql), mysql)
    assert sqltext.value(token, mysql) == text
