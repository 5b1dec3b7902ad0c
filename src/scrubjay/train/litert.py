"""A net as a LiteRT model, in fp32: written step by step from its weights, as `integers` writes
ONNX, so that no converter is needed and texts may have any length.

An encoder takes one text at a time: then nothing is padded, and its shapes hang on one length.
Numbers are int32, which is what LiteRT gathers by.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from scrubjay.model.tokens import PIECES
from scrubjay.train.net import ConvTagger, EncoderTagger, Tagger

Values = NDArray[Any]
BOOL, FLOAT, INT = schema.TensorType.BOOL, schema.TensorType.FLOAT32, schema.TensorType.INT32
ANY = -1  # a size that varies
SMALL = 32  # that stands for it where shapes are worked out: longer than any layer looks
LAST = -1
IDENTIFIER = b"TFL3"


def write(net: Tagger, target: Path) -> None:
    """The net as a file."""
    weights = {name: value.numpy() for name, value in net.state_dict().items()}
    graph = _Graph(weights)
    scores = _encoder(graph, net) if isinstance(net, EncoderTagger) else _conv(graph, net)
    target.write_bytes(graph.made(scores))


class _Graph:
    """Operators as they come, and the tensors between them, each known by its number."""

    def __init__(self, weights: dict[str, Values]) -> None:
        self.weights = weights
        self._known: dict[str, int] = {}
        self._codes: dict[int, int] = {}
        self._graph = schema.SubGraphT()
        self._graph.tensors, self._graph.operators, self._graph.inputs = [], [], []
        self._buffers = [schema.BufferT()]  # the first stands for none

    def given(self, name: str, *shape: int, kind: int = INT) -> int:
        """An input."""
        number = self._tensor(name, kind, shape)
        self._graph.inputs.append(number)
        return number

    def weight(self, name: str) -> int:
        """A tensor of the net."""
        return self.value(name, self.weights[name])

    def value(self, name: str, value: object, kind: type = np.float32) -> int:
        """A constant; the same name is the same constant."""
        if name not in self._known:
            array: Values = np.ascontiguousarray(value, kind)
            code = INT if kind is np.int32 else FLOAT
            buffer = schema.BufferT()
            buffer.data = array.reshape(-1).view(np.uint8)
            self._buffers.append(buffer)
            self._known[name] = self._tensor(name, code, array.shape, len(self._buffers) - 1)
        return self._known[name]

    def step(self, kind: str, *given: int, result: int = FLOAT, **options: Any) -> int:
        """An operator with one result; its options have the schema's names."""
        made = self._tensor(f"{kind}.{len(self._graph.tensors)}", result, ())
        self._operator(kind, given, [made], options)
        return made

    def split(self, parts: int, *given: int) -> list[int]:
        """The one operator here that has several results."""
        made = [self._tensor(f"SPLIT.{len(self._graph.tensors)}", FLOAT, ()) for _ in range(parts)]
        self._operator("SPLIT", given, made, {"numSplits": parts})
        return made

    def _operator(
        self, kind: str, given: Sequence[int], made: list[int], options: dict[str, Any]
    ) -> None:
        code = getattr(schema.BuiltinOperator, kind)
        step = schema.OperatorT()
        step.opcodeIndex = self._codes.setdefault(code, len(self._codes))
        step.inputs, step.outputs = list(given), made
        if name := OPTIONS.get(kind):
            step.builtinOptionsType = getattr(schema.BuiltinOptions, name)
            step.builtinOptions = getattr(schema, f"{name}T")()
            for key, value in options.items():
                setattr(step.builtinOptions, key, value)
        self._graph.operators.append(step)

    def made(self, result: int) -> bytes:
        """The whole model. XNNPACK takes operators whose shapes stand in the file, so the
        interpreter tells them first: those of a small text, which are worked out anew for each."""
        self._graph.tensors[result].name = "scores"
        self._graph.outputs = [result]
        shapes = _shapes(self._packed())
        for number, tensor in enumerate(self._graph.tensors):
            tensor.shape = shapes[number]
        return self._packed()

    def _packed(self) -> bytes:
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [self._graph], self._buffers
        model.operatorCodes = [_code(code) for code in self._codes]
        builder = flatbuffers.Builder()
        builder.Finish(model.Pack(builder), IDENTIFIER)
        return bytes(builder.Output())

    def _tensor(self, name: str, kind: int, shape: tuple[int, ...], buffer: int = 0) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.type, tensor.buffer = name, kind, buffer
        tensor.shape = [SMALL if size == ANY else size for size in shape]
        tensor.shapeSignature = list(shape) if ANY in shape else None
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1


