"""DICOM samples, made here, and a planter: an identifier in every place that can hold a string."""

from __future__ import annotations

import io

import pydicom
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

PLANTED = "Quimbelox"
STRINGS = ("AE", "CS", "DS", "IS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT", "UI", "AS")
DATES = ("DA", "DT", "TM")


def ct(syntax: str = ExplicitVRLittleEndian, size: int = 8) -> FileDataset:
    """A CT slice of size times size pixels."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = "1.2.826.0.1.1.5"
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = "1.2.826.0.1"
    image = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, "1.2.826.0.1.1.5"
    image.StudyInstanceUID, image.SeriesInstanceUID = "1.2.826.0.1.1", "1.2.826.0.1.1.2"
    image.FrameOfReferenceUID = "1.2.826.0.1.1.9"
    image.PatientName, image.PatientID = "Gonzalez^Maria", "00481923"
    image.PatientBirthDate, image.PatientSex, image.PatientAge = "19500304", "F", "074Y"
    image.StudyDate, image.StudyTime, image.ContentDate = "20240312", "101500", "20240313"
    image.AcquisitionDateTime = "20240312101501.5+0100"
    image.AccessionNumber, image.StudyID, image.Modality = "ACC77123", "1", "CT"
    image.ReferringPhysicianName, image.StudyDescription = "Okafor^Ngozi", "CT head Gonzalez, M."
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.Rows = image.Columns = size
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 0
    image.PixelData = bytes(range(256)) * (size * size * 2 // 256 + 1)
    image.PixelData = image.PixelData[: size * size * 2]
    return image


def saved(image: Dataset) -> bytes:
    """As a file."""
    target = io.BytesIO()
    pydicom.dcmwrite(target, image, enforce_file_format=True)
    return target.getvalue()


def sample(length: int) -> bytes:
    """A slice of about so many bytes, with a scanner's header."""
    image = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    image.Rows = image.Columns = max(2, int((length / 2) ** 0.5) // 2 * 2)
    image.PixelData = ct(size=image.Rows).PixelData
    return saved(image)


def planted(image: Dataset) -> Dataset:
    """The identifier at every depth: in each text element, and in private ones."""
    for element in list(image):
        if element.VR == "SQ":
            for item in element.value:
                planted(item)
        elif element.tag.group > 2 and element.tag not in KEPT:
            _plant(element)
    block = image.private_block(0x0019, "QUIMBELOX LTD", create=True)
    for number, (vr, value) in enumerate(PRIVATE.items()):
        block.add_new(number, vr, value)
    return image


KEPT = {
    0x00080016,
    0x00080018,
    0x00080005,
    0x00080060,
    0x00080008,
    0x00080064,
    0x00280004,
    0x00280008,
}
PRIVATE = {"LO": PLANTED, "UN": PLANTED.encode(), "OB": PLANTED.encode() + b"\0", "UT": PLANTED,
           "PN": f"{PLANTED}^X"}  # fmt: skip


def _plant(element: pydicom.DataElement) -> None:
    if element.VR in STRINGS:
        element._value = PLANTED if element.VR != "PN" else pydicom.valuerep.PersonName(
            f"{PLANTED}^Q={PLANTED}=Y^{PLANTED}"
        )  # fmt: skip
    elif element.VR in DATES:
        element._value = PLANTED
    elif element.VR in ("OB", "UN") and element.tag.group != 0x7FE0:
        element._value = PLANTED.encode() + b"\0"


def wide() -> Dataset:
    """A slice with strings of all kinds, sequences in sequences, overlays and curves."""
    image = ct()
    inner = Dataset()
    inner.add_new(0x00400275, "SQ", Sequence([_words()]))
    image.add_new(0x00081140, "SQ", Sequence([_words(), inner]))
    image.update(_words())
    image.add_new(0x60000010, "US", 8)
    image.add_new(0x60003000, "OW", PLANTED.encode() + b"\0")
    image.add_new(0x60004000, "LT", PLANTED)
    image.add_new(0x50003000, "OW", PLANTED.encode() + b"\0")
    image.add_new(0x00282000, "OB", PLANTED.encode() + b"\0")
    image.add_new(0x00090203, "LO", PLANTED)
    return image


def _words() -> Dataset:
    """One public attribute of every string representation, none of them in the profile's table."""
    found, seen = Dataset(), set()
    from pydicom.datadict import DicomDictionary

    from scrubjay.formats.dicom.profile import table

    for tag, (vr, *_rest, retired, _keyword) in DicomDictionary.items():
        usual = vr in STRINGS + DATES + ("OB",) and tag not in table() and not retired
        if usual and (vr not in seen or tag % 7 == 0) and 8 <= tag >> 16 < 0x7FE0:
            found.add_new(tag, vr, b"\0\0" if vr == "OB" else None)
            seen.add(vr)
    for tag in list(table())[::9]:
        vr = DicomDictionary.get(tag, ("",))[0]
        if vr in STRINGS + DATES and tag >> 16 >= 8:
            found.add_new(tag, vr, None)
    for tag in KEPT:
        found.pop(tag, None)
    return found


SAMPLES = {"dicom.v1": sample}
