"""DOCX and PPTX: nothing planted is left, structure stays, and other libraries read the result."""

import contextlib
import io
import random

import format_office
import pytest
from format_office import (
    AUTHOR,
    NAME,
    SSN,
    docx_parts,
    left,
    packed,
    planted,
    pptx_parts,
    unpacked,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import scrubjay
from scrubjay.errors import InputError
from scrubjay.formats import kinds, make
from scrubjay.formats.work import Limits, Work
from scrubjay.testing import CANARY, FakeDetector, canary, check_format

docx = pytest.importorskip("docx")
pptx = pytest.importorskip("pptx")
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MS = "http://schemas.microsoft.com/office/2007/relationships"
DIAGRAM = "openxmlformats-officedocument.drawingml.diagramData"
ENGINE = scrubjay.load(
    "everything",
    profile="patterns",
    detectors=[FakeDetector({NAME: "PERSON", CANARY: "PERSON"})],
)
SECRETS = (NAME, SSN, AUTHOR, "x@example.org", "2024-03-05")


def converted(data, name="", limits=None):
    work, target = Work(ENGINE.stream, limits=limits or Limits()), io.BytesIO()
    make(kinds.sample(data, name)).convert(io.BytesIO(data), target, work)
    return target.getvalue(), work.left_out


def test_nothing_planted_is_left():
    new, told = converted(packed(docx_parts()))
    assert not left(new, SECRETS)
    assert told["macro"] == told["thumbnail"] == told["template"] == told["building blocks"] == 1
    assert told["custom XML"] and told["document variables"] and told["image"]


def test_what_is_not_a_value_stays():
    new, _ = converted(packed(docx_parts()))
    document = docx.Document(io.BytesIO(new))
    assert document.paragraphs[0].text == "Seen by [PERSON], SSN [SSN]"
    assert [run.text for run in document.paragraphs[0].runs][:2] == ["Seen by [PERSON]", ""]
    assert [c.text for c in document.tables[0].rows[0].cells] == ["[PERSON]", "[SSN]"]
    assert document.sections[0].header.paragraphs[0].text == "[PERSON]\t[SSN]"
    assert document.core_properties.title == "About [PERSON]"
    main = unpacked(new)["word/document.xml"].decode()
    assert main.count("mark_1") == 3, "a bookmark, a field in two runs, a link"
    assert 'w:w="11906"' in main and "<w:b/>" in main and 'Requires="wps"' in main


def test_a_copy_of_a_copy():
    parts = docx_parts()
    parts["word/document.xml"] = parts["word/document.xml"].replace("delText", "t")
    check_format(make("docx.v1"), packed(parts))


@pytest.mark.parametrize(
    ("value", "made"),
    [
        *((value, docx_parts) for value in (NAME, SSN, "AnnLee", "Ann_Lee")),
        *((value, pptx_parts) for value in (NAME, "AnnLee", "Ann_Lee")),
    ],
)
def test_every_string_is_looked_at(value, made):
    """A value in all texts and attributes of one part: it is gone, or the part is not read."""
    parts = made()
    for name in [n for n in parts if n.endswith((".xml", ".rels"))]:
        broken = {**parts, name: planted(parts[name], value)}
        try:
            new, _ = converted(packed(broken))
        except InputError:
            continue
        for member, data in unpacked(new).items():
            assert not left(data, [value]), (name, member)


@pytest.mark.parametrize(
    "change",
    [
        ("<w:body>", f"<w:body><w:AnnLee>{NAME}</w:AnnLee>"),
        ("<w:body>", f'<w:body><x:a xmlns:x="urn:AnnLee">{NAME}</x:a>'),
        ("<w:body>", f"<w:body><!-- {NAME} --><?ann {NAME}?>"),
        ("<w:body>", '<w:body AnnLee="1" w:AnnLee="2">'),
        ("<w:body>", '<w:body xmlns:AnnLee="http://schemas.microsoft.com/office">'),
        ('Requires="wps"', 'Requires="AnnLee"'),
        ("<w:body>", '<w:body><w:p><w:pPr><w:x w:val="x:/%2541nn%2520Lee"/></w:pPr></w:p>'),
        ("<w:body>", "<w:body><w:binData>QW5uIExlZQ==</w:binData>"),
        ('alt="', 'src="data:text/plain;base64,QW5uIExlZQ==" alt="'),
    ],
)
def test_names_and_asides_that_nobody_knows(change):
    parts = docx_parts()
    parts["word/document.xml"] = parts["word/document.xml"].replace(*change)
    new, _ = converted(packed(parts))
    assert not left(new, [NAME])


def test_deleted_text_is_read_with_what_stood_around_it():
    new, _ = converted(packed(docx_parts()))
    main = unpacked(new)["word/document.xml"].decode()
    assert "[PERSON]</w:t>" in main and "<w:delText/>" in main and ">left<" in main


def test_the_name_of_a_content_control_says_what_is_in_it():
    """No detector knows the number. What asks for a value is none."""
    control = "<w:sdt><w:sdtPr><w:tag w:val='mrn'/>{}</w:sdtPr><w:sdtContent><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:sdtContent></w:sdt>"  # noqa: E501
    asks = control.format("<w:showingPlcHdr/>", "Enter here")
    parts = docx_parts()
    body = parts["word/document.xml"]
    more = control.format("", "4481923") + asks + "<w:p><w:r><w:t>4481923 now</w:t></w:r></w:p>"
    parts["word/document.xml"] = body.replace("<w:body>", "<w:body>" + more)
    main = unpacked(converted(packed(parts))[0])["word/document.xml"]
    assert b">[MRN]<" in main and b">[MRN] now<" in main and b">Enter here<" in main


@pytest.mark.parametrize(
    "data",
    [
        packed({**docx_parts(), "word/document.xml": "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"}),
        packed({**docx_parts(), "word/document.xml": "<a>" * 300 + "</a>" * 300}),
        packed({**docx_parts(), "word/document.xml": "<w:document"}),
        packed({**docx_parts(), "word/media/big.png": b"\0" * (1 << 23)}),
        packed({"word/document.xml": "<a/>", "[Content_Types].xml": "<Types/>"}),
        packed(docx_parts())[:-400],
    ],
)
def test_bad_packages_are_refused(data):
    with pytest.raises(InputError):
        converted(data, "a.docx")


@pytest.mark.parametrize(
    ("stream", "advice"),
    [("EncryptedPackage", "password"), ("WordDocument", r"\.docx"), ("x", "newer")],
)
def test_old_and_encrypted_files_are_refused_with_what_helps(stream, advice):
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + stream.encode("utf-16-le")
    with pytest.raises(InputError, match=advice):
        converted(data, "a.doc")


GOOD = packed(docx_parts())


@settings(max_examples=50)
@given(st.randoms(use_true_random=False))
def test_damage_is_an_input_error_or_harmless(source: random.Random):
    data = bytearray(GOOD)
    if source.random() < 0.5:
        name = source.choice([n for n in docx_parts() if n.endswith((".xml", ".rels"))])
        part = bytearray(docx_parts()[name].encode())
        for _ in range(source.randint(1, 5)):
            at = source.randrange(len(part) + 1)
            part[at : at + source.randint(0, 9)] = source.randbytes(source.randint(0, 3))
        data = bytearray(packed({**docx_parts(), name: bytes(part)}))
    else:
        for _ in range(source.randint(1, 5)):
            data[source.randrange(len(data))] = source.randrange(256)
    with contextlib.suppress(InputError):
        converted(bytes(data), "a.docx")


def test_errors_say_nothing_of_the_text():
    parts = docx_parts()
    parts["word/document.xml"] = parts["word/document.xml"].replace(
        "<w:body>", f"<w:body>{CANARY}<"
    )
    with pytest.raises(InputError):
        canary(lambda: converted(packed(parts)))


def presentation():
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches

    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[0])
    slide.shapes.title.text = f"Case of {NAME}"
    slide.placeholders[1].text = SSN
    slide.notes_slide.notes_text_frame.text = f"{NAME}, notes"
    data = CategoryChartData()
    data.categories = [NAME, "other"]
    data.add_series(NAME, (1.5, 2.25))
    place = (Inches(1), Inches(1), Inches(4), Inches(3))
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *place, data)
    table = slide.shapes.add_table(1, 2, *place).table
    table.cell(0, 0).text = NAME
    box = slide.shapes.add_textbox(*place)
    box.name = f"{NAME} box"
    run = box.text_frame.paragraphs[0].add_run()
    run.text = "link"
    run.hyperlink.address = "https://example.org/p?name=Ann%20Lee"
    made.core_properties.author = AUTHOR
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()


