"""Tables of people in every format, alone and packed: other files know them."""

import gzip
import io
import os
import shutil
import signal
import tempfile
from pathlib import PurePath

import pytest
from format_tables import TABLES, as_csv, as_workbook, tarred, zipped

from scrubjay import formats
from scrubjay.errors import InputError, OutputError
from scrubjay.formats import registers, subjects
from scrubjay.formats.columns import Columns
from scrubjay.formats.work import Work
from scrubjay.run import people
from scrubjay.run.people import People
from scrubjay.run.walk import walk

for module in ("pyarrow", "openpyxl"):
    pytest.importorskip(module)
zstandard = pytest.importorskip("zstandard")

HEADER = ["person_id", "mrn", "given_name", "family_name", "birth_date", "note"]
ROWS = [[str(n), str(5500 + n), f"Ann{n}", f"Brightwater{n}", "1961-04-05", "x"] for n in range(9)]
FILES = {name: made(HEADER, ROWS) for name, made in TABLES.items() if name != "a.jsonl"}
CSV = FILES["a.csv"]
PACKED = {
    "a.csv.gz": gzip.compress(CSV),
    "a.csv.zst": zstandard.compress(CSV),
    "a.zip": zipped("a.csv", CSV),
    "b.zip": zipped("b.zip", zipped("a.parquet", FILES["a.parquet"])),
    "a.tgz": tarred("a.xlsx", FILES["a.xlsx"]),
    "utf16.csv": as_csv(HEADER, ROWS, "utf-16"),
}


@pytest.mark.parametrize("name", [*FILES, *PACKED])
def test_a_table_of_people_tells_other_files_in_any_format(tmp_path, name):
    (tmp_path / name).write_bytes({**FILES, **PACKED}[name])
    found = People().add(walk(tmp_path)).near(tmp_path)
    assert found("7").group == "5507" and found("5507").group == "5507"
    assert found("7").known["PERSON"][0] == "Ann7 Brightwater7"
    assert found("70") == subjects.NOBODY


def test_what_waits_is_sealed_and_has_no_name(tmp_path, monkeypatch):
    made = []

    def kept(*args, _real=tempfile.TemporaryFile, **options):
        made.append(_real(*args, **options))
        return made[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", kept)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    (tmp_path / "a.xlsx").write_bytes(FILES["a.xlsx"])
    found = People().add(walk(tmp_path))
    [stream] = made
    stream.seek(0)
    data = stream.read()
    assert len(data) > 9 * 40 and b"Brightwater" not in data and b"1961" not in data
    assert not list((tmp_path / "tmp").iterdir()) and "Ann" not in repr(found._files)


def test_a_packed_table_that_changed_refuses_who_asks(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(FILES["a.xlsx"])
    found = People().add(walk(tmp_path)).near(tmp_path)
    (tmp_path / "a.xlsx").write_bytes(as_workbook(HEADER, ROWS[:8]))
    with pytest.raises(InputError, match="changed while it was read"):
        found("7")


def test_without_room_for_what_waits_there_is_no_run(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    (tmp_path / "a.xlsx").write_bytes(FILES["a.xlsx"])
    with pytest.raises(OutputError, match="TMPDIR"):
        People().add(walk(tmp_path))


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.sqlite", "a.xlsx", "a.ods", "a.zip"])
def test_what_is_damaged_tells_no_more_and_stops_nothing(tmp_path, name):
    data = {**FILES, **PACKED}[name]
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    (tmp_path / f"b{name}").write_bytes(data[:64] + bytes(200) + data[264:])
    (tmp_path / "z.csv").write_bytes(CSV)
    assert People().add(walk(tmp_path)).near(tmp_path)("7").group == "5507"


def test_an_archive_that_unpacks_to_too_much_tells_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(people, "LARGEST", 5000)
    (tmp_path / "a.zip").write_bytes(zipped("a.csv", as_csv(HEADER, ROWS * 20)))
    assert People().add(walk(tmp_path)).near(tmp_path)("7") == subjects.NOBODY


def test_only_the_columns_that_tell_of_people_are_read():
    for name in ("a.parquet", "a.arrow", "a.sqlite"):
        source = io.BytesIO(FILES[name])
        reader = formats.make(formats.of(PurePath(name), source))
        tables = reader.tables(source, Work(None))
        table = next(tables)
        row = next(table.rows(Columns(table.names).told))
        assert [cell is None for cell in row] == [False] * 5 + [True], name


def test_a_file_that_kills_its_reader_stops_nothing(tmp_path, monkeypatch):
    rows = [[*row[:3], f"Oakhurst{n}", *row[4:]] for n, row in enumerate(ROWS)]
    (tmp_path / "a.csv").write_bytes(CSV)
    (tmp_path / "b.xlsx").write_bytes(FILES["a.xlsx"])
    (tmp_path / "c.csv").write_bytes(as_csv(HEADER, rows))
    real = registers.places

    def places(path, *rest):
        if path.name == "b.xlsx":
            os.kill(os.getpid(), signal.SIGKILL)
        return real(path, *rest)

    monkeypatch.setattr(registers, "places", places)
    found = People().add(walk(tmp_path))
    assert [PurePath(file.at).name for file in found._files] == ["a.csv", "c.csv"]
    assert "Ann7 Oakhurst7" in found.near(tmp_path)("7").known["PERSON"]


SEVERAL = {
    "a/patients.csv": "1101,Ann,Brightwater", "b/patients.csv": "2202,Zeb,Quackenbush",
    "both.zip": "3303,Teo,Oakhurst",
}  # fmt: skip


@pytest.mark.parametrize(
    ("asks", "meant"),
    [
        ("a", "1101"), ("b", "2202"), ("a/notes/old", "1101"), ("b/x.zip/notes", "2202"),
        ("both.zip/x", "3303"), ("both.zip/y/z", "3303"), ("c", ""), (".", ""),
    ],
)  # fmt: skip
def test_the_nearest_record_says_who_a_number_of_several_systems_is(tmp_path, asks, meant):
    """In the same folder, then in one around it, then beside; of equally near ones, none."""
    for name, row in SEVERAL.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        data = f"patient_id,mrn,first_name,last_name\n17,{row}\n".encode()
        (tmp_path / name).write_bytes(data if name.endswith("csv") else zipped("p.csv", data))
    found = People().add(walk(tmp_path)).near(tmp_path / asks)("17")
    assert found.group == meant
    assert {"Ann Brightwater", "Zeb Quackenbush", "Teo Oakhurst"} <= set(found.known["PERSON"])
    shutil.rmtree(tmp_path / "b")
    (tmp_path / "both.zip").unlink()
    only = People().add(walk(tmp_path)).near(tmp_path / asks)("17")
    assert only.group == "1101", "there is no other"


def test_many_systems_with_one_number_hide_none_of_their_own(tmp_path):
    for n in range(people.MANY * 2):
        (tmp_path / f"h{n}").mkdir()
        text = f"patient_id,mrn,first_name,last_name\n17,{n + 900},Ann{n},Lee{n}\n"
        (tmp_path / f"h{n}/p.csv").write_text(text)
    known = People().add(walk(tmp_path))
    for n in range(people.MANY * 2):
        found = known.near(tmp_path / f"h{n}")("17")
        assert found.group == str(n + 900) and found.known["PERSON"][0] == f"Ann{n} Lee{n}"
