"""Exports for other runtimes: the same spans as the net itself has, on documents made of the seeds
that ship. Needs `[train,litert]`."""

import random
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ai_edge_litert")

from click.testing import CliRunner  # noqa: E402

from scrubjay import cli, errors  # noqa: E402
from scrubjay.model import bundle, runtimes  # noqa: E402
from scrubjay.model.lexicon import Lexicon  # noqa: E402
from scrubjay.model.tagger import Tagger  # noqa: E402
from scrubjay.model.tokens import SPECIAL  # noqa: E402
from scrubjay.train import chain, lists, prune, run, seeds, synth, thaw  # noqa: E402
from scrubjay.train.net import Size, build  # noqa: E402
from scrubjay.train.run import Run  # noqa: E402

torch.set_num_threads(1)
FORMS = ("litert", "state-dict")
# of each shipped net, so many documents
DOCUMENTS = {"fast": 1000, "encoder": 40}
ORDER = {
    "conv": ("pieces", "shapes", "hints", "gaps", "words", "mask"),
    "encoder": ("pieces", "shapes", "gaps", "hints", "firsts"),
}
LETTERS = "abcdefghijklmnopqrstuvwxyz"
PIECES = [*SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS), ".", "the", "anna"]
TOY = {
    "conv": Size(len(PIECES), width=24, layers=3, inner=32, distances=(1, 4, 2)),
    "encoder": Size(len(PIECES), width=24, layers=2, inner=32, heads=4),
}


class Torch:
    """The net itself, in an exported one's place."""

    def __init__(self, net, kind):
        self.net, self.order = net, ORDER[kind]

    def run(self, _, feeds):
        with torch.inference_mode():
            return [self.net(*(torch.from_numpy(feeds[name]) for name in self.order)).numpy()]


def texts(count):
    made = synth.documents(seeds.shipped(), lists.shipped(), count, random.Random(20))
    return [document.text for document in made]


@pytest.fixture(scope="module", params=DOCUMENTS)
def shipped(request, tmp_path_factory):
    """A shipped bundle's net as every export, and documents with the spans of the net itself."""
    source = bundle.folder("fast").parent / request.param
    made, folder = run.load(source), tmp_path_factory.mktemp(request.param)
    for form in FORMS:
        chain.exported(made, folder / form, form, run.calibration(source))
    tagger = Tagger(source, threads=1)
    tagger._session = Torch(made.net, made.kind)
    documents = texts(DOCUMENTS[request.param])
    return folder, documents, tagger.spans(documents)


@pytest.mark.parametrize("form", FORMS)
def test_an_export_has_the_spans_of_the_net(shipped, form):
    folder, documents, wanted = shipped
    assert sum(map(len, wanted)) > 10 * len(documents)
    for one, other in zip(Tagger(folder / form, threads=1).spans(documents), wanted, strict=True):
        assert [span[:3] for span in one] == [span[:3] for span in other]


@pytest.fixture(scope="module", params=TOY)
def toy(request, tmp_path_factory):
    """A small net with narrow embeddings and random weights, as every export."""
    torch.manual_seed(1)
    net = prune.embedding(build(TOY[request.param]).eval(), 8)
    for weight in net.parameters():
        weight.data += 0.3 * torch.rand_like(weight)
    folder = tmp_path_factory.mktemp(f"toy-{request.param}")
    for form in FORMS:
        chain.exported(Run(net, PIECES, Lexicon.of({})), folder / form, form)
    return folder, net


@pytest.mark.parametrize("form", FORMS)
def test_an_export_scores_texts_of_any_length_as_the_net_does(toy, form):
    folder, net = toy
    exported, itself = (Tagger(folder / form, threads=1) for _ in range(2))
    itself._session = Torch(net, itself.bundle.kind)
    for count in (1, 2, 5, 9, 600):
        units = exported.units(["anna. " * count, "the"])
        for one, other in zip(
            exported.probabilities(units), itself.probabilities(units), strict=True
        ):
            np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_bun_13_a_text_has_the_same_scores_in_any_company(toy, form):
    tagger = Tagger(toy[0] / form, threads=1)
    own, *more = tagger.units(["anna saw the doctor.", "the. " * 200, "anna"])
    [alone] = tagger.probabilities([own])
    assert np.array_equal(alone, tagger.probabilities([own, *more])[0])


def test_a_state_dict_can_be_trained_on_and_a_litert_net_cannot(toy):
    folder, net = toy
    again = thaw.net(folder / "state-dict").state_dict()
    for name, weight in net.state_dict().items():
        assert torch.equal(again[name], weight), name
    with pytest.raises(errors.InputError, match="is not trained on; name what it was made of"):
        run.load(folder / "litert")
    with pytest.raises(errors.UsageError, match="quantize takes ONNX"):
        chain.quantized(folder / "state-dict", folder / "int8", [])


def test_a_net_of_another_kind_or_none_is_refused(toy):
    folder, net = toy
    kind, path = ("conv", "encoder") if net.size.heads else ("encoder", "conv")
    for form, name in (("litert", "model.tflite"), ("state-dict", "model.safetensors")):
        with pytest.raises(errors.BundleError, match=f"not a net of the kind '{kind}'"):
            runtimes.session(folder / form, name, kind, 1)
    (folder / path).mkdir()
    (folder / path / "model.tflite").write_bytes(b"no net at all")
    with pytest.raises(errors.BundleError, match=r"model\.tflite: ValueError"):
        runtimes.session(folder / path, "model.tflite", path, 1)


def test_export_of_a_bundle_keeps_its_calibration(tmp_path):
    fast = bundle.folder("fast")
    command = ["train", "export", str(fast), "--to", "state-dict", "-o", str(tmp_path / "plain")]
    done = CliRunner().invoke(cli.group, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    made = bundle.read(tmp_path / "plain")
    assert made.net == "model.safetensors" and made.golden
    assert made.calibration == bundle.read(fast).calibration


def test_a_state_dict_runs_without_onnx_runtime_and_torch(toy):
    code = (
        "import sys; from pathlib import Path; from scrubjay.model.tagger import Tagger;"
        f"Tagger(Path({str(toy[0] / 'state-dict')!r})).spans(['anna.']);"
        "assert not {'onnxruntime', 'torch', 'ai_edge_litert'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
