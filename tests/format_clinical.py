"""Samples of the clinical formats, and a planter that puts identifiers wherever a string can be."""

import base64
import html
import io
import json
import re
import urllib.parse

import scrubjay
from scrubjay import formats
from scrubjay.formats.work import Work
from scrubjay.types import Policy, Rule

SURNAME = "Quackenbush"
SSN = "536-90-4399"
MAIL = "zeb.q@hospital-mail.org"
PLANTS = (SURNAME, SSN, MAIL)
DENY = {"PERSON": (SURNAME, "Zebulon")}
EVERYTHING = scrubjay.load(
    Policy("test", default=Rule("redact.v1", threshold=0.4), deny=DENY), profile="patterns"
)


def convert(kind, data, engine=EVERYTHING, work=None):
    """The file as it became."""
    sink = io.BytesIO()
    formats.make(kind).convert(io.BytesIO(data), sink, work or Work(engine.stream, key=engine.key))
    return sink.getvalue()


def found(data, plants=PLANTS):
    """Which plants show in the bytes, however they are written."""
    views = [data.decode("latin-1"), data.decode("utf-8", "replace")]
    for encoding in ("utf-16-le", "utf-16-be"):
        views.append(data.decode(encoding, "replace"))
    text = views[1]
    views += [html.unescape(text), urllib.parse.unquote(text)]
    views.append(re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text))
    for run in re.findall(r"[A-Za-z0-9+/]{16,}={0,2}", text):
        whole = run[: len(run) // 4 * 4]
        views.append(base64.b64decode(whole + "=" * (-len(whole) % 4)).decode("latin-1"))
    for run in re.findall(r"(?:[0-9a-fA-F]{2}){8,}", text):
        views.append(bytes.fromhex(run).decode("latin-1"))
    bare = [re.sub(r"\W", "", view).casefold() for view in views]
    return [p for p in plants if any(re.sub(r"\W", "", p).casefold() in view for view in bare)]


def text64(text):
    return base64.b64encode(text.encode()).decode()


FHIR = {
    "resourceType": "Bundle",
    "id": "bundle-1",
    "type": "collection",
    "timestamp": "2020-02-03T10:11:12Z",
    "entry": [
        {
            "fullUrl": "urn:uuid:5b1c9d52-5f0e-4c8e-8f0a-3c5c6a1d2e3f",
            "resource": {
                "resourceType": "Patient",
                "id": "5b1c9d52-5f0e-4c8e-8f0a-3c5c6a1d2e3f",
                "meta": {"lastUpdated": "2020-02-03T10:11:12Z", "source": "http://ehr.example/x"},
                "text": {
                    "status": "generated",
                    "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p id="who">Zebulon '
                    "<b>Quacken</b>bush,&nbsp;SSN 536-90-4399</p><table><tr><th>Name</th>"
                    '<td title="Quackenbush">Zebulon</td></tr></table></div>',
                },
                "contained": [
                    {"resourceType": "Organization", "id": "o1", "name": "Quackenbush Clinic"}
                ],
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName",
                        "valueString": "Quackenbush",
                    },
                    {"url": "http://hospital.example/fhir/nick", "valueString": "Zebulon"},
                ],
                "identifier": [
                    {
                        "type": {
                            "coding": [
                                {
                                    "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                                    "code": "MR",
                                }
                            ]
                        },
                        "system": "http://hospital.example/mrn",
                        "value": "4711-Z",
                    },
                    {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "536-90-4399"},
                ],
                "name": [{"use": "official", "family": "Quackenbush", "given": ["Zebulon", "P."]}],
                "telecom": [{"system": "phone", "value": "212-555-0143", "use": "home"}],
                "gender": "male",
                "birthDate": "1961-04-05",
                "address": [
                    {
                        "line": ["12 Hollow Lane"],
                        "city": "Springfield",
                        "state": "MA",
                        "postalCode": "01103",
                        "country": "US",
                    }
                ],
                "managingOrganization": {"reference": "#o1", "display": "Quackenbush Clinic"},
            },
        },
        {
            "fullUrl": "https://ehr.example/fhir/Observation/7",
            "resource": {
                "resourceType": "Observation",
                "id": "7",
                "status": "final",
                "code": {
                    "coding": [
                        {"system": "http://loinc.org", "code": "8302-2", "display": "Body Height"}
                    ],
                    "text": "Height",
                },
                "subject": {
                    "reference": "urn:uuid:5b1c9d52-5f0e-4c8e-8f0a-3c5c6a1d2e3f",
                    "display": "Zebulon Quackenbush",
                },
                "effectiveDateTime": "2020-02-03T10:11:12+01:00",
                "valueQuantity": {
                    "value": 181.50,
                    "unit": "cm",
                    "system": "http://unitsofmeasure.org",
                    "code": "cm",
                },
                "note": [{"authorString": "Zebulon", "text": "Q. walks. Call 212-555-0143"}],
                "derivedFrom": [{"reference": "Observation/6"}, {"reference": "Observation/7"}],
            },
        },
        {
            "fullUrl": "https://ehr.example/fhir/DocumentReference/8",
            "resource": {
                "resourceType": "DocumentReference",
                "id": "8",
                "status": "current",
                "subject": {"reference": "Patient/5b1c9d52-5f0e-4c8e-8f0a-3c5c6a1d2e3f"},
                "date": "2020-02-03T10:11:12Z",
                "content": [
                    {
                        "attachment": {
                            "contentType": "text/plain",
                            "data": text64("Seen: Zebulon Quackenbush, MRN 4711-Z"),
                            "title": "Note on Quackenbush",
                            "size": 37,
                        }
                    }
                ],
            },
        },
        {
            "fullUrl": "https://ehr.example/fhir/Condition/9",
            "resource": {
                "resourceType": "Condition",
                "id": "9",
                "clinicalStatus": {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                            "code": "active",
                        }
                    ]
                },
                "code": {
                    "coding": [{"system": "http://snomed.info/sct", "code": "38341003"}],
                    "text": "Hypertension",
                },
                "subject": {"reference": "urn:uuid:5b1c9d52-5f0e-4c8e-8f0a-3c5c6a1d2e3f"},
                "onsetAge": {
                    "value": 92,
                    "unit": "years",
                    "system": "http://unitsofmeasure.org",
                    "code": "a",
                },
            },
        },
    ],
}


