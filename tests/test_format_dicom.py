"""DICOM: the profile's table, what goes, what stays valid, what is refused, and plants."""

from __future__ import annotations

import base64
import io
import warnings
import zlib
from collections import Counter
from pathlib import Path

import pydicom
import pytest
from format_dicom import PLANTED, ct, planted, saved, wide
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    EncapsulatedPDFStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
    SecondaryCaptureImageStorage,
)

import scrubjay
from scrubjay import formats
from scrubjay.errors import InputError, RefusedError
from scrubjay.formats.dicom import Dicom, profile
from scrubjay.formats.dicom.elements import EXPLICIT, Reader
from scrubjay.formats.work import Limits, Work
from scrubjay.testing import FakeDetector, canary

SAMPLES = Path(pydicom.__file__).parent / "data" / "test_files"
PLANTS = {PLANTED: "PERSON", PLANTED.upper(): "PERSON"}


def engine(policy: str = "everything") -> scrubjay.Engine:
    return scrubjay.load(policy, profile="patterns", detectors=[FakeDetector(PLANTS)])


@pytest.fixture(scope="module")
def everything() -> scrubjay.Engine:
    return engine()


def run(data: bytes, by: scrubjay.Engine, **options) -> bytes:
    """As told, without a warning: those of libraries quote values."""
    target = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Dicom("dicom.v1", "", **options).convert(
            io.BytesIO(data), target, Work(by.stream, rule=by.operator)
        )
    return target.getvalue()


def read(data: bytes) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = pydicom.dcmread(io.BytesIO(data))
        str(image)
    return image


def spellings(word: str) -> list[bytes]:
    """A word as the format can hold it."""
    plain = word.encode()
    return [plain, word.encode("utf-16le"), word.encode("utf-16be"), plain.hex().encode(),
            base64.b64encode(plain)[:-4]]  # fmt: skip


def assert_gone(data: bytes, word: str = PLANTED) -> None:
    for spelling in spellings(word):
        assert spelling.lower() not in data.lower()


def test_the_table_is_the_standards() -> None:
    """Counts of Table E.1-1 as compiled: rows by action, options by column."""
    rows = profile.table().values()
    assert Counter(row.basic for row in rows) == {
        "D": 93, "U": 55, "X": 412, "X/D": 23, "X/Z": 11, "X/Z/D": 8, "X/Z/U*": 2, "Z": 42, "Z/D": 6
    }  # fmt: skip
    assert Counter(option for row in rows for option in row.options) == {
        "uids": 60, "device": 57, "institution": 10, "patient": 14, "full": 165, "modified": 165,
        "descriptors": 125, "structured": 3, "graphics": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian,
               DeflatedExplicitVRLittleEndian]
)  # fmt: skip
def test_planted_everywhere_and_gone(syntax: str, everything: scrubjay.Engine) -> None:
    image = planted(wide())
    image.file_meta.TransferSyntaxUID = syntax
    image["PixelData"].VR = "OW"
    target = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pydicom.dcmwrite(
            target, image, implicit_vr=syntax == ImplicitVRLittleEndian,
            little_endian=syntax != ExplicitVRBigEndian, force_encoding=False,
        )  # fmt: skip
    data = target.getvalue()
    if syntax == ExplicitVRLittleEndian:
        assert data.count(PLANTED.encode()) > 150
    told = run(b"Quimbelox".ljust(128) + data[128:], everything)
    if syntax == DeflatedExplicitVRLittleEndian:
        start = 132 + 12 + int.from_bytes(told[140:144], "little")
        assert_gone(zlib.decompress(told[start:], -15))
    assert_gone(told)
    after = read(told)
    assert after.PixelData == image.PixelData
    assert after.file_meta.TransferSyntaxUID == syntax


def test_planted_in_real_files(everything: scrubjay.Engine) -> None:
    """Structured reports, plans, waveforms, multi-frame images: every text element of each."""
    names = ("test-SR.dcm", "reportsi.dcm", "rtplan.dcm", "CT_small.dcm", "liver_1frame.dcm",
             "MR_small_jp2klossless.dcm", "waveform_ecg.dcm", "SC_rgb_jpeg_gdcm.dcm")  # fmt: skip
    for name in names:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = planted(pydicom.dcmread(SAMPLES / name))
            target = io.BytesIO()
            image.save_as(target)
        told = run(target.getvalue(), everything, seen=True)
        assert_gone(told)
        read(told)


