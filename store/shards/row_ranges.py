"""Row ranges of files, when rows are numbered file by file."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RowIds = npt.NDArray[np.int64]
RowMask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class RowRanges:
    """`counts[i]` rows of file `file_ids[i]`, from row `starts[i]`. `starts` has n + 1 entries: the last is the end."""

    file_ids: RowIds
    counts: RowIds
    starts: RowIds

    @classmethod
    def of(cls, file_ids: RowIds, counts: RowIds) -> RowRanges:
        """The ranges of these files in this order."""
        return cls(file_ids, counts, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))

    @property
    def rows(self) -> int:
        """The number of rows."""
        return int(self.starts[-1])

    def rows_of(self, file_id: int) -> RowIds:
        """The row numbers of one file; empty if it has none. `file_ids` must be sorted."""
        return np.arange(*self.range_of(file_id))

    def range_of(self, file_id: int) -> tuple[int, int]:
        """The first row of one file, and the row after its last; equal if it has none. `file_ids` must be sorted."""
        place = bisect_left(self.file_ids, file_id)  # on one number much quicker than NumPy's
        if place == len(self.file_ids) or self.file_ids[place] != file_id:
            return 0, 0
        return int(self.starts[place]), int(self.starts[place + 1])

    def at(self, rows: RowIds) -> RowIds:
        """For each row the position of its file in `file_ids`."""
        return np.searchsorted(self.starts, rows, side="right") - 1

    def mark(self, files: RowMask) -> RowMask:
        """A mask of rows from a mask of files."""
        return np.repeat(files, self.counts)

    def find(self, other: RowRanges) -> RowIds:
        """For each file of `other` its position here, or -1 if it is missing or has another number of rows.

        `file_ids` must be sorted.
        """
        if not len(self.file_ids):
            return np.full(len(other.file_ids), -1)
        places = np.searchsorted(self.file_ids, other.file_ids).clip(max=len(self.file_ids) - 1)
        same = (self.file_ids[places] == other.file_ids) & (self.counts[places] == other.counts)
        return np.where(same, places, -1)
