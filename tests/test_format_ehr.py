"""Tables as hospitals' systems export them: identifiers go; codes, values and units stay."""

import csv
import io

import pytest
from format_text import clean

import scrubjay
from scrubjay.types import Finding

ENGINE = scrubjay.load("hipaa-safe-harbor", profile="patterns")

# Of a column: its name, a cell that goes (`-`) or stays (`+`).
SYSTEMS = {
    "OMOP person": """person_id - 90417; gender_concept_id + 8532; year_of_birth + 1961;
        month_of_birth - 11; day_of_birth - 23; birth_datetime - 1961-11-23T00:00:00;
        race_concept_id + 8527; provider_id - 30817; person_source_value - QF-90417;
        gender_source_value + F; ethnicity_concept_id + 38003564""",
    "OMOP note": """note_id - 7710432; person_id - 90417; note_date - 2019-03-07;
        note_type_concept_id + 44814637; note_class_concept_id + 706391;
        note_title + Discharge summary; provider_id - 30817; visit_occurrence_id - 5518823;
        note_text - Seen on 2019-03-07 for asthma; note_source_value - HNO-5512""",
    "OMOP measurement": """person_id - 90417; measurement_concept_id + 3004249;
        measurement_date - 2019-03-07; value_as_number + 128.5; unit_concept_id + 8876;
        range_low + 90; range_high + 140; measurement_source_value + 8480-6;
        unit_source_value + mm[Hg]; visit_occurrence_id - 5518823""",
    "OMOP visit": """visit_occurrence_id - 5518823; person_id - 90417; visit_concept_id + 9201;
        visit_start_date - 2019-03-07; visit_end_datetime - 2019-03-09T10:00:00;
        visit_type_concept_id + 44818517; care_site_name - Mossgate Clinic;
        visit_source_value - ENC5518823; preceding_visit_occurrence_id - 5518001""",
    "Epic Clarity": """PAT_ID - Z1234567; PAT_MRN_ID - E90417; PAT_NAME - QUILLFEATHER,ZORA;
        BIRTH_DATE - 11/23/1961; ADD_LINE_1 - 12 Mossgate; CITY - Fernhollow; ZIP - 03601;
        HOME_PHONE - 555-010-7788; PAT_ENC_CSN_ID - 20011873; CONTACT_DATE - 03/07/2019;
        HOSP_ADMSN_TIME - 2019-03-07 10:00:00; VISIT_PROV_ID - 30817; HSP_ACCOUNT_ID - 77104;
        CURRENT_ICD10_LIST + J45.909; ENC_TYPE_C + 101; ORD_NUM_VALUE + 7.2;
        REFERENCE_UNIT + mg/dL; EMERGENCY_CONTACT - Orin Quillfeather; NOTE_ID - 7710432;
        NOTE_TEXT - Zora came; SUBSCR_NUM - W88120""",
    "Epic Caboodle": """PatientDurableKey - 90417; PatientEpicId - Z1234567; PrimaryMrn - E90417;
        FirstName - Zora; LastName - Quillfeather; BirthDate - 1961-11-23; PostalCode - 03601;
        EncounterKey - 5518823; AdmissionInstant - 2019-03-07 10:00:00; LoincCode + 2345-7;
        Value + 98; Unit + mg/dL; MyChartId - 31177""",
    "Cerner Millennium": """PERSON_ID - 90417; NAME_FULL_FORMATTED - Quillfeather, Zora;
        NAME_LAST_KEY - QUILLFEATHER; NAME_FIRST_KEY - ZORA; BIRTH_DT_TM - 11/23/1961;
        ABS_BIRTH_DT_TM - 11/23/1961; SEX_CD + 362; ENCNTR_ID - 5518823; FIN - 77104;
        ALIAS - E90417; EVENT_CD + 703511; EVENT_END_DT_TM - 03/07/2019 10:00;
        ORIG_ORDER_DT_TM - 03/07/2019 09:00; RESULT_VAL + 7.2; RESULT_UNITS_CD + 274;
        PERFORMED_PRSNL_ID - 30817; SOURCE_IDENTIFIER_ICD10 + E11.9""",
    "MIMIC": """SUBJECT_ID - 90417; HADM_ID - 5518823; ICUSTAY_ID - 20011; DOB - 1961-11-23;
        ADMITTIME - 2119-03-07 10:00:00; INTIME - 2119-03-07 11:00:00; CGID - 30817;
        CHARTTIME - 2119-03-08 08:00:00; ITEMID + 220045; VALUENUM + 88; VALUEUOM + bpm;
        ICD9_CODE + 4019; SEQ_NUM + 1; GENDER + F; TEXT - Seen on 03/08/2019;
        DOD_HOSP - 2119-04-01; labevent_id - 172039""",
    "Synthea": """Id - 5cbc121b-cd71-4428-b8b7-31e53eba8184; BIRTHDATE - 1961-11-23;
        SSN - 999-65-3251; DRIVERS - S99966732; PASSPORT - X25775540X; FIRST - Zora;
        LAST - Quillfeather; MAIDEN - Mossgate; MARITAL + M; RACE + white; GENDER + F;
        BIRTHPLACE - Fernhollow; ADDRESS - 12 Mossgate; CITY - Fernhollow; ZIP - 03601;
        FIPS - 25017; LAT - 42.3412; LON - -71.0618; HEALTHCARE_EXPENSES + 1.25; CODE + 44054006;
        START - 2019-03-07T10:00:00Z; UNITS + mmol/L; PATIENT - 5cbc121b-cd71-4428-b8b7""",
}


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_identifiers_go_and_codes_values_and_units_stay(system, suffix):
    columns = [one.split(None, 2) for one in " ".join(SYSTEMS[system].split()).split("; ")]
    sink = io.StringIO()
    writer = csv.writer(sink, delimiter="\t" if suffix == "tsv" else ",")
    writer.writerow([name for name, _, _ in columns])
    writer.writerow([value for _, _, value in columns])
    told = clean(f"a.{suffix}", sink.getvalue().encode(), ENGINE).decode()
    names, row = csv.reader(io.StringIO(told), delimiter="\t" if suffix == "tsv" else ",")
    assert names == [name for name, _, _ in columns]
    stays = [name for (name, sign, value), new in zip(columns, row, strict=True)
             if (sign == "-") == (new == value)]  # fmt: skip
    assert not stays, dict(zip(names, row, strict=True))
    for value in ("Zora", "ZORA", "uillfeather", "QUILL", "90417", "5518823", "-03-07", "1961-"):
        assert value not in told


class Doubts:
    """Takes every name of a column for a person's, as a tagger may."""

    name = "tagger.v1"

    def detect(self, documents):
        return [
            [Finding(0, len(one.text), "PERSON", 0.9, self.name)] * (one.id == "line 1")
            for one in documents
        ]


@pytest.mark.parametrize("system", ["OMOP person", "OMOP measurement", "MIMIC", "i2b2"])
def test_a_tagger_alone_renames_no_column(system):
    rows = {**SYSTEMS, "i2b2": "patient_num - 1; concept_cd + 1; nval_num + 2; tval_char + x"}
    names = [one.split()[0] for one in rows[system].split(";")]
    engine = scrubjay.load("everything", profile="patterns", detectors=[Doubts()])
    data = ",".join(names) + "\n" + ",".join("1" for _ in names) + "\n"
    assert clean("a.csv", data.encode(), engine).split(b"\n")[0].decode() == ",".join(names)
