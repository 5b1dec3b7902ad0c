"""Workbooks: a planter walks every place that holds text; openpyxl and calamine read what comes."""

import contextlib
import datetime
import io
import re
import zipfile

import pytest
from format_office import left, packed, unpacked
from format_office import planted as plant_all

pytest.importorskip("lxml")
openpyxl = pytest.importorskip("openpyxl")
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from openpyxl.chart import BarChart, Reference  # noqa: E402
from openpyxl.comments import Comment  # noqa: E402
from openpyxl.formatting.rule import CellIsRule, FormulaRule  # noqa: E402
from openpyxl.styles import Font, PatternFill  # noqa: E402
from openpyxl.workbook.defined_name import DefinedName  # noqa: E402
from openpyxl.worksheet.datavalidation import DataValidation  # noqa: E402
from openpyxl.worksheet.hyperlink import Hyperlink  # noqa: E402
from openpyxl.worksheet.table import Table  # noqa: E402

import scrubjay  # noqa: E402
from scrubjay import formats  # noqa: E402
from scrubjay.errors import InputError  # noqa: E402
from scrubjay.formats import formula, kinds  # noqa: E402
from scrubjay.formats.work import Work  # noqa: E402
from scrubjay.report import unchanged  # noqa: E402
from scrubjay.testing import FakeDetector, blanked, check_format  # noqa: E402

ENGINE = scrubjay.load(
    "everything", profile="patterns", detectors=[FakeDetector({"Zora Quillfeather": "PERSON"})]
)


def convert(data, clean=ENGINE.stream, group=""):
    sink, work = io.BytesIO(), Work(clean)
    formats.make("xlsx.v1", group=group).convert(io.BytesIO(data), sink, work)
    return sink.getvalue(), work


def same(documents):
    return map(unchanged, documents)


def saved(book):
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def opened(data, **options):
    return openpyxl.load_workbook(io.BytesIO(data), **options)


def patients():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["patient_name", "mrn", "dob", "dose", "note", "ok"])
    day = datetime.date(1950, 1, 2)
    sheet.append(["Brightwater", 4481923, day, 2.5, "Brightwater is well, she says", True])
    sheet.append(["Vandermolen", 4481924, day, 5, "fine", False])
    sheet["G2"] = "=D2*2"
    sheet["A1"].font = Font(name="Arial", bold=True)
    sheet.column_dimensions["A"].width = 33
    sheet.freeze_panes = "A2"
    sheet.merge_cells("H1:I1")
    return book


def test_a_table_in_a_sheet():
    sheet = opened(convert(saved(patients()))[0]).active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(max_col=7)]
    assert rows[0] == ["patient_name", "mrn", "dob", "dose", "note", "ok", None]
    assert rows[1] == [
        "[PERSON]",
        "[MRN]",
        "[BIRTH_DATE]",
        2.5,
        "[PERSON] is well, she says",
        True,
        "=D2*2",
    ]
    assert sheet["A1"].font.b and sheet["A1"].font.name == "Arial" and sheet.freeze_panes == "A2"
    assert sheet.column_dimensions["A"].width == 33 and str(sheet.merged_cells) == "H1:I1"


def test_another_reader_reads_it_too():
    calamine = pytest.importorskip("python_calamine")
    book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(convert(saved(patients()), same)[0]))
    rows = book.get_sheet_by_index(0).to_python()
    assert rows[1][:6] == [
        "Brightwater",
        4481923,
        datetime.date(1950, 1, 2),
        2.5,
        "Brightwater is well, she says",
        True,
    ]


def test_days_stay_days_when_they_are_shifted():
    policy = scrubjay.Policy("p", rules={"DATE": scrubjay.Rule("shift.v1")})
    book = openpyxl.Workbook()
    book.active.append(["mrn", "visit_date"])
    for day in (3, 10):
        book.active.append([17, datetime.datetime(2020, 6, day)])
    out = opened(convert(saved(book), scrubjay.load(policy).stream)[0]).active
    first, second = out["B2"].value, out["B3"].value
    assert first != datetime.datetime(2020, 6, 3) and second - first == datetime.timedelta(7)


