"""Records in files of all kinds: a name under a key, in a column or an element is known in the free
text of its record; codes, units and values stay."""

import io
import json
import re

import pytest
from format_office import docx_parts, odt_parts, packed, unpacked
from format_text import clean

import scrubjay
from scrubjay import Policy, Rule

ENGINE = scrubjay.load("everything", profile="patterns")
NAMES = ("quarles", "quentin", "thrale", "vexler", "zubrickle")
STAYS = ("Amoxil", "5 mg", "8480-6", "is well", "Mark it")

ROWS = """["Quentin", "Quarles", "5 mg", "8480-6", "quentin Quarles is well. Mark it"],
["Otto", "Vexler", "6 mg", "8480-6", "Vexler takes Amoxil"]"""
HEAD = '["first_name", "last_name", "dose", "loinc", "note"]'
FILES = {
    "a.log": r"""
req0 {"last_name": "Quarles", "dose": "5 mg", "note": "Quarles is well"} Quarles
req1 call="{\"last_name\": \"Quarles\", \"loinc\": \"8480-6\", \"note\": \"for Quarles\"}" Quarles
req2 sent {'patient_name': 'Mina Thrale', 'text': 'Mrs. Thrale'}
req3 INSERT INTO p (mrn, last_name, note) VALUES (1, 'O''Vexler', 'O''Vexler'), (2, 'Thrale', '');
req4 patient_name="Ottilie Vexler" level="info" text="Ms. Vexler has Amoxil"
req5 POST first_name=Quentin&last_name=Zubrickle%2C+x&text=spoke+to+quentin+Zubrickle&dose=5 mg
req6 GET /find?last_name=%51uarles&q=Mark it 200
""",
    "a.md": """# Mrs. Thrale, seen by quentin

| Last name | **First name** | Dose | LOINC | Note |
|:----------|:--------------:|------|-------|------|
| Quarles | Quentin | 5 mg | 8480-6 | Quarles \\| quentin is well. Mark it |
Thrale | Mina | 6 mg | 8480-6 | Thrale takes Amoxil

* Quarles again
""",
    "printed.txt": """
 last_name | dose |  loinc | note
-----------+------+--------+-------------------
 Quarles   | 5 mg | 8480-6 | Quarles is well
 Thrale    | 6 mg | 8480-6 | Thrale has Amoxil
(2 rows)

+-----------+----------+
| last_name | note     |
+-----------+----------+
| Vexler    | Vexler   |
+-----------+----------+
Vexler, Quarles. Mark it
""",
    "fixed.txt": """List of Mrs. Thrale
NAME            MRN     DOSE  LOINC  NOTE
Quarles Quentin 448192  5 mg 8480-6  Quarles is well
Thrale Mina     448193 15 mg 8480-6  Thrale has Amoxil

quentin Quarles. Mark it
""",
    "split.json": f'{{"columns": {HEAD}, "index": [[1], [2]], "data": [{ROWS}]}}',
    "rows.json": f'{{"x": {{"fields": {HEAD}, "rows": [{ROWS}]}}, "about": "Quarles, Vexler"}}',
    "schema.json": """{"data": [["Quarles", "5 mg", "8480-6", "Quarles takes Amoxil, is well"],
        ["Thrale", "6 mg", "8480-6", "Thrale. Mark it"]], "schema": {"fields": [
        {"name": "last_name"}, {"name": "dose"}, {"name": "loinc"}, {"name": "note"}]}}""",
    "header.json": f"[{HEAD}, {ROWS}]",
    "columns.json": """{"last_name": ["Quarles", "Thrale"], "loinc": ["8480-6", "8480-6"],
        "note": ["Quarles is well", "Mrs. Thrale has Amoxil, 5 mg. Mark it"]}""",
    "frame.json": """{"last_name": {"0": "Quarles", "1": "Thrale"},
        "dose": {"0": "5 mg", "1": "8480-6"},
        "note": {"0": "Quarles is well", "1": "Mrs. Thrale has Amoxil. Mark it"}}""",
    "index.json": """{"0": {"last_name": "Quarles", "note": "Quarles is well. Mark it"},
        "1": {"last_name": "Thrale", "note": "Thrale: Amoxil, 8480-6, 5 mg"}}""",
    "a.xml": """
<export><patients><patient>
  <FirstName>Quentin</FirstName><name use="usual"><family>Quarles</family></name>
  <dose>5 mg</dose><loinc code="8480-6"/><!-- for Quarles -->
  <note>Spoke to quentin again, <b>Quarles</b> is well. Mark it</note>
  <contact><name>Ottilie Vexler</name></contact>
</patient><patient last="Thrale" text="Mrs. Thrale">
  <drug><name>Amoxil</name></drug><note>Ms. Vexler</note>
</patient></patients></export>
""",
    "a.html": """<title>Quarles</title><h1 title="for Quarles">Quarles</h1><!-- <b>Quarles</b> -->
<table><tr><th>First name<th>Last name<th>Dose<th>LOINC<th>Note</tr>
<tr><td>Quentin<td>Quarles<td>5 mg<td>8480-6<td>Spoke to quentin again, <i>Quarles</i> is well</tr>
<tr><td>Mina<td>Thrale<td>6 mg<td>8480-6<td title="Thrale">Thrale takes Amoxil. Mark it</table>
<table><tr><td>Last name:<td>Vexler<tr><td>Notes<td>Mrs. Vexler</table><p>Vexler was here
<dl><dt>Surname<dd>Zubrickle<dt>Note<dd>Zubrickle</dl><ul><li>Thrale<li>Zubrickle</ul>""",
    "a.yaml": """
patients:
- first_name: Quentin
  last_name: Quarles
  dose: 5 mg   # for Quarles
  loinc: 8480-6
  note: Spoke to quentin again, Quarles is well. Mark it
  contact: {name: Ottilie Vexler}
- {last_name: Thrale, drug: {name: Amoxil}, note: "Mrs. Thrale, Ms. Vexler"}
""",
    "a.toml": """
[[patients]]
first_name = "Quentin"
last_name = "Quarles"
dose = "5 mg"   # for Quarles
loinc = "8480-6"
note = "Spoke to quentin again, Quarles is well. Mark it"
contact.name = "Ottilie Vexler"
[[patients]]
last_name = "Thrale"
drug = { name = "Amoxil" }
[[patients.notes]]
text = "Mrs. Thrale, Ms. Vexler"
""",
}


