"""Whose a record is: one person in all files of a run, whatever tells of it and where."""

import contextlib
import io
import json
import shutil

import pydicom
import pytest
from format_dicom import ct, saved

import scrubjay
from scrubjay.errors import InputError
from scrubjay.formats import subjects
from scrubjay.formats.columns import Columns
from scrubjay.keys import Key
from scrubjay.run import folder as runs
from scrubjay.run import people
from scrubjay.run.folder import Order
from scrubjay.run.people import People
from scrubjay.run.state import State
from scrubjay.run.walk import walk
from scrubjay.run.worker import Recipe
from scrubjay.types import Policy, Rule

MRN, GIVEN, FAMILY, DAY = "4811923", "Zebulon", "Quackenbush", "2024-02-29"
ID = "5b1c9d52-5f0e-4c8e-8f0a-3c5c6a1d2e3f"
COMPACT = DAY.replace("-", "")
NOTE = f"Mr. {FAMILY} came on {DAY}."
MR = {"type": {"coding": [{"code": "MR"}]}, "value": MRN}
PATIENT = {
    "resourceType": "Patient",
    "id": ID,
    "identifier": [{"type": {"coding": [{"code": "PI"}]}, "value": "777"}, MR],
    "name": [{"family": FAMILY, "given": [GIVEN]}],
}
SEEN = {"resourceType": "Observation", "id": "o1", "status": "final", "code": {"text": "x"},
        "effectiveDateTime": DAY, "note": [{"text": NOTE}]}  # fmt: skip
ABOUT = {**SEEN, "subject": {"reference": f"Patient/{ID}"}}
HL7 = (
    f"MSH|^~\\&|LAB|||||||||2.5\rPID|1||777^^^^PI~{MRN}^^^^MR||{FAMILY}^{GIVEN}\r"
    f"OBR|1||||||{COMPACT}\rNTE|1||{NOTE}\r"
)
CCDA = (
    f'<ClinicalDocument xmlns="urn:hl7-org:v3"><effectiveTime value="{COMPACT}"/><recordTarget>'
    f'<patientRole><id root="1.2.3" extension="{MRN}"/><patient><name><given>{GIVEN}</given>'
    f"<family>{FAMILY}</family></name></patient></patientRole></recordTarget><component>"
    f"<structuredBody><component><section><text>{NOTE}</text></section></component>"
    "</structuredBody></component></ClinicalDocument>"
)
X12 = (
    "ISA*00*          *00*          *ZZ*A              *ZZ*B              *240229*1330*^*00501"
    f"*000000905*0*P*:~ST*837*0021~HL*2*1*22*0~NM1*IL*1*{FAMILY}*{GIVEN}****MI*W123~"
    f"REF*EA*{MRN}~DTP*431*D8*{COMPACT}~NTE*ADD*{NOTE}~SE*7*0021~"
)
ROW = {"mrn": MRN, "first_name": GIVEN, "last_name": FAMILY, "visit_date": DAY, "note": NOTE}
CSV = ",".join(ROW) + "\n" + ",".join(ROW.values()) + "\n"


def dicom():
    image = ct()
    image.PatientID, image.PatientName, image.StudyDate = MRN, f"{FAMILY}^{GIVEN}", COMPACT
    image.StudyDescription = NOTE
    return saved(image)


POLICY = Policy("test", default=Rule("surrogate.v1", threshold=0.4))
ENGINE = scrubjay.load(POLICY, profile="patterns", key=Key(b"k" * 32))


