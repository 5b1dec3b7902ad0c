"""Records in files of all kinds: a name under a key, in a column or an element is known in the free
text of its record; codes, units and values stay."""

import json

import pytest
from format_text import clean

import scrubjay

ENGINE = scrubjay.load("everything", profile="patterns")
NAMES = ("quarles", "quentin", "thrale", "vexler")
STAYS = ("Amoxil", "5 mg", "8480-6", "is well", "Mark it")

JSON = {
    "split": """{"columns": ["first_name", "last_name", "dose", "loinc", "note"], "data": [
        ["Quentin", "Quarles", "5 mg", "8480-6", "quentin Quarles is well. Mark it"],
        ["Otto", "Vexler", "6 mg", "8480-6", "Vexler takes Amoxil"]]}""",
}  # fmt: skip
FILES = {
    "a.yaml": """
patients:
- first_name: Quentin
  last_name: Quarles
  dose: 5 mg   # for Quarles
  loinc: 8480-6
  note: Spoke to quentin again, Quarles is well. Mark it
  contact: {name: Ottilie Vexler}
- {last_name: Thrale, drug: {name: Amoxil}, note: "Mrs. Thrale, Ms. Vexler"}
""",
    "a.toml": """
[[patients]]
first_name = "Quentin"
last_name = "Quarles"
dose = "5 mg"   # for Quarles
loinc = "8480-6"
note = "Spoke to quentin again, Quarles is well. Mark it"
contact.name = "Ottilie Vexler"
[[patients]]
last_name = "Thrale"
drug = { name = "Amoxil" }
[[patients.notes]]
text = "Mrs. Thrale, Ms. Vexler"
""",
}


@pytest.mark.parametrize("name", FILES)
def test_a_name_in_one_field_goes_in_all_of_its_record(name):
    told = clean(name, FILES[name].encode(), ENGINE).decode()
    assert not [one for one in NAMES if one in told.lower()]
    assert not [one for one in STAYS if one not in told]


def test_in_a_long_list_each_speaks_for_itself():
    rows = [{"last_name": f"Quarl{'abcdefghijklmnopqrstuvwxyz'[i % 26]}{i}x", "note": ""}
            for i in range(300)]  # fmt: skip
    for row in rows:
        row["note"] = f"seen: {row['last_name']}, and well"
    told = clean("a.json", json.dumps({"patients": rows}).encode(), ENGINE)
    assert b"Quarl" not in told


def test_a_name_is_whose_it_stands_in():
    things = {"drug": "Amoxil", "step": "Zyntal", "departments": "Ozley", "tests": "Zyntor"}
    data = {thing: [{"name": name}] for thing, name in things.items()}
    people = {"patient": "Quarles", "providers": "Vexler", "city": "Oxley", "company": "Zyntex"}
    data |= {who: {"name": name} for who, name in people.items()}
    told = json.loads(clean("a.json", json.dumps(data).encode(), ENGINE))
    assert {thing: told[thing] for thing in things} == {thing: data[thing] for thing in things}
    labels = [told[who]["name"] for who in people]
    assert labels == ["[PERSON]", "[PERSON]", "[CITY]", "[EMPLOYER]"]
