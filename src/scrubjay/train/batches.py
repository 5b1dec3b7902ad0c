"""Packed examples, and batches of like length from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scrubjay.model.tokens import PIECES, Tokens
from scrubjay.model.windows import flat
from scrubjay.train.corpora import Example
from scrubjay.train.targets import Targets

WINDOW = 192  # units of a training window


class Packed(NamedTuple):
    """Windows of units, one after another. `tops` and `shares` are what a teacher says of each
    unit: its most probable tags; how probable each is, and all others. `hidden`: where its last
    layer points, in steps of the unit's own. No columns: no teacher, or not asked for."""

    pieces: NDArray[np.int32]
    marks: NDArray[np.uint8]  # shape, gap, hint
    targets: NDArray[np.uint16]
    lengths: NDArray[np.int32]
    sets: NDArray[np.float32]
    tops: NDArray[np.uint8] = np.zeros((0, 0), np.uint8)
    shares: NDArray[np.float16] = np.zeros((0, 0), np.float16)
    hidden: NDArray[np.int8] = np.zeros((0, 0), np.int8)

    def save(self, path: Path) -> None:
        """Write to one file."""
        np.savez_compressed(path, **self._asdict())

    @classmethod
    def load(cls, path: Path) -> Packed:
        """Read it back."""
        with np.load(path) as file:
            return cls(**{name: file[name] for name in cls._fields if name in file})


def pack(examples: Iterable[Example], tokens: Tokens, targets: Targets) -> Packed:
    """The examples cut into windows."""
    pieces, marks, wanted, lengths = [], [], [], []
    for example in examples:
        units = tokens.units([example.text])[0]
        if not len(units.starts):
            continue
        pieces.append(units.pieces)
        marks.append(np.stack([units.shapes, units.gaps, units.hints], 1).astype(np.uint8))
        wanted.append(targets.of(units, example.spans, example.covered))
        lengths += _windows(len(units.starts))
    return Packed(
        np.concatenate(pieces), np.concatenate(marks), np.concatenate(wanted),
        np.array(lengths, np.int32), targets.table(),
    )  # fmt: skip


def _windows(count: int) -> list[int]:
    """Lengths of even windows that hold so many units."""
    parts = -(-count // WINDOW)
    return [count * (part + 1) // parts - count * part // parts for part in range(parts)]


class Batch(NamedTuple):
    """Tensors of one step. `firsts` is for encoders, `mask` tells units from padding."""

    pieces: Tensor
    shapes: Tensor
    gaps: Tensor
    hints: Tensor
    firsts: Tensor
    mask: Tensor
    targets: Tensor
    tops: Tensor
    shares: Tensor
    hidden: Tensor


def batches(
    packed: Packed, size: int, generator: np.random.Generator, *, encoder: bool, forget: float = 0.0
) -> Iterator[Batch]:
    """One epoch in random order, each batch of about `size` units of windows of like length.
    `forget`: the share of units whose hint is hidden, so that the net does not lean on it."""
    starts = starts_of(packed)
    noise = generator.uniform(0.9, 1.1, len(packed.lengths))
    order = np.argsort(packed.lengths * noise, kind="stable")
    groups: list[list[int]] = [[]]
    held = 0
    for window in order:
        length = int(packed.lengths[window])
        if groups[-1] and held + length > size:
            groups.append([])
            held = 0
        groups[-1].append(int(window))
        held += length
    for group in generator.permutation(len(groups)):
        chosen = groups[group]
        yield make(packed, [(int(starts[w]), int(packed.lengths[w])) for w in chosen],
                   generator, encoder=encoder, forget=forget)  # fmt: skip


def starts_of(packed: Packed) -> NDArray[np.int64]:
    """Where each window begins."""
    return np.cumsum(packed.lengths, dtype=np.int64) - packed.lengths


def make(
    packed: Packed, windows: Sequence[tuple[int, int]], generator: np.random.Generator, *,
    encoder: bool, forget: float = 0.0,
) -> Batch:  # fmt: skip
    """The tensors of some windows."""
    count, longest = len(windows), max(length for _, length in windows)
    pieces = np.zeros((count, longest, PIECES), np.int64)
    marks = np.zeros((count, longest, 3), np.int64)
    targets = np.zeros((count, longest), np.int64)
    mask = np.zeros((count, longest), np.float32)
    tops = np.zeros((count, longest, packed.tops.shape[1]), np.int64)
    shares = np.zeros((count, longest, packed.shares.shape[1]), np.float32)
    hidden = np.zeros((count, longest, packed.hidden.shape[1]), np.float32)
    for row, (start, length) in enumerate(windows):
        end = start + length
        pieces[row, :length] = packed.pieces[start:end]
        marks[row, :length] = packed.marks[start:end]
        targets[row, :length] = packed.targets[start:end]
        mask[row, :length] = 1
        if packed.tops.shape[1]:
            tops[row, :length] = packed.tops[start:end]
            shares[row, :length] = packed.shares[start:end]
        if packed.hidden.shape[1]:
            hidden[row, :length] = packed.hidden[start:end]
    if forget:
        marks[..., 2][generator.random((count, longest)) < forget] = 0
    firsts = np.zeros((count, longest), np.int64)
    if encoder:
        pieces, marks, firsts = flat(pieces, marks)
    return Batch(*map(torch.from_numpy, (
        pieces, *(np.ascontiguousarray(marks[..., n]) for n in range(3)), firsts, mask, targets,
        tops, shares, hidden,
    )))  # fmt: skip


def sets_of(packed: Packed) -> Tensor:
    """For `net.surprise`."""
    return torch.from_numpy(packed.sets)
