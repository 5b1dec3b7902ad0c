"""PDF: forms stay forms, and what lies beside pages is found nowhere."""

import io

import pytest

pytest.importorskip("pikepdf")
pytest.importorskip("pypdfium2")
pytest.importorskip("reportlab")
pytest.importorskip("rapidocr")

import pikepdf
import pypdfium2
from format_pages import MRN, NAME, letter
from pikepdf import Array, Dictionary, Name, String
from test_format_pdf import PLANTED, SURNAME, convert, corners, leaks, streams, texts

from scrubjay.formats import make, ocr
from scrubjay.testing import check_format


def form():
    """A page with labels beside fields. What is in the first, its label alone says."""
    from reportlab.pdfgen import canvas

    target = io.BytesIO()
    page = canvas.Canvas(target, pagesize=(420, 300), invariant=1)
    for y, label in ((250, "MRN:"), (220, "Note:"), (190, "Seen by"), (160, "Well:")):
        page.drawString(20, y, label)
    made = page.acroForm
    place = {"width": 150, "height": 18, "fontSize": 10}
    made.textfield(name="box 1", value="4481923", x=70, y=246, **place)
    made.textfield(
        name="n", value=f"{NAME} is well", tooltip=f"on {NAME}", x=70, y=216, fieldFlags="", **place
    )
    options = ["Dr. X", f"Dr. {NAME}"]
    made.choice(name="c", value=options[1], options=options, x=70, y=186, **place)
    made.checkbox(name=f"{SURNAME} is well", checked=True, x=70, y=156, size=14)
    for number in (1, 2):
        made.radio(name="r", value=f"v{number}", selected=number == 1, x=100 * number, y=120)
    page.save()
    with pikepdf.open(target) as pdf:
        script = Dictionary(S=Name.JavaScript, JS=String(NAME))
        pdf.Root.AcroForm.CO = Array([pdf.Root.AcroForm.Fields[0]])
        for field in pdf.Root.AcroForm.Fields:
            field.AA = Dictionary(C=script, K=script)
        target = io.BytesIO()
        pdf.save(target)
    return target.getvalue()


def test_a_form_stays_one():
    clean, work = convert(form())
    assert not leaks(clean) and not leaks(clean, ("4481923",))
    with pikepdf.open(io.BytesIO(clean)) as pdf:
        told = [(str(f.FT), str(f.V), str(f.T)) for f in pdf.Root.AcroForm.Fields]
        assert told == [
            ("/Tx", "[MRN]", "field_1"),
            ("/Tx", "[PERSON] is well", "field_2"),
            ("/Ch", "Dr. [PERSON]", "field_3"),
            ("/Btn", "/Yes", "field_4"),
        ]
        assert list(map(str, pdf.Root.AcroForm.Fields[2].Opt)) == ["Dr. X", "Dr. [PERSON]"]
        assert str(pdf.Root.AcroForm.Fields[1].TU) == "on [PERSON]"
    assert work.left_out == {"script": 1, "form field": 2, "document information": 9}
    assert any(b"([PERSON] is well) Tj" in corner for corner in corners(clean))
    check_format(make("pdf.v1"), clean)


def test_what_a_field_is_called_says_what_is_in_it():
    """In two places, of which neither has a label; and in a list that shows other than it says."""
    with pikepdf.open(io.BytesIO(form())) as pdf:
        page, fields = pdf.pages[0].obj, pdf.Root.AcroForm.Fields
        place = Array([200, 20, 380, 60])
        whole = Dictionary(FT=Name.Tx, Ff=1 << 12, TU=String("Patient name"))
        whole.V = String("Quillfeather\r\nsecond line")
        whole = pdf.make_indirect(whole)
        note = Dictionary(Type=Name.Annot, Subtype=Name.Widget, Rect=place, Parent=whole)
        whole.Kids = Array([pdf.make_indirect(note), pdf.make_indirect(note)])
        note = Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Ch, Rect=place, Ff=1 << 17)
        note.Opt, note.V = Array([Array([String("a"), String(NAME)])]), String("a")
        fields.extend([whole, pdf.make_indirect(note)])
        page.Annots.extend([*whole.Kids, fields[-1]])
        data = pdf_bytes(pdf)
    clean, _ = convert(data)
    assert not leaks(clean, (*PLANTED, "Quillfeather"))
    with pikepdf.open(io.BytesIO(clean)) as pdf:
        told = [str(field.V) for field in pdf.Root.AcroForm.Fields][4:]
    assert told == ["[PERSON]\nsecond line", "[PERSON]\nsecond line", "[PERSON]"]