def planted():
    """An identifier wherever a workbook of openpyxl's holds text, and more in raw parts."""
    secrets = []

    def secret():
        secrets.append(f"plant{len(secrets)}@example.org")
        return secrets[-1]

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "ssn 536-90-4399"
    sheet.append(["note", secret()])
    sheet.append([f"mail {secret()} now", 5.5])
    sheet["C1"] = f'=IF(A1="{secret()}","{secret()}","x")'
    sheet["C2"] = "='ssn 536-90-4399'!A1"
    sheet["C3"] = f"=Unknown[{secret()}]"
    sheet["D1"].comment = Comment(secret(), secret())
    sheet["D1"].number_format = f'0"{secret()}"'
    sheet["D1"].font = Font(name=secret())
    sheet["E1"].hyperlink = f"mailto:{secret()}"
    sheet["E1"].value = secret()
    rule = DataValidation("list", formula1=f'"{secret()},b"', showErrorMessage=True)
    rule.prompt, rule.promptTitle, rule.error, rule.errorTitle = (
        secret(),
        secret(),
        secret(),
        secret(),
    )
    rule.add("A5")
    sheet.add_data_validation(rule)
    fill = PatternFill(bgColor="FF0000")
    sheet.conditional_formatting.add("A1:A9", CellIsRule("equal", [f'"{secret()}"'], fill=fill))
    sheet.conditional_formatting.add("A1:A9", FormulaRule([f'A1="{secret()}"'], fill=fill))
    sheet.oddHeader.center.text, sheet.evenFooter.left.text = secret(), secret()
    sheet.sheet_properties.codeName = secret()
    sheet.auto_filter.ref = "A1:B3"
    sheet.auto_filter.add_filter_column(0, [secret()])
    sheet.add_table(Table(displayName="T1", ref="A1:B2", comment=secret()))
    book.defined_names["one"] = DefinedName("one", attr_text=f'"{secret()}"', comment=secret())
    book.properties.creator, book.properties.title = secret(), secret()
    book.properties.keywords, book.properties.lastModifiedBy = secret(), secret()
    for state in ("hidden", "veryHidden"):
        other = book.create_sheet(state)
        other.append([secret()])
        other.sheet_state = state
    data = _raw(saved(book), secret)
    return data, [*secrets, "536-90-4399"]


def _raw(data, secret):
    """Parts that openpyxl does not write."""
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(sink, "w") as new:
        for info in old.infolist():
            body = old.read(info)
            if info.filename == "xl/worksheets/sheet1.xml":
                cell = f'<c r="Z1" t="str"><f>"a"&amp;"b"</f><v>{secret()}</v></c>'
                cell += f'<c r="AA1" t="inlineStr"><is><r><t>{secret()[:9]}</t></r></is></c>'
                escaped = "".join(f"_x{ord(c):04X}_" for c in secret())
                cell += f'<c r="AB1" t="inlineStr"><is><t>{escaped}</t></is></c>'
                cell += f'<c r="AC1" t="d"><v>{secret()}</v></c>'
                body = body.replace(b"</c></row>", b"</c>" + cell.encode() + b"</row>", 1)
                more = f"<!-- {secret()} -->" + "".join(
                    f'<{name} name="{secret()}"><a name="{secret()}">{secret()}</a></{name}>'
                    for name in ("customSheetViews", "scenarios", "protectedRanges", "extLst")
                )
                body = body.replace(b"</worksheet>", f"{more}</worksheet>".encode())
            new.writestr(info.filename, body)
        for name in (
            "customXml/item1.xml", "xl/externalLinks/externalLink1.xml", "xl/pivotCache/p.xml",
            "xl/persons/person.xml", "xl/threadedComments/t.xml", "xl/drawings/drawing9.xml",
            "xl/charts/chart1.xml", "xl/connections.xml", "xl/media/image1.png",
            "xl/charts/chartEx1.xml", "xl/slicers/slicer1.xml", "xl/queryTables/q.xml",
            "xl/model/item.data", "xl/richData/values.xml", "docMetadata/LabelInfo.xml",
            "customXml/item2.xml", "xl/vbaProject.bin",
        ):  # fmt: skip
            new.writestr(name, f"<a>{secret()}</a>")
        new.comment = secret().encode()
    return sink.getvalue()


