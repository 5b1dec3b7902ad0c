"""Evaluation: each measure by hand on small cases, what holds for all, the command, no text."""

import json
import math
import random

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import scrubjay
from scrubjay import cli, errors, evaluate, labels
from scrubjay.evaluate import measure, page, slices, tally
from scrubjay.evaluate.gold import Gold, Record
from scrubjay.evaluate.mapping import LabelMap
from scrubjay.types import Finding

CANARY = "Zyzzyva Quaggmire"
OWN = {name: (name,) for name in labels.table()}


def finding(start, end, label="PERSON"):
    return Finding(start, end, label, 1.0, "test.v1")


def corpus(*records, **rows):
    counts = {}
    for record in records:
        for span in record.spans:
            counts[span.label] = counts.get(span.label, 0) + 1
    known = {**OWN, **rows}
    return evaluate.Corpus(records, LabelMap({label: known[label] for label in counts}), (), counts)


def run(told, findings, **options):
    """Evaluate with findings by document id."""
    return evaluate.evaluate(
        told, lambda documents: (findings.get(document.id, []) for document in documents),
        evaluate.System("test"), resamples=200, **options,
    )  # fmt: skip


def values(scores):
    return tuple(
        None if part is None else round(part.value, 3)
        for part in (scores.precision, scores.recall, scores.f1, scores.f2)
    )


# text: 0         1         2
#       0123456789012345678901234567
TEXT = "Ann Lee saw Bo in York on 3/4"
RECORD = Record(
    "a",
    TEXT,
    (Gold(0, 7, "PERSON"), Gold(12, 14, "PERSON"), Gold(18, 22, "CITY"), Gold(26, 29, "DATE")),
)
# strict and right; wrong borders; a coarser label; nothing for DATE; one beside all gold
FOUND = [finding(0, 7), finding(8, 14), finding(18, 22, "LOCATION"), finding(23, 25, "DATE")]


@pytest.fixture(scope="module")
def result():
    return run(corpus(RECORD), {"a": FOUND})


@pytest.mark.parametrize(
    ("labelling", "borders", "precision", "recall"),
    [
        ("aware", "strict", 2 / 4, 2 / 4),
        ("aware", "exact_type", 1 / 4, 1 / 4),  # LOCATION is not CITY
        ("aware", "iou", 2 / 4, 2 / 4),  # 8-14 and 12-14 share 2 of 6
        ("aware", "overlap", 3 / 4, 3 / 4),
        ("blind", "strict", 2 / 4, 2 / 4),
        ("blind", "overlap", 3 / 4, 3 / 4),
    ],
)
def test_spans_by_hand(result, labelling, borders, precision, recall):
    scores = result.spans[labelling][borders]["*"]
    f1 = 2 * precision * recall / (precision + recall)
    assert values(scores) == (precision, recall, round(f1, 3), round(f1, 3))


def test_spans_by_label(result):
    table = result.spans["aware"]["strict"]
    assert values(table["PERSON"]) == (0.5, 0.5, 0.5, 0.5)
    assert values(table["CITY"]) == (1.0, 1.0, 1.0, 1.0)  # what answers for it counts in its row
    assert values(table["DATE"]) == (0.0, 0.0, 0.0, 0.0)


def test_f2_holds_recall_twice_as_important():
    assert tally.f(2, 0.5, 1.0) == pytest.approx(5 * 0.5 / (4 * 0.5 + 1.0))
    assert tally.f(1, 0.0, 0.0) == 0.0


def test_leaks_by_hand(result):
    leak = result.leak
    assert (leak.characters.hits, leak.characters.of) == (3, 6 + 2 + 4 + 3)  # "Ann Lee" has 6
    assert (leak.spans.hits, leak.spans.of) == (1, 4)
    assert (leak.documents.hits, leak.documents.of) == (1, 1)
    assert result.leak_by_label["DATE"].characters.value == 1.0
    assert result.leak_by_label["PERSON"].characters.value == 0.0


def test_precision_of_characters_by_hand(result):
    # taken: 6 of "Ann Lee", 5 of "saw Bo", 4, 2 of "on"
    assert (result.precision.hits, result.precision.of) == (6 + 2 + 4, 6 + 5 + 4 + 2)


def test_places_are_told_without_text(result):
    assert result.leaks == (evaluate.Spot("a", 26, 29, "DATE", 3, "digits"),)
    assert result.false == (evaluate.Spot("a", 23, 25, "DATE", 2, "lower-case word"),)