def test_presentations():
    new, told = converted(presentation())
    assert not left(new, SECRETS)
    made = pptx.Presentation(io.BytesIO(new))
    slide = made.slides[0]
    assert slide.shapes.title.text == "Case of [PERSON]"
    assert slide.notes_slide.notes_text_frame.text == "[PERSON], notes"
    chart = next(shape.chart for shape in slide.shapes if shape.has_chart)
    assert [list(one.values) for one in chart.series] == [[1.5, 2.25]]
    assert told["thumbnail"] and len(made.slide_layouts) == 11
    check_format(make("pptx.v1"), presentation())


def test_all_that_a_presentation_says_is_clean():
    """Sections, custom shows, notes, masters, alternative texts, comments old and new, tags."""
    new, told = converted(packed(pptx_parts()))
    assert not left(new, SECRETS) and told == {"custom XML": 7, "protection": 1}
    made = {name: data.decode() for name, data in unpacked(new).items()}
    main, said = made["ppt/presentation.xml"], made["ppt/comments2.xml"]
    assert main.count('name="[PERSON]"') == 2, "a section and a show"
    assert "Where is [PERSON]" in said and "[PERSON] left" in said
    assert said.count('created="1970-01-01T00:00:00"') == 2 and format_office.WHO not in said
    assert (
        'name="[PERSON]"' in made["ppt/authors.xml"] and "Ask [PERSON]" in made["ppt/comments.xml"]
    )
    for name in ("slide", "notesSlide", "slideMaster", "handoutMaster"):
        assert 'descr="[PERSON]"' in made[f"ppt/{name}.xml"], name


