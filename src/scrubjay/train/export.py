"""A trained net as a bundle: the net for one of three runtimes, and the files around it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import onnx
import safetensors.torch
import torch
from torch import Tensor
from torch.export import Dim

from scrubjay.errors import ExtraError
from scrubjay.model import bundle as bundles
from scrubjay.model.bundle import Bundle
from scrubjay.model.lexicon import Lexicon
from scrubjay.model.tags import CLASSES
from scrubjay.model.tokens import PIECES
from scrubjay.train.net import EncoderTagger, Tagger

WEIGHTS = "weights.bin"
SHARED = 1_000_000  # bytes of a tensor that is worth sharing
WINDOW = {"conv": (512, 24), "encoder": (127, 24)}  # of an encoder: 4 pieces a unit, 512 places


def onnx_of(net: Tagger, path: Path) -> None:
    """The net in plain ONNX, any number of texts of any length."""
    net.eval()
    given = _encoder() if isinstance(net, EncoderTagger) else _conv()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net, tuple(value for value, _ in given.values()), path,
            input_names=list(given), output_names=["scores"], dynamo=True,
            dynamic_shapes=tuple(shape for _, shape in given.values()), external_data=False,
            verbose=False,
        )  # fmt: skip


Given = dict[str, tuple[Tensor, dict[int, Dim]]]  # by name: an example, and which sizes vary


def _encoder() -> Given:
    texts, length, firsts = map(Dim, ("texts", "length", "firsts"))
    whole = {0: texts, 1: length}
    numbers = torch.full((2, 24), 5)
    marks = {name: (torch.zeros_like(numbers), whole) for name in ("shapes", "gaps", "hints")}
    first = torch.zeros(2, 11, dtype=torch.long)
    return {"pieces": (numbers, whole), **marks, "firsts": (first, {0: texts, 1: firsts})}


def _conv() -> Given:
    texts, units, words = map(Dim, ("texts", "units", "words"))
    whole, some = {0: texts, 1: units}, {0: words}
    numbers, word = torch.zeros(2, 24, dtype=torch.long), torch.zeros(7, dtype=torch.long)
    return {
        "pieces": (torch.full((7, PIECES), 5), some), "shapes": (word, some),
        "hints": (word.clone(), some), "gaps": (numbers, whole), "words": (numbers.clone(), whole),
        "mask": (torch.ones(2, 24), whole),
    }  # fmt: skip


def bare(net: onnx.ModelProto) -> None:
    """Take out what an exporter notes beside a net: lines and folders of whoever made it."""
    for part in (net, net.graph, *net.graph.node, *net.graph.value_info, *net.graph.initializer,
                 *net.graph.input, *net.graph.output):  # fmt: skip
        del part.metadata_props[:]
        part.doc_string = ""


def split(model: Path) -> list[str]:
    """Put tables of embeddings into a file beside their net: ONNX Runtime maps that one, so that
    all processes share it (benchmarks/sharing.py). Matrices are packed anew by each anyway.
    The names of the files."""
    net = onnx.load(model)
    bare(net)
    weights = model.with_name(WEIGHTS)
    weights.unlink(missing_ok=True)  # it would be appended to
    onnx.save_model(net, model, save_as_external_data=True, location=WEIGHTS, size_threshold=SHARED)
    if not weights.exists():
        return [model.name]
    weights.chmod(model.stat().st_mode)  # as readable as the rest
    return [model.name, WEIGHTS]


def _onnx(net: Tagger, folder: Path) -> list[str]:
    onnx_of(net, folder / "model.onnx")
    return split(folder / "model.onnx")


def _litert(net: Tagger, folder: Path) -> list[str]:
    try:
        from scrubjay.train import litert
    except ImportError:
        raise ExtraError("a LiteRT net needs LiteRT: pip install 'scrubjay[litert]'") from None
    litert.write(net, folder / "model.tflite")
    return ["model.tflite"]


def _state_dict(net: Tagger, folder: Path) -> list[str]:
    """What the shapes of the tensors do not tell stands beside them: of each layer how many heads
    it has, or how far it looks."""
    size = net.size
    kind, of = ("encoder", size.heads_of) if size.heads else ("conv", size.distance_of)
    told = {"kind": kind, "layers": " ".join(str(of(layer)) for layer in range(size.layers))}
    raw = safetensors.torch.save(net.state_dict(), told)
    folder.joinpath("model.safetensors").write_bytes(raw)  # as readable as the rest
    return ["model.safetensors"]


# what `--to` names: writes the fp32 net, and gives the names of its files
FORMS: dict[str, Callable[[Tagger, Path], list[str]]] = {
    "onnx": _onnx, "litert": _litert, "state-dict": _state_dict,
}  # fmt: skip


def write(
    folder: Path, nets: Sequence[str], vocabulary: Sequence[str], lexicon: Lexicon, *, name: str,
    kind: str, version: str, origin: dict[str, Any],
) -> None:  # fmt: skip
    """The files of a bundle around those of its net, not calibrated yet."""
    folder.joinpath("vocabulary.txt").write_text("\n".join(vocabulary), "utf-8")
    lexicon.save(folder / "lexicon.bin")
    names = (*nets, *bundles.FILES)
    window, margin = WINDOW[kind]
    made = {
        "format": bundles.FORMAT, "name": name, "version": version, "kind": kind,
        "classes": CLASSES, "window": window, "margin": margin, "calibration": {}, "golden": (),
        "sha256": {file: bundles.sha256(folder / file) for file in names}, "origin": origin,
    }  # fmt: skip
    bundles.write(folder, msgspec.convert(made, Bundle))
