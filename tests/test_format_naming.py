"""What stands under a name goes by it, in every format; names are data where they say who."""

import json
import re
import tomllib

import pytest
import yaml
from format_text import ENGINE, clean

import scrubjay
from scrubjay.cli.detect import How, _look
from scrubjay.formats import naming
from scrubjay.formats.work import Work
from scrubjay.types import Anonymized, Finding, Replacement, Report

UNDER = {
    "a.json": [
        '{"mrn": "Q7"}', '{"patient": {"mrn": ["Q7"]}}', '{"x": "{\\"mrn\\": \\"Q7\\"}"}',
        '{"get": "/a?mrn=Q7&x=1"}', '{"mrn": "[\\"Q7\\"]"}', '{"mrn": "<b>Q7</b>"}',
        '[{"name": "mrn", "value": "Q7"}]', '{"body": "<input name=mrn value=Q7>"}',
    ],
    "a.jsonl": ['{"mrn": "Q7"}'],
    "a.yaml": ["mrn: Q7", "mrn:\n- Q7", 'mrn: "Q7" # x', "mrn: |\n  Q7\n",
               "x: '{\"mrn\": \"Q7\"}'"],
    "a.toml": ["mrn = 'Q7'", "[a]\nmrn = ['Q7']", "a.mrn = 'Q7'", "a = { mrn = 'Q7' }"],
    "a.xml": [
        "<mrn>Q7</mrn>", "<a mrn='Q7'/>", "<mrn value='Q7'/>", "<a:mrn xmlns:a='u'>Q7</a:mrn>",
        "<mrn>Q<b>7</b></mrn>", "<field name='mrn'>Q7</field>", "<p name='mrn' value='Q7'/>",
        "<a href='x?mrn=Q7&amp;b=1'/>", '<a>{"mrn": "Q7"}</a>', "<mrn><![CDATA[Q7]]></mrn>",
    ],
    "a.html": [
        "<input name=mrn value=Q7>", "<input id=mrn value=Q7>", "<textarea name=mrn>Q7</textarea>",
        "<dl><dt>MRN<dd>Q7</dl>", "<table><tr><th>No<th>MRN<tr><td>1<td>Q7</table>",
        "<table><tr><td>MRN:<td><b>Q7</b></table>", "<p data-mrn=Q7>", "<meta name=mrn content=Q7>",
        "<table><tr><td>MRN<td>DOB<td>Age<tr><td>Q7<td>x<td>9</table>", "<a href='?mrn=Q7'>x</a>",
        "<a href='x?a=1&amp;mrn=%51%37'>x</a>",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("name", "text"), [(n, text) for n in UNDER for text in UNDER[n]])
def test_the_name_says_what_a_value_is(name, text):
    told = clean(name, text.encode())
    assert b"MRN]" in told and b"Q7" not in told and b"%51" not in told, told


def test_names_of_things_are_nobodys():
    told = json.loads(
        clean("a.json", b'{"drugs": [{"name": "Q7"}], "patient": {"name": "X8"}, "name": "Z9"}')
    )
    assert told == {
        "drugs": [{"name": "Q7"}], "patient": {"name": "[PERSON]"}, "name": "[PERSON]",
    }  # fmt: skip
    data = b'<r><test><name>Q7</name></test><z name="Q7"/><patient name="X8"/></r>\n'
    assert clean("a.xml", data) == data.replace(b"X8", b"[PERSON]")


def test_a_header_row_without_th_stays():
    told = clean("a.html", b"<table><tr><td>Date<td>Name<td>Dose<tr><td>x<td>Q7<td>5</table>")
    assert told == (b"<table><tr><td>Date<td>Name<td>Dose<tr><td>[DATE]<td>[PERSON]<td>5</table>")


class Tagger:
    """Takes a lot for names, as a tagger does of schemas."""

    name = "tagger.v1"
    words = r"jordan|john smith|florence( score)?|grace|gonzalez|zo\u00eb|mark( white)?|dawn|jwt"

    def detect(self, documents):
        return [
            [
                Finding(m.start(), m.end(), "PERSON", 0.9, self.name)
                for m in re.finditer(rf"\b({self.words})\b", one.text, re.I)
            ]
            for one in documents
        ]


SCHEMA = [
    "florence_score",
    "florenceScore",
    "grace_period",
    "guardian",
    "mark",
    "first_name",
    "dob",
    "dose_mg",
    "visitDate",
    "hba1c",
    "gender_concept_id",
    "resourceType",
    "jdbc.url",
    "grace.period",
    "PAT_MRN_ID",
    "n",
]
DATA = ["Jordan", "John Smith", "john_smith", "johnSmith", "Gonzalez", "gonzalez", "Zo\u00eb",
        "mark_white", "john.smith", "lee.example.org", "ann@example.org", "4481923",
        "mrn-4481923", "Smith 536-90-4399"]  # fmt: skip


@pytest.mark.parametrize("name", ["a.json", "a.yaml", "a.toml"])
def test_keys_of_a_schema_stay_and_keys_that_are_data_do_not(name):
    engine = scrubjay.load("everything", profile="patterns", detectors=[Tagger()])
    sign = " = " if name == "a.toml" else ": "
    lines = [f"{json.dumps(key, ensure_ascii=False)}{sign}{json.dumps(['x'])}" for key in
             [*SCHEMA, *DATA]]  # fmt: skip
    text = "{" + ", ".join(lines) + "}" if name == "a.json" else "\n".join(lines)
    told = clean(name, text.encode(), engine).decode()
    read = {"a.json": json.loads, "a.yaml": yaml.safe_load, "a.toml": tomllib.loads}[name]
    keys = list(read(told))
    assert keys[: len(SCHEMA)] == SCHEMA and len(keys) == len(SCHEMA) + len(DATA)
    assert not set(DATA) & set(keys)


def test_a_tagger_is_believed_where_a_name_is_all_there_is():
    def told(name, end):
        done = Replacement(0, end, 0, 1, "PERSON", 1, 0.6, "tagger.v1:fast", "redact.v1")
        return naming.says_who(name, Anonymized("x", Report("", "", "", "", {}, (done,))))

    assert told("mark_white", 10) and not told("mark_white", 4)
    assert not told("grace_period", 5) and not told("mark", 4)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.json", b'[{"ann@example.org": "ann@example.org"}, {"ann@example.org": 1}]'),
        ("a.yaml", b"- ann@example.org: ann@example.org\n- ann@example.org: 1"),
        ("a.xml", b"<r><a>ann@example.org</a><a>ann@example.org</a><a>ann@example.org</a></r>"),
    ],
)
def test_who_only_looks_finds_all_that_repeats(name, data):
    import io
    from functools import partial
    from pathlib import PurePath

    from scrubjay import formats

    rows = []
    how = How(False, False, False, False, None, "utf-8")
    look = partial(_look, ENGINE, rows, how)
    kind = formats.of(PurePath(name), io.BytesIO(data))
    formats.make(kind).convert(io.BytesIO(data), io.BytesIO(), Work(look))
    assert [row["label"] for row in rows].count("EMAIL") == 3


def test_keys_that_stand_twice_in_an_object_are_both_read_and_both_stay():
    told = clean("a.json", b'{"mrn": "Q7", "mrn": "Q8", "Ann Lee": 1, "Ann Lee": 2}')
    assert told == b'{"mrn": "[MRN]", "mrn": "[MRN]", "[PERSON]": 1, "[PERSON] 2": 2}'
