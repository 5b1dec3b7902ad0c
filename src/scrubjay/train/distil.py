"""A student learns from a teacher: from how probable the teacher finds each tag, if asked from its
last hidden layer, too, and from what people have marked; on plain text, from the teacher alone.

Teachers are nets of either kind with vocabularies of their own. They see the very windows that the
student sees. What they say is kept with the data, the most probable tags of each unit only, so that
it serves for several epochs.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from scrubjay.errors import UsageError
from scrubjay.model.tokens import Tokens
from scrubjay.train import batches
from scrubjay.train.batches import Batch, Packed
from scrubjay.train.corpora import Example
from scrubjay.train.fit import Loss, inputs, precision
from scrubjay.train.net import EncoderTagger, Tagger, surprise
from scrubjay.train.targets import NEVER, Targets

Tell = Callable[[str], None]
TOPS = 8  # tags that are kept of a unit
LEAST = 1e-6  # no tag is less probable to a student
AGREED = 0.9  # how probable all teachers must find a tag that the data leaves open
TOLD = 100_000  # units between two lines of progress
UNITS = 6000  # that a teacher reads at once


class Teacher(NamedTuple):
    """A net, how it reads text, whether its last hidden layer is learnt from, too, and whether it
    computes in bfloat16."""

    net: Tagger
    tokens: Tokens
    hidden: bool = False
    half: bool = False

    @property
    def width(self) -> int:
        """Numbers of its last hidden layer that are kept of a unit."""
        return self.net.tags.in_features if self.hidden else 0


def _quiet(line: str) -> None:
    """Say nothing."""


def packed(
    examples: Iterable[Example], tokens: Tokens, teachers: Sequence[Teacher], tops: int = TOPS,
    *, temperature: float = 2.0, tell: Tell = _quiet,
) -> Packed:  # fmt: skip
    """The examples as the student reads them, and what the teachers say of each unit on average:
    the most probable tags, and how probable, softened by the temperature; last, all the others.
    Hidden layers stand side by side. What the data leaves open is taken as marked where several
    teachers agree."""
    if not teachers:
        raise UsageError("distillation needs a teacher")
    examples = list(examples)
    own = batches.pack(examples, tokens, Targets())
    said = np.zeros((len(own.pieces), teachers[0].net.tags.out_features), np.float32)
    least = np.ones_like(said)
    hidden = []
    for teacher in teachers:
        same = teacher.tokens is tokens
        seen = own if same else batches.pack(examples, teacher.tokens, Targets())
        told = judged(teacher, seen, temperature, tell)
        said += told.shares / len(teachers)
        np.minimum(least, told.shares, out=least)
        hidden.append(told.hidden)
    own = agreed(own, least) if len(teachers) > 1 else own
    order = np.argsort(-said, axis=1, kind="stable")[:, :tops]
    shares = np.take_along_axis(said, order, 1)
    rest = (1 - shares.sum(1, keepdims=True)).clip(0)
    kept = np.concatenate([shares, rest], 1).astype(np.float16)
    return own._replace(tops=order.astype(np.uint8), shares=kept, hidden=np.concatenate(hidden, 1))


def agreed(data: Packed, least: NDArray[np.float32]) -> Packed:
    """Where the data allows several tags, the one of these that every teacher is sure of."""
    best, count = least.argmax(1), len(data.sets)
    allowed = data.sets > NEVER
    open_ = allowed.sum(1)[data.targets] > 1
    sure = open_ & allowed[data.targets, best] & (least.max(1) >= AGREED)
    alone = np.where(np.eye(least.shape[1], dtype=bool), 0, 2 * NEVER).astype(np.float32)
    return data._replace(
        targets=np.where(sure, count + best, data.targets).astype(np.uint16),
        sets=np.concatenate([data.sets, alone]),
    )


class Said(NamedTuple):
    """Of each unit, how probable each tag is, and the last hidden layer, if that is kept."""

    shares: NDArray[np.float32]
    hidden: NDArray[np.int8]


@torch.no_grad()  # type: ignore[untyped-decorator]
def judged(teacher: Teacher, data: Packed, temperature: float = 1.0, tell: Tell = _quiet) -> Said:
    """What a teacher says, softened by the temperature."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    net = teacher.net.to(device).eval()
    found = np.zeros((len(data.pieces), net.tags.out_features), np.float32)
    hidden = np.zeros((len(data.pieces), teacher.width), np.int8)
    done = told = 0
    for windows in _groups(data):
        batch = batches.make(
            data, windows, np.random.default_rng(0), encoder=isinstance(net, EncoderTagger)
        )
        with precision(device, teacher.half):
            last = net.hidden(*inputs(net, Batch(*(part.to(device) for part in batch)))).float()
        shares = (net.tags(last) / temperature).softmax(-1).cpu().numpy()
        layer = _small(last[..., : teacher.width])
        for row, (start, length) in enumerate(windows):
            found[start : start + length] = shares[row, :length]
            hidden[start : start + length] = layer[row, :length]
            done += length
        if done - told >= TOLD:
            told = done
            tell(f"teacher: {done} of {len(found)} units")
    net.cpu()
    return Said(found, hidden)


