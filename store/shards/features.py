"""Codec features on disk: one shard in `features/` for each batch, codec and dimension.

A row is a step: `step` (float16 [dim]); row i of a file begins `i * timeline.STEP_SECONDS` after its start. A ten-hour
file has 900,000 steps, so they are written in record batches, and only requested rows are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from pesearch.store.disk.durable import undone_by
from pesearch.store.shards.format import FEATURE_FOLDER, FeatureShard, RowStream, to_half_column
from pesearch.store.shards.reader import RowBatch, read_batches
from pesearch.types import CodecFeatures, HalfArray

BATCH_STEPS = 1 << 14
"""Steps per record batch: 11 minutes, 4 MiB at 128 numbers per step."""


def check_features(features: CodecFeatures) -> None:
    """Raises ValueError unless all values are finite float16."""
    if features.steps.dtype != np.float16:
        raise ValueError(f"{features!r} holds {features.steps.dtype}, not float16")
    batches = (features.steps[start : start + BATCH_STEPS] for start in range(0, len(features.steps), BATCH_STEPS))
    if not all(np.isfinite(batch).all() for batch in batches):
        raise ValueError(f"{features!r} holds values that are not finite")


class FeatureStream:
    """Writes a new shard of one codec to the library in `folder`, step by step."""

    def __init__(self, folder: Path, codec: str, dim: int) -> None:
        self._codec, self._dim = codec, dim
        self._schema = feature_schema(dim).with_metadata({"codec": codec})
        self._rows = RowStream(folder / FEATURE_FOLDER, self._schema, BATCH_STEPS)

    def append(self, steps: HalfArray) -> None:
        """Append steps of one file, float16 [n, dim]."""
        self._rows.append(pa.RecordBatch.from_arrays([to_half_column(steps)], schema=self._schema))

    def finish(self) -> FeatureShard:
        """Complete the shard: it is durable."""
        rows = self._rows
        rows.finish()
        return FeatureShard(rows.name, self._codec, self._dim, rows.rows, rows.size_bytes, rows.checksum)

    def discard(self) -> None:
        """Delete the shard, finished or not."""
        self._rows.discard()


def write_features(folder: Path, parts: Sequence[CodecFeatures]) -> FeatureShard:
    """Write the features of several files, all of one codec, as a new shard of the library in `folder`."""
    stream = FeatureStream(folder, parts[0].codec, parts[0].steps.shape[1])
    with undone_by(stream.discard):
        for part in parts:
            stream.append(part.steps)
        return stream.finish()


def read_steps(folder: Path, shard: FeatureShard, start: int, stop: int) -> HalfArray:
    """Steps `start:stop` of a shard, copied into memory, not checked. Errors as in `read_batches`."""
    return join_steps(read_batches(folder, shard, feature_schema(shard.dim), start, stop), shard.dim, start, stop)


def join_steps(batches: Sequence[RowBatch], dim: int, start: int, stop: int) -> HalfArray:
    """Steps `start:stop` of a shard from the record batches that hold them: a copy."""
    parts = [batch.columns[0][max(start - batch.first_row, 0) : max(stop - batch.first_row, 0)] for batch in batches]
    return np.concatenate([np.empty((0, dim), dtype=np.float16), *parts])


def feature_schema(dim: int) -> pa.Schema:
    """The schema of a shard with `dim` numbers per step."""
    return pa.schema([("step", pa.list_(pa.float16(), dim))])
