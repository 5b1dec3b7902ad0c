"""What computes a bundle's scores, told by the name of its net (BUN-1).

    model.onnx         ONNX Runtime: every bundle that ships
    model.tflite       LiteRT, where ONNX Runtime cannot be had: phones, small boards
    model.safetensors  numpy alone, `model.arrays`: the plainest, and what others may read

Each is a session as ONNX Runtime has them, so that its way, which matters most, has no layer on it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from scrubjay.errors import BundleError, ExtraError
from scrubjay.model.decode import Floats
from scrubjay.model.tags import TAGS
from scrubjay.model.windows import Feeds

Kind = Literal["conv", "encoder"]
_KNOWN = ("pieces", "shapes", "gaps", "hints")
INPUTS = {"conv": (*_KNOWN, "words", "mask"), "encoder": (*_KNOWN, "firsts")}


class Session(Protocol):
    """A net that is loaded. Any number of threads may call it."""

    def run(self, names: None, feeds: Feeds) -> list[Floats]:
        """The scores [texts, units, tags] of INPUTS, the only result."""


def session(folder: Path, net: str, kind: Kind, threads: int) -> Session:
    """The net of a bundle that was checked, on so many threads."""
    return _SESSIONS[net](folder / net, kind, threads)


def _onnx(path: Path, kind: Kind, threads: int) -> Session:
    import onnxruntime  # it takes a third of a second: only who needs it pays

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what is wrong is raised
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        made: Any = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    except Exception as problem:  # noqa: BLE001 - its errors have no other root
        raise _bad(path, problem) from None
    names = [value.name for value in made.get_inputs()]
    _check(path, kind, names, made.get_outputs()[0].shape)
    return made  # type: ignore[no-any-return]


def _litert(path: Path, kind: Kind, threads: int) -> Session:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise ExtraError(f"{path} needs LiteRT: pip install 'scrubjay[litert]'") from None
    try:
        made = Interpreter(str(path), num_threads=threads)
        made.allocate_tensors()
    except (ValueError, RuntimeError) as problem:
        raise _bad(path, problem) from None
    inputs = {told["name"]: told["index"] for told in made.get_input_details()}
    results = made.get_output_details()
    _check(path, kind, [*inputs], results[0]["shape"] if len(results) == 1 else ())
    return _Lite(made, inputs, results[0]["index"])


class _Lite:
    """An interpreter of LiteRT: it has one state, so one thread at a time calls it."""

    def __init__(self, interpreter: Any, inputs: dict[str, int], result: int) -> None:
        self._interpreter, self._inputs, self._result = interpreter, inputs, result
        self._free = threading.Lock()

    def run(self, _: None, feeds: Feeds) -> list[Floats]:
        """As `Session` has it. Its numbers are of 32 bits."""
        interpreter = self._interpreter
        with self._free:
            for name, value in feeds.items():
                interpreter.resize_tensor_input(self._inputs[name], value.shape)
            interpreter.allocate_tensors()
            for name, value in feeds.items():
                kind = np.float32 if name == "mask" else np.int32
                interpreter.set_tensor(self._inputs[name], value.astype(kind))
            interpreter.invoke()
            return [interpreter.get_tensor(self._result)]


def _arrays(path: Path, kind: Kind, _: int) -> Session:
    from scrubjay.model import arrays  # few bundles need it

    return arrays.Session(path, kind)


_SESSIONS: dict[str, Callable[[Path, Kind, int], Session]] = {
    "model.onnx": _onnx, "model.tflite": _litert, "model.safetensors": _arrays,
}  # fmt: skip


def _check(path: Path, kind: Kind, inputs: list[str], scores: Any) -> None:
    tags = scores[-1] if len(scores) else 0
    if sorted(inputs) != sorted(INPUTS[kind]) or tags != len(TAGS):  # BUN-12
        raise BundleError(f"{path.parent}: {path.name} is not a net of the kind '{kind}'")


def _bad(path: Path, problem: Exception) -> BundleError:
    return BundleError(f"{path.parent}: {path.name}: {type(problem).__name__}")
