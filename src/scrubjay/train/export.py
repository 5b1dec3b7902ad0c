"""A trained net as a bundle: ONNX, and the files around it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import onnx
import torch
from torch import Tensor
from torch.export import Dim

from scrubjay.model import bundle as bundles
from scrubjay.model.bundle import Bundle
from scrubjay.model.lexicon import Lexicon
from scrubjay.model.tags import CLASSES
from scrubjay.model.tokens import PIECES
from scrubjay.train.net import EncoderTagger, Tagger

WEIGHTS = "weights.bin"
SHARED = 1_000_000  # bytes of a tensor that is worth sharing
WINDOW = {"conv": (512, 24), "encoder": (176, 24)}


def onnx_of(net: Tagger, path: Path) -> None:
    """The net as fp32 ONNX, any number of texts of any length."""
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


def _split(model: Path, target: Path) -> None:
    """The net, its tables of embeddings in a file beside it: ONNX Runtime maps that one, so that
    all processes share it (benchmarks/sharing.py). Matrices are packed anew by each anyway."""
    net = onnx.load(model)
    bare(net)
    target.with_name(WEIGHTS).unlink(missing_ok=True)  # it would be appended to
    onnx.save_model(
        net, target, save_as_external_data=True, location=WEIGHTS, size_threshold=SHARED
    )
    weights = target.with_name(WEIGHTS)
    if weights.exists():
        weights.chmod(target.stat().st_mode)  # as readable as the rest


def write(
    folder: Path, model: Path, vocabulary: Sequence[str], lexicon: Lexicon, *, name: str, kind: str,
    version: str, origin: dict[str, Any],
) -> None:  # fmt: skip
    """The files of a bundle, not calibrated yet."""
    folder.mkdir(parents=True, exist_ok=True)
    _split(model, folder / "model.onnx")
    folder.joinpath("vocabulary.txt").write_text("\n".join(vocabulary), "utf-8")
    lexicon.save(folder / "lexicon.bin")
    names = [name for name in (*bundles.FILES, WEIGHTS) if folder.joinpath(name).is_file()]
    window, margin = WINDOW[kind]
    made = {
        "format": bundles.FORMAT, "name": name, "version": version, "kind": kind,
        "classes": CLASSES, "window": window, "margin": margin, "calibration": {}, "golden": (),
        "sha256": {file: bundles.sha256(folder / file) for file in names}, "origin": origin,
    }  # fmt: skip
    bundles.write(folder, msgspec.convert(made, Bundle))
