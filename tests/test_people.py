"""Whose a record is: one person in all files of a run, whatever tells of it and where."""

import contextlib
import io
import json
import shutil
from pathlib import Path

import pydicom
import pytest
from click.testing import CliRunner
from format_dicom import ct, saved

import scrubjay
from scrubjay import cli, formats
from scrubjay.detectors import built
from scrubjay.errors import InputError
from scrubjay.formats import subjects
from scrubjay.formats.columns import Columns
from scrubjay.formats.work import Work
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
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
        order = Order(
            out, Recipe(lambda: ENGINE), 2, people=lambda: People().add(walk(folder)).near,
            refused=lambda source, why: pytest.fail(f"{source.name}: {why}"),
        )  # fmt: skip
        with contextlib.closing(State(tmp_path / "state", out, "")) as state:
            runs.run(walk(folder), order, state)
        kept = [path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file()]
        assert not any(FAMILY.encode() in data or MRN.encode() in data for data in kept)
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
        ("mrn,Patient Full Name,note", [("MRN", "1")]),
        ("mrn,provider_name,note", None),
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
    monkeypatch.setattr(people, "MANY", 4)
    rows = [f"{n % 25},A{n},Brightwater{n},1961-04-05\n" for n in range(500)]
    (tmp_path / "p.csv").write_text("mrn,first_name,last_name,dob\n" + "".join(rows))
    found = People().add(walk(tmp_path))
    assert len(found._rows) == 24 * people.MANY, "0 is nobody's number"
    assert found.near(tmp_path)("7").known["PERSON"][0] == "A7 Brightwater7" and "A7" not in repr(
        found.near(tmp_path)("7")
    )
    assert found.near(tmp_path)("25") == subjects.NOBODY
    (tmp_path / "p.csv").write_text("mrn,first_name,last_name,dob\n" + "".join(rows[10:]))
    with pytest.raises(InputError, match="changed while it was read"):
        found.near(tmp_path)("9")


def test_who_is_meant_by_a_number_that_two_systems_use_stands_in_the_same_folder(run):
    head = "patient_id,mrn,first_name,last_name,admitted\n"
    told = run({
        "a/patients.csv": f"{head}7,{MRN},{GIVEN},{FAMILY},{DAY}\n",
        "a/visits.csv": f"patient_id,visit_date\n7,{DAY}\n",
        "b/patients.csv": f"{head}7,5507,Ann,Brightwater,{DAY}\n",
        "b/visits.csv": f"patient_id,visit_date,note\n7,{DAY},BRIGHTWATER\n",
    })  # fmt: skip
    rows = [told[f"{name}.csv"].split()[1].split(b",") for name in (
        "a/patients", "a/visits", "b/patients", "b/visits")]  # fmt: skip
    days = [row[4 if len(row) == 5 else 1] for row in rows]
    assert days[0] == days[1] != days[2] == days[3] and b"BRIGHTWATER" not in told["b/visits.csv"]


def test_a_record_that_says_no_more_takes_no_other_s_place(tmp_path):
    """A married name in the last of a table's many rows about one person."""
    rows = [f"4711,{GIVEN},{FAMILY},1961-04-05\n"] * 50 + [f"4711,{GIVEN},Oakhurst,1961-04-05\n"]
    (tmp_path / "stays.csv").write_text("mrn,first_name,last_name,dob\n" + "".join(rows))
    found = People().add(walk(tmp_path))
    assert len(found._rows) == 2 and "Oakhurst" in found.near(tmp_path)("4711").known["PERSON"]


def test_what_is_damaged_tells_nobody_and_a_patient_that_changed_is_refused(tmp_path):
    (tmp_path / "a.ndjson").write_text(lines(PATIENT) + '{"resourceType": "Patient", "id"')
    (tmp_path / "b.json").write_bytes(b'{"resourceType": "Patient", "id": "\xff"}')
    (tmp_path / "c.csv").write_bytes(b"mrn,first_name,last_name,dob\n1,\xff,b,1961-04-05\n")
    found = People().add(walk(tmp_path))
    assert len(found._ids) == 3, "the id and two numbers of one Patient"
    (tmp_path / "a.ndjson").write_text("x" * 1000)
    with pytest.raises(InputError, match="changed while it was read"):
        found.near(tmp_path)(f"Patient/{ID}")


