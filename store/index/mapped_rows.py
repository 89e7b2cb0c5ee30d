"""All rows of one space, memory-mapped in their shards; row ids follow the order of the files."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NoReturn, TypeVar

import numpy as np

from pesearch.store.catalogue.extents import Extents
from pesearch.store.catalogue.snapshot import Snapshot
from pesearch.store.shards.damage import DamageRegistry, RowsDamaged
from pesearch.store.shards.format import VectorShard
from pesearch.store.shards.parity import are_plausible, row_checksums
from pesearch.store.shards.reader import ShardFile
from pesearch.store.shards.row_ranges import RowIds, RowMask, RowRanges
from pesearch.store.shards.vectors import ShardRows, slice_rows, to_rows, vector_schema
from pesearch.types import HalfArray, Part, SegmentArray, Space

CHECKED_ROWS = 1 << 14
"""Rows that are checked at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class RowChecks:
    """Which rows were checked, bool [n], and the checksums of all, int64 [n]; -1 in shards of older programs."""

    done: RowMask
    checksums: RowIds

    @classmethod
    def of(cls, parts: Sequence[ShardRows]) -> RowChecks:
        """The checks of rows that were mapped."""
        done, checksums = [np.empty(0, np.bool_)], [np.empty(0, np.int64)]
        for part in parts:
            rows = len(part.vectors)
            guard = None if part.batch is None else part.batch.guard
            done.append(np.full(rows, part.batch is None or part.batch.is_checked))
            of_part = np.full(rows, -1) if guard is None else guard.rows[part.offset : part.offset + rows]
            checksums.append(of_part.astype(np.int64))
        return cls(np.concatenate(done), np.concatenate(checksums))

    def find_damaged(self, row_ids: RowIds, vectors: HalfArray) -> int | None:
        """A row whose vector is damaged, of rows that were not checked yet; None if none is: then all are checked."""
        is_new = ~self.done[row_ids]
        if not is_new.any():
            return None
        if not is_new.all():
            row_ids, vectors = row_ids[is_new], vectors[is_new]
        expected = self.checksums[row_ids]
        intact = row_checksums(vectors) == expected
        if (expected < 0).any():
            intact |= (expected < 0) & are_plausible(vectors)
        if not intact.all():
            return int(row_ids[~intact][0])
        self.done[row_ids] = True
        return None


