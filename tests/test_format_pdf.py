"""PDF: found values are gone from the operators, the pixels and every corner of the file."""

import base64
import contextlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("pikepdf")
pytest.importorskip("pypdfium2")
pytest.importorskip("reportlab")
pytest.importorskip("rapidocr")

import pikepdf
import pypdfium2
from format_pages import MRN, NAME, letter, packed, picture
from pikepdf import Array, Dictionary, Name, String
from PIL import Image

import scrubjay
from scrubjay.errors import InputError
from scrubjay.formats import kinds, make, ocr
from scrubjay.formats.pdf import programs
from scrubjay.formats.work import Limits, Work
from scrubjay.testing import CANARY, FakeDetector, canary, check_format
from scrubjay.types import Policy

SURNAME = NAME.split()[1]
POLICY = Policy("names", deny={"PERSON": (NAME, SURNAME)})
ENGINE = scrubjay.load(POLICY, profile="patterns", detectors=[FakeDetector({NAME: "PERSON"})])
PLANTED = (NAME, SURNAME, MRN, "555-0142")


def convert(data, limits=Limits(), clean=ENGINE.stream):
    work, target = Work(clean, limits=limits), io.BytesIO()
    make("pdf.v1").convert(io.BytesIO(data), target, work)
    return target.getvalue(), work


def forms(value):
    """A value as bytes, in every way that a PDF could hold it."""
    utf8, utf16 = value.encode(), value.encode("utf-16-be")
    for data in (utf8, utf16, value.encode("utf-16-le")):
        yield data
        yield data.hex().encode()
        yield data.hex().upper().encode()
        if len(data) > 7:
            yield from (base64.b64encode(b" " * lead + data)[4:-4] for lead in range(3))
        yield b"".join(b"\\%03o" % byte for byte in data)


def corners(data):
    """The file itself and every stream in it, unpacked where it can be."""
    yield data
    with pikepdf.open(io.BytesIO(data)) as pdf:
        for item in pdf.objects:
            yield item.unparse(resolved=True)
            if isinstance(item, pikepdf.Stream):
                with contextlib.suppress(pikepdf.PdfError):
                    yield item.read_bytes()


def leaks(data, values=PLANTED):
    return [
        (value, corner[:40])
        for corner in corners(data)
        for value in values
        if any(form in corner for form in forms(value))
    ]


def texts(data):
    """What other readers read: PDFium, and pdfminer by way of pdfplumber."""
    import pdfplumber

    with pypdfium2.PdfDocument(data) as document:
        one = " ".join(page.get_textpage().get_text_range() for page in document)
    with pdfplumber.open(io.BytesIO(data)) as document:
        other = " ".join(page.extract_text() for page in document.pages)
    return one, other


def drawn(data, page=0):
    with pypdfium2.PdfDocument(data) as document:
        image = document[page].render(scale=2).to_pil()
        return " ".join(word.text for line in ocr.read(image) for word in line)


def test_values_leave_the_text_and_the_rest_stays():
    clean, work = convert(letter())
    for text in (*texts(clean), drawn(clean)):
        squeezed = "".join(text.split())
        assert not [value for value in PLANTED if "".join(value.split()) in squeezed]
        assert "132/84" in text and "more text after it" in text
    assert "[PERSON]" in texts(clean)[0]
    assert not leaks(clean)
    assert work.left_out["document information"] and work.left_out["link"] == 1


def test_what_stays_stays_where_it_was():
    def places(data):
        with pypdfium2.PdfDocument(data) as document:
            page = document[0].get_textpage()
            start = page.get_text_range().index("and more")
            return page.get_charbox(start), page.get_charbox(start + 9)

    before, after = places(letter()), places(convert(letter())[0])
    for one, other in zip(before, after, strict=True):
        assert one == pytest.approx(other, abs=0.05)


