"""Parquet and Arrow: every type at every depth, and nothing in statistics or metadata."""

import contextlib
import datetime
import decimal
import io
import os
import signal

import pytest

pa = pytest.importorskip("pyarrow")
import pyarrow.parquet as pq  # noqa: E402
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

import scrubjay  # noqa: E402
from scrubjay import formats  # noqa: E402
from scrubjay.errors import InputError  # noqa: E402
from scrubjay.formats import arrow  # noqa: E402
from scrubjay.formats.work import Work  # noqa: E402
from scrubjay.report import unchanged  # noqa: E402
from scrubjay.testing import check_format  # noqa: E402

ENGINE = scrubjay.load("everything", profile="patterns")
KINDS = ["parquet.v1", "arrow.v1"]


def written(table, name="parquet.v1", **options):
    sink = io.BytesIO()
    if name == "parquet.v1":
        pq.write_table(table, sink, **options)
    else:
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    return sink.getvalue()


def read(data, name="parquet.v1"):
    if name == "parquet.v1":
        return pq.read_table(io.BytesIO(data))
    return pa.ipc.open_file(io.BytesIO(data)).read_all()


def convert(data, name="parquet.v1", clean=ENGINE.stream):
    sink, work = io.BytesIO(), Work(clean)
    formats.make(name).convert(io.BytesIO(data), sink, work)
    return sink.getvalue(), work


def same(documents):
    return map(unchanged, documents)


def everything():
    """A column of every type, with none and empty values in it."""
    day, when = datetime.date(2024, 3, 14), datetime.datetime(2024, 3, 14, 10, 5)
    point = pa.struct([("x", pa.string()), ("y", pa.list_(pa.int32()))])
    columns = {
        "s": pa.array(["plain", None, ""]),
        "ls": pa.array(["plain", None, "b"], pa.large_string()),
        "i": pa.array([1, None, 3], pa.int64()),
        "u": pa.array([1, 2, 3], pa.uint8()),
        "f": pa.array([1.5, None, float("nan")]),
        "b": pa.array([True, None, False]),
        "bin": pa.array([b"words", None, b""]),
        "d": pa.array([day, None, day]),
        "t": pa.array([when, None, when], pa.timestamp("ns")),
        "tz": pa.array([when, None, when], pa.timestamp("us", "Europe/Berlin")),
        "time": pa.array([when.time(), None, when.time()], pa.time64("us")),
        "dec": pa.array([decimal.Decimal("1.50"), None, None], pa.decimal128(10, 2)),
        "dict": pa.array(["a", None, "a"]).dictionary_encode(),
        "list": pa.array([["a", None], None, []]),
        "deep": pa.array([[{"x": "p", "y": [1]}, None], [], None], pa.list_(point)),
        "struct": pa.array([{"x": "a", "y": [1, None]}, None, {"x": None, "y": None}], point),
        "map": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int32())),
        "fix": pa.array([["a", "b"], None, ["c", None]], pa.list_(pa.string(), 2)),
        "null": pa.nulls(3),
    }  # fmt: skip
    return pa.table(columns)


@pytest.mark.parametrize("name", KINDS)
def test_what_does_not_change_stays(name):
    table = everything()
    out = read(convert(written(table, name), name, same)[0], name)
    assert out.schema.names == table.schema.names
    assert str(out.to_pydict()) == str(table.to_pydict())
    assert [f.type for f in out.schema] == [f.type for f in read(written(table, name), name).schema]


@pytest.mark.parametrize("name", KINDS)
def test_types_stay_where_values_go(name):
    day = datetime.date(1950, 1, 2)
    table = pa.table(
        {
            "patient_name": pa.array(["Brightwater", None]),
            "mrn": pa.array([4481923, 17]),
            "dob": pa.array([day, day]),
            "dose": pa.array([2.5, 7.0]),
            "note": ["Brightwater was ill", "fine"],
        }
    )
    data, work = convert(written(table, name), name)
    out = read(data, name)
    assert out.to_pydict() == {
        "patient_name": ["[PERSON]", None], "mrn": [None, None], "dob": [None, None],
        "dose": [2.5, 7.0], "note": ["[PERSON] was ill", "fine"],
    }  # fmt: skip
    assert out.schema.types == table.schema.types
    assert work.left_out["value that its type cannot hold"] == 4


def test_numbers_with_a_point_are_looked_at_too():
    table = pa.table({"zip": [2139.0, None], "age": [93.0, 94.0], "dose": [2.5, 3.0]})
    out = read(convert(written(table))[0]).to_pydict()
    assert out == {"zip": [None, None], "age": [None, None], "dose": [2.5, 3.0]}


def test_dates_are_shifted_in_their_own_type():
    engine = scrubjay.load(scrubjay.Policy("p", rules={"DATE": scrubjay.Rule("shift.v1")}))
    day = datetime.date(2020, 6, 1)
    table = pa.table({"person_id": ["a", "a"], "visit_date": [day, day + datetime.timedelta(3)]})
    out = read(convert(written(table), clean=engine.stream)[0])["visit_date"].to_pylist()
    assert out[0] != day and out[1] - out[0] == datetime.timedelta(3)


