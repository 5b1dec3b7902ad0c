"""FHIR: nothing planted gets through, what comes out is FHIR, links and codes hold."""

import base64
import contextlib
import json
import re

import pytest
from format_clinical import (
    EVERYTHING,
    FHIR,
    MAIL,
    PLANTS,
    SSN,
    SURNAME,
    convert,
    fhir,
    found,
    planted,
    strings,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import scrubjay
from scrubjay import formats
from scrubjay.errors import InputError
from scrubjay.formats import fhir_done, fhir_xml, kinds
from scrubjay.formats.fhir_codes import loinc, snomed, ucum
from scrubjay.formats.work import Work
from scrubjay.keys import Key
from scrubjay.report import unchanged
from scrubjay.testing import check_format
from scrubjay.types import Policy, Rule

SAFE = scrubjay.load("hipaa-safe-harbor", profile="patterns")
SHIFT = scrubjay.load(
    Policy("shift", default=Rule("surrogate.v1")), profile="patterns", key=Key(b"k" * 32)
)


def resources(data):
    bundle = json.loads(data)
    return {e["resource"]["resourceType"]: e["resource"] for e in bundle["entry"]}


def test_kinds():
    assert kinds.sample(fhir(), "x.json") == "fhir.v1"
    assert kinds.sample(fhir(1), "Patient.ndjson") == "fhir.v1"
    assert kinds.sample(b'{"a": 1}', "x.jsonl") == "jsonl.v1"


def test_nothing_of_the_patient_is_left():
    data = convert("fhir.v1", fhir())
    original = resources(fhir())["Patient"]
    told = ("4711-Z", "Hollow", "Springfield", "01103", "212-555-0143", "1961", original["id"])
    assert found(data, (*PLANTS[:2], "Zebulon", *told, "ehr.example", "hospital.example")) == []


PLACES = [path for path in strings(FHIR) if path[-1] != "data"]


@pytest.mark.parametrize("plant", [f"Seen {SURNAME}, {SSN}, {MAIL}", SSN])
def test_a_plant_in_any_string_is_found_or_refused(plant):
    for path in PLACES:
        sample = planted(FHIR, path, plant)
        try:
            data = convert("fhir.v1", json.dumps(sample).encode())
        except InputError:
            continue
        assert found(data, PLANTS) == [], path


@pytest.mark.parametrize("plant", [SURNAME, "zebulonNote", "x y", SSN])
def test_a_plant_in_a_name_of_an_element(plant):
    for kind in (FHIR, FHIR["entry"][1]["resource"]):
        sample = json.loads(json.dumps(kind))
        sample[plant] = {"text": "harmless", plant: "2020-01-02"}
        try:
            data = convert("fhir.v1", json.dumps(sample).encode())
        except InputError:
            continue
        assert found(data, (SURNAME, "zebulon")) == []


@pytest.mark.parametrize(
    "head", ["http://hl7.org/", "http://loinc.org/", "urn:oid:2.16.840.1.113883.4."]
)
@pytest.mark.parametrize("tail", [SURNAME, "a/" + SSN, "536904399", f"x?{MAIL}"])
def test_a_public_address_hides_nothing(head, tail):
    path = ("entry", 0, "resource", "identifier", 0, "system")
    data = convert("fhir.v1", json.dumps(planted(FHIR, path, head + tail)).encode())
    assert found(data) == []


def test_narratives_and_parts_of_extensions_hide_nothing():
    prefixed = '<Quackenbush:p xmlns:Quackenbush="http://www.w3.org/1999/xhtml">x</Quackenbush:p>'
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{prefixed}</div>'
    text = planted(FHIR, ("entry", 0, "resource", "text", "div"), div)
    url = planted(FHIR, ("entry", 0, "resource", "extension", 1, "url"), SURNAME)
    encoded = base64.b64encode(b"Zebulon Quackenbush was here").decode()
    note = planted(FHIR, ("entry", 1, "resource", "note", 0, "text"), encoded)
    for sample in (text, url, note):
        assert found(convert("fhir.v1", json.dumps(sample).encode())) == []


@pytest.mark.parametrize("version", ["fhir.resources.R4B", "fhir.resources"])
def test_it_is_fhir_still_and_codes_are_untouched(version):
    bundle = pytest.importorskip(f"{version}.bundle")
    for engine in (SAFE, SHIFT):
        data = convert("fhir.v1", fhir(), engine)
        bundle.Bundle.model_validate_json(data)
        assert json.loads(data)["entry"][-1]["resource"]["resourceType"] == "Provenance"
        told = resources(data)
        assert told["Observation"]["code"] == FHIR["entry"][1]["resource"]["code"]
        assert told["Observation"]["valueQuantity"]["value"] == 181.5
        assert told["Condition"]["code"] == FHIR["entry"][3]["resource"]["code"]
    assert resources(convert("fhir.v1", fhir(), SAFE))["Patient"]["gender"] == "male"
    assert b'"value": 181.5' in data


def test_links_agree():
    told = resources(convert("fhir.v1", fhir()))
    patient, observation = told["Patient"], told["Observation"]
    bundle = json.loads(convert("fhir.v1", fhir()))
    assert bundle["entry"][0]["fullUrl"] == f"urn:uuid:{patient['id']}"
    assert observation["subject"]["reference"] == f"urn:uuid:{patient['id']}"
    assert told["DocumentReference"]["subject"]["reference"] == f"Patient/{patient['id']}"
    assert observation["derivedFrom"][1]["reference"] == f"Observation/{observation['id']}"
    assert patient["managingOrganization"]["reference"] == f"#{patient['contained'][0]['id']}"
    url = bundle["entry"][1]["fullUrl"]
    assert re.fullmatch(rf"https://example.org/[0-9a-f-]+/Observation/{observation['id']}", url)


def test_dates_move_together_and_stay_dates():
    told = resources(convert("fhir.v1", fhir(), SHIFT))
    seen = told["Observation"]["effectiveDateTime"]
    assert seen.endswith("T10:11:12+01:00") and seen[:10] == told["DocumentReference"]["date"][:10]
    assert not seen.startswith("2020-02-03")


def test_patients_of_one_bundle_are_kept_apart():
    one, other = json.loads(json.dumps(FHIR["entry"][0])), json.loads(json.dumps(FHIR["entry"][0]))
    other["fullUrl"], other["resource"]["id"] = "urn:uuid:0-other", "0-other"
    other["resource"]["identifier"][0]["value"] = "9999-Q"
    other["resource"]["name"] = [{"family": "Snodgrass-Pym"}]
    note = {"resourceType": "Observation", "subject": {"reference": "Patient/0-other"}}
    note |= {"effectiveDateTime": "2020-02-03", "note": [{"text": "Snodgrass-Pym came"}]}
    first = json.loads(json.dumps(note)) | {"subject": {"reference": one["fullUrl"]}}
    entries = [one, other, {"resource": note}, {"resource": first}]
    data = convert("fhir.v1", json.dumps({**FHIR, "entry": entries}).encode(), SHIFT)
    told = [entry["resource"] for entry in json.loads(data)["entry"]]
    assert told[2]["effectiveDateTime"] != told[3]["effectiveDateTime"]
    assert "Snodgrass" not in told[2]["note"][0]["text"]


def test_masked_values_say_so():
    told = resources(convert("fhir.v1", fhir()))
    assert "birthDate" not in told["Patient"]
    assert told["Patient"]["_birthDate"]["extension"][0]["valueCode"] == "masked"
    assert "value" not in told["Condition"]["onsetAge"]


def test_security_labels_and_provenance_say_what_was_done():
    bundle = json.loads(convert("fhir.v1", fhir(), SAFE))
    assert {c["code"] for c in bundle["meta"]["security"]} == {"REDACTED", "ABSTRED"}
    provenance = bundle["entry"][-1]["resource"]
    assert provenance["resourceType"] == "Provenance"
    assert {t["reference"] for t in provenance["target"]} == {
        e["fullUrl"] for e in bundle["entry"][:-1]
    }
    bundle = json.loads(convert("fhir.v1", fhir(), SHIFT))
    assert "PSEUDED" in {c["code"] for c in bundle["meta"]["security"]}


def test_an_attachment_is_opened_or_dropped():
    work = Work(EVERYTHING.stream)
    told = resources(convert("fhir.v1", fhir(), work=work))
    attachment = told["DocumentReference"]["content"][0]["attachment"]
    assert base64.b64decode(attachment["data"]) == b"Seen: [PERSON], MRN [MRN]"
    sample = planted(FHIR, ("entry", 2, "resource", "content", 0, "attachment", "data"), "!!")
    convert("fhir.v1", json.dumps(sample).encode(), work=work)
    assert work.left_out["attached file"] == 1


def test_lines_know_their_patients_wherever_these_stand():
    patient, observation = (FHIR["entry"][i]["resource"] for i in (0, 1))
    observation = {**observation, "subject": {"reference": f"Patient/{patient['id']}"}}
    observation["note"] = [{"text": "Ms. Snodgrass-Pym here"}]
    patient = {**patient, "name": [{"family": "Snodgrass-Pym"}]}
    lines = json.dumps(observation) + "\r\n" + json.dumps(patient) + "\n"
    data = convert("fhir.v1", lines.encode(), SAFE)
    assert b"Snodgrass" not in data and data.count(b"\n") == 3 and b"}\r\n{" in data


@pytest.mark.parametrize("end", ["", "\n"])
def test_what_was_done_to_lines_of_several_types_is_told(monkeypatch, end):
    monkeypatch.setattr(fhir_done, "TOGETHER", 2)
    lines = [json.dumps(entry["resource"]) for entry in FHIR["entry"]]
    data = convert("fhir.v1", ("\n".join([*lines[:3], lines[1]]) + end).encode())
    told = [json.loads(line) for line in data.decode().split("\n") if line]
    kinds_ = [each["resourceType"] for each in told]
    assert [n for n, kind in enumerate(kinds_) if kind == "Provenance"] == [2, 5]
    assert [t["reference"] for t in told[2]["target"]] == [
        f"{each['resourceType']}/{each['id']}" for each in told[:2]
    ]
    assert b"Provenance" not in convert("fhir.v1", (lines[1] + "\n" + lines[1]).encode())


def test_numbers_that_are_identifiers():
    path = ("entry", 1, "resource", "valueQuantity", "value")
    for number in (536904399, 2125550143):
        data = convert("fhir.v1", json.dumps(planted(FHIR, path, number)).encode())
        assert str(number).encode() not in data


@pytest.mark.parametrize(
    "data",
    [
        b'{"resourceType": "Gonzalez"}', b'{"resourceType": "Patient"', b'{"resourceType": 5}',
        b"[]", b"null", b'{"resourceType": "Patient", "a b": 1}',
        b'{"resourceType": "Patient", "text": ' + b'{"a":' * 500 + b"1" + b"}" * 501,
        b'{"resourceType": "Patient", "multipleBirthInteger": 1e99999999999999999999}',
        b'{"resourceType": "Patient", "meta": {"security": "x"}, "birthDate": "2000-01-01"}',
        b'<Patient xmlns="http://hl7.org/fhir">' + b"<text>" * 98 + b"</text>" * 98 + b"</Patient>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><Patient xmlns="http://hl7.org/fhir"/>', b"<Patient/>",
    ],
)  # fmt: skip
def test_what_is_no_fhir_is_refused(data):
    with pytest.raises(InputError):
        convert("fhir.v1", data)


@settings(max_examples=50)
@given(st.integers(0, len(fhir())), st.binary(max_size=6), st.integers(0, 12))
def test_damage_is_refused_or_read(place, new, length):
    data = fhir()
    with contextlib.suppress(InputError):
        convert("fhir.v1", data[:place] + new + data[place + length :])


@settings(max_examples=50)
@given(
    st.sampled_from(list(strings(FHIR))),
    st.sampled_from([None, [], {}, 5, True, [None], {"a": [1]}, "", [["x"]], {"value": []}]),
)
def test_the_wrong_type_is_refused_or_read(path, value):
    with contextlib.suppress(InputError):
        convert("fhir.v1", json.dumps(planted(FHIR, path, value)).encode())


def test_the_contract():
    check_format(formats.make("fhir.v1"), fhir(1))


def xml(value=FHIR):
    return fhir_xml.write(json.loads(json.dumps(value).replace("&nbsp;", " ")))


def test_xml_is_read_as_json_is():
    assert kinds.sample(xml(), "x.xml") == "fhir.v1"
    work = Work(lambda documents: map(unchanged, documents))
    once = convert("fhir.v1", xml(), work=work)
    left_out = xml().replace(b' title="Quackenbush"', b"").replace(b'<size value="37"/>', b"")
    assert convert("fhir.v1", once, work=work) == once == left_out
    data = convert("fhir.v1", xml(), SAFE)
    assert found(data, (*PLANTS, "Zebulon", "4711-Z", "Hollow", "2125550143", "ehr.example")) == []
    assert b'<valueQuantity><value value="181.5"/><unit value="cm"/>' in data
    assert b'<birthDate value="1961"/>' in data
    data = convert("fhir.v1", xml())
    assert b'<gender><extension url="http://hl7.org/fhir/StructureDefinition/data-absent' in data


PLANT = f"{SURNAME} {SSN}"


def test_a_plant_in_any_value_of_xml():
    text = xml().decode()
    for place in re.finditer(r'(?<!xmlns)="([^"]+)"|<([A-Za-z]+)(?= )|>([^<>]+)<', text):
        start, end = next(place.span(group) for group in (1, 2, 3) if place[group])
        with contextlib.suppress(InputError):
            told = f" {PLANT} " if text[start - 1] == ">" else PLANT
            data = convert("fhir.v1", (text[:start] + told + text[end:]).encode())
            assert found(data) == [], text[start - 30 : end]


@settings(max_examples=50)
@given(st.integers(0, len(xml())), st.binary(max_size=6), st.integers(0, 12))
def test_damaged_xml_is_refused_or_read(place, new, length):
    data = xml()
    with contextlib.suppress(InputError):
        convert("fhir.v1", data[:place] + new + data[place + length :])


def test_an_oid_stays_one_the_same_everywhere():
    oid = "urn:oid:1.2.3.536904399"
    value = {
        "resourceType": "Patient",
        "identifier": [{"system": oid, "value": "1"}],
        "extension": [{"url": "http://x.example/oid", "valueOid": oid}],
    }
    told = json.loads(convert("fhir.v1", json.dumps(value).encode()))
    new = told["extension"][0]["valueOid"]
    assert (
        re.fullmatch(r"urn:oid:2\.25\.[1-9][0-9]*", new) and told["identifier"][0]["system"] == new
    )


def test_a_name_in_an_address_that_begins_as_public_ones_do():
    where = ("entry", 0, "resource", "identifier", 0, "system")
    for name in ("John-Smith", "garcia", "MaryJones"):
        address = f"http://hl7.org/fhir/StructureDefinition/{name}"
        data = convert("fhir.v1", json.dumps(planted(FHIR, where, address)).encode())
        assert found(data, [name]) == []
    address = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
    data = convert("fhir.v1", json.dumps(planted(FHIR, where, address)).encode())
    assert address.encode() in data


def test_codes():
    assert snomed("38341003") and snomed("160904001") and not snomed("38341004")
    assert not snomed("536904399") and not snomed("38341003 ")
    assert loinc("8302-2") and loinc("LA6576-8") and not loinc("8302-3")
    for unit in (
        "mg/dL",
        "10*3/uL",
        "mL/min/{1.73_m2}",
        "mm[Hg]",
        "[degF]",
        "m[IU]/L",
        "%",
        "{score}",
    ):
        assert ucum(unit), unit
    for word in ("Quackenbush", "Kim", "LEE", "Ann", "{Smith}", "536904399", "SMITH/LEE"):
        assert not ucum(word), word
