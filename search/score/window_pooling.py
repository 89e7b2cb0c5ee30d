"""Windows as cells: which segments lie in each of them, for many parts of files at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pesearch.search.score.normalization import Certainty
from pesearch.timeline import windows
from pesearch.types import MediaFile, Part, SegmentArray

Indexes = npt.NDArray[np.int64]

_APART_SECONDS = float(1 << 23)
"""The parts are laid so far from each other on one line of time: 97 days. A power of two: times stay what they are."""


def file_cells(file: MediaFile) -> SegmentArray:
    """The windows of a file, or the one instant that a still image is."""
    cells = windows(file.info.duration_seconds)
    return cells if len(cells) else np.zeros((1, 2))


def part_cells(file: MediaFile, part: Part) -> SegmentArray:
    """The windows of a file that lie in a part of it."""
    cells = file_cells(file)
    return cells[(cells[:, 0] >= part.start_seconds) & (cells[:, 1] <= part.end_seconds)]


def best_in_cells(
    cells: Sequence[SegmentArray], segments: SegmentArray, part: Indexes, values: Certainty
) -> list[Certainty]:
    """For each of several parts the greatest of `values` [n, terms] in each of its cells, [cells, terms]; 0 where none.

    `segments` [n, 2] are in order, and of the part of that number. One lies in each cell that its middle is inside of:
    windows overlap by half, so the middle of one is at the edge of the next. All of a part lies in its only cell.
    """
    edges = np.concatenate([_laid_out(each, number) for number, each in enumerate(cells)])
    middles = (segments[:, 0] + segments[:, 1]) / 2 + part * _APART_SECONDS
    first = np.searchsorted(middles, edges[:, 0], "right")
    stop = np.maximum(np.searchsorted(middles, edges[:, 1], "left"), first)
    padded = np.concatenate([values, np.zeros((1, values.shape[1]))])
    best = np.maximum.reduceat(padded, np.stack([first, stop], axis=1).ravel(), axis=0)[::2]
    found = np.where((stop > first)[:, None], best, 0.0)
    return np.split(found, np.cumsum([len(each) for each in cells])[:-1])


def _laid_out(cells: SegmentArray, number: int) -> SegmentArray:
    if len(cells) == 1:
        cells = np.array([[-_APART_SECONDS / 4, _APART_SECONDS / 2]])
    return cells + number * _APART_SECONDS
