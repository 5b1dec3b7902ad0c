"""Bundles as docs/spec/bundle.md has them: the vectors, and what a damaged one is told."""

import json
import shutil
import sys
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest

from scrubjay import errors
from scrubjay.detectors.tagger import CERTAIN, _score
from scrubjay.detectors.tagger import Tagger as Detector
from scrubjay.model import bundle, cascade, decode, runtimes
from scrubjay.model.tagger import Tagger
from scrubjay.model.tags import CLASSES, TAGS
from scrubjay.model.tokens import GAPS, PIECES, SHAPES, SPECIAL, Tokens, Units
from scrubjay.testing import CANARY, canary
from scrubjay.types import Document

VECTORS = Path(__file__).parent.parent / "vectors" / "bundle"
NETS = ["fast", "encoder"]
SHIPPED = [bundle.folder("fast").parent / name for name in NETS]
SENTENCES = (
    "Patient: Mrs. Maria Gonzalez was seen by Dr. Robert Miller on 12 March 2021.",
    "Please call Anna Kowalska in Springfield about the invoice of 3 May.",
)


def vectors(kind):
    return sorted(VECTORS.glob(f"{kind}-*.json"))


def told(path):
    return json.loads(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def answers():
    made = Tagger(bundle.folder("fast"), threads=1)
    found = made.spans(SENTENCES)
    assert any(found), "the sentences are of no use for a bundle that finds nothing in them"
    return [
        {"text": text, "spans": [[t.start, t.end, t.label] for t in tagged]}
        for text, tagged in zip(SENTENCES, found, strict=True)
    ]


@pytest.fixture
def change(tmp_path, answers):
    """A copy of the fast bundle with golden answers and other things changed."""
    folder = tmp_path / "copy"
    shutil.copytree(bundle.folder("fast"), folder)

    def make(changes):
        made = {**told(folder / "bundle.json"), "golden": answers}
        for key, value in changes.items():
            if key.endswith("+"):
                made[key[:-1]] |= value
            elif value is None:
                del made[key]
            else:
                made[key] = value
        (folder / "bundle.json").write_text(json.dumps(made))
        return folder

    return make


# The vectors


@pytest.mark.parametrize("path", vectors("tokens"), ids=lambda p: p.stem)
def test_a_text_has_these_units(path):
    case = told(path)
    units = Tokens(case["vocabulary"]).units([case["text"]])[0]
    found = [
        {"text": case["text"][start:end], "start": start, "end": end, "shape": SHAPES[shape],
         "gap": GAPS[gap], "pieces": [piece for piece in pieces if piece]}
        for start, end, pieces, shape, gap in zip(
            *(column.tolist() for column in units[:5]), strict=True
        )
    ]  # fmt: skip
    assert found == case["units"]


@pytest.mark.parametrize("path", vectors("decode"), ids=lambda p: p.stem)
def test_scores_give_these_spans(path):
    case = told(path)
    scores = np.full((len(case["units"]), len(TAGS)), -10, np.float32)
    for row, given in enumerate(case["scores"]):
        for tag, score in given.items():
            scores[row, TAGS.index(tag)] = score
    starts, ends = np.array(case["units"]).T
    none = np.zeros(len(starts), np.int32)
    units = Units(starts, ends, np.zeros((len(starts), PIECES), np.int32), none, none, none, none)
    tags = decode.probabilities(scores / np.float32(case["temperature"]))
    found = decode.spans(units, tags, case["threshold"])
    assert [[t.start, t.end, t.label] for t in found] == [row[:3] for row in case["spans"]]
    assert [t.probability for t in found] == pytest.approx(
        [row[3] for row in case["spans"]], abs=1e-4
    )


@pytest.mark.parametrize("path", vectors("bad"), ids=lambda p: p.stem)
def test_a_wrong_bundle_is_refused(path, change):
    case = told(path)
    with pytest.raises(errors.BundleError, match=case["refused"]) as caught:
        Tagger(change(case["change"]), threads=1)
    assert caught.value.exit_status == 1


def test_the_copy_itself_is_good(change):
    assert Tagger(change({}), threads=1).bundle.golden


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"format": "\xff"}', b"\xff\xfe"])
def test_what_is_no_json_is_refused(change, raw):
    folder = change({})
    (folder / "bundle.json").write_bytes(raw)
    with pytest.raises(errors.BundleError, match=r"bundle\.json"):
        bundle.read(folder)


