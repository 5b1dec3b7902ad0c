"""An ONNX graph as it is written by hand: nodes as they come, and the values that they read.

A net of few steps is quicker than what an exporter makes of it (ADR 23), and its weights keep their
names, so that a bundle's net can be trained on: a matrix in 7 bits is `name.int8` with a scale per
output, `name.scale`; one that stands across, as products want it, is `name.across`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import GraphProto, helper, numpy_helper
from torch import Tensor, nn

Values = NDArray[Any]
VENDOR = "com.microsoft"  # whose operators many steps are: ONNX Runtime has them built in
TOP = 63  # of a weight: two products of 255 * 63 fit into the 16 bits in which older CPUs add them
LEAST = 1e-8  # no scale is smaller


class Graph:
    """The graph of a net."""

    def __init__(self, net: nn.Module) -> None:
        self.weights: dict[str, Values] = {
            name: weight.numpy().copy() for name, weight in net.state_dict().items()
        }
        self._values: dict[str, Values] = {}
        self._nodes: list[onnx.NodeProto] = []

    def step(self, kind: str, *given: str, results: int = 1, **options: Any) -> str:
        """A node, and the name of its result; of several, that of the first: `behind` has the
        others. Weights that it reads are kept as they are."""
        for name in given:
            if name in self.weights:
                self._values[name] = self.weights[name]
        result = f"{kind}.{len(self._nodes)}"
        made = [result, *(behind(result, more) for more in range(1, results))]
        self._nodes.append(helper.make_node(kind, given, made, **options))
        return result

    def value(self, name: str, value: object, kind: type = np.float32) -> str:
        """A constant."""
        self._values[name] = np.asarray(value, kind)
        return name

    def table(self, name: str) -> tuple[str, str]:
        """A table of embeddings in 8 bits, and a scale for each row."""
        table = self.weights[name]
        scale = np.maximum(np.abs(table).max(1, keepdims=True), LEAST) / 127
        return (
            self.value(f"{name}.int8", np.rint(table / scale), np.int8),
            self.value(f"{name}.scale", scale),
        )

    def save(
        self, path: Path, given: Sequence[onnx.ValueInfoProto], result: onnx.ValueInfoProto
    ) -> None:
        """Write it; what was made last is the result."""
        self._nodes[-1].output[0] = result.name
        values = [numpy_helper.from_array(value, name) for name, value in self._values.items()]
        graph = helper.make_graph(self._nodes, "net", given, [result], values)
        sets = [helper.make_opsetid("", 18), helper.make_opsetid(VENDOR, 1)]
        onnx.save(helper.make_model(graph, opset_imports=sets, ir_version=9), path)


def behind(result: str, more: int) -> str:
    """The name of a later result of a node."""
    return f"{result}.{more}"


def tensor(name: str, *shape: str | int, kind: int = onnx.TensorProto.INT64) -> Any:
    """What goes in or comes out."""
    return helper.make_tensor_value_info(name, kind, shape)


def floats(graph: GraphProto, names: Iterable[str]) -> dict[str, Tensor]:
    """The weights of these names that the values of such a graph stand for."""
    values = {value.name: numpy_helper.to_array(value) for value in graph.initializer}
    return {name: torch.from_numpy(np.array(_float(name, values), np.float32)) for name in names}


def _float(name: str, values: Mapping[str, Values]) -> Values:
    if f"{name}.across" in values or f"{name}.across.int8" in values:
        return _float(f"{name}.across", values).T
    if f"{name}.int8" in values:
        value, scale = values[f"{name}.int8"], values[f"{name}.scale"]
        if name.endswith(".across"):
            return value * scale
        value = value * scale.reshape(-1, *[1] * (value.ndim - 1))
        if value.ndim == 3:  # of a convolution: output, input, neighbour
            value = value.transpose(0, 2, 1).reshape(len(value), -1)
        return value
    if f"{name}.int32" in values:
        bare = name.removesuffix(".bias")
        return values[f"{name}.int32"] * values[f"{bare}.weight.scale"] * values[f"{bare}.step"]
    return values[name]
