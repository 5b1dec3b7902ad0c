"""Values of Arrow arrays as texts, and texts as values of an array's own type."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scrubjay.formats.work import Work

TEXT = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
BYTES = (
    pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view,
    pa.types.is_fixed_size_binary,
)  # fmt: skip
VARYING = (*TEXT[:2], *BYTES[:2])
STILL = (pa.types.is_null, pa.types.is_boolean, pa.types.is_duration, pa.types.is_interval)


def texts(array: pa.Array) -> list[Any]:
    """Each value as text, or as bytes; None where there is nothing to be seen."""
    kind = array.type
    if any(still(kind) for still in STILL):
        return [None] * len(array)
    if any(binary(kind) for binary in BYTES):
        return list(array.to_pylist())
    if pa.types.is_string_view(kind):
        array = array.cast(pa.large_string())
    elif pa.types.is_temporal(kind):
        array = _naive(array).cast(pa.string())
    return [None if v is None else str(v) for v in array.to_pylist()]


def _naive(array: pa.Array) -> pa.Array:
    """A time without its zone, as it is stored."""
    if pa.types.is_timestamp(array.type) and array.type.tz:
        return array.cast(pa.timestamp(array.type.unit))
    return array


def said(texts: list[Any]) -> list[str | None]:
    """Those that are texts."""
    return [v if isinstance(v, str) else None for v in texts]


def restored(array: pa.Array, changes: dict[int, Any], work: Work) -> pa.Array:
    """The array with other values, in its own type."""
    if not changes:
        return _bare(array)
    array, kind = _bare(array), array.type
    places = np.zeros(len(array), bool)
    places[list(changes)] = True
    new = [_value(changes[i], kind, work) for i in sorted(changes)]
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        wide = pa.large_string() if pa.types.is_string_view(kind) else pa.large_binary()
        return pc.replace_with_mask(array.cast(wide), pa.array(places), pa.array(new, wide)).cast(
            kind
        )
    return pc.replace_with_mask(array, pa.array(places), pa.array(new, kind))


def _bare(array: pa.Array) -> pa.Array:
    """The array in buffers of its own: a file may say something beneath what is none in it."""
    kind = array.type
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        wide = pa.large_string() if pa.types.is_string_view(kind) else pa.large_binary()
        return _bare(array.cast(wide)).cast(kind)
    if any(varies(kind) for varies in VARYING):
        return array.take(pa.array(np.arange(len(array))))
    if not array.null_count or pa.types.is_null(kind) or pa.types.is_boolean(kind):
        return array
    width, valid = kind.bit_width // 8, array.is_valid().to_numpy(zero_copy_only=False)
    values = np.frombuffer(array.buffers()[1], np.uint8)[array.offset * width :]
    values = np.where(valid[:, None], values[: len(array) * width].reshape(-1, width), np.uint8(0))
    bits = np.packbits(valid, bitorder="little")
    return pa.Array.from_buffers(kind, len(array), [pa.py_buffer(bits), pa.py_buffer(values)])


def _value(new: Any, kind: pa.DataType, work: Work) -> Any:
    """A substitute as a value of the type, or none."""
    fixed = pa.types.is_fixed_size_binary(kind)
    if new is None or any(text(kind) for text in TEXT):
        return new
    if isinstance(new, bytes) and not (fixed and len(new) != kind.byte_width):
        return new
    with contextlib.suppress(pa.ArrowException):
        if not fixed:
            return pa.scalar(new).cast(kind)
    work.dropped("value that its type cannot hold")
    return None