OPTIONS = {
    "ADD": "AddOptions", "BATCH_MATMUL": "BatchMatMulOptions", "CAST": "CastOptions",
    "CONCATENATION": "ConcatenationOptions", "CUMSUM": "CumsumOptions", "DIV": "DivOptions",
    "EXPAND_DIMS": "ExpandDimsOptions", "FULLY_CONNECTED": "FullyConnectedOptions",
    "GATHER": "GatherOptions", "GELU": "GeluOptions", "GREATER": "GreaterOptions",
    "MAXIMUM": "MaximumMinimumOptions", "MEAN": "ReducerOptions", "MUL": "MulOptions",
    "PAD": "PadOptions", "RESHAPE": "ReshapeOptions", "SOFTMAX": "SoftmaxOptions",
    "SPLIT": "SplitOptions", "STRIDED_SLICE": "StridedSliceOptions", "SUB": "SubOptions",
    "SUM": "ReducerOptions", "TRANSPOSE": "TransposeOptions",
}  # fmt: skip


def _shapes(model: bytes) -> dict[int, list[int]]:
    """Of each tensor, by its number."""
    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(model_content=model, experimental_op_resolver_type=plain)
    interpreter.allocate_tensors()
    return {told["index"]: told["shape"].tolist() for told in interpreter.get_tensor_details()}


def _code(code: int) -> Any:
    made = schema.OperatorCodeT()
    made.builtinCode, made.deprecatedBuiltinCode, made.version = code, min(code, 127), 1
    return made


def _conv(graph: _Graph, net: ConvTagger) -> int:
    pieces = graph.given("pieces", ANY, PIECES)
    shapes, hints = graph.given("shapes", ANY), graph.given("hints", ANY)
    gaps, words = graph.given("gaps", ANY, ANY), graph.given("words", ANY, ANY)
    mask = graph.given("mask", ANY, ANY, kind=FLOAT)
    there = graph.step("EXPAND_DIMS", mask, graph.value("last", LAST, np.int32))
    known = _mean(graph, pieces)
    if "widen.weight" in graph.weights:
        known = _linear(graph, "widen", known)
    for name, given in (("shape", shapes), ("hint", hints)):
        known = graph.step("ADD", known, _table(graph, f"marks.{name}.weight", given))
    units = graph.step("GATHER", known, words)
    x = _norm(graph, "norm", graph.step("ADD", units, _table(graph, "marks.gap.weight", gaps)))
    for number, layer in enumerate(net.layers):
        x = _layer(graph, f"layers.{number}", x, there, layer.distance)
    return _linear(graph, "tags", _norm(graph, "last", x))


def _mean(graph: _Graph, pieces: int) -> int:
    """Of the embeddings of a word's pieces, 0 aside."""
    graph.weights["words.weight"] = graph.weights["words.weight"].copy()
    graph.weights["words.weight"][0] = 0  # padding is nothing
    second = graph.value("second", 1, np.int32)
    total = graph.step("SUM", _table(graph, "words.weight", pieces), second)
    some = _some(graph, pieces, FLOAT)
    count = graph.step("SUM", some, second, keepDims=True)
    return graph.step("DIV", total, graph.step("MAXIMUM", count, graph.value("one", 1)))


def _some(graph: _Graph, pieces: int, kind: int) -> int:
    """1 where a piece is, 0 where none is."""
    nothing = graph.value("nothing", 0, np.int32)
    some = graph.step("GREATER", pieces, nothing, result=BOOL)
    return graph.step("CAST", some, result=kind, inDataType=BOOL, outDataType=kind)


def _layer(graph: _Graph, name: str, x: int, there: int, distance: int) -> int:
    y = graph.step("MUL", _norm(graph, f"{name}.norm", x), there)
    far = graph.value(f"pad.{distance}", [[0, 0], [distance, distance], [0, 0]], np.int32)
    wide = graph.step("PAD", y, far)
    before = _slice(graph, wide, 0, -2 * distance)
    behind = _slice(graph, wide, 2 * distance, 0)
    around = graph.step("CONCATENATION", before, y, behind, axis=2)
    relu = schema.ActivationFunctionType.RELU
    mixed = _linear(graph, f"{name}.mix", around, fusedActivationFunction=relu)
    return graph.step("ADD", x, _linear(graph, f"{name}.out", mixed))


