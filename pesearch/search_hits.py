"""Hits of one query in one embedding space, stored as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt

from pesearch.types import FloatArray, Hit, SegmentArray, SpaceName


@dataclass(frozen=True, slots=True, eq=False)
class Hits(Sequence[Hit]):
    """Hits, best first, in columns: `file_ids` int64 [n], `segments` float64 [n, 2] in seconds, `scores` float32 [n].

    Equal to any sequence of the same hits.
    """

    space: SpaceName
    file_ids: npt.NDArray[np.int64]
    segments: SegmentArray
    scores: FloatArray

    @classmethod
    def empty(cls, space: SpaceName) -> Hits:
        """No hits."""
        return cls(space, np.empty(0, np.int64), np.empty((0, 2)), np.empty(0, np.float32))

    def rank_of(self, file_id: int, start_seconds: float, end_seconds: float) -> int:
        """The rank of a segment, from 1; len(self) + 1 if it is not among the hits."""
        same = (self.file_ids == file_id) & (self.segments == (start_seconds, end_seconds)).all(axis=1)
        return int(same.argmax()) + 1 if same.any() else len(self) + 1

    def __len__(self) -> int:
        return len(self.file_ids)

    @overload
    def __getitem__(self, at: int) -> Hit: ...
    @overload
    def __getitem__(self, at: slice) -> list[Hit]: ...
    def __getitem__(self, at: int | slice) -> Hit | list[Hit]:
        if isinstance(at, slice):
            return [self[number] for number in range(len(self))[at]]
        number = range(len(self))[at]
        start, end = self.segments[number].tolist()
        return Hit(int(self.file_ids[number]), self.space, start, end, float(self.scores[number]), number + 1)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)
