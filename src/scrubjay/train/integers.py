"""A net of convolutions as a graph of few steps on 8-bit integers, and back.

A layer is quantized once, mixed with its neighbours and cut at zero in one step on bytes
(QLinearConv), and brought back to floats by the next (QGemm): in steps of its own each sum,
product and shift of floats took longer than the products of matrices. Written from the net, not
changed from an fp32 graph, for hardly a node of that would stay.

Weights are int8 of 7 bits with a scale per output, so that every CPU computes the same; inputs are
uint8 with a scale that calibration texts fix: around 128 behind a norm, from 0 behind a cut. Every
initializer is named for the weight that it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import GraphProto, TensorProto, helper, numpy_helper
from torch import Tensor, nn

from scrubjay.model.tags import TAGS
from scrubjay.model.tokens import PIECES
from scrubjay.train.net import ConvTagger

Values = NDArray[Any]
Inputs = Sequence[Tensor]
TOP = 63  # of a weight: two products of 255 * 63 fit into the 16 bits in which older CPUs add them
RARE = 0.99995  # of values that a scale is made for: the largest few are cut
VENDOR = "com.microsoft"  # whose operators these steps are: ONNX Runtime has them built in


@torch.no_grad()  # type: ignore[untyped-decorator]
def ranges(net: ConvTagger, samples: Iterable[Inputs]) -> list[tuple[float, float]]:
    """For each layer, the largest values that go into its two matrices, the rarest few aside."""
    tops = [[0.0, 0.0] for _ in net.layers]

    def watch(layer: int, place: int, _: nn.Module, given: tuple[Tensor]) -> None:
        found = float(np.quantile(given[0].abs().numpy(), RARE))
        tops[layer][place] = max(tops[layer][place], found)

    hooks = [
        matrix.register_forward_pre_hook(partial(watch, number, place))
        for number, layer in enumerate(net.layers)
        for place, matrix in enumerate((layer.mix, layer.out))
    ]
    for sample in samples:
        net(*sample)
    for hook in hooks:
        hook.remove()
    return [(mixed, out) for mixed, out in tops]


def write(net: ConvTagger, tops: Sequence[tuple[float, float]], target: Path) -> None:
    """The int8 net; `tops` as `ranges` gives them."""
    graph = _Graph({name: value.numpy() for name, value in net.state_dict().items()})
    x = _begin(graph, wide=isinstance(net.widen, nn.Linear))
    for number, (mixed, out) in enumerate(tops):
        steps = (mixed / 127, out / 255)
        x = _layer(graph, f"layers.{number}", x, steps, net.layers[number].distance)
    _end(graph, x)
    model = helper.make_model(
        graph.made(),
        opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid(VENDOR, 1)],
        ir_version=9,
    )
    onnx.save(model, target)


def floats(graph: GraphProto, names: Iterable[str]) -> dict[str, Tensor]:
    """The weights of these names that the integers of such a graph stand for."""
    values = {value.name: numpy_helper.to_array(value) for value in graph.initializer}
    return {name: torch.from_numpy(np.array(_float(name, values), np.float32)) for name in names}


def _float(name: str, values: dict[str, Values]) -> Values:
    if f"{name}.int8" in values:
        value = values[f"{name}.int8"]
        value = value * values[f"{name}.scale"].reshape(-1, *[1] * (value.ndim - 1))
        if value.ndim == 3:  # of a convolution: output, input, neighbour
            value = value.transpose(0, 2, 1).reshape(len(value), -1)
        return value
    if f"{name}.int32" in values:
        bare = name.removesuffix(".bias")
        return values[f"{name}.int32"] * values[f"{bare}.weight.scale"] * values[f"{bare}.step"]
    return values[f"{name}.across"].T if f"{name}.across" in values else values[name]


class _Graph:
    """Nodes as they come, and the values that they read."""

    def __init__(self, weights: dict[str, Values]) -> None:
        self.weights = weights
        self._values: dict[str, Values] = {}
        self._nodes: list[onnx.NodeProto] = []

    def step(self, kind: str, *given: str, **options: Any) -> str:
        """A node with one result. Weights that it reads are kept as they are."""
        for name in given:
            if name in self.weights:
                self._values[name] = self.weights[name]
        result = f"{kind}.{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, given, [result], **options))
        return result

    def value(self, name: str, value: object, kind: type = np.float32) -> str:
        """A constant."""
        self._values[name] = np.asarray(value, kind)
        return name

    def made(self) -> GraphProto:
        """All of it; what was made last is the result."""
        last = self._nodes[-1]
        last.output[0] = "scores"
        return helper.make_graph(
            self._nodes, "conv",
            [
                _input("pieces", "words", PIECES), _input("shapes", "words"),
                _input("hints", "words"), _input("gaps", "texts", "units"),
                _input("words", "texts", "units"),
                _input("mask", "texts", "units", kind=TensorProto.FLOAT),
            ],
            [_input("scores", "texts", "units", len(TAGS), kind=TensorProto.FLOAT)],
            [numpy_helper.from_array(value, name) for name, value in self._values.items()],
        )  # fmt: skip


def _input(name: str, *shape: str | int, kind: int = TensorProto.INT64) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def _begin(graph: _Graph, *, wide: bool) -> str:
    """What is known of each word, once a word, then laid out as the text has them."""
    words = _mean(graph)
    if wide:
        words = graph.step("Gemm", words, "widen.weight", "widen.bias", transB=1)
    for kind, given in (("shape", "shapes"), ("hint", "hints")):
        told = graph.step("Gather", f"marks.{kind}.weight", given)
        words = graph.step("Add", words, told)
    units = graph.step("Gather", words, "words")
    gaps = graph.step("Gather", "marks.gap.weight", "gaps")
    return _norm(graph, "norm", graph.step("Add", units, gaps))


def _mean(graph: _Graph) -> str:
    """Of the embeddings of a word's pieces, 0 aside."""
    table = graph.weights["words.weight"]
    scale = np.maximum(np.abs(table).max(1, keepdims=True), 1e-8) / 127
    graph.value("words.weight.int8", np.rint(table / scale), np.int8)
    scale[0] = 0  # padding is nothing
    graph.value("words.weight.scale", scale)
    found = graph.step("Gather", "words.weight.int8", "pieces")
    found = graph.step("Cast", found, to=TensorProto.FLOAT)
    found = graph.step("Mul", found, graph.step("Gather", "words.weight.scale", "pieces"))
    second = graph.value("second", [1], np.int64)
    some = graph.step("Greater", "pieces", graph.value("none", 0, np.int64))
    some = graph.step("Cast", some, to=TensorProto.FLOAT)
    count = graph.step("ReduceSum", some, second, keepdims=1)
    count = graph.step("Max", count, graph.value("one", 1))
    return graph.step("Div", graph.step("ReduceSum", found, second, keepdims=0), count)


