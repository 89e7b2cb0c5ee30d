"""Vectors on disk: one shard in `vectors/<space>/` for each batch and space.

One row is one segment: `start_seconds`, `end_seconds` (float64) and `vector` (float16 [dim]). Float16 keeps 11 bits:
a dot product of unit vectors moves by about 1e-4, far below what sets two answers apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pesearch.store.shards import (
    VECTOR_FOLDER,
    RowStream,
    VectorShard,
    from_column,
    from_half_column,
    read_rows,
    to_column,
    to_half_column,
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


class VectorStream:
    """A new shard of one space in the library in `folder`, written as its vectors come."""

    def __init__(self, folder: Path, space: Space, batch_rows: int) -> None:
        origin = {"space": space.name.value, "model": space.model, "revision": space.revision}
        self._space = space
        self._schema = vector_schema(space.dim).with_metadata(origin)
        self._rows = RowStream(folder / VECTOR_FOLDER / space.name.value, self._schema, batch_rows)

    def append(self, part: SpaceVectors) -> None:
        """The vectors of one file, or more of them."""
        starts, ends = (to_column(pa.float64(), part.segments[:, number]) for number in (0, 1))
        columns = [starts, ends, to_half_column(part.vectors.astype(np.float16))]
        self._rows.append(pa.RecordBatch.from_arrays(columns, schema=self._schema))

    def finish(self) -> VectorShard:
        """The shard, whole and durable."""
        rows = self._rows
        rows.finish()
        return VectorShard(rows.name, self._space.name, rows.rows, rows.size_bytes, rows.checksum)

    def discard(self) -> None:
        """Leaves nothing of it."""
        self._rows.discard()


def write_shard(folder: Path, space: Space, parts: Sequence[SpaceVectors]) -> VectorShard:
    """Write the vectors of several files, one after the other, as a new shard of the library in `folder`."""
    stream = VectorStream(folder, space, batch_rows=sum(len(part.vectors) for part in parts))
    try:
        for part in parts:
            stream.append(part)
        return stream.finish()
    except BaseException:
        stream.discard()
        raise


def read_shard(folder: Path, shard: VectorShard, dim: int) -> ShardRows:
    """Map a shard into memory. `FileNotFoundError` when it is gone, `LibraryDamaged` when it is not as written."""
    batches = read_rows(folder, shard, vector_schema(dim))
    starts, ends = (_joined([from_column(batch.column(at), np.float64) for batch in batches]) for at in (0, 1))
    return ShardRows(
        np.stack([starts, ends], axis=1), _joined([from_half_column(batch.column(2)) for batch in batches])
    )


def _joined(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """One part is left where it is, in the memory map."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def vector_schema(dim: int) -> pa.Schema:
    """The columns of a shard."""
    seconds = [(name, pa.float64()) for name in ("start_seconds", "end_seconds")]
    return pa.schema([*seconds, ("vector", pa.list_(pa.float16(), dim))])