def test_pixels_stay_and_others_read_them(everything: scrubjay.Engine, tmp_path: Path) -> None:
    gdcm = pytest.importorskip("gdcm")
    for name in (
        "CT_small.dcm",
        "MR_small_RLE.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_jp2klossless.dcm",
        "SC_rgb_jpeg_gdcm.dcm",
        "JPGExtended.dcm",
    ):
        data = (SAMPLES / name).read_bytes()
        for which, content in (("a", data), ("b", run(data, everything, seen=True))):
            (tmp_path / which).write_bytes(content)
        images = []
        for which in "ab":
            reader = gdcm.ImageReader()
            reader.SetFileName(str(tmp_path / which))
            assert reader.Read()
            images.append(reader.GetImage().GetBuffer())
        assert images[0] == images[1], name


def test_uids_agree_across_files_and_stay_valid() -> None:
    """What refers to each other still does; the standard's own UIDs stay; keys part runs."""
    first, second = ct(), ct()
    second.SOPInstanceUID = second.file_meta.MediaStorageSOPInstanceUID = "1.2.826.0.1.1.6"
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CTImageStorage, "1.2.826.0.1.1.5"
    second.ReferencedImageSequence = [item]
    by = engine("hipaa-safe-harbor")
    one, two = read(run(saved(first), by)), read(run(saved(second), by))
    assert one.StudyInstanceUID == two.StudyInstanceUID != first.StudyInstanceUID
    assert two.ReferencedImageSequence[0].ReferencedSOPInstanceUID == one.SOPInstanceUID
    assert two.ReferencedImageSequence[0].ReferencedSOPClassUID == CTImageStorage
    assert one.SOPInstanceUID != two.SOPInstanceUID
    assert one.file_meta.MediaStorageSOPInstanceUID == one.SOPInstanceUID
    assert one.SOPInstanceUID.is_valid and one.SOPInstanceUID.startswith("2.25.")
    again = read(run(saved(first), engine("hipaa-safe-harbor")))
    assert again.StudyInstanceUID != one.StudyInstanceUID


def test_a_policy_chooses_the_options() -> None:
    def codes(policy: str) -> tuple[set[str], Dataset]:
        told = read(run(saved(ct()), engine(policy)))
        assert told.PatientIdentityRemoved == "YES"
        method = told.DeidentificationMethodCodeSequence
        assert all(item.CodingSchemeDesignator == "DCM" for item in method)
        return {item.CodeValue for item in method}, told

    found, told = codes("everything")
    assert found == {"113100", "113103", "113104", "113105"}
    assert told.StudyDate == "" and told.PatientSex == "" and "PatientAge" not in told
    assert told.LongitudinalTemporalInformationModified == "REMOVED"
    found, told = codes("gdpr-pseudonymise")
    assert {"113107", "113108"} <= found and "113106" not in found
    assert told.LongitudinalTemporalInformationModified == "MODIFIED"
    assert told.StudyDate != "20240312" and told.StudyTime == "101500"
    days = [pydicom.valuerep.DA(day) for day in (told.StudyDate, told.ContentDate)]
    assert (days[1] - days[0]).days == 1
    assert told.AcquisitionDateTime == f"{told.StudyDate}101501.5+0100"
    assert told.PatientID and told.PatientID != "00481923" and told.PatientAge == "074Y"
    found, told = codes("hipaa-limited-data-set")
    assert "113106" in found and told.StudyDate == "20240312"
    assert told.PatientBirthDate == ""  # no option of the profile keeps it


def test_ages_over_89_go() -> None:
    image = ct()
    image.PatientAge = "093Y"
    assert read(run(saved(image), engine("hipaa-safe-harbor"))).PatientAge == ""


def test_the_patients_own_name_is_found_in_descriptors(everything: scrubjay.Engine) -> None:
    told = read(run(saved(ct()), everything))
    assert told.StudyDescription == "CT head [PERSON]"


def test_an_orders_number_is_known_and_a_title_is_nobodys(everything: scrubjay.Engine) -> None:
    image = ct()
    image.PatientName, image.FillerOrderNumberImagingServiceRequest = (
        "Lee^Ann^^Prof.^MD",
        "PO-99123",
    )
    image.PatientComments = "Ann Lee, PO-99123, asked Prof. X, MD"
    assert (
        read(run(saved(image), everything)).PatientComments == "[PERSON], [ID], asked Prof. X, MD"
    )


def test_a_number_alone_goes_unless_it_is_a_concepts(everything: scrubjay.Engine) -> None:
    image, code = ct(), Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "271649006", "SCT"
    code.CodingSchemeVersion = "20240301"
    image.SeriesDescription, image.ProcedureCodeSequence = "536904399", [code]
    told = read(run(saved(image), everything))
    assert told.SeriesDescription == "[ID]"
    assert told.ProcedureCodeSequence[0] == code


def test_names_of_things_are_no_ones() -> None:
    image = ct()
    image.SequenceName, image.InstitutionName = "Spin Echo", "Mercy General"
    keep = scrubjay.load("gdpr-pseudonymise", profile="patterns")
    told = read(run(saved(image), keep))
    assert (told.SequenceName, told.InstitutionName) == ("Spin Echo", "Mercy General")


