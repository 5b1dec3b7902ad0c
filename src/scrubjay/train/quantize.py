"""fp32 to int8 for encoders, without a document's answer hanging on its neighbours in a batch.

Weights are int8 of 7 bits with a scale per column, so that every CPU computes the same; tables of
embeddings are int8 with a scale per row. Activations are uint8 around 128, as the fast kernels want
them, each unit with a scale of its own, measured when it comes: they have outliers.
ONNX Runtime's own dynamic quantization takes one scale for a whole batch: quicker to have, but then
the same text gets another answer in other company. What stays fp32: norms, sums, attention, and the
last matrix, whose scores decide. Nets of convolutions: `train.integers`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from scrubjay.train.integers import TOP

LEAST = 100_000  # values in a table that is worth quantizing
MIDDLE = 128  # the uint8 that stands for 0


def quantize(source: Path, target: Path) -> None:
    """Write the int8 net."""
    model = onnx.load(source)
    matrices = [node for node in model.graph.node if node.op_type == "MatMul"]
    values = {value.name for value in model.graph.initializer}
    inputs = {node.input[0] for node in matrices[:-1] if node.input[1] in values}
    edit = _Edit(model.graph)
    for node in list(model.graph.node):
        if node.op_type == "MatMul" and node.input[0] in inputs and node.input[1] in values:
            edit.matrix(node)
        elif node.op_type == "Gather" and node.input[0] in values:
            edit.table(node)
    edit.finish()
    onnx.checker.check_model(model)
    onnx.save(model, target)


class _Edit:
    """Changes to one graph."""

    def __init__(self, graph: GraphProto) -> None:
        self._graph = graph
        self._values = {value.name: value for value in graph.initializer}
        self._nodes = list(graph.node)
        self._made: set[str] = set()

    def finish(self) -> None:
        """Put the nodes back, without weights that nothing reads any more."""
        del self._graph.node[:]
        del self._graph.value_info[:]  # types have changed
        self._graph.node.extend(self._nodes)
        read = {name for node in self._nodes for name in node.input}
        kept = [value for name, value in self._values.items() if name in read]
        del self._graph.initializer[:]
        self._graph.initializer.extend(kept)

    def matrix(self, node: NodeProto) -> None:
        """MatMul with a constant right side: integers inside, floats outside, each row of the left
        side with its own scale."""
        weight = numpy_helper.to_array(self._values[node.input[1]])
        scale = np.maximum(np.abs(weight).max(0), 1e-8) / TOP
        tensor, name, out = node.input[0], node.input[1], node.output[0]
        self._constant(f"{name}.int8", np.rint(weight / scale).astype(np.int8))
        self._constant(f"{name}.scale", scale.astype(np.float32))
        self._constant("quantize.zero", np.uint8(MIDDLE))
        if f"{tensor}.u8" not in self._made:
            self._made.add(f"{tensor}.u8")
            self._after(tensor, self._rows(tensor))
        given = [f"{tensor}.u8", f"{name}.int8", "quantize.zero"]
        self._replace(node, [
            helper.make_node("MatMulInteger", given, [f"{out}.int"]),
            helper.make_node("Cast", [f"{out}.int"], [f"{out}.float"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{out}.float", f"{tensor}.step"], [f"{out}.rows"]),
            helper.make_node("Mul", [f"{out}.rows", f"{name}.scale"], [out]),
        ])  # fmt: skip

    def _rows(self, tensor: str) -> list[NodeProto]:
        self._constant("quantize.last", np.array([-1], np.int64))
        self._constant("quantize.127", np.float32(1 / 127))
        self._constant("quantize.least", np.float32(1e-8))
        self._constant("quantize.middle", np.float32(MIDDLE))
        t = tensor
        return [
            helper.make_node("Abs", [t], [f"{t}.abs"]),
            helper.make_node("ReduceMax", [f"{t}.abs", "quantize.last"], [f"{t}.top"], keepdims=1),
            helper.make_node("Mul", [f"{t}.top", "quantize.127"], [f"{t}.size"]),
            helper.make_node("Max", [f"{t}.size", "quantize.least"], [f"{t}.step"]),
            helper.make_node("Div", [t, f"{t}.step"], [f"{t}.unit"]),
            helper.make_node("Add", [f"{t}.unit", "quantize.middle"], [f"{t}.moved"]),
            helper.make_node("Round", [f"{t}.moved"], [f"{t}.whole"]),
            helper.make_node("Cast", [f"{t}.whole"], [f"{t}.u8"], to=TensorProto.UINT8),
        ]

    def table(self, node: NodeProto) -> None:
        """A table that is only gathered from."""
        name, at, out = node.input[0], node.input[1], node.output[0]
        value = numpy_helper.to_array(self._values[name])
        if value.dtype != np.float32 or value.size < LEAST:
            return
        scale = np.maximum(np.abs(value).max(1, keepdims=True), 1e-8) / 127
        self._constant(f"{name}.int8", np.rint(value / scale).astype(np.int8))
        self._constant(f"{name}.scale", scale.astype(np.float32))
        self._replace(node, [
            helper.make_node("Gather", [f"{name}.int8", at], [f"{out}.int8"]),
            helper.make_node("Cast", [f"{out}.int8"], [f"{out}.float"], to=TensorProto.FLOAT),
            helper.make_node("Gather", [f"{name}.scale", at], [f"{out}.scale"]),
            helper.make_node("Mul", [f"{out}.float", f"{out}.scale"], [out]),
        ])  # fmt: skip

    def _constant(self, name: str, value: NDArray[np.generic] | np.generic) -> None:
        self._values[name] = numpy_helper.from_array(np.asarray(value), name)

    def _replace(self, node: NodeProto, new: Sequence[NodeProto]) -> None:
        at = self._nodes.index(node)
        self._nodes[at : at + 1] = new

    def _after(self, tensor: str, new: list[NodeProto]) -> None:
        """Nodes behind the one that makes a tensor."""
        at = next(n for n, node in enumerate(self._nodes) if tensor in node.output)
        self._nodes[at + 1 : at + 1] = new
