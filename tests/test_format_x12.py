"""X12: nothing planted gets through, delimiters, widths, counts and control numbers hold."""

import contextlib
import re

import pytest
from format_clinical import EVERYTHING, SSN, SURNAME, X12, X12_HEAD, convert, found, x12
from hypothesis import given, settings
from hypothesis import strategies as st

import scrubjay
from scrubjay import formats
from scrubjay.errors import InputError
from scrubjay.formats import kinds
from scrubjay.formats import x12_elements as reader
from scrubjay.formats.work import Work
from scrubjay.keys import Key
from scrubjay.report import unchanged
from scrubjay.testing import check_format
from scrubjay.types import Policy, Rule

SAFE = scrubjay.load("hipaa-safe-harbor", profile="patterns")
SHIFT = scrubjay.load(
    Policy("shift", default=Rule("surrogate.v1")), profile="patterns", key=Key(b"k" * 32)
)
KNOWN = (
    SURNAME, "Zebulon", "Adela", "Strangelove", SSN, "MBR4711Z", "4711-Z", "Hollow", "ACCT264",
    "5550144", "19610405", "20240229", "20240228", "Springfield", "17312345600006351", "1234567893",
)  # fmt: skip


def rows(data):
    return [line.split("*") for line in re.split("[~\r\n]+", data.decode()) if line]


def holds(data):
    """Another look at the envelope, by the standard's words alone."""
    text = data.decode()
    assert len(text.partition("\n")[0]) == 106 and text[105] == "~"
    told = rows(data)
    sets = groups = start = 0
    for number, row in enumerate(told):
        if row[0] in ("ISA", "GS", "ST"):
            opened = {"ISA": 13, "GS": 6, "ST": 2}[row[0]]
            control = row[opened]
            start = number if row[0] == "ST" else start
            stack.append(control) if number else stack_reset(control)
        if row[0] == "SE":
            assert int(row[1]) == number - start + 1 and row[2] == stack.pop()
            sets += 1
        if row[0] == "GE":
            assert int(row[1]) == sets and row[2] == stack.pop()
            groups += 1
        if row[0] == "IEA":
            assert int(row[1]) == groups and row[2] == stack.pop()
    assert not stack


stack: list[str] = []


def stack_reset(control):
    stack[:] = [control]


def test_kinds():
    assert kinds.sample(x12(), "claims.txt") == "x12.v1"
    assert kinds.sample(b"ISAAC is a name", "a.txt") == "text.v1"


def test_every_kind_of_the_table_is_known():
    for row in (*reader.layouts().values(), *reader.composites().values()):
        for kind in row:
            known = kind in reader.composites() or kind in reader.shapes() or kind.isupper()
            assert known or kind == "-" or hasattr(reader.Elements, f"_{kind}"), kind


@pytest.mark.parametrize("engine", [SAFE, EVERYTHING, SHIFT])
def test_nothing_of_the_patient_is_left_and_the_envelope_holds(engine):
    work = Work(engine.stream)
    data = convert("x12.v1", x12(), work=work)
    assert found(data, KNOWN) == []
    assert work.left_out["segment of no known meaning"] == 1
    holds(data)


def test_codes_and_amounts_stay():
    told = rows(convert("x12.v1", x12(), SAFE))
    for line in ("HI*BK:0340*BF:V7389", "SV1*HC:99213*40*UN*1***1", "PRV*BI*PXC*203BF0100Y",
                 "HL*3*2*23*0", "CAS*PR*1*8", "SVC*HC:99211*45*30"):  # fmt: skip
        assert line.split("*") in told
    assert ["DTP", "472", "CY", "2024"] in told and ["DMG", "CY", "1961", "M"] in told
    assert next(r for r in told if r[0] == "CLM")[2] == "100.50"
    assert told[0][9] == "240101" and told[1][4] == "20240101"


def test_dates_that_may_not_be_told_go():
    work = Work(EVERYTHING.stream)
    data = convert("x12.v1", x12(), work=work)
    assert "DTP" not in {row[0] for row in rows(data)}
    assert work.left_out["date that may not be told"] == 3


def test_a_patient_is_one_in_all_sets():
    insured = b"NM1*IL*1*QUACKENBUSH*ADELA****MI*MBR4711Z~\nSVC*"  # other than the patient
    data = x12().replace(b"REF*EA*4711-Z~\n", b"").replace(b"SVC*", insured)
    told = rows(convert("x12.v1", data, SHIFT))
    names = [row[3:5] for row in told if row[0] == "NM1" and row[1] == "QC"]
    days = [row[3] for row in told if row[0] == "DTP" and row[1] in ("472", "431")]
    assert names[0] == names[1] and int(days[1]) != 20240229
    assert any(names[0][0] in row[2] for row in told if row[0] == "NTE")


