"""The runtime of taggers: texts to units, windows, scores to spans. No torch, any bundle."""

import os
import random
import subprocess
import sys
import threading
import time
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrubjay.detectors.tagger import Tagger as Detector
from scrubjay.detectors.tagger import _parts as parts
from scrubjay.model import bundle, decode
from scrubjay.model import tagger as runtime
from scrubjay.model.lexicon import Lexicon
from scrubjay.model.tagger import Tagger
from scrubjay.model.tags import CLASSES, OUTSIDE, TAGS
from scrubjay.model.tokens import GAPS, PIECES, SHAPES, SPECIAL, UNK, Tokens, Units
from scrubjay.model.windows import flat
from scrubjay.testing import check_detector
from scrubjay.types import Document

FAST = bundle.folder("fast")
FOLDERS = [FAST, FAST.parent / "encoder"]
SENTENCE = "Patient: Mrs. Maria Gonzalez was seen by Dr. Robert Miller on 12 March 2021."
NAME = "Maria Gonzalez"
FILLER = "the wound was clean and dry and the plan is to go on as before . "
NOTE = f"{FILLER}{SENTENCE} {FILLER}"
VOCABULARY = (FAST / "vocabulary.txt").read_text("utf-8").split("\n")


@pytest.fixture(scope="module")
def tokens():
    return Tokens(VOCABULARY)


@pytest.fixture(scope="module")
def fast():
    return Tagger(FAST, threads=1)


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda folder: folder.name)
def tagger(request):
    return Tagger(request.param, threads=1)


def spans(found):
    return [(t.start, t.end, t.label) for t in found]


# Units


@settings(max_examples=300)
@given(st.text(st.characters(exclude_categories=[])))
def test_units_and_gaps_are_the_whole_text(text):
    units = Tokens(SPECIAL).units([text])[0]
    places = [0, *np.stack([units.starts, units.ends], 1).reshape(-1).tolist(), len(text)]
    assert places == sorted(places)
    for start, end in zip(places[::2], places[1::2], strict=True):
        assert text[start:end].strip() == "", "only blanks are left out"
    for start, end in zip(places[1:-1:2], places[2::2], strict=True):
        assert start < end and not any(map(str.isspace, text[start:end]))


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_letters_are_cut_alike_whatever_stands_elsewhere_in_the_text(text):
    """A text of ASCII alone takes a faster way."""
    alone, longer = unit_places(text + " "), unit_places(text + " é")
    assert longer[: len(alone)] == alone


def unit_places(text):
    found = Tokens(SPECIAL).units([text])[0]
    return list(zip(found.starts.tolist(), found.ends.tolist(), strict=True))


@given(st.lists(st.text(), max_size=5))
def test_a_text_has_the_same_units_in_any_company(texts):
    made = Tokens(VOCABULARY)
    for text, units in zip(texts, made.units(texts), strict=True):
        alone = made.units([text])[0]
        assert all(np.array_equal(a, b) for a, b in zip(units[:-1], alone[:-1], strict=True))
        assert alike(units) == alike(alone)


def alike(units):
    """For each unit, the first one of its spelling."""
    return [units.spellings.tolist().index(number) for number in units.spellings.tolist()]


def test_words_that_no_list_holds_are_not_remembered():
    made = Tokens(VOCABULARY, Lexicon.of({"zqhill": 2}))
    texts = ["Zqxyvorth saw zqhill and the patient."] * 2
    one, other = made.units(texts)
    assert np.array_equal(one.spellings, other.spellings)
    assert {"the", "patient", "zqhill"} <= made._known.keys()
    assert "Zqxyvorth" not in made._known
    again = made.units(texts)[0]
    assert set(one.spellings) - set(again.spellings) == {one.spellings[0]}


def wordpiece(vocabulary, word):
    """The rule as BERT's authors wrote it."""
    split = unicodedata.normalize("NFD", word.lower())
    word = "".join(char for char in split if unicodedata.category(char) != "Mn") or word
    found, start = [], 0
    while start < len(word):
        end = len(word)
        while start < end:
            piece = ("##" if start else "") + word[start:end]
            if piece in vocabulary:
                break
            end -= 1
        if start == end:
            return ["[UNK]"]
        found.append(piece)
        start = end
    return found


LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFßéÉñøłΑαБбµ\u0301\u0308中"


@settings(max_examples=500)
@given(st.text(LETTERS, min_size=1, max_size=60))
def test_pieces_are_those_of_wordpiece(tokens, word):
    assert [VOCABULARY[piece] for piece in tokens.pieces(word)] == wordpiece(
        tokens.vocabulary, word
    )


