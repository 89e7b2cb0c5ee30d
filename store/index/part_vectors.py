"""Reading the vectors of a file or of parts of files, as stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

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


@dataclass(frozen=True, slots=True, eq=False)
class PartRanges:
    """Where parts of files lie in `rows`: the first row of each part and the row after its last."""

    rows: MappedRows
    ranges: Mapping[Part, tuple[int, int]]

    @classmethod
    def of(cls, rows: MappedRows, parts: Iterable[Part]) -> PartRanges:
        """The ranges of parts in the order of their rows, without the parts that have none."""
        rows.ensure_whole()
        ranges = sorted(((rows.range_of(part), part) for part in parts), key=itemgetter(0))
        return cls(rows, {part: (first, stop) for (first, stop), part in ranges if first < stop})

    def batches(self) -> Iterator[PartRanges]:
        """Batches of at most PART_BATCH_ROWS rows or one part."""
        batch: dict[Part, tuple[int, int]] = {}
        batched = 0
        for part, (first, stop) in self.ranges.items():
            if batch and batched + stop - first > PART_BATCH_ROWS:
                yield PartRanges(self.rows, batch)
                batch, batched = {}, 0
            batch[part] = (first, stop)
            batched += stop - first
        if batch:
            yield PartRanges(self.rows, batch)

    def within(self, rows: MappedRows) -> PartRanges:
        """The ranges of the same parts in `rows`, perhaps those of a later generation."""
        return self if rows is self.rows else PartRanges.of(rows, self.ranges)

    def read(self) -> PartVectors | None:
        """The vectors of the parts; None without any."""
        if not self.ranges:
            return None
        self.rows.ensure_whole()
        counts = np.array([stop - first for first, stop in self.ranges.values()])
        starts = np.cumsum(counts) - counts
        row_ids = np.arange(counts.sum()) + np.repeat([first for first, _ in self.ranges.values()] - starts, counts)
        return PartVectors(list(self.ranges), starts, self.rows.segments(row_ids), self.rows.vectors(row_ids))


def read_vectors(rows: MappedRows, file_id: int) -> SpaceVectors:
    """The vectors of one file, float32, in order of time."""
    row_ids = rows.layout.rows_of(file_id)
    return SpaceVectors(rows.space.name, rows.segments(row_ids), rows.vectors(row_ids).astype(np.float32))