LEAF = re.compile(r"(?<=[*:])[^*:~\n]+(?=[*:~])")


@pytest.mark.parametrize("plant", [f"SEEN {SURNAME.upper()} {SSN}", SSN])
def test_a_plant_in_any_element_is_found_or_refused(plant):
    start = X12.index("BHT")
    body = [m.span() for m in LEAF.finditer(X12) if m.start() > start]
    assert len(body) > 120
    for first, last in body:
        with contextlib.suppress(InputError):
            data = convert("x12.v1", (X12[:first] + plant + X12[last:]).encode())
            assert found(data, (SURNAME, SSN)) == [], X12[first - 20 : last]


@pytest.mark.parametrize("plant", ["LEE", "536904399"])
def test_what_is_no_code_goes_though_nobody_finds_it(plant):
    lines = []
    for name, kinds_ in reader.layouts().items():
        for number, kind in enumerate(kinds_):
            for at, part in enumerate(reader.composites().get(kind, [kind])):
                if (part in reader.shapes() or part == "-") and name not in ENVELOPE:
                    lines.append(f"{name}{'*' * (number + 1)}{':' * at}{plant}~")
    body = "\n".join([*lines, f"HL*1**20*1*{plant}~", f"HI*BK:{plant}^BK:{plant}~", ""])
    data = X12_HEAD + "ST*837*0021~\n" + body + "SE*9*0021~\nGE*1*1~\nIEA*1*000000905~\n"
    assert len(lines) > 500
    work = Work(lambda documents: map(unchanged, documents))
    told = convert("x12.v1", data.encode(), work=work)
    assert found(told, [plant]) == []
    assert work.left_out["value that is none of its element"] == len(lines) + 3


ENVELOPE = ("ISA", "GS", "ST", "SE", "GE", "IEA")


def test_a_control_number_that_could_be_a_social_security_number_changes_in_both_places():
    data = x12().replace(b"000000905", b"536904399").replace(b"0021", b"536904398")
    told = convert("x12.v1", data)
    assert found(told, ("536904399", "536904398")) == []
    holds(told)


@pytest.mark.parametrize("number", [2, 4, 6, 8])
def test_a_plant_in_the_envelope(number):
    row = X12[:105].split("*")
    row[number] = SURNAME[: len(row[number])].ljust(len(row[number]))
    data = convert("x12.v1", ("*".join(row) + X12[105:]).encode())
    assert found(data, (SURNAME[:10],)) == [] and data[105:106] == b"~"


@pytest.mark.parametrize("ends", ["~\n", "~", "~\r\n", "'", "\n"])
def test_other_delimiters_and_ends(ends):
    data = X12.replace("~\n", ends).replace("XYZ*QUACKENBUSH" + ends, "").replace("*33*", "*32*")
    data = data.replace("*", "|") if ends == "'" else data
    work = Work(lambda documents: map(unchanged, documents))
    assert convert("x12.v1", data.encode(), work=work) == data.encode()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"ISA*00*", X12[:100].encode(), X12[106:].encode(), X12[:-3].encode(),
        X12.replace("*00501*", "*0050*", 1).encode(), (X12[:104] + "*~" + X12[106:]).encode(),
        (X12[:104] + "A~" + X12[106:]).encode(), X12.replace("HL*1", "hl*1").encode(),
        X12.replace("D8*19610405", "D8*1961040").encode(), b"ISA" + b"*" * 103,
        X12.replace("*1330*^", "*9999*^").encode(), X12.replace("SE*33*0021", "SE").encode(),
        X12.replace("*0021~", "*A021~").encode(), X12[:106].encode() + b"x" * (1 << 22),
    ],
)  # fmt: skip
def test_what_is_no_x12_is_refused(data):
    with pytest.raises(InputError):
        convert("x12.v1", data)


@settings(max_examples=50)
@given(st.integers(0, len(X12)), st.binary(max_size=6), st.integers(0, 12))
def test_damage_is_refused_or_read(place, new, length):
    data = x12()
    with contextlib.suppress(InputError):
        convert("x12.v1", data[:place] + new + data[place + length :])


def test_the_contract():
    check_format(formats.make("x12.v1"), x12().replace(b"XYZ*QUACKENBUSH~\n", b""))


def test_a_number_in_the_place_of_a_country_goes_and_a_race_stays():
    lines = "N4*BOSTON*MA*02101*536904399~DMG*D8*19500304*M**:RET:2106-3~"
    told = convert("x12.v1", (X12_HEAD + f"ST*837*0001~{lines}SE*4*0001~").encode(), SAFE)
    assert b"536904399" not in told and b"*:RET:2106-3~" in told
