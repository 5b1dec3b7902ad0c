"""Parquet and Arrow files (`parquet.v1`, `arrow.v1`): every value of every type, at every depth.

Types stay. What is no text is read as text and written as its own type again; where a substitute is
none of that type, nothing stands there. Metadata is left out; statistics are of what is written.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from msgspec import Struct

from scrubjay import plugins, processes
from scrubjay.errors import InputError
from scrubjay.formats import arrowvalues, blobs, fields, naming
from scrubjay.formats.columns import Columns, Row, Table
from scrubjay.formats.sink import Sink
from scrubjay.formats.subjects import Person
from scrubjay.formats.work import Work, seekable
from scrubjay.types import Document

ROWS = 1 << 14  # that are held at once, and at most in a row group
FREE = 1_000_000  # values that a file of any size may hold
MEMORY = 1 << 30  # bytes that reading it for a try may use
PATIENCE, RATE = 60.0, 1 << 20  # seconds for that: so many, and one for so many bytes
DEEPEST = 64  # types within types
FIELD_ID = b"PARQUET:field_id"


class Arrow:
    """Both kinds. `group` names the column that tells whose row it is."""

    def __init__(self, name: str, group: str) -> None:
        self.name = name
        self.suffixes: tuple[str, ...] = SUFFIXES[name]
        self._group = group

    def convert(self, source: BinaryIO, target: BinaryIO, work: Work) -> None:
        """Some rows after others."""
        with _told():
            read = _parquet if self.name == "parquet.v1" else _ipc
            source = seekable(source)
            _survived(read, source, work)
            _convert(read(source, work), self._group, target, work)

    def tables(self, source: BinaryIO, work: Work) -> Iterator[Table]:
        """The one there is."""
        read = _parquet if self.name == "parquet.v1" else _ipc
        with _told():
            names = read(source, work).schema.names
        yield Table(names, partial(_rows, read, names, source, work))


def _rows(
    read: _Read, names: list[str], source: BinaryIO, work: Work, columns: Sequence[int]
) -> Iterator[Row]:
    """Of columns that are flat, as texts. Two columns of one name are read together, and all where
    a name has a dot, which is a way into a column as well."""
    wanted = {names[column] for column in columns}
    dotted = any("." in name for name in names)
    kept = [i for i, name in enumerate(names) if dotted or name in wanted]
    with _told():
        for batch in read(source, work, kept).batches:
            empty: list[Any] = [None] * batch.num_rows
            cells = [empty] * len(names)
            for i, array in zip(kept, batch.columns, strict=True):
                leaves: list[_Leaf] = []
                _leaves(array, "", np.arange(batch.num_rows), leaves, i)
                if [leaf.column for leaf in leaves] == [i]:
                    cells[i] = arrowvalues.said(arrowvalues.texts(leaves[0].array))
            yield from zip(*cells, strict=True)


def _survived(read: _Read, source: BinaryIO, work: Work) -> None:
    """Read all of it once in a process of its own: a damaged file can end the one that reads it,
    which here would be a run's, with the outputs of others. What is merely wrong is told later."""
    if not hasattr(os, "fork"):
        return
    child = os.fork()
    if not child:
        faulthandler.disable()  # who asked tells of it
        with contextlib.suppress(BaseException):
            processes.bound(MEMORY)
            for _ in read(source, work, list(range(len(read(source, work).schema.names)))).batches:
                pass
        os._exit(0)
    size = source.seek(0, io.SEEK_END)
    patience = PATIENCE + size / RATE
    if not _ended(child, patience):
        raise InputError("damaged, or it means harm: its reader died of it")
    source.seek(0, io.SEEK_END)  # where it is was moved by the other, too
    source.seek(0)