@pytest.mark.parametrize("name", FILES)
def test_a_name_in_one_field_goes_in_all_of_its_record(name):
    told = clean(name, FILES[name].encode(), ENGINE).decode()
    assert not [one for one in NAMES if one in told.lower()]
    assert not [one for one in STAYS if one not in told]


def test_in_a_long_list_each_speaks_for_itself():
    rows = [{"last_name": f"Quarl{'abcdefghijklmnopqrstuvwxyz'[i % 26]}{i}x", "note": ""}
            for i in range(215)]  # fmt: skip
    for row in rows:
        row["note"] = f"seen: {row['last_name']}, and well"
    told = clean("a.json", json.dumps({"patients": rows}).encode(), ENGINE)
    assert b"Quarl" not in told


def test_cells_in_lines_of_one_width_keep_their_places():
    old, new = FILES["fixed.txt"], clean("a.txt", FILES["fixed.txt"].encode(), ENGINE).decode()
    rows = list(zip(old.splitlines(), new.splitlines(), strict=True))[2:4]
    assert [told.index("8480-6") for _, told in rows] == [row.index("8480-6") for row, _ in rows]
    assert rows[1][1] == "[PERSON]        [MRN]  15 mg 8480-6  [PERSON] has Amoxil"
    prose = b"Name and  dose of it\nare   told in two columns\n\nof  names  and\nvalues.\n"
    assert clean("a.txt", prose, ENGINE) == prose


def test_a_line_of_a_log_stays_what_it_is():
    told = clean("a.log", FILES["a.log"].encode(), ENGINE).decode().splitlines()
    assert json.loads(told[1].removeprefix("req0 ").rpartition(" ")[0])["dose"] == "5 mg"
    call = told[2].removeprefix("req1 call=").rpartition(" ")[0]
    assert json.loads(json.loads(call)) == {
        "last_name": "[PERSON]", "loinc": "8480-6", "note": "for [PERSON]"}  # fmt: skip
    assert told[4] == (
        "req3 INSERT INTO p (mrn, last_name, note) VALUES (1, '[PERSON]', '[PERSON]'), "
        "(2, '[PERSON]', '');"
    )
    assert told[5] == 'req4 patient_name="[PERSON]" level="info" text="Ms. [PERSON] has Amoxil"'
    plain = b'req0 INFO {"n": [1, "x"]} a="b" c=d&e=f "\\" {[ INSERT INTO t (a) VALUES (1)\n'
    assert clean("a.log", plain, ENGINE) == plain


def test_columns_of_any_length_have_rows():
    names = [f"Quarl{'abcdefghij'[i % 10]}{i}x" for i in range(215)]
    data = {"last_name": names, "note": [f"seen: {name}, and well" for name in names]}
    assert b"Quarl" not in clean("a.json", json.dumps(data).encode(), ENGINE)


def test_names_of_columns_stay():
    told = json.loads(clean("a.json", FILES["schema.json"].encode(), ENGINE))
    names = [one["name"] for one in told["schema"]["fields"]]
    assert names == ["last_name", "dose", "loinc", "note"]
    told = json.loads(clean("a.json", FILES["header.json"].encode(), ENGINE))
    assert told[0] == json.loads(HEAD)


