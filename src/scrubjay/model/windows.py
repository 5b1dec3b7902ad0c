"""Units laid out for an encoder: piece by piece, between [CLS] and [SEP]."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scrubjay.model.tokens import CLS, SEP

Array = NDArray[np.int64]


def flat(pieces: Array, marks: Array) -> tuple[Array, Array, Array]:
    """From [texts, units, PIECES] and [texts, units, marks]: the pieces in line, each unit's marks
    at each of its pieces, and where each unit begins."""
    held = (pieces > 0).sum(2)
    ends = np.cumsum(held, 1) + 1
    rows, at, part = np.nonzero(pieces)
    place = ends[rows, at] - held[rows, at] + part
    line = np.zeros((len(pieces), int(ends[:, -1].max()) + 1), np.int64)
    wide = np.zeros((*line.shape, marks.shape[2]), np.int64)
    line[:, 0] = CLS
    line[np.arange(len(pieces)), ends[:, -1]] = SEP
    line[rows, place] = pieces[rows, at, part]
    wide[rows, place] = marks[rows, at]
    return line, wide, ends - held