def planted():
    """An identifier in every place that holds text, and the identifiers."""
    secrets = []

    def secret():
        secrets.append(f"plant{len(secrets)}@example.org")
        return secrets[-1]

    def pair():
        return {secret(): secret()}

    inner = pa.struct([pa.field("in@example.org", pa.string(), metadata=pair())])
    secrets.append("in@example.org")
    arrays = {
        "s": pa.array([secret(), f"Mail {secret()} now"]),
        "large": pa.array([secret(), None], pa.large_string()),
        "bytes": pa.array([secret().encode(), b"\xff\xfe" + secret().encode()]),
        "fixed": pa.array([b"fix01@example.org"] * 2, pa.binary(17)),
        "dict": pa.array([secret(), secret()]).dictionary_encode(),
        "list": pa.array([[secret(), None], [secret()]]),
        "nested": pa.array([[{"in@example.org": secret()}], []], pa.list_(inner)),
        "map": pa.array([[(secret(), secret())], None], pa.map_(pa.string(), pa.string())),
        "ssn": pa.array([536904399, 536904398]),
        secret(): pa.array([1, 2]),
    }
    secrets += ["fix01@example.org"]
    table = pa.table(arrays).replace_schema_metadata(pair())
    return table, secrets


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_nothing_planted_is_left(name, compression):
    table, secrets = planted()
    options = {"compression": compression, "row_group_size": 1} if name == "parquet.v1" else {}
    data, work = convert(written(table, name, **options), name)
    out = read(data, name)
    plain = written(out, name, **({"compression": "none"} if options else {}))
    told = data + plain + str(out.to_pydict()).encode() + str(out.schema).encode()
    if name == "parquet.v1":
        file = pq.ParquetFile(io.BytesIO(data))
        told += str(file.metadata.metadata).encode()
        groups = range(file.metadata.num_row_groups)
        for group in map(file.metadata.row_group, groups):
            told += str([group.column(i).to_dict() for i in range(group.num_columns)]).encode()
    secrets += ["536904399", (536904399).to_bytes(8, "little").decode("latin-1")]
    assert not [s for s in secrets if s.encode("latin-1") in told]
    assert work.left_out["metadata"] == 1 and work.left_out["binary value"] == 1


def test_nothing_lies_beneath_what_is_none_nor_beside_it():
    """In the buffers of Arrow, which keep what a validity bit hides."""
    secret, number = "under@example.org", 536904399
    shown = pa.array(["ok", secret, "ok"])
    ids = pa.array([1, number, 2])
    hide = pa.py_buffer(b"\x05")
    columns = {
        "s": pa.Array.from_buffers(pa.string(), 3, [hide, *shown.buffers()[1:]]),
        "i": pa.Array.from_buffers(pa.int64(), 3, [hide, ids.buffers()[1]]),
        "v": pa.array([secret, "ok", "ok", "ok"], pa.string_view()).slice(1),
        "in": pa.StructArray.from_arrays([shown], ["a"], mask=pa.array([False, True, False])),
        "d": pa.DictionaryArray.from_arrays(pa.array([0, 0, 0]), shown),
        "l": pa.array([["ok"], [secret], ["ok"]]).take([0, 0, 2]),
    }
    data = written(pa.table(columns), "arrow.v1")
    assert data.count(secret.encode()) >= 3
    out = convert(data, "arrow.v1", same)[0]
    assert read(out, "arrow.v1")["i"].to_pylist() == [1, None, 2]
    assert secret.encode() not in out and number.to_bytes(8, "little") not in out


def test_codecs_and_field_numbers_stay():
    field = pa.field("a", pa.string(), metadata={b"PARQUET:field_id": b"7"})
    table = pa.table([pa.array(["x"])], schema=pa.schema([field]))
    out = pq.ParquetFile(io.BytesIO(convert(written(table, compression="gzip"))[0]))
    assert out.metadata.row_group(0).column(0).compression == "GZIP"
    assert out.schema_arrow.field(0).metadata == {b"PARQUET:field_id": b"7"}


@pytest.mark.parametrize("name", KINDS)
def test_whose_row_it_is_is_known_at_every_depth(name):
    found = []

    def look(documents):
        for document in documents:
            found.append(document)
            yield unchanged(document)

    table = pa.table({"mrn": ["4711"], "patient_name": ["Xq Vb"], "l": [["a long enough text"]]})
    convert(written(table, name), name, look)
    assert {d.group for d in found if d.id == "row 1"} | {
        d.group for d in found if "," in d.id
    } == {"4711"}
    assert [d.known["PERSON"] for d in found if d.field == "l"] == [("Xq Vb",)]


def test_bombs_are_refused(monkeypatch):

    table = pa.table({"a": pa.array(["x"] * 1_200_000).dictionary_encode()})
    data = written(table)
    assert len(data) < 4000
    monkeypatch.setattr(arrow, "FREE", 0)
    with pytest.raises(InputError, match="values in"):
        convert(data)


def test_a_file_that_ends_its_reader_ends_nobody_else(monkeypatch):
    def killed(*_):
        os.kill(os.getpid(), signal.SIGSEGV)

    monkeypatch.setattr(arrow, "_parquet", killed)
    with pytest.raises(InputError, match="its reader died"):
        convert(written(everything()), "parquet.v1")


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_damaged_files_are_refused_and_nothing_else(name, data):
    good = bytearray(written(everything(), name))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(good)))
    bad = bytes(good[:cut] if data.draw(st.booleans()) else good)
    with contextlib.suppress(InputError):
        convert(bad, name, same)


@pytest.mark.parametrize("name", KINDS)
def test_contract(name):
    table = everything().select(["s", "i", "dict"]).rename_columns(list("abc"))
    check_format(formats.make(name), written(table, name))