def test_a_long_file_of_xml_has_records_too():
    row = "<p><note>{0} is well</note><id>{1}</id><LastName>{0}</LastName>{2}</p>"
    rows = [row.format(f"Quarl{'abcdefghij'[i % 10]}{i}x", i, " " * (i * 41 % 1600))
            for i in range(150)]  # fmt: skip
    for wrap in ("<r>{}</r>", "<r><a/><rows>{}</rows></r>"):
        told = clean("a.xml", wrap.format("".join(rows)).encode(), ENGINE)
        assert b"Quarl" not in told and told.count(b"is well") == 150


def test_a_name_is_whose_it_stands_in():
    things = {"drug": "Amoxil", "step": "Zyntal", "departments": "Ozley", "tests": "Zyntor"}
    data = {thing: [{"name": name}] for thing, name in things.items()}
    people = {"patient": "Quarles", "providers": "Vexler", "city": "Oxley", "company": "Zyntex"}
    data |= {who: {"name": name} for who, name in people.items()}
    told = json.loads(clean("a.json", json.dumps(data).encode(), ENGINE))
    assert {thing: told[thing] for thing in things} == {thing: data[thing] for thing in things}
    labels = [told[who]["name"] for who in people]
    assert labels == ["[PERSON]", "[PERSON]", "[CITY]", "[EMPLOYER]"]


def test_a_year_of_birth_agrees_with_the_day():
    rules = dict.fromkeys(["BIRTH_DATE", "YEAR"], Rule("shift.v1"))
    rows = [f"{i},{1950 + i},1,{day},{1950 + i}-01-{day:02} 00:00:00"
            for i in range(9) for day in (1, 2, 30)]  # fmt: skip
    head = "patient_id,year_of_birth,month_of_birth,day_of_birth,birth_datetime"
    data = "\n".join([head, *rows]).encode()
    engine = scrubjay.load(Policy("p", rules), profile="patterns")
    for line in clean("a.csv", data, engine).decode().splitlines()[1:]:
        _, *parts, day = line.split(",")
        assert list(map(int, parts)) == list(map(int, day[:10].split("-")))
    told = clean("a.csv", data, scrubjay.load("gdpr-pseudonymise", profile="patterns")).decode()
    assert all(line.split(",")[1] == line.split(",")[4] for line in told.splitlines()[1:])


LISTED = [["Last name", "Dose", "LOINC", "Note"], ["Quarles", "5 mg", "8480-6", "Quarles is well"],
          ["Rose", "6 mg", "8480-6", "has Amoxil. Mark it"]]  # fmt: skip
BESIDE = [["Surname:", "Thrale"], ["MRN:", "44-0815"], ["Notes", "Mrs. Thrale"]]


def _docx(tables):
    body = "".join(
        "<w:tbl>" + "".join("<w:tr>" + "".join(
            f"<w:tc><w:p><w:r><w:t>{cell[:3]}</w:t></w:r><w:r><w:t>{cell[3:]}</w:t></w:r></w:p></w:tc>"
            for cell in row) + "</w:tr>" for row in rows) + "</w:tbl><w:p/>"
        for rows in tables
    )  # fmt: skip
    parts = docx_parts()
    text = parts["word/document.xml"]
    return packed(parts | {"word/document.xml": text.replace("<w:body>", "<w:body>" + body)})


def _odt(tables):
    body = "".join(
        "<table:table>" + "".join("<table:table-row>" + "".join(
            f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in row)
            + "</table:table-row>" for row in rows) + "</table:table>" for rows in tables
    )  # fmt: skip
    parts = odt_parts()
    text = parts["content.xml"]
    return packed(parts | {"content.xml": text.replace("<office:text>", "<office:text>" + body)})


def _pptx(tables):
    from pptx import Presentation

    made, target = Presentation(), io.BytesIO()
    shapes = made.slides.add_slide(made.slide_layouts[6]).shapes
    for rows in tables:
        table = shapes.add_table(len(rows), len(rows[0]), 0, 0, 999, 999).table
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                table.cell(i, j).text = cell
    made.save(target)
    return target.getvalue()


@pytest.mark.parametrize(("name", "made"), [("a.docx", _docx), ("a.odt", _odt), ("a.pptx", _pptx)])
def test_tables_of_documents_are_read_by_their_headers(name, made):
    told = unpacked(clean(name, made([LISTED, BESIDE]), ENGINE))
    text = b"".join(data for part, data in told.items() if part.endswith(".xml")).decode()
    text = re.sub("<[^>]*>", "", text)
    assert not [one for one in ("Quarles", "Rose", "Thrale", "44-0815") if one in text]
    stays = ("Last name", "Dose", "Surname:", "MRN:", "5 mg", "8480-6", "is well", "has Amoxil")
    assert not [one for one in stays if one not in text]
