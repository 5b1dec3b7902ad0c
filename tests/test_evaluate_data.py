"""What evaluation reads: records, marked texts and maps of labels; wrong ones, with their place."""

import gzip
import json

import pytest

from scrubjay import errors, labels, marked
from scrubjay.evaluate import gold, mapping
from scrubjay.evaluate.gold import Gold

CANARY = "Zyzzyva Quaggmire"
OWN = {name: (name,) for name in labels.table()}


def line(**changes):
    record = {"id": "a", "lang": "en", "source": "s", "split": "test", "text": CANARY, "spans": []}
    return json.dumps({**record, **changes})


# labels


@pytest.mark.parametrize(
    ("ours", "theirs", "fits", "exact"),
    [
        ("CITY", "CITY", True, True),
        ("CITY", "LOC", True, False),
        ("LOCATION", "CITY", True, False),
        ("STATE", "CITY", False, False),
        ("HOSPITAL", "ORG", True, False),
        ("SSN", "PERSON_NAME", False, False),
        ("SSN", "MASK", True, True),
        ("SSN", "MISC", False, False),
    ],
)
def test_which_labels_answer(ours, theirs, fits, exact):
    label_map = mapping.for_corpus({theirs: 1}, {}, marked=False)
    assert (label_map.fits(ours, theirs), label_map.exact(ours, theirs)) == (fits, exact)


def test_all_of_our_labels_are_known():
    for own_text in (True, False):
        label_map = mapping.for_corpus(dict.fromkeys(OWN, 1), {}, marked=own_text)
        assert label_map.homes >= set(OWN)


def test_others_use_some_of_our_labels_in_a_wider_sense():
    fits = [
        mapping.for_corpus({"ID": 1}, {}, marked=own_text).fits("MRN", "ID")
        for own_text in (True, False)
    ]
    assert fits == [False, True]


def test_shipped_names_are_spelled_and_ours_begin_with_themselves():
    assert mapping.shipped()["PER"] == ("PERSON",)
    for name, row in mapping.shipped().items():
        assert name == gold.spelled(name) and (name not in OWN or row[0] == name)


def test_a_label_that_is_not_known_is_an_error_that_helps():
    with pytest.raises(errors.UsageError, match='"any" or "ignore"') as told:
        mapping.for_corpus({"PERSON": 2, "DISEASE": 7}, {}, marked=False)
    assert '"DISEASE" = "ignore"  # occurs 7 times' in str(told.value) and '"PERSON"' not in str(
        told.value
    )


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.toml", 'X = "NOPE"', "a.toml: X: unknown label 'NOPE'; see scrubjay labels"),
        ("a.toml", "X = 3", "a.toml: X: say a label"),
        ("a.toml", "X = []", "a.toml: X: say a label"),
        ("a.toml", "X =\nY = 1", "a.toml: .*line 1"),
        ("a.json", "[]", "not a table"),
        ("a.json", '{"X":', "a.json: .*line 1"),
    ],
)
def test_wrong_maps(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(errors.UsageError, match=message):
        mapping.read(tmp_path / name)


def test_a_map_in_toml_and_json(tmp_path):
    (tmp_path / "a.toml").write_text('date-of-birth = ["DATE", "AGE"]\n"*" = "any"\n')
    (tmp_path / "a.json").write_text('{"date of birth": ["DATE", "AGE"], "*": "any"}')
    toml, other = mapping.read(tmp_path / "a.toml"), mapping.read(tmp_path / "a.json")
    assert toml == other == {"DATE_OF_BIRTH": ("DATE", "AGE"), "*": ("any",)}
    label_map = mapping.for_corpus({"DATE_OF_BIRTH": 1}, toml, marked=False)
    assert label_map.judged("SSN") and label_map.home("DATE_OF_BIRTH") == "DATE"


# reading


SPAN = {"start": 0, "end": 7, "label": "PERSON"}


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("{" + CANARY, "not JSON in UTF-8"),
        (json.dumps({"spans": []}), "missing required field `text`"),
        (line(text=3), "Expected `str`, got `int`"),
        (line(spans=[{**SPAN, "start": CANARY}]), r"Expected `int`, got `str` - at `\$.spans"),
        (line(spans=[SPAN, {**SPAN, "end": 99}]), r"spans\[1\]: 0-99 is empty or outside of 17"),
        (line(spans=[{**SPAN, "end": 0}]), r"spans\[0\]: 0-0 is empty"),
        (line(spans=[{**SPAN, "label": f"<{CANARY}>"}]), r"spans\[0\]: the label is not a name"),
        (line(spans=[{**SPAN, "id_type": CANARY}]), "the identifier type is none of DIRECT"),
    ],
)
def test_wrong_records_name_file_and_line(tmp_path, second, message):
    path = tmp_path / "a.jsonl"
    path.write_text(f"{line()}\n\n{second}\n")
    with pytest.raises(errors.InputError, match=message) as told:
        gold.read(path)
    assert f"{path}:3: " in str(told.value) and "Zyzzyva" not in str(told.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{CANARY}\n", "a.txt:1: no line '%%% name'"),
        (f"%%% a\nok\n\n%%% b\n\nok\n{CANARY} [[PERSON|", "a.txt:7: a broken mark"),
        (f"%%% a\n{CANARY}]] x", "a.txt:2: a broken mark"),
    ],
)
def test_wrong_marks_name_file_and_line(tmp_path, text, message):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(errors.InputError, match=message) as told:
        gold.read(tmp_path / "a.txt")
    assert "Zyzzyva" not in str(told.value)


def test_marks_become_spans(tmp_path):
    (tmp_path / "chat.txt").write_text("%%% a\n[[PERSON|Ann]], [[[CITY|York]]]\n\n%%% b\n\nno\n")
    one, two = gold.read(tmp_path / "chat.txt")
    assert (one.id, one.text, one.register) == ("a", "Ann, [York]", "chat")
    assert one.spans == (Gold(0, 3, "PERSON"), Gold(6, 10, "CITY"))
    assert (two.text, two.spans) == ("no", ())
    assert "Ann" not in repr(one) + repr(list(marked.parse("%%% a\n[[PERSON|Ann]]")))


def test_gzip_limit_and_register(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    rows = [line(id=7, register="chat"), line(spans=[{**SPAN, "label": "first-name", "entity": 3}])]
    path.write_bytes(gzip.compress("\n".join(rows).encode()))
    one, two = gold.read(path)
    assert (one.id, one.register, two.register, two.language) == ("7", "chat", "s", "en")
    assert two.spans == (Gold(0, 7, "FIRST_NAME", entity="3"),)
    assert len(gold.read(path, limit=1)) == 1


@pytest.mark.parametrize("data", [b"no", gzip.compress(b"{}" * 99)[:-9]])
def test_damaged_gzip(tmp_path, data):
    (tmp_path / "a.jsonl.gz").write_bytes(data)
    with pytest.raises(errors.InputError, match=r"a\.jsonl\.gz"):
        gold.read(tmp_path / "a.jsonl.gz")