# What ships


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_what_ships_keeps_its_own_rules(folder):
    made = bundle.read(folder)
    assert set(made.sha256) >= {"model.onnx", *bundle.FILES} and made.classes == CLASSES
    there = {path.name for path in folder.iterdir() if path.is_file()}
    assert {path.name for path in folder.glob("*.bin")} <= set(made.sha256)
    assert set(made.sha256) <= there
    weight = sum((folder / name).stat().st_size for name in made.sha256)
    assert weight <= (6_000_000 if folder.name == "fast" else 25_000_000)


def test_profiles_are_folders_or_names():
    fast = bundle.folder("fast")
    assert bundle.folder(str(fast)) == fast
    assert {bundle.folder(name).name for name in bundle.PROFILES} == set(bundle.PROFILES)
    with pytest.raises(errors.UsageError, match="known: fast, balanced, accurate"):
        bundle.folder("swift")


# Damage


def largest(folder):
    return max(
        (folder / name for name in bundle.read(folder).sha256), key=lambda p: p.stat().st_size
    )


def damage(raw, part, parts=64):
    """Turn the bytes of half of one part of a file."""
    size = len(raw) // parts
    changed = bytearray(raw)
    for at in range(part * size, part * size + size // 2):
        changed[at] ^= 0x5A
    return bytes(changed)


def test_weights_that_changed_on_the_way(change):
    folder = change({})
    path = largest(folder)
    path.write_bytes(damage(path.read_bytes(), 32))
    with pytest.raises(errors.BundleError, match=r"is not the file that bundle\.json describes"):
        Tagger(folder, threads=1)


def test_only_the_golden_answers_can_tell(change):
    """As after a kernel that goes wrong on this processor: every file is what it should be. Where
    the words of the golden sentences are not touched, nothing is told, so all parts are tried."""
    folder = change({})
    raws = {name: (folder / name).read_bytes() for name in bundle.read(folder).sha256}
    heard = set()
    for name in set(raws) - {"vocabulary.txt", "lexicon.bin"}:
        for part in range(64):
            (folder / name).write_bytes(damage(raws[name], part))
            change({"sha256+": {name: bundle.sha256(folder / name)}})
            try:
                Tagger(folder, threads=1)
            except errors.BundleError as problem:
                heard.add(str(problem).partition(": ")[2])
        (folder / name).write_bytes(raws[name])
        change({"sha256+": {name: bundle.sha256(folder / name)}})
    assert any("gives wrong answers on this CPU" in told for told in heard), heard


def test_a_net_that_is_none(change):
    folder = change({})
    (folder / "model.onnx").write_bytes(b"no net at all")
    change({"sha256+": {"model.onnx": bundle.sha256(folder / "model.onnx")}})
    with pytest.raises(errors.BundleError, match=r"model\.onnx: InvalidProtobuf"):
        Tagger(folder, threads=1)


def test_a_net_of_the_other_kind(change):
    other = {"conv": "encoder", "encoder": "conv"}[bundle.read(bundle.folder("fast")).kind]
    with pytest.raises(errors.BundleError, match=f"not a net of the kind '{other}'"):
        Tagger(change({"kind": other}), threads=1)


def tensors(header, data=b""):
    """A file of tensors."""
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(head).to_bytes(8, "little") + head + data


CONV = {"__metadata__": {"kind": "conv", "layers": "1"}}
BIAS = {"dtype": "F32", "shape": [len(TAGS)], "data_offsets": [0, 4 * len(TAGS)]}


@pytest.mark.parametrize(
    "raw, refused",
    [
        (b"", "ValueError"),
        (b"no tensors at all", "DecodeError"),
        (tensors({}), "KeyError"),
        (tensors(CONV), "KeyError"),
        (tensors({**CONV, "tags.bias": BIAS}), "ValueError"),
        (tensors({**CONV, "tags.bias": {**BIAS, "dtype": "F16"}}), "ValidationError"),
        (tensors({**CONV, "tags.bias": BIAS}, bytes(4 * len(TAGS))), "KeyError"),
        (tensors({"__metadata__": {"kind": "encoder", "layers": ""}, "tags.bias": BIAS},
                 bytes(4 * len(TAGS))), "not a net of the kind 'conv'"),
    ],
)  # fmt: skip
def test_bun_17_tensors_that_are_no_net(change, raw, refused):
    folder = change({})
    (folder / "model.safetensors").write_bytes(raw)
    names = ("model.safetensors", *bundle.FILES)
    change({"sha256": {name: bundle.sha256(folder / name) for name in names}})
    with pytest.raises(errors.BundleError, match=rf"model\.safetensors.*{refused}"):
        Tagger(folder, threads=1)


def test_a_litert_net_without_litert(change, monkeypatch):
    folder = change({})
    (folder / "model.onnx").rename(folder / "model.tflite")
    names = ("model.tflite", *bundle.FILES)
    change({"sha256": {name: bundle.sha256(folder / name) for name in names}})
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(errors.ExtraError, match=r"pip install 'scrubjay\[litert\]'"):
        Tagger(folder, threads=1)


@pytest.mark.parametrize("name", ["model.onnx", *bundle.FILES])
def test_a_file_that_is_gone(change, name):
    folder = change({})
    (folder / name).unlink()
    with pytest.raises(errors.BundleError, match=f"{name}: No such file"):
        Tagger(folder, threads=1)


class Silent:
    """A net whose kernels give no numbers."""

    def run(self, _, feeds):
        size = feeds["firsts"].shape if "firsts" in feeds else feeds["mask"].shape
        return [np.full((*size, len(TAGS)), np.nan, np.float32)]


def test_no_numbers_are_no_answer(monkeypatch):
    made = Tagger(bundle.folder("fast"), threads=1)
    monkeypatch.setattr(made, "_session", Silent())
    with pytest.raises(errors.BundleError, match="no numbers"):
        canary(lambda: made.spans([f"Dear {CANARY}"]))


def test_no_error_tells_the_text(change, monkeypatch):
    folder = change({"golden": [{"text": SENTENCES[0], "spans": [[0, 1, "CITY"]]}]})
    document = Document(f"{CANARY} {SENTENCES[1]}")
    for act in (lambda: Detector(str(folder)), lambda: Detector("fast", recall="0.12345")):
        with pytest.raises(errors.UsageError) as caught:
            canary(lambda act=act: act().detect([document]))
        assert "Gonzalez" not in str(caught.value), "nor a golden sentence"


# Calibration


def test_thresholds_by_recall(change):
    folder = change({"golden": [], "calibration": {"threshold": 0.4, "thresholds": {"0.99": 0.1}}})
    made = Tagger(folder, threads=1)
    assert made.threshold() == 0.4 and made.threshold("0.99") == 0.1
    with pytest.raises(errors.UsageError, match=r"no threshold for recall 0\.5; .* has: 0\.99"):
        made.threshold("0.5")


@pytest.mark.parametrize("least", [0.001, 0.2, 0.5, 0.9, 0.999])
def test_a_score_is_half_at_the_threshold(least):
    steps = [_score(float(p), least) for p in np.linspace(least, 1, 50)]
    assert steps[0] == 0.5 and steps == sorted(steps) and steps[-1] == CERTAIN


def test_a_temperature_divides_scores(change):
    plain = Tagger(change({"golden": []}), threads=1)
    units = plain._tokens.units(SENTENCES)
    warmth = plain.bundle.calibration.temperature / 2
    found = Tagger(change({"golden": [], "calibration": {"temperature": 2.0}}), threads=1)
    for a, b in zip(found.probabilities(units), plain.probabilities(units), strict=True):
        assert np.allclose(a, decode.probabilities(np.log(b) * warmth), rtol=1e-3, atol=1e-6)


def test_bundle_json_comes_back():
    made = bundle.read(bundle.folder("fast"))
    assert msgspec.json.decode(msgspec.json.encode(made), type=bundle.Bundle) == made
    assert set(runtimes.INPUTS) == {"conv", "encoder"}


# Pairs


@pytest.mark.parametrize("profile", ["balanced", "accurate"])
def test_the_pairs_that_ship_are_light_and_whole(profile):
    folder = bundle.folder(profile)
    files = bundle.files_of(folder)
    assert {path.parent.name for path in files} == {profile, *NETS}
    assert sum(path.stat().st_size for path in files) < 30_000_000
    reader = cascade.load(folder, threads=1)
    assert reader.spans([SENTENCES[0]])[0] and reader.threshold("0.99") < reader.threshold()


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    """A folder that holds the shipped bundles, for pairs to be put beside them."""
    folder = tmp_path_factory.mktemp("pairs")
    for name in NETS:
        (folder / name).symlink_to(bundle.folder("fast").parent / name, target_is_directory=True)
    return folder


@pytest.fixture
def pair(beside):
    def make(name, low, high, margin=8, **changes):
        told = {
            "format": 1, "name": name, "version": "0", "kind": "pair", "nets": NETS,
            "doubt": {"low": low, "high": high, "margin": margin},
            "calibration": {"threshold": 0.25},
            "sha256": {net: bundle.sha256(beside / net / "bundle.json") for net in NETS},
        }  # fmt: skip
        (beside / name).mkdir(exist_ok=True)
        (beside / name / "bundle.json").write_text(json.dumps(told | changes))
        return cascade.load(beside / name, threads=1)

    return make


def doubted(reader):
    """The probabilities of both nets, and of the reader, unit by unit."""
    units = reader.units(SENTENCES)
    nets = [Tagger(bundle.folder("fast").parent / net, threads=1) for net in NETS]
    return [
        np.concatenate([1 - tags[:, 0] for tags in net.probabilities(units)])
        for net in (*nets, reader)
    ]


def test_of_a_pair_the_second_has_a_say_in_what_is_in_doubt_or_close_to_it(pair):
    low, high, margin = 0.02, 0.98, 6
    reader = pair("part", low, high, margin)
    first, _, both = doubted(reader)
    near = np.zeros(len(first), bool)
    count = np.cumsum([0, *(len(own.starts) for own in reader.units(SENTENCES))])
    for begin, end in pairwise(count.tolist()):
        for place in np.flatnonzero((first >= low) & (first <= high)).tolist():
            if begin <= place < end:
                near[max(begin, place - margin // 2) : min(end, place + margin // 2 + 1)] = True
    joint = near & (first >= cascade.HEARD)
    assert joint.any() and (joint & (first > high)).any() and (near & ~joint).any()
    assert np.array_equal(both[~near], first[~near])
    assert np.array_equal(both[near & ~joint], first[near & ~joint])
    assert (both[joint] != first[joint]).all()


def test_both_nets_count_as_if_the_second_had_read_all(pair):
    first, second, both = doubted(pair("whole", cascade.HEARD, 1.0, 512))
    joint = first >= cascade.HEARD
    odds = [np.log(p / (1 - p)) for p in (first, second, both)]
    assert np.allclose(odds[2][joint], (0.4 * odds[0] + 0.6 * odds[1])[joint], atol=1e-2)


def test_what_is_settled_is_not_asked_again_and_changes_nothing_else(pair):
    reader = pair("part", 0.02, 0.98)
    units = reader.units(SENTENCES)
    asked = []

    def answered(settled):
        asked.clear()
        found = [np.zeros(len(own.starts)) for own in units]
        for text, where, tags in reader.answers(units, 0.0, settled):
            found[text][where] = 1 - tags[:, 0]
        assert all(every.all() for every in found), "each unit has an answer"
        return found

    reader.ready()
    read = reader._loaded.read
    reader._loaded.read = lambda units, windows: asked.extend(windows) or read(units, windows)
    plain, stretches = answered(()), list(asked)
    text, _, begin, end, _ = stretches[0]
    one = [[] for _ in units]
    one[text] = [(int(units[text].starts[begin]), int(units[text].ends[end - 1]))]
    beside = answered(one)
    assert asked == stretches[1:], "the others as they were"
    changed = [np.flatnonzero(a != b).tolist() for a, b in zip(plain, beside, strict=True)]
    assert set(changed[text]) <= set(range(begin, end)) and sum(map(len, changed)) > 0
    assert not any(places for other, places in enumerate(changed) if other != text)
    answered([[(0, len(sentence))] for sentence in SENTENCES])
    assert not asked


def test_settled_is_what_lies_wholly_in_a_stretch():
    units = Tagger(bundle.folder("fast"), threads=1).units(["Ann met Bob in Bath"])[0]
    every = np.arange(len(units.starts))
    for stretches, inside in (
        ([(0, 3)], [0]), ([(8, 10), (0, 7)], [0, 1]), ([(0, 19), (4, 5)], [0, 1, 2, 3, 4]),
        ([(1, 6)], []), ([(19, 30)], []), ([], []),
    ):  # fmt: skip
        assert np.flatnonzero(cascade.within(units, every, stretches)).tolist() == inside


def test_a_pair_that_doubts_nothing_never_loads_its_second_net(pair):
    reader = pair("sure", 1e-9, 1e-9)
    first = Tagger(bundle.folder("fast"), threads=1)
    least = reader.bundle.calibration.threshold
    assert reader.spans(SENTENCES) == first.spans(SENTENCES, least)
    assert reader._loaded is None
    reader.ready()
    assert reader._loaded


def test_what_both_think_nothing_of_is_nothing(pair):
    plain = "the wound was clean and dry and the plan is to go on as before"
    assert pair("plain", 1e-9, 1.0).spans([plain, "", "."]) == [[], [], []]


def test_each_unit_of_a_long_text_has_one_answer_alone_or_in_a_batch(pair):
    reader = pair("all", 0.002, 0.999, 8)
    long = "\n\n".join(SENTENCES * 60)
    (alone,) = reader.spans([long], 0.01)
    assert reader.spans(["", long, SENTENCES[0]], 0.01)[1] == alone and len(alone) > 60
    units = reader.units([long])
    count = np.zeros(len(units[0].starts), int)
    for _, where, tags in reader.answers(units, 0.0):
        np.add.at(count, where, 1)
        assert np.allclose(tags.sum(1), 1, atol=1e-4)
    assert (count == 1).all()


def test_both_nets_count_the_second_more_and_it_names_the_tag():
    tags = np.array([[0.2, 0.7, 0.1], [1 - 1e-6, 4e-7, 6e-7]], np.float32)
    both = cascade.together(np.array([0.8, 0.9999], np.float32), tags)
    sure = 1 / (1 + 9999 ** (cascade.SECOND - (1 - cascade.SECOND)))
    assert np.allclose(both.sum(1), 1) and np.allclose(1 - both[:, 0], [0.8, sure], atol=1e-3)
    assert np.allclose(both[:, 1] / both[:, 2], [7, 2 / 3], rtol=1e-3)


@pytest.mark.parametrize("net", NETS)
def test_a_window_full_of_long_words_fits_into_a_net(net):
    reader = Tagger(bundle.folder("fast").parent / net, threads=1)
    word = "xqzvkjwpfh"
    assert len(reader._tokens.pieces(word)) >= PIECES
    reader.spans([f"{word} " * (reader.bundle.window + 5), "Пациент Иванов " * 90])


def test_a_second_net_that_was_changed_since_is_refused(beside, pair):
    reader = pair("late", 1e-9, 1.0)
    path = beside / "encoder"
    there = path.readlink()
    path.unlink()
    path.symlink_to(bundle.folder("fast"), target_is_directory=True)
    try:
        with pytest.raises(errors.BundleError, match="make it anew"):
            reader.spans(SENTENCES)
    finally:
        path.unlink()
        path.symlink_to(there, target_is_directory=True)


def test_a_pair_may_be_named_by_a_link_or_from_within(beside, pair, tmp_path, monkeypatch):
    pair("linked", 1e-9, 1.0)
    (tmp_path / "link").symlink_to(beside / "linked", target_is_directory=True)
    assert cascade.load(bundle.folder(str(tmp_path / "link")), threads=1).spans(SENTENCES)
    monkeypatch.chdir(beside / "linked")
    assert cascade.load(bundle.folder("."), threads=1).spans(SENTENCES)


def test_nets_of_two_vocabularies_are_no_pair(tmp_path):
    for name in NETS:
        shutil.copytree(bundle.folder("fast"), tmp_path / name)
    made = told(tmp_path / "encoder" / "bundle.json")
    (tmp_path / "encoder" / "vocabulary.txt").write_text("\n".join([*SPECIAL, "a"]))
    made["sha256"]["vocabulary.txt"] = bundle.sha256(tmp_path / "encoder" / "vocabulary.txt")
    (tmp_path / "encoder" / "bundle.json").write_text(json.dumps(made))
    (tmp_path / "both").mkdir()
    pair = told(bundle.folder("balanced") / "bundle.json")
    pair["sha256"] = {net: bundle.sha256(tmp_path / net / "bundle.json") for net in NETS}
    (tmp_path / "both" / "bundle.json").write_text(json.dumps(pair))
    with pytest.raises(errors.BundleError, match=r"differ in vocabulary\.txt"):
        cascade.load(tmp_path / "both", threads=1)


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"nets": ["../fast", "encoder"]}, "two folders beside it"),
        ({"nets": ["fast", "fast2"]}, "two folders beside it"),
        ({"nets": ["fast", ".."], "sha256": {"fast": "", "..": ""}}, "two folders beside it"),
        ({"sha256": {"fast": "0" * 64, "encoder": "0" * 64}}, "make it anew"),
        ({"doubt": {"low": 0.1, "high": 0.4, "margin": 2**62}}, "no range"),
        ({"doubt": {"low": 0.5, "high": 0.4, "margin": 8}}, "no range"),
        ({"doubt": {"low": 0.1, "high": 0.4, "margin": -1}}, "no range"),
        ({"calibration": {"temperature": 2.0}}, "temperature"),
    ],
)
def test_a_wrong_pair_is_refused(pair, changes, refused):
    with pytest.raises(errors.BundleError, match=refused):
        pair("wrong", 0.1, 0.6, **changes)


def test_around_joins_what_margins_would_touch():
    where = np.array([3, 12, 22, 41, 42, 99])
    found = [tuple(window) for window in cascade.around(where, 7, 4, 100)]
    assert found == [
        (7, 0, 1, 15, 17),
        (7, 18, 20, 25, 27),
        (7, 37, 39, 45, 47),
        (7, 95, 97, 100, 100),
    ]
    (one,) = cascade.around(np.array([3, 4, 5]), 0, 0, 9)
    assert tuple(one) == (0, 3, 3, 6, 6)
    (one,) = cascade.around(np.array([0]), 0, 9, 3)
    assert tuple(one) == (0, 0, 0, 3, 3)
