"""Codec features on disk: one shard in `features/` for each batch, codec and dimension.

One row is one step: `step` (float16 [dim]); row i of a file begins `i * timeline.STEP_SECONDS` after its start.
A ten-hour file has 900,000 steps, so they are checked and written in pieces, and only what is asked for is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np
import pyarrow as pa

from pesearch.store.shards import (
    FEATURE_FOLDER,
    FeatureShard,
    from_half_column,
    read_rows,
    to_half_column,
    write_rows,
)
from pesearch.store.snapshot import Snapshot
from pesearch.types import CodecFeatures, HalfArray

PIECE_STEPS = 1 << 16
"""The steps of one record batch at most: 44 minutes, 16 MiB at 128 numbers a step."""


def check_features(features: CodecFeatures) -> None:
    """`ValueError` unless all values are finite float16."""
    if features.steps.dtype != np.float16:
        raise ValueError(f"{features!r} holds {features.steps.dtype}, not float16")
    if not all(np.isfinite(piece).all() for piece in _pieces([features])):
        raise ValueError(f"{features!r} holds values that are not finite")


def write_features(folder: Path, parts: Sequence[CodecFeatures]) -> FeatureShard:
    """Write the features of several files, all of one codec, as a new shard of the library in `folder`."""
    codec, dim = parts[0].codec, parts[0].steps.shape[1]
    schema = _schema(dim).with_metadata({"codec": codec})
    batches = (pa.RecordBatch.from_arrays([to_half_column(piece)], schema=schema) for piece in _pieces(parts))
    name, rows, size_bytes = write_rows(folder / FEATURE_FOLDER, schema, batches)
    return FeatureShard(name, codec, dim, rows, size_bytes)


def read_features(
    folder: Path, snapshot: Snapshot, file_id: int, start_step: int, stop_step: int | None
) -> CodecFeatures | None:
    """The steps from `start_step` to before `stop_step` of a file, as far as it has them, in memory of their own.

    `FileNotFoundError` when the shard is gone, `LibraryDamaged` when it is not as written.
    """
    extent = snapshot.features.find(file_id)
    if extent is None:
        return None
    shard, first = extent.shard, extent.first_row
    start = min(max(start_step, 0), extent.rows)
    stop = extent.rows if stop_step is None else min(max(stop_step, start), extent.rows)
    batches = read_rows(folder, shard, _schema(shard.dim), first + start, first + stop)
    nothing = np.empty((0, shard.dim), dtype=np.float16)
    steps = np.concatenate([nothing, *(from_half_column(batch.column(0)) for batch in batches)])
    return CodecFeatures(shard.codec, steps)


def _schema(dim: int) -> pa.Schema:
    return pa.schema([("step", pa.list_(pa.float16(), dim))])


def _pieces(parts: Sequence[CodecFeatures]) -> Iterator[HalfArray]:
    """The steps of all parts, one after the other, in pieces that reach over their borders."""
    *starts, end = accumulate((len(part.steps) for part in parts), initial=0)
    for first in range(0, end, PIECE_STEPS):
        ranges = [slice(max(first - start, 0), max(first + PIECE_STEPS - start, 0)) for start in starts]
        yield np.concatenate([part.steps[each] for part, each in zip(parts, ranges, strict=True)])