def test_blanks_do_not_leak():
    record = Record("a", "Ann  Lee", (Gold(0, 8, "PERSON"),))
    result = run(corpus(record), {"a": [finding(0, 3), finding(5, 8)]})
    assert result.leak.spans.value == 0.0
    assert values(result.spans["aware"]["strict"]["*"])[:2] == (0.0, 0.0)


def test_gold_that_overlaps_counts_once():
    record = Record("a", "Ann Lee", (Gold(0, 7, "PERSON"), Gold(0, 3, "PERSON")))
    assert run(corpus(record), {}).leak.characters.of == 6


def test_exactly_half_in_common_is_found_by_iou():
    assert measure.iou(finding(0, 4), finding(0, 2))
    assert not measure.iou(finding(0, 5), finding(0, 2))


def test_ignored_gold_is_neither_right_nor_wrong():
    record = Record("a", "Ann has 3 cats", (Gold(0, 3, "PERSON"), Gold(8, 9, "MISC")))
    told = corpus(record, MISC=("ignore",), PERSON=("any",))
    result = run(told, {"a": [finding(0, 3), finding(8, 9, "AGE")]})
    assert result.precision.value == 1.0 and result.leak.characters.of == 3
    assert result.spans["aware"]["strict"]["*"].precision.of == 1 and not result.false


def test_a_finding_of_gold_counts_though_it_touches_what_is_ignored():
    record = Record("a", "Ann, 3 cats", (Gold(0, 3, "PERSON"), Gold(5, 6, "MISC")))
    result = run(corpus(record, MISC=("ignore",)), {"a": [finding(0, 6)]})
    assert result.spans["aware"]["overlap"]["*"].recall.value == 1.0


def test_labels_that_the_data_does_not_annotate_are_not_judged():
    record = Record("a", "Ann, ann@example.org", (Gold(0, 3, "PERSON"),))
    result = run(corpus(record), {"a": [finding(0, 3), finding(5, 20, "EMAIL")]})
    assert result.unjudged == {"EMAIL": 1} and result.precision.value == 1.0
    assert result.spans["blind"]["overlap"]["*"].precision.of == 1


def test_any_judges_every_label():
    record = Record("a", "Ann, ann@example.org", (Gold(0, 3, "MASK"),))
    told = corpus(record, MASK=("any",))
    result = run(told, {"a": [finding(0, 3), finding(5, 20, "EMAIL")]})
    assert result.spans["aware"]["strict"]["*"].precision.value == 0.5 and not result.unjudged


def test_tab_wants_every_mention():
    text = "Ann Lee. Lee v. Bo. Case 12. The Court."
    spans = (
        Gold(0, 7, "PERSON", "DIRECT", "e1"), Gold(9, 12, "PERSON", "QUASI", "e1"),
        Gold(16, 18, "PERSON", "QUASI", "e2"), Gold(25, 27, "CODE", "DIRECT", "e3"),
        Gold(29, 38, "ORG", "NO_MASK", "e4"),
    )  # fmt: skip
    told = corpus(Record("a", text, spans), CODE=("ID",), ORG=("ORGANIZATION",))
    findings = [finding(0, 7), finding(16, 18), finding(25, 27, "ID"), finding(29, 38, "FAX")]
    tab = run(told, {"a": findings}).tab
    assert (tab.direct.hits, tab.direct.of) == (1, 2)  # "Lee" of e1 stays
    assert (tab.quasi.hits, tab.quasi.of) == (1, 1)
    assert (tab.precision.hits, tab.precision.of) == (6 + 2 + 2, 6 + 2 + 2 + 8)
    assert tab.precision_annotated.value == 1.0


def test_tab_without_entities_takes_the_same_words_for_the_same():
    spans = (Gold(0, 3, "PERSON", "DIRECT"), Gold(5, 8, "PERSON", "DIRECT"))
    assert run(corpus(Record("a", "Ann, ANN", spans)), {"a": [finding(0, 3)]}).tab.direct.of == 1


def test_what_need_not_be_masked_cannot_leak():
    spans = (Gold(0, 3, "PERSON", "DIRECT"), Gold(7, 12, "ORGANIZATION", "NO_MASK"))
    result = run(corpus(Record("a", "Ann v. Court", spans)), {"a": [finding(0, 3)]})
    assert result.leak.characters.value == 0.0 and not result.leaks


@pytest.mark.parametrize(
    ("text", "case"),
    [
        ("ANN LEE IS OK", "upper"),
        ("ann lee is ok", "lower"),
        ("Ann Lee is ok", "mixed"),
        ("王芳", "none"),
        ("", "none"),
    ],
)
def test_case(text, case):
    assert slices.case(text) == case


