"""The tagger under attack: bundles of somebody else, texts that take long, letters in disguise."""

import json
import shutil
import time

import pytest

import scrubjay
from scrubjay import errors
from scrubjay.detectors.tagger import Tagger
from scrubjay.model import bundle
from scrubjay.model.tagger import Tagger as Net
from scrubjay.testing import CANARY, canary
from scrubjay.types import Document

SIZE = 8_000
FAMILIES = {
    "signs": "!?#%&*;",
    "one word": "a",
    "one word of odd letters": "\u00df\u01c4",
    "emoji": "\U0001f469\u200d\u2695\ufe0f",
    "newlines": "\n",
    "blanks and letters": "a ",
    "digits": "7",
    "digits and signs": "7-",
    "marks": "a\u0301\u0323",
    "zero width": "a\u200b",
    "names": "Maria Gonzalez, ",
    "capitals": "MARIA GONZALEZ ",
    "cjk": "\u60a3\u8005\u306f\u7530",
    "look-alikes": "M\u0430ria ",
}
TEXT = "Patient: Mrs. Maria Gonzalez was seen by Dr. Robert Miller on 12 March 2021."
NAME = "Maria Gonzalez"


@pytest.fixture(scope="module")
def tagger():
    made = Tagger("fast")
    made.detect([Document(TEXT)])
    return made


# Time


def seconds(tagger, text):
    best = 9e9
    for _ in range(2):
        start = time.process_time()
        tagger.detect([Document(text)])
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.parametrize("family", FAMILIES)
def test_four_times_the_text_takes_about_four_times_the_time(tagger, family):
    unit = FAMILIES[family]
    small, large = (seconds(tagger, unit * (n // len(unit))) for n in (SIZE, 4 * SIZE))
    assert large < 0.1 or large / max(small, 0.01) < 7, (small, large)
    assert large < 6


def test_many_texts_of_almost_nothing(tagger):
    start = time.process_time()
    assert len(tagger.detect([Document("a")] * 20_000)) == 20_000
    assert time.process_time() - start < 6


# Disguise


def covered(tagger, text, start, end):
    places = set()
    for finding in tagger.detect([Document(text)])[0]:
        places.update(range(finding.start, finding.end))
    return set(range(start, end)) <= places


DISGUISES = {
    "zero width between all letters": lambda name: "\u200b".join(name),
    "soft hyphens": lambda name: name.replace("r", "r\u00ad").replace("l", "l\u00ad"),
    "bidi marks": lambda name: f"\u202a{name[:3]}\u200e{name[3:]}",
    "tags": lambda name: name.replace("a", "a\U000e0061"),
    "struck through": lambda name: "".join(c + "\u0336" for c in name),
    "decomposed": lambda name: name.replace("a", "a\u0301"),
    "Cyrillic letters": lambda name: name.replace("a", "\u0430").replace("o", "\u043e"),
    "Greek letters": lambda name: name.replace("o", "\u03bf"),
    "full width": lambda name: "".join(
        chr(ord(c) + 0xFEE0) if c.isalpha() else c for c in name
    ),
    "mathematical": lambda name: "".join(
        chr(0x1D400 + ord(c) - 65) if c.isupper() else chr(0x1D41A + ord(c) - 97) if c.islower()
        else c for c in name
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", DISGUISES)
def test_a_name_in_disguise(tagger, way):
    at = TEXT.index(NAME)
    assert covered(tagger, TEXT, at, at + len(NAME)), "the plain name"
    name = DISGUISES[way](NAME)
    text = TEXT.replace(NAME, name)
    assert covered(tagger, text, at + (name[0] == "\u202a"), at + len(name)), ascii(text)


def test_places_behind_what_vanishes(tagger):
    plain = [(f.start, f.end) for f in tagger.detect([Document(TEXT)])[0]]
    text = f"\u200b\u200b{TEXT}"
    assert [(f.start - 2, f.end - 2) for f in tagger.detect([Document(text)])[0]] == plain
    assert tagger.detect([Document("\u200b\u200d\ufeff")]) == [[]]


def test_typographic_signs_are_no_disguise(tagger):
    from scrubjay.detectors import shadow

    for text in (
        "plain",
        "it\u2019s \u2013 caf\u00e9",
        "1\u00a0mg",
        "\u043c\u0438\u0440",
        "\u60a3",
    ):
        assert not shadow.disguised(text)


# Bundles


@pytest.fixture
def copy(tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(bundle.folder("fast"), folder)
    return folder


def test_another_net_under_the_same_name(copy):
    (copy / "model.onnx").write_bytes(b"\x08\x07" + b"x" * 1000)
    with pytest.raises(errors.BundleError, match="is not the file"):
        canary(lambda: scrubjay.load(profile=str(copy)).detect(f"{CANARY} {TEXT}"))


@pytest.mark.parametrize("name", ["../copy/model.onnx", "/etc/hostname", "a/../model.onnx", "."])
def test_files_elsewhere_are_not_read(copy, name):
    told = json.loads((copy / "bundle.json").read_text())
    told["sha256"][name] = "0" * 64
    (copy / "bundle.json").write_text(json.dumps(told))
    with pytest.raises(errors.BundleError, match=r"outside the bundle|directory"):
        Net(copy)


def test_a_bundle_that_would_silence_the_tagger(copy):
    """A threshold that nothing reaches is refused; a temperature that levels all scores is told by
    the golden answers."""
    told = json.loads((copy / "bundle.json").read_text())
    net = Net(copy)
    spans = [[t.start, t.end, t.label] for t in net.spans([TEXT])[0]]
    told["golden"] = [{"text": TEXT, "spans": spans}]
    assert spans
    for calibration in ({"threshold": 1}, {"temperature": 0}, {"temperature": 1e6}):
        told["calibration"] = calibration
        (copy / "bundle.json").write_text(json.dumps(told))
        with pytest.raises(errors.BundleError):
            Net(copy)


def test_a_folder_that_is_no_bundle(tmp_path):
    with pytest.raises(errors.UsageError, match="unknown profile"):
        scrubjay.load(profile=str(tmp_path))
