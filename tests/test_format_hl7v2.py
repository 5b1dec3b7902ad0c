"""HL7 v2: nothing planted gets through, the wire format holds, a patient's texts are searched."""

import base64
import contextlib
import re

import pytest
from format_clinical import (
    EVERYTHING,
    HL7V2,
    MAIL,
    PLANTS,
    SSN,
    SURNAME,
    convert,
    found,
    hl7v2,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import scrubjay
from scrubjay import formats
from scrubjay.errors import InputError
from scrubjay.formats import hl7v2 as reader
from scrubjay.formats import kinds
from scrubjay.formats.work import Work
from scrubjay.keys import Key
from scrubjay.report import unchanged
from scrubjay.testing import check_format
from scrubjay.types import Policy, Rule

SAFE = scrubjay.load("hipaa-safe-harbor", profile="patterns")
SHIFT = scrubjay.load(
    Policy("shift", default=Rule("surrogate.v1")), profile="patterns", key=Key(b"k" * 32)
)


def rows(data):
    return [line.split("|") for line in data.decode().split("\r") if line]


def same(data):
    work = Work(lambda documents: map(unchanged, documents))
    return convert("hl7v2.v1", data, work=work)


def test_kinds():
    for data in (hl7v2(), b"\x0b" + hl7v2(), hl7v2(1)):
        assert kinds.sample(data, "x") == "hl7v2.v1"
    assert kinds.sample(b"MSHA is an agency", "x.txt") == "text.v1"


def test_every_type_of_the_table_is_known():
    known = {*reader.table()["types"], "file", "note", "value"}
    known |= {name[1:] for name in vars(reader._Fields) if name.startswith("_")}
    rows_ = [spec for row in reader.table()["segments"].values() for spec in row.values()]
    parts = [spec for row in reader.table()["types"].values() for spec in row]
    for spec in (*rows_, *parts, *reader.table()["values"].values()):
        assert spec.partition(":")[0] in known, spec


def test_nothing_of_the_patient_is_left_and_all_else_is():
    told = convert("hl7v2.v1", hl7v2(), SAFE)
    names = ("Zebulon", "Adela", "Strangelove", "4711-Z", "Hollow", "Springfield", "01103", "V5512")
    assert found(told, (*PLANTS, *names, "5550143", "0405", "Mercy")) == []
    after = {(r[0], r[1]): r for r in rows(told)}
    assert after["OBX", "1"][3:6] == ["8302-2^Body height^LN", "", "181.5"]
    assert after["OBX", "2"][5] == ""  # 92 years
    assert after["OBX", "3"][5] == r"Mr. [PERSON 1]~ \T\ wife [PERSON 2],"
    assert after["PID", "1"][7] == "1961"
    assert after["MSH", r"^~\&"][8:12] == [
        "ORU^R01^ORU_R01",
        after["MSH", r"^~\&"][9],
        "P",
        "2.5.1",
    ]
    assert re.fullmatch("[0-9a-f]{20}", after["MSH", r"^~\&"][9])
    assert [r[0] for r in rows(told)] == [line[:3] for line in HL7V2.split("\r")[:-2]]


LEAF = re.compile(r"(?<=[|^~&])[^|^~&\r\\]+(?=[|^~&\r])")


def test_a_plant_in_any_value_is_found():
    plant = f"Seen {SURNAME} {SSN} {MAIL}"
    places = [m.span() for m in LEAF.finditer(HL7V2) if m.start() > 8]
    assert len(places) > 80
    batch = "".join(HL7V2[:a] + plant + HL7V2[b:] for a, b in places)
    assert found(convert("hl7v2.v1", batch.encode())) == []


def test_a_plant_in_fields_that_are_not_there():
    filled = [line + "|" * (60 - line.count("|")) for line in HL7V2.split("\r")[:-1]]
    lines = [
        "|".join([*(f := line.split("|"))[:number], f"{SURNAME}^x^{SSN}", *f[number + 1 :]])
        for number in range(3, 60)
        for line in filled
    ]
    assert found(convert("hl7v2.v1", "\r".join(lines).encode())) == []


def alone(lines, engine=SAFE):
    """What becomes of segments, each in a message of its own: nothing is known of anybody."""
    data = "".join(f"MSH|^~\\&|LAB\r{line}\r" for line in lines)
    return convert("hl7v2.v1", data.encode(), engine).decode().split("\r")


def each_type(places):
    """A segment with a value at each component of each type that the table has."""
    seen = {}
    for name, fields in reader.table()["segments"].items():
        for number, spec in fields.items():
            if name not in reader.HEADERS and spec not in ("value", "note"):
                seen.setdefault(spec, f"{name}{'|' * int(number)}")
    for spec, start in seen.items():
        for at in range(len(reader.table()["types"].get(spec.partition(":")[0], "1"))):
            if reader.rule(spec, at, 0)[0] in places:
                yield f"{start}{'^' * at}"


def test_a_name_in_a_coded_value_goes_where_no_detector_knows_names():
    starts = list(each_type(("code",)))
    starts += [rf"MSH|^~\&|LAB{'|' * number}" for number in (6, 8, 9, 12, 15)]
    assert len(starts) > 150
    told = alone((f"{start}LEE" for start in starts), EVERYTHING)
    assert [line for line in told if "LEE" in line] == []


@pytest.mark.parametrize("plant", [SSN, "536904399", "94110-1234", "2125550143"])
def test_a_number_of_somebodys_goes_wherever_it_stands(plant):
    starts = [
        *each_type(("code", "text", "ts", "tm", "nm")),
        "OBX|1|ST|||",
        "NTE|1||",
        "FT1" + "|" * 60,
    ]
    told = alone(f"{start}{plant}" for start in starts)
    assert [line for line in told if plant in line] == []


def test_a_concepts_number_stays_whatever_its_system_is_called():
    line = "OBX|1|CWE|363698007^Finding site^SNM3|"
    assert alone([line])[1] == line


def test_every_person_that_a_field_names_is_looked_for_in_the_notes():
    values = {"XPN": "Vantongeren^Abe", "XCN": "7^Vantongeren^Abe", "NDL": "7&Vantongeren&Abe"}
    fields = [
        (name, "|" * int(number) + values[spec])
        for name, row in reader.table()["segments"].items()
        for number, spec in row.items()
        if spec in values
    ]
    assert len(fields) > 100
    told = alone(f"{name}{value}\rNTE|1||Abe Vantongeren came" for name, value in fields)
    assert "Vantongeren" not in "".join(told)


def test_what_is_plain_for_one_patient_is_not_for_the_next():
    message = "MSH|^~\\&|LAB\rPID|1||{0}||{1}^Ann\rNTE|1||Seen in Snodgrass ward\r"
    people = [("1-A", "Winterbottom"), ("2-B", "Snodgrass"), ("1-A", "Winterbottom")]
    told = rows(convert("hl7v2.v1", "".join(message.format(*each) for each in people).encode()))
    notes = [row[3] for row in told if row[0] == "NTE"]
    assert notes[0] == notes[2] == "Seen in Snodgrass ward" and "Snodgrass" not in notes[1]


def test_another_library_reads_it():
    hl7 = pytest.importorskip("hl7")
    message = hl7.parse(convert("hl7v2.v1", hl7v2(), SHIFT).decode())
    assert str(message.segment("PID")[3][0][4]) == "MR"
    assert re.fullmatch(r"[0-9]{4}-[A-Z]", str(message.segment("PID")[3][0][0]))
    assert re.fullmatch("[0-9]{8}", str(message.segment("PID")[7]))
    assert re.fullmatch(r"[0-9]{14}\+0100", str(message.segment("MSH")[7]))


def test_dates_of_a_patient_move_together():
    told = {(r[0], r[1]): r for r in rows(convert("hl7v2.v1", hl7v2(), SHIFT))}
    day = told["OBR", "1"][7]
    assert day != "20240229" and told["ORC", "RE"][9] == day
    assert f"{day[:4]}-{day[4:6]}-{day[6:]}" in told["NTE", "1"][3]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_frames_batches_and_ends_of_lines_stay(end):
    plain = HL7V2.replace("ZPI|1|Quackenbush^Zebulon\r", "").replace(
        r"\X517561636B656E62757368\ ", ""
    )
    data = plain.replace("\r", end).encode()
    assert same(data) == data
    framed = b"\x0b" + data + b"\x1c\r" + b"\x0b" + data + b"\x1c\r"
    if end == "\r":
        assert same(framed) == framed
    batch = f"FHS|^~\\&|A{end}BHS|^~\\&|B{end}".encode() + data + f"BTS|1{end}FTS|1{end}".encode()
    assert same(batch) == batch


def test_other_delimiters_and_charsets():
    odd = HL7V2.translate(str.maketrans("|^~\\&", "*:;?%")).encode()
    assert found(convert("hl7v2.v1", odd)) == []
    latin = HL7V2.replace("Adela", "Zo\xeb").replace("2.5.1", "2.5.1||||||8859/1").encode("latin-1")
    assert b"Zo\xeb" not in convert("hl7v2.v1", latin)


def test_what_has_no_meaning_is_dropped_and_told():
    work = Work(EVERYTHING.stream)
    convert("hl7v2.v1", hl7v2() + b"QQQ|1|x\r", work=work)
    assert work.left_out["Z-segment"] == 1
    assert work.left_out["segment of no known meaning"] == 1


def test_lines_that_are_something_else_in_base64_go():
    text = base64.b64encode(b"Zebulon Quackenbush came in, by himself, to the ward on the left")
    half = len(text) // 2
    work = Work(EVERYTHING.stream)
    told = rows(
        convert(
            "hl7v2.v1",
            b"MSH|^~\\&|LAB\rNTE|1||as told:\rNTE|2||%s\rNTE|3||%s\rNTE|4||\\X5A6\\end\r"
            % (text[:half], text[half:]),
            work=work,
        )
    )
    assert [row[3] for row in told[1:]] == ["as told:", "", "", " end"]
    assert work.left_out["encoded value"] == 1


def test_a_document_in_a_message_is_opened():
    told = convert("hl7v2.v1", hl7v2())
    data = next(r for r in rows(told) if r[1] == "5")[5].split("^")[4]
    assert base64.b64decode(data) == b"For [PERSON]"


@pytest.mark.parametrize(
    "data",
    [
        b"MSH|^^^^|x\r", b"MSH|abcd|x\r", b"MSH|\r", b"MSH\r", b"PID|1\r", b"",
        b"MSH|^~\\&|x\rpid|1\r",
        b"MSH|^~\\&|x\rPID^1\r", b"MSH|^~\\&|\xff\xfe\r", b"MSH|^~\\&|a\0b\r", b"MSH ^~\\& x\r",
    ],
)  # fmt: skip
def test_what_is_no_hl7_is_refused(data):
    with pytest.raises(InputError):
        convert("hl7v2.v1", data)


@settings(max_examples=50)
@given(st.integers(0, len(hl7v2())), st.binary(max_size=6), st.integers(0, 12))
def test_damage_is_refused_or_read(place, new, length):
    data = hl7v2()
    with contextlib.suppress(InputError):
        convert("hl7v2.v1", data[:place] + new + data[place + length :])


def test_the_contract():
    check_format(formats.make("hl7v2.v1"), hl7v2(1).replace(b"ED|", b"ST|").replace(b"\r", b"\r"))