def test_basic_profile_alone() -> None:
    target = io.BytesIO()
    form = formats.make("dicom-basic.v1", encoding="utf-8", group="")
    by = engine("gdpr-pseudonymise")
    work = Work(by.stream, rule=by.operator)
    form.convert(io.BytesIO(saved(ct())), target, work)
    told = read(target.getvalue())
    assert "StudyDescription" not in told and told.StudyDate == ""
    assert [item.CodeValue for item in told.DeidentificationMethodCodeSequence] == ["113100"]


def test_what_is_required_stays_present(everything: scrubjay.Engine) -> None:
    """Type 1 of the CT image's modules, PS3.3 A.3, and type 2 though empty."""
    told = read(run(saved(ct()), everything))
    for keyword in (
        "SOPClassUID",
        "SOPInstanceUID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "Modality",
        "FrameOfReferenceUID",
        "ImageType",
        "SamplesPerPixel",
        "Rows",
        "PhotometricInterpretation",
        "Columns",
        "BitsAllocated",
        "PixelData",
    ):
        assert told[keyword].value not in (None, "", [])
    for keyword in (
        "PatientName",
        "PatientID",
        "PatientBirthDate",
        "PatientSex",
        "StudyDate",
        "StudyTime",
        "ReferringPhysicianName",
        "StudyID",
        "AccessionNumber",
    ):
        assert keyword in told


def test_a_copy_of_a_copy_is_the_same() -> None:
    """Under a policy that keeps UIDs and dates, as a second key would make others."""
    rules = {"UID": scrubjay.Rule("keep.v1"), "DATE": scrubjay.Rule("keep.v1")}
    by = scrubjay.load(scrubjay.Policy("keeps", rules), profile="patterns")
    once = run(saved(wide()), by)
    assert read(once).SOPInstanceUID == "1.2.826.0.1.1.5"
    assert run(once, by) == once


def test_safe_private_attributes_stay_clean(everything: scrubjay.Engine) -> None:
    image = ct()
    block = image.private_block(0x0019, "ACME", create=True)
    block.add_new(0x01, "DS", "1.5")
    block.add_new(0x02, "LO", f"by {PLANTED}")
    block.add_new(0x03, "LO", "unlisted")
    safe = frozenset({("ACME", 0x0019, 0x01), ("ACME", 0x0019, 0x02)})
    told = read(run(saved(image), everything, options=profile.Options(private=safe)))
    kept = told.private_block(0x0019, "ACME")
    assert kept[0x01].value == 1.5 and kept[0x02].value == "by [PERSON]" and 0x03 not in kept


def test_character_sets(everything: scrubjay.Engine) -> None:
    image = ct()
    image.SpecificCharacterSet = "ISO_IR 100"
    image.PatientName = "Müller^Jörg"
    image.SeriesDescription = "Schädel, Hr. Müller"
    told = read(run(saved(image), everything))
    assert told.SpecificCharacterSet == "ISO_IR 192"
    assert told.SeriesDescription == "Schädel, Hr. [PERSON]"


def test_comments_in_compressed_pixels_are_blanked(everything: scrubjay.Engine) -> None:
    frames = {"SC_rgb_jpeg_gdcm.dcm": b"\xff\xfe", "MR_small_jp2klossless.dcm": b"\xff\x64"}
    for name, comment in frames.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = pydicom.dcmread(SAMPLES / name)
        frame = next(pydicom.encaps.generate_frames(image.PixelData, number_of_frames=1))
        at = 2 if comment == b"\xff\xfe" else frame.index(b"\xff\x52")
        note = comment + (4 + 10).to_bytes(2, "big") + b"\0\1" + PLANTED.encode() + b"."
        image.PixelData = pydicom.encaps.encapsulate([frame[:at] + note + frame[at:]])
        target = io.BytesIO()
        image.save_as(target)
        assert PLANTED.encode() in target.getvalue()
        assert_gone(run(target.getvalue(), everything, seen=True))


def test_what_is_behind_the_pixels_is_cut(everything: scrubjay.Engine) -> None:
    image = ct()
    image.PixelData += PLANTED.encode() + b"\0"
    assert_gone(run(saved(image), everything))


