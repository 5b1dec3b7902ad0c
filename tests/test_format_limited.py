"""The limited data set of 164.514(e)(2), in each clinical format: dates, ages, city and ZIP stay,
names and numbers go, and a number in the place of a word is no word.
"""

import io
import json

import pydicom
import pytest
from format_clinical import X12_HEAD, convert
from format_dicom import ct, saved

import scrubjay
from scrubjay.formats.work import Work

LIMITED = scrubjay.load("hipaa-limited-data-set", profile="patterns")
STAYS = ("Springfield", "01103", "2234", "2024", "0312", "1950", "0304")
GOES = ("Quackenbush", "Zebulon", "Hollow", "00481923", "536904399", "5550143", "zeb@example.org")

FHIR = {
    "resourceType": "Patient",
    "identifier": [
        {
            "type": {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}
                ]
            },
            "value": "00481923",
        }
    ],
    "name": [{"family": "Quackenbush", "given": ["Zebulon"]}],
    "telecom": [
        {"system": "phone", "value": "(413) 555-0143"},
        {"system": "email", "value": "zeb@example.org"},
    ],
    "birthDate": "1950-03-04",
    "deceasedDateTime": "2024-03-12",
    "address": [
        {
            "line": ["12 Hollow Lane"],
            "city": "Springfield",
            "postalCode": "01103-2234",
            "country": "536904399",
        }
    ],
}
HL7V2 = (
    "MSH|^~\\&|LAB||||20240312||ADT^A08|1|P|2.5.1\rPID|1||00481923^^^^MR||Quackenbush^Zebulon||19500304"
    "|M|||12 Hollow Lane^^Springfield^MA^01103-2234^536904399||(413) 555-0143^^^zeb@example.org\r"
)
CCDA = """<ClinicalDocument xmlns="urn:hl7-org:v3"><effectiveTime value="20240312"/><recordTarget>
<patientRole><id root="1.2.3" extension="00481923"/><addr><streetAddressLine>12 Hollow Lane
</streetAddressLine><city>Springfield</city><postalCode>01103-2234</postalCode>
<country>536904399</country></addr><telecom value="tel:4135550143"/>
<telecom value="mailto:zeb@example.org"/><patient><name><given>Zebulon</given>
<family>Quackenbush</family></name><birthTime value="19500304"/></patient></patientRole>
</recordTarget></ClinicalDocument>"""
X12 = (
    X12_HEAD.partition("~")[0] + "~GS*HC*A*B*20240312*1015*1*X*005010X222A1~ST*837*0001~HL*1**22*0~"
    "NM1*IL*1*QUACKENBUSH*ZEBULON****MI*00481923~N3*12 HOLLOW LANE~"
    "N4*SPRINGFIELD*MA*011032234*536904399~DMG*D8*19500304*M**:RET:2106-3~"
    "PER*IC*ZEBULON*TE*4135550143*EM*zeb@example.org~SE*8*0001~GE*1*1~IEA*1*000000905~"
)
FILES = {
    "fhir.v1": json.dumps(FHIR),
    "hl7v2.v1": HL7V2,
    "ccda.v1": CCDA,
    "x12.v1": X12,
}


@pytest.mark.parametrize("kind", FILES)
def test_days_city_and_zip_stay_and_the_person_goes(kind):
    told = convert(kind, FILES[kind].encode(), LIMITED).decode().replace("-", "").casefold()
    assert [word for word in STAYS if word.casefold() not in told] == []
    assert [word for word in GOES if word.casefold() in told] == []


@pytest.mark.parametrize("kind", ["fhir.v1", "hl7v2.v1", "ccda.v1"])
def test_a_number_in_the_place_of_a_day_is_none(kind):
    data = FILES[kind].replace("1950-03-04", "536904399").replace("19500304", "536904399")
    assert b"536904399" not in convert(kind, data.encode(), LIMITED)


def test_of_an_image_days_stay_but_for_the_birth_date():
    target = io.BytesIO()
    work = Work(LIMITED.stream, rule=LIMITED.operator)
    scrubjay.formats.make("dicom.v1").convert(io.BytesIO(saved(ct())), target, work)
    told = pydicom.dcmread(io.BytesIO(target.getvalue()))
    assert (told.StudyDate, told.ContentDate, told.PatientBirthDate) == ("20240312", "20240313", "")
    assert told.LongitudinalTemporalInformationModified == "UNMODIFIED"
    assert b"Gonzalez^Maria" not in target.getvalue() and b"00481923" not in target.getvalue()


def test_the_domain_of_a_mail_address_is_in_no_public_system():
    told = json.loads(convert("fhir.v1", FILES["fhir.v1"].encode(), LIMITED))
    coding = told["identifier"][0]["type"]["coding"][0]
    assert coding["system"] == "http://terminology.hl7.org/CodeSystem/v2-0203"
