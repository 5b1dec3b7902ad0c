"""fp32 to int8 without a document's answer hanging on its neighbours in a batch.

Weights are int8 of 7 bits with a scale per column, so that every CPU computes the same; tables of
embeddings are int8 with a scale per row.
Activations are uint8 around 128, as the fast kernels want them, with a scale that is
    fixed     for convolutions, from calibration texts: their inputs are normed, so it fits always
    per unit  for encoders, whose activations have outliers: each row is measured when it comes
ONNX Runtime's own dynamic quantization takes one scale for a whole batch: quicker to have, but then
the same text gets another answer in other company. What stays fp32: norms, sums, attention, and the
last matrix, whose scores decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

Feeds = Mapping[str, NDArray[np.generic]]
LEAST = 100_000  # values in a table that is worth quantizing
MIDDLE = 128  # the uint8 that stands for 0
TOP = 63  # of a weight: two products of 255 * 63 fit into the 16 bits in which older CPUs add them


def quantize(source: Path, target: Path, samples: Iterable[Feeds] | None) -> None:
    """Write the int8 net. `samples`: inputs that fix the scales; none: a scale per unit."""
    model = onnx.load(source)
    matrices = [node for node in model.graph.node if node.op_type == "MatMul"]
    values = {value.name for value in model.graph.initializer}
    inputs = {node.input[0] for node in matrices[:-1] if node.input[1] in values}
    ranges = _ranges(model, inputs, samples) if samples is not None else None
    edit = _Edit(model.graph, ranges)
    for node in list(model.graph.node):
        if node.op_type == "MatMul" and node.input[0] in inputs and node.input[1] in values:
            edit.matrix(node)
        elif node.op_type == "Gather" and node.input[0] in values:
            edit.table(node)
    edit.finish()
    onnx.checker.check_model(model)
    onnx.save(model, target)


def _ranges(model: onnx.ModelProto, names: set[str], samples: Iterable[Feeds]) -> dict[str, float]:
    """The largest value that each tensor takes on the samples, the rarest few aside."""
    wide = onnx.ModelProto()
    wide.CopyFrom(model)
    known = {value.name for value in wide.graph.output}
    for name in names - known:
        wide.graph.output.append(helper.make_empty_tensor_value_info(name))
    session = onnxruntime.InferenceSession(wide.SerializeToString())
    order = sorted(names)
    tops: dict[str, list[float]] = {name: [] for name in order}
    for feeds in samples:
        for name, value in zip(order, session.run(order, dict(feeds)), strict=True):
            tops[name].append(float(np.quantile(np.abs(value), 0.99995)))
    return {name: max(found) for name, found in tops.items()}


class _Edit:
    """Changes to one graph."""

    def __init__(self, graph: GraphProto, ranges: Mapping[str, float] | None) -> None:
        self._graph = graph
        self._ranges = ranges
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
        """MatMul with a constant right side: integers inside, floats outside."""
        weight = numpy_helper.to_array(self._values[node.input[1]])
        scale = np.maximum(np.abs(weight).max(0), 1e-8) / TOP
        name, out = node.input[1], node.output[0]
        self._constant(f"{name}.int8", np.rint(weight / scale).astype(np.int8))
        fixed = self._ranges is not None
        left, factor = (self._fixed if fixed else self._measured)(node.input[0], scale, name)
        new = [
            helper.make_node("MatMulInteger", [left, f"{name}.int8", self._zero()], [f"{out}.int"]),
            helper.make_node("Cast", [f"{out}.int"], [f"{out}.float"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{out}.float", factor], [out if fixed else f"{out}.rows"]),
        ]
        if not fixed:
            self._constant(f"{name}.scale", scale.astype(np.float32))
            new.append(helper.make_node("Mul", [f"{out}.rows", f"{name}.scale"], [out]))
        self._replace(node, new)

    def _fixed(self, tensor: str, scale: NDArray[np.float32], name: str) -> tuple[str, str]:
        """The left side with the scale of the calibration, and the factor of the result."""
        assert self._ranges is not None  # noqa: S101
        step = np.float32(self._ranges[tensor] / 127)
        self._constant(f"{name}.factor", (scale * step).astype(np.float32))
        self._constant(f"{tensor}.step", step)
        source = self._before_neighbours(tensor)
        node = helper.make_node(
            "QuantizeLinear", [source, f"{tensor}.step", self._zero()], [f"{source}.u8"]
        )
        self._after(source, [node])
        return tensor if source != tensor else f"{tensor}.u8", f"{name}.factor"

    def _before_neighbours(self, tensor: str) -> str:
        """A unit between its neighbours is quantized before it is joined to them, not three times
        after: then Pad, Slice and Concat move bytes. What else is not touched."""
        join = self._maker(tensor)
        if join.op_type != "Concat":
            return tensor
        source = join.input[1]
        for slice_ in (self._maker(join.input[0]), self._maker(join.input[2])):
            pad = self._maker(slice_.input[0])
            if pad.input[0] == source:
                pad.input[:] = [f"{source}.u8", pad.input[1], self._zero()]
        join.input[1] = f"{source}.u8"
        return source

    def _maker(self, tensor: str) -> NodeProto:
        return next(node for node in self._nodes if tensor in node.output)

    def _measured(self, tensor: str, scale: NDArray[np.float32], name: str) -> tuple[str, str]:
        """The left side with each row's own scale, and these scales."""
        if f"{tensor}.u8" not in self._made:
            self._made.add(f"{tensor}.u8")
            self._after(tensor, self._rows(tensor))
        return f"{tensor}.u8", f"{tensor}.step"

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

    def _zero(self) -> str:
        self._constant("quantize.zero", np.uint8(MIDDLE))
        return "quantize.zero"

    def _constant(self, name: str, value: NDArray[np.generic] | np.generic) -> None:
        self._values[name] = numpy_helper.from_array(np.asarray(value), name)

    def _replace(self, node: NodeProto, new: list[NodeProto]) -> None:
        at = self._nodes.index(node)
        self._nodes[at : at + 1] = new

    def _after(self, tensor: str, new: list[NodeProto]) -> None:
        """Nodes behind the one that makes a tensor."""
        at = self._nodes.index(self._maker(tensor))
        self._nodes[at + 1 : at + 1] = new