def test_nothing_planted_is_left():
    data, secrets = planted()
    out, work = convert(data)
    with zipfile.ZipFile(io.BytesIO(out)) as file:
        told = out + b"".join(n.encode() + file.read(n) for n in file.namelist())
    for encoded in (told, re.sub(rb"_x00([0-9A-F]{2})_", lambda m: bytes([int(m[1], 16)]), told)):
        assert not [s for s in secrets if s.encode() in encoded or s.encode("utf-16-le") in encoded]
    book = opened(out)
    assert [sheet.sheet_state for sheet in book] == ["visible", "hidden", "veryHidden"]
    first = book.worksheets[0]
    assert first.title == "ssn SSN" and first["C2"].value == "='ssn SSN'!A1"
    assert first["C1"].value == '=IF(A1="[EMAIL]","[EMAIL]","x")'
    assert first["D1"].comment.text == "[EMAIL]" and first["A2"].value == "mail [EMAIL] now"
    assert first.data_validations.dataValidation[0].formula1 == '"[EMAIL],b"'
    told = {"custom XML", "pivot table", "link to another file", "chart", "slicer", "query"}
    assert told | {"macro"} <= set(work.left_out)


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("SUM(A1:B$2)*1.5E3", "SUM(A1:B$2)*1.5E3"),
        ('"Ann"&A1', '"?"&A1'),
        ("'It''s'!A1+Data!$B:$B", "'new'!A1+'d'!$B:$B"),
        ("rate*2", "r*2"),
        ("Other!A1", None),
        ("[1]Data!A1", None),
        ("Table1[name]", None),
        ("Smith(1)", None),
        ('"open', None),
        ("IF(A1=TRUE,#N/A,{1,2;3})", "IF(A1=TRUE,#N/A,{1,2;3})"),
    ],
)
def test_formulas_are_kept_if_all_of_them_is_understood(text, new):
    sheets, names = {"it's": "new", "data": "d"}, {"rate": "r"}
    assert formula.written(text, lambda said: "?", sheets, names) == new


def test_a_name_that_a_formula_puts_together_goes_with_the_formula():
    book = openpyxl.Workbook()
    book.active["A1"] = '="Zora "&"Quillfeather"'
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(book))) as old, zipfile.ZipFile(sink, "w") as new:
        for name in old.namelist():
            body = (
                old.read(name)
                .replace(b"<v />", b"<v>Zora Quillfeather</v>")
                .replace(b"<v></v>", b"<v>Zora Quillfeather</v>")
                .replace(b"<v/>", b"<v>Zora Quillfeather</v>")
            )
            new.writestr(name, body.replace(b'<c r="A1">', b'<c r="A1" t="str">'))
    out, work = convert(sink.getvalue())
    assert opened(out).active["A1"].value == "[PERSON]" and work.left_out["formula"] == 1


DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def shared(texts, cells):
    """A workbook whose cells point to shared texts, as the big programs write them."""
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(openpyxl.Workbook()))) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    link = f'<Relationship Id="rId9" Type="{LINK}/sharedStrings" Target="sharedStrings.xml"/>'
    rels = "xl/_rels/workbook.xml.rels"
    parts[rels] = parts[rels].replace(b"</Relationships>", link.encode() + b"</Relationships>")
    parts["xl/sharedStrings.xml"] = f'<sst xmlns="{MAIN}">{texts}</sst>'.encode()
    data = f'<worksheet xmlns="{MAIN}"><sheetData>{cells}</sheetData></worksheet>'
    parts["xl/worksheets/sheet1.xml"] = data.encode()
    with zipfile.ZipFile(sink, "w") as new:
        for name, body in parts.items():
            new.writestr(name, body)
    return sink.getvalue()


