"""DICOM: a name that is burned into the pixels goes, in all samples, and the other pixels stay."""

from __future__ import annotations

import io
import warnings

import pytest

pytest.importorskip("rapidocr")
pytest.importorskip("pydicom")

import numpy as np
import pydicom
from format_dicom import ct, saved
from PIL import Image, ImageDraw, ImageFont
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut, convert_color_space
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

import scrubjay
from scrubjay.errors import InputError
from scrubjay.formats import ocr
from scrubjay.formats.dicom import Dicom, burned
from scrubjay.formats.work import Work

NAME, PLACE = "GONZALEZ MARIA 00481923", (slice(0, 44), slice(0, 300))
ENGINE = scrubjay.load("everything", profile="patterns")


def convert(image: Dataset) -> Dataset:
    source, target = io.BytesIO(), io.BytesIO()
    syntax = image.file_meta.TransferSyntaxUID
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pydicom.dcmwrite(
            source, image, implicit_vr=syntax == ImplicitVRLittleEndian,
            little_endian=syntax != ExplicitVRBigEndian, force_encoding=False,
        )  # fmt: skip
    work = Work(ENGINE.stream, rule=ENGINE.operator)
    Dicom("dicom.v1", "").convert(io.BytesIO(source.getvalue()), target, work)
    return pydicom.dcmread(io.BytesIO(target.getvalue()))


def samples(written: str = NAME) -> np.ndarray:
    """A slice of a head in 12 bits, with a name over it."""
    head = pydicom.dcmread(get_testdata_file("examples_overlay.dcm")).pixel_array
    head = np.minimum(head[60:240, 80:380].astype(np.uint16) * 8, 3000)
    head[PLACE] = 0
    label = Image.new("L", (300, 44))
    draw = ImageDraw.Draw(label)
    draw.text((6, 8), written, fill=255, font=ImageFont.load_default(20))
    head[PLACE] = np.asarray(label).astype(np.uint16) * 12
    return head


def grey(values: np.ndarray, syntax: str, kind: str = "MONOCHROME2", signed: int = 0) -> Dataset:
    """An ultrasound image, so that its pixels are looked at."""
    image = ct(syntax)
    image.Modality, image.BurnedInAnnotation = "US", "YES"
    image.Rows, image.Columns = values.shape[-2:]
    image.PhotometricInterpretation, image.PixelRepresentation = kind, signed
    image.BitsAllocated = values.itemsize * 8
    image.BitsStored = 12 if values.itemsize == 2 and not signed else image.BitsAllocated
    image.HighBit = image.BitsStored - 1
    if values.ndim == 3:
        image.NumberOfFrames, image.FrameTime = len(values), "40"
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    image.PixelData = values.astype(values.dtype.newbyteorder(order)).tobytes()
    image["PixelData"].VR = "OW"
    return image