def test_pieces_of_common_words(tokens):
    for word in VOCABULARY[1000:20_000:7]:
        if word.isalpha() and word.isascii():
            assert tokens.pieces(word.title()) == [tokens.vocabulary[word]]
            assert len(tokens.pieces(f"{word}qx{word}")) >= 1


def test_no_piece_of_the_vocabulary_is_longer_than_what_is_tried():
    assert max(len(piece) for piece in VOCABULARY[len(SPECIAL) :]) <= 24
    assert tuple(VOCABULARY[: len(SPECIAL)]) == SPECIAL


@pytest.mark.parametrize(
    "unit", ["\U0001f600", "e\u0301", "\u4e2d", "\u00df", "1", "\U0001d7d8", "\u0e01", "\u200b"]
)
def test_places_are_exact_behind_odd_characters(tokens, unit):
    text = f"{unit * 3} Maria {unit}x Lee"
    units = tokens.units([text])[0]
    words = [text[start:end] for start, end in zip(units.starts, units.ends, strict=True)]
    assert "Maria" in words and words[-1] == "Lee"


@pytest.mark.parametrize("unit", ["a", "\u00e9", "e\u0301", "7", "Zq"])
def test_a_word_of_100000_letters(tokens, unit):
    seconds = []
    for size in (25_000, 100_000):
        text = unit * (size // len(unit))
        start = time.process_time()
        units = tokens.units([text])[0]
        seconds.append(time.process_time() - start)
        assert units.starts.tolist() == [0] and units.ends.tolist() == [len(text)]
    assert seconds[1] < 10 and seconds[1] < 8 * seconds[0] + 0.1


def test_texts_without_units(tokens):
    for text in ("", " ", "\n\n\t \u2003"):
        units = tokens.units([text])[0]
        assert len(units.starts) == 0 and units.pieces.shape == (0, PIECES)


def test_speed_of_cutting(tokens):
    """A guard against blow-ups, far below what is usual: the machine may do other things too, and
    benchmarks tell speed."""
    words = [word for word in VOCABULARY if word.isalpha()]
    dice = random.Random(5)
    texts = [" ".join(dice.choices(words, k=500)) + ".\n" for _ in range(200)]
    tokens.units(texts[:2])
    start = time.process_time()
    tokens.units(texts)
    assert 100_000 / (time.process_time() - start) > 50_000


def test_numbers_stay_inside_the_tables_of_a_net(tokens):
    text = "".join(map(chr, range(32, 0x3000))) + NOTE
    units = tokens.units([text])[0]
    assert units.shapes.min() >= 0 and units.shapes.max() < len(SHAPES)
    assert units.gaps.min() >= 0 and units.gaps.max() < len(GAPS)
    assert units.pieces.max() < len(VOCABULARY) and (units.pieces[:, 0] > 0).all()


# Windows


class Echo:
    """A net whose answer for a unit is what stands `reach` units before and behind it."""

    def __init__(self, kind, reach):
        self.kind, self.reach, self.longest, self.most = kind, reach, 0, 0

    def run(self, _, feeds):
        pieces = feeds["pieces"]
        if self.kind == "encoder":
            pieces = np.take_along_axis(pieces, feeds["firsts"], 1)
        else:
            pieces = pieces[feeds["words"], 0] * feeds["mask"].astype(int)
        self.longest = max(self.longest, pieces.shape[1])
        self.most = max(self.most, pieces.size)
        scores = np.zeros((*pieces.shape, len(TAGS)), np.float32)
        wide = np.pad(pieces, ((0, 0), (self.reach, self.reach)))
        for column, shift in enumerate((0, self.reach, 2 * self.reach)):
            scores[..., column] = wide[:, shift : shift + pieces.shape[1]]
        return [scores]


@pytest.mark.parametrize("count", [1, 2, 511, 512, 513, 975, 976, 977, 1441, 5000])
def test_every_unit_gets_one_answer_with_what_stands_around_it(fast, monkeypatch, count):
    size, margin = fast.bundle.window, fast.bundle.margin
    echo = Echo(fast.bundle.kind, margin)
    monkeypatch.setattr(fast, "_session", echo)
    monkeypatch.setattr(decode, "probabilities", lambda scores: scores)
    dice = random.Random(count)
    words = [w for w in VOCABULARY[2000:9000] if w.isalpha() and w.isascii()]
    texts = [" ".join(dice.choices(words, k=k)) for k in (count, 7, count // 2 + 1)]
    units = fast._tokens.units(texts)
    answers = [np.full((len(own.starts), len(TAGS)), np.nan) for own in units]
    for window, tags in fast.read(units, runtime._windows(units, fast.bundle)):
        answers[window.text][window.begin : window.end] = tags
    for own, scores in zip(units, answers, strict=True):
        wide = np.pad(own.pieces[:, 0], margin)
        scores = scores * fast.bundle.calibration.temperature
        for column, shift in enumerate((0, margin, 2 * margin)):
            want = wide[shift : shift + len(own.starts)]
            assert np.allclose(scores[:, column], want), "each unit, with its neighbours"
    assert echo.longest <= size and echo.most <= max(size, runtime.UNITS_A_CALL)


def test_a_name_is_found_whole_wherever_a_window_ends(tagger):
    """Slid over the edges of the first windows; a convolution must not even notice."""
    size, margin = tagger.bundle.window, tagger.bundle.margin
    conv = tagger.bundle.kind == "conv"
    edge = size - 2 * margin
    shifts = range(edge - 24, edge + 24) if conv else range(edge - 15, edge + 6, 5)
    answers = set()
    for shift in shifts:
        head = ("clean " * shift).rstrip() + ".\n\n"
        text = f"{head}{SENTENCE}\n\n{'dry ' * (size + 40)}"
        found = spans(tagger.spans([text])[0])
        at = text.index(NAME)
        covered = {place for start, end, _ in found for place in range(start, end)}
        assert covered.issuperset(range(at, at + len(NAME))), shift
        own = (max(0, at - 9), at + len(SENTENCE) - 9)
        answers.add(tuple((s - at, e - at, c) for s, e, c in found if own[0] <= s < own[1]))
    assert not conv or len(answers) == 1


def test_neighbours_change_nothing(tagger):
    texts = ["", SENTENCE, NOTE, "x", FILLER * 9, SENTENCE.upper(), NOTE * 3, "\n", SENTENCE[:40]]
    together = tagger.spans(texts)
    assert together == [tagger.spans([text])[0] for text in texts]
    assert together[::-1] == tagger.spans(texts[::-1])
    assert together[1] and together[1] == tagger.spans([SENTENCE] * 40)[7]


def test_texts_of_almost_nothing(tagger):
    texts = ["", " ", "\n", "\t\n \u3000", *"aZ7.\u0301\u200b\u4e2d\U0001f600"]
    for text, found in zip(texts, tagger.spans(texts), strict=True):
        assert all((t.start, t.end) == (0, 1) for t in found)
        assert text.strip() or not found
    assert tagger.spans([]) == []


def test_pieces_in_line_for_an_encoder():
    pieces = np.array([[[7, 8, 0, 0], [9, 0, 0, 0]], [[5, 0, 0, 0], [0, 0, 0, 0]]])
    marks = np.array([[[1], [2]], [[3], [0]]])
    line, wide, firsts = flat(pieces, marks)
    assert line.tolist() == [[2, 7, 8, 9, 3], [2, 5, 3, 0, 0]]
    assert wide[..., 0].tolist() == [[0, 1, 1, 2, 0], [0, 3, 0, 0, 0]]
    assert firsts[0].tolist() == [1, 3] and firsts[1, 0] == 1


# Scores to spans


def plain_units(count):
    at = np.arange(count, dtype=np.int32) * 3
    none = np.zeros(count, np.int32)
    return Units(at, at + 2, np.zeros((count, PIECES), np.int32), none, none, none, none)


@settings(max_examples=300)
@given(st.integers(0, 40), st.integers(0, 2**32 - 1), st.floats(0.01, 0.99), st.floats(0, 12))
def test_any_scores_give_spans_that_make_sense(count, seed, threshold, spread):
    dice = np.random.default_rng(seed)
    tags = decode.probabilities(dice.normal(0, spread, (count, len(TAGS))).astype(np.float32))
    found = decode.spans(plain_units(count), tags, threshold)
    places = [place for t in found for place in (t.start, t.end)]
    assert places == sorted(places) and all(t.start < t.end for t in found)
    assert all(t.start >= 0 and t.end <= 3 * count - 1 for t in found)
    assert all(t.label in CLASSES and threshold <= t.probability <= 1.0001 for t in found)
    covered = {place // 3 for t in found for place in range(t.start, t.end, 3)}
    assert covered == set(np.flatnonzero(1 - tags[:, 0] >= threshold).tolist()), "nothing is lost"


@given(st.permutations(range(6)), st.integers(0, 2**32 - 1))
def test_windows_may_come_in_any_order(order, seed):
    dice = np.random.default_rng(seed)
    tags = decode.probabilities(dice.normal(0, 4, (48, len(TAGS))).astype(np.float32))
    likely = decode.Likely()
    for part in order:
        where = np.arange(8 * part, 8 * part + 8)
        reached = where[1 - tags[where, OUTSIDE] >= 0.9]
        likely.add(reached, tags[reached])
    assert likely.spans(plain_units(48)) == decode.spans(plain_units(48), tags, 0.9)


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_no_part_goes_on_without_its_beginning(count, seed):
    scores = np.random.default_rng(seed).normal(0, 3, (count, len(TAGS) - 1)).astype(np.float32)
    path = decode._best(scores)
    for before, tag in zip([None, *path], path, strict=False):
        assert tag % 2 == 0 or before in {tag, tag - 1}


# Processes and threads


def test_threads_share_a_tagger(fast):
    texts, wrong = [SENTENCE, NOTE, FILLER * 20], []
    want = fast.spans(texts)

    def work():
        wrong.extend(1 for _ in range(5) if fast.spans(texts) != want)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_number_of_threads_changes_nothing(fast):
    many = Tagger(FAST, threads=3)
    assert many.spans([NOTE * 4, SENTENCE]) == fast.spans([NOTE * 4, SENTENCE])
    assert runtime.cores() >= 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_process_that_forked_has_a_net_of_its_own():
    detector = Detector("fast")
    want = detector.detect([Document(NOTE * 4)])
    child = os.fork()
    if not child:
        os._exit(0 if detector.detect([Document(NOTE * 4)]) == want else 1)
    for _ in range(600):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.1)
    else:
        os.kill(child, 9)
    assert done and status == 0


def test_another_process_finds_the_same(fast):
    code = (
        "import sys; from pathlib import Path; from scrubjay.model.tagger import Tagger\n"
        "found = Tagger(Path(sys.argv[1])).spans([sys.argv[2]])[0]\n"
        "print([(t.start, t.end, t.label) for t in found])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(FAST), SENTENCE], capture_output=True, text=True
    )
    assert done.stdout.strip() == str(spans(fast.spans([SENTENCE])[0])), done.stderr


def test_nothing_is_loaded_before_it_is_needed():
    code = (
        "import sys, scrubjay; scrubjay.load(profile='fast')\n"
        "assert not {'numpy', 'onnxruntime'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_detector_keeps_its_contract():
    check_detector(Detector("fast"))


# The lexicon


@given(st.dictionaries(st.text(min_size=1), st.integers(1, 63), max_size=30))
def test_a_lexicon_comes_back_from_its_file(tmp_path_factory, words):
    path = tmp_path_factory.mktemp("lexicon") / "lexicon.bin"
    made = Lexicon.of(words)
    made.save(path)
    loaded = Lexicon.load(path)
    assert len(loaded) == len(made) and path.stat().st_size == 5 * len(made)
    for word, bits in words.items():
        assert loaded(word) == made(word) and made(word) & bits == bits
    assert loaded("a word that is not there") == made("a word that is not there")


def test_a_lexicon_reads_case_and_accents_away():
    lexicon = Lexicon.of({"José": 1, "jose": 4})
    assert lexicon("JOSE") == lexicon("jose\u0301") == 5 and lexicon("josef") == 0


def test_an_unknown_word_is_a_piece_of_its_own(tokens):
    assert tokens.pieces("\U0001f600") == [UNK]
    assert Path(FAST, "vocabulary.txt").stat().st_size < 1_000_000


@pytest.mark.parametrize(
    ("text", "label", "values"),
    [
        ("jo@example.org.", "EMAIL", ["jo@example.org"]),
        ("a@b.org\nc@d.org", "EMAIL", ["a@b.org", "c@d.org"]),
        ("Ann Lee; Bo Fox,", "PERSON", ["Ann Lee", "Bo Fox"]),
        ("Ann Lee Jr.", "PERSON", ["Ann Lee Jr."]),
        ("12 Oak St; Apt 4", "STREET_ADDRESS", ["12 Oak St; Apt 4"]),
        ("...", "ID", []),
    ],
)
def test_signs_that_end_or_part_an_identifier_are_not_in_it(text, label, values):
    assert [text[start:end] for start, end in parts(text, 0, len(text), label)] == values