@pytest.mark.parametrize(
    ("name", "culture", "gender"),
    [
        ("Fatou Diop", "af", "female"),
        ("Fatou-Ousmane Diop", "af", "several"),
        ("FATOU", "af", "female"),
        ("Qwrtz", "unlisted", "unlisted"),
        ("محمد", "ar", "male"),
    ],
)
def test_culture_and_gender(name, culture, gender):
    assert slices.of_person(name) == {"culture": culture, "gender": gender}


def test_slices_have_their_own_counts():
    one = Record("a", "Ann Lee", (Gold(0, 7, "PERSON"),), register="chat", language="en")
    two = Record("b", "BO LEE " * 40, (Gold(0, 6, "PERSON"),), register="court")
    table = run(corpus(one, two), {"a": [finding(0, 7)]}).slices
    assert {name: part.leak.spans.value for name, part in table["register"].items()} == {
        "chat": 0.0,
        "court": 1.0,
    }
    assert set(table["case"]) == {"mixed", "upper"}
    assert set(table["length"]) == {"under 200", "200 to 999"}
    assert set(table["language"]) == {"en", "not said"}
    assert table["register"]["chat"].precision.value == 1.0
    assert table["register"]["court"].precision is None


def test_speed_is_that_of_detection():
    seconds = iter([0.0, 2.0]).__next__
    assert run(corpus(RECORD), {}, clock=seconds).speed == evaluate.Speed(2.0, 4.0)


# what holds for all


@st.composite
def corpora(draw):
    """Texts of words, some of them gold, some found."""
    records, found = [], {}
    for number in range(draw(st.integers(1, 6))):
        words = draw(st.lists(st.sampled_from(["Ann", "saw", "BO", "x"]), min_size=1, max_size=8))
        text = " ".join(words)
        places, at = [], 0
        for word in words:
            places.append((at, at + len(word)))
            at += len(word) + 1
        marks = draw(st.lists(st.sampled_from(places), unique=True))
        takes = sorted(draw(st.lists(st.sampled_from(places), unique=True)))
        spans = tuple(Gold(*place, "PERSON") for place in sorted(marks))
        records.append(Record(str(number), text, spans))
        found[str(number)] = [finding(*place) for place in takes]
    return corpus(*records), found


def numbers(result):
    """Every score and rate in a result."""
    todo = [result]
    while todo:
        part = todo.pop()
        if isinstance(part, tally.Rate | tally.Score):
            yield part
        elif isinstance(part, dict):
            todo += part.values()
        elif isinstance(part, msgspec.Struct):
            todo += (getattr(part, name) for name in part.__struct_fields__)


@given(corpora())
def test_intervals_contain_the_value(told):
    for score in numbers(run(*told)):
        assert 0 <= score.low <= score.value <= score.high <= 1


@given(corpora())
def test_perfect_findings(told):
    told = told[0]
    perfect = {r.id: [finding(s.start, s.end, s.label) for s in r.spans] for r in told.records}
    result = run(told, perfect)
    if any(record.spans for record in told.records):
        assert result.leak.characters.value == 0.0 and result.precision.value == 1.0
        for table in result.spans.values():
            assert all(values(borders["*"]) == (1.0,) * 4 for borders in table.values())
    assert not result.leaks and not result.false


@given(corpora())
def test_no_findings_leak_everything(told):
    told = told[0]
    result = run(told, {})
    if any(record.spans for record in told.records):
        leak = result.leak
        assert leak.characters.value == leak.spans.value == leak.documents.value == 1.0
        assert values(result.spans["aware"]["strict"]["*"]) == (None, 0.0, 0.0, 0.0)
    assert len(result.leaks) == sum(len(record.spans) for record in told.records)


@given(corpora())
def test_the_same_input_gives_the_same_result(told):
    def clock():
        return 0.0

    assert run(*told, clock=clock) == run(*told, clock=clock)


def test_all_or_none_gives_the_exact_interval():
    counts = tally.Tally(20, resamples=50)
    for _ in range(20):
        counts.add({("all",): (1, 1), ("none",): (0, 3)})
    unseen = 0.025 ** (1 / 20)
    assert counts.rate("all") == tally.Rate(1.0, round(unseen, 4), 1.0, 20, 20, 20)
    assert counts.rate("none") == tally.Rate(0.0, 0.0, round(1 - unseen, 4), 0, 60, 20)
    assert counts.rate("neither") is None


@pytest.mark.parametrize("documents", [200, 2000])  # below and above the number of blocks
def test_intervals_are_as_wide_as_theory_says(documents):
    dice = random.Random(3)
    counts = tally.Tally(documents, resamples=1000)
    for _ in range(documents):
        counts.add({("coin",): (dice.random() < 0.5, 1)})
    rate = counts.rate("coin")
    assert rate.high - rate.low == pytest.approx(2 * 1.96 * math.sqrt(0.25 / documents), rel=0.15)