def test_fields_of_a_page_that_becomes_a_picture_are_part_of_it(monkeypatch):
    monkeypatch.setattr(ocr, "read", lambda image: [])
    with pikepdf.open(io.BytesIO(form())) as pdf:
        page = pdf.pages[0].obj
        page.Contents = Array([*streams(page), pdf.make_stream(b" (x) foo")])
        data = pdf_bytes(pdf)
    clean, work = convert(data)
    with pikepdf.open(io.BytesIO(clean)) as pdf:
        assert "/AcroForm" not in pdf.Root
    assert work.left_out["form field"] == 6
    with pypdfium2.PdfDocument(clean) as document:
        image = document[0].render().to_pil().convert("L")
    assert image.crop((74, 68, 130, 82)).getextrema()[0] < 90, "the value of the second field"


def beside(words):
    """Words in all that a file holds beside what its pages show."""
    with pikepdf.open(io.BytesIO(letter(pages=1, form=True))) as pdf:
        said, named = String(words), "/" + words.replace(" ", "_")
        root, page = pdf.Root, pdf.pages[0].obj
        script = Dictionary(S=Name.JavaScript, JS=said)
        layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=said))
        layers = Dictionary(Name=said, Order=Array([said, layer]))
        root.OCProperties = Dictionary(OCGs=Array([layer]), D=layers)
        page.Resources.Properties = Dictionary({named: layer})
        mark = pikepdf.unparse_content_stream([([Name.OC, Name(named)], pikepdf.Operator("BDC"))])
        page.Contents = Array([pdf.make_stream(mark), *streams(page), pdf.make_stream(b" EMC")])
        root.Metadata = page.Metadata = pdf.make_stream(f"<x>{words}</x>".encode())
        part = Dictionary(Type=Name.StructElem, T=said, Alt=said, E=said, ActualText=said, Pg=page)
        part = pdf.make_indirect(part)
        tree = Dictionary(K=part, RoleMap=Dictionary({named: Name.P}))
        tree.IDTree = Dictionary(Names=Array([said, part]))
        root.StructTreeRoot = tree
        place = Array([page, Name.Fit])
        root.Names = Dictionary(Dests=Dictionary(Names=Array([said, place])))
        root.Dests = Dictionary({named: place})
        root.PageLabels = Dictionary(Nums=Array([0, Dictionary(P=said)]))
        bead = pdf.make_indirect(Dictionary(Type=Name.Bead, P=page, R=Array([1, 1, 9, 9])))
        root.Threads = Array([Dictionary(F=bead, I=Dictionary(Title=said, Author=said))])
        root.AA, root.Lang = Dictionary(WC=script), said
        root.OutputIntents = Array([Dictionary(S=Name.GTS_PDFX, Info=said)])
        signed = Dictionary(Type=Name.Sig, Name=said, Reason=said, ContactInfo=said, Contents=said)
        note = Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Sig, T=said, V=signed)
        note.Rect = Array([0, 0, 0, 0])
        page.Annots.append(pdf.make_indirect(note))
        root.AcroForm.Fields.append(page.Annots[-1])
        root.AcroForm.Fields[0].AA = Dictionary(C=script)
        for kind in (Name.Popup, Name.Redact, Name.Screen, Name.FileAttachment, Name.Link):
            note = Dictionary(Type=Name.Annot, Subtype=kind, Rect=place, Contents=said, T=said)
            note.Rect, note.A = Array([1, 1, 9, 9]), Dictionary(S=Name.Launch, F=said)
            page.Annots.append(pdf.make_indirect(note))
        return pdf_bytes(pdf)


def pdf_bytes(pdf, **options):
    target = io.BytesIO()
    pdf.save(target, **options)
    return target.getvalue()


@pytest.mark.parametrize(
    "options",
    [
        {"linearize": True, "object_stream_mode": pikepdf.ObjectStreamMode.generate},
        {"encryption": pikepdf.Encryption(owner="a", user="")},
    ],
)
def test_what_lies_beside_pages_is_found_nowhere(options):
    with pikepdf.open(io.BytesIO(beside(f"{NAME} {MRN}"))) as pdf:
        data = pdf_bytes(pdf, **options)
    assert len(leaks(data)) > 20
    clean, work = convert(data)
    assert not leaks(clean) and not leaks(clean, (NAME.replace(" ", "_"), f"#20{MRN}"))
    assert not any(SURNAME in text or MRN in text for text in texts(clean))
    told = ("layers", "structure tree", "article threads", "page labels", "signature", "action")
    assert not [what for what in told if not work.left_out[what]]
    assert not work.left_out["text of a page that is now a picture"]
