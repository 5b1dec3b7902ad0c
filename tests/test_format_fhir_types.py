"""FHIR: an identifier in every element of the common resource types goes, whatever its type."""

import json
from collections import Counter

import pytest
from format_clinical import convert

pytest.importorskip("fhir.resources")
import fhir_types

COMMON = """Account AllergyIntolerance Appointment AuditEvent Basic Binary Bundle CarePlan CareTeam
    ChargeItem Claim Communication Composition Condition Consent Coverage Device DiagnosticReport
    DocumentReference Encounter EpisodeOfCare ExplanationOfBenefit FamilyMemberHistory Flag Goal
    Group Immunization List Location Medication MedicationRequest MedicationStatement MessageHeader
    Observation Organization Patient Person Practitioner PractitionerRole Procedure Provenance
    Questionnaire QuestionnaireResponse RelatedPerson ServiceRequest Slot Specimen Task"""


@pytest.mark.parametrize("version", ["R4B", "R5"])
def test_nothing_comes_through_in_any_element(version, monkeypatch):
    monkeypatch.setattr(fhir_types, "DEPTH", 1)
    count = Counter()
    lines = [json.dumps(fhir_types.resource(name, version, count)) for name in COMMON.split()]
    assert count.total() > 4000
    data = convert("fhir.v1", "\n".join(lines).encode())
    for line in data.decode().splitlines():
        told = json.loads(line)
        assert fhir_types.left(told) == [], told["resourceType"]
