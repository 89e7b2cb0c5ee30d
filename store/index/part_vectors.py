"""Reading the vectors of a file or of parts of files, as stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pesearch.store.index.mapped_rows import MappedRows
from pesearch.store.shards.row_ranges import RowIds
from pesearch.types import HalfArray, Part, SegmentArray, SpaceVectors

PART_BATCH_ROWS = 1 << 14
"""Maximum number of rows of parts that are read together: 64 MiB in float32 at 1024 dimensions."""


@dataclass(frozen=True, slots=True, eq=False)
class PartVectors:
    """The vectors of several parts of files, one after the other: those of `parts[i]` begin at row `starts[i]`.

    `segments` float64 [n, 2] in seconds, `vectors` float16 [n, dim], as stored.
    """

    parts: Sequence[Part]
    starts: RowIds
    segments: SegmentArray
    vectors: HalfArray

    @property
    def numbers(self) -> RowIds:
        """The index in `parts` for each row: int64 [n]."""
        return np.repeat(np.arange(len(self.starts)), np.diff(self.starts, append=len(self.vectors)))

    def each(self) -> Iterator[tuple[Part, slice]]:
        """Each part with its rows."""
        stops = [*self.starts[1:].tolist(), len(self.vectors)]
        for part, start, stop in zip(self.parts, self.starts.tolist(), stops, strict=True):
            yield part, slice(start, stop)


def vectors_of_parts(rows: MappedRows, parts: Sequence[Part]) -> Iterator[PartVectors]:
    """The vectors of `parts`, in batches of at most PART_BATCH_ROWS rows or one part; skips parts without rows."""
    batch: list[tuple[Part, RowIds]] = []
    batched = 0
    for part in parts:
        row_ids = np.arange(*rows.range_of(part))
        if batch and batched + len(row_ids) > PART_BATCH_ROWS:
            yield _read_batch(rows, batch)
            batch, batched = [], 0
        if len(row_ids):
            batch.append((part, row_ids))
            batched += len(row_ids)
    if batch:
        yield _read_batch(rows, batch)


def _read_batch(rows: MappedRows, batch: Sequence[tuple[Part, RowIds]]) -> PartVectors:
    parts, row_ids = zip(*batch, strict=True)
    starts, joined = np.cumsum([0, *map(len, row_ids)])[:-1], np.concatenate(row_ids)
    return PartVectors(parts, starts, rows.segments(joined), rows.vectors(joined))


def read_vectors(rows: MappedRows, file_id: int) -> SpaceVectors:
    """The vectors of one file, float32, in order of time."""
    row_ids = rows.layout.rows_of(file_id)
    return SpaceVectors(rows.space.name, rows.segments(row_ids), rows.vectors(row_ids).astype(np.float32))
