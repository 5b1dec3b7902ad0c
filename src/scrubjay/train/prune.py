"""Smaller nets from bigger ones: layers, heads, neurons, pieces and embeddings go, and with them
the rows and columns of their matrices. Nothing is merely set to zero, so any runtime gets faster.

First it is said what counts (`importance`, `weights`, `layer_losses`, `frequency`), then what
stays (`best`), then the net is cut. Every cut gives a new net and leaves the old one alone; where
what went had no part in the scores, the scores stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import torch
from msgspec.structs import replace
from torch import Tensor, nn

from scrubjay.model.tokens import SPECIAL, Tokens
from scrubjay.train.batches import Batch
from scrubjay.train.fit import marked
from scrubjay.train.net import ConvTagger, EncoderTagger, Size, Tagger, build

Data = Iterable[tuple[Batch, Tensor]]  # batches, each with its sets of allowed tags
Kept = Sequence[Sequence[int]]  # for each layer, the numbers of what stays
Weights = dict[str, Tensor]


def importance(net: Tagger, data: Data, what: str) -> list[Tensor]:
    """For each layer, how much the loss hangs on each of its "neurons" or "heads": the mean of
    |activation x gradient| over the data."""
    modules = _readers(net, what)
    totals = [torch.zeros(module.in_features // _group(net, what)) for module in modules]
    seen: dict[int, Tensor] = {}

    def watch(number: int) -> Callable[[nn.Module, tuple[Tensor]], None]:
        def hook(_: nn.Module, given: tuple[Tensor]) -> None:
            given[0].retain_grad()
            seen[number] = given[0]

        return hook

    hooks = [m.register_forward_pre_hook(watch(number)) for number, m in enumerate(modules)]
    units = 0.0
    for batch, sets in data:
        marked(net, batch, sets).backward()
        weight = float(batch.mask.sum())
        units += weight
        for number, total in enumerate(totals):
            told = seen[number].detach() * seen[number].grad
            total += told.unflatten(-1, (len(total), -1)).sum(-1).abs().sum((0, 1)) * weight
    for hook in hooks:
        hook.remove()
    net.zero_grad()
    return [total / max(units, 1) for total in totals]


def weights(net: Tagger, what: str) -> list[Tensor]:
    """The same where there is no data: the size of what goes in times that of what comes out."""
    found = []
    for layer, reader in zip(net.layers, _readers(net, what), strict=True):
        out = _norms(reader.weight.T, _group(net, what))
        if what == "heads":  # what a head says are its values, the last third
            into = _norms(layer.qkv.weight.chunk(3)[2], _group(net, what))
        else:
            into = _norms(_writer(layer).weight, 1)
        found.append(into * out)
    return found


def _norms(rows: Tensor, group: int) -> Tensor:
    return rows.detach().unflatten(0, (-1, group)).flatten(1).norm(dim=1)


def _readers(net: Tagger, what: str) -> list[nn.Linear]:
    """In each layer, the matrix that reads the neurons, or the heads."""
    if what == "heads" or isinstance(net, ConvTagger):
        return [layer.out for layer in net.layers]
    return [layer.down for layer in net.layers]


def _writer(layer: nn.Module) -> nn.Linear:
    """The matrix that writes a layer's neurons."""
    found: nn.Linear = layer.up if hasattr(layer, "up") else layer.mix
    return found


def _group(net: Tagger, what: str) -> int:
    """Columns that go together."""
    return net.size.head_width() if what == "heads" else 1


def layer_losses(net: Tagger, data: Sequence[tuple[Batch, Tensor]]) -> list[float]:
    """For each layer, the loss without it."""
    every = range(len(net.layers))
    return [_mean(layers(net, [k for k in every if k != gone]), data) for gone in every]


@torch.no_grad()  # type: ignore[untyped-decorator]
def _mean(net: Tagger, data: Sequence[tuple[Batch, Tensor]]) -> float:
    return sum(float(marked(net, *pair)) for pair in data) / len(data)


def thin(net: Tagger, data: Sequence[tuple[Batch, Tensor]], count: int) -> Tagger:
    """Only `count` layers: one by one, that goes which is missed least."""
    while len(net.layers) > count:
        told = layer_losses(net, data)
        gone = told.index(min(told))
        net = layers(net, [k for k in range(len(told)) if k != gone])
    return net


