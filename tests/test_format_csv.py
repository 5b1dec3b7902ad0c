"""Separated values: every cell looked at, every byte of what did not change kept, cut anywhere."""

import contextlib
import csv
import io
import time

import pytest
from format_tables import SAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st

import scrubjay
from scrubjay import formats
from scrubjay.errors import InputError
from scrubjay.formats import dialect
from scrubjay.formats.work import Work
from scrubjay.report import unchanged
from scrubjay.testing import FakeDetector, blanked, check_format

sample = SAMPLES["csv.v1"]

ENGINE = scrubjay.load(
    "everything", profile="patterns", detectors=[FakeDetector({"Zora Quillfeather": "PERSON"})]
)
FEW = settings(max_examples=50)


def convert(data, clean=ENGINE.stream, *, encoding="utf-8", group="", name="csv.v1"):
    sink = io.BytesIO()
    formats.make(name, encoding=encoding, group=group).convert(io.BytesIO(data), sink, Work(clean))
    return sink.getvalue()


def seen(data, **options):
    """The documents of a file."""
    found = []

    def look(documents):
        for document in documents:
            found.append(document)
            yield unchanged(document)

    assert convert(data, look, **options) == data
    return found


def test_names_of_columns_tell_what_is_in_them():
    data = b"patient_name,mrn,dose\r\nXq,17,5\r\nXq Vb,18,6.5\r\n"
    assert convert(data) == b"patient_name,mrn,dose\r\n[PERSON],[MRN],5\r\n[PERSON],[MRN],6.5\r\n"


def test_a_rows_own_names_are_found_in_its_notes():
    data = (
        b"first_name;last_name;note\n"
        b'Teodora;Brightwater;"BRIGHTWATER, T. came; Teodora left again, as she said"\n'
        b"Ann;Lee;Brightwater is a place where nobody of this row was ever seen\n"
    )
    lines = convert(data).decode().splitlines()
    assert lines[1] == '[PERSON];[PERSON];"[PERSON] came; [PERSON] left again, as she said"'
    assert "Brightwater" in lines[2]


def test_cells_that_are_json_html_or_queries_are_opened():
    data = (
        b'id,payload\n1,"{""patient_name"":""zora q"",""mrn"":""883-2""}"\n'
        b"2,/p?mrn=88-3&dose=5\n3,<td>536<b>-90-4399</b></td>\n"
    )
    assert convert(data) == (
        b'id,payload\n1,"{""patient_name"":""[PERSON]"",""mrn"":""[MRN]""}"\n'
        b"2,/p?mrn=[MRN]&dose=5\n3,<td>[SSN]<b></b></td>\n"
    )


def test_whose_row_it_is():
    data = b"mrn,dob,note\n4711,1950-01-02,well\n4712,1950-01-02,ill\n"
    assert {d.group for d in seen(data)} == {"", "4711", "4712"}
    assert {d.group for d in seen(data, group="note")} == {"", "well", "ill"}
    with pytest.raises(InputError, match="no column 'x'"):
        convert(data, group="x")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n", b"a", b"a\n", b"a,b\n1,2", b'"a","b"\r\n"1","2"\r\n\r\n', b"a\tb\n1\t2\n",
        b"a|b\n1|2\n3|4\n", b"sep=;\r\na;b\r\n1;2\r\n", b'a,b\n"x\ny",2\n"",\n', b"a,b\r1,2\r3,4",
        b"a,b\n1,2,3,4\n5\n", b'a,b\n5" pipe,"6"" pipe"\n', b'a,b\n"x"y,2\n', 
        b'a,b\n"never closed,2\n',
        b'a,b\n"say \\"hi\\" now",2\n', b"\xef\xbb\xbfa,b\n1,2\n", "a\u00e4,\u00df\n1,2\n".encode(),
        b"note: a title\n\na,b,c\n1,2,3\n4,5,6\n7,8,9\n", b",\n,\n", b"a,b,\n1,2,\n",
    ],
)  # fmt: skip
def test_what_does_not_change_stays_byte_for_byte(data):
    assert convert(data, lambda documents: map(unchanged, documents)) == data


