"""A bundle's net in numpy alone: what `model.safetensors` holds, and what is computed from it
(docs/spec/bundle.md, "A net as tensors").

It is the shortest full account of the nets, for whoever writes them for another machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from scrubjay.errors import BundleError
from scrubjay.model.decode import Floats
from scrubjay.model.tags import TAGS
from scrubjay.model.windows import Feeds

_LENGTH = 8  # bytes that say how long the header is
_TOLD = "__metadata__"


class _Place(Struct):
    """Where a tensor lies behind the header."""

    dtype: Literal["F32"]
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


class Weights:
    """The tensors of a net, mapped from its file, so that processes share them."""

    def __init__(self, path: Path) -> None:
        raw = np.memmap(path, np.uint8, "r")
        behind = _LENGTH + int.from_bytes(raw[:_LENGTH].tobytes(), "little")
        header = msgspec.json.decode(raw[_LENGTH:behind].tobytes(), type=dict[str, msgspec.Raw])
        told = msgspec.json.decode(header.pop(_TOLD), type=dict[str, str])
        self.kind, self.layers = told["kind"], tuple(map(int, told["layers"].split()))
        self._values = {
            name: _tensor(raw[behind:], msgspec.json.decode(place, type=_Place))
            for name, place in header.items()
        }

    def __getitem__(self, name: str) -> Floats:
        return self._values[name]

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def linear(self, name: str, x: Floats) -> Floats:
        """A matrix and its bias."""
        found: Floats = x @ self[f"{name}.weight"].T + self[f"{name}.bias"]
        return found

    def norm(self, name: str, x: Floats, epsilon: float) -> Floats:
        """Each row with mean 0 and variance 1, then the norm's own scale and shift."""
        apart = x - x.mean(-1, keepdims=True)
        spread = np.sqrt(np.square(apart).mean(-1, keepdims=True) + np.float32(epsilon))
        found: Floats = apart / spread * self[f"{name}.weight"] + self[f"{name}.bias"]
        return found

    def table(self, name: str, numbers: NDArray[Any]) -> Floats:
        """The embeddings of some numbers."""
        found: Floats = self[f"{name}.weight"][numbers]
        return found

    def widened(self, words: Floats) -> Floats:
        """As wide as the net, where embeddings are narrower."""
        return self.linear("widen", words) if "widen.weight" in self else words


def _tensor(raw: NDArray[np.uint8], place: _Place) -> Floats:
    begin, end = place.data_offsets
    return raw[begin:end].view("<f4").reshape(place.shape)


class Session:
    """A net that is loaded, for one text at a time."""

    def __init__(self, path: Path, kind: str) -> None:
        self._path = path
        try:
            self._weights = Weights(path)
            tags = len(self._weights["tags.bias"])
        except (KeyError, ValueError, OSError) as problem:  # msgspec's errors are ValueErrors
            raise _bad(path, problem) from None
        if self._weights.kind != kind or tags != len(TAGS):
            raise BundleError(f"{path.parent}: {path.name} is not a net of the kind '{kind}'")
        self._net = _conv if kind == "conv" else _encoder

    def run(self, _: None, feeds: Feeds) -> list[Floats]:
        """The scores, as `runtimes.Session` has them."""
        try:
            return [self._net(self._weights, feeds)]
        except (LookupError, ValueError) as problem:  # a tensor is not there, or has another shape
            raise _bad(self._path, problem) from None


def _bad(path: Path, problem: Exception) -> BundleError:
    return BundleError(f"{path.parent}: {path.name}: {type(problem).__name__}")


def _conv(held: Weights, given: dict[str, Any]) -> Floats:
    pieces, there = given["pieces"], given["mask"][..., None]
    some = (pieces > 0).astype(np.float32)[..., None]
    mean = (held.table("words", pieces) * some).sum(1) / np.maximum(some.sum(1), 1)
    known = held.widened(mean) + held.table("marks.shape", given["shapes"])
    known += held.table("marks.hint", given["hints"])
    x = known[given["words"]] + held.table("marks.gap", given["gaps"])
    x = held.norm("norm", x, 1e-5)
    for number, distance in enumerate(held.layers):
        layer = f"layers.{number}"
        y = held.norm(f"{layer}.norm", x, 1e-5) * there
        around = np.concatenate([_moved(y, distance), y, _moved(y, -distance)], -1)
        x = x + held.linear(f"{layer}.out", np.maximum(held.linear(f"{layer}.mix", around), 0))
    return held.linear("tags", held.norm("last", x, 1e-5))


def _moved(y: Floats, distance: int) -> Floats:
    """Each unit's neighbour at a distance: before it, or behind it where that is below 0."""
    found = np.zeros_like(y)
    if distance > 0:
        found[:, distance:] = y[:, :-distance]
    else:
        found[:, :distance] = y[:, -distance:]
    return found


def _encoder(held: Weights, given: dict[str, Any]) -> Floats:
    pieces = given["pieces"]
    words = held.widened(held.table("words", pieces)) + held["kind"]
    x = held.norm("norm", words + held["places.weight"][: pieces.shape[1]], 1e-12)
    for name in ("shape", "gap", "hint"):
        x = x + held.table(f"marks.{name}", given[f"{name}s"])
    for number, heads in enumerate(held.layers):
        layer = f"layers.{number}"
        x = held.norm(f"{layer}.norm", x + _attended(held, layer, x, heads), 1e-12)
        inner = _gelu(held.linear(f"{layer}.up", x))
        x = held.norm(f"{layer}.last", x + held.linear(f"{layer}.down", inner), 1e-12)
    return held.linear("tags", np.take_along_axis(x, given["firsts"][..., None], 1))


def _attended(held: Weights, layer: str, x: Floats, heads: int) -> Floats:
    joint = held.linear(f"{layer}.qkv", x)
    q, k, v = _apart(joint, heads)
    near = q @ k.swapaxes(-1, -2) / np.float32(math.sqrt(q.shape[-1]))
    share = np.exp(near - near.max(-1, keepdims=True))
    share /= share.sum(-1, keepdims=True)
    mixed = (share @ v).swapaxes(1, 2)
    return held.linear(f"{layer}.out", mixed.reshape(*x.shape[:2], -1))


def _apart(joint: Floats, heads: int) -> Iterator[Floats]:
    """[texts, heads, pieces, width] of queries, keys and values."""
    for part in np.split(joint, 3, -1):
        yield part.reshape(*part.shape[:2], heads, -1).swapaxes(1, 2)


# 1 - erf, as Abramowitz and Stegun have it (Handbook of Mathematical Functions, 7.1.26): off by
# 1.5e-7 at most, which is what a number of fp32 near 1 is off by. numpy has no error function.
_ERF = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)


def _gelu(x: Floats) -> Floats:
    """x times how probable a normal number below x is."""
    size = np.abs(x) * np.float32(math.sqrt(0.5))
    t: Floats = np.reciprocal(1 + np.float32(0.3275911) * size)
    beyond: Floats = np.zeros_like(x)
    for factor in _ERF:
        beyond = (beyond + np.float32(factor)) * t
    beyond *= np.exp(-size * size) / 2  # of what is farther out than x, on one side
    found: Floats = x * np.where(x > 0, 1 - beyond, beyond)
    return found
