"""Times of cues as columns: which are near others in the same file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pesearch.store.index.fulltext_document import BLOCK_SECONDS
from pesearch.store.index.fulltext_query import CueScope
from pesearch.types import Part

MAX_SCOPE_BLOCKS = 10_000
"""A scope of more blocks of time is replaced by one of whole files: 20,000 blocks take 42 ms, and to find all 100,000
lines with "the" among 300,000 takes 80 ms."""

MAX_SCOPE_FILES = 20_000
"""A scope of more files is replaced by all files: this many take 16 ms."""

MIN_CUE_SECONDS = 0.01
"""Shorter cues, as those of stills, count as this long, so that two at the same time overlap."""

OVERLAP_SECONDS = -0.001
"""Cues overlap if they are at most this far apart. Touching is not overlapping."""

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class CueTimes:
    """Cues: `file_ids` int64 [n], `starts` and `ends` float64 [n] in seconds, `is_whole_file` bool [n]."""

    file_ids: Rows
    starts: npt.NDArray[np.float64]
    ends: npt.NDArray[np.float64]
    is_whole_file: Mask

    @classmethod
    def concatenate(cls, times: Sequence[CueTimes]) -> CueTimes:
        """All cues of `times`, at least one."""
        return cls(
            np.concatenate([each.file_ids for each in times]),
            np.concatenate([each.starts for each in times]),
            np.concatenate([each.ends for each in times]),
            np.concatenate([each.is_whole_file for each in times]),
        )

    def __len__(self) -> int:
        return len(self.file_ids)

    def take(self, rows: Rows | Mask) -> CueTimes:
        """The cues at `rows`."""
        return CueTimes(self.file_ids[rows], self.starts[rows], self.ends[rows], self.is_whole_file[rows])

    def are_near(self, others: CueTimes, seconds: float) -> Mask:
        """Whether any of `others` is in the same file and at most `seconds` apart, bool [n]. A cue about the whole file
        is near all of the file."""
        if not len(others):
            return np.zeros(len(self), dtype=np.bool_)
        _, numbers = np.unique(np.concatenate([self.file_ids, others.file_ids]), return_inverse=True)
        span = max(self.ends.max(initial=0.0), others.ends.max()) + abs(seconds) + 1.0
        slots = numbers * (4 * span)  # files one after the other on one axis, too far apart to be near
        starts, ends = self._on_axis(slots[: len(self)], span)
        other_starts, other_ends = others._on_axis(slots[len(self) :], span)
        not_after = np.searchsorted(np.sort(other_starts), ends + seconds, side="right")
        before = np.searchsorted(np.sort(other_ends), starts - seconds, side="left")
        near: Mask = not_after > before
        return near

    def scope(self, seconds: float) -> CueScope | None:
        """A scope that includes all cues within `seconds`; None for all cues."""
        blocks = (self.ends - self.starts + 2 * seconds) // BLOCK_SECONDS + 2
        if not self.is_whole_file.any() and blocks.sum() <= MAX_SCOPE_BLOCKS:
            starts, ends = (self.starts - seconds).tolist(), (self.ends + seconds).tolist()
            return CueScope(parts=tuple(map(Part, self.file_ids.tolist(), starts, ends)))
        files = np.unique(self.file_ids)
        return CueScope(frozenset(files.tolist())) if len(files) <= MAX_SCOPE_FILES else None

    def in_part(self, part: Part) -> Mask:
        """Whether each cue overlaps a part or is about its whole file, bool [n]."""
        is_later = (self.ends > part.start_seconds) | (self.starts >= part.start_seconds)
        inside = is_later & (self.starts <= part.end_seconds)
        mask: Mask = (self.file_ids == part.file_id) & (inside | self.is_whole_file)
        return mask

    def _on_axis(
        self, slots: npt.NDArray[np.float64], span: float
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        starts = np.where(self.is_whole_file, 0.0, self.starts)
        ends = np.where(self.is_whole_file, span, np.maximum(self.ends, self.starts + MIN_CUE_SECONDS))
        return slots + starts, slots + ends
