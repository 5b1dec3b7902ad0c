"""One table in every format: what becomes of a cell or a column's name depends on neither."""

import contextlib
import csv
import io
import json
import sqlite3
import zipfile
from pathlib import PurePath

import pytest
from format_tables import TABLES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

import scrubjay
from scrubjay import formats
from scrubjay.formats.work import Work
from scrubjay.keys import Key
from scrubjay.types import Finding, Policy, Rule

openpyxl = pytest.importorskip("openpyxl")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


class Doubts:
    """Takes some names of columns for people's, as a tagger may."""

    name = "tagger.v1"

    def detect(self, documents):
        names = {"florence score", "measurement concept id", "john smith"}
        return [
            [Finding(0, len(one.text), "PERSON", 0.9, self.name)] * (one.text.lower() in names)
            for one in documents
        ]


POLICY = Policy("test", default=Rule("surrogate.v1", threshold=0.4))
ENGINE = scrubjay.load(POLICY, profile="patterns", key=Key(b"k" * 32), detectors=[Doubts()])
NAMES = st.sampled_from(["Zebulon", "Ann", "Quackenbush", "Brightwater", "Lee-Ross"])
DAYS = st.sampled_from(["1961-04-05", "2024-02-29", "1999-12-31"])
NOTES = [
    "Mr. {0}, {1} came on {2}; MRN {3}", "<p>{1} <b>{0}</b></p>", '{{"name": "{0}", "d": "{2}"}}',
    "https://a.example/?mrn={3}&x=1", "fine", "{3}",
]  # fmt: skip
COLUMNS = {
    "patient_id": st.integers(1, 40).map(str), "mrn": st.integers(4_000_000, 4_000_009).map(str),
    "first_name": NAMES, "last_name": NAMES, "visit_date": DAYS, "loinc": st.just("8480-6"),
    "florence_score": st.integers(0, 99).map(str), "measurement_concept_id": st.just("3004249"),
    "phone": st.just("555-010-7788") | st.none(), "age": st.integers(1, 99).map(str),
    "john_smith": st.just("x"), "note": st.sampled_from(NOTES),
}  # fmt: skip
ROWS = st.lists(st.tuples(*COLUMNS.values()), min_size=2, max_size=4)


def rows_of(name, data):
    """What stands in a table, names first."""
    if name.endswith("csv"):
        return list(csv.reader(io.StringIO(data.decode())))
    if name.endswith("jsonl"):
        lines = [json.loads(line) for line in data.splitlines()]
        return [list(lines[0]), *(list(line.values()) for line in lines)]
    if name.endswith(("parquet", "arrow")):
        stream = io.BytesIO(data)
        parquet = name.endswith("parquet")
        table = pq.read_table(stream) if parquet else pa.ipc.open_file(stream).read_all()
        return [table.column_names, *(list(row.values()) for row in table.to_pylist())]
    if name.endswith("xlsx"):
        return list(openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows(values_only=True))
    if name.endswith("ods"):
        if name == "a.ods":
            data = zipfile.ZipFile(io.BytesIO(data)).read("content.xml")
        rows = etree.fromstring(data).iter("{*}table-row")
        return [["".join(cell.itertext()) for cell in row] for row in rows]
    return _stored(name, data)


def _stored(name, data):
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        if name == "copied.sql":
            head, _, rows = data.decode().partition("COPY")
            db.executescript(head)
            lines = rows.split("\n")[1:-2]
            cells = ([None if v == "\\N" else v for v in line.split("\t")] for line in lines)
            db.executemany(f"INSERT INTO person VALUES ({','.join('?' * len(COLUMNS))})", cells)
        elif name.endswith("sql"):
            db.executescript(data.decode())
        else:
            db.deserialize(data)
        told = db.execute("SELECT * FROM person")
        return [[one[0] for one in told.description], *told]


def cleaned(name, rows):
    data, sink = TABLES[name](list(COLUMNS), rows), io.BytesIO()
    kind = formats.of(PurePath(name), io.BytesIO(data))
    work = Work(ENGINE.stream, rule=ENGINE.operator, key=ENGINE.key)
    formats.make(kind).convert(io.BytesIO(data), sink, work)
    return [[cell or "" for cell in row] for row in rows_of(name, sink.getvalue())]


@settings(max_examples=6, suppress_health_check=list(HealthCheck))
@given(ROWS)
def test_a_cell_becomes_the_same_in_every_format(drawn):
    rows = [[*row[:-1], row[-1].format(row[3], row[2], row[4], row[1])] for row in map(list, drawn)]
    names, *wanted = cleaned("a.csv", rows)
    stays = [one for one in names if one in COLUMNS]
    assert stays == [one for one in COLUMNS if one != "john_smith"]
    assert all(one[:4] != row[:4] for one, row in zip(wanted, rows, strict=True))
    for name in TABLES:
        found, *told = cleaned(name, rows)
        assert told == wanted, name
        assert [one for one in found if one in COLUMNS] == stays, name
