"""An encoder as a graph of few steps on 8-bit integers, without a document's answer hanging on its
neighbours in a batch.

Weights are int8 of 7 bits with a scale per output, so that every CPU computes the same; tables of
embeddings are int8 with a scale per row. Activations are uint8 around 128, as the fast kernels want
them, each unit with a scale of its own, measured when it comes: they have outliers.
ONNX Runtime's own dynamic quantization takes one scale for a whole batch: quicker to have, but then
the same text gets another answer in other company. What stays fp32: norms, sums, attention, and the
last matrix, whose scores decide. Nets of convolutions: `train.integers`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto
from torch import nn

from scrubjay.model.tags import TAGS
from scrubjay.train.graph import LEAST, TOP, VENDOR, Graph, behind, tensor
from scrubjay.train.net import EncoderTagger

MIDDLE = 128  # the uint8 that stands for 0


def write(net: EncoderTagger, target: Path) -> None:
    """The int8 net."""
    graph = Graph(net)
    x = _begin(graph, wide=isinstance(net.widen, nn.Linear))
    there = graph.step("Cast", "pieces", to=TensorProto.BOOL)
    there = graph.step("Cast", there, to=TensorProto.INT32)
    for number in range(net.size.layers):
        x = _layer(graph, f"layers.{number}", x, there, net.size.heads_of(number))
    _end(graph, x)
    whole = [tensor(name, "texts", "length") for name in ("pieces", "shapes", "gaps", "hints")]
    scores = tensor("scores", "texts", "units", len(TAGS), kind=TensorProto.FLOAT)
    graph.save(target, [*whole, tensor("firsts", "texts", "units")], scores)


def _begin(graph: Graph, *, wide: bool) -> str:
    """What is known of each piece."""
    table, scale = graph.table("words.weight")
    x = graph.step("Cast", graph.step("Gather", table, "pieces"), to=TensorProto.FLOAT)
    x = graph.step("Mul", x, graph.step("Gather", scale, "pieces"))
    if wide:
        x = graph.step("MatMul", x, _across(graph, "widen.weight"))
        x = graph.step("Add", x, "widen.bias")
    length = graph.step("Shape", "pieces", start=1, end=2)
    first = graph.value("first", [0], np.int64)
    x = graph.step("Add", x, graph.step("Slice", "places.weight", first, length, first))
    x = _norm(graph, "norm", graph.step("Add", x, "kind"))
    for kind, given in (("shape", "shapes"), ("gap", "gaps"), ("hint", "hints")):
        x = graph.step("Add", x, graph.step("Gather", f"marks.{kind}.weight", given))
    return x


def _layer(graph: Graph, name: str, x: str, there: str, heads: int) -> str:
    q = graph.step("Split", _product(graph, f"{name}.qkv", x), results=3, axis=2, num_outputs=3)
    y = graph.step(
        "MultiHeadAttention", q, behind(q, 1), behind(q, 2), f"{name}.qkv.bias", there,
        domain=VENDOR, num_heads=heads,
    )  # fmt: skip
    x = _added(graph, f"{name}.norm", x, _product(graph, f"{name}.out", y), f"{name}.out.bias")
    y = graph.step("BiasGelu", _product(graph, f"{name}.up", x), f"{name}.up.bias", domain=VENDOR)
    y = _product(graph, f"{name}.down", y)
    return _added(graph, f"{name}.last", x, y, f"{name}.down.bias")


def _product(graph: Graph, name: str, x: str) -> str:
    """With a matrix, without its bias: integers inside, floats outside."""
    weight = graph.weights[f"{name}.weight"]
    scale = np.maximum(np.abs(weight).max(1), LEAST) / TOP
    across = np.rint(weight / scale[:, None]).T
    last, middle = graph.value("last", [-1], np.int64), graph.value("middle", MIDDLE, np.uint8)
    top = graph.step("ReduceMax", graph.step("Abs", x), last, keepdims=1)
    top = graph.step("Max", top, graph.value("least", LEAST))
    whole = graph.step("Mul", x, graph.step("Div", graph.value("127", 127), top))
    whole = graph.step("Add", whole, graph.value("half", MIDDLE + 0.5))  # a cast cuts
    product = graph.step(
        "MatMulIntegerToFloat", graph.step("Cast", whole, to=TensorProto.UINT8),
        graph.value(f"{name}.weight.across.int8", across, np.int8), graph.value("step", 1 / 127),
        graph.value(f"{name}.weight.across.scale", scale), middle, domain=VENDOR,
    )  # fmt: skip
    return graph.step("Mul", product, top)


def _added(graph: Graph, name: str, x: str, y: str, bias: str) -> str:
    """The norm of a sum. In three steps, for ONNX Runtime has none that is as quick."""
    return _norm(graph, name, graph.step("Add", x, graph.step("Add", y, bias)))


def _norm(graph: Graph, name: str, x: str) -> str:
    return graph.step(
        "LayerNormalization", x, f"{name}.weight", f"{name}.bias", axis=-1, epsilon=1e-12
    )


def _across(graph: Graph, name: str) -> str:
    return graph.value(f"{name}.across", graph.weights[name].T)


def _end(graph: Graph, x: str) -> None:
    """The scores, read at each unit's first piece."""
    width = graph.weights["tags.weight"].shape[1]
    firsts = graph.step("Unsqueeze", "firsts", graph.value("last", [-1], np.int64))
    firsts = graph.step("Expand", firsts, graph.value("width", [1, 1, width], np.int64))
    x = graph.step("GatherElements", x, firsts, axis=1)
    x = graph.step("MatMul", x, _across(graph, "tags.weight"))
    graph.step("Add", x, "tags.bias")
