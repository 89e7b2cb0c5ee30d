"""Which row belongs to which file: rows are numbered through, one file after the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RowIds = npt.NDArray[np.int64]
RowMask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class RowRanges:
    """`counts[i]` rows of file `file_ids[i]`, from row `starts[i]` on; `starts` has one entry more, where all end."""

    file_ids: RowIds
    counts: RowIds
    starts: RowIds

    @classmethod
    def of(cls, file_ids: RowIds, counts: RowIds) -> RowRanges:
        """The layout of these files in this order."""
        return cls(file_ids, counts, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.starts[-1])

    def rows_of(self, file_id: int) -> RowIds:
        """The numbers of the rows of one file; none when it has none. The files must be in rising order."""
        return np.arange(*self.range_of(file_id))

    def range_of(self, file_id: int) -> tuple[int, int]:
        """The first of these rows, and the one after the last; twice the same when there are none."""
        place = int(np.searchsorted(self.file_ids, file_id))
        if place == len(self.file_ids) or self.file_ids[place] != file_id:
            return 0, 0
        return int(self.starts[place]), int(self.starts[place + 1])

    def at(self, rows: RowIds) -> RowIds:
        """For each of some rows the place of its file: `file_ids[place]`."""
        return np.searchsorted(self.starts, rows, side="right") - 1

    def mark(self, files: RowMask) -> RowMask:
        """The rows [rows] of the files [files] that are marked."""
        return np.repeat(files, self.counts)

    def find(self, other: RowRanges) -> RowIds:
        """For each file of another layout its place here, or -1 where it is not, or has another number of rows.

        Here the files must be in rising order.
        """
        if not len(self.file_ids):
            return np.full(len(other.file_ids), -1)
        places = np.searchsorted(self.file_ids, other.file_ids).clip(max=len(self.file_ids) - 1)
        same = (self.file_ids[places] == other.file_ids) & (self.counts[places] == other.counts)
        return np.where(same, places, -1)
