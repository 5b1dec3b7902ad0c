"""Resolve: unions, one number per person, every mention, eponyms and words left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrubjay.people import link
from scrubjay.resolve import horned, led, merge, resolve
from scrubjay.types import Finding


def find(text, *values, label="PERSON", score=0.9):
    return [Finding(text.index(v), text.index(v) + len(v), label, score, "test.v1") for v in values]


def resolved(text, findings, allow=()):
    return [(text[f.start : f.end], f.entity) for f in resolve(text, findings, frozenset(allow))]


spans = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 20), st.sampled_from("ABC"), st.floats(0, 1)),
    max_size=30,
)


@given(spans)
def test_merge_covers_all_and_overlaps_nothing(rows):
    findings = [Finding(s, s + n, label, score, "t.v1") for s, n, label, score in rows]
    merged = merge(findings)
    assert all(a.end <= b.start for a, b in zip(merged, merged[1:], strict=False))
    covered = {i for f in findings for i in range(f.start, f.end)}
    assert covered == {i for f in merged for i in range(f.start, f.end)}
    assert merge(merged) == merged
    assert merge(reversed(findings)) == merged or len({f.score for f in findings}) < len(findings)


@pytest.mark.parametrize(
    ("text", "found", "whole"),
    [
        ("Dr op 't Zand rang", ["Zand"], ["op 't Zand"]),
        ("DR OP 'T ZAND RANG", ["ZAND"], ["OP 'T ZAND"]),
        ("dear ms in den hof,", ["den hof"], ["in den hof"]),
        ("Ada 's Gravesande and", ["Gravesande"], ["'s Gravesande"]),
        ("Ada in ’t Zand and Bo Lee", ["Ada", "Zand", "Bo Lee"], ["Ada in ’t Zand", "Bo Lee"]),
        ("the patient's Maria in Zand", ["Maria", "Zand"], ["Maria", "Zand"]),
        ("Karin aan de Vries", ["Karin", "de Vries"], ["Karin", "de Vries"]),
    ],
)
def test_names_begin_with_what_leads_into_them(text, found, whole):
    assert [text[f.start : f.end] for f in led(text, find(text, *found))] == whole


@pytest.mark.parametrize(
    ("text", "found", "whole"),
    [
        ("SEEN BY MỸ LINH TODAY", ["LINH"], ["MỸ LINH"]),
        ("Bích Ngọc Tôn Thất came", ["Bích Ngọc Tôn"], ["Bích Ngọc Tôn Thất"]),
        ("of Thái Sơn's room", ["Thái"], ["Thái Sơn"]),
        ("Nam gặp Hùng ở bệnh viện", ["Nam", "Hùng"], ["Nam", "Hùng"]),
        ("Lan Mỹ-Hạnh and Bo Mỹ_x, Mỹ@x Al", ["Lan", "Bo", "Al"], ["Lan Mỹ-Hạnh", "Bo", "Al"]),
        ("My\u0303 Linh Phươ\u0323ng", ["Linh"], ["My\u0303 Linh Phươ\u0323ng"]),
        ("Linh Chợ Rẫy", ["Linh"], ["Linh"]),
        ("Thất An Mỹ, Lệ", ["An"], ["Thất An Mỹ"]),
        ("Lê Mỹ An", ["Lê", "An"], ["Lê Mỹ An"]),
        ("Lê Sơn Mỹ Cấn Vỹ", ["Lê"], ["Lê Sơn Mỹ"]),
        ("Lê\nMỹ and Müller à Élan", ["Lê", "Müller"], ["Lê", "Müller"]),
        ("Phở with Lan Phở", ["Lan"], ["Lan"]),
    ],
)
def test_names_take_the_words_beside_them_whose_marks_tell(text, found, whole):
    grown = horned(text, find(text, *found), frozenset({("phở",), ("chợ", "rẫy")}))
    assert [text[f.start : f.end] for f in grown] == whole
    place = find(text, *found, label="CITY")
    assert horned(text, place) == place


def test_of_a_name_that_is_joined_the_surer_finding_stands():
    text = "Ada in 't Zand"
    found = [Finding(0, 3, "PERSON", 0.95, "known.v1"), Finding(10, 14, "PERSON", 0.6, "tagger.v1")]
    joined = led(text, found)
    assert joined == [Finding(0, 14, "PERSON", 0.95, "known.v1")]


def test_what_leads_into_a_name_is_not_looked_for_elsewhere():
    text = "Dr Op 't Zand rang. Op Monday, in May, Zand came In."
    assert resolved(text, find(text, "Zand")) == [("Op 't Zand", 1), ("Zand", 1)]


@given(
    st.lists(st.sampled_from(["Ada", "in", "'t", "den", "Mỹ", "'s", "\n"]), max_size=12),
    st.sets(st.integers(0, 11)),
)
def test_names_grow_and_never_overlap(said, chosen):
    text, found, at = " ".join(said), [], 0
    for number, word in enumerate(said):
        if number in chosen:
            found.append(Finding(at, at + len(word), "PERSON", 0.9, "test.v1"))
        at += len(word) + 1
    longer = horned(text, led(text, found))
    assert all(a.end <= b.start for a, b in zip(longer, longer[1:], strict=False))
    assert all(any(b.start <= a.start and a.end <= b.end for b in longer) for a in found)


def test_union_takes_the_stronger_label():
    union = merge([Finding(0, 10, "DATE", 0.6, "a"), Finding(5, 15, "SSN", 0.9, "b")])
    assert union == [Finding(0, 15, "SSN", 0.9, "b")]


def test_spellings_of_one_person():
    mentions = ["Maria Gonzalez", "Gonzalez", "M. Gonzalez", "GONZALEZ, MARIA", "González"]
    assert link(mentions) == [0] * 5


def test_different_people_stay_apart():
    assert link(["Maria Gonzalez", "Jose Gonzalez"]) == [0, 1]
    assert link(["Ann Lee", "Bob Ray", "Lee", "Ray", "Ann"]) == [0, 1, 0, 1, 0]


def test_a_shared_surname_goes_to_the_person_mentioned_last():
    people = link(["Maria Gonzalez", "Gonzalez", "Jose Gonzalez", "Gonzalez"])
    assert people[0] == people[1] != people[2] == people[3]


def test_found_once_found_everywhere():
    text = "Dr. Ann Okafor came. okafor@x; Okafor left; OKAFOR signed. MRN 00123456, id 00123456."
    findings = find(text, "Ann Okafor") + find(text, "00123456", label="MRN")
    found = resolved(text, findings)
    assert ("Okafor", 1) in found and ("OKAFOR", 1) in found
    assert [v for v, _ in found].count("00123456") == 2
    assert "okafor" not in [v for v, _ in found]


def test_eponyms_and_words_are_left_alone():
    text = "Mr. James Parkinson has Parkinson disease. Mr. Will Young will. Young men. Will he?"
    values = [v for v, _ in resolved(text, find(text, "James Parkinson", "Will Young"))]
    assert values == ["James Parkinson", "Will Young"]


def test_a_placeholder_is_not_found_again():
    text = "[PERSON 1] called [SSN]. [OTHER] stays."
    assert resolved(text, find(text, "PERSON", "SSN", "[OTHER]")) == [("[OTHER]", 1)]


def test_a_value_in_brackets_is_no_placeholder():
    text = "[MRN 00483921] and [AGE 95]"
    assert resolved(text, find(text, "00483921", "95", label="MRN")) == [("00483921", 1), ("95", 2)]


def test_an_initial_before_a_known_surname_goes_with_it():
    text = "Dr. Ann Okafor came. Later A. Okafor left."
    assert ("A. Okafor", 1) in resolved(text, find(text, "Ann Okafor"))


def test_allowed_values_stay():
    text = "Call Ann Lee or Bob Ray. Ann Lee again."
    assert [v for v, _ in resolved(text, find(text, "Ann Lee", "Bob Ray"), {("ann", "lee")})] == [
        "Bob Ray"
    ]


def test_a_given_name_before_a_known_surname_goes_with_it():
    text = "Referring: Hannah Rosenbaum, DO; JAMES T ROSENBAUM; Clinic Rosenbaum. Dr. Rosenbaum"
    findings = [Finding(len(text) - 9, len(text), "PERSON", 0.9, "test.v1")]
    names = [name for name, _ in resolved(text, findings)]
    assert names == ["Hannah Rosenbaum", "JAMES T ROSENBAUM", "Rosenbaum", "Rosenbaum"]


def test_a_known_value_on_a_forms_line_is_found():
    text = "Ann Okafor. Signature: ____A. Okafor____ id user_name"
    assert ("A. Okafor", 1) in resolved(text, find(text, "Ann Okafor"))


def test_a_short_number_of_a_net_speaks_for_no_other_place():
    text = "PHONE 2024, then 2024. Acme wrote; Acme paid."
    net = "tagger.v1:x"
    year, name = Finding(6, 10, "PHONE", 0.8, net), Finding(23, 27, "ORGANIZATION", 0.8, net)
    assert len(resolve(text, [year])) == 1 and len(resolve(text, [name])) == 2


def test_a_net_does_not_take_placeholders_for_values():
    text = "Tel [PHONE 1] Dr. [PERSON 2] Smith"
    found = [
        Finding(4, 13, "PHONE", 0.8, "tagger.v1:x"),
        Finding(11, 12, "ID", 0.6, "tagger.v1:x"),
        Finding(19, 34, "PERSON", 0.7, "tagger.v1:x"),
    ]
    left = [text[f.start : f.end].strip() for f in resolve(text, found)]
    assert left == ["Smith"]