def _small(layer: Tensor) -> NDArray[np.int8]:
    """Each unit's numbers in 127 steps up to the largest: only where they point is learnt."""
    if not layer.shape[-1]:
        return np.zeros(layer.shape, np.int8)
    steps = layer.abs().amax(-1, keepdim=True).clamp(min=LEAST) / 127
    small: NDArray[np.int8] = (layer / steps).round().to(torch.int8).cpu().numpy()
    return small


def _groups(data: Packed) -> Iterator[list[tuple[int, int]]]:
    """All windows, those of like length together."""
    starts = batches.starts_of(data)
    group: list[tuple[int, int]] = []
    for window in np.argsort(data.lengths, kind="stable"):
        length = int(data.lengths[window])
        if group and (len(group) + 1) * length > UNITS:
            yield group
            group = []
        group.append((int(starts[window]), length))
    if group:
        yield group


def loss(temperature: float = 2.0, share: float = 0.7) -> Loss:
    """`share` of it: how far the student is from the teacher, both softened by the temperature, for
    data that was judged at the same. The rest: the surprise at the tags that the data allows."""

    def value(net: Tagger, batch: Batch, sets: Tensor) -> Tensor:
        return _by_tags(net(*inputs(net, batch)), batch, sets, (temperature, share))

    return value


def _by_tags(scores: Tensor, batch: Batch, sets: Tensor, how: tuple[float, float]) -> Tensor:
    temperature, share = how
    hard = surprise(scores, batch.targets, sets, batch.mask)
    return share * distance(scores, batch, temperature) + (1 - share) * hard


class Hidden(nn.Module):
    """A loss: `hidden` of it is how far the student's last hidden layer is from the teachers', seen
    through a linear map that is learnt with it; the rest is `loss`."""

    def __init__(
        self, net: Tagger, width: int, hidden: float, *, temperature: float, share: float
    ) -> None:
        super().__init__()
        self.map = nn.Linear(net.tags.in_features, width)
        self._hidden, self._how = hidden, (temperature, share)

    def forward(self, net: Tagger, batch: Batch, sets: Tensor) -> Tensor:
        last = net.hidden(*inputs(net, batch))
        rest = _by_tags(net.tags(last), batch, sets, self._how)
        return self._hidden * away(self.map(last), batch) + (1 - self._hidden) * rest


def away(found: Tensor, batch: Batch) -> Tensor:
    """The mean squared distance of hidden layers from the teachers', all of length 1."""
    wanted = functional.normalize(batch.hidden, dim=-1)
    units = (functional.normalize(found, dim=-1) - wanted).square().sum(-1)
    return (units * batch.mask).sum() / batch.mask.sum().clamp(min=1)


def distance(scores: Tensor, batch: Batch, temperature: float) -> Tensor:
    """The mean KL divergence of the student from the teacher, all tags that were not kept taken
    together: as if they were nothing, the student would unlearn them. The square of the temperature
    keeps the gradient as large as without."""
    kept = (scores.float() / temperature).softmax(-1).gather(-1, batch.tops)
    rest = (1 - kept.sum(-1, keepdim=True)).clamp(min=LEAST)
    given = torch.cat([kept.clamp(min=LEAST), rest], -1).log()
    wanted = batch.shares / batch.shares.sum(-1, keepdim=True).clamp(min=LEAST)
    units = (torch.xlogy(wanted, wanted) - wanted * given).sum(-1)
    return temperature**2 * (units * batch.mask).sum() / batch.mask.sum().clamp(min=1)


def source(
    ask: Callable[[int], Packed], folder: Path, reuse: int = 4, *, name: str, spare: bool = False
) -> Callable[[int], Packed]:
    """Data for `fit`: what `ask` gives, anew every `reuse` epochs, and kept in `folder` in between,
    so that training that goes on does not ask the teachers again. `spare`: what was said for other
    epochs stays there, for other trainings."""

    def epoch(number: int) -> Packed:
        turn = number // reuse
        path = folder / f"judged-{turn}-{name}.npz"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            ask(turn).save(folder / "judged-new.npz")
            for old in () if spare else folder.glob("judged-[0-9]*.npz"):
                old.unlink()
            (folder / "judged-new.npz").replace(path)
        return Packed.load(path)

    return epoch


def unlabelled(folder: Path, count: int, seed: int) -> list[Example]:
    """Up to `count` plain texts of a data folder: only what a teacher says of them is learnt."""
    texts = _texts(folder)
    chosen = random.Random(seed).sample(range(len(texts)), min(count, len(texts)))
    return [Example(f"text-{n}", texts[n], (), frozenset()) for n in chosen]


@cache
def _texts(folder: Path) -> tuple[str, ...]:
    found: list[str] = []
    for path in sorted(folder.glob("text/*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            found += (json.loads(line)["text"] for line in lines)
    return tuple(found)