def _layer(graph: _Graph, name: str, x: str, steps: tuple[float, float], distance: int) -> str:
    width = graph.weights[f"{name}.norm.weight"].shape[0]
    inner = graph.weights[f"{name}.mix.bias"].shape[0]
    across = graph.weights[f"{name}.mix.weight"].reshape(inner, 3, width).transpose(0, 2, 1)
    graph.value(f"{name}.mix.step", steps[0])
    graph.value(f"{name}.out.step", steps[1])
    middle, zero = graph.value("middle", 128, np.uint8), graph.value("zero", 0, np.uint8)
    there = graph.step("Unsqueeze", "mask", graph.value("last", [-1], np.int64))
    y = graph.step("Mul", _norm(graph, f"{name}.norm", x), there)
    y = graph.step("QuantizeLinear", y, f"{name}.mix.step", middle)
    weight = _weight(graph, f"{name}.mix", across, steps[0])
    y = graph.step(
        "QLinearConv", y, f"{name}.mix.step", middle, *weight, f"{name}.out.step", zero,
        f"{name}.mix.bias.int32", domain=VENDOR, channels_last=1, kernel_shape=[3],
        dilations=[distance], pads=[distance, distance],
    )  # fmt: skip
    y = graph.step("Reshape", y, graph.value(f"{name}.flat", [-1, inner], np.int64))
    weight = _weight(graph, f"{name}.out", graph.weights[f"{name}.out.weight"], steps[1])
    bias = f"{name}.out.bias.int32"
    y = graph.step("QGemm", y, f"{name}.out.step", zero, *weight, bias, domain=VENDOR, transB=1)
    return graph.step("Add", x, graph.step("Reshape", y, graph.step("Shape", x)))


def _weight(graph: _Graph, name: str, weight: Values, step: float) -> tuple[str, str, str]:
    """A matrix in 7 bits with a scale per output, and its bias in the units of its products with
    what comes in steps."""
    scale = np.maximum(np.abs(weight).reshape(len(weight), -1).max(1), 1e-8) / TOP
    apart = scale.reshape(-1, *[1] * (weight.ndim - 1))
    bias = graph.weights[f"{name}.bias"] / (scale * step)
    graph.value(f"{name}.bias.int32", np.rint(bias), np.int32)
    return (
        graph.value(f"{name}.weight.int8", np.rint(weight / apart), np.int8),
        graph.value(f"{name}.weight.scale", scale),
        graph.value(f"{name}.weight.zero", np.zeros(len(weight)), np.int8),
    )


def _end(graph: _Graph, x: str) -> None:
    across = graph.value("tags.weight.across", graph.weights["tags.weight"].T)
    scores = graph.step("MatMul", _norm(graph, "last", x), across)
    graph.step("Add", scores, "tags.bias")


def _norm(graph: _Graph, name: str, x: str) -> str:
    return graph.step(
        "LayerNormalization", x, f"{name}.weight", f"{name}.bias", axis=-1, epsilon=1e-5
    )