def _ended(child: int, seconds: float) -> bool:
    """Whether a process came to its end by itself, and in time."""
    end, wait = time.monotonic() + seconds, 0.001
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(wait)
        wait = min(wait * 2, 0.1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


class _Opened(Struct):
    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    compression: Any = None  # of each column of a Parquet file
    parquet: bool = False


_Read = Callable[..., _Opened]


def _parquet(source: BinaryIO, work: Work, columns: Sequence[int] | None = None) -> _Opened:
    file = pq.ParquetFile(source)
    told = file.metadata
    groups = [told.row_group(i) for i in range(told.num_row_groups)]
    _bounded(told.num_rows * max(told.num_columns, 1), source, work)
    if sum(group.total_byte_size for group in groups) > work.limits.bytes:
        raise InputError(f"more than {work.limits.bytes >> 30} GiB when unpacked")
    codec = {
        group.column(i).path_in_schema: group.column(i).compression
        for group in groups[:1] for i in range(group.num_columns)
    }  # fmt: skip
    if told.metadata:
        work.dropped("metadata")
    schema = file.schema_arrow
    asked = None if columns is None else [schema.names[i] for i in columns]
    batches = file.iter_batches(ROWS, columns=asked, use_threads=asked is None)
    return _Opened(schema, batches, codec or "snappy", parquet=True)


def _ipc(source: BinaryIO, work: Work, columns: Sequence[int] | None = None) -> _Opened:
    options = pa.ipc.IpcReadOptions(included_fields=columns, use_threads=columns is None)
    file = pa.ipc.open_file(source, options=options)

    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(file.num_record_batches):
            batch = file.get_batch(number)
            batch.validate(full=True)
            _bounded(batch.num_rows * max(batch.num_columns, 1), source, work)
            yield from (batch.slice(at, ROWS) for at in range(0, max(batch.num_rows, 1), ROWS))

    if file.schema.metadata or file.metadata:
        work.dropped("metadata")
    return _Opened(file.schema, batches())


def _bounded(values: int, source: BinaryIO, work: Work) -> None:
    at = source.tell()
    size = source.seek(0, io.SEEK_END)
    source.seek(at)
    if values > work.limits.ratio * size + FREE or values > work.limits.bytes:
        raise InputError(
            f"{values:,} values in {size:,} bytes: more than a table is likely to hold"
        )


def _convert(opened: _Opened, group: str, target: BinaryIO, work: Work) -> None:
    columns = Columns(opened.schema.names, group)
    names = _names(opened.schema, work)
    schema = pa.schema([_field(field, names) for field in opened.schema])
    sink = Sink(target)
    if opened.parquet:
        codec = opened.compression
        if isinstance(codec, dict):
            codec = {_path(path, names): _codec(name) for path, name in codec.items()}
        writer: Any = pq.ParquetWriter(sink, schema, compression=codec)
    else:
        writer = pa.ipc.new_file(sink, schema)
    with writer:
        row = 1
        for batch in opened.batches:
            arrays = _Batch(batch, columns, work, row).cleaned()
            made = [_cast(array, field.type) for array, field in zip(arrays, schema, strict=True)]
            writer.write_batch(pa.record_batch(made, schema=schema))
            row += batch.num_rows


def _names(schema: pa.Schema, work: Work) -> dict[str, str]:
    """Every name of a field at every depth, and what becomes of it."""
    every = list(dict.fromkeys(_every_name(schema, 0)))
    told = naming.columns(every, "name of a column", work.clean)
    names: dict[str, str] = {}
    for old, new in zip(every, told, strict=True):
        names[old] = naming.unique(new, set(names.values()) | (set(every) - {old}))
    return names


def _every_name(fields_: Any, depth: int) -> Iterator[str]:
    if depth > DEEPEST:
        raise InputError(f"types within types, more than {DEEPEST} deep")
    for field in fields_:
        yield field.name
        yield from _every_name(_inner(field.type), depth + 1)


def _inner(kind: pa.DataType) -> list[pa.Field]:
    """The fields that a type is made of."""
    if isinstance(kind, pa.BaseExtensionType):
        return _inner(kind.storage_type)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return _inner(kind.value_type)
    return [kind.field(i) for i in range(kind.num_fields)]


def _codec(name: str) -> str:
    return name.lower().replace("uncompressed", "none")


def _path(path: str, names: dict[str, str]) -> str:
    return ".".join(names.get(part, part) for part in path.split("."))


def _field(field: pa.Field, names: dict[str, str]) -> pa.Field:
    """The field as it is written: without metadata, and empty where a value cannot stay."""
    number = (field.metadata or {}).get(FIELD_ID, b"")
    kept = {FIELD_ID: number} if number.lstrip(b"-").isdigit() else None
    kind = _type(field.type, names)
    text = any(text(kind) for text in arrowvalues.TEXT) or pa.types.is_nested(kind)
    return pa.field(names[field.name], kind, field.nullable or not text, kept)


def _type(kind: pa.DataType, names: dict[str, str]) -> pa.DataType:
    if isinstance(kind, pa.BaseExtensionType):
        return _type(kind.storage_type, names)
    if pa.types.is_run_end_encoded(kind):
        return _type(kind.value_type, names)
    if pa.types.is_struct(kind):
        return pa.struct([_field(field, names) for field in kind])
    if pa.types.is_map(kind):
        key, item = (
            _field(kind.key_field, names).with_nullable(False),
            _field(kind.item_field, names),
        )
        return pa.map_(key, item)
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_field(kind.value_field, names), kind.list_size)
    if pa.types.is_large_list(kind):
        return pa.large_list(_field(kind.value_field, names))
    if pa.types.is_list(kind):
        return pa.list_(_field(kind.value_field, names))
    if pa.types.is_dictionary(kind):
        return pa.dictionary(kind.index_type, kind.value_type, kind.ordered)
    if pa.types.is_nested(kind) or pa.types.is_union(kind):
        raise InputError(f"columns of the type {kind.id} are not read")
    return kind


