"""The two kinds of tagger: `conv` (small, whole units) and `encoder` (a transformer over pieces).

Both take what `model.tokens` says of each unit and give one score per unit and tag.
"""

from __future__ import annotations

import torch
from msgspec import Struct
from torch import Tensor, nn
from torch.nn import functional

from scrubjay.model.tags import TAGS
from scrubjay.model.tokens import GAPS, PIECES, SHAPES

HINTS = 64
DISTANCES = (1, 1, 2, 4, 8, 2, 1, 1)


class Size(Struct, frozen=True):
    """How big a net is. `heads` of 0: convolutions. What `prune` takes out of single layers stands
    in the tuples, one number a layer; empty: all layers are alike."""

    vocabulary: int
    width: int = 128
    layers: int = 7
    inner: int = 256
    heads: int = 0
    embedding: int = 0  # width of the embeddings where it is not that of the net
    positions: int = 512
    inners: tuple[int, ...] = ()
    attends: tuple[int, ...] = ()  # heads of each layer
    head: int = 0  # width of a head where it is not width / heads
    distances: tuple[int, ...] = ()  # of each convolution

    def inner_of(self, layer: int) -> int:
        """Inner neurons of a layer."""
        return self.inners[layer] if self.inners else self.inner

    def heads_of(self, layer: int) -> int:
        """Attention heads of a layer."""
        return self.attends[layer] if self.attends else self.heads

    def head_width(self) -> int:
        """Width of every attention head."""
        return self.head or self.width // self.heads

    def distance_of(self, layer: int) -> int:
        """How far a convolution looks."""
        return (self.distances or DISTANCES)[layer % len(self.distances or DISTANCES)]