@FEW
@given(
    st.one_of(  # rows of any length, or another delimiter in them: both leave open which is meant
        st.lists(
            st.lists(st.text('ab ,\n"\r\u00e9', max_size=6), min_size=2, max_size=4), max_size=6
        ),
        st.lists(
            st.lists(st.text('ab ,;\n"\r\u00e9', max_size=6), min_size=2, max_size=2), max_size=6
        ),
    )
)
def test_another_library_reads_the_same_cells(rows):
    sink = io.StringIO()
    csv.writer(sink).writerows([["alpha", "mrn"], *rows])
    data = sink.getvalue().encode()
    assert convert(data, lambda documents: map(unchanged, documents)) == data
    blank = convert(data, lambda documents: map(blanked, documents)).decode()
    read = list(csv.reader(io.StringIO(blank, newline="")))
    assert [len(row) for row in read[1:]] == [len(row) for row in rows]
    said = [[bool(c.strip()) for c in row] for row in rows]
    assert [[c == "\u2588" for c in row] for row in read[1:]] == said


@pytest.mark.parametrize(
    "encoding", ["utf-8", "latin-1", "cp1252", "utf-16", "shift_jis", "utf-16-le"]
)
def test_encodings(encoding):
    said = "\u30ab" if encoding == "shift_jis" else "\u00e9t\u00e9"
    data = f"patient_name,note\nXq,{said}\n".encode(encoding)
    told = "utf-8" if encoding == "utf-16" else encoding
    assert convert(data, encoding=told) == f"patient_name,note\n[PERSON],{said}\n".encode(encoding)


def test_what_cannot_be_decoded_or_written_is_refused():
    with pytest.raises(InputError, match="byte 6 is not utf-8"):
        convert(b"a,b\n1,\xff\n")
    with pytest.raises(InputError, match="cannot be written"):
        convert("a,\u00e9\nx,y\n".encode("latin-1"), lambda d: map(blanked, d), encoding="latin-1")


def test_headers():
    rows = [["Ann Lee", "1950-01-02"], ["Bo Fox", "1960-01-02"]]
    assert dialect.header(rows) == 0
    assert dialect.header([["name", "born"], *rows]) == 1
    assert dialect.header([["who", "when"], *rows]) == 1
    assert dialect.header([["Export of today"], [""], ["name", "born"], *rows]) == 3
    assert dialect.header([["jo@example.org", "x"], *rows]) == 0
    assert dialect.header([["sep=", ""], ["Export of today", ""], ["name", "born"], *rows]) == 3
    assert dialect.header([["", ""], ["", ""]]) == 0


def test_groups_may_stand_over_the_names():
    data = b"Patient,,Visit,\nLast,First,Date,Comment\nzora,quill,2024-03-02,Quill is well\n"
    assert convert(data).endswith(
        b"First,Date,Comment\n[PERSON],[PERSON],[DATE],[PERSON] is well\n"
    )


def test_names_of_columns_are_data_too():
    assert convert(b"name,jo@example.org\nXq,2\n") == b"name,[EMAIL]\n[PERSON],2\n"


def test_plain_cells_are_looked_at_once_and_found_ones_are_all_told():
    data = b"sex,patient_name\n" + b"M,Xq\nF,Xq\n" * 500
    assert [d.text for d in seen(data)].count("M") == 1
    counts = []

    def count(documents):
        for result in ENGINE.stream(documents):
            counts.append(result.report.counts.get("PERSON", 0))
            yield result

    convert(data, count)
    assert sum(counts) == 1000