class _Leaf(Struct):
    """Values of no inner type, each with the row that it is in."""

    array: pa.Array
    rows: Any
    name: str
    column: int  # -1: within another type


class _Batch:
    """Some rows on their way."""

    def __init__(self, batch: pa.RecordBatch, columns: Columns, work: Work, first: int) -> None:
        self._batch = batch
        self._columns = columns
        self._work = work
        self._first = first
        self._about: dict[int, Person] = {}

    def cleaned(self) -> list[pa.Array]:
        """The columns without what identifies."""
        leaves: list[_Leaf] = []
        rows = np.arange(self._batch.num_rows)
        for column, name in enumerate(self._batch.schema.names):
            _leaves(self._batch.column(column), name, rows, leaves, column)
        texts = [arrowvalues.texts(leaf.array) for leaf in leaves]
        new = self._changed(leaves, texts)
        made = iter(
            arrowvalues.restored(leaf.array, changes, self._work)
            for leaf, changes in zip(leaves, new, strict=True)
        )
        return [_rebuilt(array, made) for array in self._batch.columns]

    def _changed(self, leaves: list[_Leaf], texts: list[Any]) -> list[dict[int, Any]]:
        """Of each leaf, what its values become."""
        flat = {leaf.column: i for i, leaf in enumerate(leaves) if leaf.column >= 0}
        width = self._batch.num_columns
        empty = [None] * self._batch.num_rows
        cells = [texts[flat[c]] if c in flat else empty for c in range(width)]
        cells = [arrowvalues.said(column) for column in cells]
        rows = list(zip(*cells, strict=True)) if width else []
        wheres = [f"row {self._first + i}" for i in range(len(rows))]
        changes: list[dict[int, Any]] = [{} for _ in leaves]
        for row, column, text in self._columns.changes(rows, wheres, self._work):
            changes[flat[column]][row] = text
        for i, leaf in enumerate(leaves):
            self._deep(leaf, texts[i], changes[i], rows)
        return changes

    def _deep(self, leaf: _Leaf, texts: list[Any], changes: dict[int, Any], rows: Any) -> None:
        """Values within other types, and bytes."""
        places = [
            place for place, text in enumerate(texts)
            if text and (leaf.column < 0 or isinstance(text, bytes))
        ]  # fmt: skip
        documents = [self._document(leaf, place, texts[place], rows) for place in places]
        if documents and isinstance(texts[places[0]], bytes):
            new: list[Any] = [
                blobs.clean(texts[place], document, self._work)
                for place, document in zip(places, documents, strict=True)
            ]
        else:
            new = [result.text for result in self._work.clean(documents)]
        changes.update((p, v) for p, v in zip(places, new, strict=True) if v != texts[p])

    def _document(self, leaf: _Leaf, place: int, text: Any, rows: Any) -> Document:
        row = int(leaf.rows[place])
        if row not in self._about:
            self._about[row] = self._columns.about(rows[row], self._work.people)
        person = self._about[row]
        label = fields.label(leaf.name)
        said = text if isinstance(text, str) else ""
        where = f"row {self._first + row}"
        return Document(
            said, where, "und", person.group, leaf.name, label, {} if label else person.known
        )


