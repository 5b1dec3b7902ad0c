"""DICOM that carries words: encapsulated PDF and CDA, structured reports."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

pytest.importorskip("pydicom")
pytest.importorskip("pypdfium2")

import pydicom
import pypdfium2
from format_clinical import CCDA, found
from format_dicom import PLANTED, ct, planted, saved
from format_pages import MRN, NAME, letter
from pydicom.dataset import Dataset
from pydicom.uid import (
    ComprehensiveSRStorage,
    CTImageStorage,
    EncapsulatedCDAStorage,
    EncapsulatedPDFStorage,
)

import scrubjay
from scrubjay.errors import InputError
from scrubjay.formats.dicom import Dicom
from scrubjay.formats.work import Work
from scrubjay.testing import FakeDetector

ENGINE = scrubjay.load(
    "everything", profile="patterns", detectors=[FakeDetector({PLANTED: "PERSON"})]
)


def convert(image: Dataset) -> Dataset:
    target = io.BytesIO()
    work = Work(ENGINE.stream, rule=ENGINE.operator)
    Dicom("dicom.v1", "").convert(io.BytesIO(saved(image)), target, work)
    return pydicom.dcmread(io.BytesIO(target.getvalue()))


def bare(kind: str) -> Dataset:
    """No image, but a patient."""
    image = ct()
    del image.PixelData
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = kind
    return image


def document(kind: str, media: str, data: bytes) -> Dataset:
    image = bare(kind)
    image.PatientName, image.PatientID = "Gonzalez^Maria", MRN
    image.MIMETypeOfEncapsulatedDocument, image.EncapsulatedDocumentLength = media, len(data)
    image.EncapsulatedDocument = data + b"\0" * (len(data) % 2)
    return image


def test_a_pdf_goes_through_its_reader_and_knows_the_patient() -> None:
    """Nothing but the header says whose name it is."""
    image = convert(document(EncapsulatedPDFStorage, "application/pdf", letter()))
    data = image.EncapsulatedDocument
    assert len(data) - image.EncapsulatedDocumentLength in (0, 1)
    pages = pypdfium2.PdfDocument(data[: image.EncapsulatedDocumentLength])
    told = "".join(page.get_textpage().get_text_bounded() for page in pages)
    assert "Blood pressure 132/84" in told and len(pages) == 2
    assert not [one for one in (NAME, "Gonzalez", MRN) if one in told or one.encode() in data]


@pytest.mark.parametrize("spare", ["", " "])
def test_a_cda_goes_through_its_reader(spare: str) -> None:
    """Of an even length, and of an odd one, which is filled up."""
    data = (CCDA + spare).encode()
    image = convert(document(EncapsulatedCDAStorage, "text/xml", data))
    told = image.EncapsulatedDocument[: image.EncapsulatedDocumentLength]
    assert told.rstrip().endswith(b"</ClinicalDocument>") and b"34133-9" in told
    assert not found(told, ("536-90-4399",))


def test_a_document_in_an_item_goes() -> None:
    image, inner = bare(EncapsulatedPDFStorage), Dataset()
    inner.EncapsulatedDocument = PLANTED.encode() + b"\0"
    image.ReferencedImageSequence = [inner]
    assert PLANTED.encode() not in saved(convert(image))


def test_what_nothing_reads_is_refused() -> None:
    for media, data in (("model/stl", b"solid x"), ("application/pdf", b"%PDF-1.7 not one")):
        with pytest.raises(InputError):
            convert(document(EncapsulatedPDFStorage, media, data))


def code(value: str, scheme: str, meaning: str) -> list[Dataset]:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return [item]


def content(kind: str, relation: str = "CONTAINS", **values: object) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = relation, kind
    item.ConceptNameCodeSequence = code("121071", "DCM", "Finding")
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def report() -> Dataset:
    """A content item of every value type, PS3.3 C.17.3.2.1, one below the other."""
    number, picture = Dataset(), Dataset()
    number.NumericValue = "12.5"
    number.MeasurementUnitsCodeSequence = code("mm", "UCUM", "millimeter")
    picture.ReferencedSOPClassUID, picture.ReferencedSOPInstanceUID = CTImageStorage, "1.2.826.0.9"
    items = [
        content("TEXT", TextValue="No change."),
        content("CODE", ConceptCodeSequence=code("73211009", "SCT", "Diabetes mellitus")),
        content("NUM", MeasuredValueSequence=[number]),
        content("DATETIME", "HAS OBS CONTEXT", DateTime="20240312101500"),
        content("DATE", "HAS OBS CONTEXT", Date="20240312"),
        content("TIME", "HAS OBS CONTEXT", Time="101500"),
        content("UIDREF", "HAS OBS CONTEXT", UID="1.2.826.0.77"),
        content("PNAME", "HAS OBS CONTEXT", PersonName="Okafor^Ngozi"),
        content("IMAGE", ReferencedSOPSequence=[picture]),
        content("COMPOSITE", ReferencedSOPSequence=[picture]),
        content("WAVEFORM", ReferencedSOPSequence=[picture]),
        content("SCOORD", GraphicData=[1.0, 2.0], GraphicType="POINT"),
        content("SCOORD3D", GraphicData=[1.0, 2.0, 3.0], GraphicType="POINT",
                ReferencedFrameOfReferenceUID="1.2.826.0.78"),
        content("TCOORD", TemporalRangeType="POINT", ReferencedSamplePositions=[1]),
    ]  # fmt: skip
    for above, item in zip(items, items[1:], strict=False):
        above.ContentSequence = [item]
    image = bare(ComprehensiveSRStorage)
    image.Modality, image.ValueType, image.ContinuityOfContent = "SR", "CONTAINER", "SEPARATE"
    image.ConceptNameCodeSequence = code("126000", "DCM", "Imaging Measurement Report")
    image.CompletionFlag, image.VerificationFlag = "COMPLETE", "VERIFIED"
    image.ContentSequence = items[:1]
    return image


def walk(item: Dataset) -> Iterator[Dataset]:
    for below in item.get("ContentSequence", []):
        yield below
        yield from walk(below)


def test_a_report_stays_a_report() -> None:
    before, after = report(), convert(report())
    assert [one.get("ValueType") for one in walk(after)] == [one.ValueType for one in walk(before)]
    items = {one.ValueType: one for one in walk(after)}
    assert all(one.ConceptNameCodeSequence[0].CodeValue == "121071" for one in items.values())
    assert items["CODE"].ConceptCodeSequence[0].CodeMeaning == "Diabetes mellitus"
    assert items["NUM"].MeasuredValueSequence[0].NumericValue == 12.5
    assert items["TEXT"].TextValue == "No change." and items["SCOORD3D"].GraphicData[2] == 3
    assert items["IMAGE"].ReferencedSOPSequence[0].ReferencedSOPClassUID == CTImageStorage
    data = saved(after)
    for gone in (b"Okafor", b"20240312", b"1.2.826.0.9", b"1.2.826.0.77", b"1.2.826.0.78"):
        assert gone not in data


def test_planted_in_every_item_of_a_report_and_gone() -> None:
    before = planted(report())
    assert saved(before).count(PLANTED.encode()) > 100
    after = convert(before)
    assert PLANTED.lower().encode() not in saved(after).lower()
    assert len(list(walk(after))) == len(list(walk(report())))
