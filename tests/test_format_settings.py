"""Settings and subtitles: every place of a text is read; what programs read stays."""

import configparser

import pytest
from format_text import PLANTED, clean, left, mutated, quiet
from hypothesis import given, settings

from scrubjay import formats
from scrubjay.testing import check_format

INI = """; about $
[of $]
name = $
path=C:\\new\\$
mrn: "Q7"
text = first
  and $
url=jdbc:x://h/d?user=$&mrn=Q7
export TOKEN='$'
# $ = 1
long = one \\
   of $
$ = key
only $
json={"mrn": "Q7", "by": "$"}
"""
VTT = """WEBVTT

NOTE by $

12
00:01.000 --> 00:02.500 line:0 align:start
<v $>Hello, $.</v>

00:00:05.000 --> 00:00:06.000
Next &amp; $
"""
SAMPLES = {"a.ini": INI, "a.properties": INI, "a.vtt": VTT, "a.srt": VTT}


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("name", SAMPLES)
def test_planted_in_every_place(name, planted):
    for newline in ("\n", "\r\n"):
        data = SAMPLES[name].replace("$", planted).replace("\n", newline).encode()
        told = clean(name, data)
        assert not left(told, planted), told
        assert b"Q7" not in told and told.count(b"\r\n") == data.count(b"\r\n")


@pytest.mark.parametrize("name", SAMPLES)
def test_what_holds_nothing_stays(name):
    data = SAMPLES[name].replace("$", "q").encode()
    assert quiet(name, data) == data


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.properties", "by = \\u0041nn Lee"),
        ("a.properties", "by = Ann\\\n   \\ Lee"),
        ("a.properties", "by = An\\\n   n Lee"),
        ("a.properties", "Ann\\ Lee = 1"),
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\nA<i>nn</i>\nLee\n"),
        ("a.srt", "00:00:01,000 --> 00:00:02,000 region:Ann Lee\nx\n"),
        ("a.vtt", "WEBVTT Ann Lee\n\nx"),
    ],
)
def test_nothing_hides(name, text):
    told = clean(name, text.encode())
    assert b"nn" not in told and b"Lee" not in told, told


def test_another_reader_reads_the_same_keys():
    text = "[a]\nname = Ann Lee\nmrn = Q7\npath = C:\\new\nnote = see\n  Ann Lee\n"
    read = configparser.ConfigParser()
    read.read_string(clean("a.ini", text.encode()).decode())
    assert dict(read["a"]) == {
        "name": "[PERSON]", "mrn": "[MRN]", "path": "C:\\new", "note": "see\n[PERSON]",
    }  # fmt: skip


@settings(max_examples=50)
@given(mutated(INI.encode()))
def test_damage_is_refused_or_harmless(data):
    try:
        clean("a.ini", data)
    except formats.InputError:
        return


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("ini.v1", b"[some words]\nother = of words\n"),
        ("srt.v1", b"1\n00:00:01,000 --> 00:00:02,000\nsome words\n"),
    ],
)
def test_contract(name, data):
    check_format(formats.make(name), data)