def test_outline_and_inner_links_stay():
    clean, _ = convert(letter())
    with pikepdf.open(io.BytesIO(clean)) as pdf, pdf.open_outline() as outline:
        assert [item.title for item in outline.root] == ["Report on [PERSON]"]
        assert len(pdf.pages[0].Annots) == 1


def planted(data, words):
    """Words in every dictionary, every name table, every stream's comments."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        for item in list(pdf.objects):
            plant_in(item, words, set())
        root = pdf.Root
        root.Metadata = pdf.make_stream(f"<x>{words}</x>".encode())
        root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String(words), Dictionary()])))
        root.StructTreeRoot = Dictionary(Type=Name.StructTreeRoot, Alt=String(words))
        root.PageLabels = Dictionary(Nums=Array([0, Dictionary(P=String(words))]))
        root.OpenAction = Dictionary(S=Name.JavaScript, JS=String(words))
        page = pdf.pages[0].obj
        note = Dictionary(
            Type=Name.Annot, Subtype=Name.Text, Rect=Array([1, 1, 9, 9]), Contents=String(words)
        )
        page.Annots = Array([*page.get("/Annots", []), pdf.make_indirect(note)])
        page.Thumb = pdf.make_stream(words.encode())
        span = f"/Span <</ActualText ({words})>> BDC % {words}\n".encode()
        page.Contents = Array([pdf.make_stream(span), *streams(page), pdf.make_stream(b" EMC")])
        pdf.attachments["a.txt"] = pikepdf.AttachedFileSpec(pdf, words.encode(), filename=words)
        pdf.attachments["b.bin"] = pikepdf.AttachedFileSpec(pdf, b"\0" + words.encode())
        target = io.BytesIO()
        pdf.save(target)
    return target.getvalue() + f"\n% {words}\n".encode()


def streams(page):
    return list(page.Contents) if isinstance(page.Contents, Array) else [page.Contents]


def plant_in(item, words, seen):
    if isinstance(item, Dictionary | pikepdf.Stream) and item.objgen not in seen:
        for key, value in list(item.items()):
            if not getattr(value, "is_indirect", False) and isinstance(value, Dictionary):
                plant_in(value, words, seen)
        if str(item.get("/Type")) not in {"/XRef", "/ObjStm"} and "/Kids" not in item:
            item["/Planted"] = String(words)
            item["/" + words.replace(" ", "_")] = Name("/" + words)


@pytest.mark.parametrize("sign", ["", "\u0142"])  # one that makes PDF write UTF-16
def test_planted_everywhere_is_found_nowhere(sign):
    image = packed(picture(dpi=72), "PNG")
    data = letter([(image, (20, 40, 200, 60))], form=True)
    data = planted(data, f"{NAME} {sign}")
    assert len(leaks(data)) > 40
    clean, work = convert(data)
    assert not leaks(clean)
    assert not leaks(clean, ("Planted", NAME.replace(" ", "_"), NAME.replace(" ", "#20")))
    for what in ("XMP", "script", "structure tree", "thumbnail", "annotation", "attachment"):
        assert work.left_out[what], what


def test_attachments_go_through_their_own_formats():
    with pikepdf.open(io.BytesIO(letter())) as pdf:
        pdf.attachments["n"] = pikepdf.AttachedFileSpec(
            pdf, f"for {NAME}".encode(), filename=f"{NAME}.txt"
        )
        target = io.BytesIO()
        pdf.save(target)
    clean, _ = convert(target.getvalue())
    with pikepdf.open(io.BytesIO(clean)) as pdf:
        [spec] = pdf.attachments.values()
        assert spec.get_file().read_bytes() == b"for [PERSON]"
        assert SURNAME not in spec.filename
    assert not leaks(clean)


def test_a_scan_is_painted_over_in_its_own_pixels():
    scan = packed(picture(dpi=110), "JPEG")
    clean, _ = convert(letter([(scan, (10, 10, 380, 100))]))
    with pikepdf.open(io.BytesIO(clean)) as pdf:
        [image] = pdf.pages[0].get_images().values()
        pixels = pikepdf.PdfImage(image).as_pil_image()
    told = " ".join(word.text for line in ocr.read(pixels) for word in line)
    assert "pressure" in told and not [value for value in PLANTED if value in told]
    assert not leaks(clean)


def test_text_behind_a_scan_and_pixels_behind_text_go_together(monkeypatch):
    """The reader of pictures finds nothing here: the hidden text alone must reach the pixels."""
    monkeypatch.setattr(ocr, "read", lambda image: [])
    blank = packed(Image.new("L", (400, 100), 255))
    clean, _ = convert(letter([(blank, (10, 100, 400, 100))], hidden=[f"Seen: {NAME}"]))
    with pikepdf.open(io.BytesIO(clean)) as pdf:
        [image] = pdf.pages[0].get_images().values()
        assert pikepdf.PdfImage(image).as_pil_image().convert("L").getextrema() == (0, 255)
    assert not leaks(clean)


def page_of(operators, fonts=None, resources=None):
    """A page of given operators."""
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(300, 100))
    helvetica = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    helvetica.Encoding = Name.WinAnsiEncoding
    page.Resources = Dictionary(Font=fonts(pdf) if fonts else Dictionary(F=helvetica))
    for key, value in (resources(pdf) if resources else {}).items():
        page.Resources[key] = value
    page.Contents = pdf.make_stream(operators)
    target = io.BytesIO()
    pdf.save(target)
    return target.getvalue()


@pytest.mark.parametrize(
    "shown",
    [
        b"(Maria Gonzalez x) Tj",
        b"[(Ma) 20 (ria) -300 (Gon) 0 (zal) (ez) -500 (x)] TJ",
        b"14 TL (Maria Gonzalez x) '",
        b'1 2 (Maria Gonzalez x) "',
        b"<4D61726961> Tj 3 0 Td ( ) Tj 40 0 Td <476F6E7A616C657A> Tj 80 0 Td (x) Tj",
        b"(\\115aria \\107onzalez x) Tj",
        b"(Maria) Tj ET q BT /F 12 Tf 52 50 Td (Gonzalez x) Tj ET Q BT",
        b"ET BT /F 12 Tf 52 50 Td (Gonzalez x) Tj ET BT /F 12 Tf 10 50 Td (Maria) Tj",
    ],
)
def test_every_way_to_show_text(shown):
    clean, _ = convert(page_of(b"BT /F 12 Tf 10 50 Td " + shown + b" ET"))
    one, other = texts(clean)
    assert "x" in one and "x" in other
    for text in (one, other):
        assert not any(part in "".join(text.split()) for part in ("Maria", "Gonz", "zalez"))
    assert not leaks(clean, ("Gonz", "onzalez", "aria"))


def type3(pdf):
    glyph = pdf.make_stream(b"500 0 d0 0 0 400 700 re f")
    return Dictionary(
        F=Dictionary(
            Type=Name.Font, Subtype=Name.Type3, FontBBox=Array([0, 0, 750, 750]),
            FontMatrix=Array([0.001, 0, 0, 0.001, 0, 0]), CharProcs=Dictionary(a=glyph),
            Encoding=Dictionary(Differences=Array([97, Name.a])), FirstChar=97, LastChar=97,
            Widths=Array([500]),
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("operators", "fonts", "resources"),
    [
        (b"BT /F 12 Tf 10 50 Td (aaa) Tj ET", type3, None),
        (b"BT /F 12 Tf 10 50 Td (x) Tj ET (Maria Gonzalez) foo", None, None),
        (b"/Maria_Gonzalez gs BT /F 12 Tf 10 50 Td (x) Tj ET", None, None),
    ],
)
def test_what_is_not_understood_becomes_a_picture(operators, fonts, resources):
    clean, work = convert(page_of(operators, fonts, resources))
    assert work.left_out["text of a page that is now a picture"] == 1
    with pikepdf.open(io.BytesIO(clean)) as pdf:
        assert list(pdf.pages[0].Resources.keys()) == ["/XObject"]
    assert not leaks(clean)


def test_text_that_says_one_thing_and_is_read_as_another():
    """/ActualText that is not what the glyphs say: readers take the one or the other."""
    span = b"/Span <</ActualText (Maria Gonzalez)>> BDC BT /F 12 Tf 10 50 Td (harmless) Tj ET EMC"
    clean, _ = convert(page_of(span))
    assert not leaks(clean) and SURNAME not in "".join(texts(clean))


def test_writing_that_is_drawn_in_strokes(monkeypatch):
    """Outlined writing: no glyphs, yet a name that is seen."""
    word = ocr.Word(NAME, ((20, 100), (300, 100), (300, 140), (20, 140)))
    monkeypatch.setattr(ocr, "read", lambda image: [[word]])
    strokes = b" ".join(b"%d 50 m %d 52 l S" % (x, x + 1) for x in range(10, 90))
    clean, work = convert(page_of(strokes))
    assert work.left_out["text of a page that is now a picture"] == 1
    with pypdfium2.PdfDocument(clean) as document:
        image = document[0].render(scale=200 / 72).to_pil().convert("L")
    assert image.getpixel((150, 120)) < 60


def test_an_earlier_version_of_the_file_is_gone():
    first = page_of(b"BT /F 12 Tf 10 50 Td (Maria Gonzalez) Tj ET")
    with pikepdf.open(io.BytesIO(first)) as pdf:
        number = pdf.pages[0].Contents.objgen[0]
    again = first + b"\n%d 0 obj\n<</Length 0>>stream\n\nendstream\nendobj\n" % number
    clean, _ = convert(again)
    assert not leaks(clean)


def test_font_programs_lose_their_texts():
    data = b"%!PS-AdobeFont-1.0: Gonzalez 1\n/FontName /Gonzalez def /Notice (by Gonzalez) def"
    with pikepdf.new() as pdf:
        stream = pdf.make_stream(data)
        stream.Length1, stream.Length2, stream.Length3 = len(data), 0, 0
        key, made = programs.copy(Dictionary(FontFile=stream), pdf)
        assert key == "/FontFile" and len(made.read_bytes()) == len(data)
        assert b"Gonz" not in made.read_bytes()


def test_the_same_file_gives_the_same_file():
    plain = page_of(b"BT /F 12 Tf 10 50 Td (Blood pressure 132/84.) Tj ET")
    assert convert(plain)[0] == convert(plain)[0]
    check_format(make("pdf.v1"), plain)


def test_kinds_and_refusals():
    assert kinds.sample(letter(pages=1)) == "pdf.v1"
    with pikepdf.open(io.BytesIO(letter(pages=1))) as pdf:
        locked, opened = io.BytesIO(), io.BytesIO()
        pdf.save(locked, encryption=pikepdf.Encryption(owner="a", user="b"))
        pdf.save(opened, encryption=pikepdf.Encryption(owner="a", user=""))
    with pytest.raises(InputError, match="password"):
        convert(locked.getvalue())
    assert not leaks(convert(opened.getvalue())[0])


def test_a_bomb_is_refused_before_it_goes_off():
    with pytest.raises(InputError, match="packed size"):
        convert(page_of(b" " * 80_000_000))


def test_no_words_of_the_file_in_errors_or_logs():
    data = letter(pages=1).replace(b"/MediaBox", f"{CANARY} ({CANARY}) /MediaBox".encode())
    data = data.replace(b"endobj", f"{CANARY} endobj".encode())
    for cut in (200, 900, len(data) // 2, len(data)):
        with contextlib.suppress(InputError):
            canary(lambda cut=cut: convert(data[:cut]))


def test_what_pages_share_is_theirs():
    with pikepdf.open(io.BytesIO(page_of(b"BT /F 12 Tf 10 50 Td (Maria Gonzalez x) Tj ET"))) as pdf:
        page = pdf.pages[0].obj
        pdf.Root.Pages.Resources, pdf.Root.Pages.Rotate = page.Resources, 90
        del page.Resources
        target = io.BytesIO()
        pdf.save(target)
    clean, work = convert(target.getvalue())
    assert not work.left_out and texts(clean)[0].strip().startswith("x")
    with pikepdf.open(io.BytesIO(clean)) as pdf:
        assert pdf.pages[0].Rotate == 90


def test_forms_that_multiply_are_refused(monkeypatch):
    monkeypatch.setattr("scrubjay.formats.pdf.content.MOST", 1000)

    def forms_in_forms(pdf):
        inner = None
        for _ in range(6):
            form = pdf.make_stream(b"/X Do " * 10 if inner is not None else b"q Q")
            form.Type, form.Subtype, form.BBox = Name.XObject, Name.Form, Array([0, 0, 9, 9])
            form.Resources = Dictionary(XObject=Dictionary(X=inner) if inner is not None else {})
            inner = pdf.make_indirect(form)
        return {"/XObject": Dictionary(X=inner)}

    with pytest.raises(InputError, match="operators"):
        convert(page_of(b"/X Do", resources=forms_in_forms))


def test_an_empty_page_stays_empty():
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(100, 100))
        pdf.pages[0].Annots = Array([None, 3])
        target = io.BytesIO()
        pdf.save(target)
    clean, work = convert(target.getvalue())
    assert not work.left_out and texts(clean)[0] == ""


def test_stencils_and_masks():
    """A stencil and a picture with a soft mask, both with a name in them."""
    image = picture([f"Patient: {NAME}"], dpi=110)
    bits = image.point(lambda value: 255 if value > 128 else 0).convert("1")

    def pictures(pdf):
        stencil = pdf.make_stream(bits.tobytes())
        alpha = pdf.make_stream(Image.eval(image, lambda value: 255 - value).tobytes())
        ink = pdf.make_stream(b"\0" * (image.width * image.height))
        for one in (stencil, alpha, ink):
            one.Type, one.Subtype = Name.XObject, Name.Image
            one.Width, one.Height = image.size
            one.BitsPerComponent, one.ColorSpace = 8, Name.DeviceGray
        stencil.BitsPerComponent, stencil.ImageMask = 1, True
        del stencil["/ColorSpace"]
        ink.SMask = pdf.make_indirect(alpha)
        return {"/XObject": Dictionary(S=stencil, I=ink)}

    size = 45 * image.width / image.height
    data = page_of(
        b"q %d 0 0 45 1 52 cm /S Do Q q %d 0 0 45 1 2 cm /I Do Q" % (size, size),
        resources=pictures,
    )
    assert drawn(data).count(SURNAME) == 2
    clean, work = convert(data)
    assert not work.left_out
    told = drawn(clean)
    assert told.count("Patient") == 2 and SURNAME not in told
    with pikepdf.open(io.BytesIO(clean)) as pdf:
        for image in pdf.pages[0].get_images().values():
            pixels = pikepdf.PdfImage(image.get("/SMask", image)).as_pil_image().convert("L")
            assert SURNAME not in str(ocr.read(pixels))


SAMPLES = [
    page_of(b"BT /F 12 Tf 10 50 Td (Blood pressure) Tj ET"),
    page_of(b"q 1 0 0 1 0 0 cm BT /F 12 Tf [(a) 2 (b)] TJ ET Q BI /W 1 /H 1 /BPC 8 /CS /G ID a EI"),
]


@settings(max_examples=50)
@given(st.sampled_from(SAMPLES), st.data())
def test_damage_is_an_input_error(data, draw):
    damaged = bytearray(data[: draw.draw(st.integers(9, len(data)))])
    for _ in range(draw.draw(st.integers(0, 8))):
        damaged[draw.draw(st.integers(8, len(damaged) - 1))] = draw.draw(st.integers(0, 255))
    with contextlib.suppress(InputError):
        convert(bytes(damaged))
