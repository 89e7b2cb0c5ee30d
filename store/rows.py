"""All rows of one space, left in the memory map of their shards: numbered in the order of their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pesearch.store.layout import Layout, Numbers
from pesearch.store.snapshot import Extent, Snapshot
from pesearch.store.vector_shards import ShardRows, cut, map_shard
from pesearch.types import HalfArray, SegmentArray, Space


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of a space at one generation. `parts[i]` holds the rows from `starts[i]` on."""

    space: Space
    layout: Layout
    parts: Sequence[ShardRows]
    starts: Numbers

    def vectors(self, rows: Numbers) -> HalfArray:
        """The vectors of some rows, float16 [n, dim], in memory of their own."""
        vectors = np.empty((len(rows), self.space.dim), dtype=np.float16)
        for part, where, within in self._found(rows):
            vectors[where] = part.vectors[within]
        return vectors

    def segments(self, rows: Numbers) -> SegmentArray:
        """The segments of some rows, float64 [n, 2] in seconds."""
        segments = np.empty((len(rows), 2))
        for part, where, within in self._found(rows):
            segments[where] = part[within].segments
        return segments

    def _found(self, rows: Numbers) -> Iterator[tuple[ShardRows, Numbers, Numbers]]:
        """The rows part by part: the part, where they are among `rows`, and where in the part."""
        numbers = np.searchsorted(self.starts, rows, side="right") - 1
        order = np.argsort(numbers, kind="stable")
        for where in np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1):
            if len(where):
                number = numbers[where[0]]
                yield self.parts[number], where, rows[where] - self.starts[number]


def map_rows(folder: Path, snapshot: Snapshot, space: Space) -> Rows:
    """Map the shards of a space into memory. `FileNotFoundError` when one was swept meanwhile."""
    return _map(folder, snapshot, space, snapshot.extents[space.name])


def map_file(folder: Path, snapshot: Snapshot, space: Space, file_id: int) -> Rows:
    """As `map_rows`, for the rows of one file alone."""
    return _map(folder, snapshot, space, [each for each in snapshot.extents[space.name] if each.file_id == file_id])


def layout_of(extents: Sequence[Extent]) -> Layout:
    """The files of extents that are in the order of their files."""
    file_ids, counts = (_column(extents, name) for name in ("file_id", "rows"))
    unique, first = np.unique(file_ids, return_index=True)
    return Layout.of(unique, np.add.reduceat(counts, first) if len(first) else counts)


def _column(extents: Sequence[Extent], name: str) -> npt.NDArray[np.int64]:
    return np.fromiter((getattr(each, name) for each in extents), dtype=np.int64, count=len(extents))


def _map(folder: Path, snapshot: Snapshot, space: Space, extents: Sequence[Extent]) -> Rows:
    names = {extent.shard for extent in extents}
    shards = {name: map_shard(folder, snapshot.shards[name], space.dim) for name in names}
    parts = [part for extent in extents for part in cut(shards[extent.shard], extent.first_row, extent.rows)]
    starts = np.cumsum([0, *(len(part.vectors) for part in parts)], dtype=np.int64)[:-1]
    return Rows(space, layout_of(extents), parts, starts)
