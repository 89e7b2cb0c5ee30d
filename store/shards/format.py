"""Code shared by both kinds of shards, vectors and codec features: names, writing, columns, sweeping.

A shard is an immutable Arrow IPC file, written once.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pesearch.errors import LibraryDamaged
from pesearch.store.disk.durable import AtomicFile, make_folder
from pesearch.store.shards.parity import RowGuard
from pesearch.types import HalfArray, SpaceName

VECTOR_FOLDER = "vectors"
FEATURE_FOLDER = "features"

_SHARD_NAME = re.compile(r"[0-9a-f]{32}\.arrow(\.new)?")
"""The names of shards, and of those that are being written."""

_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class VectorShard:
    """A shard of vectors of one space, as registered in the catalogue. Shards of older programs have no `checksum`."""

    name: str
    space: SpaceName
    rows: int
    size_bytes: int
    checksum: str | None

    @property
    def relative_path(self) -> Path:
        """The path of the file, relative to the library's folder."""
        return Path(VECTOR_FOLDER, self.space.value, self.name)

    @property
    def kind(self) -> tuple[str, ...]:
        """Shards of the same kind can be merged."""
        return (VECTOR_FOLDER, self.space.value)


@dataclass(frozen=True, slots=True)
class FeatureShard:
    """A shard of features of one codec with `dim` numbers per step; see `VectorShard`."""

    name: str
    codec: str
    dim: int
    rows: int
    size_bytes: int
    checksum: str | None

    @property
    def relative_path(self) -> Path:
        """The path of the file, relative to the library's folder."""
        return Path(FEATURE_FOLDER, self.name)

    @property
    def kind(self) -> tuple[str, ...]:
        """Shards of the same kind can be merged."""
        return (FEATURE_FOLDER, self.codec, str(self.dim))


Shard = VectorShard | FeatureShard


class RowStream:
    """Writes a new shard row by row. `name` and `rows` so far; once finished, `size_bytes` and `checksum` too.

    All record batches but the last have the same number of rows, so that a reader can find the batch of a row.
    """

    def __init__(self, folder: Path, schema: pa.Schema, batch_rows: int) -> None:
        make_folder(folder)
        self.name = f"{uuid.uuid4().hex}.arrow"
        self.rows, self.size_bytes, self.checksum = 0, 0, ""
        self._path = folder / self.name
        self._file = AtomicFile(self._path, durable=True)
        self._sink = HashedSink(self._file.sink)
        self._writer = pa.ipc.new_file(self._sink, schema)
        self._batch_rows = batch_rows
        self._waiting: list[pa.RecordBatch] = []

    def append(self, batch: pa.RecordBatch) -> None:
        """Append any number of rows."""
        self._waiting.append(batch)
        self.rows += batch.num_rows
        waiting = sum(each.num_rows for each in self._waiting)
        if waiting >= self._batch_rows:
            self._write(waiting // self._batch_rows * self._batch_rows)

    def finish(self) -> None:
        """Complete the shard: it is durable under its name."""
        if self._waiting:
            self._write(self.rows)
        self._writer.close()
        self.size_bytes, self.checksum = self._file.commit(), self._sink.hash.hexdigest()

    def discard(self) -> None:
        """Delete the shard, finished or not."""
        self._file.abandon()
        self._path.unlink(missing_ok=True)

    def _write(self, rows: int) -> None:
        """Write the first `rows` of the waiting rows."""
        waiting = pa.Table.from_batches(self._waiting).combine_chunks()
        for batch in waiting.slice(0, rows).to_batches(max_chunksize=self._batch_rows):
            guard = RowGuard.of([to_array(column) for column in batch.columns])
            self._writer.write_batch(batch, custom_metadata=guard.to_metadata())
        self._waiting = waiting.slice(rows).to_batches()


class HashedSink:
    """A file for Arrow to write to that hashes the bytes on the way."""

    closed = False

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self.hash = new_hash()

    def write(self, part: bytes | pa.Buffer) -> int:
        """Write a part; Arrow calls it."""
        self.hash.update(part)
        return self._sink.write(part)


def new_hash() -> hashlib.blake2b:
    """The hash for checksums of shards, which are its hex digests: BLAKE2b of 128 bits."""
    return hashlib.blake2b(digest_size=16)


def is_as_written(path: Path, shard: Shard) -> bool:
    """Whether the file of a shard has its checksum; True if it was written by an older program, without one."""
    if shard.checksum is None:
        return True
    found = new_hash()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            found.update(piece)
    return found.hexdigest() == shard.checksum


def shard_damaged(path: Path | str, what: str) -> LibraryDamaged:
    """The error for a damaged shard. `what` completes "The shard PATH ..."."""
    return LibraryDamaged(f"The shard {path} {what}: run `pesearch doctor --repair`")


def find_strays(folder: Path, registered: Iterable[Shard]) -> list[Path]:
    """The shards in the library in `folder` that are none of these, finished or not.

    By name: a folder of shards may be a link, or a drive with other files, which are never touched.
    """
    keep = {folder / shard.relative_path for shard in registered}
    found = [*(folder / VECTOR_FOLDER).glob("*/*"), *(folder / FEATURE_FOLDER).glob("*")]
    return [path for path in found if path not in keep and _SHARD_NAME.fullmatch(path.name) and path.is_file()]


def to_array(column: pa.Array) -> npt.NDArray[Any]:
    """The values of a column, [n] or [n, dim]: a read-only view."""
    return from_half_column(column) if pa.types.is_fixed_size_list(column.type) else from_column(column, np.float64)


# Not `pa.array` and `Array.to_numpy`: they import pandas.
def to_column(kind: pa.DataType, values: npt.NDArray[Any]) -> pa.Array:
    """A column over values of the type `kind`: a view if they are contiguous."""
    return pa.Array.from_buffers(kind, values.size, [None, pa.py_buffer(np.ascontiguousarray(values))])


def to_record_batch(schema: pa.Schema, columns: Sequence[npt.NDArray[Any]]) -> pa.RecordBatch:
    """A record batch from columns as `to_array` gives them."""
    pairs = zip(schema.types, columns, strict=True)
    made = (to_column(kind, column) if column.ndim == 1 else to_half_column(column) for kind, column in pairs)
    return pa.RecordBatch.from_arrays(list(made), schema=schema)


def from_column(column: pa.Array, kind: type[np.generic]) -> npt.NDArray[Any]:
    """The values of a column of the type `kind`: a read-only view."""
    item_bytes = np.dtype(kind).itemsize
    return np.frombuffer(column.buffers()[1], kind, count=len(column), offset=column.offset * item_bytes)


def to_half_column(rows: HalfArray) -> pa.Array:
    """A column of lists from float16 [n, dim], as `to_column`."""
    return pa.FixedSizeListArray.from_arrays(to_column(pa.float16(), rows), rows.shape[1])


def from_half_column(column: pa.Array) -> HalfArray:
    """Float16 [n, dim] from a column of lists, as `from_column`."""
    size = column.type.list_size  # not `column.flatten()`, which imports pyarrow.compute (60 ms)
    return from_column(column.values, np.float16)[column.offset * size :][: len(column) * size].reshape(-1, size)
