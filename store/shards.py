"""Vector shards: immutable Arrow IPC files in `vectors/<space>/`, read through the memory map.

One row is one segment: `start_seconds`, `end_seconds` (float64) and `vector` (float16 [dim]). Float16 keeps 11 bits:
a dot product of unit vectors moves by about 1e-4, far below what sets two answers apart.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pesearch.errors import LibraryDamaged
from pesearch.store.disk import write_durably
from pesearch.types import HalfArray, SegmentArray, Space, SpaceName, SpaceVectors

SHARD_FOLDER = "vectors"


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard as the catalogue registers it."""

    name: str
    space: SpaceName
    rows: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ShardRows:
    """The rows of a shard: `segments` float64 [n, 2] in seconds, `vectors` float16 [n, dim] in the memory map."""

    segments: SegmentArray
    vectors: HalfArray


def check_storable(vectors: SpaceVectors) -> None:
    """`ValueError` unless all values are finite in float16 (which ends at 65504)."""
    if not (np.abs(vectors.vectors) <= np.finfo(np.float16).max).all():
        raise ValueError(f"{vectors!r} holds values that are not finite in float16")


def write_shard(folder: Path, space: Space, parts: Sequence[SpaceVectors]) -> Shard:
    """Write the vectors of several files, one after the other, as a new shard of the library in `folder`."""
    name = f"{uuid.uuid4().hex}.arrow"
    path = shard_path(folder, space.name, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    batch = _record_batch(space, parts)

    def write(sink: BinaryIO) -> None:
        with pa.ipc.new_file(sink, batch.schema) as stream:
            stream.write_batch(batch)

    write_durably(path, write)
    return Shard(name, space.name, batch.num_rows, path.stat().st_size)


def read_shard(folder: Path, shard: Shard, dim: int) -> ShardRows:
    """Map a shard into memory. `FileNotFoundError` when it is gone, `LibraryDamaged` when it is not as written."""
    path = shard_path(folder, shard.space, shard.name)
    if path.stat().st_size != shard.size_bytes:
        raise LibraryDamaged(f"The vector shard {path} is not whole: index into a new library")
    try:
        batch = pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)
    except pa.ArrowException as error:
        raise LibraryDamaged(f"The vector shard {path} cannot be read: index into a new library") from error
    if not batch.schema.equals(_schema(dim)) or len(batch) != shard.rows:
        raise LibraryDamaged(f"The vector shard {path} holds other rows than registered: index into a new library")
    segments = np.stack([_values(batch.column(number), np.float64) for number in (0, 1)], axis=1)
    return ShardRows(segments, _values(batch.column(2).flatten(), np.float16).reshape(-1, dim))


def sweep_shards(folder: Path, registered: Iterable[Shard]) -> int:
    """Delete what no transaction registered, half-written or left behind. Bytes freed."""
    keep = {shard_path(folder, shard.space, shard.name) for shard in registered}
    strays = [path for path in (folder / SHARD_FOLDER).glob("*/*") if path not in keep and path.is_file()]
    freed_bytes = sum(path.stat().st_size for path in strays)
    for path in strays:
        path.unlink()
    return freed_bytes


def shard_path(folder: Path, space: SpaceName, name: str) -> Path:
    """Where a shard of the library in `folder` is."""
    return folder / SHARD_FOLDER / space.value / name


def _schema(dim: int) -> pa.Schema:
    seconds = [(name, pa.float64()) for name in ("start_seconds", "end_seconds")]
    return pa.schema([*seconds, ("vector", pa.list_(pa.float16(), dim))])


def _record_batch(space: Space, parts: Sequence[SpaceVectors]) -> pa.RecordBatch:
    segments = np.concatenate([part.segments for part in parts])
    vectors = np.concatenate([part.vectors for part in parts]).astype(np.float16)
    columns = [
        _column(pa.float64(), segments[:, 0]),
        _column(pa.float64(), segments[:, 1]),
        pa.FixedSizeListArray.from_arrays(_column(pa.float16(), vectors), space.dim),
    ]
    origin = {"space": space.name.value, "model": space.model, "revision": space.revision}
    return pa.RecordBatch.from_arrays(columns, schema=_schema(space.dim).with_metadata(origin))


# `pa.array` and `Array.to_numpy` would do what the next two do, but import pandas first.
def _column(kind: pa.DataType, values: npt.NDArray[Any]) -> pa.Array:
    return pa.Array.from_buffers(kind, values.size, [None, pa.py_buffer(np.ascontiguousarray(values))])


def _values(column: pa.Array, kind: type[np.generic]) -> npt.NDArray[Any]:
    item_bytes = np.dtype(kind).itemsize
    return np.frombuffer(column.buffers()[1], kind, count=len(column), offset=column.offset * item_bytes)