def test_shared_texts_are_cleaned_where_they_stand():
    texts = "<si><t>patient_name</t></si><si><t>town</t></si><si><t>Paris</t></si>"
    texts += "<si><r><t>jo@exa</t></r><r><t>mple.org</t></r><rPh sb='0' eb='1'><t>jo</t></rPh></si>"
    cells = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>'
    cells += '<row r="3"><c r="A3" t="s"><v>2</v></c><c r="B3" t="s"><v>3</v></c></row>'
    cells += '<row r="4"><c r="B4"><f t="shared" ref="B4:B5" si="0">1+1</f><v>2</v></c></row>'
    cells += '<row r="5"><c r="B5"><f t="shared" si="0"/><v>2</v></c></row>'
    out, work = convert(shared(texts, cells))
    sheet = opened(out).active
    assert [sheet[c].value for c in ("A1", "C1")] == ["patient_name", "town"]
    assert [sheet[c].value for c in ("A3", "B3")] == ["[PERSON]", "[EMAIL]"]
    assert sheet["B4"].value == "=1+1" and opened(out, data_only=True).active["B5"].value == 2
    assert work.left_out["reading of a cell"] == 1


@pytest.mark.parametrize(
    "cells",
    [
        '<row r="1"><c r="A1" t="s"><v>7</v></c></row>',
        '<row r="2"/><row r="1"/>',
        '<row r="1"><c r="B1"/><c r="A1"/></row>',
        '<row r="1"><c r="ZZZ1"/></row>',
        '<row r="9999999999999999999"/>',
    ],
)
def test_cells_that_cannot_be_are_refused(cells):
    with pytest.raises(InputError):
        convert(shared("", cells))


def test_kind_and_group():
    data = saved(patients())
    assert kinds.sample(data, "a.bin") == "xlsx.v1"
    found = []

    def look(documents):
        for document in documents:
            found.append(document)
            yield unchanged(document)

    convert(data, look, group="mrn")
    assert {d.group for d in found if "row 2" in d.id} == {"4481923"}
    with pytest.raises(InputError, match="no column"):
        convert(data, group="x")


def test_hostile_workbooks():
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("xl/workbook.xml", b"<a>" + b" " * 9_000_000)
    with pytest.raises(InputError, match="unpacked"):
        convert(bomb.getvalue())
    good = saved(patients())
    entity = b'<!DOCTYPE a [<!ENTITY b "c">]>'
    for part in ("xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml"):
        sink = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(good)) as old, zipfile.ZipFile(sink, "w") as new:
            for name in old.namelist():
                body = old.read(name)
                body = re.sub(rb"^<\?xml.*?\?>\s*", b"", body)
                new.writestr(name, entity + body if name == part else body)
        with pytest.raises(InputError, match="document type"):
            convert(sink.getvalue())


@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_damaged_workbooks_are_refused_and_nothing_else(data):
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(patients()))) as old, zipfile.ZipFile(sink, "w") as new:
        names = old.namelist()
        bad = data.draw(st.sampled_from(names))
        for name in names:
            body = bytearray(old.read(name))
            if name == bad:
                at = data.draw(st.integers(0, len(body) - 1))
                body[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=4))
            new.writestr(name, bytes(body))
    whole = sink.getvalue()
    if data.draw(st.booleans()):
        whole = whole[: data.draw(st.integers(0, len(whole)))]
    with contextlib.suppress(InputError):
        convert(whole, same)


