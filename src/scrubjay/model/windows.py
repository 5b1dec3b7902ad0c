"""Units laid out for a net: word by word for convolutions, piece by piece for an encoder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scrubjay.model.tokens import CLS, SEP, Units

Array = NDArray[np.int64]
Feeds = dict[str, NDArray[np.generic]]


def by_word(windows: Sequence[Units]) -> Feeds:
    """What is known of each word, once however often it stands there, and where it stands."""
    units, there = _together(windows)
    _, at, words = np.unique(units.spellings, return_index=True, return_inverse=True)
    feeds: Feeds = {
        name: column[at].astype(np.int64)
        for name, column in (
            ("pieces", units.pieces),
            ("shapes", units.shapes),
            ("hints", units.hints),
        )
    }
    return feeds | {
        "gaps": _laid_out(units.gaps, there), "words": _laid_out(words, there),
        "mask": there.astype(np.float32),
    }  # fmt: skip


def in_line(windows: Sequence[Units]) -> Feeds:
    """The pieces in line, each unit's marks at each of its pieces, and where each unit begins."""
    units, there = _together(windows)
    marks = np.stack([units.shapes, units.gaps, units.hints], 1)
    pieces, wide, firsts = flat(_laid_out(units.pieces, there), _laid_out(marks, there))
    names = ("shapes", "gaps", "hints")
    told = {name: np.ascontiguousarray(wide[..., n]) for n, name in enumerate(names)}
    return {"pieces": pieces, **told, "firsts": firsts}


def _together(windows: Sequence[Units]) -> tuple[Units, NDArray[np.bool_]]:
    """The units of all windows, and where they are when each window is a row."""
    lengths = np.array([len(window.starts) for window in windows])
    there = np.arange(lengths.max()) < lengths[:, None]
    if len(windows) == 1:
        return windows[0], there
    return Units(*map(np.concatenate, zip(*windows, strict=True))), there


def _laid_out(column: NDArray[np.integer], there: NDArray[np.bool_]) -> Array:
    whole = np.zeros((*there.shape, *column.shape[1:]), np.int64)
    whole[there] = column
    return whole


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
