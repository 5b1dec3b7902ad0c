"""A net of convolutions as a graph of few steps on 8-bit integers.

A layer is quantized once, mixed with its neighbours and cut at zero in one step on bytes
(QLinearConv), and brought back to floats by the next (QGemm): in steps of its own each sum,
product and shift of floats took longer than the products of matrices. Written from the net, not
changed from an fp32 graph, for hardly a node of that would stay.

Weights are int8 of 7 bits with a scale per output, so that every CPU computes the same; inputs are
uint8 with a scale that calibration texts fix: around 128 behind a norm, from 0 behind a cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from onnx import TensorProto
from torch import Tensor, nn

from scrubjay.model.tags import TAGS
from scrubjay.model.tokens import PIECES
from scrubjay.train.graph import LEAST, TOP, VENDOR, Graph, Values, tensor
from scrubjay.train.net import ConvTagger

Inputs = Sequence[Tensor]
RARE = 0.99995  # of values that a scale is made for: the largest few are cut


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
    graph = Graph(net)
    x = _begin(graph, wide=isinstance(net.widen, nn.Linear))
    for number, (mixed, out) in enumerate(tops):
        steps = (mixed / 127, out / 255)
        x = _layer(graph, f"layers.{number}", x, steps, net.layers[number].distance)
    _end(graph, x)
    floats = TensorProto.FLOAT
    given = [
        tensor("pieces", "words", PIECES), tensor("shapes", "words"), tensor("hints", "words"),
        tensor("gaps", "texts", "units"), tensor("words", "texts", "units"),
        tensor("mask", "texts", "units", kind=floats),
    ]  # fmt: skip
    graph.save(target, given, tensor("scores", "texts", "units", len(TAGS), kind=floats))


def _begin(graph: Graph, *, wide: bool) -> str:
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


def _mean(graph: Graph) -> str:
    """Of the embeddings of a word's pieces, 0 aside."""
    graph.weights["words.weight"][0] = 0  # padding is nothing
    table, scale = graph.table("words.weight")
    found = graph.step("Cast", graph.step("Gather", table, "pieces"), to=TensorProto.FLOAT)
    found = graph.step("Mul", found, graph.step("Gather", scale, "pieces"))
    second = graph.value("second", [1], np.int64)
    some = graph.step("Greater", "pieces", graph.value("none", 0, np.int64))
    some = graph.step("Cast", some, to=TensorProto.FLOAT)
    count = graph.step("ReduceSum", some, second, keepdims=1)
    count = graph.step("Max", count, graph.value("one", 1))
    return graph.step("Div", graph.step("ReduceSum", found, second, keepdims=0), count)


def _layer(graph: Graph, name: str, x: str, steps: tuple[float, float], distance: int) -> str:
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


def _weight(graph: Graph, name: str, weight: Values, step: float) -> tuple[str, str, str]:
    """A matrix in 7 bits with a scale per output, and its bias in the units of its products with
    what comes in steps."""
    scale = np.maximum(np.abs(weight).reshape(len(weight), -1).max(1), LEAST) / TOP
    apart = scale.reshape(-1, *[1] * (weight.ndim - 1))
    bias = graph.weights[f"{name}.bias"] / (scale * step)
    graph.value(f"{name}.bias.int32", np.rint(bias), np.int32)
    return (
        graph.value(f"{name}.weight.int8", np.rint(weight / apart), np.int8),
        graph.value(f"{name}.weight.scale", scale),
        graph.value(f"{name}.weight.zero", np.zeros(len(weight)), np.int8),
    )


def _end(graph: Graph, x: str) -> None:
    across = graph.value("tags.weight.across", graph.weights["tags.weight"].T)
    scores = graph.step("MatMul", _norm(graph, "last", x), across)
    graph.step("Add", scores, "tags.bias")


def _norm(graph: Graph, name: str, x: str) -> str:
    return graph.step(
        "LayerNormalization", x, f"{name}.weight", f"{name}.bias", axis=-1, epsilon=1e-5
    )