def drawn():
    """A chart with a title, cached values of cells, and one that looks elsewhere; a shape."""
    book = patients()
    book.active.title = "Zora Quillfeather"
    chart = BarChart()
    chart.title = "Dose of Zora Quillfeather"
    chart.add_data(Reference(book.active, min_col=4, min_row=1, max_row=3), titles_from_data=True)
    chart.set_categories(Reference(book.active, min_col=2, min_row=2, max_row=3))
    book.active.add_chart(chart, "J2")
    parts = unpacked(saved(book))
    body = parts["xl/charts/chart1.xml"].decode()
    points = '<numCache><formatCode>General</formatCode><pt idx="0"><v>4481923</v></pt></numCache>'
    body = re.sub("</f></(num|str)Ref>", rf"</f>{points}</\1Ref>", body)
    away = "<ser><idx val='1'/><val><numRef><f>[1]Data!$A$1</f></numRef></val></ser>"
    parts["xl/charts/chart1.xml"] = body.replace("</ser>", "</ser>" + away, 1)
    shape = (
        """<sp macro="Quillfeather" textlink="'Zora Quillfeather'!$B$2"><nvSpPr>"""
        '<cNvPr id="9" name="Shape 9" descr="of Zora Quillfeather"/><cNvSpPr/></nvSpPr><txBody>'
        f'<a:p xmlns:a="{DRAWING}"><a:fld type="TxLink"><a:t>4481923</a:t></a:fld></a:p></txBody>'
    )
    body = parts["xl/drawings/drawing1.xml"].decode()
    anchor = body[body.index("<oneCell") : body.index("<graphicFrame>")]
    other = f"{anchor}{shape}</sp><clientData/></oneCellAnchor></wsDr>"
    parts["xl/drawings/drawing1.xml"] = body.replace("</wsDr>", other)
    return packed(parts)


def test_charts_stay_without_their_copies_of_cells():
    out, work = convert(drawn())
    assert not left(out, ["Quillfeather", "4481923"])
    parts = {name: data.decode("latin-1") for name, data in unpacked(out).items()}
    chart = parts["xl/chart.xml"]
    assert "Dose of [PERSON]" in chart and "<f>'PERSON'!$D$2:$D$3</f>" in chart
    assert "Data!" not in chart and work.left_out["formula"] == 1
    assert "textlink=\"'PERSON'!$B$2\"" in parts["xl/drawing.xml"]


def test_what_shows_a_chart_that_is_left_out_goes():
    parts = unpacked(drawn())
    related = "xl/drawings/_rels/drawing1.xml.rels"
    parts[related] = parts[related].replace(b'/chart"', b'/chartEx"')
    out, work = convert(packed(parts))
    assert b"graphicFrame" not in unpacked(out)["xl/drawing.xml"] and work.left_out["chart"] == 1


SAID = "http://schemas.microsoft.com/office/2017/10/relationships"
ANN, BOB = "{11111111-AAAA-4BBB-8CCC-222222222222}", "{33333333-AAAA-4BBB-8CCC-444444444444}"
THREAD = (
    f'<threadedComment ref="A2" dT="2024-03-05T10:00:00.00" personId="{ANN}" id="{ANN}"><text>Is '
    f'Brightwater in?</text></threadedComment><threadedComment ref="A2" personId="{BOB}" '
    f'id="{BOB}" parentId="{ANN}"><text>@Zora Quillfeather knows</text><mentions><mention '
    f'mentionpersonId="{ANN}" mentionId="{ANN}"/></mentions></threadedComment>'
)