def test_what_is_refused(everything: scrubjay.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRUBJAY_OCR", "tesseract")
    monkeypatch.setenv("PATH", "")  # there is none

    def refused(image: Dataset, told: str) -> None:
        with pytest.raises(InputError, match=told):
            run(saved(image), everything)

    for keyword, value in {
        "Modality": "US",
        "BurnedInAnnotation": "YES",
        "ConversionType": "SD",
        "ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"],
        "SeriesDescription": "Dose Report",
    }.items():
        image = ct(size=16)
        setattr(image, keyword, value)
        refused(image, "pixels first")
    image = ct(size=16)
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    refused(image, "pixels first")
    image = ct(size=16)
    image.PhotometricInterpretation = "RGB"
    refused(image, "colours")
    image = ct()
    image.SOPClassUID = "1.2.3.4"
    refused(image, "SOP class")
    image = ct()
    image.add_new(0x60000102, "US", 12)
    refused(image, "overlay in the bits")
    image = ct()
    image.Rows = 4000
    refused(image, "bytes of pixels")
    image = ct()
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = EncapsulatedPDFStorage
    image.MIMETypeOfEncapsulatedDocument, image.EncapsulatedDocument = "model/stl", b"ab"
    refused(image, "nothing reads")
    image = ct()
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    refused(image, "DICOMDIR")


def test_an_encapsulated_document_goes_through_its_reader(everything: scrubjay.Engine) -> None:
    """Of the kind that there is a reader for; here one that stands in for PDF's."""
    image = ct()
    del image.PixelData
    image.MIMETypeOfEncapsulatedDocument = "application/pdf"
    image.EncapsulatedDocument = b"%PDF-1.7 not one"
    with pytest.raises(RefusedError):
        run(saved(image), everything)


def test_bombs_and_lies(everything: scrubjay.Engine) -> None:
    data = saved(ct())
    deep = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    for bad in (
        data[:140],
        data[: len(data) // 2],
        b"",
        b"\0" * 200,
        data[:-1],
        data[:132],
        data[:128] + b"DICN" + data[132:],
        data + b"\x09",
        data.replace(b"\x28\x00\x10\x00US\x02\x00", b"\x28\x00\x10\x00US\xff\xff"),
    ):
        with pytest.raises(InputError):
            run(bad, everything)
    with pytest.raises(InputError, match="deep"):
        Reader(io.BytesIO(deep * 10_000)).elements(len(deep) * 10_000, EXPLICIT)
    image = ct(DeflatedExplicitVRLittleEndian, size=2048)
    image.PixelData = b"\0" * len(image.PixelData)
    form, work = Dicom("dicom.v1", ""), Work(everything.stream, limits=Limits(ratio=2))
    with pytest.raises(InputError, match="unpacks"):
        form.convert(io.BytesIO(saved(image)), io.BytesIO(), work)


GOOD = saved(wide())


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(128, len(GOOD) - 1), st.binary(max_size=6)), max_size=6),
       st.integers(0, 40))  # fmt: skip
def test_damage_is_refused_or_read(everything, changes, cut) -> None:
    data = bytearray(GOOD)
    for at, new in changes:
        data[at : at + len(new)] = new
    del data[len(data) - cut :]

    def once() -> None:
        try:
            run(bytes(data), everything)
        except RefusedError:
            return

    canary(once, "Gonzalez")


def test_thumbnails_go_wherever_they_are(everything: scrubjay.Engine) -> None:
    image, small = ct(), Dataset()
    small.add_new(0x7FE00010, "OB", PLANTED.encode() + b"\0")
    image.ReferencedImageSequence = [small]
    assert_gone(run(saved(image), everything))


def test_dates_of_a_file_without_a_patient_move_together() -> None:
    image = ct()
    image.PatientID = ""
    told = read(run(saved(image), engine("gdpr-pseudonymise")))
    days = [pydicom.valuerep.DA(day) for day in (told.StudyDate, told.ContentDate)]
    assert (days[1] - days[0]).days == 1


def test_what_is_left_out_is_told() -> None:
    image = ct()
    image.private_block(0x0009, "ACME", create=True).add_new(0x01, "LO", "x")
    work = Work(engine().stream)
    Dicom("dicom.v1", "").convert(io.BytesIO(saved(image)), io.BytesIO(), work)
    assert work.left_out["private attribute"] == 2 and work.left_out["PatientAge"] == 1


def test_only_texts_of_the_file_are_looked_at() -> None:
    """What the policy keeps is not found out by texts that reports would count."""
    by, seen = engine("gdpr-pseudonymise"), []

    def clean(documents):
        for document in documents:
            seen.append(document)
            yield by.anonymize(document)

    work = Work(clean, rule=by.operator)
    Dicom("dicom.v1", "").convert(io.BytesIO(saved(ct())), io.BytesIO(), work)
    texts = saved(ct()).decode("latin-1")
    assert len(seen) > 10 and all(one.id and one.text in texts for one in seen)


def test_found_by_its_magic_whatever_its_name() -> None:
    assert formats.kinds.sample(saved(ct()), "IM00001") == "dicom.v1"
    with pytest.raises(InputError, match="none"):
        formats.kinds.sample(b"hello", "a.dcm")
