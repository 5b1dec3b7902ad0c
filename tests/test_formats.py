"""What every format rests on: kinds by content, values that lie in pieces, names of files."""

import io
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

import scrubjay
from scrubjay.errors import InputError
from scrubjay.formats import filenames, kinds
from scrubjay.formats.pieces import Pieces
from scrubjay.formats.work import Work
from scrubjay.report import unchanged
from scrubjay.testing import FakeDetector
from scrubjay.types import Anonymized, Document, Replacement

ENGINE = scrubjay.load(
    "everything", profile="patterns", detectors=[FakeDetector({"Ann Lee": "PERSON"})]
)
MONTHS = FakeDetector({"5 sep": "DATE", "sep": "DATE"})


@given(
    st.lists(st.text("abc \u00e9", max_size=5), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)), max_size=4),
)
def test_pieces_hold_all_that_was_not_replaced_and_nothing_that_was(texts, spans):
    from scrubjay.types import Anonymized, Replacement, Report

    pieces = Pieces(texts, ["|"] * len(texts))
    text, new, done, last = pieces.text, "", [], 0
    for start, length in sorted(spans):
        end = min(start + length, len(text))
        if start < last or start >= end:
            continue
        new += text[last:start]
        done.append(Replacement(start, end, len(new), len(new) + 1, "ID", 0, 1, "a.v1", "b.v1"))
        new, last = new + "#", end
    new += text[last:]
    told = pieces.changed(Anonymized(new, Report("", "", "", "", {}, tuple(done))))
    covered = {place for one in done for place in range(one.start, one.end)}
    at, kept = 0, []
    for piece in texts:
        kept.append("".join(c for i, c in enumerate(piece, at) if i not in covered))
        at += len(piece) + 1
    assert [piece.replace("#", "") for piece in told] == kept
    inside = [one for one in done if set(range(one.start, one.end)) - _breaks(texts)]
    assert "".join(told).count("#") == len(inside)


def _breaks(texts):
    at, found = 0, set()
    for piece in texts:
        at += len(piece) + 1
        found.add(at - 1)
    return found


def test_what_is_kept_stays_in_its_pieces():
    pieces = Pieces(["An", "n"], ["\n", ""])
    done = Replacement(1, 4, 1, 4, "PERSON", 1, 0.9, "test.v1", "keep.v1")
    report = unchanged(Document(pieces.text)).report
    result = Anonymized(pieces.text, structs.replace(report, replacements=(done,)))
    assert pieces.changed(result) == ["An", "n"]


def test_a_name_in_two_runs():
    pieces = Pieces(["Seen by A", "nn L", "ee, MD"])
    [result] = ENGINE.stream([Document(pieces.text)])
    assert pieces.changed(result) == ["Seen by [PERSON]", "", ", MD"]


def test_the_place_of_a_text_says_what_it_is():
    [result] = ENGINE.stream([Document("Xq", label="MRN")])
    assert result.text == "[MRN]"


def test_names_of_files_are_data():
    assert filenames.clean("Ann_Lee_2.docx", ENGINE.stream) == "[PERSON]_2.docx"
    assert filenames.clean("ward round.txt", ENGINE.stream) == "ward round.txt"
    dates = scrubjay.load("everything", profile="patterns", detectors=[MONTHS])
    assert filenames.clean("sep.csv", dates.stream) == "sep.csv"
    assert filenames.clean("5_sep.csv", dates.stream) == "[DATE].csv"
    assert filenames.clean("ann.lee@example.org.txt", ENGINE.stream) == "[EMAIL].txt"
    assert filenames.clean("ann.lee@example.org", ENGINE.stream) == "[EMAIL]"
    assert filenames.clean("readme.md", ENGINE.stream) == "readme.md"


def test_no_suffix_is_a_way_out():
    assert filenames.clean("of.Ann Lee", ENGINE.stream) == "of.[PERSON]"
    assert filenames.clean("note.536-90-4399", ENGINE.stream) == "note.[SSN]"
    assert (
        filenames.clean("chart_1961-04-17_536-90-4399.txt", ENGINE.stream)
        == "chart_[DATE]_[SSN].txt"
    )
    assert filenames.clean("NOTE.TXT", ENGINE.stream) == "NOTE.TXT"


def test_names_fit_every_disk():
    for name in ("\u9577" * 84 + ".txt", "a" * 255, "\U0001f600" * 63):
        told = filenames.clean(name, ENGINE.stream)
        assert len(told.encode()) <= 210 and told.encode().decode() == told
    told = [
        filenames.clean(name, ENGINE.stream)
        for name in ("con", "NUL.txt", "aux.a.b", "cone", "...")
    ]
    assert told == ["con_", "NUL_.txt", "aux_.a.b", "cone", "file"]
    assert filenames.clean("a\u202etxt.exe\x7f", ENGINE.stream) == "a_txt.exe_"


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("note.txt", b"plain", "text.v1"),
        ("note", b"plain", "text.v1"),
        ("a.jsonl", b'{"a": 1}', "jsonl.v1"),
        ("syslog.log", b"a\nb", "lines.v1"),
        ("a.json", b'{"a": 1}', "json.v1"),
        ("note.txt", b'{"a": 1}', "text.v1"),
        ("export.txt", b"MRN|PatientName\r\n47|Zora\r\n", "csv.v1"),
        ("export", b'"first_name","dose","mrn"\nZora,5,47\n', "csv.v1"),
        ("note.txt", b"Patient, MRN\nZora, 47\n\nShe was seen.\n", "text.v1"),
        ("note.md", b"| Name | MRN |\n|---|---|\n| Zora | 47 |\n", "text.v1"),
        ("a.txt", b"<?xml version='1.0'?><a/>", "xml.v1"),
        ("a.txt", b" <!DOCTYPE HTML><p>", "html.v1"),
        ("a.txt", b"{\\rtf1 x}", "rtf.v1"),
        ("a.txt", b"\x1f\x8b\x08", "gz.v1"),
        ("a.txt", b"\x28\xb5\x2f\xfd", "zst.v1"),
        ("a.yml", b"a: 1", "yaml.v1"),
        ("a.toml", b"a = 1", "toml.v1"),
        ("a.txt", b"a" + bytes(256) + b"ustar", "tar.v1"),
    ],
)
def test_kinds(name, data, kind):
    assert kinds.sample(data, name) == kind


@pytest.mark.parametrize(
    ("name", "data"),
    [("photo.txt", b"GIF89a\0\0\0"), ("a.unknown", b"text"), ("x.jsonl", b"\0\1\2")],
)
def test_what_nothing_reads_is_refused(name, data):
    with pytest.raises(InputError):
        kinds.of(PurePath(name), io.BytesIO(data))


def test_files_within_files_end_somewhere():
    work = Work(ENGINE.stream, depth=8)
    with pytest.raises(InputError, match="deep"):
        work.file("a.txt", io.BytesIO(b"a"), io.BytesIO())


def test_a_file_within_is_cleaned_and_limits_are_shared():
    sink = io.BytesIO()
    Work(ENGINE.stream).file("a.txt", io.BytesIO(b"for Ann Lee"), sink)
    assert sink.getvalue() == b"for [PERSON]"
