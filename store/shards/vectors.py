"""Vectors on disk: one shard in `vectors/<space>/` for each batch and space.

A row is a segment: `start_seconds`, `end_seconds` (float64) and `vector` (float16 [dim]). Float16 has 11 bits of
precision: a dot product of unit vectors changes by about 1e-4, far less than the difference between two hits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pesearch.store.disk.durable import undone_by
from pesearch.store.shards.format import VECTOR_FOLDER, RowStream, VectorShard, to_column, to_half_column
from pesearch.store.shards.reader import RowBatch, read_batches
from pesearch.types import HalfArray, SegmentArray, Space, SpaceVectors


@dataclass(frozen=True, slots=True)
class ShardRows:
    """Rows of a shard: `starts` and `ends` float64 [n] in seconds, `vectors` float16 [n, dim].

    They are views of the rows of a record batch from its row `offset` on.
    """

    starts: npt.NDArray[np.float64]
    ends: npt.NDArray[np.float64]
    vectors: HalfArray
    batch: RowBatch | None = None
    offset: int = 0

    @property
    def segments(self) -> SegmentArray:
        """The segments, float64 [n, 2] in seconds."""
        return np.stack([self.starts, self.ends], axis=1)

    def between(self, first: int, stop: int) -> ShardRows:
        """The rows from `first` to before `stop`."""
        rows = slice(first, stop)
        return ShardRows(self.starts[rows], self.ends[rows], self.vectors[rows], self.batch, self.offset + first)


def check_storable(vectors: SpaceVectors) -> None:
    """Raises ValueError unless all values are finite in float16, whose maximum is 65504."""
    least, largest = vectors.vectors.min(initial=0.0), vectors.vectors.max(initial=0.0)  # NaN if any is
    limit = np.finfo(np.float16).max
    if not (-limit <= least and largest <= limit):
        raise ValueError(f"{vectors!r} has values that are not finite in float16")


def check_file_vectors(vectors: SpaceVectors) -> None:
    """As `check_storable`, and the segments of a media file must be in order of time, by start and by end."""
    check_storable(vectors)
    if (np.diff(vectors.segments, axis=0) < 0).any():
        raise ValueError(f"{vectors!r} has segments that are not in order of time")


class VectorStream:
    """Writes a new shard of one space to the library in `folder`, file by file."""

    def __init__(self, folder: Path, space: Space, batch_rows: int) -> None:
        origin = {"space": space.name.value, "model": space.model, "revision": space.revision}
        self._space = space
        self._schema = vector_schema(space.dim).with_metadata(origin)
        self._rows = RowStream(folder / VECTOR_FOLDER / space.name.value, self._schema, batch_rows)

    def append(self, part: SpaceVectors) -> None:
        """Append vectors of one file."""
        starts, ends = (to_column(pa.float64(), part.segments[:, number]) for number in (0, 1))
        columns = [starts, ends, to_half_column(part.vectors.astype(np.float16))]
        self._rows.append(pa.RecordBatch.from_arrays(columns, schema=self._schema))

    def finish(self) -> VectorShard:
        """Complete the shard: it is durable."""
        rows = self._rows
        rows.finish()
        return VectorShard(rows.name, self._space.name, rows.rows, rows.size_bytes, rows.checksum)

    def discard(self) -> None:
        """Delete the shard, finished or not."""
        self._rows.discard()


def write_shard(folder: Path, space: Space, parts: Sequence[SpaceVectors]) -> VectorShard:
    """Write the vectors of several files, one after the other, as a new shard of the library in `folder`."""
    stream = VectorStream(folder, space, batch_rows=sum(len(part.vectors) for part in parts))
    with undone_by(stream.discard):
        for part in parts:
            stream.append(part)
        return stream.finish()


def map_shard(folder: Path, shard: VectorShard, dim: int) -> list[ShardRows]:
    """The rows of a shard by record batch, not checked. Errors as in `read_batches`."""
    return [to_rows(batch) for batch in read_batches(folder, shard, vector_schema(dim))]


def to_rows(batch: RowBatch) -> ShardRows:
    """The rows of a record batch."""
    starts, ends, vectors = batch.columns
    return ShardRows(starts, ends, vectors, batch)


def slice_rows(batches: Sequence[ShardRows], first_row: int, rows: int) -> Iterator[ShardRows]:
    """`rows` rows of a shard from `first_row`, split at its record batches, as `map_shard` returns them."""
    size, stop = len(batches[0].vectors), first_row + rows
    for number in range(first_row // size, math.ceil(stop / size)):
        start = number * size
        yield batches[number].between(max(first_row - start, 0), stop - start)


def vector_schema(dim: int) -> pa.Schema:
    """The schema of a shard of vectors of `dim` numbers."""
    seconds = [(name, pa.float64()) for name in ("start_seconds", "end_seconds")]
    return pa.schema([*seconds, ("vector", pa.list_(pa.float16(), dim))])