def cleaned(value, kind="json.v1"):
    """Through the reader, with names in brackets."""
    engine = scrubjay.load(
        Policy("test", default=Rule("redact.v1", threshold=0.4)), profile="patterns"
    )
    sink = io.BytesIO()
    source = io.BytesIO(json.dumps(value).encode())
    formats.make(kind).convert(source, sink, Work(engine.stream))
    return json.loads(sink.getvalue())


def test_the_names_of_a_json_record_are_found_in_its_texts_alone():
    rows = [
        {"patient_name": "Ann Leeward", "mrn": "4711", "note": "LEEWARD, A. (4711), Brightwater"},
        {"patient": {"name": {"first": "Zeb", "last": "Brightwater"}}, "page": "<p>Brightwater</p>",
         "args": json.dumps({"q": ["for Brightwater, not Leeward"]}), "drug": {"name": "Leeward"}},
    ]  # fmt: skip
    for told in (cleaned(rows), [cleaned(row, "jsonl.v1") for row in rows]):
        assert told[0]["note"] == "[PERSON] ([MRN]), Brightwater"
        assert told[1]["page"] == "<p>[PERSON]</p>"
        assert json.loads(told[1]["args"]) == {"q": ["for [PERSON], not Leeward"]}


def test_an_object_with_a_number_of_its_own_knows_what_is_around_it():
    told = cleaned({
        "patient": {"name": "Ann Leeward"},
        "visits": [{"text": "Leeward came with Brightwater"}],
        "rows": [{"mrn": 7, "name": "Zeb Brightwater", "note": "Brightwater and Leeward"}],
        "medications": [{"name": "Quackol"}],
        "note": "Quackol for Leeward",
    })  # fmt: skip
    assert told["visits"][0]["text"] == "[PERSON] came with [PERSON]"
    assert told["rows"][0]["note"] == "[PERSON] and [PERSON]"
    assert told["note"] == "Quackol for [PERSON]"


def test_files_of_one_command_know_each_others_people(tmp_path, monkeypatch):
    (tmp_path / "cache").symlink_to(built.cache_folder())
    monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    Path("a.ndjson").write_text(FILES["observation.ndjson"])
    Path("b.ndjson").write_text(FILES["patient.ndjson"])
    words = ["anonymize", "a.ndjson", "b.ndjson", "-o", "out", "--profile", "patterns"]
    CliRunner().invoke(cli.group, words, catch_exceptions=False)
    assert "Mr. [PERSON 1] came" in Path("out/a.ndjson").read_text()


def test_who_is_meant_in_a_bundle(run):
    """By the address of an entry, by an id, by a Patient of another file; else the only one."""
    other = {**PATIENT, "id": "p2", "identifier": [], "name": [{"family": "Brightwater"}]}
    note = [{"text": f"{FAMILY}, then Brightwater"}]
    nameless = {key: value for key, value in PATIENT.items() if key != "id"}
    asked = [f"urn:uuid:{ID}", "Patient/p2", None]
    told = run({
        "a.json": json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [
            {"fullUrl": f"urn:uuid:{ID}", "resource": nameless},
            *({"resource": {**SEEN, "note": note, "subject": {"reference": one}}} for one in asked),
        ]}),
        "b.json": json.dumps(other),
    })  # fmt: skip
    entries = json.loads(told["a.json"])["entry"][1:4]
    texts = [one["resource"]["note"][0]["text"] for one in entries]
    days = [one["resource"]["effectiveDateTime"] for one in entries]
    assert [(FAMILY in text, "Brightwater" in text) for text in texts] == [
        (False, True), (False, False), (False, True),
    ]  # fmt: skip
    assert days[0] == days[2] != days[1]
