"""C-CDA: nothing planted gets through, links between narrative and entries hold, XML is tame."""

import base64
import contextlib
import re
from xml.etree import ElementTree

import pytest
from format_clinical import (
    CCDA,
    EVERYTHING,
    MAIL,
    PLANTS,
    SSN,
    SURNAME,
    ccda,
    convert,
    found,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import scrubjay
from scrubjay import formats
from scrubjay.errors import InputError
from scrubjay.formats import kinds, xmltree
from scrubjay.formats.work import Work
from scrubjay.keys import Key
from scrubjay.report import unchanged
from scrubjay.testing import check_format
from scrubjay.types import Policy, Rule

SAFE = scrubjay.load("hipaa-safe-harbor", profile="patterns")
SHIFT = scrubjay.load(
    Policy("shift", default=Rule("surrogate.v1")), profile="patterns", key=Key(b"k" * 32)
)
V3 = "{urn:hl7-org:v3}"


def tree(data):
    return ElementTree.fromstring(data)


def test_kinds():
    assert kinds.sample(ccda(), "x.xml") == "ccda.v1"
    assert kinds.sample(b"\xef\xbb\xbf" + ccda(), "x") == "ccda.v1"
    prefixed = b'<n1:ClinicalDocument xmlns:n1="urn:hl7-org:v3"/>'
    assert kinds.sample(prefixed, "x.xml") == "ccda.v1"


def test_nothing_of_the_patient_is_left_and_codes_are():
    data = convert("ccda.v1", ccda(), SAFE)
    names = (
        "Zebulon",
        "Adela",
        "Strangelove",
        "4711-Z",
        "Hollow",
        "Springfield",
        "01103",
        "DOC-99",
    )
    assert found(data, (*PLANTS, *names, "5550143", "0229", "Mercy", "1234567893")) == []
    root = tree(data)
    observation = next(root.iter(f"{V3}observation"))
    assert observation.find(f"{V3}code").attrib == {
        "code": "8302-2", "codeSystem": "2.16.840.1.113883.6.1",
    }  # fmt: skip
    values = [value.attrib.get("value") for value in observation.iter(f"{V3}value")]
    assert values == ["181.5", None, None]
    assert root.find(f"{V3}templateId").attrib["root"] == "2.16.840.1.113883.10.20.22.1.1"
    assert root.find(f"{V3}effectiveTime").attrib == {"value": "2024"}
    assert b"<!--" not in data


PLACES = [
    *(m.span(1) for m in re.finditer(r'(?<!xmlns)(?<!xmlns:sdtc)(?<!xmlns:xsi)="([^"]+)"', CCDA)),
    *(m.span(1) for m in re.finditer(r">([^<>\n]+)<", CCDA)),
]
assert len(PLACES) > 70


@pytest.mark.parametrize("plant", [f"Seen {SURNAME} {SSN} {MAIL}", SSN])
def test_a_plant_in_any_text_or_attribute_is_found_or_refused(plant):
    for start, end in PLACES[2:]:  # after the declaration
        planted = f" {plant} " if CCDA[start - 1] == ">" else plant
        with contextlib.suppress(InputError):
            data = convert("ccda.v1", (CCDA[:start] + planted + CCDA[end:]).encode())
            assert found(data) == [], CCDA[start - 30 : end]


@pytest.mark.parametrize(
    "xml",
    [
        '<paragraph onclick="Quackenbush"/>', "<Quackenbush>x</Quackenbush>",
        '<content title="Quackenbush" styleCode="Quackenbush">x</content>',
        '<linkHtml href="http://x.example/Quackenbush">x</linkHtml>', "<?Quackenbush x?>",
        '<a xmlns="http://quackenbush.example">x</a>', "<![CDATA[<Quackenbush>]]>",
        "&#81;&#x75;ackenbush", '<img src="Quackenbush.jpg"/>', '<x:Quackenbush xmlns:x="u:x"/>',
        '<Quackenbush:time xmlns:Quackenbush="urn:hl7-org:v3" value="2024"/>',
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["<table", "<entry><observation ", "<statusCode", "<telecom"])
def test_a_plant_where_xml_lets_one_be(place, xml):
    with contextlib.suppress(InputError):
        data = convert("ccda.v1", CCDA.replace(place, xml + place, 1).encode())
        assert found(data) == []


def test_links_hold():
    for engine in (EVERYTHING, SHIFT):
        root = tree(convert("ccda.v1", ccda().replace(b"r1", b"quackenbush1"), engine))
        anchors = [node.attrib["ID"] for node in root.iter() if "ID" in node.attrib]
        for reference in root.iter(f"{V3}reference"):
            assert reference.attrib["value"][1:] in anchors
        [media] = root.iter(f"{V3}renderMultiMedia")
        assert media.attrib["referencedObject"] in anchors


def test_narrative_and_entries_agree():
    root = tree(convert("ccda.v1", ccda(), SHIFT))
    told = "".join(next(root.iter(f"{V3}text")).itertext())
    birth = root.find(f".//{V3}low").attrib["value"]
    assert f"{birth[:4]}-{birth[4:6]}-{birth[6:]}" in told and birth != "20240229"
    author = root.find(f".//{V3}assignedPerson/{V3}name/{V3}family").text
    assert f"Dr. {author}" in told
    ids = [node.attrib["extension"] for node in root.find(f".//{V3}patientRole").iter(f"{V3}id")]
    assert ids[1] in told and ids[1] != "4711-Z"


def test_a_cell_that_is_a_day_in_eight_digits_moves_as_entries_do():
    cells = b"<text><table><tbody><tr><td>20240229</td><td>20249999</td></tr></tbody></table>"
    root = tree(convert("ccda.v1", ccda().replace(b"<text>", cells, 1), SHIFT))
    day, number = [cell.text for cell in root.iter(f"{V3}td")][:2]
    assert day == root.find(f".//{V3}low").attrib["value"] and number == "20249999"


OID = r"[0-2](\.(0|[1-9][0-9]*))*|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
TYPES = {  # attribute -> what the schema's datatypes-base.xsd lets stand in it
    "root": OID, "codeSystem": OID, "valueSet": OID, "code": r"[^\s]+", "unit": r"[^\s]+",
    "nullFlavor": "MSK|UNK|NI|NA|NASK|ASKU|NAV|OTH|PINF|NINF|TRC", "typeCode": "[A-Z_]+",
    "classCode": "[A-Z_]+", "moodCode": "[A-Z_]+", "ID": r"[A-Za-z_][\w.-]*", "IDREF": r"[\w.-]+",
    "representation": "TXT|B64", "use": "[A-Z]+( [A-Z]+)*", "mediaType": "[a-z]+/[a-z.+-]+",
}  # fmt: skip
STAMP = r"[0-9]{4}([0-9]{2}([0-9]{2}([0-9]{2}([0-9]{2}([0-9]{2}(\.[0-9]+)?)?)?)?)?)?([+-][0-9]{4})?"
TIMES = ("effectiveTime", "birthTime", "time", "low", "high")


def shapes(root):
    """All elements in order, with their place and their type."""
    for node in root.iter():
        children = [child.tag for child in node]
        yield node.tag, children, node.attrib.get(XSI_TYPE)


XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


@pytest.mark.parametrize("engine", [SAFE, EVERYTHING, SHIFT])
def test_order_cardinality_and_types_are_those_of_the_schema(engine):
    work = Work(engine.stream, key=engine.key)
    root = tree(convert("ccda.v1", ccda(), work=work))
    assert list(shapes(root)) == list(shapes(tree(ccda())))
    for node in root.iter():
        for name, value in node.attrib.items():
            assert re.fullmatch(TYPES.get(name, ".*"), value), (node.tag, name, value)
        if node.tag.removeprefix(V3) in TIMES and "value" in node.attrib:
            assert re.fullmatch(STAMP, node.attrib["value"])
        if node.get(XSI_TYPE) == "PQ" and "value" in node.attrib:
            assert re.fullmatch(r"-?[0-9]*\.?[0-9]+", node.attrib["value"])
        assert "value" not in node.attrib or "nullFlavor" not in node.attrib


def test_ids_stay_ids():
    root = tree(convert("ccda.v1", ccda()))
    told = [node.attrib["root"] for node in root.iter(f"{V3}id")]
    assert all(re.fullmatch(r"[0-9.]+|[0-9a-f-]{36}", each) for each in told)
    assert told[1] == "2.16.840.1.113883.4.1" and told[0].startswith("2.25.")
    assert told == [n.attrib["root"] for n in tree(convert("ccda.v1", ccda())).iter(f"{V3}id")]


def test_files_are_opened_or_dropped():
    root = tree(convert("ccda.v1", ccda()))
    data = root.find(f".//{V3}observationMedia/{V3}value").text
    assert base64.b64decode(data) == b"For [PERSON]"
    body = '<nonXMLBody><text mediaType="x/y" representation="B64">AAECAwQ=</text></nonXMLBody>'
    whole = re.sub(r"<structuredBody>.*</structuredBody>", body, CCDA, flags=re.DOTALL)
    work = Work(EVERYTHING.stream)
    data = convert("ccda.v1", whole.encode(), work=work)
    assert b"AAEC" not in data and work.left_out["attached file"] == 1


BOMB = '<!DOCTYPE a [<!ENTITY a "' + "x" * 50 + '"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "data",
    [
        b"<ClinicalDocument>", b"<a/>", b"", b"<ClinicalDocument/><b/>",
        (BOMB + "<ClinicalDocument>&b;</ClinicalDocument>").encode(),
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><ClinicalDocument/>',
        b"<ClinicalDocument>&nbsp;</ClinicalDocument>",
        b"<ClinicalDocument>" + b"<component>" * 5000 + b"</component>" * 5000,
        b'<?xml version="1.0" encoding="klingon"?><ClinicalDocument/>',
        b"<ClinicalDocument>\xff</ClinicalDocument>", b"<ClinicalDocument>&#0;</ClinicalDocument>",
    ],
)  # fmt: skip
def test_what_is_no_cda_is_refused(data):
    with pytest.raises(InputError):
        convert("ccda.v1", data)


@settings(max_examples=50)
@given(st.integers(0, len(ccda())), st.binary(max_size=6), st.integers(0, 12))
def test_damage_is_refused_or_read(place, new, length):
    data = ccda()
    with contextlib.suppress(InputError):
        convert("ccda.v1", data[:place] + new + data[place + length :])


def test_other_encodings():
    data = CCDA.replace("UTF-8", "UTF-16").replace("Adela", "Zo\xeb")
    assert found(convert("ccda.v1", data.encode("utf-16"))) == []


@given(st.text(alphabet="<>&\"' \n\r\tab\u2028\xe9\ud800\x0b", max_size=12))
def test_what_is_written_is_read(text):
    node = xmltree.Node("a", {"b": text})
    node.content = [text] if text else []
    back = xmltree.parse(xmltree.write(node))
    clean = re.sub("[\ud800\x0b]", "\ufffd", text)
    assert back.text() == clean and back.attributes["b"] == clean


def test_unchanged_is_the_same_document():
    work = Work(lambda documents: map(unchanged, documents))
    one = tree(convert("ccda.v1", ccda(), work=work))
    two = tree(ccda())
    assert ElementTree.canonicalize(ElementTree.tostring(one)) == ElementTree.canonicalize(
        ElementTree.tostring(two)
    )


def test_the_contract():
    check_format(formats.make("ccda.v1"), ccda())
