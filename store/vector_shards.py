"""Vectors on disk: one shard in `vectors/<space>/` for each batch and space.

One row is one segment: `start_seconds`, `end_seconds` (float64) and `vector` (float16 [dim]). Float16 keeps 11 bits:
a dot product of unit vectors moves by about 1e-4, far below what sets two answers apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from pesearch.store.shards import (
    VECTOR_FOLDER,
    VectorShard,
    from_column,
    from_half_column,
    read_rows,
    to_column,
    to_half_column,
    write_rows,
)
from pesearch.types import HalfArray, SegmentArray, Space, SpaceVectors


@dataclass(frozen=True, slots=True)
class ShardRows:
    """The rows of a shard: `segments` float64 [n, 2] in seconds, `vectors` float16 [n, dim] in the memory map."""

    segments: SegmentArray
    vectors: HalfArray


def check_storable(vectors: SpaceVectors) -> None:
    """`ValueError` unless all values are finite in float16 (which ends at 65504)."""
    if not (np.abs(vectors.vectors) <= np.finfo(np.float16).max).all():
        raise ValueError(f"{vectors!r} holds values that are not finite in float16")


def write_shard(folder: Path, space: Space, parts: Sequence[SpaceVectors]) -> VectorShard:
    """Write the vectors of several files, one after the other, as a new shard of the library in `folder`."""
    batch = _record_batch(space, parts)
    name, rows, size_bytes = write_rows(folder / VECTOR_FOLDER / space.name.value, batch.schema, [batch])
    return VectorShard(name, space.name, rows, size_bytes)


def read_shard(folder: Path, shard: VectorShard, dim: int) -> ShardRows:
    """Map a shard into memory. `FileNotFoundError` when it is gone, `LibraryDamaged` when it is not as written."""
    batch = read_rows(folder, shard, _schema(dim))[0]
    segments = np.stack([from_column(batch.column(number), np.float64) for number in (0, 1)], axis=1)
    return ShardRows(segments, from_half_column(batch.column(2)))


def _schema(dim: int) -> pa.Schema:
    seconds = [(name, pa.float64()) for name in ("start_seconds", "end_seconds")]
    return pa.schema([*seconds, ("vector", pa.list_(pa.float16(), dim))])


def _record_batch(space: Space, parts: Sequence[SpaceVectors]) -> pa.RecordBatch:
    segments = np.concatenate([part.segments for part in parts])
    vectors = np.concatenate([part.vectors for part in parts]).astype(np.float16)
    columns = [
        to_column(pa.float64(), segments[:, 0]),
        to_column(pa.float64(), segments[:, 1]),
        to_half_column(vectors),
    ]
    origin = {"space": space.name.value, "model": space.model, "revision": space.revision}
    return pa.RecordBatch.from_arrays(columns, schema=_schema(space.dim).with_metadata(origin))