def _leaves(array: pa.Array, name: str, rows: Any, found: list[_Leaf], column: int = -1) -> None:
    """All that hold values, in the order in which `_rebuilt` wants them."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        _leaves(array.storage, name, rows, found, column)
    elif pa.types.is_run_end_encoded(kind):
        _leaves(pc.run_end_decode(array), name, rows, found, column)
    elif pa.types.is_dictionary(kind):
        _leaves(array.dictionary_decode(), name, rows, found, column)
    elif pa.types.is_struct(kind):
        for i, field in enumerate(kind):
            _leaves(_child(array, i), f"{name}.{field.name}", rows, found)
    elif pa.types.is_map(kind):
        inner = _repeated(array, rows)
        keys, items = _map(array)
        _leaves(keys, f"{name}.key", inner, found)
        _leaves(items, name, inner, found)
    elif _is_list(kind):
        _leaves(array.flatten(), name, _repeated(array, rows), found)
    else:
        found.append(_Leaf(array, rows, name, column))


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def _child(array: pa.StructArray, i: int) -> pa.Array:
    """A field's values, none where the whole is none."""
    return array.flatten()[i]


def _map(array: pa.MapArray) -> tuple[pa.Array, pa.Array]:
    """Keys and items that are in some row."""
    whole = array.take(pa.array(range(len(array)), pa.int32()))  # nothing before, behind, beneath
    return whole.keys, whole.items


def _repeated(array: pa.Array, rows: Any) -> Any:
    """The row of each inner value."""
    return np.repeat(rows, _lengths(array))


def _lengths(array: pa.Array) -> Any:
    if pa.types.is_map(array.type):
        lengths = np.diff(array.offsets.to_numpy())
        return np.where(array.is_null().to_numpy(zero_copy_only=False), 0, lengths)
    return pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False)


def _rebuilt(array: pa.Array, made: Iterator[pa.Array]) -> pa.Array:
    """The array around its new leaves."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return _rebuilt(array.storage, made)
    if pa.types.is_run_end_encoded(kind):
        return _rebuilt(pc.run_end_decode(array), made)
    if pa.types.is_dictionary(kind):
        return _rebuilt(array.dictionary_decode(), made)
    mask = array.is_null()
    if pa.types.is_struct(kind):
        inner = [_rebuilt(_child(array, i), made) for i in range(kind.num_fields)]
        return (
            pa.StructArray.from_arrays(inner, [f.name for f in kind], mask=mask) if inner else array
        )
    if pa.types.is_map(kind):
        keys, items = _map(array)
        new_keys, new_items = _rebuilt(keys, made), _rebuilt(items, made)
        return pa.MapArray.from_arrays(_offsets(array, pa.int32()), new_keys, new_items)
    if pa.types.is_fixed_size_list(kind):
        return _fixed(array, _rebuilt(array.flatten(), made))
    if pa.types.is_large_list(kind):
        return pa.LargeListArray.from_arrays(
            _offsets(array, pa.int64()), _rebuilt(array.flatten(), made)
        )
    if pa.types.is_list(kind):
        return pa.ListArray.from_arrays(
            _offsets(array, pa.int32()), _rebuilt(array.flatten(), made)
        )
    return next(made)


def _fixed(array: pa.Array, inner: pa.Array) -> pa.Array:
    """Rows that are none hold none."""
    size = array.type.list_size
    valid = np.repeat(array.is_valid().to_numpy(zero_copy_only=False), size)
    take = np.where(valid, np.cumsum(valid) - 1, 0)
    spread = inner.take(pa.array(take, mask=~valid)) if len(valid) else inner
    return pa.FixedSizeListArray.from_arrays(spread, size, mask=array.is_null())


def _offsets(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """Where each row begins; none where the row is none."""
    ends = np.concatenate([[0], np.cumsum(_lengths(array))])
    none = np.append(array.is_null().to_numpy(zero_copy_only=False), [False])
    return pa.array(ends, kind, mask=none)


def _cast(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return array.dictionary_encode().cast(kind)
    return array.cast(kind) if array.type != kind else array


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError, ArithmeticError):
        raise InputError("damaged, encrypted, or written in a way that is not read") from None


SUFFIXES = {"parquet.v1": (".parquet", ".pq"), "arrow.v1": (".arrow", ".feather", ".ipc")}


def make(name: str, *, encoding: str, group: str) -> plugins.Format:
    """`parquet.v1` or `arrow.v1`."""
    return Arrow(name, group)