def test_days_of_a_chart_are_days():
    parts, place = unpacked(presentation()), "ppt/charts/chart1.xml"
    dated = parts[place].decode().replace("General", "m/d/yyyy").replace(">1.5<", ">45356<")
    new, _ = converted(packed({**parts, place: dated}))
    made = unpacked(new)["ppt/chart.xml"].decode()
    assert "45356" in dated and "45356" not in made and "m/d/yyyy" in made


def test_documents_of_another_library():
    made = docx.Document()
    made.add_heading(f"Report for {NAME}", 1)
    paragraph = made.add_paragraph("Seen by A")
    paragraph.add_run("nn L").bold = True
    paragraph.add_run("ee, MD.")
    made.add_comment(paragraph.runs[0], f"ask {NAME}", author=AUTHOR, initials="MG")
    made.core_properties.author = AUTHOR
    target = io.BytesIO()
    made.save(target)
    new, _ = converted(target.getvalue())
    assert not left(new, (NAME, AUTHOR))
    again = docx.Document(io.BytesIO(new))
    assert [p.text for p in again.paragraphs] == ["Report for [PERSON]", "Seen by [PERSON], MD."]
    assert [p.style.name for p in again.paragraphs] == ["Heading 1", "Normal"]
    assert next(iter(again.comments)).text == "ask [PERSON]"


def test_long_documents_are_quick():
    new, _ = converted(format_office.docx(50_000))
    assert not left(new, (NAME, SSN))


def test_files_in_files_are_cleaned_or_left_out():
    inner = packed(docx_parts())
    parts = docx_parts()
    rows = '<Relationship Id="rId30" Type="{0}/package" Target="embeddings/a.docx"/><Relationship Id="rId31" Type="{0}/oleObject" Target="embeddings/b.bin"/>'  # noqa: E501
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    related = parts["word/_rels/document.xml.rels"]
    parts["word/_rels/document.xml.rels"] = related.replace("</R", rows.format(kind) + "</R")
    new, told = converted(
        packed({**parts, "word/embeddings/a.docx": inner, "word/embeddings/b.bin": NAME})
    )
    assert not left(new, SECRETS)
    assert not left(unpacked(new)["word/embeddings/file.docx"], SECRETS)
    assert told["embedded object"] == 1 and told["embedded file"] == 0
    few = Limits(members=len(parts) + 10)  # of the outer and the inner file together
    data = packed({**parts, "word/embeddings/a.docx": inner})
    assert converted(data, limits=few)[1]["embedded file"] == 1


