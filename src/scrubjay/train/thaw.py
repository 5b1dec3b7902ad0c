"""A bundle's net, to train on with: `export` and `quantize` undone. Int8 weights become the floats
that they stand for."""

from __future__ import annotations

from pathlib import Path

import msgspec
import onnx
import safetensors.torch
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from scrubjay.errors import InputError
from scrubjay.model import bundle as bundles
from scrubjay.train.graph import floats
from scrubjay.train.net import Size, Tagger, build


def net(folder: Path) -> Tagger:
    """The net of a bundle."""
    told = bundles.read(folder)
    if told.net == "model.tflite":
        raise InputError(f"{folder}: a LiteRT net is not trained on; name what it was made of")
    if told.net == "model.safetensors":
        return _plain(folder, told.origin)
    graph = onnx.load(folder / "model.onnx").graph
    values = {value.name: torch.from_numpy(numpy_helper.to_array(value).copy())
              for value in graph.initializer}  # fmt: skip
    try:
        made = build(msgspec.convert(told.origin["size"], Size))
        if any(name.endswith(".int8") for name in values):
            made.load_state_dict(floats(graph, made.state_dict()))
        else:
            made.load_state_dict(_state(made, graph, values))
    except (KeyError, RuntimeError, ValueError, StopIteration):
        raise _foreign(folder) from None
    return made.eval()


def _plain(folder: Path, origin: dict[str, object]) -> Tagger:
    """The net of a state dict."""
    state = safetensors.torch.load_file(folder / "model.safetensors")
    try:
        made = build(msgspec.convert(origin["size"], Size))
        made.load_state_dict(state)
    except (KeyError, RuntimeError, ValueError):
        raise _foreign(folder) from None
    return made.eval()


def _foreign(folder: Path) -> InputError:
    return InputError(f"{folder}: not a net that scrubjay train export wrote")


def _state(made: Tagger, graph: onnx.GraphProto, values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tables and vectors by their names; matrices, where their names are lost, by their order."""
    products = (node.input[1] for node in graph.node if node.op_type == "MatMul")
    matrices = iter([name for name in products if name in values])
    parts = [f"{name}.weight" for name, part in made.named_modules() if isinstance(part, nn.Linear)]
    linear = {*parts} - values.keys()
    return {
        name: values[next(matrices)].T if name in linear else values[name]
        for name in made.state_dict()
    }