def planted(delimiter, quote):
    """An identifier in each place where a text can stand."""
    secrets = [f"plant{n}@example.org" for n in range(9)]
    first = ["name", secrets[0], f"x {secrets[1]} y"]
    rows = [
        ["Xq", secrets[2], f'a\r\n"{secrets[3]}"{delimiter}'],
        ["Vb", f"{secrets[4]}", secrets[5], secrets[6], "beyond"],
        [secrets[7]],
        ["", "", f"'{secrets[8]}'"],
    ]
    sink = io.StringIO()
    csv.writer(sink, delimiter=delimiter, quoting=quote).writerows([first, *rows])
    return sink.getvalue(), secrets


@pytest.mark.parametrize("delimiter", ",;\t|")
@pytest.mark.parametrize("quote", [csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_nothing_planted_is_left(delimiter, quote, encoding):
    text, secrets = planted(delimiter, quote)
    out = convert(text.encode(encoding), encoding="utf-8" if encoding == "utf-16" else encoding)
    assert not [s for s in secrets if s in out.decode(encoding)]


def parts(form, data, size):
    """What parts give, joined."""
    sink = io.BytesIO()
    made = list(form.parts(io.BytesIO(data), size))
    assert b"".join(part.data for part in made).endswith(data[-20:])
    for part in made:
        form.convert_part(part, sink, Work(ENGINE.stream))
    return sink.getvalue(), len(made)


@FEW
@given(
    st.lists(
        st.sampled_from(['a,"b"\n', '"x\ny",z\n', 'p"q,r\n', '"a""b",""\n', '"', ",", "\n", 'x"y']),
        max_size=30,
    ),
    st.integers(1, 40),
)
def test_parts_are_whole_records_and_join_to_the_whole(pieces, size):
    data = ("alpha,mrn\n" + "".join(pieces)).encode()
    form = formats.make("csv.v1")
    joined, _ = parts(form, data, size)
    assert joined == convert(data)


@pytest.mark.parametrize("name", ["lines.v1", "jsonl.v1", "csv.v1", "text.v1"])
def test_parts_of_other_formats(name):
    data = {
        "lines.v1": b"Zora Quillfeather\r\nplain\n" * 40 + b"end",
        "text.v1": b"Zora Quillfeather\r\nplain\n",
        "jsonl.v1": b'{"name": "Zora Quillfeather", "n": 5}\n\n' * 40,
        "csv.v1": sample(5000),
    }[name]
    joined, count = parts(formats.make(name), data, 300)
    assert joined == convert(data, name=name) and (count > 3 or name == "text.v1")


def test_places_are_those_of_the_whole_file():
    data = b"a,b\n" + b'"x\ny",jo@example.org\n' * 30
    form = formats.make("csv.v1")
    found = []

    def look(documents):
        for document in documents:
            found.append(document.id)
            yield blanked(document)

    convert(data, look)
    whole = list(found)
    found.clear()
    for part in form.parts(io.BytesIO(data), 100):
        form.convert_part(part, io.BytesIO(), Work(look))
    assert found == whole and "line 60, column 2" in found


def test_cutting_is_fast_whatever_the_quotes():
    data = sample(20_000_000)
    form = formats.make("csv.v1")
    start = time.process_time()
    assert sum(len(part.data) for part in form.parts(io.BytesIO(data), 1 << 23)) == len(data)
    assert time.process_time() - start < 1


def test_hostile_files():
    with pytest.raises(InputError, match="cells in one record"):
        convert(b"," * 200_000)
    start = time.process_time()
    convert(b"a,b\n" + b'"' * 300_001)
    convert(b"a,b\n" + b'x"' * 200_000)
    assert time.process_time() - start < 10


@FEW
@given(st.binary(max_size=200), st.integers(0, 400))
def test_bad_files_are_refused_and_nothing_else(junk, at):
    good = sample(400)
    data = good[:at] + junk + good[at:]
    with contextlib.suppress(InputError):
        convert(data)


def test_contract():
    check_format(formats.make("csv.v1"), sample(600))
