"""A trained net as a bundle: ONNX, then int8, then the files around it.

Dynamic int8: activations uint8, weights int8, per column; the tables of embeddings int8 per row.
What stays fp32: norms, the sums, and the last matrix, whose scores decide.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from scrubjay.model import bundle as bundles
from scrubjay.model.bundle import Bundle, Calibration, Golden
from scrubjay.model.lexicon import Lexicon
from scrubjay.model.tags import CLASSES
from scrubjay.model.tokens import PIECES
from scrubjay.train.net import EncoderTagger, Tagger

WINDOW = {"conv": (512, 24), "encoder": (176, 24)}


def onnx_of(net: Tagger, path: Path) -> None:
    """The net as fp32 ONNX, any number of texts of any length."""
    net.eval()
    texts, units = 2, 24
    marks = [torch.zeros(texts, units, dtype=torch.long) for _ in range(3)]
    if isinstance(net, EncoderTagger):
        pieces = torch.full((texts, units), 5)
        last, name = torch.zeros(texts, 11, dtype=torch.long), "firsts"
    else:
        pieces = torch.full((texts, units, PIECES), 5)
        last, name = torch.ones(texts, units), "mask"
    count, length, firsts = (torch.export.Dim(dim) for dim in ("texts", "length", "firsts"))
    shape = {0: count, 1: length}
    final = {0: count, 1: firsts} if isinstance(net, EncoderTagger) else shape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net, (pieces, *marks, last), path,
            input_names=["pieces", "shapes", "gaps", "hints", name], output_names=["scores"],
            dynamo=True, dynamic_shapes=(shape, shape, shape, shape, final), external_data=False,
            verbose=False,
        )  # fmt: skip


def int8(source: Path, target: Path) -> None:
    """Matrices and tables as int8."""
    model = onnx.load(source)
    last = [node.name for node in model.graph.node if node.op_type == "MatMul"][-1:]
    quantize_dynamic(
        source, target, op_types_to_quantize=["MatMul"], per_channel=True, reduce_range=False,
        weight_type=QuantType.QInt8, nodes_to_exclude=last, extra_options={"MatMulConstBOnly": True},
    )  # fmt: skip
    model = onnx.load(target)
    _tables(model.graph)
    onnx.save(model, target)


def _tables(graph: onnx.GraphProto, least: int = 100_000) -> None:
    """Large tables that are only gathered from: int8 with a scale per row."""
    values = {value.name: value for value in graph.initializer}
    for node in list(graph.node):
        table = values.get(node.input[0]) if node.op_type == "Gather" else None
        if table is None or table.data_type != TensorProto.FLOAT or np.prod(table.dims) < least:
            continue
        rows, scale = _rows(numpy_helper.to_array(table))
        name, out, at = table.name, node.output[0], node.input[1]
        graph.initializer.remove(table)
        graph.initializer.append(numpy_helper.from_array(rows, f"{name}.int8"))
        graph.initializer.append(numpy_helper.from_array(scale, f"{name}.scale"))
        new = [
            helper.make_node("Gather", [f"{name}.int8", at], [f"{out}.int8"], f"{node.name}.rows"),
            helper.make_node("Cast", [f"{out}.int8"], [f"{out}.cast"], to=TensorProto.FLOAT),
            helper.make_node("Gather", [f"{name}.scale", at], [f"{out}.scale"], f"{node.name}.scales"),
            helper.make_node("Mul", [f"{out}.cast", f"{out}.scale"], [out]),
        ]  # fmt: skip
        place = list(graph.node).index(node)
        graph.node.remove(node)
        for offset, each in enumerate(new):
            graph.node.insert(place + offset, each)


def _rows(table: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    scale = np.abs(table).max(1, keepdims=True) / 127
    scale[scale == 0] = 1
    return np.rint(table / scale).astype(np.int8), scale.astype(np.float32)


def write(
    folder: Path, model: Path, vocabulary: Sequence[str], lexicon: Lexicon, *, name: str, kind: str,
    version: str, calibration: Calibration | None = None, golden: Sequence[Golden] = (),
    origin: dict[str, Any] | None = None,
) -> Bundle:  # fmt: skip
    """The files of a bundle."""
    folder.mkdir(parents=True, exist_ok=True)
    if model != folder / "model.onnx":
        shutil.copyfile(model, folder / "model.onnx")
    folder.joinpath("vocabulary.txt").write_text("\n".join(vocabulary), "utf-8")
    lexicon.save(folder / "lexicon.bin")
    names = ("model.onnx", "vocabulary.txt", "lexicon.bin")
    window, margin = WINDOW[kind]
    made = msgspec.convert(
        {"format": bundles.FORMAT, "name": name, "version": version, "kind": kind,
         "classes": CLASSES, "window": window, "margin": margin,
         "calibration": msgspec.to_builtins(calibration or Calibration()),
         "golden": msgspec.to_builtins(list(golden)), "origin": origin or {},
         "sha256": {file: bundles.sha256(folder / file) for file in names}},
        Bundle,
    )  # fmt: skip
    text = msgspec.json.format(msgspec.json.encode(made), indent=1)
    folder.joinpath("bundle.json").write_bytes(text + b"\n")
    return made