class Marks(nn.Module):
    """Embeddings of shape, gap and hint."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.shape = nn.Embedding(len(SHAPES), width)
        self.gap = nn.Embedding(len(GAPS), width)
        self.hint = nn.Embedding(HINTS, width)
        for table in (self.shape, self.gap, self.hint):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, shapes: Tensor, gaps: Tensor, hints: Tensor) -> Tensor:
        total: Tensor = self.shape(shapes) + self.gap(gaps) + self.hint(hints)
        return total


class Conv(nn.Module):
    """One residual layer: a unit and its neighbours at a distance, through two matrices. Written as
    matrix products, not as a convolution, because these are what int8 kernels are fast at."""

    def __init__(self, width: int, inner: int, distance: int) -> None:
        super().__init__()
        self.distance = distance
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Linear(3 * width, inner)
        self.out = nn.Linear(inner, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = self.norm(x) * mask
        distance, length = self.distance, x.shape[1]
        wide = functional.pad(y, (0, 0, distance, distance))
        around = torch.cat(
            [wide[:, :length], y, wide[:, 2 * distance : 2 * distance + length]], dim=-1
        )
        return x + self.out(functional.relu(self.mix(around)))


def _words(size: Size) -> tuple[nn.Module, nn.Module]:
    """The embeddings of pieces, and what makes them as wide as the net."""
    narrow = size.embedding or size.width
    table = nn.Embedding(size.vocabulary, narrow, padding_idx=0)
    return table, nn.Linear(narrow, size.width) if narrow != size.width else nn.Identity()


class ConvTagger(nn.Module):
    """Units in, tag scores out."""

    def __init__(self, size: Size, dropout: float = 0.1) -> None:
        super().__init__()
        self.size = size
        self.words, self.widen = _words(size)
        self.marks = Marks(size.width)
        self.norm = nn.LayerNorm(size.width)
        self.drop = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            Conv(size.width, size.inner_of(layer), size.distance_of(layer))
            for layer in range(size.layers)
        )
        self.last = nn.LayerNorm(size.width)
        self.tags = nn.Linear(size.width, len(TAGS))

    def forward(
        self, pieces: Tensor, shapes: Tensor, hints: Tensor, gaps: Tensor, words: Tensor,
        mask: Tensor,
    ) -> Tensor:  # fmt: skip
        """pieces [words, PIECES], shapes and hints [words] tell of each word; gaps, words (which
        word stands there) and mask (1.0 where a unit is) are [batch, units]."""
        scores: Tensor = self.tags(self.hidden(pieces, shapes, hints, gaps, words, mask))
        return scores

    def hidden(
        self, pieces: Tensor, shapes: Tensor, hints: Tensor, gaps: Tensor, words: Tensor,
        mask: Tensor,
    ) -> Tensor:  # fmt: skip
        """What the scores are read from, for each unit."""
        some = (pieces > 0).to(self.words.weight.dtype).unsqueeze(-1)
        mean = (self.words(pieces) * some).sum(1) / some.sum(1).clamp(min=1)
        known = self.widen(mean) + self.marks.shape(shapes) + self.marks.hint(hints)
        there = mask.unsqueeze(-1)
        x = self.drop(self.norm(known[words] + self.marks.gap(gaps)))
        for layer in self.layers:
            x = self.drop(layer(x, there))
        last: Tensor = self.last(x)
        return last


class Layer(nn.Module):
    """A layer of BERT: attention and feed-forward, each followed by its norm."""

    def __init__(self, width: int, inner: int, heads: int, head: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * heads * head)
        self.out = nn.Linear(heads * head, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.up = nn.Linear(width, inner)
        self.down = nn.Linear(inner, width)
        self.last = nn.LayerNorm(width, eps=1e-12)

    def forward(self, x: Tensor, bias: Tensor, drop: nn.Module) -> Tensor:
        batch, length, _ = x.shape
        inner = self.qkv.out_features // 3
        q, k, v = (
            part.view(batch, length, self.heads, inner // self.heads).transpose(1, 2)
            for part in self.qkv(x).split(inner, dim=-1)
        )
        attended = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        mixed = attended.transpose(1, 2).reshape(batch, length, inner)
        x = self.norm(x + drop(self.out(mixed)))
        last: Tensor = self.last(x + drop(self.down(functional.gelu(self.up(x)))))
        return last


class EncoderTagger(nn.Module):
    """Pieces in, a score per unit and tag out, read at each unit's first piece."""

    def __init__(self, size: Size, dropout: float = 0.1) -> None:
        super().__init__()
        self.size = size
        self.words, self.widen = _words(size)
        self.places = nn.Embedding(size.positions, size.width)
        self.kind = nn.Parameter(torch.zeros(size.width))
        self.norm = nn.LayerNorm(size.width, eps=1e-12)
        self.marks = Marks(size.width)
        self.drop = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            Layer(size.width, size.inner_of(layer), size.heads_of(layer), size.head_width())
            for layer in range(size.layers)
        )
        self.tags = nn.Linear(size.width, len(TAGS))

    def forward(
        self, pieces: Tensor, shapes: Tensor, gaps: Tensor, hints: Tensor, firsts: Tensor
    ) -> Tensor:
        """pieces, shapes, gaps, hints are [batch, pieces] (a unit's marks at each of its pieces),
        padded with piece 0; firsts is [batch, units]: where each unit begins."""
        scores: Tensor = self.tags(self.hidden(pieces, shapes, gaps, hints, firsts))
        return scores

    def hidden(
        self, pieces: Tensor, shapes: Tensor, gaps: Tensor, hints: Tensor, firsts: Tensor
    ) -> Tensor:
        """What the scores are read from, for each unit: the last layer at its first piece."""
        length = pieces.shape[1]
        words = self.widen(self.words(pieces)) + self.places.weight[:length] + self.kind
        x = self.drop(self.norm(words) + self.marks(shapes, gaps, hints))
        nothing = (pieces == 0).to(x.dtype) * -1e4
        bias = nothing[:, None, None, :]
        for layer in self.layers:
            x = layer(x, bias, self.drop)
        at = firsts.unsqueeze(-1).expand(-1, -1, x.shape[-1])
        return torch.gather(x, 1, at)


Tagger = ConvTagger | EncoderTagger


def build(size: Size, dropout: float = 0.1) -> Tagger:
    """A net of a size, with fresh weights."""
    return EncoderTagger(size, dropout) if size.heads else ConvTagger(size, dropout)


def surprise(scores: Tensor, targets: Tensor, sets: Tensor, mask: Tensor) -> Tensor:
    """The mean surprise at the sets of tags that are allowed. `sets`: one row per target, as
    `Targets.table` makes them."""
    scores = scores.float()
    everything = torch.logsumexp(scores, dim=-1)
    allowed = torch.logsumexp(scores + sets[targets], dim=-1)
    return ((everything - allowed) * mask).sum() / mask.sum().clamp(min=1)


__all__ = ["PIECES", "ConvTagger", "EncoderTagger", "Size", "Tagger", "build", "surprise"]
