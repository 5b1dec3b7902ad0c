"""Names of columns say what is in them: vectors beside the names, and no other."""

import time

import pytest

from scrubjay import labels
from scrubjay.formats import fields

ROWS = {label: row for label, row in fields.table().items() if isinstance(row, dict)}


@pytest.mark.parametrize("label", ROWS)
def test_vectors(label):
    row = ROWS[label]
    assert label in labels.table()
    assert len(row["yes"]) >= 3 and len(row["no"]) >= 3
    assert {name: fields.label(name) for name in row["yes"]} == dict.fromkeys(row["yes"], label)
    assert not [name for name in row["no"] if fields.label(name) == label]


def test_a_name_has_one_label():
    seen = {}
    for label, row in ROWS.items():
        for name in row["names"]:
            assert seen.setdefault(fields.normal(name).replace(" ", ""), label) == label, name


NOBODYS = """loinc icd10_code dose RESULT systolic_bp gender gender_concept_id note_text drug_name
status comment test_result hospital_stay_days id row_id description diagnosis medication"""


@pytest.mark.parametrize("name", NOBODYS.split())
def test_codes_measures_and_prose_are_nobodys(name):
    assert fields.label(name) == ""


def test_measures():
    assert all(map(fields.measure, ["dose", "loinc_code", "Systolic BP", "hba1c", "totalCost"]))
    assert not any(map(fields.measure, ["note", "mrn", "patient_id", "comment", "col7", ""]))


def test_codes_of_public_systems_stay_under_their_names():
    yes = {"gender_concept_id": "38003564", "LOINC": "8480-6", "icd10_code": "J45.909",
           "ICD9_CODE": "4019", "snomed_code": "44054006", "CODE": "44054006",
           "measurement_source_value": "8480-6", "ndc": "0093-7214-01"}  # fmt: skip
    assert {name: value for name, value in yes.items() if fields.coded(name, value)} == yes
    no = {"loinc": "8480-7", "code": "44054007", "postal_code": "44054006", "mrn": "44054006",
          "dx_id": "Ann", "icd10_code": "Lee", "note": "8480-6", "rxnorm": "5550107788",
          }  # fmt: skip
    assert not [name for name, value in no.items() if fields.coded(name, value)]


def test_of_a_path_all_parts_count():
    assert fields.label("patient.name") == "PERSON"
    assert fields.label("contact.telecom.phone") == ""
    assert fields.label("medication.name") == ""


def test_hostile_names_cost_no_time():
    start = time.process_time()
    for name in ("patient " * 50, "patientname" * 7 + "x", "first name 1 " * 6, "a_" * 5000):
        assert fields.label(name) == ""
    assert time.process_time() - start < 1