def colour(values: np.ndarray, kind: str, planar: int = 0) -> Dataset:
    """The same in colours."""
    image = grey((values // 16).astype(np.uint8), ExplicitVRLittleEndian, kind)
    image.SamplesPerPixel, image.PlanarConfiguration = 3, planar
    rgb = np.stack([values // 16, values // 24, values // 17], axis=2).astype(np.uint8)
    if kind.startswith("YBR"):
        rgb = convert_color_space(rgb, "RGB", "YBR_FULL")
    image.PixelData = (rgb.transpose(2, 0, 1) if planar else rgb).tobytes()
    if kind == "YBR_FULL_422":
        pairs = rgb.reshape(-1, 2, 3)
        told = [pairs[:, 0, 0], pairs[:, 1, 0], pairs[:, 0, 1], pairs[:, 0, 2]]
        image.PixelData = np.stack(told, axis=1).tobytes()
    return image


def palette(values: np.ndarray) -> Dataset:
    image = grey((values // 16).astype(np.uint8), ExplicitVRLittleEndian, "PALETTE COLOR")
    for place, name in enumerate(("Red", "Green", "Blue")):
        entries = (np.arange(256) * (3 - place) // 3).astype("<u2") << 8
        setattr(image, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(image, f"{name}PaletteColorLookupTableData", entries.tobytes())
    return image


def packed(values: np.ndarray, kind: str, syntax: str) -> Dataset:
    """In frames that Pillow makes."""
    image, frame = grey((values // 16).astype(np.uint8), syntax), io.BytesIO()
    options = {"no_jp2": True} if kind == "JPEG2000" else {"quality": 95}
    Image.fromarray((values // 16).astype(np.uint8)).save(frame, kind, **options)
    image.PixelData = pydicom.encaps.encapsulate([frame.getvalue()])
    image["PixelData"].VR = "OB"
    return image


def runs(values: np.ndarray) -> Dataset:
    image = grey(values, ExplicitVRLittleEndian)
    image.compress(RLELossless, generate_instance_uid=False)
    return image


IMAGES = {
    "implicit": lambda v: grey(v, ImplicitVRLittleEndian),
    "big-endian, white is least": lambda v: grey(4095 - v, ExplicitVRBigEndian, "MONOCHROME1"),
    "deflated, signed": lambda v: grey(
        v.astype(np.int16) - 1000, DeflatedExplicitVRLittleEndian, signed=1
    ),
    "RGB": lambda v: colour(v, "RGB"),
    "RGB in planes": lambda v: colour(v, "RGB", 1),
    "YBR of half the colour": lambda v: colour(v, "YBR_FULL_422"),
    "palette": palette,
    "RLE": runs,
    "JPEG": lambda v: packed(v, "JPEG", JPEGBaseline8Bit),
    "JPEG 2000": lambda v: packed(v, "JPEG2000", JPEG2000Lossless),
}


def shown(image: Dataset) -> np.ndarray:
    pixels = image.pixel_array
    if image.PhotometricInterpretation == "PALETTE COLOR":
        return apply_color_lut(pixels, image)
    return pixels.astype(np.int64)


def said(pixels: np.ndarray) -> str:
    """By the other reader, where it is installed."""
    scale = 255 / max(pixels.max() - pixels.min(), 1)
    picture = Image.fromarray(((pixels - pixels.min()) * scale).astype(np.uint8))
    if ocr.which("tesseract"):
        lines = ocr._tesseract(picture.resize((1200, 176)), "eng")
    else:
        lines = ocr.read(picture)
    return " ".join(word.text for line in lines for word in line)


@pytest.mark.parametrize("kind", IMAGES)
def test_a_burned_in_name_goes_and_the_other_pixels_stay(kind: str) -> None:
    before = IMAGES[kind](samples())
    image = convert(before)
    old, new = shown(before), shown(image)
    assert old.shape == new.shape and (old[44:] == new[44:]).all()
    told = said(new[PLACE])
    assert not any(part in told for part in ("GONZ", "ARIA", "0048", "1923"))
    assert image.BurnedInAnnotation == "NO" and image.ImageType[0] == "DERIVED"
    assert image.get("LossyImageCompression", "") == ("01" if kind == "JPEG" else "")
    codes = {item.CodeValue for item in image.DeidentificationMethodCodeSequence}
    assert "113101" in codes and "113102" not in codes
    compressed = kind in ("RLE", "JPEG", "JPEG 2000")
    syntax = ExplicitVRLittleEndian if compressed else before.file_meta.TransferSyntaxUID
    assert image.file_meta.TransferSyntaxUID == syntax


def test_the_name_could_be_read_before() -> None:
    """By the reader that the other tests ask."""
    told = said(samples()[PLACE].astype(np.int64))
    assert "GONZ" in told and "0048" in told


def test_of_a_film_a_name_goes_from_every_frame_and_few_are_read(monkeypatch) -> None:
    """What beats below the name does not make every frame worth a look."""
    looks = []
    words = burned.pictures.words
    monkeypatch.setattr(burned.pictures, "words", lambda p: looks.append(p) or words(p))
    film = np.stack([samples()] * 9) // 16
    film[:, 100:132, 100:148] = np.arange(9)[:, None, None] % 2 * 200
    film[8, 44:88, :300] = film[8, :44, :300]  # once more, below
    image = convert(grey(film.astype(np.uint8), ExplicitVRLittleEndian))
    assert len(looks) == 5
    assert all(said(frame[PLACE]) == "" for frame in (image.pixel_array[0], image.pixel_array[7]))
    assert (image.pixel_array[:, 100:] == film[:, 100:]).all()
    assert len(np.unique(image.pixel_array[8, 52:72, 20:200])) == 1


def test_an_image_without_text_keeps_its_frames_as_they_were() -> None:
    before = packed(samples(""), "JPEG", JPEGBaseline8Bit)
    image = convert(before)
    assert image.PixelData == before.PixelData and image.BurnedInAnnotation == "NO"
    assert image.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    assert image.ImageType[0] == "ORIGINAL"


def test_a_heart_is_no_letter_and_a_large_picture_is_read_in_parts(monkeypatch) -> None:
    def words(picture: Image.Image) -> list[ocr.Word]:
        wide, high = picture.size
        heart = ((0, 0), (wide, 0), (wide, high), (0, high))
        scrawl = ((wide - 20, 0), (wide, 0), (wide, 16), (wide - 20, 16))
        return [ocr.Word("O", heart, True), ocr.Word("x", scrawl, True)]

    monkeypatch.setattr(burned.pictures, "words", words)
    image = convert(grey(np.full((200, 4000), 7, np.uint8), ExplicitVRLittleEndian))
    assert len(image.PixelData) == 800_000
    found = [word.quad[1][0] for word in burned._read(Image.new("L", (4000, 200)))]
    assert found == [4000, 2432, 4000]


def test_a_name_that_was_misread_goes_too(monkeypatch) -> None:
    def words(picture: Image.Image) -> list[ocr.Word]:
        places = [(x, 8, x + 50, 24) for x in (8, 108)]
        quads = [((a, b), (c, b), (c, d), (a, d)) for a, b, c, d in places]
        return [ocr.Word("G0NZALE2", quads[0]), ocr.Word("Sector", quads[1])]

    monkeypatch.setattr(burned.pictures, "words", words)
    ramp = np.tile(np.arange(180, dtype=np.uint8), (32, 1))
    told = convert(grey(ramp, ExplicitVRLittleEndian)).pixel_array
    assert not told[8:24, 8:58].any() and (told[:, 70:] == ramp[:, 70:]).all()


def test_without_a_reader_or_a_decoder_it_is_refused(monkeypatch) -> None:
    image = runs(samples())
    image.PixelData = pydicom.encaps.encapsulate([b"\xff\xd8\xff\xd9"])
    image.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.80"
    with pytest.raises(InputError, match="decodes"):
        convert(image)
    monkeypatch.setenv("SCRUBJAY_OCR", "tesseract")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match=r"scrubjay\[ocr\]"):
        convert(grey(samples(), ExplicitVRLittleEndian))


def test_what_was_not_done_is_told() -> None:
    plain = pydicom.dcmread(io.BytesIO(saved(convert(ct()))))
    assert plain.DeidentificationMethod[1:] == [
        "burned-in text: not looked for", "recognizable faces: left as they are"
    ]  # fmt: skip
    assert "BurnedInAnnotation" not in plain
