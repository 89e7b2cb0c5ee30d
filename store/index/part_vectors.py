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


def batch_parts(rows: MappedRows, parts: Sequence[Part]) -> Iterator[Sequence[Part]]:
    """Batches of at most PART_BATCH_ROWS rows or one part, without the parts that have no rows."""
    rows.ensure_whole()
    batch: list[Part] = []
    batched = 0
    for part in parts:
        first, stop = rows.range_of(part)
        if batch and batched + stop - first > PART_BATCH_ROWS:
            yield batch
            batch, batched = [], 0
        if first < stop:
            batch.append(part)
            batched += stop - first
    if batch:
        yield batch


def read_parts(rows: MappedRows, parts: Sequence[Part]) -> PartVectors | None:
    """The vectors of parts, without the parts that have no rows; None if none has any."""
    rows.ensure_whole()
    row_ids = {part: np.arange(*rows.range_of(part)) for part in parts}
    row_ids = {part: of_part for part, of_part in row_ids.items() if len(of_part)}
    if not row_ids:
        return None
    starts, joined = np.cumsum([0, *map(len, row_ids.values())])[:-1], np.concatenate(list(row_ids.values()))
    return PartVectors(list(row_ids), starts, rows.segments(joined), rows.vectors(joined))


def read_vectors(rows: MappedRows, file_id: int) -> SpaceVectors:
    """The vectors of one file, float32, in order of time."""
    row_ids = rows.layout.rows_of(file_id)
    return SpaceVectors(rows.space.name, rows.segments(row_ids), rows.vectors(row_ids).astype(np.float32))