@dataclass(frozen=True, slots=True, eq=False)
class MappedRows:
    """The rows of a space at one generation. `parts[i]` holds the rows from `starts[i]` on.

    A vector is compared with its checksum when it is read for the first time: `checks` has those that were not. Reads
    raise RowsDamaged for a damaged one, which is in `damage` then: `map_rows` restores it or leaves it out.
    """

    space: Space
    layout: RowRanges
    parts: Sequence[ShardRows]
    starts: RowIds
    damage: DamageRegistry | None = None
    checks: RowChecks | None = None
    files: Sequence[ShardFile] = ()

    def vectors(self, row_ids: RowIds) -> HalfArray:
        """A copy of the vectors of some rows, float16 [n, dim]."""
        self.ensure_whole()
        order = _sort_order(row_ids)
        vectors = np.empty((len(row_ids), self.space.dim), dtype=np.float16)
        for part, positions, offsets in self._by_part(row_ids[order]):
            vectors[positions] = part.vectors[offsets]
        self._check(row_ids[order], vectors)
        return _unsort(vectors, order)

    def segments(self, row_ids: RowIds) -> SegmentArray:
        """The segments of some rows, float64 [n, 2] in seconds."""
        self.ensure_whole()
        order = _sort_order(row_ids)
        segments = np.empty((len(row_ids), 2))
        for part, positions, offsets in self._by_part(row_ids[order]):
            segments[positions, 0], segments[positions, 1] = part.starts[offsets], part.ends[offsets]
        return _unsort(segments, order)

    def range_of(self, part: Part) -> tuple[int, int]:
        """The first row of a part of a file and the row after its last; equal if it has none.

        Its segments overlap the part, or start where it starts.
        """
        first, stop = self.layout.range_of(part.file_id)
        skipped, taken, row, number = 0, 0, first, bisect_right(self.starts, first) - 1
        while row < stop:
            times, start = self.parts[number], int(self.starts[number])
            low, high = row - start, min(stop - start, len(times.starts))
            started = bisect_left(times.starts, part.start_seconds, low, high)
            skipped += min(bisect_right(times.ends, part.start_seconds, low, high), started) - low
            taken += bisect_left(times.starts, part.end_seconds, low, high) - low
            row, number = start + high, number + 1
        return first + skipped, first + max(taken, skipped)

    def check(self) -> None:
        """Check all vectors. Raises RowsDamaged."""
        for first in range(0, self.layout.rows, CHECKED_ROWS):
            self.vectors(np.arange(first, min(first + CHECKED_ROWS, self.layout.rows)))

    def mark_checked(self, shard: VectorShard) -> None:
        """Do not check the vectors of a shard any more: it was compared as a whole."""
        for part, start in zip(self.parts, self.starts.tolist(), strict=True):
            if self.checks is not None and part.batch is not None and part.batch.file.shard == shard:
                self.checks.done[start : start + len(part.vectors)] = True

    def _check(self, row_ids: RowIds, vectors: HalfArray) -> None:
        """Check vectors that were read, those of `row_ids` (rising)."""
        damaged = None if self.checks is None else self.checks.find_damaged(row_ids, vectors)
        if damaged is not None:
            part = self.parts[bisect_right(self.starts, damaged) - 1]
            assert part.batch is not None  # rows without a file are not checked
            self._report(part.batch.file)

    def ensure_whole(self) -> None:
        """Raises RowsDamaged if a shard was cut off since it was mapped: to read it would end the process."""
        for file in self.files:
            if not file.is_whole:
                self._report(file)

    def _report(self, file: ShardFile) -> NoReturn:
        if self.damage is not None:
            self.damage.examine(file.shard, vector_schema(self.space.dim))
        raise RowsDamaged(str(file.path))

    def _by_part(self, row_ids: RowIds) -> Iterator[tuple[ShardRows, slice, RowIds]]:
        """For each part that holds some of `row_ids` (rising): the part, the positions in `row_ids`, the offsets in
        the part."""
        numbers = np.searchsorted(self.starts, row_ids, side="right") - 1
        offsets = row_ids - self.starts[numbers]
        edges = [0, *(np.flatnonzero(numbers[1:] != numbers[:-1]) + 1).tolist(), len(row_ids)] if len(row_ids) else []
        for first, stop in pairwise(edges):
            yield self.parts[numbers[first]], slice(first, stop), offsets[first:stop]


_Values = TypeVar("_Values", HalfArray, SegmentArray)


def _sort_order(row_ids: RowIds) -> RowIds | slice:
    """The permutation that sorts `row_ids`; a full slice where they are sorted already."""
    return slice(None) if (row_ids[1:] >= row_ids[:-1]).all() else np.argsort(row_ids, kind="stable")


def _unsort(values: _Values, order: RowIds | slice) -> _Values:
    """Undo `_sort_order`."""
    if isinstance(order, slice):
        return values
    unsorted = np.empty_like(values)
    unsorted[order] = values
    return unsorted


def map_rows(damage: DamageRegistry, snapshot: Snapshot, space: Space) -> MappedRows:
    """Map the shards of a space into memory, without the rows that are known to be damaged.

    Raises FileNotFoundError when one was swept after the snapshot.
    """
    return _map(damage, space, snapshot.vectors[space.name])


def map_file(damage: DamageRegistry, snapshot: Snapshot, space: Space, file_id: int) -> MappedRows:
    """As `map_rows`, for the rows of one file only."""
    return _map(damage, space, snapshot.vectors[space.name].of_file(file_id))


def _map(damage: DamageRegistry, space: Space, extents: Extents[VectorShard]) -> MappedRows:
    used = {number: extents.shards[number] for number in set(extents.shard_numbers.tolist())}
    mapped = {
        shard: [to_rows(batch) for batch in damage.read(shard, vector_schema(space.dim))] for shard in used.values()
    }
    known = {number: damage.find(shard) for number, shard in used.items()}
    extents = extents.without({number: found.lost for number, found in known.items() if found and len(found.lost)})
    parts = [
        part for extent in extents.joined() for part in slice_rows(mapped[extent.shard], extent.first_row, extent.rows)
    ]
    starts = np.cumsum([0, *(len(part.vectors) for part in parts)], dtype=np.int64)[:-1]
    layout = extents.layout()
    files = list({part.batch.file for part in parts if part.batch is not None})
    return MappedRows(space, layout, parts, starts, damage, RowChecks.of(parts), files)