def _slice(graph: _Graph, x: int, first: int, last: int) -> int:
    """Units from `first` on, up to `last` counted from the end."""
    begin = graph.value(f"begin.{first}", [0, first, 0], np.int32)
    end = graph.value(f"end.{last}", [0, last, 0], np.int32)
    stride = graph.value("stride", [1, 1, 1], np.int32)
    open_end = 0b101 if last else 0b111  # a bit for each axis that goes on to its end
    return graph.step("STRIDED_SLICE", x, begin, end, stride, beginMask=0b101, endMask=open_end)


def _encoder(graph: _Graph, net: EncoderTagger) -> int:
    names = ("pieces", "shapes", "gaps", "hints")
    pieces, shapes, gaps, hints = (graph.given(name, 1, ANY) for name in names)
    firsts = graph.given("firsts", 1, ANY)
    words = _table(graph, "words.weight", pieces)
    if "widen.weight" in graph.weights:
        words = _linear(graph, "widen", words)
    graph.weights["places.weight"] = graph.weights["places.weight"] + graph.weights["kind"]
    x = graph.step("ADD", words, _table(graph, "places.weight", _places(graph, pieces)))
    x = _norm(graph, "norm", x, net.norm.eps)
    marks = _table(graph, "marks.shape.weight", shapes)
    for name, given in (("gap", gaps), ("hint", hints)):
        marks = graph.step("ADD", marks, _table(graph, f"marks.{name}.weight", given))
    x = graph.step("ADD", x, marks)
    for number, layer in enumerate(net.layers):
        x = _attention(graph, f"layers.{number}", x, layer.heads)
        up = graph.step("GELU", _linear(graph, f"layers.{number}.up", x))
        down = graph.step("ADD", x, _linear(graph, f"layers.{number}.down", up))
        x = _norm(graph, f"layers.{number}.last", down, layer.last.eps)
    return _linear(graph, "tags", graph.step("GATHER", x, firsts, axis=1, batchDims=1))


def _places(graph: _Graph, pieces: int) -> int:
    """0, 1, 2 ... for as many pieces as there are."""
    ones = _some(graph, pieces, INT)
    axis = graph.value("second", 1, np.int32)
    return graph.step("CUMSUM", ones, axis, result=INT, exclusive=True)


def _attention(graph: _Graph, name: str, x: int, heads: int) -> int:
    axis = graph.value("across", 2, np.int32)
    width = len(graph.weights[f"{name}.qkv.bias"]) // 3
    apart = graph.value(f"heads.{heads}", [1, ANY, heads, width // heads], np.int32)
    flat = graph.value(f"flat.{width}", [1, ANY, width], np.int32)
    turn = graph.value("turn", [0, 2, 1, 3], np.int32)
    joint = _linear(graph, f"{name}.qkv", x)
    q, k, v = (
        graph.step("TRANSPOSE", graph.step("RESHAPE", part, apart), turn)
        for part in graph.split(3, axis, joint)
    )
    q = graph.step("MUL", q, graph.value(f"small.{width // heads}", (width // heads) ** -0.5))
    seen = graph.step("SOFTMAX", graph.step("BATCH_MATMUL", q, k, adjY=True), beta=1.0)
    mixed = graph.step("TRANSPOSE", graph.step("BATCH_MATMUL", seen, v), turn)
    out = _linear(graph, f"{name}.out", graph.step("RESHAPE", mixed, flat))
    return _norm(graph, f"{name}.norm", graph.step("ADD", x, out), 1e-12)


def _table(graph: _Graph, name: str, numbers: int) -> int:
    return graph.step("GATHER", graph.weight(name), numbers)


def _linear(graph: _Graph, name: str, x: int, **options: Any) -> int:
    weight, bias = graph.weight(f"{name}.weight"), graph.weight(f"{name}.bias")
    return graph.step("FULLY_CONNECTED", x, weight, bias, keepNumDims=True, **options)


def _norm(graph: _Graph, name: str, x: int, epsilon: float = 1e-5) -> int:
    axis = graph.value("last axis", [LAST], np.int32)
    apart = graph.step("SUB", x, graph.step("MEAN", x, axis, keepDims=True))
    spread = graph.step("MEAN", graph.step("MUL", apart, apart), axis, keepDims=True)
    size = graph.step("RSQRT", graph.step("ADD", spread, graph.value(f"{epsilon}", epsilon)))
    even = graph.step("MUL", apart, size)
    even = graph.step("MUL", even, graph.weight(f"{name}.weight"))
    return graph.step("ADD", even, graph.weight(f"{name}.bias"))