def best(scores: Sequence[Tensor], share: float, *, least: int = 1, step: int = 1) -> Kept:
    """What stays when `share` of all layers' parts stays: the best anywhere, but in each layer at
    least `least`, and a multiple of `step`, which is what matrix kernels are fast at."""
    every = torch.cat(list(scores)).sort(descending=True).values
    bar = every[max(0, min(len(every), round(len(every) * share)) - 1)]
    found = []
    for layer in scores:
        count = max(least, -(-int((layer >= bar).sum()) // step) * step)
        found.append(sorted(layer.argsort(descending=True)[:count].tolist()))
    return found


def layers(net: Tagger, kept: Sequence[int]) -> Tagger:
    """Only these layers."""
    size = net.size
    every = range(size.layers)
    smaller = replace(
        size,
        layers=len(kept),
        inners=_chosen([size.inner_of(n) for n in every], kept),
        attends=_chosen([size.heads_of(n) for n in every], kept) if size.heads else (),
        head=size.head_width() if size.heads else 0,
        distances=() if size.heads else _chosen([size.distance_of(n) for n in every], kept),
    )
    weights = {k: v for k, v in net.state_dict().items() if not k.startswith("layers.")}
    for place, number in enumerate(kept):
        for name, weight in net.layers[number].state_dict().items():
            weights[f"layers.{place}.{name}"] = weight
    return _made(smaller, weights)


def _chosen(values: Sequence[int], kept: Sequence[int]) -> tuple[int, ...]:
    return tuple(values[number] for number in kept)


def neurons(net: Tagger, kept: Kept) -> Tagger:
    """Only these inner neurons of each layer."""
    weights = net.state_dict()
    writer, reader = ("up", "down") if isinstance(net, EncoderTagger) else ("mix", "out")
    for number, places in enumerate(kept):
        _rows(weights, f"layers.{number}.{writer}", places)
        _columns(weights, f"layers.{number}.{reader}", places)
    return _made(replace(net.size, inners=tuple(map(len, kept))), weights)


def heads(net: Tagger, kept: Kept) -> Tagger:
    """Only these attention heads of each layer, at least one in each."""
    weights = net.state_dict()
    wide = net.size.head_width()
    for number, chosen in enumerate(kept):
        places = [head * wide + at for head in chosen for at in range(wide)]
        whole = net.size.heads_of(number) * wide
        _rows(weights, f"layers.{number}.qkv", [p + n * whole for n in range(3) for p in places])
        _columns(weights, f"layers.{number}.out", places)
    return _made(replace(net.size, attends=tuple(map(len, kept)), head=wide), weights)


def _rows(weights: Weights, name: str, places: Sequence[int]) -> None:
    at = torch.tensor(places)
    for kind in ("weight", "bias"):
        weights[f"{name}.{kind}"] = weights[f"{name}.{kind}"][at]


def _columns(weights: Weights, name: str, places: Sequence[int]) -> None:
    weights[f"{name}.weight"] = weights[f"{name}.weight"][:, torch.tensor(places)]


def frequency(vocabulary: Sequence[str], texts: Iterable[str]) -> Counter[int]:
    """How often each piece stands in the texts."""
    tokens = Tokens(vocabulary)
    counts: Counter[int] = Counter()
    for text in texts:
        counts.update(tokens.units([text])[0].pieces.ravel().tolist())
    return counts


def vocabulary(
    net: Tagger, pieces: Sequence[str], counts: Counter[int], size: int
) -> tuple[Tagger, list[str]]:
    """The `size` most frequent pieces, and the vocabulary that they are; among pieces of like
    frequency the first. The special ones and all single characters stay whatever the size, so a
    word that is not whole any more has parts."""
    always = {n for n, piece in enumerate(pieces) if n < len(SPECIAL) or _single(piece)}
    often = sorted({*range(len(pieces))} - always, key=lambda number: -counts[number])
    kept = sorted({*always, *often[: max(0, size - len(always))]})
    weights = net.state_dict()
    weights["words.weight"] = weights["words.weight"][torch.tensor(kept)]
    return _made(replace(net.size, vocabulary=len(kept)), weights), [pieces[n] for n in kept]


def _single(piece: str) -> bool:
    return len(piece.removeprefix("##")) == 1


def embedding(net: Tagger, width: int) -> Tagger:
    """Embeddings `width` wide, along the axes on which they differ most, and a matrix that widens
    them again."""
    weights = net.state_dict()
    table = weights["words.weight"][1:]
    middle = table.mean(0)
    _, _, axes = torch.linalg.svd(table - middle, full_matrices=False)
    axes = axes[:width]
    widen, bias = _widening(net)
    weights["words.weight"] = torch.cat([torch.zeros(1, width), (table - middle) @ axes.T])
    weights["widen.weight"] = widen @ axes.T
    weights["widen.bias"] = widen @ middle + bias
    return _made(replace(net.size, embedding=width), weights)


def _widening(net: Tagger) -> tuple[Tensor, Tensor]:
    """The matrix and the constant that stand between embeddings and net."""
    if isinstance(net.widen, nn.Linear):
        return net.widen.weight.detach(), net.widen.bias.detach()
    return torch.eye(net.size.width), torch.zeros(net.size.width)


def _made(size: Size, weights: Weights) -> Tagger:
    """A net of its own with these weights."""
    net = build(size)
    net.load_state_dict(weights)
    return net.eval()
