"""DICOM: bytes that hide where nobody looks go, or the file is refused."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path

import pytest

pytest.importorskip("pydicom")

import pydicom
from format_dicom import PLANTED, ct, saved
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import RLELossless

import scrubjay
from scrubjay.errors import InputError
from scrubjay.formats.dicom import Dicom
from scrubjay.formats.work import Work
from scrubjay.testing import FakeDetector

SAMPLES = Path(pydicom.__file__).parent / "data" / "test_files"
PLANT = PLANTED.encode() + b"."
ENGINE = scrubjay.load(
    "everything", profile="patterns", detectors=[FakeDetector({PLANTED: "PERSON"})]
)


def convert(image: Dataset) -> tuple[Dataset, Work]:
    source, target = io.BytesIO(), io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image.save_as(source)
    assert PLANT in source.getvalue()
    work = Work(ENGINE.stream)
    Dicom("dicom.v1", "", seen=True).convert(source, target, work)
    assert PLANTED.encode() not in target.getvalue()
    return pydicom.dcmread(io.BytesIO(target.getvalue())), work


def opened(name: str) -> tuple[Dataset, bytes]:
    """A test file of pydicom's, and its one frame."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = pydicom.dcmread(SAMPLES / name)
    return image, next(generate_frames(image.PixelData, number_of_frames=1))


def rle() -> tuple[Dataset, bytes]:
    image = ct()
    image.compress(RLELossless, generate_instance_uid=False)
    return image, next(generate_frames(image.PixelData, number_of_frames=1))


def jpeg() -> tuple[Dataset, bytes]:
    return opened("SC_rgb_jpeg_gdcm.dcm")


def wavelet() -> tuple[Dataset, bytes]:
    return opened("MR_small_jp2klossless.dcm")


def with_marker(frame: bytes, marker: int) -> bytes:
    return frame[:2] + struct.pack(">HH", marker, 2 + len(PLANT)) + PLANT + frame[2:]


def endless(frame: bytes) -> bytes:
    """Its tile goes to the end, whatever the end is."""
    at = frame.index(b"\xff\x90")
    return frame[: at + 6] + b"\0\0\0\0" + frame[at + 10 :]


BLANKED = {
    "behind a JPEG": (jpeg, lambda frame: frame + PLANT),
    "a JPEG's private segment": (jpeg, lambda frame: with_marker(frame, 0xFFEF)),
    "behind a JPEG 2000": (wavelet, lambda frame: frame + PLANT),
    "behind a JPEG 2000 without a length": (wavelet, lambda frame: endless(frame) + PLANT),
    "behind the last run": (rle, lambda frame: frame + PLANT),
    "offsets of no segment": (rle, lambda frame: frame[:20] + PLANT.ljust(44) + frame[64:]),
}
REFUSED = {
    "between a JPEG's segments": (jpeg, lambda frame: frame[:2] + PLANT + frame[2:]),
    "a segment for extensions": (jpeg, lambda frame: with_marker(frame, 0xFFF0)),
    "a second frame": (jpeg, lambda frame: with_marker(frame, 0xFFEF), 2),
    "an unknown JPEG 2000 marker": (wavelet, lambda frame: with_marker(frame, 0xFF6F)),
    "a run that is too long": (rle, lambda frame: frame[:64] + bytes([9]) + PLANT + frame[64:]),
}


@pytest.mark.parametrize("where", BLANKED)
def test_what_is_no_part_of_a_frame_is_blanked(where: str) -> None:
    make, hide = BLANKED[where]
    image, frame = make()
    old = image.pixel_array
    image.PixelData = encapsulate([hide(frame)])
    new, work = convert(image)
    assert work.left_out["what is no part of a frame"] == 1
    assert (new.pixel_array == old).all()


@pytest.mark.parametrize("where", REFUSED)
def test_frames_that_are_not_understood_are_refused(where: str) -> None:
    make, hide, *times = REFUSED[where]
    image, frame = make()
    image.PixelData = encapsulate([hide(frame)] * (times or [1])[0])
    with pytest.raises(InputError, match="7FE0,0010"):
        convert(image)


def test_offsets_are_made_anew() -> None:
    image, frame = jpeg()
    good = encapsulate([frame], has_bot=True)
    image.PixelData = good[:4] + struct.pack("<I", 12) + (PLANT + b"..")[:12] + good[12:]
    image.ExtendedOffsetTable, image.ExtendedOffsetTableLengths = PLANT[:8], PLANT[:8]
    assert convert(image)[0].PixelData == good


def test_bytes_that_call_themselves_numbers_go() -> None:
    image = ct()
    image.add_new(0x00282000, "OF", PLANT + b"..")
    assert convert(image)[1].left_out["attribute of a wrong kind"] == 1


def test_behind_samples_and_in_the_meta_information() -> None:
    image = ct()
    image.PixelData += PLANT
    image.file_meta.SourceApplicationEntityTitle = PLANTED
    _, work = convert(image)
    assert work.left_out["bytes behind the pixels"] == len(PLANT)
    assert work.left_out["file meta information"] == 1
    image = ct()
    image.FloatPixelData = image.PixelData * 2 + PLANT + b".."
    image.BitsAllocated = 32
    del image.PixelData
    assert len(convert(image)[0].FloatPixelData) == 8 * 8 * 4


def test_a_little_sequence_in_a_big_file_is_refused() -> None:
    """UN of undefined length is little-endian whatever the file is, PS3.5 6.2.2."""
    data = saved(ct()).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.2\0")
    start = 144 + struct.unpack_from("<I", data, 140)[0]
    item = b"\0\x08\x11\x40UN\0\0\xff\xff\xff\xff\xfe\xff\xdd\xe0\0\0\0\0"
    with pytest.raises(InputError, match="little-endian"):
        Dicom("dicom.v1", "").convert(
            io.BytesIO(data[:start] + item), io.BytesIO(), Work(ENGINE.stream)
        )


def test_who_it_was_is_replaced_whole_where_the_profile_says_so() -> None:
    """D and Z of Table E.1-1 are no place to keep the part of a text that nobody found."""
    image, person = ct(), Dataset()
    person.CodeValue, person.CodingSchemeDesignator = f"Q-{PLANTED}", "99LOCAL"
    person.CodeMeaning = f"{PLANTED}. of ward 7, born 1980-02-03"
    image.ClinicalTrialSponsorName = f"{PLANTED}. Pharma, ann@example.org"
    operator = Dataset()
    operator.PersonIdentificationCodeSequence = [person]
    image.OperatorIdentificationSequence = [operator]
    told, _ = convert(image)
    assert told.ClinicalTrialSponsorName == "REMOVED"
    who = told.OperatorIdentificationSequence[0].PersonIdentificationCodeSequence[0]
    assert {who.CodeValue, who.CodingSchemeDesignator, who.CodeMeaning} == {"REMOVED"}


def test_a_number_that_the_header_knows_is_no_measure() -> None:
    image = ct()
    image.PatientID, image.PatientComments = "4819230", PLANT.decode()
    image.AcquisitionNumber, image.InstanceNumber = "4819230", "12"
    told, _ = convert(image)
    assert told.AcquisitionNumber is None and told.InstanceNumber == 12


def test_escapes_that_nobody_declared_are_refused() -> None:
    image = ct()
    image.StudyDescription, image.PatientComments = "\x1b$B;3ED", PLANT.decode()
    with pytest.raises(InputError, match="escape"):
        convert(image)