@pytest.fixture
def run(tmp_path):
    def done(files):
        """What a folder of these files becomes, by name; two processes."""
        folder, out = tmp_path / "in", tmp_path / "out"
        for path in (folder, out, tmp_path / "state"):
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir()
        for name, data in files.items():
            (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
        order = Order(
            out, Recipe(lambda: ENGINE), 2, people=lambda: People().add(walk(folder)),
            refused=lambda source, why: pytest.fail(f"{source.name}: {why}"),
        )  # fmt: skip
        with contextlib.closing(State(tmp_path / "state", out, "")) as state:
            runs.run(walk(folder), order, state)
        return {name: (out / name).read_bytes() for name in files}

    return done


def lines(*values):
    return "".join(json.dumps(value) + "\n" for value in values)


FILES = {
    "bundle.json": json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": PATIENT}, {"resource": ABOUT}]}),
    "patient.ndjson": lines(PATIENT),
    "observation.ndjson": lines(ABOUT),
    "a.hl7": HL7,
    "a.cda": CCDA,
    "a.x12": X12,
    "a.dcm": dicom(),
    "a.csv": CSV,
    "a.jsonl": lines(ROW),
    "a.json": json.dumps({"rows": [{"patient": {"name": f"{GIVEN} {FAMILY}", "mrn": MRN},
                                    "visit_date": DAY, "note": NOTE}]}),
}  # fmt: skip


def test_one_person_has_one_shift_and_one_surrogate_in_all_formats(run):
    told = run(FILES)
    new = json.loads(told["a.jsonl"])
    day, note = new["visit_date"], f"Mr. {new['last_name']} came on {new['visit_date']}."
    assert day != DAY and new["mrn"] != MRN and FAMILY not in note and new["note"] == note
    for name, data in told.items():
        text = shown(data) if name.endswith(".dcm") else data.decode()
        assert FAMILY.casefold() not in text.casefold() and MRN not in text, name
        if name != "patient.ndjson":
            assert note in text and day.replace("-", "") in text.replace(note, "").replace("-", "")
        if name != "observation.ndjson":
            assert new["mrn"] in text and new["first_name"] in text, name


def shown(data):
    image = pydicom.dcmread(io.BytesIO(data))
    return f"{image.PatientName} {image.PatientID} {image.StudyDate} {image.StudyDescription}"


def test_what_other_files_tell_of_a_person_is_looked_for(run):
    told = run({
        "a note.csv": f"note_id,PATIENT,note\n1,{ID},{FAMILY} is well\n2,other,Brightwater too\n",
        "b.ndjson": lines({**ABOUT, "note": [{"text": f"{FAMILY} is well"}]}),
        "c.jsonl": lines({"person_id": 7, "text": "Brightwater is well"}),
        "d.csv": "person_id,text\n8,Brightwater is well\n",
        "people.csv": "Id,MRN,FIRST,LAST,BIRTHDATE\n"
        f'{ID},55,"{GIVEN}\nZ","{FAMILY}",1961-04-05\n7,5507,Ännchen,Brightwater,1962-05-06\n',
        "z.json": json.dumps({"resourceType": "Bundle", "type": "collection",
                              "entry": [{"resource": PATIENT}]}),
    })  # fmt: skip
    for name in ("a note.csv", "b.ndjson"):
        assert FAMILY.encode() not in told[name], name
    assert b"Brightwater too" in told["a note.csv"] and b"Brightwater" in told["d.csv"]
    assert b"Brightwater" not in told["c.jsonl"]


def test_a_row_is_named_by_the_best_number_wherever_that_stands(run):
    told = run({
        "patients.csv": f"patient_id,mrn,first_name,last_name\n7,{MRN},{GIVEN},{FAMILY}\n",
        "note.csv": f"note_id,patient_id,visit_date\n1,7,{DAY}\n",
        "lab.csv": f"mrn,lab_date\n MRN 0{MRN}.0,{DAY}\n",
    })  # fmt: skip
    days = {told[name].decode().strip().rpartition(",")[2] for name in ("note.csv", "lab.csv")}
    assert len(days) == 1 and days != {DAY}


@pytest.mark.parametrize(
    ("one", "other"),
    [("47-11 z", "4711Z"), ("MRN: 4711", "04711"), ("4711.0", "4711"), ("N/A", ""), ("000", "")],
)
def test_numbers_that_are_written_differently_are_one(one, other):
    assert subjects.number(one) == subjects.number(other)


@pytest.mark.parametrize(
    ("names", "whose"),
    [
        ("Id,FIRST,LAST,BIRTHDATE", [("COUNTED", "1")]),
        ("person_id,birth_datetime,person_source_value", [("MRN", "3"), ("COUNTED", "1")]),
        ("Id,NAME,ADDRESS", None),  # a provider
        ("mrn,note", None),
        ("mother_mrn,baby_mrn,first_name,last_name,dob", None),
    ],
)
def test_a_table_of_people_is_known_by_its_columns(names, whose):
    columns = Columns(names.split(","))
    assert columns.people == (whose is not None)
    assert not whose or columns.numbers(["1", "2", "3"]) == whose


def test_the_first_pass_keeps_a_few_records_of_each_person_and_no_words(tmp_path, monkeypatch):
    monkeypatch.setattr(people, "ROWS", 10)
    rows = [f"{n % 25},A{n},Brightwater{n},1961-04-05\n" for n in range(500)]
    (tmp_path / "p.csv").write_text("mrn,first_name,last_name,dob\n" + "".join(rows))
    found = People().add(walk(tmp_path))
    assert len(found._rows) == 24 * people.MANY, "0 is nobody's number"
    assert found("7").known["PERSON"][0] == "A7 Brightwater7" and found("25") == subjects.NOBODY
    (tmp_path / "p.csv").write_text("mrn,first_name,last_name,dob\n" + "".join(rows[10:]))
    with pytest.raises(InputError, match="changed while it was read"):
        found("9")