def linked():
    """Links to addresses and cells; a thread of comments, as Excel writes it, of two people."""
    book = patients()
    sheet = book.active
    sheet.title = "Zora Quillfeather"
    sheet["A2"].comment = Comment("[Threaded comment] Is Brightwater in?", f"tc={ANN}")
    sheet["E3"].comment = Comment("plain", "Zora Quillfeather")
    sheet["E2"].hyperlink = "of/4481923.html?n=Zora%20Quillfeather"
    sheet["E2"].hyperlink.tooltip = "of Zora Quillfeather"
    sheet["F2"].hyperlink = "help.html"
    sheet["F3"].hyperlink = Hyperlink(ref="F3", location="'Zora Quillfeather'!A1", display="x")
    sheet["C3"].hyperlink = Hyperlink(ref="C3", location="no such place")
    parts = unpacked(saved(book))
    space = "http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"
    people = f'<person displayName="Zora Quillfeather" id="{ANN}" userId="q" providerId="AD"/>'
    people += people.replace(ANN, BOB)
    for name, kind, root, inside, where in (
        ("xl/threadedComments/t1.xml", "threadedComment", "ThreadedComments", THREAD, SHEET),
        ("xl/persons/person.xml", "person", "personList", people, "workbook.xml"),
    ):
        parts[name] = f'<{root} xmlns="{space}">{inside}</{root}>'.encode()
        folder, base = f"xl/{where}".rsplit("/", 1)
        link = f'<Relationship Id="rIdT" Type="{SAID}/{kind}" Target="/{name}"/></Relationships>'
        rels = f"{folder}/_rels/{base}.rels"
        parts[rels] = parts[rels].replace(b"</Relationships>", link.encode())
        told = f'<Override PartName="/{name}" ContentType="application/vnd.ms-excel.'
        told += f'{"threadedcomments" if kind == "threadedComment" else kind}+xml"/></Types>'
        types = "[Content_Types].xml"
        parts[types] = parts[types].replace(b"</Types>", told.encode())
    return packed(parts)


SHEET = "worksheets/sheet1.xml"


def test_links_stay_clean():
    out, work = convert(linked())
    sheet = opened(out).active
    assert sheet["E2"].hyperlink.target == "of/%5BMRN%5D.html?n=%5BPERSON%5D"
    assert sheet["E2"].hyperlink.tooltip == "of [PERSON]"
    assert sheet["F2"].hyperlink.target == "help.html"
    assert sheet["F3"].hyperlink.location == "'PERSON'!A1" and not sheet["C3"].hyperlink
    assert work.left_out["hyperlink"] == 1 and not left(out, ["4481923", "Quillfeather"])


def test_threads_of_comments_stay_clean():
    out, work = convert(linked())
    parts = {name: data.decode("latin-1") for name, data in unpacked(out).items()}
    assert not left(out, ["Quillfeather", "Brightwater", "2024-03-05"])
    thread, people = parts["xl/threadedComment.xml"], parts["xl/person.xml"]
    assert "<text>Is [PERSON] in?</text>" in thread and "<text>[PERSON] knows</text>" in thread
    assert work.left_out["mention"] == 1 and people.count('displayName="[PERSON]"') == 2
    assert not left(people.encode(), [ANN, BOB]) and f'personId="{ANN}"' not in thread
    for number in (1, 2):
        who = f'="{{00000000-0000-0000-0000-00000000000{number}}}"'
        assert f"personId{who}" in thread and f" id{who}" in people
    sheet = opened(out).active
    assert sheet["A2"].comment.author == f"tc={ANN}"
    assert sheet["A2"].comment.text.startswith("Is [PERSON] in?")
    assert sheet["E3"].comment.text == "plain"


@pytest.mark.parametrize("folder", ["xl/drawings/", "xl/charts/", "xl/worksheets/", "xl/workbook"])
def test_every_string_is_looked_at(folder):
    """A value in all texts and attributes of a part, with an engine that replaces all it sees."""
    parts = {name: data.decode() for name, data in unpacked(drawn()).items()}
    for name in [name for name in parts if name.startswith(folder)]:
        with contextlib.suppress(InputError):
            every = {**parts, name: plant_all(parts[name], "Zqxv Plant")}
            out, _ = convert(packed(every), lambda documents: map(blanked, documents))
            assert not left(out, ["Zqxv Plant"]), name


def test_contract():
    check_format(formats.make("xlsx.v1"), saved(patients()))
