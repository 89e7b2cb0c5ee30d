"""Vector shards: immutable Arrow IPC files in `vectors/<space>/`, read through the memory map.

One row is one segment: `start_seconds`, `end_seconds` (float64) and `vector` (float16 [dim]). Float16 keeps 11 bits:
a dot product of unit vectors moves by about 1e-4, far below what sets two answers apart.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pesearch.errors import LibraryDamaged
from pesearch.store.disk import write_durably
from pesearch.types import SegmentArray, Space, SpaceName, SpaceVectors

HalfArray = npt.NDArray[np.float16]
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
    """Map a shard into memory. `FileNotFoundError` when it is gone, `LibraryDamaged` when it is not what was written."""
    path = shard_path(folder, shard.space, shard.name)
    if path.stat().st_size != shard.size_bytes:
        raise LibraryDamaged(f"The vector shard {path} is not whole: index into a new library")
    try:
        batch = pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)
        segments = np.stack([batch.column(name).to_numpy() for name in ("start_seconds", "end_seconds")], axis=1)
        vectors = batch.column("vector").flatten().to_numpy().reshape(-1, dim)
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise LibraryDamaged(f"The vector shard {path} cannot be read: index into a new library") from error
    if vectors.dtype != np.float16 or len(vectors) != shard.rows:
        raise LibraryDamaged(f"The vector shard {path} holds other rows than registered: index into a new library")
    return ShardRows(segments, vectors)


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


def _record_batch(space: Space, parts: Sequence[SpaceVectors]) -> pa.RecordBatch:
    segments = np.concatenate([part.segments for part in parts])
    vectors = np.concatenate([part.vectors for part in parts]).astype(np.float16)
    columns = {
        "start_seconds": pa.array(segments[:, 0]),
        "end_seconds": pa.array(segments[:, 1]),
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), space.dim),
    }
    origin = {"space": space.name.value, "model": space.model, "revision": space.revision}
    return pa.record_batch(columns).replace_schema_metadata(origin)
