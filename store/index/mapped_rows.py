"""All rows of one space, left in the memory map of their shards: numbered in the order of their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np

from pesearch.store.catalogue.extents import Extents
from pesearch.store.catalogue.snapshot import Snapshot
from pesearch.store.shards.format import VectorShard
from pesearch.store.shards.row_ranges import RowIds, RowRanges
from pesearch.store.shards.vectors import ShardRows, map_shard, slice_rows
from pesearch.types import HalfArray, SegmentArray, Space


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of a space at one generation. `parts[i]` holds the rows from `starts[i]` on."""

    space: Space
    layout: RowRanges
    parts: Sequence[ShardRows]
    starts: RowIds

    def vectors(self, rows: RowIds) -> HalfArray:
        """The vectors of some rows, float16 [n, dim], in memory of their own."""
        order = _rising(rows)
        vectors = np.empty((len(rows), self.space.dim), dtype=np.float16)
        for part, where, within in self._found(rows[order]):
            vectors[where] = part.vectors[within]
        return _back(vectors, order)

    def segments(self, rows: RowIds) -> SegmentArray:
        """The segments of some rows, float64 [n, 2] in seconds."""
        order = _rising(rows)
        segments = np.empty((len(rows), 2))
        for part, where, within in self._found(rows[order]):
            segments[where, 0], segments[where, 1] = part.starts[within], part.ends[within]
        return _back(segments, order)

    def segments_between(self, first: int, stop: int) -> SegmentArray:
        """The segments of rows one after the other, float64 [stop - first, 2]."""
        segments = np.empty((stop - first, 2))
        number, done = int(np.searchsorted(self.starts, first, side="right")) - 1, 0
        while done < len(segments):
            part, start = self.parts[number], int(self.starts[number])
            starts = part.starts[first + done - start : stop - start]
            segments[done : done + len(starts), 0] = starts
            segments[done : done + len(starts), 1] = part.ends[first + done - start : stop - start]
            number, done = number + 1, done + len(starts)
        return segments

    def _found(self, rows: RowIds) -> Iterator[tuple[ShardRows, slice, RowIds]]:
        """Rows in rising order part by part: the part, where they are among `rows`, and where in the part."""
        numbers = np.searchsorted(self.starts, rows, side="right") - 1
        within = rows - self.starts[numbers]
        edges = [0, *(np.flatnonzero(numbers[1:] != numbers[:-1]) + 1).tolist(), len(rows)] if len(rows) else []
        for first, stop in pairwise(edges):
            yield self.parts[numbers[first]], slice(first, stop), within[first:stop]


_Values = TypeVar("_Values", HalfArray, SegmentArray)


def _rising(rows: RowIds) -> RowIds | slice:
    """What puts rows in rising order: all of them where they are."""
    return slice(None) if (rows[1:] >= rows[:-1]).all() else np.argsort(rows, kind="stable")


def _back(values: _Values, order: RowIds | slice) -> _Values:
    """Values of rows that were put in order, as the rows were before."""
    if isinstance(order, slice):
        return values
    back = np.empty_like(values)
    back[order] = values
    return back


def map_rows(folder: Path, snapshot: Snapshot, space: Space) -> Rows:
    """Map the shards of a space into memory. `FileNotFoundError` when one was swept meanwhile."""
    return _map(folder, space, snapshot.vectors[space.name])


def map_file(folder: Path, snapshot: Snapshot, space: Space, file_id: int) -> Rows:
    """As `map_rows`, for the rows of one file alone."""
    return _map(folder, space, snapshot.vectors[space.name].of_file(file_id))


def _map(folder: Path, space: Space, extents: Extents[VectorShard]) -> Rows:
    joined = list(extents.joined())
    mapped = {shard: map_shard(folder, shard, space.dim) for shard in {each.shard for each in joined}}
    parts = [part for each in joined for part in slice_rows(mapped[each.shard], each.first_row, each.rows)]
    starts = np.cumsum([0, *(len(part.vectors) for part in parts)], dtype=np.int64)[:-1]
    return Rows(space, extents.layout(), parts, starts)