def fhir(size=0):
    """The Bundle, or lines of at least so many bytes."""
    if not size:
        return json.dumps(FHIR, indent=2).encode()
    lines = [json.dumps(entry["resource"]).encode() for entry in FHIR["entry"]]
    block = b"\n".join(lines) + b"\n"
    return block * (size // len(block) + 1)


def strings(value, path=()):
    """Every place of a string in JSON."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from strings(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from strings(inner, (*path, index))
    elif isinstance(value, str):
        yield path


def planted(value, path, text):
    """A copy with the text in that place."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = text
    return copy


HL7V2 = "\r".join(
    [
        r"MSH|^~\&|LAB|Mercy Hospital^1.2.3^ISO|EHR|Mercy Hospital|20240229133000+0100|"
        r"|ORU^R01^ORU_R01|MSG00012|P|2.5.1",
        r"PID|1||4711-Z^^^Mercy&1.2.3&ISO^MR~536-90-4399^^^USSSA^SS||Quackenbush^Zebulon^P^^Mr."
        r"||19610405|M||2106-3^White^HL70005|12 Hollow Lane^^Springfield^MA^01103^USA^H|"
        r"|(212)555-0143~^NET^Internet^zeb.q@hospital-mail.org||EN|M||99887-A|536-90-4399",
        r"NK1|1|Quackenbush^Adela|SPO^Spouse^HL70063|12 Hollow Lane^^Springfield^MA^01103"
        r"|2125550144",
        r"PV1|1|I|W3^12^B^Mercy||||1234567893^Strangelove^Igor^^^Dr.|||MED|||||||||V5512",
        r"ORC|RE|P-881|F-992||||||20240229",
        r"OBR|1|P-881|F-992|8302-2^Body height^LN|||20240229|||||||||1234567893^Strangelove^Igor",
        r"OBX|1|NM|8302-2^Body height^LN||181.5|cm^cm^UCUM||N|||F",
        r"OBX|2|NM|30525-0^Age^LN||92|a^year^UCUM|||||F",
        r"OBX|3|TX|11506-3^Progress note^LN||Mr. Zebulon~Quackenbush \T\ wife Adela,||||||F",
        r"OBX|4|FT|11506-3^Progress note^LN||seen by Dr.\.br\Strangelove, MRN 4711-Z||||||F",
        r"OBX|5|ED|PDF^Report||LAB^text^TEXT^Base64^"
        + text64("For Zebulon Quackenbush")
        + "||||||F",
        r"NTE|1||Told \X517561636B656E62757368\ on \H\2024-02-29\N\ to call",
        r"ZPI|1|Quackenbush^Zebulon",
        "",
    ]
)


def hl7v2(size=0):
    """A message, or a batch of at least so many bytes."""
    message = HL7V2.encode()
    if not size:
        return message
    return b"BHS|^~\\&|LAB\r" + message * (size // len(message) + 1) + b"BTS|1\r"


CCDA = f"""<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <!-- for Zebulon Quackenbush -->
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <templateId root="2.16.840.1.113883.10.20.22.1.1" extension="2015-08-01"/>
  <id root="2.16.840.1.113883.19.5" extension="DOC-99"/>
  <code code="34133-9" codeSystem="2.16.840.1.113883.6.1" codeSystemName="LOINC"
      displayName="Summarization of Episode Note"/>
  <title>Summary for Zebulon Quackenbush</title>
  <effectiveTime value="20240229133000+0100"/>
  <recordTarget><patientRole>
    <id root="2.16.840.1.113883.4.1" extension="536-90-4399"/>
    <id root="2.16.840.1.113883.19.5.99" extension="4711-Z"/>
    <addr use="HP"><streetAddressLine>12 Hollow Lane</streetAddressLine><city>Springfield</city>
      <state>MA</state><postalCode>01103</postalCode><country>US</country></addr>
    <telecom value="tel:(212)555-0143" use="HP"/>
    <telecom value="mailto:zeb.q@hospital-mail.org"/>
    <patient>
      <name use="L"><given>Zebulon</given><family>Quackenbush</family></name>
      <administrativeGenderCode code="M" codeSystem="2.16.840.1.113883.5.1" displayName="Male"/>
      <birthTime value="19610405"/>
      <sdtc:deceasedInd value="false"/>
      <guardian><guardianPerson><name>Adela Quackenbush</name></guardianPerson></guardian>
    </patient>
    <providerOrganization><name>Mercy Hospital</name></providerOrganization>
  </patientRole></recordTarget>
  <author><time value="20240229"/><assignedAuthor>
    <id root="2.16.840.1.113883.4.6" extension="1234567893"/>
    <assignedPerson><name><given>Igor</given><family>Strangelove</family></name></assignedPerson>
  </assignedAuthor></author>
  <component><structuredBody><component><section>
    <code code="10164-2" codeSystem="2.16.840.1.113883.6.1"/>
    <title>Present illness</title>
    <text><paragraph ID="p1" styleCode="Bold">Mr. Zebulon <content>Quacken</content>bush came on
      2024-02-29, MRN 4711-Z.</paragraph>
      <table border="1"><thead><tr><th>Seen by</th></tr></thead>
      <tbody><tr><td ID="r1">Dr. Strangelove</td></tr></tbody></table>
      <renderMultiMedia referencedObject="m1"/></text>
    <entry><observation classCode="OBS" moodCode="EVN">
      <id root="5b1c9d52-5f0e-4c8e-8f0a-3c5c6a1d2e3f"/>
      <code code="8302-2" codeSystem="2.16.840.1.113883.6.1"><originalText>
        <reference value="#r1"/></originalText></code>
      <text>Quackenbush again</text>
      <statusCode code="completed"/>
      <effectiveTime><low value="20240229"/><high nullFlavor="UNK"/></effectiveTime>
      <value xsi:type="PQ" value="181.5" unit="cm"/>
      <value xsi:type="PQ" value="92" unit="a"/>
      <value xsi:type="ST">Zebulon said no</value>
    </observation></entry>
    <entry><observationMedia ID="m1" classCode="OBS" moodCode="EVN">
      <value mediaType="text/plain" representation="B64">{text64("For Zebulon Quackenbush")}</value>
    </observationMedia></entry>
  </section></component></structuredBody></component>
</ClinicalDocument>
"""


def ccda(size=0):
    """A document; with a size, one whose section holds that much."""
    filler = "<paragraph>Dr. Strangelove saw Zebulon on 2024-02-29. All is well.</paragraph>"
    return CCDA.replace("<table", filler * (size // len(filler)) + "<table").encode()


X12_HEAD = (
    "ISA*00*          *00*          *ZZ*MERCYHOSPITAL  *ZZ*PAYER          *240229*1330*^*00501"
    "*000000905*0*P*:~\nGS*HC*MERCY*PAYER*20240229*1330*1*X*005010X222A1~\n"
)
X12_837 = """ST*837*0021*005010X222A1~
BHT*0019*00*BATCH77*20240229*1330*CH~
NM1*41*2*MERCY HOSPITAL*****46*TGJ23~
PER*IC*IGOR STRANGELOVE*TE*2125550144*EM*ZEB.Q@HOSPITAL-MAIL.ORG~
HL*1**20*1~
PRV*BI*PXC*203BF0100Y~
NM1*85*2*MERCY HOSPITAL*****XX*1234567893~
N3*7 CLINIC WAY~
N4*SPRINGFIELD*MA*01103~
REF*EI*123456789~
HL*2*1*22*1~
SBR*P**2222-SJ******CI~
NM1*IL*1*QUACKENBUSH*ADELA****MI*MBR4711Z~
DMG*D8*19630405*F~
NM1*PR*2*KEY INSURANCE*****PI*999996666~
HL*3*2*23*0~
PAT*19~
NM1*QC*1*QUACKENBUSH*ZEBULON*P***SY*536904399~
N3*12 HOLLOW LANE~
N4*SPRINGFIELD*MA*01103~
DMG*D8*19610405*M~
REF*EA*4711-Z~
CLM*ACCT26463774*100.50***11:B:1*Y*A*Y*I~
DTP*431*D8*20240228~
DTP*434*RD8*20240228-20240229~
REF*D9*17312345600006351~
HI*BK:0340*BF:V7389~
NTE*ADD*MR QUACKENBUSH WAS SEEN, ZEBULON SAID NO~
LX*1~
SV1*HC:99213*40*UN*1***1~
DTP*472*D8*20240229~
XYZ*QUACKENBUSH~
SE*33*0021~
"""
X12_835 = """ST*835*0022~
BPR*I*150.75*C*ACH*CCP*01*999999992*DA*123456*1512345678**01*999988880*DA*98765*20240229~
TRN*1*12345*1512345678~
DTM*405*20240229~
N1*PR*KEY INSURANCE~
N3*100 STATE STREET~
N4*BOSTON*MA*02110~
LX*1~
CLP*ACCT26463774*1*211.00*138.00**12*5554555444~
NM1*QC*1*QUACKENBUSH*ZEBULON****MI*MBR4711Z~
SVC*HC:99211*45*30~
DTM*472*20240229~
CAS*PR*1*8~
SE*14*0022~
"""
X12 = X12_HEAD + X12_837 + X12_835 + "GE*2*1~\nIEA*1*000000905~\n"


def x12(size=0):
    """An interchange; with a size, one of as many claims as take it."""
    count = size // len(X12_837)
    more = "".join(X12_837.replace("0021", f"{n:04}") for n in range(1000, 1000 + count))
    tail = f"GE*{2 + count}*1~\nIEA*1*000000905~\n"
    return (X12_HEAD + X12_837 + X12_835 + more + tail).encode()


SAMPLES = {"fhir.v1": fhir, "hl7v2.v1": hl7v2, "ccda.v1": ccda, "x12.v1": x12}
