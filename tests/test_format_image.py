"""Pictures: what is written in them is painted over, and of the file nothing but pixels goes on."""

import contextlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("PIL")
pytest.importorskip("rapidocr")

from format_pages import LETTER, MRN, NAME, packed, picture
from PIL import Image, PngImagePlugin

import scrubjay
from scrubjay.errors import ExtraError, InputError, UsageError
from scrubjay.formats import kinds, make, ocr
from scrubjay.formats.work import Limits, Work
from scrubjay.testing import CANARY, FakeDetector, canary

ENGINE = scrubjay.load(
    "everything",
    profile="patterns",
    detectors=[FakeDetector({NAME: "PERSON", "Gonzalez": "PERSON"})],
)
PLANTED = (NAME.split()[1], MRN, "555-0142")


def convert(data, limits=Limits(), clean=ENGINE.stream):
    work, target = Work(clean, limits=limits), io.BytesIO()
    make("image.v1").convert(io.BytesIO(data), target, work)
    return target.getvalue(), work


def said(data):
    image = Image.open(io.BytesIO(data))
    return " ".join(word.text for line in ocr.read(image) for word in line)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_what_identifies_is_painted_over_whichever_way_up(turn):
    clean, work = convert(packed(picture(turn=turn)))
    told = said(clean)
    assert not [value for value in PLANTED if value in told]
    assert "pressure" in told and "132/84" in told
    assert not work.left_out


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("JPEG", "RGB", {"comment": NAME.encode()}),
        ("TIFF", "1", {"description": NAME}),
        ("WEBP", "RGB", {"lossless": True}),
        ("PNG", "P", {}),
    ],
)
def test_only_pixels_go_on(kind, mode, options):
    exif = Image.Exif()
    exif[0x010E], exif[0x013B] = f"scan of {NAME}", NAME
    image = picture(mode=mode)
    if kind == "PNG":
        options = {"pnginfo": PngImagePlugin.PngInfo()}
        options["pnginfo"].add_text("Author", NAME)
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", f"<a>{NAME}</a>", zip=True)
    data = packed(image, kind, exif=exif, icc_profile=b"p" * 128 + NAME.encode(), **options)
    data += NAME.encode()
    clean, work = convert(data)
    told = Image.open(io.BytesIO(clean))
    assert told.format == kind and told.size == image.size
    assert NAME.encode() not in clean and not told.getexif().get(0x010E)
    assert "EXIF" in work.left_out or kind == "TIFF"
    assert not {"icc_profile", "exif", "xmp", "comment"} & {k.lower() for k in map(str, told.info)}
    assert not [value for value in PLANTED if value in said(clean)]


def test_pages_of_a_tiff_stay_and_know_of_each_other():
    pages = [picture([f"Patient: {NAME}"]), picture(["Telephone (217) 555-0142"])]
    data = packed(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    clean, _ = convert(data)
    told = Image.open(io.BytesIO(clean))
    assert told.n_frames == 2
    told.seek(1)
    words = " ".join(word.text for line in ocr.read(told.convert("L")) for word in line)
    assert "Telephone" in words and "0142" not in words


def test_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    clean, _ = convert(packed(picture(turn=90), "JPEG", exif=exif))
    assert Image.open(io.BytesIO(clean)).size == picture().size


def test_what_cannot_be_read_is_painted_over(monkeypatch):
    scrawl = [[ocr.Word("zqj", ((10, 10), (60, 10), (60, 30), (10, 30)), unread=True)]]
    monkeypatch.setattr(ocr, "read", lambda image: scrawl)
    clean, work = convert(packed(Image.new("L", (100, 50), 255)))
    assert Image.open(io.BytesIO(clean)).getpixel((30, 20)) == 0
    assert work.left_out == {"unreadable writing": 1}


def test_no_reader_is_an_error(monkeypatch):
    monkeypatch.setenv("SCRUBJAY_OCR", "tesseract")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ExtraError, match="tesseract"):
        convert(packed(picture()))
    monkeypatch.setenv("SCRUBJAY_OCR", "eyes")
    with pytest.raises(UsageError, match="rapidocr"):
        convert(packed(picture()))


@pytest.mark.skipif(not ocr.which("tesseract"), reason="needs Tesseract")
@pytest.mark.parametrize("turn", [0, 90])
def test_tesseract(monkeypatch, turn):
    monkeypatch.setenv("SCRUBJAY_OCR", "tesseract")
    clean, _ = convert(packed(picture(dpi=200, turn=turn)))
    told = said(clean)
    assert "pressure" in told and not [value for value in PLANTED if value in told]


def test_limits_and_animations():
    with pytest.raises(InputError, match="pixels"):
        convert(packed(Image.new("1", (3000, 3000))), Limits(pixels=1_000_000))
    frames = [Image.new("L", (9, 9), shade) for shade in (0, 99, 200)]
    for kind in ("PNG", "WEBP"):
        with pytest.raises(InputError, match="frames"):
            convert(packed(frames[0], kind, save_all=True, append_images=frames[1:]))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_kinds(kind):
    assert kinds.sample(packed(picture(), kind), "scan.dat") == "image.v1"


BLANK = [packed(Image.new("RGB", (9, 9)), kind) for kind in ("PNG", "JPEG", "TIFF", "WEBP")]


@settings(max_examples=50)
@given(st.sampled_from(BLANK), st.data())
def test_damage_is_an_input_error(data, draw):
    damaged = bytearray(data[: draw.draw(st.integers(12, len(data)))])
    for _ in range(draw.draw(st.integers(0, 8))):
        damaged[draw.draw(st.integers(4, len(damaged) - 1))] = draw.draw(st.integers(0, 255))
    with contextlib.suppress(InputError):
        convert(bytes(damaged))


def test_no_words_of_the_file_in_logs():
    for kind, options in (
        ("TIFF", {"description": CANARY}),
        ("JPEG", {"comment": CANARY.encode()}),
    ):
        canary(lambda kind=kind, options=options: convert(packed(picture(["x"]), kind, **options)))


def test_the_same_picture_gives_the_same_file():
    once, _ = convert(packed(picture(LETTER[2:])))
    assert convert(once)[0] == once