def test_few_documents_say_little():
    counts = tally.Tally(2, resamples=50)
    counts.add({("same",): (5, 10)})
    counts.add({("same",): (5, 10)})
    rate = counts.rate("same")
    assert rate.low < 0.15 and rate.high > 0.85


# the command


def line(**changes):
    record = {"id": "a", "lang": "en", "source": "s", "split": "test", "text": CANARY, "spans": []}
    return json.dumps({**record, **changes})


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "a.jsonl"
    text = f"Mail bo@example.org to {CANARY} & <script>, SSN 536-90-4399"
    at = text.index(CANARY)
    spans = [
        {"start": 5, "end": 19, "label": "EMAIL"},
        {"start": at, "end": at + len(CANARY), "label": "PERSON"},
    ]
    path.write_text(line(id="<q>1", text=text, spans=spans) + "\n")
    return path


def command(*arguments):
    return CliRunner().invoke(
        cli.group,
        ["evaluate", "--profile", "patterns", *map(str, arguments)],
        catch_exceptions=True,
    )


def test_no_text_without_asking(data, tmp_path):
    out, html = tmp_path / "out.json", tmp_path / "out.html"
    done = command("--data", data, "--json", out, "--html", html)
    assert done.exit_code == 0, done.output
    for told in (done.output, out.read_text(), html.read_text()):
        assert "Zyzzyva" not in told and "Quaggmire" not in told and "536-90" not in told
        assert "bo@example" not in told
    result = json.loads(out.read_text())
    assert [(s["start"], s["end"], s["shape"]) for s in result["leaks"]] == [
        (23, 40, "capital words")
    ]
    assert result["unjudged"] == {"SSN": 1}
    assert msgspec.convert(result, evaluate.Evaluation).leak.documents.value == 1.0


def test_text_when_asked_is_escaped(data, tmp_path):
    out, html = tmp_path / "out.json", tmp_path / "out.html"
    done = command("--data", data, "--json", out, "--html", html, "--show-text")
    told = html.read_text()
    assert f"<mark>{CANARY}</mark> &amp; &lt;script&gt;" in told
    assert "<script" not in told and "<q>1" not in told and "&lt;q&gt;1" in told
    assert json.loads(out.read_text())["leaks"][0]["text"] == CANARY
    assert CANARY not in done.output


def test_the_report_needs_nothing_else(data, tmp_path):
    command("--data", data, "--html", tmp_path / "out.html")
    told = (tmp_path / "out.html").read_text()
    assert "http:" not in told and "https:" not in told and "url(" not in told
    assert "default-src 'none'" in told


def test_a_document_that_is_refused_names_its_place(data, tmp_path):
    data.write_text(data.read_text() + line(text=f"{CANARY}\x00") + "\n")
    done = command("--data", data, "--json", tmp_path / "out.json")
    assert isinstance(done.exception, errors.InputError) and not (tmp_path / "out.json").exists()
    assert f"{data}:2'" in str(done.exception) and "Zyzzyva" not in str(done.exception)


def test_the_profile_is_passed_on(data, monkeypatch):
    asked = []

    def load(policy, **options):
        asked.append((policy, options))
        return scrubjay.load(policy, profile="patterns")

    monkeypatch.setattr("scrubjay.cli.evaluate.load", load)
    assert command("--data", data, "--profile", "fast", "--recall", "0.99").exit_code == 0
    assert asked == [("everything", {"profile": "fast", "recall": "0.99"})]


def test_a_folder_of_marked_texts(tmp_path):
    (tmp_path / "README.md").write_text("not data")
    (tmp_path / "a.txt").write_text("%%% a\nSSN [[SSN|536-90-4399]], mail bo@example.org\n")
    (tmp_path / "b.txt").write_text("%%% b\n[[EMAIL|bo@example.org]]\n")
    done = command("--data", tmp_path, "--json", "-")
    result = json.loads(done.stdout)
    assert result["data"]["documents"] == 2 and set(result["slices"]["register"]) == {"a", "b"}
    assert result["precision"]["value"] < 1  # all of our labels are marked in such a text
    assert "2 documents" in done.stderr


def test_an_empty_folder(tmp_path):
    assert "holds no .jsonl" in str(command("--data", tmp_path).exception)


def test_the_page_of_nothing():
    assert "Nothing leaked." in page.render(run(corpus(Record("a", "", ())), {}))