def test_smartart_stays():
    """Its data, and the picture of it, which its data name by a relation."""
    a = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    dgm = 'xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram"'
    dsp = 'xmlns:dsp="http://schemas.microsoft.com/office/drawing/2008/diagram"'
    text = "<a:p><a:r><a:t>Ask A</a:t></a:r><a:r><a:t>nn Lee</a:t></a:r></a:p>"
    uri = "http://schemas.microsoft.com/office/drawing/2008/diagram"
    data = f'<dgm:dataModel {a} {dgm} {dsp}><dgm:ptLst><dgm:pt modelId="1"><dgm:prSet phldrT="{NAME}"/><dgm:t>{text}</dgm:t></dgm:pt></dgm:ptLst><dgm:extLst><a:ext uri="{uri}"><dsp:dataModelExt relId="rId41" minVer="{uri}"/></a:ext></dgm:extLst></dgm:dataModel>'  # noqa: E501
    shown = f'<dsp:drawing {a} {dsp}><dsp:spTree><dsp:sp modelId="1"><dsp:nvSpPr><dsp:cNvPr id="0" name="" descr="{NAME}"/></dsp:nvSpPr><dsp:txBody>{text}</dsp:txBody></dsp:sp></dsp:spTree></dsp:drawing>'  # noqa: E501
    parts = docx_parts()
    frame = f'<w:p><w:r><w:drawing><wp:inline><a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/diagram"><dgm:relIds {dgm} r:dm="rId40"/></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>'  # noqa: E501
    parts["word/document.xml"] = parts["word/document.xml"].replace("<w:body>", "<w:body>" + frame)
    kinds = {"data": ("rId40", f"{R}/diagramData"), "drawing": ("rId41", f"{MS}/diagramDrawing")}
    rows = overrides = ""
    for stem, (id_, kind) in kinds.items():
        tail = "ms-office.drawingml.diagramDrawing" if stem == "drawing" else DIAGRAM
        overrides += f'<Override PartName="/word/diagrams/{stem}1.xml" ContentType="application/vnd.{tail}+xml"/>'  # noqa: E501
        rows += f'<Relationship Id="{id_}" Type="{kind}" Target="diagrams/{stem}1.xml"/>'
    for name, end, more in (
        ("word/_rels/document.xml.rels", "</Relationships>", rows),
        ("[Content_Types].xml", "</Types>", overrides),
    ):
        parts[name] = parts[name].replace(end, more + end)
    more = {"word/diagrams/data1.xml": data, "word/diagrams/drawing1.xml": shown}
    new, _ = converted(packed({**parts, **more}))
    made = unpacked(new)
    assert not left(new, SECRETS) and b'relId="rId41"' in made["word/diagramData.xml"]
    assert b">Ask [PERSON]<" in made["word/diagramData.xml"]
    assert b">Ask [PERSON]<" in made["word/diagramDrawing.xml"]
    assert made["word/_rels/document.xml.rels"].count(b"diagram") == 4


def test_comments_of_presentations_and_objects_in_them():
    parts = unpacked(presentation())
    main, slide = "ppt/_rels/presentation.xml.rels", "ppt/slides/_rels/slide1.xml.rels"
    space = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    parts["ppt/commentAuthors.xml"] = (
        f'<p:cmAuthorLst {space}><p:cmAuthor id="0" name="{AUTHOR}" initials="MG" lastIdx="1" clrIdx="0"/></p:cmAuthorLst>'  # noqa: E501
    )
    parts["ppt/comments/comment1.xml"] = (
        f'<p:cmLst {space}><p:cm authorId="0" dt="2024-03-05T10:00:00" idx="1"><p:pos x="10" y="10"/><p:text>Ask {NAME}</p:text></p:cm></p:cmLst>'  # noqa: E501
    )
    for place, kind, target in (
        (main, "commentAuthors", "commentAuthors.xml"),
        (slide, "comments", "../comments/comment1.xml"),
        (slide, "oleObject", "../embeddings/o.bin"),
    ):
        row = f'<Relationship Id="rId{kind}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}"/>'  # noqa: E501
        parts[place] = parts[place].decode() if isinstance(parts[place], bytes) else parts[place]
        parts[place] = parts[place].replace("</R", row + "</R")
    parts["ppt/embeddings/o.bin"] = NAME
    frame = '<p:graphicFrame><a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/presentationml/2006/ole"><p:oleObj r:id="rIdoleObject"><p:embed/><p:pic><p:nvPicPr><p:cNvPr id="77" name="kept"/></p:nvPicPr></p:pic></p:oleObj></a:graphicData></a:graphic></p:graphicFrame>'  # noqa: E501
    old = parts["ppt/slides/slide1.xml"].decode()
    parts["ppt/slides/slide1.xml"] = old.replace("</p:spTree>", frame + "</p:spTree>")
    types = '<Override PartName="/ppt/commentAuthors.xml" ContentType="application/vnd.openxmlformats-officedocument.presentationml.commentAuthors+xml"/><Override PartName="/ppt/comments/comment1.xml" ContentType="application/vnd.openxmlformats-officedocument.presentationml.comments+xml"/></Types>'  # noqa: E501
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].decode().replace("</Types>", types)
    new, told = converted(packed(parts))
    assert not left(new, SECRETS)
    made = unpacked(new)
    assert b"<p:text>Ask [PERSON]</p:text>" in made["ppt/comments.xml"]
    assert b'name="[PERSON]" initials="[PERSON]"' in made["ppt/commentAuthors.xml"]
    shown = made["ppt/slide.xml"]
    assert b"oleObj" not in shown and b'name="kept"' in shown and told["embedded object"] == 1
